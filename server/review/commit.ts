/** Commits made from texts, without a working copy; branches moved under the repository's lock. */
import git from "isomorphic-git";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { changedFiles, type FileEdit } from "./edits.ts";
import { locked } from "./lock.ts";
import { refName } from "./refs.ts";
import { headOf, readTreeAt, treeOf, unusable, type Repository } from "./repository.ts";
import { changesBetween, writeBlob, writeTree, type Changes } from "./trees.ts";
import { prepareWorkingCopy } from "./working-copy.ts";

export interface Author { readonly name: string; readonly email: string }

/** Path → its whole new text; null: the file is gone. */
export type Files = ReadonlyMap<string, string | null>;

/** Git's own would be that of the machine's user. */
const COMMITTER: Author = { name: "Plugboard", email: "plugboard@localhost" };

/** Takes a commit on top of main to where main is kept besides, before main moves here. */
export type Publish = (before: string, commit: string) => Promise<void>;

/**
 * A commit straight onto main, for what needs no review. The working copy follows.
 * @throws PlugboardError CHANGE_EMPTY, CHANGE_EDIT, CHANGE_PATH, CHANGE_UNCOMMITTED, CHANGE_BUSY, and what `publish` throws: nothing has moved then
 */
export async function commitDirect(repository: Repository, { files, message, author }: { readonly files: readonly FileEdit[]; readonly message: string; readonly author: Author }, publish?: Publish): Promise<{ readonly commit: string }> {
  return locked(repository.gitdir, async () => {
    const head = await headOf(repository);
    const changed = changedFiles((await readTreeAt(repository, head)).files, files);
    if (changed.size === 0) throw new PlugboardError("CHANGE_EMPTY");
    const commit = await commitFiles(repository, { parents: [head], files: changed, message, author });
    await moveMain(repository, head, commit, publish);
    return { commit };
  });
}

/** A commit on top of the first parent. No branch moves. */
export async function commitFiles(repository: Repository, { parents, files, message, author }: { readonly parents: readonly string[]; readonly files: Files; readonly message: string; readonly author: Author }): Promise<string> {
  const changes = new Map<string, Awaited<ReturnType<typeof writeBlob>> | null>();
  for (const [file, text] of files) changes.set(file, text === null ? null : await writeBlob(repository, text));
  return commitTree(repository, await writeTree(repository, await treeOf(repository, parents[0]!), changes), { parents, message, author });
}

export function commitTree(repository: Repository, tree: string, { parents, message, author }: { readonly parents: readonly string[]; readonly message: string; readonly author: Author }): Promise<string> {
  const now = { timestamp: Math.floor(Date.now() / 1000), timezoneOffset: 0 };
  return git.writeCommit({ ...repository.at, commit: { tree, parent: [...parents], message: `${oneLine(message)}\n`, author: { ...person(author), ...now }, committer: { ...COMMITTER, ...now } } });
}

/** Makes a branch or moves it. Under the caller's lock. */
export async function setBranch(repository: Repository, branch: string, commit: string): Promise<void> {
  await git.writeRef({ ...repository.at, ref: `refs/heads/${refName(branch)}`, value: commit, force: true });
}

export async function deleteBranch(repository: Repository, branch: string): Promise<void> {
  if (branch !== repository.main) await git.deleteRef({ ...repository.at, ref: `refs/heads/${refName(branch)}` });
}

/**
 * Main, and the working copy with it. Files first: when it is cut short between them, the next try finds its own files there.
 * Under the caller's lock.
 * @throws PlugboardError CHANGE_UNCOMMITTED
 */
export async function moveMain(repository: Repository, before: string, after: string, publish?: Publish): Promise<void> {
  if (!repository.mainRef.startsWith("refs/heads/")) throw unusable(`it has no branch of its own, only ${repository.main}`, "git switch main");
  const copy = await prepareWorkingCopy(repository, before, after);
  await publish?.(before, after);
  await copy.follow();
  if ((await headOf(repository)) !== before) throw new PlugboardError("CHANGE_BUSY");
  await git.writeRef({ ...repository.at, ref: repository.mainRef, value: after, force: true });
}

export type Merged = { readonly commit: string; readonly fastForward: boolean } | { readonly conflicts: readonly string[] };

/**
 * What main is once a reviewed commit is merged into it; no branch moves. A file that both sides changed is a conflict: the
 * change is then made anew on top of main, so that what is merged is always what somebody saw.
 */
export async function mergeCommit(repository: Repository, { main, base, commit, message, author }: { readonly main: string; readonly base: string; readonly commit: string; readonly message: string; readonly author: Author }): Promise<Merged> {
  if (main === base) return { commit, fastForward: true };
  const { theirs, conflicts } = await meeting(repository, { main, base, commit });
  if (conflicts.length > 0) return { conflicts };
  const tree = await writeTree(repository, await treeOf(repository, main), theirs);
  return { commit: await commitTree(repository, tree, { parents: [main, commit], message, author }), fastForward: false };
}

/** Files that a commit and main both changed since, and not alike. */
export const conflictsOf = async (repository: Repository, at: { readonly main: string; readonly base: string; readonly commit: string }): Promise<readonly string[]> =>
  at.main === at.base ? [] : (await meeting(repository, at)).conflicts;

async function meeting(repository: Repository, { main, base, commit }: { readonly main: string; readonly base: string; readonly commit: string }): Promise<{ readonly theirs: Changes; readonly conflicts: readonly string[] }> {
  const [theirs, ours] = [await changesBetween(repository, base, commit), await changesBetween(repository, base, main)];
  return { theirs, conflicts: [...theirs].filter(([file, entry]) => ours.has(file) && ours.get(file)?.oid !== entry?.oid).map(([file]) => file).toSorted() };
}

/** One line, as `git log --oneline` shows it, and whatever follows an empty one. */
const oneLine = (message: string): string => {
  const [title = "", ...rest] = message.replaceAll(/[^\P{Cc}\n]/gu, " ").trim().split("\n");
  const body = rest.join("\n").trim();
  return body === "" ? title : `${title}\n\n${body}`;
};

/** Git keeps these in one line with angle brackets around the address. */
const person = ({ name, email }: Author): Author => ({ name: plain(name) || "someone", email: plain(email) || "someone@localhost" });
const plain = (text: string): string => text.replaceAll(/[\p{Cc}<>]/gu, "").trim();

