import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startDispatcher, type Dispatcher } from "../../../engine/jobs/dispatcher.ts";
import { openRunQueue, type RunJob, type RunQueue } from "../../../engine/jobs/queue.ts";
import { QUEUE_SCHEMA } from "../../../engine/store/index.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
let queue: RunQueue;
let dispatcher: Dispatcher | undefined;
const errors: Error[] = [];

beforeAll(async () => {
  database = await testDatabase();
  queue = await openRunQueue({ pool: database.db.pool, schema: QUEUE_SCHEMA, supervise: true, onError: (cause) => errors.push(cause) });
});
afterEach(async () => {
  await dispatcher?.stop(1000);
  dispatcher = undefined;
  await database.db.pool.query(`delete from ${QUEUE_SCHEMA}.job`);
  expect(errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await queue.close();
  await database.close();
});

const enqueue = (tenant: string, run = randomUUID(), options = {}) => queue.enqueue(database.db.pool, { tenant, run }, options).then(() => run);

describe("the queue", () => {
  test("holds ids only, once per run", async () => {
    const run = await enqueue("acme");
    await enqueue("acme", run);
    const jobs = await queue.fetch(10);
    expect(jobs.map(({ data }) => data)).toEqual([{ tenant: "acme", run }]);
  });

  test("has a job exactly if the transaction that queued it commits", async () => {
    const client = await database.db.pool.connect();
    await client.query("begin");
    await queue.enqueue(client, { tenant: "acme", run: randomUUID() });
    await client.query("rollback");
    client.release();
    expect(await queue.fetch(10)).toEqual([]);
  });

  test("takes a run again while its last job is being worked on", async () => {
    const run = await enqueue("acme");
    const [first] = await queue.fetch(1);
    await enqueue("acme", run);
    await queue.settle([first!]);
    expect((await queue.fetch(1)).map(({ data }) => data.run)).toEqual([run]);
  });

  test("gives nothing before its time", async () => {
    await enqueue("acme", undefined, { startAfter: Date.now() + 60_000 });
    expect([await queue.fetch(1), await queue.depth()]).toEqual([[], 0]);
  });

  test("gives nothing of the tenants that are left out", async () => {
    await enqueue("busy");
    const quiet = await enqueue("quiet");
    expect((await queue.fetch(10, ["busy"])).map(({ data }) => data.run)).toEqual([quiet]);
  });

  test("gives manual runs first", async () => {
    await enqueue("acme");
    const manual = await enqueue("acme", undefined, { priority: 10 });
    expect((await queue.fetch(1))[0]!.data.run).toBe(manual);
  });
});

describe("the dispatcher", () => {
  const working = (milliseconds: number, log: { job: RunJob; at: number }[], most = { now: 0, seen: 0 }) => async (job: RunJob): Promise<void> => {
    most.seen = Math.max(most.seen, ++most.now);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    most.now--;
    log.push({ job, at: performance.now() });
  };
  const until = async (holds: () => boolean): Promise<void> => {
    for (const end = Date.now() + 10_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 5))) if (Date.now() > end) throw new Error("waited in vain");
  };

  test("lets a quiet tenant pass a busy one, and uses every slot", async () => {
    for (let i = 0; i < 40; i++) await enqueue("busy");
    await enqueue("quiet");
    const log: { job: RunJob; at: number }[] = [];
    const most = { now: 0, seen: 0 };
    dispatcher = startDispatcher({ queue, slots: 4, execute: working(20, log, most), onError: (cause) => errors.push(cause) });
    await until(() => log.length === 41);
    expect(log.findIndex(({ job }) => job.tenant === "quiet")).toBeLessThan(8);
    expect(most.seen).toBe(4);
  });

  test("keeps a slot free of a tenant that could fill them all", async () => {
    for (let i = 0; i < 12; i++) await enqueue("busy");
    const log: { job: RunJob; at: number }[] = [];
    const most = { now: 0, seen: 0 };
    dispatcher = startDispatcher({ queue, slots: 4, execute: working(20, log, most), onError: (cause) => errors.push(cause) });
    await until(() => log.length === 12);
    expect(most.seen).toBe(3);
  });

  test("goes on after a run that threw", async () => {
    await enqueue("acme");
    await enqueue("acme");
    let runs = 0;
    dispatcher = startDispatcher({ queue, slots: 1, execute: async () => { if (runs++ === 0) throw new Error("boom"); }, onError: (cause) => errors.push(cause) });
    await until(() => runs === 2);
    expect(errors.splice(0).map(({ message }) => message)).toEqual(["boom"]);
  });

  test("asks its runs to end when it stops, waits for them, and claims nothing more", async () => {
    await enqueue("acme");
    const log: string[] = [];
    dispatcher = startDispatcher({
      queue, slots: 1, onError: (cause) => errors.push(cause),
      execute: (_, signal) => new Promise((resolve) => { log.push("began"); signal.addEventListener("abort", () => setTimeout(() => { log.push("ended"); resolve(); }, 50)); }),
    });
    await until(() => log.length === 1);
    await enqueue("acme");
    expect(await dispatcher.stop(5000)).toBe(true);
    expect(log).toEqual(["began", "ended"]);
    expect(await queue.depth()).toBe(1);
  });

  test("does not wait longer than the grace", async () => {
    await enqueue("acme");
    let began = false;
    const end = Promise.withResolvers<void>();
    dispatcher = startDispatcher({ queue, slots: 1, onError: (cause) => errors.push(cause), execute: () => { began = true; return end.promise; } });
    await until(() => began);
    expect(await dispatcher.stop(50)).toBe(false);
    end.resolve();
  });
});
