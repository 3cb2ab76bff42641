/** Trees of a repository, changed and compared by path. */
import git from "isomorphic-git";
import { readEntries, treeOf, type Entry, type Repository } from "./repository.ts";

/** Path → what stands there now; null: nothing any more. */
export type Changes = ReadonlyMap<string, Entry | null>;

const FILE_MODE = "100644";

export const writeBlob = async (repository: Repository, text: string): Promise<Entry> =>
  ({ oid: await git.writeBlob({ ...repository.at, blob: new TextEncoder().encode(text) }), mode: FILE_MODE, type: "blob" });

/** The tree with some of its files changed. A file keeps its mode; a folder without files is gone. */
export async function writeTree(repository: Repository, tree: string | undefined, changes: Changes): Promise<string> {
  const entries = tree === undefined ? new Map<string, Entry>() : await readEntries(repository, tree);
  const below = new Map<string, Map<string, Entry | null>>();
  for (const [path, entry] of changes) {
    const [name = "", ...rest] = path.split("/");
    if (rest.length > 0) below.set(name, (below.get(name) ?? new Map<string, Entry | null>()).set(rest.join("/"), entry));
    else if (entry === null) entries.delete(name);
    else entries.set(name, { ...entry, mode: entries.get(name)?.type === "blob" ? entries.get(name)!.mode : entry.mode });
  }
  for (const [name, inner] of below) {
    const old = entries.get(name);
    const oid = await writeTree(repository, old?.type === "tree" ? old.oid : undefined, inner);
    if ((await readEntries(repository, oid)).size === 0) entries.delete(name);
    else entries.set(name, { oid, mode: "040000", type: "tree" });
  }
  return git.writeTree({ ...repository.at, tree: [...entries].map(([path, entry]) => ({ path, ...entry })) });
}

/** What differs from one tree to another, by path. */
export async function compareTrees(repository: Repository, before: string | undefined, after: string | undefined, under = "", found = new Map<string, Entry | null>()): Promise<Map<string, Entry | null>> {
  if (before === after) return found;
  const [old, now] = await Promise.all([before, after].map((tree) => tree === undefined ? new Map<string, Entry>() : readEntries(repository, tree, under)));
  for (const name of new Set([...old!.keys(), ...now!.keys()])) {
    const [was, is] = [old!.get(name), now!.get(name)];
    if (was?.oid === is?.oid && was?.mode === is?.mode) continue;
    const [wasTree, isTree] = [was, is].map((entry) => (entry?.type === "tree" ? entry.oid : undefined));
    if (wasTree !== undefined || isTree !== undefined) await compareTrees(repository, wasTree, isTree, `${under}${name}/`, found);
    if (is && is.type !== "tree") found.set(under + name, is);
    else if (was && was.type !== "tree" && !is) found.set(under + name, null);
  }
  return found;
}

/** What a commit changed since another one. */
export const changesBetween = async (repository: Repository, before: string, after: string): Promise<Map<string, Entry | null>> =>
  compareTrees(repository, await treeOf(repository, before), await treeOf(repository, after));
