/** From a draft to a branch with a commit under its author's name, and to a decision. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { getChange, moveChange, PLATFORM, withTenant, type Actor, type ChangeStatus, type StoredChange } from "../../engine/store/index.ts";
import { commitFiles, deleteBranch, setBranch } from "./commit.ts";
import { audit, createDraft, discardDraft, editsOf, onlyTenant, wrongStatus, type NewDraft } from "./drafts.ts";
import { changedFiles } from "./edits.ts";
import { locked } from "./lock.ts";
import { planChange } from "./plan.ts";
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

/** On top of main as it is now. A change that was proposed before is made anew: its approval is over. */
export async function propose({ db, workspace }: Review, id: string, actor: Actor): Promise<StoredChange> {
  return locked(workspace.repository.gitdir, async () => {
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
    const proposed = await withTenant(db, PLATFORM, async (tx) => {
      const moved = await moveChange(tx, id, {
        from: PROPOSABLE, version: change.version,
        set: { status: "proposed", base_commit: base, branch, commit, plan: JSON.stringify(plan), plan_hash: plan.hash, approved_hash: null, decided_by: null, decided_at: null, reason: null, only_tenant: onlyTenant(files.keys()) ?? null },
      });
      if (moved) await audit(tx, actor, change.status === "draft" ? "change.proposed" : "change.rebased", moved, { after: { commit, plan: plan.hash, risk: plan.risk } });
      return moved;
    });
    if (!proposed) throw wrongStatus(id, await getChange(db, id), "proposed");
    return proposed;
  });
}
const PROPOSABLE: readonly ChangeStatus[] = ["draft", "proposed", "approved"];

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

/** Its author takes it back, or a reviewer says no. The branch goes; the commit stays in the change. */
export async function reject({ db, workspace }: Review, id: string, actor: Actor, reason: string | undefined): Promise<StoredChange> {
  const rejected = await withTenant(db, PLATFORM, async (tx) => {
    const moved = await moveChange(tx, id, { from: ["proposed", "approved"], set: { status: "rejected", decided_by: actor.name, decided_at: new Date().toISOString(), reason: reason ?? null } });
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
