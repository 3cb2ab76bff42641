/** Puts in force exactly what was reviewed: Git's main and the database say the same afterwards, or the next try goes on. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { getChange, moveChange, otherPlansInForce, readConfiguration, type Actor, type StoredChange } from "../../engine/store/index.ts";
import { textOfChanges, type TenantChange } from "../../engine/plan/index.ts";
import { applyWorkspace } from "../workspace/apply.ts";
import { revisionOf } from "../workspace/plan-workspace.ts";
import { deleteBranch, mergeCommit, moveMain } from "./commit.ts";
import { deleteRemoteBranch, followMain, followMainLocked, pushMain, type Remote } from "./forge/remote.ts";
import { locked } from "./lock.ts";
import { audit, wrongStatus } from "./log.ts";
import { comparePlans, InvalidChange, planOnce, plansOf, type ChangePlan, type Trees } from "./plan.ts";
import { pullRequestOf, remoteOf, seePullRequest } from "./pull-request.ts";
import { short } from "./refs.ts";
import { headOf, leadsTo, treeOf } from "./repository.ts";
import { prepareWorkingCopy } from "./working-copy.ts";
import { authorOf, type Review } from "./workspace.ts";

export interface AppliedChange { readonly change: StoredChange; readonly revision: string; readonly commit: string; /** Tenants whose plan in force is another one now. */ readonly changed: readonly string[] }

/** @throws PlugboardError CHANGE_STALE, CHANGE_UNCOMMITTED, CHANGE_STATUS, CHANGE_BUSY, CHANGE_FORGE_*; InvalidChange */
export async function applyChange(review: Review, id: string, actor: Actor): Promise<AppliedChange> {
  const { db, workspace } = review;
  const { repository } = workspace;
  const remote = await remoteOf(review);
  if (remote) await lookThere(review, remote, id);
  const done = await locked(repository.gitdir, async () => {
    const change = await getChange(db, id);
    if (change?.status !== "approved" || change.commit === undefined) throw wrongStatus(id, change, "applied");
    const { commit: head } = await workspace.main();
    const commit = await mergedHere(review, change, head, actor);
    const trees = await workspace.treesOf(commit);
    const effect = await effectOf(review, trees);
    if (effect.hash !== change.approved_hash) throw new PlugboardError("CHANGE_STALE", { detail: await whatDiffers(review, change, effect, head) });
    // Git first: a process that dies here leaves main ahead of what is in force, and the next try finds its commit there.
    const merged = commit === head ? commit : await moved(review, remote, change, effect.hash, head, commit);
    const before = (await readConfiguration(db)).revision;
    // Not those whose values only stand in another line now.
    const tenants = effect.tenants.map(({ tenant }) => tenant);
    const inForce = merged === commit ? trees : await workspace.treesOf(merged);
    const revision = revisionOf(planOnce(inForce).plans, merged);
    let applied: StoredChange | undefined;
    const result = await applyWorkspace({
      db, trees: inForce, commit: merged,
      application: {
        how: "apply", actor, change: id,
        also: async (tx) => {
          applied = await moveChange(tx, id, { from: ["approved"], version: change.version, set: { status: "applied", merged_commit: merged, revision, before: before ?? null, applied_by: actor.name, applied_at: new Date().toISOString(), ...(remote && change.pull_request ? { pull_request: JSON.stringify({ ...change.pull_request, state: "merged", merged }) } : {}) } });
          if (!applied) throw wrongStatus(id, await getChange(tx, id), "applied");
          await audit(tx, actor, "change.applied", applied, { before: { revision: before ?? null }, after: { revision, commit: merged, tenants } });
        },
      },
    });
    if (!result.applied) throw new InvalidChange(result.problems);
    if (change.branch !== undefined) await deleteBranch(repository, change.branch);
    return { change: applied!, revision, commit: merged, changed: tenants };
  });
  // It is in force, whatever becomes of its branch there; the forge may have taken it away already.
  if (remote && done.change.branch !== undefined) await deleteRemoteBranch(remote, done.change.branch, done.change.commit).catch((thrown: unknown) => { if (!(thrown instanceof PlugboardError)) throw thrown; });
  return done;
}

