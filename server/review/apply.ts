/** Puts in force exactly what was reviewed: Git's main and the database say the same afterwards, or the next try goes on. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { getChange, moveChange, otherPlansInForce, readConfiguration, type Actor, type StoredChange } from "../../engine/store/index.ts";
import { textOfChanges, type TenantChange } from "../../engine/plan/index.ts";
import { applyWorkspace } from "../workspace/apply.ts";
import { revisionOf } from "../workspace/plan-workspace.ts";
import { deleteBranch, mergeCommit, moveMain } from "./commit.ts";
import { audit, wrongStatus } from "./drafts.ts";
import { locked } from "./lock.ts";
import { comparePlans, InvalidChange, planOnce, plansOf, type ChangePlan, type Trees } from "./plan.ts";
import { leadsTo } from "./repository.ts";
import { authorOf, type Review } from "./workspace.ts";

export interface AppliedChange { readonly change: StoredChange; readonly revision: string; readonly commit: string; /** Tenants whose plan in force is another one now. */ readonly changed: readonly string[] }

/** @throws PlugboardError CHANGE_STALE, CHANGE_UNCOMMITTED, CHANGE_STATUS, CHANGE_BUSY; InvalidChange */
export async function applyChange(review: Review, id: string, actor: Actor): Promise<AppliedChange> {
  const { db, workspace } = review;
  const { repository } = workspace;
  return locked(repository.gitdir, async () => {
    const change = await getChange(db, id);
    if (change?.status !== "approved" || change.commit === undefined) throw wrongStatus(id, change, "applied");
    const { commit: head } = await workspace.main();
    const commit = await merged(review, change, head, actor);
    const trees = await workspace.treesOf(commit);
    const effect = await effectOf(review, trees);
    if (effect.hash !== change.approved_hash) throw new PlugboardError("CHANGE_STALE", { detail: await moved(review, change, effect, head) });
    // Git first: a process that dies here leaves main ahead of what is in force, and the next try finds its commit there.
    if (commit !== head) await moveMain(repository, head, commit);
    const before = (await readConfiguration(db)).revision;
    // Not those whose values only stand in another line now.
    const tenants = effect.tenants.map(({ tenant }) => tenant);
    const revision = revisionOf(planOnce(trees).plans, commit);
    let applied: StoredChange | undefined;
    const result = await applyWorkspace({
      db, trees, commit,
      application: {
        how: "apply", actor, change: id,
        also: async (tx) => {
          applied = await moveChange(tx, id, { from: ["approved"], version: change.version, set: { status: "applied", merged_commit: commit, revision, before: before ?? null, applied_by: actor.name, applied_at: new Date().toISOString() } });
          if (!applied) throw wrongStatus(id, await getChange(tx, id), "applied");
          await audit(tx, actor, "change.applied", applied, { before: { revision: before ?? null }, after: { revision, commit, tenants } });
        },
      },
    });
    if (!result.applied) throw new InvalidChange(result.problems);
    if (change.branch !== undefined) await deleteBranch(repository, change.branch);
    return { change: applied!, revision, commit, changed: tenants };
  });
}

/** What a tree would change of what is in force; of nothing, when nothing is. */
export async function effectOf({ db }: Review, trees: Trees): Promise<Pick<ChangePlan, "hash" | "risk" | "tenants" | "unchanged">> {
  const planned = planOnce(trees);
  if (planned.problems.some(({ severity }) => severity === "error")) throw new InvalidChange(planned.problems);
  const after = plansOf(planned);
  const others = await otherPlansInForce(db, after.values());
  const before = new Map([...others].flatMap(([tenant, plan]) => (plan === undefined ? [] : [[tenant, plan] as const])));
  const affected = comparePlans(before, new Map([...after].filter(([tenant]) => others.has(tenant))));
  return { ...affected, unchanged: after.size - affected.tenants.filter(({ change }) => change !== "removed").length };
}

async function merged({ workspace }: Review, change: StoredChange, head: string, actor: Actor): Promise<string> {
  const { repository } = workspace;
  if (await leadsTo(repository, change.commit!, head)) return head;         // merged by a try that was cut short, or by hand
  const merge = await mergeCommit(repository, { main: head, base: change.base, commit: change.commit!, message: `Merge: ${change.title}`, author: authorOf(actor) });
  if ("conflicts" in merge) throw new PlugboardError("CHANGE_STALE", { detail: `main has changed ${merge.conflicts.slice(0, 5).join(", ")} since` });
  return merge.commit;
}

/** Which tenants would get something else than the reviewer saw. */
async function moved({ db, workspace }: Review, change: StoredChange, effect: Pick<ChangePlan, "tenants">, head: string): Promise<string> {
  const reviewed = (change.plan as unknown as ChangePlan).tenants;
  const text = (tenants: readonly TenantChange[], id: string): string => textOfChanges(tenants.filter(({ tenant }) => tenant === id));
  const differ = [...new Set([...reviewed, ...effect.tenants].map(({ tenant }) => tenant))].filter((id) => text(reviewed, id) !== text(effect.tenants, id));
  const { commit } = await readConfiguration(db);
  const why = commit !== undefined && commit !== head && !(await leadsTo(workspace.repository, head, commit)) ? "main has commits that are not in force yet" : head === change.base ? "what is in force is not what main says" : "main has moved on since";
  return `${why}, and it would do something else for ${differ.slice(0, 5).join(", ")}${differ.length > 5 ? ` and ${differ.length - 5} more` : ""}`;
}
