import { describe, expect, test } from "vitest";
import { createMemoryStore, memoryRows, type MemoryRows } from "../../../engine/run/memory-store.ts";
import type { ProbePoint } from "../../../engine/run/ports.ts";
import { runFlow } from "../../../engine/run/run-flow.ts";
import { bench, type Bench } from "../../support/run.ts";
import { liveKeys, rowOf } from "../../support/memory-store.ts";
import { planOf, type PlanParts } from "../../support/plan.ts";
import { providerDouble, type SeenRequest } from "../../support/provider-double.ts";

interface Person { id: number; updated_at: string }

/** A provider with a real filter and order: what it answers depends only on what it holds and what is asked. */
function crm(people: Person[], order: "id" | "updated_at" = "id", size = 2) {
  return providerDouble(({ query }) => {
    const found = people
      .filter(({ updated_at }) => (query["since"] === undefined || updated_at >= query["since"]) && (query["until"] === undefined || updated_at < query["until"]))
      .sort((a, b) => (a[order] < b[order] ? -1 : a[order] > b[order] ? 1 : 0));
    const offset = Number(query["offset"]);
    return { json: { items: found.slice(offset, offset + size) } };
  });
}
const PARTS: PlanParts = {
  request: { query: { offset: "=page.offset", since: "{{cursor.from}}", until: "{{cursor.to}}" } }, pagination: { type: "offset" },
  stream: { cursor: { type: "datetime", field: "updated_at" } },
};
const day = (number: number): string => `2026-02-${String(number).padStart(2, "0")}T00:00:00Z`;
const five = (): Person[] => [5, 3, 1, 4, 2].map((id) => ({ id, updated_at: day(6 - id) }));
const since = ({ query }: SeenRequest): string | undefined => query["since"];

describe("windows", () => {
  test("a window is frozen while a pass runs, and the next one begins where it ended", async () => {
    const place = bench("2026-03-01T09:00:00Z");
    const people = five();
    const provider = crm(people);
    const moving = { ...provider, send: (async (...args: Parameters<typeof provider.send>) => { place.clock.advance(60_000); return provider.send(...args); }) };
    expect(await place.run(planOf(PARTS), moving)).toMatchObject({ status: "succeeded", mode: "full", checkpoint: { from: "2026-03-01T09:00:00Z" } });
    expect(new Set(provider.requests.map(({ query }) => query["until"]))).toEqual(new Set(["2026-03-01T09:00:00Z"]));
    expect(provider.requests.map(since)).toEqual([undefined, undefined, undefined, undefined]);

    people.push({ id: 6, updated_at: "2026-03-01T09:00:30Z" });
    provider.requests.length = 0;
    expect(await place.run(planOf(PARTS), provider)).toMatchObject({ mode: "incremental", counters: { read: 1, created: 1 } });
    expect(new Set(provider.requests.map(since))).toEqual(new Set(["2026-03-01T09:00:00Z"]));
  });

  test("start, lag and lookback shape it", async () => {
    const place = bench("2026-03-01T09:00:00Z");
    const provider = crm(five());
    const plan = planOf({ ...PARTS, config: { start: { title: "Start", default: "2026-02-03T00:00:00Z" } }, stream: { cursor: { type: "datetime", field: "updated_at", start: "config.start", lag: "1m", lookback: "1h" } } });
    expect(await place.run(plan, provider)).toMatchObject({ counters: { read: 3 }, checkpoint: { from: "2026-03-01T08:59:00Z" } });
    await place.run(plan, provider);
    expect(since(provider.requests.at(-1)!)).toBe("2026-03-01T07:59:00Z");
  });

  test("a provider whose clock is behind ours moves the next window back, not the requests of this pass", async () => {
    const place = bench("2026-03-01T09:00:00Z");
    const provider = crm(five());
    const behind = { ...provider, send: async (...args: Parameters<typeof provider.send>) => ({ ...(await provider.send(...args)), headers: { date: "Sun, 01 Mar 2026 08:50:00 GMT" } }) };
    expect(await place.run(planOf({ ...PARTS, stream: { cursor: { type: "datetime", field: "updated_at", lag: "1m" } } }), behind)).toMatchObject({ checkpoint: { from: "2026-03-01T08:49:00Z" } });
    expect(new Set(provider.requests.map(({ query }) => query["until"]))).toEqual(new Set(["2026-03-01T08:59:00Z"]));
  });

  test("a checkpoint in the future is clamped and said, never zero records for ever", async () => {
    const place = bench("2026-03-01T09:00:00Z");
    place.rows.checkpoint = { from: "2030-01-01T00:00:00Z" };
    const provider = crm(five());
    expect(await place.run(planOf(PARTS), provider)).toMatchObject({ status: "succeeded", checkpoint: { from: "2026-03-01T09:00:00Z" } });
    expect(since(provider.requests[0]!)).toBe("2026-03-01T09:00:00Z");
    expect(place.log).toContainEqual(expect.objectContaining({ level: "warn", event: "checkpoint" }));
  });

  test("a stream without a cursor is read in full every time", async () => {
    const place = bench();
    const plan = planOf({ request: { query: { offset: "=page.offset" } }, pagination: { type: "offset" } });
    await place.run(plan, crm(five()));
    expect(await place.run(plan, crm(five()))).toMatchObject({ mode: "full", counters: { read: 5, unchanged: 5 } });
  });

  test("`changes` is used instead of `list` once there is a checkpoint", async () => {
    const place = bench();
    const provider = providerDouble(({ path }) => ({ json: path === "/v1/changes" ? { changed: [{ id: 9 }] } : { items: [{ id: 1 }] } }));
    const plan = planOf({ stream: { cursor: { type: "datetime" }, changes: { request: { method: "GET", path: "/changes", query: { since: "{{cursor.from}}" }, errors: {} }, records: "changed" } } });
    expect(await place.run(plan, provider)).toMatchObject({ mode: "full" });
    expect(await place.run(plan, provider)).toMatchObject({ mode: "incremental", counters: { created: 1 } });
    expect(provider.requests.map(({ path }) => path)).toEqual(["/v1/people", "/v1/changes"]);
    expect(provider.requests[1]!.query["since"]).toBe("2026-03-01T09:00:00Z");
    expect(await place.run(plan, provider, { mode: "full" })).toMatchObject({ mode: "full" });
  });
});

