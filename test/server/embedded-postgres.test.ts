import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEmbeddedPostgres } from "../../server/embedded-postgres.ts";

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "plugboard-embedded-"));
  await chmod(root, 0o711);                                         // as root, PostgreSQL runs as another user who walks through it
  folder = path.join(root, "postgres");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const start = (options: { folder?: string; port?: number } = {}) => startEmbeddedPostgres({ folder, log: () => undefined, ...options });

async function ask(url: string, text: string): Promise<Record<string, unknown>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return ((await client.query(text)).rows as Record<string, unknown>[])[0] ?? {};
  } finally {
    await client.end();
  }
}

/** A process of its own that starts the cluster, prints its URL, and waits to be ended. */
async function startInChild(): Promise<{ url: string; end(signal: NodeJS.Signals): Promise<void> }> {
  const module = new URL("../../server/embedded-postgres.ts", import.meta.url).href;
  const child = spawn(process.execPath, ["--input-type=module", "-e",
    `const { startEmbeddedPostgres } = await import(${JSON.stringify(module)}); const { url } = await startEmbeddedPostgres({ folder: ${JSON.stringify(folder)}, log() {} }); console.log(url); setInterval(() => {}, 1000);`],
  { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve) => child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim())));
  return { url, end: (signal) => { child.kill(signal); return ended; } };
}

const isDown = async (url: string) => {
  for (let tries = 0; tries < 100; tries++) {
    if (await ask(url, "select 1").then(() => false, () => true)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
};

test("a cluster is made once, is durable, listens on loopback only, and keeps its data, port and password", async () => {
  const first = await start();
  expect(await ask(first.url, "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('full_page_writes') as pages, current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets"))
    .toEqual({ fsync: "on", commit: "on", pages: "on", addresses: "127.0.0.1", sockets: "" });
  await ask(first.url, "create table kept as select 7 as n");
  const wrong = new URL(first.url);
  wrong.password = "guess";
  await expect(ask(wrong.href, "select 1")).rejects.toMatchObject({ code: "28P01" });
  for (const file of ["password", "cluster.json"]) expect((await stat(path.join(folder, file))).mode & 0o077).toBe(0);
  await first.stop();
  expect(await isDown(first.url)).toBe(true);
  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, "select n from kept")).toEqual({ n: 7 });
  await second.stop();
});

test("what a killed process left running is taken over, and stopped by its new owner", async () => {
  const child = await startInChild();
  await ask(child.url, "create table before_the_kill as select 1 as n");
  await child.end("SIGKILL");
  expect(await ask(child.url, "select n from before_the_kill")).toEqual({ n: 1 });
  const next = await start();
  expect(next.url).toBe(child.url);
  await next.stop();
  expect(await isDown(next.url)).toBe(true);
});

test("a process that is terminated takes its cluster down with it", async () => {
  const child = await startInChild();
  await child.end("SIGTERM");
  expect(await isDown(child.url)).toBe(true);
});

test("a second process uses the cluster of a living one, and leaves it running", async () => {
  const child = await startInChild();
  const guest = await start();
  expect(guest.url).toBe(child.url);
  await guest.stop();
  expect(await ask(child.url, "select 1 as n")).toEqual({ n: 1 });
  await child.end("SIGTERM");
  expect(await isDown(child.url)).toBe(true);
});

test("a postmaster.pid whose number another program has by now does not stop the start", async () => {
  const other = spawn("sleep", ["60"]);
  for (let tries = 0; tries < 100 && existsSync(path.join(folder, "data", "postmaster.pid")); tries++) await new Promise((resolve) => setTimeout(resolve, 50));   // the test before
  await writeFile(path.join(folder, "data", "postmaster.pid"), `${other.pid}\n${path.join(folder, "data")}\n1\n5432\n\n127.0.0.1\n  1  1\nready\n`);
  const started = await start();
  expect(await ask(started.url, "select n from kept")).toEqual({ n: 7 });
  await started.stop();
  other.kill();
});

test("a port that was asked for and is taken is named; one that was only remembered is replaced", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => blocker.once("listening", resolve));
  const { port } = blocker.address() as { port: number };
  await expect(start({ port })).rejects.toMatchObject({ code: "SERVER_PORT_TAKEN", params: { port } });
  const file = path.join(folder, "cluster.json");
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), port }));
  const started = await start();
  expect(new URL(started.url).port).not.toBe(String(port));
  await started.stop();
  blocker.close();
});

test("a folder that cannot be used is named with the reason", async () => {
  const broken = path.join(root, "broken");
  await mkdir(path.join(broken, "data"), { recursive: true });
  await writeFile(path.join(broken, "data", "notes.txt"), "mine");
  await expect(start({ folder: broken })).rejects.toMatchObject({ code: "STORE_DATA_FOLDER", params: { detail: expect.stringContaining("PG_VERSION is missing") } });
  await writeFile(path.join(broken, "data", "PG_VERSION"), "16\n");
  await expect(start({ folder: broken })).rejects.toMatchObject({ code: "STORE_DATA_FOLDER", params: { detail: expect.stringContaining("PostgreSQL 16") } });
  await writeFile(path.join(broken, "data", "PG_VERSION"), "18\n");
  await expect(start({ folder: broken })).rejects.toMatchObject({ code: "STORE_DATA_FOLDER", params: { detail: expect.stringContaining("pg_control") } });
  expect(await readFile(path.join(broken, "data", "notes.txt"), "utf8")).toBe("mine");
  await writeFile(path.join(root, "file"), "");
  await expect(start({ folder: path.join(root, "file") })).rejects.toMatchObject({ code: "STORE_DATA_FOLDER", params: { detail: expect.stringContaining("not a folder") } });
});
