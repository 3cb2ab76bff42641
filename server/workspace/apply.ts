/** Puts a workspace in force: everything is checked first, and one error anywhere leaves the last good revision as it is. */
import { createHash } from "node:crypto";
import type { Problem } from "../../engine/errors/plugboard-error.ts";
import { read, validateWorkspace, type SourceTree, type Workspace } from "../../engine/manifest/index.ts";
import { listAppFeeds, listCatalogue, notTold, resolveAll, type CatalogueConnector, type TenantPlan } from "../../engine/plan/index.ts";
import { saveAliases, saveConnectors, saveFeeds, saveRevision, type Alias, type ConnectorFeeds, type Database, type NewApplication as Application } from "../../engine/store/index.ts";

export interface ApplyRequest {
  readonly db: Database;
  /** The catalogue, then the workspace. */
  readonly trees: readonly SourceTree[];
  /** The commit that the trees are, for people. */
  readonly commit?: string;
  /** Who puts it in force, and what has to be so together with it. */
  readonly application?: Application;
}

export type Applied =
  | { readonly applied: true; readonly revision: string; readonly tenants: readonly string[]; /** Whose plan is another one now. */ readonly changed: readonly string[]; readonly warnings: readonly Problem[] }
  | { readonly applied: false; readonly problems: readonly Problem[] };

/**
 * Runs under way keep their revision; the next ones take this one. Applying the same trees again changes nothing.
 * @throws PlugboardError STORE_UNREACHABLE, STORE_BUSY
 */
export async function applyWorkspace({ db, trees, commit, application }: ApplyRequest): Promise<Applied> {
  const { plans, connectors, feeds, aliases, problems } = planWorkspace(trees);
  if (problems.some(({ severity }) => severity === "error")) return { applied: false, problems };
  const revision = revisionOf(plans, commit);
  const { changed } = await saveRevision(db, { id: revision, plans, ...(commit === undefined ? {} : { commit }) }, application);
  await saveConnectors(db, connectors);
  await saveFeeds(db, feeds);
  await saveAliases(db, aliases);
  return { applied: true, revision, tenants: plans.map(({ tenant }) => tenant.id), changed, warnings: problems };
}

export interface PlannedWorkspace { readonly plans: readonly TenantPlan[]; readonly connectors: readonly CatalogueConnector[];
  /** Connectors with an address for all customers. */
  readonly feeds: readonly ConnectorFeeds[];
  /** Paths that lead to a feed. */
  readonly aliases: readonly Alias[];
  readonly problems: readonly Problem[];
}

/** Every tenant's plan, or everything that is wrong: with one error there is no plan. */
export function planWorkspace(trees: readonly SourceTree[]): PlannedWorkspace {
  const workspace = read(trees);
  const told = validateWorkspace(workspace);
  if (told.some(({ severity }) => severity === "error")) return { plans: [], connectors: [], feeds: [], aliases: [], problems: told };
  const resolved = resolveAll(workspace);
  return { plans: [...resolved.plans.values()], connectors: listCatalogue(workspace), feeds: listAppFeeds(workspace), aliases: aliasesOf(workspace), problems: [...told, ...notTold(resolved.problems, told)] };
}

function aliasesOf({ settings }: Workspace): Alias[] {
  return Object.entries((settings?.value["aliases"] ?? {}) as Readonly<Record<string, string>>).flatMap(([path, target]) => {
    const [connector, feed] = target.split(".", 2);
    return connector && feed ? [{ path, connector, feed }] : [];
  });
}

/** By what is in force, not by the files: a planner that reads the same files differently makes another revision. */
export function revisionOf(plans: readonly TenantPlan[], commit: string | undefined): string {
  const hash = createHash("sha256").update(commit ?? "");
  for (const plan of plans.toSorted((a, b) => (a.tenant.id < b.tenant.id ? -1 : 1))) hash.update("\n").update(JSON.stringify(plan));
  return hash.digest("hex").slice(0, 32);
}
