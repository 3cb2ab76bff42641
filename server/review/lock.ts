/**
 * One writer at a time per repository, whichever process or command it is: a file beside Git's own. A lock whose process is
 * gone is taken over; one of another host counts as abandoned after a minute, because no write takes seconds.
 */
import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { isAlive } from "../process-alive.ts";

const FILE = "plugboard.lock";
const ABANDONED_MILLISECONDS = 60_000;
const WAIT_MILLISECONDS = 10_000;
const STEP_MILLISECONDS = 25;

/** Writers of this process, one after the other: a file does not tell two of them apart. */
const turns = new Map<string, Promise<unknown>>();

/** @throws PlugboardError CHANGE_BUSY when another process does not finish. */
export async function locked<Result>(gitdir: string, work: () => Promise<Result>, waitMilliseconds = WAIT_MILLISECONDS): Promise<Result> {
  const before = turns.get(gitdir) ?? Promise.resolve();
  const mine = before.then(() => alone(gitdir, work, waitMilliseconds));
  const settled = mine.then(() => undefined, () => undefined);
  turns.set(gitdir, settled);
  try {
    return await mine;
  } finally {
    if (turns.get(gitdir) === settled) turns.delete(gitdir);
  }
}

async function alone<Result>(gitdir: string, work: () => Promise<Result>, waitMilliseconds: number): Promise<Result> {
  const file = path.join(gitdir, FILE);
  const token = `${hostname()}:${process.pid}:${randomBytes(6).toString("hex")}`;
  const until = Date.now() + waitMilliseconds;
  while (!(await take(file, token))) {
    if (Date.now() > until) throw new PlugboardError("CHANGE_BUSY");
    await sleep(STEP_MILLISECONDS);
  }
  try {
    return await work();
  } finally {
    if ((await readFile(file, "utf8").catch(() => "")) === token) await rm(file, { force: true });
  }
}

async function take(file: string, token: string): Promise<boolean> {
  try {
    await writeFile(file, token, { flag: "wx" });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  }
  const holder = await readFile(file, "utf8").catch(() => "");
  if (!(await isAbandoned(file, holder))) return false;
  // Moved away and looked at again: of two that found it abandoned, the second may hold the first one's new lock.
  const aside = `${file}.${randomBytes(6).toString("hex")}`;
  if (!(await rename(file, aside).then(() => true, () => false))) return false;
  if ((await readFile(aside, "utf8").catch(() => "")) !== holder) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
  return false;
}

async function isAbandoned(file: string, holder: string): Promise<boolean> {
  const [host, pid] = holder.split(":");
  if (host === hostname() && Number(pid) > 0) return Number(pid) !== process.pid && !isAlive(Number(pid));
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > ABANDONED_MILLISECONDS;
}
