/** The trees of a workspace, checked and compiled to every tenant's plan. Knows no database: `plan` works without one. */
import { createHash } from "node:crypto";
import type { Problem } from "../../engine/errors/plugboard-error.ts";
import { read, validateWorkspace, type SourceTree, type Workspace } from "../../engine/manifest/index.ts";
import { listAppFeeds, listCatalogue, notTold, resolveAll, type CatalogueConnector, type ResolvedWorkspace, type TenantPlan } from "../../engine/plan/index.ts";
import { hashOfPlan } from "../../engine/store/plan-hash.ts";
import type { Alias, ConnectorFeeds } from "../../engine/store/index.ts";

export interface PlannedWorkspace { readonly plans: readonly TenantPlan[]; readonly connectors: readonly CatalogueConnector[];
  /** Connectors with an address for all customers. */
  readonly feeds: readonly ConnectorFeeds[];
  /** Paths that lead to a feed. */
  readonly aliases: readonly Alias[];
  readonly problems: readonly Problem[];
}

/**
 * What was planned last, newest first, of each state of what tenants share: a review plans the same base, proposal and merge again
 * and again, and of thousands of tenants a change concerns a few. Nothing of it is trusted: what is taken over says word for
 * word the same.
 */
const recent: ResolvedWorkspace[] = [];
const KEPT = 3;

/** Every tenant's plan, or everything that is wrong: with one error there is no plan. */
export function planWorkspace(trees: readonly SourceTree[]): PlannedWorkspace {
  const workspace = read(trees, recent.map((each) => each.workspace));
  const told = validateWorkspace(workspace);
  if (told.some(({ severity }) => severity === "error")) return { plans: [], connectors: [], feeds: [], aliases: [], problems: told };
  const { plans, problems, resolved, from } = resolveAll(workspace, recent);
  if (from !== undefined) recent.splice(recent.indexOf(from), 1);
  recent.unshift(resolved);
  recent.splice(KEPT);
  return { plans: [...plans.values()], connectors: listCatalogue(workspace), feeds: listAppFeeds(workspace), aliases: aliasesOf(workspace), problems: [...told, ...notTold(problems, told)] };
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
  for (const plan of plans.toSorted((a, b) => (a.tenant.id < b.tenant.id ? -1 : 1))) hash.update("\n").update(plan.tenant.id).update(" ").update(hashOfPlan(plan));
  return hash.digest("hex").slice(0, 32);
}
