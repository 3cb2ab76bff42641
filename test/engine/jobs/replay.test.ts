/** Quarantine and what becomes of it, from the provider to the rows: worker, queue and PostgreSQL are real. */
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { replayQuarantine, triggerRun } from "../../../engine/jobs/index.ts";
import type { FlowPlan } from "../../../engine/plan/types.ts";
import type { ProbePoint } from "../../../engine/run/ports.ts";
import { countRecords, createRun, currentRevision, getRun, listQuarantine, listRecords, readPlan, readRunLog } from "../../../engine/store/index.ts";
import { rig, type Rig } from "./rig.ts";

let it: Rig;
beforeEach(async () => { it = await rig(); });
afterEach(() => it.close());

/** A number where the entity wants a text. */
const wrong = { map: { fields: { name: { expression: "id" } } } } satisfies Partial<FlowPlan>;
const right = { map: { fields: { name: { expression: "name" } } } } satisfies Partial<FlowPlan>;
/** Only the records up to 3 are still wrong. */
const better = { map: { fields: { name: { expression: "id <= 3 ? id : name" } } } } satisfies Partial<FlowPlan>;
const patient = { quarantine: { share: 1, count: 100_000 } } satisfies Partial<FlowPlan>;

const serve = (records: number, size: number): void => {
  it.provider.instead = (_request, response: ServerResponse, page) => {
    const first = (page - 1) * size;
    const items = Array.from({ length: Math.max(0, Math.min(size, records - first)) }, (_, i) => ({ id: first + i + 1, name: `person ${first + i + 1}` }));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items }));
    return true;
  };
};
const run = async (tenant = "acme") => it.ended(tenant, await it.trigger(tenant));
const open = async (tenant = "acme") => (await listQuarantine(it.database.db, tenant, { status: "open", limit: 2000 })).items;
const keys = async (tenant = "acme") => (await listRecords(it.database.db, tenant, "person", { limit: 2000 })).items.map(({ links }) => Number(links["crm"])).sort((a, b) => a - b);
const replayLine = async (id: string, tenant = "acme") => (await readRunLog(it.database.db, tenant, id)).items.find(({ event }) => event === "replay")?.message;
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const balances = ({ counters: c }: { counters: Record<string, number> }) => c["read"] === c["created"]! + c["updated"]! + c["unchanged"]! + c["superseded"]! + c["deleted"]! + c["filtered"]! + c["quarantined"]!;

test("two runs that fail over a wrong mapping lose nothing: when it is right, the next run stores every record once", async () => {
  serve(257, 50);
  await it.apply(["acme", "bolt"], { people: wrong });
  await it.worker();
  for (const pages of [1, 2]) {
    const failed = await run();
    expect(failed).toMatchObject({ status: "failed", error: { code: "RUN_QUARANTINE_THRESHOLD", hint: expect.stringContaining("plugboard replay") } });
    expect(await open()).toHaveLength(pages * 50);
  }
  await run("bolt");
  await it.apply(["acme", "bolt"], { people: right });
  const mended = await run();
  expect(mended).toMatchObject({ status: "succeeded", counters: { read: 257, created: 257, quarantined: 0, swept: 0, pages: 5 } });
  expect(await replayLine(mended.id)).toBe("Replayed 100 of quarantine: 100 stored, 0 still refused.");
  expect(await keys()).toEqual(upTo(257));
  expect(await open()).toEqual([]);
  expect((await listQuarantine(it.database.db, "acme", { status: "resolved", limit: 1000 })).items).toHaveLength(100);
  // The other tenant's are its own run's business.
  expect([(await open("bolt")).length, await keys("bolt")]).toEqual([50, []]);
  const full = await it.ended("acme", await it.trigger("acme", "people", "full"));
  expect(full).toMatchObject({ status: "succeeded", counters: { read: 257, unchanged: 257, swept: 0 } });
}, 30_000);

