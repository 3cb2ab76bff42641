import { afterAll, beforeAll, expect, test } from "vitest";
import { appendRunLog, claimableRuns, claimRun, createRun, dueSchedules, finishRun, fireSchedule, getRun, type Keyring, lastRuns, listRuns, listSchedules, nextDue, pauseFlow, readRunLog, reapRuns, requestCancel, saveRevision } from "../../../engine/store/index.ts";
import type { Counters } from "../../../engine/run/ports.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, beginRun, keyring, page, plan, records } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

const tenant = async (name: string, schedule?: { every_seconds: number }) => { await saveRevision(at.db, { id: `rev-${name}`, plans: [plan(name, schedule ? { schedule } : {})] }); return name; };
const request = (name: string, change = {}) => createRun(at.db, { tenant: name, flow: "learners", connection: "aptem", trigger: "manual", revision: `rev-${name}`, ...change });
const claim = (name: string, run: string, owner = "w1") => claimRun(at.db, { tenant: name, run, owner, leaseSeconds: 30 });
const loseLease = (run: string) => asAdmin(at.url, "update runs set lease_until = now() - interval '1 second' where id = $1", [run]);
const zero: Counters = { read: 0, created: 0, updated: 0, unchanged: 0, superseded: 0, deleted: 0, filtered: 0, quarantined: 0, swept: 0, pages: 0, requests: 0, retries: 0, bytes: 0 };

test("many triggers at once queue one run, and a full one widens it", async () => {
  const name = await tenant("storm");
  let enqueued = 0;
  const created = await Promise.all(Array.from({ length: 20 }, () => createRun(at.db, { tenant: name, flow: "learners", connection: "aptem", trigger: "api", revision: `rev-${name}` }, async () => { enqueued++; })));
  expect(new Set(created.map(({ run }) => run!.id)).size).toBe(1);
  expect(created.filter(({ coalesced }) => !coalesced)).toHaveLength(1);
  expect(enqueued).toBe(1);
  expect(await request(name, { mode: "full" })).toMatchObject({ coalesced: true });
  expect(await getRun(at.db, name, created[0]!.run!.id)).toMatchObject({ requested_mode: "full", status: "queued", attempt: 0 });
});

test("a run that waits does what is in force when it is asked for again; one that has begun keeps its revision", async () => {
  const name = await tenant("renewed");
  const { run } = await request(name);
  await saveRevision(at.db, { id: "rev-newer", plans: [plan(name)] });
  expect(await request(name, { revision: "rev-newer" })).toMatchObject({ coalesced: true, run: { id: run!.id, revision: "rev-newer" } });
  await claim(name, run!.id);
  await finishRun(at.db, { tenant: name, run: run!.id, attempt: 1, status: "interrupted", checkpoint: undefined });
  expect(await request(name)).toMatchObject({ coalesced: true, run: { id: run!.id, revision: "rev-newer" } });
});

test("of many workers one claims a run", async () => {
  const name = await tenant("claim");
  const { run } = await request(name);
  const claims = await Promise.all(Array.from({ length: 8 }, (_, n) => claim(name, run!.id, `w${n}`)));
  expect(claims.filter((claimed) => claimed !== undefined)).toMatchObject([{ status: "running", attempt: 1 }]);
});

test("a flow has at most one run queued and one under way", async () => {
  const name = await tenant("overlap");
  const first = (await request(name)).run!;
  await claim(name, first.id);
  const second = await request(name);
  expect(second.coalesced).toBe(false);
  await expect(claim(name, second.run!.id)).rejects.toMatchObject({ code: "RUN_ALREADY_RUNNING", params: { run: first.id } });
  await finishRun(at.db, { tenant: name, run: first.id, attempt: 1, status: "succeeded", checkpoint: undefined });
  expect(await claim(name, second.run!.id)).toMatchObject({ status: "running" });
});

test("only the attempt that runs says how it ended, once", async () => {
  const name = await tenant("finish");
  const run = (await request(name)).run!.id;
  const end = (attempt: number, status: "succeeded" | "failed") => finishRun(at.db, { tenant: name, run, attempt, status, mode: "full", checkpoint: { from: "2026-01-01T00:00:00Z" }, counters: { ...zero, requests: 7, retries: 2, bytes: 9 } });
  expect(await end(1, "succeeded")).toBeUndefined();                // it is only queued
  await claim(name, run);
  expect(await end(2, "failed")).toBeUndefined();
  expect(await end(1, "succeeded")).toMatchObject({ status: "succeeded", mode: "full", counters: { requests: 7, retries: 2, bytes: 9 }, checkpoint: { from: "2026-01-01T00:00:00Z" }, finished_at: expect.any(String) });
  expect(await end(1, "failed")).toBeUndefined();
  expect(await claim(name, run)).toBeUndefined();
});

