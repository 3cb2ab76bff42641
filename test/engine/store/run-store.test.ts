import { afterAll, beforeAll, expect, test } from "vitest";
import { approveSweep, countRecords, finishRun, getRun, type Keyring, listContributions, listQuarantine, listRecords, listSweepHolds, readQuarantinedRaw, readRaw } from "../../../engine/store/index.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { balanced, beginFlow, beginRun, keyring, page, record, records, sweeping } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

const keysOf = async (tenant: string) => (await listRecords(at.db, tenant, "learner", { limit: 1000 })).items.map((row) => row.links["aptem"]).sort();

test("a page stores contributions, rows, checkpoint and counters, and the same page again changes nothing", async () => {
  const flow = await beginFlow(at.db, keys, "acme", { labels: { LMS_Provider: "Aptem" } });
  expect(flow).toMatchObject({ epoch: 1, checkpoint: undefined });
  const first = await flow.commit(page(records(1, 3, {}, 10), { checkpoint: { from: "2026-01-01T00:00:00Z" } }));
  expect(first).toMatchObject({ read: 3, created: 3 });
  const { items } = await listRecords(at.db, "acme", "learner");
  expect(items).toHaveLength(3);
  expect(items[0]).toMatchObject({ full_name: expect.stringMatching(/^Learner/), labels: { LMS_Provider: "Aptem" }, links: { aptem: expect.any(String) } });
  const again = await flow.commit(page(records(1, 3, {}, 10)));
  expect(again).toMatchObject({ read: 3, created: 0, unchanged: 3, updated: 0 });
  expect((await listRecords(at.db, "acme", "learner")).items).toEqual(items);
  expect((await getRun(at.db, "acme", flow.run))!.counters).toMatchObject({ read: 6, created: 3, unchanged: 3, pages: 2, requests: 2 });
  expect(await readRaw(at.db, keys, "acme", { connection: "aptem", stream: "users", entity: "learner", key: "2" })).toEqual({ id: "2", secret_of: "2" });
  const raws = await asAdmin<{ raw: Buffer }>(at.url, "select raw from contributions");
  expect(raws.every(({ raw }) => !raw.includes("secret_of"))).toBe(true);
});

test("the next run resumes from the checkpoint under the next epoch, and the worker before it is fenced", async () => {
  const old = await beginFlow(at.db, keys, "fence");
  await old.commit(page(records(1, 2), { checkpoint: { from: "2026-01-02T00:00:00Z" } }));
  const taken = await beginRun(at.db, keys, "fence", old.run, old.attempt);
  expect(taken).toMatchObject({ epoch: old.epoch + 1, checkpoint: { from: "2026-01-02T00:00:00Z" } });
  await expect(old.commit(page(records(3, 4), { checkpoint: { from: "2026-01-03T00:00:00Z" } }))).rejects.toMatchObject({ code: "RUN_FENCED" });
  await expect(old.store.heartbeat(old.epoch)).rejects.toMatchObject({ code: "RUN_FENCED" });
  await expect(old.store.completePass({}, undefined, old.epoch)).rejects.toMatchObject({ code: "RUN_FENCED" });
  expect(await keysOf("fence")).toEqual(["1", "2"]);
  await taken.store.heartbeat(taken.epoch);
  await taken.commit(page(records(3, 4)));
  expect(await keysOf("fence")).toEqual(["1", "2", "3", "4"]);
});

test("a worker that is taken over while its page waits for the lock stores nothing", async () => {
  const old = await beginFlow(at.db, keys, "race");
  const results = await Promise.allSettled([
    ...Array.from({ length: 4 }, (_, index) => old.commit(page(records(index * 10, index * 10 + 5)))),
    beginRun(at.db, keys, "race", old.run, old.attempt),
    ...Array.from({ length: 4 }, (_, index) => old.commit(page(records(100 + index * 10, 105 + index * 10)))),
  ]);
  const stored = results.filter((result) => result.status === "fulfilled").length - 1;
  expect(results.filter((result) => result.status === "rejected").every((result) => result.reason.code === "RUN_FENCED")).toBe(true);
  expect(await countRecords(at.db, "race", "learner")).toBe(stored * 6);
});

test("an older version never overwrites a newer one, an equal one does", async () => {
  const flow = await beginFlow(at.db, keys, "versions");
  await flow.commit(page([record("1", { hours: 5 }, "1767225600.123456789")]));
  expect(await flow.commit(page([record("1", { hours: 4 }, "1767225600.123456788")]))).toMatchObject({ superseded: 1, updated: 0 });
  expect(await flow.commit(page([record("1", { hours: 6 }, "1767225600.1234567890")]))).toMatchObject({ updated: 1 });
  expect(await flow.commit(page([record("1", { hours: 6 }, "1767225700")]))).toMatchObject({ unchanged: 1 });
  // What did not change the row still moved its version on.
  expect(await flow.commit(page([record("1", { hours: 1 }, "1767225650")]))).toMatchObject({ superseded: 1 });
  expect((await listRecords(at.db, "versions", "learner")).items[0]).toMatchObject({ hours: 6 });
});