test("what is still refused stays with the new reason and does not fail the run; it is not tried again before the next change", async () => {
  serve(257, 50);
  await it.apply(["acme"], { people: wrong });
  await it.worker();
  await run();
  const before = await open();
  await it.apply(["acme"], { people: { ...better, quarantine: { share: 0, count: 0 } } });
  const second = await run();
  expect(second).toMatchObject({ status: "succeeded_with_quarantine", counters: { read: 257, created: 254, quarantined: 3 } });
  expect(balances(second as never)).toBe(true);
  expect(await replayLine(second.id)).toBe("Replayed 50 of quarantine: 47 stored, 3 still refused.");
  const revision = await currentRevision(it.database.db, "acme");
  expect((await open()).map(({ key, revision: under, seen, run: by }) => [key, under, seen, by]).sort()).toEqual(["1", "2", "3"].map((key) => [key, revision, 2, second.id]));
  expect(before.every((entry) => entry.revision !== revision)).toBe(true);
}, 30_000);

test("asked for, they are tried under the same revision, in the tenant that asks only", async () => {
  serve(60, 50);
  await it.apply(["acme", "bolt"], { people: { ...wrong, ...patient }, off: { ...wrong, enabled: false } });
  await it.worker();
  await Promise.all([run(), run("bolt")]);
  const plan = await readPlan(it.database.db, "acme", (await currentRevision(it.database.db, "acme"))!);
  const asked = await replayQuarantine(it.jobs.queue, it.database.db, "acme", plan, { code: "MAPPING_INVALID", trigger: "test" });
  expect(asked).toEqual({ runs: [{ id: expect.any(String), flow: "people", status: "queued", coalesced: false, records: 60 }], kept: [] });
  const again = await it.ended("acme", asked.runs[0]!.id);
  expect(await replayLine(again.id)).toBe("Replayed 60 of quarantine: 0 stored, 60 still refused.");
  expect((await open("bolt")).every(({ seen }) => seen === 1)).toBe(true);
  expect(await replayQuarantine(it.jobs.queue, it.database.db, "acme", plan, { code: "MAPPING_LIMIT", trigger: "test" })).toEqual({ runs: [], kept: [] });
  const without = { ...plan, flows: {} };
  expect(await replayQuarantine(it.jobs.queue, it.database.db, "acme", without, { trigger: "test" })).toEqual({ runs: [], kept: [{ connection: "crm", flow: "people", records: 60 }] });
}, 30_000);

test.each<ProbePoint>(["after_write", "after_commit"])("a run that ends at %s of its second page out of quarantine is gone on with, none lost, none twice", async (point) => {
  serve(1100, 1100);
  await it.apply(["acme"], { people: { ...wrong, ...patient } });
  let seen = -Infinity;
  await it.worker({ probe: (at) => { if (at === point && ++seen === 2) throw new Error("killed"); } });
  await run();
  expect(await open()).toHaveLength(1100);
  await it.apply(["acme"], { people: right });
  seen = 0;
  expect(await run()).toMatchObject({ status: "failed" });
  const left = point === "after_write" ? 600 : 100;
  expect([(await open()).length, await countRecords(it.database.db, "acme", "person")]).toEqual([left, 1100 - left]);
  seen = -Infinity;
  const last = await run();
  expect(await replayLine(last.id)).toBe(`Replayed ${left} of quarantine: ${left} stored, 0 still refused.`);
  expect([await open(), await keys()]).toEqual([[], upTo(1100)]);
}, 40_000);

test("a run that is queued already takes over what is asked to be replayed, and a request for all is not narrowed", async () => {
  await it.apply(["acme"], { people: right });
  const ask = (replay: object) => triggerRun(it.jobs.queue, it.database.db, "acme", { flow: "people", connection: "crm", trigger: "api", replay });
  const first = await it.trigger("acme");
  const replayOf = async () => (await getRun(it.database.db, "acme", first))!.replay;
  expect(await replayOf()).toBeUndefined();
  expect(await ask({ ids: ["a"] })).toMatchObject({ coalesced: true, run: { id: first } });
  expect(await replayOf()).toEqual({ ids: ["a"] });
  await ask({ ids: ["b", "a"] });
  expect((await replayOf())!.ids!.toSorted()).toEqual(["a", "b"]);
  await ask({ code: "MAPPING_INVALID" });
  expect(await replayOf()).toEqual({});
  await createRun(it.database.db, { tenant: "acme", flow: "people", connection: "crm", trigger: "api", revision: (await currentRevision(it.database.db, "acme"))!, replay: { code: "X" } });
  expect(await replayOf()).toEqual({});
});