test("a waiting run keeps its flow's place and goes on as its next attempt", async () => {
  const name = await tenant("waiting");
  const run = (await request(name)).run!.id;
  await claim(name, run);
  const resumeAt = Date.now() - 1000;
  const jobs: string[] = [];
  await finishRun(at.db, { tenant: name, run, attempt: 1, status: "waiting", checkpoint: undefined, resume_at: resumeAt }, async (_, waiting) => { jobs.push(waiting.id); });
  expect(jobs).toEqual([run]);
  expect(await getRun(at.db, name, run)).toMatchObject({ status: "waiting", resume_at: new Date(resumeAt).toISOString() });
  const other = (await request(name)).run!;
  await expect(claim(name, other.id)).rejects.toMatchObject({ code: "RUN_ALREADY_RUNNING" });
  expect((await claimableRuns(at.db)).map((one) => one.run)).toEqual(expect.arrayContaining([run, other.id]));
  expect(await claim(name, run)).toMatchObject({ status: "running", attempt: 2 });
});

test("an interrupted run goes back to the queue and takes the place of one that waited there", async () => {
  const name = await tenant("interrupted");
  const run = (await request(name)).run!.id;
  await claim(name, run);
  const other = (await request(name, { mode: "full" })).run!.id;
  expect(await finishRun(at.db, { tenant: name, run, attempt: 1, status: "interrupted", checkpoint: undefined })).toMatchObject({ status: "queued", requested_mode: "full" });
  expect(await getRun(at.db, name, other)).toMatchObject({ status: "superseded" });
  expect(await claim(name, run)).toMatchObject({ attempt: 2 });
});

test("a run whose worker fell silent is queued again; the silent worker's end no longer counts", async () => {
  const name = await tenant("lost");
  const flow = await beginFlow(at.db, keys, name);
  await flow.commit(page(records(1, 3)));
  expect((await reapRuns(at.db)).filter((one) => one.tenant === name)).toEqual([]);
  await loseLease(flow.run);
  const reaped = await Promise.all([reapRuns(at.db), reapRuns(at.db)]);
  expect(reaped.flat().filter((one) => one.tenant === name)).toMatchObject([{ run: { id: flow.run, status: "queued" } }]);
  await claim(name, flow.run, "w2");
  expect(await finishRun(at.db, { tenant: name, run: flow.run, attempt: flow.attempt, status: "failed", checkpoint: undefined })).toBeUndefined();
  expect(await getRun(at.db, name, flow.run)).toMatchObject({ status: "running", attempt: 2, counters: { read: 3 } });
});

test("a run that loses its worker three times without a page fails; one that stores pages goes on", async () => {
  const crashing = await tenant("crash");
  const run = (await request(crashing)).run!.id;
  const steady = await beginFlow(at.db, keys, "steady");
  let attempt = steady.attempt;
  for (let n = 0; n < 3; n++) {
    await claim(crashing, run);
    const worker = await beginRun(at.db, keys, "steady", steady.run, attempt);
    await worker.commit(page(records(n, n)));
    await loseLease(run);
    await loseLease(steady.run);
    await reapRuns(at.db);
    attempt = (await claim("steady", steady.run))!.attempt;
  }
  expect(await getRun(at.db, crashing, run)).toMatchObject({ status: "failed", attempt: 3, error: { code: "RUN_CRASH_LOOP" } });
  expect(await getRun(at.db, "steady", steady.run)).toMatchObject({ status: "running", attempt: 4 });
});

test("cancelling ends a queued run at once, and asks a running one to stop", async () => {
  const name = await tenant("cancel");
  const flow = await beginFlow(at.db, keys, name);
  expect(await flow.store.cancelRequested()).toBeUndefined();
  expect(await requestCancel(at.db, name, flow.run, "ann")).toMatchObject({ status: "running", cancel_by: "ann" });
  expect(await flow.store.cancelRequested()).toEqual({ by: "ann" });
  // Stopped by its host before it looked: it does not start again.
  expect(await finishRun(at.db, { tenant: name, run: flow.run, attempt: flow.attempt, status: "interrupted", checkpoint: undefined })).toMatchObject({ status: "cancelled" });
  const queued = (await createRun(at.db, { tenant: name, flow: "learners", connection: "aptem", trigger: "manual", revision: (await getRun(at.db, name, flow.run))!.revision })).run!;
  expect(await requestCancel(at.db, name, queued.id, "ann")).toMatchObject({ status: "cancelled" });
  expect(await requestCancel(at.db, name, queued.id, "ann")).toBeUndefined();
  expect(await requestCancel(at.db, name, "no-uuid", "ann")).toBeUndefined();
});

