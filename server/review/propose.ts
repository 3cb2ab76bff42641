/** From a draft to a branch with a commit under its author's name, and to a decision. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { getChange, moveChange, PLATFORM, withTenant, type Actor, type ChangeStatus, type StoredChange, type StoredPullRequest } from "../../engine/store/index.ts";
import { commitFiles, deleteBranch, setBranch } from "./commit.ts";
import { createDraft, discardDraft, editsOf, onlyTenant, type NewDraft } from "./drafts.ts";
import { changedFiles } from "./edits.ts";
import { followMain } from "./forge/remote.ts";
import { locked } from "./lock.ts";
import { audit, wrongStatus } from "./log.ts";
import { planChange } from "./plan.ts";
import { publish, remoteOf, withdraw, type Published } from "./pull-request.ts";
import { branchOf } from "./refs.ts";
import { authorOf, filesOf, reviewRule, withFiles, type Review } from "./workspace.ts";

/** A draft and its proposal in one; of one that is refused nothing stays. @throws PlugboardError CHANGE_EMPTY, CHANGE_EDIT, CHANGE_PATH; InvalidChange */
export async function proposeChange(review: Review, draft: NewDraft): Promise<StoredChange> {
  const { id } = await createDraft(review, draft);
  try {
    return await propose(review, id, draft.author);
  } catch (thrown) {
    await discardDraft(review, id, draft.author).catch(() => undefined);
    throw thrown;
  }
}

/**
 * On top of main as it is now. A change that was proposed before is made anew: its approval is over. Where a forge is configured,
 * its main is followed first, and the change is proposed once its pull request is there.
 * @throws PlugboardError CHANGE_EMPTY, CHANGE_STATUS, CHANGE_BUSY, CHANGE_FORGE_*; InvalidChange
 */
export async function propose(review: Review, id: string, actor: Actor): Promise<StoredChange> {
  const { gitdir } = review.workspace.repository;
  const remote = await remoteOf(review);
  if (remote === undefined) return locked(gitdir, async () => record(review, actor, await prepare(review, id)));
  await followMain(remote);
  const prepared = await locked(gitdir, async () => named(review, await prepare(review, id)));
  return record(review, actor, prepared, await publish(review, remote, prepared));
}

interface Prepared extends Published { readonly files: ReadonlyMap<string, string | null> }

/** Its branch and commit, in the workspace's own repository. */
async function prepare({ db, workspace }: Review, id: string): Promise<Prepared> {
  const change = await getChange(db, id);
  if (!change || !PROPOSABLE.includes(change.status)) throw wrongStatus(id, change, "proposed");
  const { commit: base, trees } = await workspace.main();
  const files = changedFiles(filesOf(trees), editsOf(change));
  if (files.size === 0) throw new PlugboardError("CHANGE_EMPTY", { suggestion: "Main says all of it already." });
  const changed = withFiles(trees, files);
  const plan = planChange(trees, changed);
  const branch = change.branch ?? branchOf(change.author.name, change.title, change.id.slice(-6));
  const message = change.description === "" ? change.title : `${change.title}\n\n${change.description}`;
  const commit = await commitFiles(workspace.repository, { parents: [base], files, message, author: authorOf(change.author) });
  workspace.adopt(commit, changed);
  await setBranch(workspace.repository, branch, commit);
  return { change, base, files, plan, branch, commit };
}

/** The branch's name is kept before anybody else sees it: a try that is cut short is taken up on the same one, whatever the title is then. */
async function named({ db }: Review, prepared: Prepared): Promise<Prepared> {
  const { change, branch } = prepared;
  if (change.branch === branch) return prepared;
  const next = await moveChange(db, change.id, { from: PROPOSABLE, version: change.version, set: { branch } });
  if (!next) throw wrongStatus(change.id, await getChange(db, change.id), "proposed");
  return { ...prepared, change: next };
}

