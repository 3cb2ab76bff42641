/**
 * The folder people edit in. It follows main where it is at main and has no change of its own in the files that move; what
 * somebody wrote there and did not commit is never written over.
 */
import { mkdir, lstat, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import path from "node:path";
import git from "isomorphic-git";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { listFiles, treeOf, unusable, type Repository } from "./repository.ts";
import { changesBetween, type Changes } from "./trees.ts";

export interface WorkingCopy {
  /** Brings the files to where main is about to be. */
  follow(): Promise<void>;
}

/**
 * Looks before anything moves.
 * @throws PlugboardError CHANGE_UNCOMMITTED with the files that somebody is working on.
 */
export async function prepareWorkingCopy(repository: Repository, before: string, after: string): Promise<WorkingCopy> {
  if (repository.bare || (await git.currentBranch(repository.at)) !== repository.main) return { follow: async () => undefined };
  const changes = await changesBetween(repository, before, after);
  const old = await listFiles(repository, await treeOf(repository, before));
  const busy: string[] = [];
  for (const [file, entry] of changes) {
    const [there, staged] = [await hashOf(repository, file), await stagedOid(repository, file)];
    const expected = [old.get(file)?.oid, entry?.oid];
    // What is there already as it will be is somebody's own copy of the change, or a try of ours that was cut short.
    if (!expected.includes(there) || !expected.includes(staged)) busy.push(file);
  }
  if (busy.length > 0) throw new PlugboardError("CHANGE_UNCOMMITTED", { files: busy.toSorted().slice(0, 5).join(", ") + (busy.length > 5 ? ` and ${busy.length - 5} more` : "") });
  return { follow: () => write(repository, changes) };
}

async function write(repository: Repository, changes: Changes): Promise<void> {
  for (const [file, entry] of changes) {
    const target = path.join(repository.root, file);
    if (entry === null) {
      await rm(target, { force: true });
      await git.updateIndex({ ...repository.at, dir: repository.root, filepath: file, remove: true, force: true });
      continue;
    }
    if (entry.type !== "blob" || entry.mode === "120000") throw unusable(`${file} is no plain file`);
    await mkdir(path.dirname(target), { recursive: true });
    await refuseOutside(repository, path.dirname(target), file);
    const { blob } = await git.readBlob({ ...repository.at, oid: entry.oid });
    // A reader sees the old file or the new one, never half of it.
    const aside = `${target}.${randomBytes(4).toString("hex")}.tmp`;
    await writeFile(aside, blob, { mode: entry.mode === "100755" ? 0o755 : 0o644 });
    await rename(aside, target);
    await git.updateIndex({ ...repository.at, dir: repository.root, filepath: file, add: true });
  }
}

/** A folder of the working copy may be somebody's link to elsewhere. */
async function refuseOutside(repository: Repository, folder: string, file: string): Promise<void> {
  const [root, real] = await Promise.all([realpath(repository.root), realpath(folder)]);
  if (real !== root && !real.startsWith(root + path.sep)) throw unusable(`the folder of ${file} is a link that leaves the workspace`);
}

/** Git's name for what stands in the folder; undefined: nothing. */
async function hashOf(repository: Repository, file: string): Promise<string | undefined> {
  const target = path.join(repository.root, file);
  const found = await lstat(target).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile()) return "no file";
  return (await git.hashBlob({ object: await readFile(target) })).oid;
}

async function stagedOid(repository: Repository, file: string): Promise<string | undefined> {
  let staged: string | undefined;
  await git.walk({
    ...repository.at, dir: repository.root, trees: [git.STAGE()],
    map: async (name, [entry]) => {
      if (name === file) staged = await entry?.oid();
      return name === "." || file === name || file.startsWith(`${name}/`) ? true : null;
    },
  });
  return staged;
}

