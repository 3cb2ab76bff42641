import { expect, test } from "vitest";
import { bench } from "../../support/run.ts";
import { liveKeys } from "../../support/memory-store.ts";
import { planOf, type PlanParts } from "../../support/plan.ts";
import { providerDouble } from "../../support/provider-double.ts";

const holding = (ids: number[], extra: object = {}) => providerDouble(({ query }) => {
  const offset = Number(query["offset"]);
  return { json: { items: ids.slice(offset, offset + 2).map((id) => ({ id, updated_at: "2026-02-01T00:00:00Z", ...extra })) } };
});
const PARTS: PlanParts = { request: { query: { offset: "=page.offset", until: "{{cursor.to}}" } }, pagination: { type: "offset" }, stream: { cursor: { type: "datetime", field: "updated_at" } }, flow: { sweep_seconds: 7 * 86_400 } };

test("a complete sweep ends the rows it did not see; it is due after its time, and not before", async () => {
  const place = bench();
  expect(await place.run(planOf(PARTS), holding([1, 2, 3]))).toMatchObject({ mode: "full", counters: { created: 3, swept: 0 }, checkpoint: { swept: { number: 1 } } });
  place.clock.advance(6 * 86_400_000);
  expect(await place.run(planOf(PARTS), holding([]))).toMatchObject({ mode: "incremental", counters: { swept: 0 } });
  expect(liveKeys(place.rows)).toEqual(["1", "2", "3"]);
  place.clock.advance(2 * 86_400_000);
  expect(await place.run(planOf(PARTS), holding([1, 3]))).toMatchObject({ mode: "full", counters: { unchanged: 2, swept: 1 }, checkpoint: { swept: { number: 2 } } });
  expect(liveKeys(place.rows)).toEqual(["1", "3"]);
});

test("a sweep that was interrupted goes on under its number, and what the first part saw is seen", async () => {
  const place = bench();
  await place.run(planOf(PARTS), holding([1, 2, 3, 4, 5]));
  let commits = 0;
  await place.run(planOf(PARTS), holding([1, 2, 3, 5]), { mode: "full", probe: (point) => { if (point === "before_commit" && ++commits === 2) throw new Error("killed"); } });
  expect(place.rows.checkpoint!.pass).toMatchObject({ mode: "full", sweep: 2, page: { offset: 2 } });
  expect(await place.run(planOf(PARTS), holding([1, 2, 3, 5]))).toMatchObject({ mode: "full", counters: { swept: 1, read: 2 } });
  expect(liveKeys(place.rows)).toEqual(["1", "2", "3", "5"]);
});

test("a capped run is no proof: its sweep deletes nothing", async () => {
  const place = bench();
  await place.run(planOf(PARTS), holding([1, 2, 3, 4, 5]));
  const capped = await place.run(planOf({ ...PARTS, flow: { ...PARTS.flow, caps: { pages: 1 } } }), holding([1, 2, 3]), { mode: "full" });
  expect(capped).toMatchObject({ status: "failed", error: { code: "RUN_CAP" }, checkpoint: { pass: { complete: false } } });
  expect(await place.run(planOf(PARTS), holding([1, 2, 3]))).toMatchObject({ status: "succeeded", counters: { swept: 0 } });
  expect(liveKeys(place.rows)).toEqual(["1", "2", "3", "4", "5"]);
});

test("a quarantined record was seen: its row is not swept", async () => {
  const place = bench();
  const schema = { type: "object", properties: { id: {}, updated_at: {}, name: { type: "string" } } };
  await place.run(planOf({ ...PARTS, schema }), holding([1, 2, 3], { name: "ok" }));
  const result = await place.run(planOf({ ...PARTS, schema, flow: { ...PARTS.flow, quarantine: { share: 1, count: 100 } } }), holding([1, 2, 3], { name: 7 }), { mode: "full" });
  expect(result).toMatchObject({ status: "succeeded_with_quarantine", counters: { quarantined: 3, swept: 0 } });
  expect(liveKeys(place.rows)).toEqual(["1", "2", "3"]);
});

test("a record that stops matching `where` leaves; one that never matched is filtered", async () => {
  const place = bench();
  const plan = planOf({ ...PARTS, map: { where: 'kind = "full"', fields: { id: { expression: "id" } } } });
  await place.run(plan, holding([1, 2], { kind: "full" }));
  expect(await place.run(plan, providerDouble(({ query }) => ({ json: { items: query["offset"] === "0" ? [{ id: 1, kind: "gone" }, { id: 9, kind: "gone" }] : [] } })))).toMatchObject({ counters: { read: 2, deleted: 1, filtered: 1 } });
  expect(liveKeys(place.rows)).toEqual(["2"]);
});

test("a later sweep has no upper end: a record that changes while it runs stays in it", async () => {
  const place = bench();
  const first = holding([1]);
  await place.run(planOf(PARTS), first);
  expect(first.requests[0]!.query["until"]).toBe("2026-03-01T09:00:00Z");
  const second = holding([1]);
  await place.run(planOf(PARTS), second, { mode: "full" });
  expect(Date.parse(second.requests[0]!.query["until"]!)).toBeGreaterThan(place.clock.now() + 86_400_000);
});
