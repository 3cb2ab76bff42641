/** Puts a workspace in force: everything is checked first, and one error anywhere leaves the last good revision as it is. */
import { createHash } from "node:crypto";
import type { Problem } from "../../engine/errors/plugboard-error.ts";
import { read, validateWorkspace, type SourceTree } from "../../engine/manifest/index.ts";
import { listCatalogue, notTold, resolveAll, type CatalogueConnector, type TenantPlan } from "../../engine/plan/index.ts";
import { saveConnectors, saveRevision, type Database } from "../../engine/store/index.ts";

export interface ApplyRequest {
  readonly db: Database;
  /** The catalogue, then the workspace. */
  readonly trees: readonly SourceTree[];
  /** The commit that the trees are, for people. */
  readonly commit?: string;
}

export type Applied =
  | { readonly applied: true; readonly revision: string; readonly tenants: readonly string[]; /** Whose plan is another one now. */ readonly changed: readonly string[]; readonly warnings: readonly Problem[] }
  | { readonly applied: false; readonly problems: readonly Problem[] };

/**
 * Runs under way keep their revision; the next ones take this one. Applying the same trees again changes nothing.
 * @throws PlugboardError STORE_UNREACHABLE, STORE_BUSY
 */
export async function applyWorkspace({ db, trees, commit }: ApplyRequest): Promise<Applied> {
  const { plans, connectors, problems } = planWorkspace(trees);
  if (problems.some(({ severity }) => severity === "error")) return { applied: false, problems };
  const revision = revisionOf(plans, commit);
  const { changed } = await saveRevision(db, { id: revision, plans, ...(commit === undefined ? {} : { commit }) });
  await saveConnectors(db, connectors);
  return { applied: true, revision, tenants: plans.map(({ tenant }) => tenant.id), changed, warnings: problems };
}

function planWorkspace(trees: readonly SourceTree[]): { plans: readonly TenantPlan[]; connectors: readonly CatalogueConnector[]; problems: readonly Problem[] } {
  const workspace = read(trees);
  const told = validateWorkspace(workspace);
  if (told.some(({ severity }) => severity === "error")) return { plans: [], connectors: [], problems: told };
  const resolved = resolveAll(workspace);
  return { plans: [...resolved.plans.values()], connectors: listCatalogue(workspace), problems: [...told, ...notTold(resolved.problems, told)] };
}

/** By what is in force, not by the files: a planner that reads the same files differently makes another revision. */
function revisionOf(plans: readonly TenantPlan[], commit: string | undefined): string {
  const hash = createHash("sha256").update(commit ?? "");
  for (const plan of plans.toSorted((a, b) => (a.tenant.id < b.tenant.id ? -1 : 1))) hash.update("\n").update(JSON.stringify(plan));
  return hash.digest("hex").slice(0, 32);
}
