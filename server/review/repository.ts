/**
 * The workspace's Git repository, read and written by isomorphic-git: no shell, no hooks, no filters, and nothing is checked
 * out to read it. Main is the branch that is in force.
 */
import fs, { existsSync, statSync } from "node:fs";
import path from "node:path";
import git from "isomorphic-git";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { SourceTree } from "../../engine/manifest/types.ts";
import { isConfiguration, MAX_FILE_BYTES, MAX_FILES, readCatalogue } from "../workspace/read-tree.ts";
import { isRefName, parseRevision } from "./refs.ts";

export interface Repository {
  /** Folder of the working copy; of a bare repository, the repository itself. Absolute. */
  readonly root: string;
  readonly gitdir: string;
  readonly bare: boolean;
  /** The branch that is in force; in a copy that has no branch of its own (a build server's), the one it came from: `origin/main`. */
  readonly main: string;
  readonly mainRef: string;
  /** Of isomorphic-git, as `{ fs, gitdir, cache }`: packs are opened once. */
  readonly at: { readonly fs: typeof fs; readonly gitdir: string; readonly cache: object };
}

/** What stands in a tree under a name. */
export interface Entry { readonly oid: string; readonly mode: string; readonly type: "blob" | "tree" | "commit" }

const LINK = "120000";
/** Names that a working copy must never get, whoever wrote the tree. */
const UNSAFE_NAME = /^(\.{0,2}|\.git|git~\d+)$|[/\\\p{Cc}]/iu;
const MAX_DEPTH = 32;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** @throws PlugboardError CHANGE_NO_REPOSITORY */
export async function openRepository(root: string): Promise<Repository> {
  const folder = path.resolve(root);
  const refuse = (detail: string) => new PlugboardError("CHANGE_NO_REPOSITORY", { folder: path.basename(folder), detail });
  const own = path.join(folder, ".git");
  const bare = !existsSync(own) && existsSync(path.join(folder, "HEAD")) && existsSync(path.join(folder, "objects"));
  if (!bare && !existsSync(own)) throw refuse("it has no .git");
  if (!bare && !statSync(own).isDirectory()) throw refuse("its .git is a link to another place (a worktree or submodule)");
  const at = { fs, gitdir: bare ? folder : own, cache: {} };
  const main = await mainOf(at);
  if (main === undefined) throw refuse("it has no commit yet");
  return { root: folder, gitdir: at.gitdir, bare, at, ...main };
}

async function mainOf(at: Repository["at"]): Promise<Pick<Repository, "main" | "mainRef"> | undefined> {
  const branches = await git.listBranches(at);
  const current = await git.currentBranch(at).catch(() => undefined);
  const own = ["main", "master", ...(typeof current === "string" ? [current] : [])].find((name) => branches.includes(name) && isRefName(name));
  if (own !== undefined) return { main: own, mainRef: `refs/heads/${own}` };
  const remote = await git.listBranches({ ...at, remote: "origin" }).catch((): string[] => []);
  const from = ["main", "master"].find((name) => remote.includes(name));
  return from === undefined ? undefined : { main: `origin/${from}`, mainRef: `refs/remotes/origin/${from}` };
}

/** The commit main is at. */
export const headOf = (repository: Repository): Promise<string> => commitOf(repository, repository.mainRef);

/** A branch, tag or commit, or `name~2` → its commit. @throws PlugboardError CHANGE_BAD_REF */
export async function commitOf(repository: Repository, revision: string): Promise<string> {
  const { ref, back } = parseRevision(revision);
  const unknown = () => new PlugboardError("CHANGE_BAD_REF", { ref: revision, suggestion: `The repository's main branch is ${repository.main}.` });
  let oid: string;
  try {
    oid = await git.resolveRef({ ...repository.at, ref }).catch(async (thrown: unknown) => {
      if (!/^[0-9a-f]{4,40}$/.test(ref)) throw thrown;
      return ref.length === 40 ? ref : git.expandOid({ ...repository.at, oid: ref });
    });
    oid = (await git.readCommit({ ...repository.at, oid })).oid;            // a tag's commit
  } catch {
    throw unknown();
  }
  for (let step = 0; step < back; step++) {
    const [parent] = (await git.readCommit({ ...repository.at, oid })).commit.parent;
    if (parent === undefined) throw unknown();
    oid = parent;
  }
  return oid;
}

