/**
 * A change's pull request, where main's workspace.yaml names a forge: opened when it is proposed, looked at while it is under
 * review, closed when it is taken back. What the forge says last is kept with the change; what it refuses leaves the change
 * as it was, and every step can be taken again.
 */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { listUnderReview, moveChange, notePullRequest, PLATFORM, readConfiguration, withTenant, type Actor, type ChangePatch, type ChangeStatus, type StoredChange, type StoredPullRequest } from "../../engine/store/index.ts";
import { conflictsOf, deleteBranch } from "./commit.ts";
import { dataEffect } from "./data-effect.ts";
import { pullRequestBody } from "./forge/body.ts";
import type { CommitStatus, Forge, PullRequest } from "./forge/forge.ts";
import { noForges } from "./forge/open.ts";
import { deleteRemoteBranch, pushBranch, type Remote } from "./forge/remote.ts";
import { verdictOf, type Verdict } from "./forge/verdict.ts";
import { locked } from "./lock.ts";
import { audit } from "./log.ts";
import { planOnce, plansOf, type ChangePlan } from "./plan.ts";
import { short } from "./refs.ts";
import { headOf, leadsTo } from "./repository.ts";
import { riskWords, summaryOf } from "./words.ts";
import { reviewRule, type Review } from "./workspace.ts";

/** Changes looked at in one round. */
const MOST = 200;

/** The forge that main names, with the repository it belongs to. @throws PlugboardError CHANGE_FORGE_SETTINGS */
export async function remoteOf({ workspace, forges }: Review): Promise<Remote | undefined> {
  const trees = await workspace.readTrees();
  const forge = forges === undefined ? noForges(trees) : forges.of(trees);
  return forge && { repository: workspace.repository, forge, transport: forges!.transport };
}

/** Its number, where it is one of this repository. */
export const pullRequestOf = ({ pull_request: known }: StoredChange, { repository }: Forge): StoredPullRequest | undefined => (known?.repository === repository ? known : undefined);

export interface Published { readonly change: StoredChange; readonly branch: string; readonly base: string; readonly commit: string; readonly plan: ChangePlan }

/** Pushes the branch and opens its pull request, or brings both up to date. Taken again after it was cut short anywhere, it ends with the same one. */
export async function publish(review: Review, remote: Remote, { change, branch, base, commit, plan }: Published): Promise<StoredPullRequest> {
  const { forge } = remote;
  const plans = async (at: string) => plansOf(planOnce(await review.workspace.treesOf(at)));
  const data = await dataEffect(review, await plans(base), await plans(commit));
  await pushBranch(remote, branch, change.commit);
  const pull = await forge.openPullRequest({ branch, title: change.title, body: pullRequestBody({ change, plan, data, page: forge.pageOf(change.id) }) });
  await forge.setStatus(commit, statusOf(change.id, plan, forge));
  return { repository: forge.repository, number: pull.number, url: pull.url, state: "open", head: commit, review: "waiting", check: "success" };
}

/** Closes it, and takes its branch away. @throws PlugboardError CHANGE_STATUS when it is merged */
export async function withdraw(remote: Remote, change: StoredChange, reason: string | undefined): Promise<void> {
  const { forge } = remote;
  const known = pullRequestOf(change, forge);
  const pull = known ? await forge.pullRequest(known.number) : change.branch === undefined ? undefined : await forge.findOpen(change.branch);
  if (pull?.state === "merged") throw new PlugboardError("CHANGE_STATUS", { id: change.id, status: `merged at ${forge.name}`, verb: "taken back", suggestion: "It is put in force within seconds; roll it back then." });
  if (pull?.state === "open") {
    if (reason !== undefined && reason.trim() !== "") await forge.comment(pull.number, reason);
    await forge.close(pull.number);
  }
  if (change.branch !== undefined) await deleteRemoteBranch(remote, change.branch, change.commit);
}

/** Every change under review, as the forge sees it. One that cannot be looked at keeps nobody from the others. @throws PlugboardError the first */
export async function seePullRequests(review: Review, remote: Remote): Promise<void> {
  let first: PlugboardError | undefined;
  for (const change of await listUnderReview(review.db, MOST)) {
    try {
      await seePullRequest(review, remote, change);
    } catch (thrown) {
      // The others would fare no better.
      if (!(thrown instanceof PlugboardError) || ["CHANGE_FORGE_LIMITED", "CHANGE_FORGE_UNREACHABLE", "CHANGE_FORGE_SIGN_IN"].includes(thrown.code)) throw thrown;
      first ??= thrown;
    }
  }
  if (first !== undefined) throw first;
}