/** A killed worker: everything it has not stored is gone. */
class Killed extends Error {}

async function killedAt(place: Bench, parts: PlanParts, provider: ReturnType<typeof crm>, point: ProbePoint, count: number): Promise<void> {
  let left = count;
  await place.run(planOf(parts), provider, { probe: (seen) => { if (seen === point && --left === 0) throw new Killed(); } });
}

describe("a run that dies anywhere is gone on with, and nothing is lost or read twice into the rows", () => {
  const POINTS: ProbePoint[] = ["begun", "before_request", "after_response", "mapped", "before_commit", "after_commit", "before_complete", "after_complete"];
  for (const ordered of [false, true]) for (const point of POINTS) for (const count of [1, 2, 3]) {
    test(`${ordered ? "ordered" : "unordered"}, killed at ${point} for the ${count}. time`, async () => {
      const place = bench();
      const parts: PlanParts = { ...PARTS, stream: { cursor: { type: "datetime", field: "updated_at", ordered } } };
      const provider = crm(five(), ordered ? "updated_at" : "id");
      await killedAt(place, parts, provider, point, count);
      const left = place.rows.checkpoint?.pass;
      const result = await place.run(planOf(parts), provider, { attempt: 2 });
      expect(result.status).toBe("succeeded");
      expect(liveKeys(place.rows)).toEqual(["1", "2", "3", "4", "5"]);
      expect(result.checkpoint).toMatchObject({ from: "2026-03-01T09:00:00Z" });
      expect(result.checkpoint!.pass).toBeUndefined();
      // What was stored is not read again.
      if (left !== undefined && !ordered) expect(result.counters.read).toBe(Math.max(0, 5 - 2 * left.pages));
    });
  }
});

describe("ordered and unordered", () => {
  test("only `ordered: true` moves `from` while a pass runs, and resumes from the last value seen", async () => {
    const place = bench();
    const provider = crm(five(), "updated_at");
    const parts: PlanParts = { ...PARTS, stream: { cursor: { type: "datetime", field: "updated_at", ordered: true } } };
    await killedAt(place, parts, provider, "before_commit", 3);
    expect(place.rows.checkpoint).toMatchObject({ pass: { window: { from: day(4) }, page: { offset: 0 } } });
    provider.requests.length = 0;
    await place.run(planOf(parts), provider, { attempt: 2 });
    expect(provider.requests[0]!.query).toMatchObject({ since: day(4), offset: "0" });
  });

  test("an unordered pass keeps its window and only moves the page token", async () => {
    const place = bench();
    await killedAt(place, PARTS, crm(five()), "before_commit", 3);
    expect(place.rows.checkpoint!.from).toBeUndefined();
    expect(place.rows.checkpoint!.pass).toMatchObject({ window: { to: "2026-03-01T09:00:00Z" }, page: { offset: 4 } });
    expect(place.rows.checkpoint!.pass!.window.from).toBeUndefined();
  });

  test("a stream that says ordered and is not, is read by page token and loses nothing", async () => {
    const place = bench();
    const people = five();
    const provider = crm(people, "id");
    const parts: PlanParts = { ...PARTS, stream: { cursor: { type: "datetime", field: "updated_at", ordered: true } } };
    await killedAt(place, parts, provider, "before_commit", 3);
    expect(place.rows.checkpoint!.pass).toMatchObject({ disordered: true, page: { offset: 4 } });
    expect(place.log).toContainEqual(expect.objectContaining({ message: expect.stringContaining("out of order") }));
    expect(await place.run(planOf(parts), provider)).toMatchObject({ status: "succeeded" });
    expect(liveKeys(place.rows)).toEqual(["1", "2", "3", "4", "5"]);
  });
});

