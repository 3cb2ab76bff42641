/**
 * Commits that came to main from outside: pushed, merged at a forge, made by hand. They count as reviewed there. One that
 * cannot be put in force, or a history that was rewritten, leaves the last good revision and raises an alarm.
 */
import { PlugboardError, type Problem } from "../../engine/errors/plugboard-error.ts";
import { messageOf } from "../../engine/errors/plugboard-error.ts";
import { listChanges, moveChange, PLATFORM, raiseAlarm, readConfiguration, recordAudit, type Actor, type Alarm, type TenantTransaction } from "../../engine/store/index.ts";
import { applyWorkspace } from "../workspace/apply.ts";
import { effectOf } from "./apply.ts";
import { followMain } from "./forge/remote.ts";
import { locked } from "./lock.ts";
import type { ChangePlan, Trees } from "./plan.ts";
import { remoteOf, seePullRequests } from "./pull-request.ts";
import { short } from "./refs.ts";
import { headOf, leadsTo, type Repository } from "./repository.ts";
import type { Review } from "./workspace.ts";

export type Synced =
  | { readonly status: "current"; readonly commit: string }
  | { readonly status: "applied"; readonly commit: string; readonly revision: string; readonly changed: readonly string[] }
  | { readonly status: "refused"; readonly commit: string; readonly alarm: Omit<Alarm, "at">; /** Nobody was told of it before. */ readonly isNew: boolean };

const SYSTEM: Actor = { kind: "system", id: "git", name: "git" };

/**
 * @param acceptHistory also a history that does not follow what is in force.
 * @param again also the commit that is in force: another version of the product may read it differently. Not after a rollback
 * that main was not reverted to.
 */
export async function syncMain(review: Review, { actor = SYSTEM, acceptHistory = false, again = false }: { readonly actor?: Actor; readonly acceptHistory?: boolean; readonly again?: boolean } = {}): Promise<Synced> {
  const { db, workspace } = review;
  return locked(workspace.repository.gitdir, async () => {
    const commit = await headOf(workspace.repository);
    const { commit: known, alarm: raised } = await readConfiguration(db);
    if (commit === known && (!again || raised?.code === "CHANGE_UNREVERTED")) return { status: "current", commit };
    const refuse = async (code: "CHANGE_FORCE_PUSHED" | "CHANGE_BROKEN_COMMIT", detail?: string): Promise<Synced> => {
      const alarm = { code, commit, message: messageOf(code, { commit: short(commit), known: short(known ?? ""), detail }) };
      return { status: "refused", commit, alarm, isNew: await raiseAlarm(db, alarm, new Date().toISOString()) };
    };
    if (known !== undefined && !acceptHistory && !(await leadsTo(workspace.repository, known, commit))) return refuse("CHANGE_FORCE_PUSHED");
    let trees: Trees;
    try {
      trees = await workspace.treesOf(commit);
    } catch (thrown) {
      if (!(thrown instanceof PlugboardError)) throw thrown;
      return refuse("CHANGE_BROKEN_COMMIT", thrown.message);
    }
    const result = await applyWorkspace({ db, trees, commit, application: { how: "sync", actor, also: (tx, changed) => note(review.workspace.repository, tx, actor, commit, changed) } });
    if (!result.applied) return refuse("CHANGE_BROKEN_COMMIT", inWords(result.problems));
    return { status: "applied", commit, revision: result.revision, changed: result.changed };
  });
}

/** Changes whose commits came to main this way are applied; the log says how. */
async function note(repository: Repository, tx: TenantTransaction, actor: Actor, commit: string, changed: readonly string[]): Promise<void> {
  for (const status of ["approved", "proposed"] as const) {
    const { items } = await listChanges(tx, { status, reader: "", limit: 200 });
    for (const change of items) {
      // Squashed or rebased at a forge, it came as another commit.
      const made = [change.commit, change.pull_request?.state === "merged" ? change.pull_request.merged : undefined].filter((one) => one !== undefined);
      if (!(await Promise.all(made.map((one) => leadsTo(repository, one, commit)))).includes(true)) continue;
      await moveChange(tx, change.id, { from: [status], set: { status: "applied", merged_commit: commit, applied_by: actor.name, applied_at: new Date().toISOString() } });
    }
  }
  await recordAudit(tx, PLATFORM, { actor, action: "configuration.synced", subject: { kind: "configuration", id: commit }, after: { commit, tenants: [...changed] } });
}

const inWords = (problems: readonly Problem[]): string => {
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  return first === undefined ? "" : `${first.at ? `${first.at.file}:${first.at.line} ` : ""}${messageOf(first.code, first.params)}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`;
};

/**
 * What has happened at the forge since: its main is ours, and changes are approved, closed and merged as it says. Without a
 * forge nothing is done. What came is not in force yet: syncMain does that.
 * @param everything also pull requests when main has not moved there. @throws PlugboardError CHANGE_FORGE_*, CHANGE_UNCOMMITTED
 */
export async function lookAtForge(review: Review, everything = true): Promise<void> {
  const { forges } = review;
  try {
    const remote = await remoteOf(review);
    if (remote === undefined) return;
    const before = await headOf(remote.repository);
    await followMain(remote);
    if (everything || before !== (await headOf(remote.repository))) await seePullRequests(review, remote);
    if (forges) forges.trouble = undefined;
  } catch (thrown) {
    if (forges && thrown instanceof PlugboardError) forges.trouble = thrown;
    throw thrown;
  }
}

export interface Drift {
  /** Main's commit, and the one whose configuration is in force. */
  readonly main: string;
  readonly live?: string;
  /** What putting main in force would change. Empty: they say the same. */
  readonly tenants: ChangePlan["tenants"];
}

/** Whether what is in force is what main says. @throws InvalidChange when main cannot be put in force. */
export async function driftOf(review: Review): Promise<Drift> {
  const { commit: main, trees } = await review.workspace.main();
  const { commit: live } = await readConfiguration(review.db);
  return { main, ...(live === undefined ? {} : { live }), tenants: (await effectOf(review, trees)).tenants };
}
