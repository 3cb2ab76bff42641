import type { FastifyInstance } from "fastify";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openJobs, type Jobs } from "../../../engine/jobs/index.ts";
import { openDatabase, type Database } from "../../../engine/store/index.ts";
import { issueKey } from "../../../server/api/first-key.ts";
import { createServer } from "../../../server/api/server.ts";
import { rig, type Rig } from "../../engine/jobs/rig.ts";

let it: Rig;
let postgres: Awaited<ReturnType<typeof proxy>>;
let db: Database;
let jobs: Jobs;
let server: FastifyInstance;
let key: string;
beforeEach(async () => {
  it = await rig();
  await it.apply(["acme"], { people: {} });
  postgres = await proxy(it.database.url);
  const onError = (cause: Error): void => void it.errors.push(cause);
  db = await openDatabase({ url: postgres.url, max: 6, onError });
  jobs = await openJobs({ db, works: true, onError });
  server = await createServer({ db, jobs, keyring: it.keyring, logLevel: "silent" });
  key = await issueKey(db, { name: "acme", scopes: ["*"], tenant: "acme" });
});
afterEach(async () => {
  postgres.up();
  await server.close();
  await it.close();
  await jobs.close();
  await db.close();
  postgres.close();
});

/** A way to PostgreSQL that can be cut, as a restart of the server cuts it. */
async function proxy(to: string): Promise<{ url: string; down(): void; up(): void; close(): void }> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  let isDown = false;
  const listener = createTcpServer((client) => {
    if (isDown) return void client.resetAndDestroy();
    const upstream = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy()).on("close", () => { other.destroy(); sockets.delete(socket); });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const url = new URL(to);
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const cut = (): void => { for (const socket of sockets) socket.resetAndDestroy(); };
  return { url: url.href, down() { isDown = true; cut(); }, up() { isDown = false; }, close() { cut(); listener.close(); } };
}

const get = (url: string) => server.inject({ url, headers: { authorization: `Bearer ${key}` } });
const eventually = async (check: () => Promise<void>): Promise<void> => {
  for (const end = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    try { return await check(); } catch (thrown) { if (Date.now() > end) throw thrown; }
  }
};

test("while the database is away the server lives, is not ready, and says 503; afterwards it serves again", async () => {
  postgres.down();
  expect((await get("/healthz")).statusCode).toBe(200);
  expect([(await get("/readyz")).statusCode, (await get("/readyz")).json().checks.database]).toEqual([503, { ok: false, detail: "STORE_UNREACHABLE" }]);
  const answer = await get("/api/runs");
  expect([answer.statusCode, answer.json().error.code, answer.headers["retry-after"]]).toEqual([503, "STORE_UNREACHABLE", "5"]);
  expect(answer.body).not.toContain(new URL(postgres.url).port);
  postgres.up();
  await eventually(async () => expect([(await get("/readyz")).statusCode, (await get("/api/runs")).statusCode]).toEqual([200, 200]));
});

test("a worker outlives a database that is away in the middle of a page, and ends its run when it is back", async () => {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  it.provider.instead = async (_request, _response, page) => {
    if (page === 2) {
      it.provider.instead = undefined;
      reached.resolve();
      await gate.promise;
    }
    return false;
  };
  await it.worker({ jobs });
  const run = await it.trigger("acme");
  await reached.promise;
  postgres.down();
  gate.resolve();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  postgres.up();
  expect(await it.ended("acme", run)).toMatchObject({ status: "succeeded", counters: { read: 6 } });
  expect(await it.ended("acme", await it.trigger("acme"))).toMatchObject({ status: "succeeded" });
  expect(it.errors.length).toBeGreaterThan(0);
});
