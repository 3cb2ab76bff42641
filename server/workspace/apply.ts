/** Puts a workspace in force: everything is checked first, and one error anywhere leaves the last good revision as it is. */
import type { Problem } from "../../engine/errors/plugboard-error.ts";
import type { SourceTree } from "../../engine/manifest/index.ts";
import { saveAliases, saveConnectors, saveFeeds, saveRevision, type Database, type NewApplication as Application } from "../../engine/store/index.ts";
import { planWorkspace, revisionOf, type PlannedWorkspace } from "./plan-workspace.ts";

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
  const planned = planWorkspace(trees);
  const { plans, problems } = planned;
  if (problems.some(({ severity }) => severity === "error")) return { applied: false, problems };
  const revision = revisionOf(plans, commit);
  const { changed } = await saveRevision(db, { id: revision, plans, ...(commit === undefined ? {} : { commit }) }, application);
  await saveCatalogue(db, planned);
  return { applied: true, revision, tenants: plans.map(({ tenant }) => tenant.id), changed, warnings: problems };
}

/** What concerns no tenant alone: the registry of connectors, feeds of all customers, other addresses. */
export async function saveCatalogue(db: Database, { connectors, feeds, aliases }: PlannedWorkspace): Promise<void> {
  await saveConnectors(db, connectors);
  await saveFeeds(db, feeds);
  await saveAliases(db, aliases);
}