test("of one key twice on a page the newest version is stored, or the last, and the rest counts as superseded", async () => {
  const flow = await beginFlow(at.db, keys, "twice");
  const outcome = await flow.commit(page([record("1", { hours: 2 }, 2), record("1", { hours: 1 }, 1), record("2", { hours: 1 }), record("2", { hours: 2 })]));
  expect(outcome).toMatchObject({ read: 4, created: 2, superseded: 2 });
  expect((await listRecords(at.db, "twice", "learner")).items.map((row) => row["hours"])).toEqual([2, 2]);
});

test("a record that stops matching leaves, one that is gone is deleted, and both come back when they do", async () => {
  const flow = await beginFlow(at.db, keys, "leave");
  await flow.commit(page(records(1, 4, {}, 1)));
  const outcome = await flow.commit(page([], { dropped: ["1", "77"], gone: ["2", "88"], filtered: 3 }));
  expect(outcome).toMatchObject({ read: 7, deleted: 2, filtered: 4, unchanged: 1 });
  expect(balanced(outcome)).toBe(true);
  expect(await keysOf("leave")).toEqual(["3", "4"]);
  const { items } = await listRecords(at.db, "leave", "learner", { include_deleted: true });
  const ended = items.filter((row) => row["deleted_at"] !== undefined);
  expect(ended).toHaveLength(2);
  const reasons = await Promise.all(ended.map(async (row) => (await listContributions(at.db, "leave", "learner", row.id))[0]!.deleted_reason));
  expect(reasons.sort()).toEqual(["deleted", "left"]);
  expect(await flow.commit(page(records(1, 2, {}, 1)))).toMatchObject({ created: 2 });
  expect(await keysOf("leave")).toEqual(["1", "2", "3", "4"]);
});

test("a complete sweep ends what it did not see, and not what another door wrote since it began", async () => {
  const first = await beginFlow(at.db, keys, "sweep");
  await first.commit(page(records(1, 10)));
  const begun = new Date();
  const sweep = sweeping(1, begun, ["1", "2", "3", "4", "5", "6", "7"]);
  await first.commit(page(records(1, 7), sweep));
  await first.commit(page([record("11")]));
  expect(await first.store.completePass({ swept: { number: 1, at: begun.toISOString() } }, { number: 1 }, first.epoch)).toEqual({ swept: 3 });
  expect(await keysOf("sweep")).toEqual(["1", "11", "2", "3", "4", "5", "6", "7"]);
  expect((await getRun(at.db, "sweep", first.run))!.counters).toMatchObject({ swept: 3 });
});

test("a pass that is no sweep deletes nothing, and its seen keys do not leak into the next sweep of the same number", async () => {
  const flow = await beginFlow(at.db, keys, "nosweep");
  await flow.commit(page(records(1, 5)));
  await flow.commit(page([], sweeping(1, new Date(), ["1", "2", "3", "4", "5"])));
  expect(await flow.store.completePass({}, undefined, flow.epoch)).toEqual({ swept: 0 });
  await flow.commit(page([], sweeping(1, new Date(), ["1"])));
  expect(await flow.store.completePass({}, { number: 1 }, flow.epoch)).toEqual({ swept: 4 });
});

test("a sweep in which too much is missing waits for a person, who may approve it once", async () => {
  const flow = await beginFlow(at.db, keys, "held");
  await flow.commit(page(records(1, 200)));
  await flow.commit(page([], sweeping(1, new Date(), records(1, 100).map(({ key }) => key))));
  expect(await flow.store.completePass({}, { number: 1 }, flow.epoch)).toEqual({ swept: 0, held: { missing: 100, live: 200 } });
  expect(await countRecords(at.db, "held", "learner")).toBe(200);
  await flow.commit(page([record("150", { hours: 1 })]));           // came back since
  expect(await listSweepHolds(at.db, "held")).toMatchObject([{ run: flow.run, missing: 100, live: 200 }]);
  expect(await approveSweep(at.db, "held", flow.run, "ann")).toEqual({ swept: 99 });
  expect(await countRecords(at.db, "held", "learner")).toBe(101);
  await expect(approveSweep(at.db, "held", flow.run, "ann")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
});

test("what PostgreSQL cannot take costs that record only", async () => {
  const flow = await beginFlow(at.db, keys, "poison");
  const good = records(1, 20);
  const outcome = await flow.commit(page([...good.slice(0, 10), record("nul", { email: "a\0b" }), record("lone", { email: "\ud800" }), record("key\0"), record("x".repeat(2000)),
    { ...record("version"), version: "1e5" }, record("fine", { email: "\\u0000 as text" }), ...good.slice(10)]));
  expect(outcome).toMatchObject({ read: 26, created: 21, quarantined: 5 });
  const { items } = await listQuarantine(at.db, "poison");
  expect(items.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => "MAPPING_RECORD"));
  const nul = items.find(({ key }) => key === "nul")!;
  expect(await readQuarantinedRaw(at.db, keys, "poison", nul.id)).toMatchObject({ email: "a\0b" });
});