/** @returns the change as it is now: approved by its reviews, no longer approved by them, rejected because it was closed, applied because it was merged. */
export async function seePullRequest(review: Review, remote: Remote, change: StoredChange): Promise<StoredChange> {
  const { forge } = remote;
  const known = pullRequestOf(change, forge);
  if (known === undefined || change.commit === undefined) return change;
  const pull = await forge.pullRequest(known.number);
  const seen = { repository: forge.repository, number: pull.number, url: pull.url, state: pull.state, head: pull.head };
  if (pull.state === "merged") return mergedThere(review, forge, change, pull, { ...known, ...seen, ...(pull.merged === undefined ? {} : { merged: pull.merged }) });
  if (pull.state === "closed") return closedThere(review, forge, change, { ...known, ...seen });
  const verdict = await judge(review, forge, change, pull);
  const status = await checkOf(review, forge, change, pull);
  if (known.head !== pull.head || known.check !== status.state) await forge.setStatus(pull.head, status);
  const isApproved = verdict.review === "approved" && pull.head === change.commit;
  const note = pull.head === change.commit ? verdict.note : [`its branch is at ${short(pull.head)}, which was not proposed here`, verdict.note].filter(Boolean).join("; ");
  const next: StoredPullRequest = { ...seen, review: verdict.review, check: status.state, ...(verdict.reviewers.length === 0 ? {} : { reviewers: verdict.reviewers }), ...(note === undefined ? {} : { note }) };
  if (change.status === "proposed" && isApproved) {
    const by = `${verdict.reviewers.join(", ")} at ${forge.name}`;
    return moved(review, change, forge, "change.approved", { status: "approved", approved_hash: change.plan_hash ?? null, decided_by: by, decided_at: new Date().toISOString() }, { ...next, decides: true }, verdict.reviewers);
  }
  if (change.status === "approved" && known.decides && !isApproved) return moved(review, change, forge, "change.approval_ended", { status: "proposed", approved_hash: null, decided_by: null, decided_at: null }, next);
  const kept: StoredPullRequest = known.decides ? { ...next, decides: true } : next;
  return same(known, kept) ? change : (await notePullRequest(review.db, change.id, kept)) ?? change;
}

/** Under `review: self` nobody is ruled out. */
async function judge({ workspace }: Review, forge: Forge, change: StoredChange, pull: PullRequest): Promise<Verdict> {
  const reviews = await forge.reviews(pull.number);
  const mayDecide = (login: string): Promise<boolean> => forge.mayDecide(login);
  if (reviewRule(await workspace.readTrees()) === "self") return verdictOf({ reviews, head: pull.head, authors: [], mayDecide });
  // Nobody is asked for before there is an approval to judge.
  const needed = reviews.some(({ says }) => says === "approved");
  const author = forge.people[change.author.name] ?? (needed ? await forge.authorOf(change.commit!) : undefined);
  // A key or a command signs in at no forge; whoever holds it is told by their commit's address, or not at all, as here.
  const isKnown = author !== undefined || change.author.kind !== "user";
  return verdictOf({ reviews, head: pull.head, authors: isKnown ? [author, pull.opener].filter((login) => login !== undefined) : undefined, mayDecide });
}

async function checkOf({ workspace: { repository } }: Review, forge: Forge, change: StoredChange, pull: PullRequest): Promise<CommitStatus> {
  const page = forge.pageOf(change.id);
  const failure = (description: string): CommitStatus => ({ state: "failure", description, ...(page === undefined ? {} : { url: page }) });
  if (pull.head !== change.commit) return failure(`Not what Plugboard planned: that was ${short(change.commit!)}.`);
  const conflicts = await conflictsOf(repository, { main: await headOf(repository), base: change.base, commit: change.commit });
  if (conflicts.length > 0) return failure(`${repository.main} has changed ${conflicts[0]}${conflicts.length > 1 ? ` and ${conflicts.length - 1} more` : ""} since: bring it up to date.`);
  return statusOf(change.id, change.plan as unknown as ChangePlan, forge);
}

function statusOf(id: string, plan: ChangePlan, forge: Forge): CommitStatus {
  const url = forge.pageOf(id);
  return { state: "success", description: `${riskWords[plan.risk]}: ${summaryOf(plan)}`, ...(url === undefined ? {} : { url }) };
}

/** In force by now, it is applied; otherwise it soon is, when main is taken in. */
async function mergedThere(review: Review, forge: Forge, change: StoredChange, pull: PullRequest, seen: StoredPullRequest): Promise<StoredChange> {
  const { commit: live } = await readConfiguration(review.db);
  const isLive = live !== undefined && pull.merged !== undefined && (await leadsTo(review.workspace.repository, pull.merged, live));
  if (!isLive) return (await notePullRequest(review.db, change.id, seen)) ?? change;
  return moved(review, change, forge, "change.applied", { status: "applied", merged_commit: pull.merged!, applied_by: pull.merger === undefined ? forge.name : `${pull.merger} at ${forge.name}`, applied_at: new Date().toISOString() }, seen);
}

async function closedThere(review: Review, forge: Forge, change: StoredChange, seen: StoredPullRequest): Promise<StoredChange> {
  const rejected = await moved(review, change, forge, "change.rejected", { status: "rejected", decided_by: forge.name, decided_at: new Date().toISOString(), reason: "Its pull request was closed there." }, seen);
  if (change.branch !== undefined) await locked(review.workspace.repository.gitdir, () => deleteBranch(review.workspace.repository, change.branch!));
  return rejected;
}

/** Only what nobody has moved meanwhile. */
async function moved({ db }: Review, change: StoredChange, forge: Forge, action: string, set: ChangePatch, seen: StoredPullRequest, by: readonly string[] = []): Promise<StoredChange> {
  const actor: Actor = { kind: "system", id: forge.name, name: by.length === 0 ? forge.name : `${by.join(", ")} at ${forge.name}` };
  return withTenant(db, PLATFORM, async (tx) => {
    const from: readonly ChangeStatus[] = [change.status];
    const next = await moveChange(tx, change.id, { from, version: change.version, set: { ...set, pull_request: JSON.stringify(seen) } });
    if (next) await audit(tx, actor, action, next, { after: { pull_request: seen.url, ...(action === "change.approved" ? { plan: change.plan_hash ?? null } : {}) } });
    return next ?? change;
  });
}

const same = (a: StoredPullRequest, b: StoredPullRequest): boolean => JSON.stringify(Object.entries(a).toSorted()) === JSON.stringify(Object.entries(b).toSorted());
