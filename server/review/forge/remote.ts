/**
 * The repository at the forge, seen from the workspace's own: what its branch says is followed, and nothing there is written
 * over that was not made here. Network without the repository's lock; the lock only while something here moves.
 */
import git, { Errors } from "isomorphic-git";
import type { Transport } from "../../../engine/components/kinds.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { moveMain } from "../commit.ts";
import { locked } from "../lock.ts";
import { short } from "../refs.ts";
import { headOf, leadsTo, unusable, type Repository } from "../repository.ts";
import type { Forge } from "./forge.ts";
import { gitHttp } from "./git-http.ts";
import { plain } from "./refusals.ts";

/** The remote's name in the workspace's own repository, and where its main was seen last. */
const REMOTE = "plugboard";
const SEEN = "refs/plugboard/main";
/** What is pushed and has no branch here. */
const OUTGOING = "refs/plugboard/outgoing";

export interface Remote {
  readonly repository: Repository;
  readonly forge: Forge;
  readonly transport: Transport;
}

/** Brings main to where the forge's is. @throws PlugboardError CHANGE_FORGE_*, CHANGE_UNCOMMITTED, CHANGE_BUSY */
export async function followMain(remote: Remote): Promise<void> {
  const there = await fetchMain(remote);
  if (there !== (await headOf(remote.repository)) || (await seen(remote.repository)) !== there) await locked(remote.repository.gitdir, () => stepTo(remote, there));
}

/** The same for whoever holds the lock. */
export const followMainLocked = async (remote: Remote): Promise<void> => stepTo(remote, await fetchMain(remote));

/** @returns the commit that the forge's main is at; it is here afterwards. */
async function fetchMain(remote: Remote): Promise<string> {
  const { repository, forge } = remote;
  const there = await headAt(remote, forge.branch);
  if (there === undefined) throw misfit(remote, `${forge.name} has no branch ${forge.branch}`, `Push it: git push ${forge.remote} ${repository.main}:${forge.branch}`);
  if (await isHere(repository, there)) return there;
  await named(repository, forge);
  await speaking(remote, `fetch of ${forge.branch}`, (http) => git.fetch({ ...repository.at, http, url: forge.remote, remote: REMOTE, ref: forge.branch, remoteRef: forge.branch, singleBranch: true, tags: false }));
  if (!(await isHere(repository, there))) throw new PlugboardError("CHANGE_FORGE_UNREACHABLE", { forge: forge.name, request: `fetch of ${forge.branch}`, detail: `it did not send ${short(there)}` });
  return there;
}

async function stepTo(remote: Remote, there: string): Promise<void> {
  const { repository, forge } = remote;
  const [here, before] = [await headOf(repository), await seen(repository)];
  const isAhead = here !== there && (await leadsTo(repository, there, here));
  // Somebody here has pushed since it was asked for.
  if (isAhead && before === here) return;
  if (isAhead) throw misfit(remote, `${repository.main} here has commits that are not there (${short(here)})`, `Push them, or move them to a branch: git push ${forge.remote} ${repository.main}:${forge.branch}`);
  // A history that was rewritten there is shown as what it is; what is in force stays (sync.ts). Commits that are only here are somebody's work.
  if (here !== there && before !== here && !(await leadsTo(repository, here, there))) throw misfit(remote, `both have commits that the other does not have (${short(here)} here, ${short(there)} there)`, `Bring them together by hand: git pull --rebase ${forge.remote} ${forge.branch}, then push.`);
  if (here !== there) await moveMain(repository, here, there);
  await git.writeRef({ ...repository.at, ref: SEEN, value: there, force: true });
}

/**
 * A commit straight onto the forge's main, which is where ours is. Nothing has moved when it throws.
 * @throws PlugboardError CHANGE_FORGE_PUSH (its rules), CHANGE_FORGE_MAIN (it has moved on)
 */
export async function pushMain(remote: Remote, before: string, commit: string): Promise<void> {
  const { repository, forge } = remote;
  await git.writeRef({ ...repository.at, ref: OUTGOING, value: commit, force: true });
  await push(remote, OUTGOING, forge.branch, (there) => {
    if (there !== before && there !== commit) throw misfit(remote, `it is at ${there === undefined ? "nothing" : short(there)} there and at ${short(before)} here`, "Try again: commits from there are taken in within seconds.");
  });
  await git.writeRef({ ...repository.at, ref: SEEN, value: commit, force: true });
}

/**
 * A branch of ours, as it is here.
 * @param ours a commit of this branch that may be there now, besides those that were made in this repository.
 * @throws PlugboardError CHANGE_FORGE_BRANCH: somebody else's commit is there
 */
export async function pushBranch(remote: Remote, branch: string, ours: string | undefined): Promise<void> {
  let found: string | undefined;
  await push(remote, `refs/heads/${branch}`, branch, (there) => { found = there; }, async () => {
    // What was made here is here; somebody else's never came, because of their branches only main is fetched.
    if (found === undefined || found === ours || (await isHere(remote.repository, found))) return;
    throw new PlugboardError("CHANGE_FORGE_BRANCH", { commit: short(found), branch });
  });
}