async function record({ db }: Review, actor: Actor, { change, base, files, plan, branch, commit }: Prepared, pullRequest?: StoredPullRequest): Promise<StoredChange> {
  const proposed = await withTenant(db, PLATFORM, async (tx) => {
    const moved = await moveChange(tx, change.id, {
      from: PROPOSABLE, version: change.version,
      set: {
        status: "proposed", base_commit: base, branch, commit, plan: JSON.stringify(plan), plan_hash: plan.hash, approved_hash: null, decided_by: null, decided_at: null, reason: null, only_tenant: onlyTenant(files.keys()) ?? null,
        ...(pullRequest === undefined ? {} : { pull_request: JSON.stringify(pullRequest) }),
      },
    });
    if (moved) await audit(tx, actor, change.status === "draft" ? "change.proposed" : "change.rebased", moved, { after: { commit, plan: plan.hash, risk: plan.risk, ...(pullRequest === undefined ? {} : { pull_request: pullRequest.url }) } });
    return moved;
  });
  if (!proposed) throw wrongStatus(change.id, await getChange(db, change.id), "proposed");
  return proposed;
}
const PROPOSABLE: readonly ChangeStatus[] = ["draft", "proposed", "approved"];
const UNDER_REVIEW: readonly ChangeStatus[] = ["proposed", "approved"];

/**
 * @param planHash of the plan that the approver looked at.
 * @throws PlugboardError CHANGE_OWN, CHANGE_STALE, CHANGE_STATUS
 */
export async function approve({ db, workspace }: Review, id: string, actor: Actor, planHash: string): Promise<StoredChange> {
  const rule = reviewRule(await workspace.readTrees());
  return withTenant(db, PLATFORM, async (tx) => {
    const change = await getChange(tx, id);
    if (change?.status !== "proposed") throw wrongStatus(id, change, "approved");
    if (rule === "other" && isAuthor(change, actor)) throw new PlugboardError("CHANGE_OWN");
    if (change.plan_hash !== planHash) throw new PlugboardError("CHANGE_STALE", { detail: "its plan is another one now" });
    const approved = await moveChange(tx, id, { from: ["proposed"], version: change.version, set: { status: "approved", approved_hash: planHash, decided_by: actor.name, decided_at: new Date().toISOString() } });
    if (!approved) throw wrongStatus(id, await getChange(tx, id), "approved");
    await audit(tx, actor, "change.approved", approved, { after: { plan: planHash, own: isAuthor(change, actor) } });
    return approved;
  });
}

/** Its author takes it back, or a reviewer says no. The branch goes, and its pull request is closed; the commit stays in the change. */
export async function reject(review: Review, id: string, actor: Actor, reason: string | undefined): Promise<StoredChange> {
  const { db, workspace } = review;
  const change = await getChange(db, id);
  if (!change || !UNDER_REVIEW.includes(change.status)) throw wrongStatus(id, change, "rejected");
  const remote = change.pull_request === undefined ? undefined : await remoteOf(review);
  if (remote) await withdraw(remote, change, reason);
  const rejected = await withTenant(db, PLATFORM, async (tx) => {
    const moved = await moveChange(tx, id, { from: UNDER_REVIEW, set: { status: "rejected", decided_by: actor.name, decided_at: new Date().toISOString(), reason: reason ?? null, ...(remote && change.pull_request ? { pull_request: JSON.stringify({ ...change.pull_request, state: "closed" }) } : {}) } });
    if (!moved) throw wrongStatus(id, await getChange(tx, id), "rejected");
    await audit(tx, actor, "change.rejected", moved, reason === undefined ? {} : { reason });
    return moved;
  });
  if (rejected.branch !== undefined) await locked(workspace.repository.gitdir, () => deleteBranch(workspace.repository, rejected.branch!));
  return rejected;
}

/** Also whoever acts as somebody else is an author of what they propose meanwhile. */
export const isAuthor = ({ author }: Pick<StoredChange, "author">, actor: Actor): boolean =>
  (author.kind === actor.kind && author.id === actor.id) || author.name === actor.name || author.name === actor.impersonator;