/** Whether a commit is one of those that led to another, or that one itself. */
export async function leadsTo(repository: Repository, older: string, newer: string): Promise<boolean> {
  if (older === newer) return true;
  try {
    return await git.isDescendent({ ...repository.at, oid: newer, ancestor: older, depth: -1 });
  } catch {
    return false;
  }
}

/** Texts of the tree that was read last, by Git's name for them: from one commit to the next, almost all stay. */
const texts = new WeakMap<Repository, ReadonlyMap<string, string>>();

/** The configuration at a commit. @throws PlugboardError CHANGE_GIT for what is no plain file of text in one of its rooms. */
export async function readTreeAt(repository: Repository, commit: string, label = ""): Promise<SourceTree> {
  const files = new Map<string, string>();
  const [known, read] = [texts.get(repository), new Map<string, string>()];
  for (const [file, entry] of await listFiles(repository, await treeOf(repository, commit), isConfiguration)) {
    if (files.size >= MAX_FILES) throw unusable(`it has more than ${MAX_FILES} files of configuration`);
    if (entry.mode === LINK) throw unusable(`${file} is a link`, "Commit the file itself.");
    if (entry.type === "commit") throw unusable(`${file} is a submodule`, "Commit its files themselves.");
    const text = known?.get(entry.oid) ?? textOf(await readBytes(repository, entry.oid, file));
    files.set(file, text);
    read.set(entry.oid, text);
  }
  texts.set(repository, read);
  return { layer: "workspace", label, files };
}

/** The catalogue, and the workspace as it is at a commit. */
export const treesAt = async (repository: Repository, commit: string, label = ""): Promise<SourceTree[]> => [readCatalogue(), await readTreeAt(repository, commit, label)];

/** @throws PlugboardError CHANGE_GIT when the repository does not have the commit (a shallow clone, another repository). */
export async function treeOf(repository: Repository, commit: string): Promise<string> {
  try {
    return (await git.readCommit({ ...repository.at, oid: commit })).commit.tree;
  } catch (cause) {
    throw unusable(`it does not have the commit ${commit.slice(0, 40)}`, "A shallow clone has only the newest commits: git fetch --unshallow.", cause);
  }
}

/** Every file below a tree, by path, in order; folders that cannot hold a wanted one are not opened. */
export async function listFiles(repository: Repository, tree: string, wanted: (path: string, isFolder: boolean) => boolean = () => true, under = "", found = new Map<string, Entry>()): Promise<Map<string, Entry>> {
  if (under.split("/").length > MAX_DEPTH) throw unusable(`${under} is nested deeper than ${MAX_DEPTH} folders`);
  for (const [name, entry] of await readEntries(repository, tree, under)) {
    const file = under + name;
    if (!wanted(file, entry.type === "tree")) continue;
    if (entry.type === "tree") await listFiles(repository, entry.oid, wanted, `${file}/`, found);
    else found.set(file, entry);
  }
  return found;
}

/** @throws PlugboardError CHANGE_GIT for names that a working copy must not get. */
export async function readEntries(repository: Repository, tree: string, under = ""): Promise<Map<string, Entry>> {
  const { tree: entries } = await git.readTree({ ...repository.at, oid: tree }).catch((cause: Error) => { throw unusable(under === "" ? cause.message : `in ${under}: ${cause.message}`, undefined, cause); });
  const unsafe = entries.find(({ path: name }) => UNSAFE_NAME.test(name));
  if (unsafe) throw unusable(`a file is called ${JSON.stringify(under + unsafe.path)}`);
  return new Map(entries.map(({ path: name, oid, mode, type }) => [name, { oid, mode, type }]));
}

async function readBytes(repository: Repository, oid: string, file: string): Promise<Uint8Array> {
  const { blob } = await git.readBlob({ ...repository.at, oid }).catch((cause: Error) => { throw unusable(`${file}: ${cause.message}`, undefined, cause); });
  if (blob.length > MAX_FILE_BYTES) throw unusable(`${file} has ${blob.length} bytes, more than ${MAX_FILE_BYTES}`);
  return blob;
}

/** What is no text is told where it matters: a manifest by the parser, an attachment never. */
function textOf(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("utf8");
  }
}

export const unusable = (detail: string, suggestion?: string, cause?: unknown): PlugboardError =>
  new PlugboardError("CHANGE_GIT", { detail: `${detail.replace(/\.$/, "")}.`, ...(suggestion === undefined ? {} : { suggestion }) }, { cause });