/** Gone afterwards, unless somebody else's commit is on it. */
export async function deleteRemoteBranch(remote: Remote, branch: string, ours: string | undefined): Promise<void> {
  const { repository, forge } = remote;
  const there = await headAt(remote, branch);
  if (there === undefined || branch === forge.branch) return;
  if (there !== ours && !(await isHere(repository, there))) return;
  await named(repository, forge);
  await speaking(remote, `deleting ${branch}`, (http) => git.push({ ...repository.at, http, url: forge.remote, remote: REMOTE, ref: repository.mainRef, remoteRef: `refs/heads/${branch}`, delete: true }));
}

/** The commit that a branch is at there. */
export async function headAt(remote: Remote, branch: string): Promise<string | undefined> {
  const refs = await speaking(remote, "look at the branches", (http) => git.listServerRefs({ http, url: remote.forge.remote, protocolVersion: 1, prefix: `refs/heads/${branch}` }));
  return refs.find(({ ref }) => ref === `refs/heads/${branch}`)?.oid;
}

async function push(remote: Remote, ref: string, to: string, look: (there: string | undefined) => void, decide: () => Promise<void> = async () => undefined): Promise<void> {
  const { repository, forge } = remote;
  const told: string[] = [];
  await named(repository, forge);
  await speaking(remote, `push of ${to}`, (http) => git.push({
    ...repository.at, http, url: forge.remote, remote: REMOTE, ref, remoteRef: `refs/heads/${to}`, force: true,
    onMessage: (line) => { told.push(line); },
    // Seen in the same breath as it is written: the forge refuses when it has moved between.
    onPrePush: async ({ remoteRef: { oid } }) => {
      look(/^0+$/.test(oid) ? undefined : oid);
      await decide();
      return true;
    },
  }), told, to);
}

/** One conversation with the remote, and what its failures mean. */
async function speaking<Result>({ forge, transport }: Remote, request: string, work: (http: ReturnType<typeof gitHttp>) => Promise<Result>, told: readonly string[] = [], ref = request): Promise<Result> {
  try {
    return await work(gitHttp(transport, forge));
  } catch (thrown) {
    if (thrown instanceof PlugboardError) throw thrown;
    const common = { forge: forge.name, request: `git ${request}` };
    if (thrown instanceof Errors.HttpError) {
      const { statusCode, statusMessage } = thrown.data;
      const detail = plain(statusMessage || `status ${statusCode}`);
      if (statusCode === 401) throw new PlugboardError("CHANGE_FORGE_SIGN_IN", { ...common, detail, suggestion: "Check forge.token or forge.app in workspace.yaml, and that it may read and write contents." });
      if (statusCode === 403) throw new PlugboardError("CHANGE_FORGE_DENIED", { ...common, detail, suggestion: "Let the token or app write contents of the repository." });
      if (statusCode === 404) throw new PlugboardError("CHANGE_FORGE_NOT_FOUND", { ...common, what: "repository" });
      if (statusCode === 429) throw new PlugboardError("CHANGE_FORGE_LIMITED", { ...common, detail, seconds: 60 }, { retryAfterSeconds: 60 });
      throw new PlugboardError("CHANGE_FORGE_UNREACHABLE", { ...common, detail });
    }
    if (thrown instanceof Errors.GitPushError) {
      // `remote: error: GH006: Protected branch update failed for refs/heads/main.`
      const why = told.map((line) => line.replace(/^(remote: )?error: /, "").trim()).filter(Boolean).join(" ");
      throw new PlugboardError("CHANGE_FORGE_PUSH", { forge: forge.name, ref, detail: plain([thrown.data.prettyDetails.trim().replace(/^- \S+: /, ""), why].filter(Boolean).join("; ")).replace(/\.$/, ""), suggestion: "Let the token or app past the rule of the repository that refuses it." });
    }
    if (thrown instanceof Errors.SmartHttpError) throw new PlugboardError("CHANGE_FORGE_SETTINGS", { detail: "forge.remote answers, but does not speak Git", suggestion: "It is the address that `git clone` takes: https://<host>/<owner>/<name>.git" });
    throw unusable(`${request} failed: ${plain((thrown as Error).message)}`, undefined, thrown);
  }
}

/** Where fetched branches are noted; isomorphic-git asks the repository's configuration. */
async function named({ at }: Repository, { remote: url }: Forge): Promise<void> {
  if ((await git.getConfig({ ...at, path: `remote.${REMOTE}.url` })) === url) return;
  await git.addRemote({ ...at, remote: REMOTE, url, force: true });
}

const isHere = ({ at }: Repository, oid: string): Promise<boolean> => git.readCommit({ ...at, oid }).then(() => true, () => false);

const seen = ({ at }: Repository): Promise<string | undefined> => git.resolveRef({ ...at, ref: SEEN }).catch(() => undefined);

const misfit = ({ repository, forge }: Remote, detail: string, suggestion: string): PlugboardError => new PlugboardError("CHANGE_FORGE_MAIN", { main: repository.main, forge: forge.name, detail, suggestion });