test("a record that only PostgreSQL refuses is found by halving the page", async () => {
  const flow = await beginFlow(at.db, keys, "bisect");
  await asAdmin(at.url, "alter table contributions add constraint test_poison check (key not like 'poison%')");
  try {
    const outcome = await flow.commit(page([...records(1, 30), record("poison1"), ...records(31, 40), record("poison2")], { dropped: ["99"] }));
    expect(outcome).toMatchObject({ read: 43, created: 40, quarantined: 2, filtered: 1 });
    expect((await listQuarantine(at.db, "bisect")).items.map(({ key }) => key).sort()).toEqual(["poison1", "poison2"]);
    expect((await getRun(at.db, "bisect", flow.run))!.counters).toMatchObject({ read: 43, created: 40, pages: 1 });
  } finally {
    await asAdmin(at.url, "alter table contributions drop constraint test_poison");
  }
});

test("a key in quarantine is there once, and resolved when its record is stored", async () => {
  const flow = await beginFlow(at.db, keys, "mended");
  const bad = { key: "1", code: "MAPPING_INVALID" as const, params: {}, reason: "no name", raw: { id: "1" } };
  await flow.commit(page([], { quarantined: [bad, { ...bad, key: undefined as never }] }));
  await flow.commit(page([], { quarantined: [{ ...bad, reason: "still no name" }] }));
  const open = (await listQuarantine(at.db, "mended", { status: "open" })).items;
  expect(open.find(({ key }) => key === "1")).toMatchObject({ seen: 2, reason: "still no name" });
  expect(open).toHaveLength(2);
  await flow.commit(page([record("1")]));
  expect((await listQuarantine(at.db, "mended", { status: "open" })).items).toHaveLength(1);
  expect((await listQuarantine(at.db, "mended", { status: "resolved" })).items).toMatchObject([{ key: "1" }]);
});

test("every page balances, whatever it mixes", async () => {
  const flow = await beginFlow(at.db, keys, "balance");
  await flow.commit(page(records(1, 50, {}, 5)));
  const outcome = await flow.commit(page([...records(40, 60, { hours: 1 }, 6), ...records(1, 5, {}, 4), ...records(6, 8, {}, 5), record("40", {}, 7), record("n\0")],
    { dropped: ["9", "9", "10", "500", "41"], gone: ["11", "12", "600", "12", "42"], filtered: 2, quarantined: [{ key: "13", code: "MAPPING_INVALID", params: {}, reason: "x", raw: null }] }));
  expect(balanced(outcome)).toBe(true);
  expect(outcome.read).toBe(31 + 5 + 5 + 2 + 1);
  const { counters } = (await getRun(at.db, "balance", flow.run))!;
  expect(counters.read).toBe(50 + outcome.read);
});

test("the records of a change of labels are written again", async () => {
  const before = await beginFlow(at.db, keys, "labels", { labels: { P: "A" } });
  await before.commit(page(records(1, 2)));
  await finishRun(at.db, { tenant: "labels", run: before.run, attempt: before.attempt, status: "succeeded", checkpoint: undefined });
  const after = await beginFlow(at.db, keys, "labels", { labels: { P: "B" } });
  expect(await after.commit(page(records(1, 2)))).toMatchObject({ updated: 2 });
  expect((await listRecords(at.db, "labels", "learner")).items.every((row) => row.labels["P"] === "B")).toBe(true);
});

test("paging by the last change gives every row once, and later exactly what changed since", async () => {
  const flow = await beginFlow(at.db, keys, "paging");
  for (let n = 0; n < 5; n++) await flow.commit(page(records(n * 20, n * 20 + 19)));
  const seen: string[] = [];
  let position: readonly string[] | undefined;
  for (;;) {
    const got = await listRecords(at.db, "paging", "learner", { limit: 7, ...(position ? { after: position } : {}) });
    seen.push(...got.items.map(({ id }) => id));
    position = got.position ?? position;
    if (!got.next) break;
  }
  expect(new Set(seen).size).toBe(100);
  expect(seen).toHaveLength(100);
  await flow.commit(page([record("5", { hours: 9 })], { gone: ["6"] }));
  const changes = await listRecords(at.db, "paging", "learner", { after: position!, include_deleted: true });
  expect(changes.items.map((row) => row.links["aptem"]).sort()).toEqual(["5", "6"]);
});