describe("page tokens that the provider has forgotten", () => {
  const tokens = (forgotten: Set<string>) => providerDouble(({ query }) => {
    const at = query["t"] ?? "0";
    if (forgotten.delete(at)) return { status: 410, text: "expired" };
    const next = Number(at.replace("n", "")) + 1;
    return { json: { items: [{ id: next }], next: next < 8 ? `n${next}` : null } };
  });
  const parts: PlanParts = { request: { query: { t: "{{page.token}}" } }, pagination: { type: "token", next: "body.next" } };

  test("restart the pass once", async () => {
    const place = bench();
    const result = await place.run(planOf(parts), tokens(new Set(["n6"])));
    expect(result).toMatchObject({ status: "succeeded", counters: { created: 8, unchanged: 6 } });
  });

  test("a second time, or on the first page, the run fails", async () => {
    const twice = providerDouble(({ query }) => (query["t"] === "n2" ? { status: 410 } : { json: { items: [{ id: query["t"] ?? "first" }], next: query["t"] === undefined ? "n1" : "n2" } }));
    expect(await bench().run(planOf(parts), twice)).toMatchObject({ status: "failed", error: { code: "RUN_HTTP_STATUS" } });
    expect(await bench().run(planOf(parts), providerDouble(() => ({ status: 410 })))).toMatchObject({ status: "failed", counters: { requests: 1 } });
  });

  test("a resumed token may be forgotten too", async () => {
    const place = bench();
    await killedAt(place, parts, tokens(new Set()), "before_commit", 3);
    expect(place.rows.checkpoint!.pass!.page).toEqual({ token: "n2" });
    expect(await place.run(planOf(parts), tokens(new Set(["n2"])))).toMatchObject({ status: "succeeded" });
    expect(liveKeys(place.rows)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  test("a token of another paging than the manifest has now is not used", async () => {
    const place = bench();
    await killedAt(place, parts, tokens(new Set()), "before_commit", 3);
    const provider = crm(five());
    expect(await place.run(planOf({ request: { query: { offset: "=page.offset" } }, pagination: { type: "offset" } }), provider)).toMatchObject({ status: "succeeded", counters: { read: 5 } });
  });
});

test("a worker that lost its epoch stores nothing, and says that another goes on", async () => {
  const rows: MemoryRows = memoryRows();
  const place = bench();
  const common = { run: "r", attempt: 1, plan: planOf(PARTS), flow: "people", connection: { config: {} }, signal: new AbortController().signal };
  const ports = () => ({ store: createMemoryStore({ rows }), transport: crm(five()), buckets: place.buckets, clock: place.clock, token: place.tokens, log: () => {}, progress: () => {} });
  let others: Promise<unknown> | undefined;
  let commits = 0;
  const stale = await runFlow({ ...common, probe: async (point) => {
    if (point === "before_commit" && ++commits === 2) await (others = runFlow({ ...common, attempt: 2 }, ports()));
  } }, ports());
  expect(await others).toMatchObject({ status: "succeeded", counters: { read: 3 } });
  expect(stale).toMatchObject({ status: "interrupted", error: { code: "RUN_FENCED" }, counters: { read: 2 } });
  expect(liveKeys(rows)).toEqual(["1", "2", "3", "4", "5"]);
  expect(rows.checkpoint).toMatchObject({ from: "2026-03-01T09:00:00Z" });
});

test("an older version of a record never overwrites a newer one, digit by digit", async () => {
  const place = bench();
  const plan = planOf({ stream: { cursor: { type: "datetime", field: "updated_at" } } });
  const one = (updated_at: string) => providerDouble(() => ({ json: { items: [{ id: 1, updated_at }] } }));
  await place.run(plan, one("2025-11-25T10:57:52.6880167Z"));
  expect(await place.run(plan, one("2025-11-25T10:57:52.6880166Z"))).toMatchObject({ counters: { superseded: 1 } });
  expect(rowOf(place.rows, "1")!.version).toBe("1764068272.6880167");
  expect(await place.run(plan, one("2025-11-25T11:57:52.6880168+01:00"))).toMatchObject({ counters: { updated: 1 } });
});
