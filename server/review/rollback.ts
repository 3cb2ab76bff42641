/** Back to a revision that was in force: pointers first, in seconds; then a commit on main that says so. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { getChange, listApplications, moveChange, noteCommit, PLATFORM, raiseAlarm, readConfiguration, recordAudit, restoreRevision, type Actor } from "../../engine/store/index.ts";
import { saveCatalogue } from "../workspace/apply.ts";
import { commitFiles, moveMain, setBranch, type Files } from "./commit.ts";
import { pushBranch, pushMain, type Remote } from "./forge/remote.ts";
import { locked } from "./lock.ts";
import { audit } from "./log.ts";
import { planOnce } from "./plan.ts";
import { remoteOf } from "./pull-request.ts";
import { branchOf, short } from "./refs.ts";
import { headOf } from "./repository.ts";
import { authorOf, filesOf, type Review } from "./workspace.ts";

/** Applications looked through for the one before. */
const HISTORY = 500;

export interface RolledBack {
  readonly revision: string;
  readonly changed: readonly string[];
  /** The revert on main; absent when main says the same already. */
  readonly commit?: string;
  /** Why main could not be reverted: what is in force is right, Git still says the other. */
  readonly unreverted?: PlugboardError;
}

/** @param asked a revision, or the beginning of one; absent: the one before. @throws PlugboardError CHANGE_REVISION */
export async function rollBack(review: Review, actor: Actor, { revision: asked, reason }: { readonly revision?: string; readonly reason?: string } = {}): Promise<RolledBack> {
  const { db, workspace } = review;
  const { repository } = workspace;
  return locked(repository.gitdir, async () => {
    const [{ revision: current }, history] = [await readConfiguration(db), await listApplications(db, HISTORY)];
    const target = history.find(({ revision }) => (asked === undefined ? revision !== current : revision.startsWith(asked)));
    if (target === undefined) throw new PlugboardError("CHANGE_REVISION", asked === undefined ? { revision: "the one before", detail: "there is none" } : { revision: asked, detail: "it was never in force here", suggestion: "GET /api/configuration lists those that were." });
    if (target.revision === current) throw new PlugboardError("CHANGE_REVISION", { revision: asked, detail: "it is in force now" });
    const undone = history.slice(0, history.indexOf(target)).flatMap(({ change }) => change ?? []);
    const head = await headOf(repository);
    const { changed } = await restoreRevision(db, target.revision, head, {
      how: "rollback", actor,
      also: async (tx, tenants) => {
        for (const id of undone) {
          const change = await getChange(tx, id);
          if (change?.status !== "applied") continue;
          await moveChange(tx, id, { from: ["applied"], set: { status: "rolled_back", reason: reason ?? change.reason ?? null } });
          await audit(tx, actor, "change.rolled_back", change, { after: { revision: target.revision }, ...(reason === undefined ? {} : { reason }) });
        }
        await recordAudit(tx, PLATFORM, { actor, action: "configuration.rolled_back", subject: { kind: "revision", id: target.revision }, before: { revision: current ?? null }, after: { revision: target.revision, tenants: [...tenants] }, ...(reason === undefined ? {} : { reason }) });
      },
    });
    if (target.commit === undefined) return { revision: target.revision, changed };
    try {
      await saveCatalogue(db, planOnce(await workspace.treesOf(target.commit)));
      const files = await difference(review, head, target.commit);
      if (files.size === 0) return { revision: target.revision, changed };
      const remote = await remoteOf(review);
      const commit = await commitFiles(repository, { parents: [head], files, message: `Roll back to revision ${target.revision.slice(0, 8)}\n\nThe configuration is again what it was at ${short(target.commit)}.${reason === undefined ? "" : `\n\n${reason}`}`, author: authorOf(actor) });
      await moveMain(repository, head, commit, remote && ((before, after) => pushMain(remote, before, after).catch((thrown: unknown) => asPullRequest(remote, actor, commit, target.revision, thrown))));
      await noteCommit(db, commit);
      return { revision: target.revision, changed, commit };
    } catch (thrown) {
      if (!(thrown instanceof PlugboardError)) throw thrown;
      const unreverted = new PlugboardError("CHANGE_UNREVERTED", { revision: target.revision.slice(0, 8), detail: thrown.message }, { cause: thrown });
      await raiseAlarm(db, { code: unreverted.code, commit: head, message: unreverted.message }, new Date().toISOString());
      return { revision: target.revision, changed, unreverted };
    }
  });
}

/** Where the forge's main may not be pushed to, or has moved on, the revert is proposed there. @throws PlugboardError CHANGE_FORGE_PUSH: main is not reverted, and where it is proposed */
async function asPullRequest(remote: Remote, actor: Actor, commit: string, revision: string, thrown: unknown): Promise<never> {
  if (!(thrown instanceof PlugboardError) || !["CHANGE_FORGE_PUSH", "CHANGE_FORGE_MAIN"].includes(thrown.code)) throw thrown;
  const branch = branchOf(actor.name, `Roll back to ${revision.slice(0, 8)}`, commit.slice(0, 6));
  await setBranch(remote.repository, branch, commit);
  await pushBranch(remote, branch, undefined);
  const { url } = await remote.forge.openPullRequest({ branch, title: `Roll back to revision ${revision.slice(0, 8)}`, body: "What is in force is this revision again. Until this is merged, the branch says something else.\n" });
  throw new PlugboardError("CHANGE_FORGE_PUSH", { forge: remote.forge.name, ref: remote.forge.branch, detail: `${String(thrown.params["detail"])}; the revert is proposed as ${url}`, suggestion: "Merge it there." }, { cause: thrown });
}

/** What makes one commit's configuration that of another. What is no configuration stays. */
async function difference({ workspace }: Review, from: string, to: string): Promise<Files> {
  const [now, then] = [filesOf(await workspace.treesOf(from)), filesOf(await workspace.treesOf(to))];
  return new Map([...new Set([...now.keys(), ...then.keys()])].filter((file) => now.get(file) !== then.get(file)).map((file) => [file, then.get(file) ?? null]));
}