/** Before anything moves: main as the forge has it, and what its reviewers say by now. @throws PlugboardError CHANGE_STALE, CHANGE_STATUS */
async function lookThere(review: Review, remote: Remote, id: string): Promise<void> {
  await followMain(remote);
  const before = await getChange(review.db, id);
  if (before === undefined || !["proposed", "approved"].includes(before.status)) return;
  const { pull_request: pull, commit, status } = await seePullRequest(review, remote, before);
  if (pull?.state === "closed") throw new PlugboardError("CHANGE_STATUS", { id, status: `${status}: its pull request is closed`, verb: "applied" });
  if (pull?.state === "open" && pull.head !== commit) throw new PlugboardError("CHANGE_STALE", { detail: `its branch at ${remote.forge.name} is at ${short(pull.head)}, and ${short(commit ?? "")} was reviewed` });
}

/**
 * Main, where it is once the change is in it: at the forge first, where there is one.
 * @returns the commit that main is at. @throws PlugboardError CHANGE_STALE when that does something else than was reviewed
 */
async function moved(review: Review, remote: Remote | undefined, change: StoredChange, hash: string, head: string, commit: string): Promise<string> {
  const { repository } = review.workspace;
  const pull = remote && pullRequestOf(change, remote.forge);
  if (remote === undefined || pull === undefined) {
    await moveMain(repository, head, commit, remote && ((before, after) => pushMain(remote, before, after)));
    return commit;
  }
  await prepareWorkingCopy(repository, head, commit);      // nobody's work may be in the way once it is merged there
  await remote.forge.merge(pull.number, { head: change.commit!, title: `${change.title} (#${pull.number})`, message: change.description });
  await followMainLocked(remote);
  // Almost always the same files in another commit: they are not read and planned again.
  const now = await headOf(repository);
  if ((await treeOf(repository, now)) === (await treeOf(repository, commit))) review.workspace.adopt(now, await review.workspace.treesOf(commit));
  const { commit: main, trees } = await review.workspace.main();
  if ((await effectOf(review, trees)).hash !== hash) throw new PlugboardError("CHANGE_STALE", { detail: `it is merged at ${remote.forge.name}, together with commits that came to ${remote.forge.branch} in the same moment; both are taken in within seconds` });
  return main;
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

async function mergedHere({ workspace }: Review, change: StoredChange, head: string, actor: Actor): Promise<string> {
  const { repository } = workspace;
  const there = change.pull_request?.state === "merged" ? change.pull_request.merged : undefined;
  // Merged by a try that was cut short, or by hand; squashed or rebased, another commit says so.
  for (const made of [change.commit!, there]) if (made !== undefined && (await leadsTo(repository, made, head))) return head;
  const merge = await mergeCommit(repository, { main: head, base: change.base, commit: change.commit!, message: `Merge: ${change.title}`, author: authorOf(actor) });
  if ("conflicts" in merge) throw new PlugboardError("CHANGE_STALE", { detail: `main has changed ${merge.conflicts.slice(0, 5).join(", ")} since` });
  return merge.commit;
}

/** Which tenants would get something else than the reviewer saw. */
async function whatDiffers({ db, workspace }: Review, change: StoredChange, effect: Pick<ChangePlan, "tenants">, head: string): Promise<string> {
  const reviewed = (change.plan as unknown as ChangePlan).tenants;
  const text = (tenants: readonly TenantChange[], id: string): string => textOfChanges(tenants.filter(({ tenant }) => tenant === id));
  const differ = [...new Set([...reviewed, ...effect.tenants].map(({ tenant }) => tenant))].filter((id) => text(reviewed, id) !== text(effect.tenants, id));
  const { commit } = await readConfiguration(db);
  const why = commit !== undefined && commit !== head && !(await leadsTo(workspace.repository, head, commit)) ? "main has commits that are not in force yet" : head === change.base ? "what is in force is not what main says" : "main has moved on since";
  return `${why}, and it would do something else for ${differ.slice(0, 5).join(", ")}${differ.length > 5 ? ` and ${differ.length - 5} more` : ""}`;
}