test("runs are listed newest first, page by page, each once", async () => {
  const name = await tenant("list");
  for (let n = 0; n < 7; n++) {
    const run = (await request(name)).run!.id;
    await claim(name, run);
    await finishRun(at.db, { tenant: name, run, attempt: 1, status: n % 2 ? "failed" : "succeeded", checkpoint: undefined });
  }
  const seen: string[] = [];
  let after: readonly string[] | undefined;
  do {
    const got = await listRuns(at.db, name, { limit: 3, ...(after ? { after } : {}) });
    seen.push(...got.items.map(({ id }) => id));
    after = got.next;
  } while (after);
  expect(new Set(seen).size).toBe(7);
  expect((await listRuns(at.db, name, { status: "failed" })).items).toHaveLength(3);
  expect(await lastRuns(at.db, name, "aptem")).toMatchObject([{ run: { id: seen[0], status: "succeeded" }, succeeded_at: expect.any(String) }]);
});

test("a run's log is kept in order, whatever its texts hold", async () => {
  const name = await tenant("log");
  const run = (await request(name)).run!.id;
  await appendRunLog(at.db, name, run, [{ level: "info", event: "page", message: "one", data: { pages: 1 }, at: 1_700_000_000_000 }, { level: "warn", event: "retry", message: "nul \0 and \ud800" }]);
  await appendRunLog(at.db, name, run, [{ level: "info", event: "page", message: "three" }]);
  const first = await readRunLog(at.db, name, run, { limit: 2 });
  expect(first.items).toMatchObject([{ message: "one", data: { pages: 1 }, at: "2023-11-14T22:13:20.000Z" }, { message: "nul \u{FFFD} and \u{FFFD}" }]);
  expect((await readRunLog(at.db, name, run, { after: first.next! })).items).toMatchObject([{ message: "three" }]);
});

test("a tick fires once, however many schedulers look", async () => {
  const name = await tenant("tick", { every_seconds: 3600 });
  const mine = async () => (await dueSchedules(at.db)).filter((one) => one.tenant === name);
  const [fresh] = await mine();
  expect(fresh).toMatchObject({ flow: "learners", schedule: { every_seconds: 3600 } });
  expect(fresh!.due).toBeUndefined();
  const due = Date.now() - 1000;
  expect(await fireSchedule(at.db, fresh!, undefined, { due })).toBe(true);
  const [ready] = await mine();
  const next = due + 3_600_000;
  const fired = await Promise.all(Array.from({ length: 5 }, () => fireSchedule(at.db, ready!, due, { due: next }, async (tx) => {
    await createRun(tx, { tenant: name, flow: "learners", connection: "aptem", trigger: "schedule", revision: `rev-${name}`, slot: due });
  })));
  expect(fired.filter(Boolean)).toHaveLength(1);
  expect((await listRuns(at.db, name)).items).toHaveLength(1);
  expect(await mine()).toEqual([]);
  expect(await nextDue(at.db)).toBe(next);
});

test("a slot has one run, even after that run is over", async () => {
  const name = await tenant("slot");
  const slot = Date.now();
  const run = (await request(name, { slot })).run!.id;
  await claim(name, run);
  await finishRun(at.db, { tenant: name, run, attempt: 1, status: "succeeded", checkpoint: undefined });
  expect(await request(name, { slot })).toMatchObject({ coalesced: true });
  expect((await listRuns(at.db, name)).items).toHaveLength(1);
});

test("a revision that changes a schedule begins it anew, one that leaves it alone keeps its tick, and one without it stops it", async () => {
  const name = await tenant("resched", { every_seconds: 3600 });
  const [fresh] = (await dueSchedules(at.db)).filter((one) => one.tenant === name);
  await fireSchedule(at.db, fresh!, undefined, { due: 4_000_000_000_000 });
  await saveRevision(at.db, { id: "resched-2", plans: [plan(name, { schedule: { every_seconds: 3600 }, labels: { x: "y" } })] });
  expect(await listSchedules(at.db, name)).toMatchObject([{ due: 4_000_000_000_000, enabled: true }]);
  await saveRevision(at.db, { id: "resched-3", plans: [plan(name, { schedule: { every_seconds: 900 } })] });
  expect((await listSchedules(at.db, name))[0]!.due).toBeUndefined();
  await saveRevision(at.db, { id: "resched-4", plans: [plan(name)] });
  expect(await listSchedules(at.db, name)).toMatchObject([{ enabled: false }]);
  expect((await dueSchedules(at.db)).filter((one) => one.tenant === name)).toEqual([]);
});

test("a paused flow is not due until it is resumed", async () => {
  const name = await tenant("paused", { every_seconds: 60 });
  const due = async () => (await dueSchedules(at.db)).filter((one) => one.tenant === name).length;
  expect(await due()).toBe(1);
  expect(await pauseFlow(at.db, name, "learners", "ann")).toBe(true);
  expect(await due()).toBe(0);
  await saveRevision(at.db, { id: "paused-2", plans: [plan(name, { schedule: { every_seconds: 90 } })] });
  expect(await due()).toBe(0);
  await pauseFlow(at.db, name, "learners", undefined);
  expect(await due()).toBe(1);
});
