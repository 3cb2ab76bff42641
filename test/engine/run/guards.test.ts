import { describe, expect, test } from "vitest";
import { SeenKeys } from "../../../engine/run/guards.ts";
import { bench } from "../../support/run.ts";
import { liveKeys } from "../../support/memory-store.ts";
import { planOf, type PlanParts } from "../../support/plan.ts";
import { providerDouble } from "../../support/provider-double.ts";

const TOKENS: PlanParts = { request: { query: { t: "{{page.token}}" } }, pagination: { type: "token", next: "body.next" } };
/** Token → what comes and what is next. */
const tokens = (script: (at: string | undefined, count: number) => { ids: number[]; next?: string }) =>
  providerDouble(({ query }, count) => {
    const { ids, next } = script(query["t"], count);
    return { json: { items: ids.map((id) => ({ id })), next: next ?? null } };
  });

describe("streams that would never end are ended, with the checkpoint kept", () => {
  test.each([
    ["the last page names itself", (at: string | undefined) => (at === undefined ? { ids: [1], next: "a" } : { ids: [2], next: "a" })],
    ["two pages name each other", (at: string | undefined) => (at === undefined ? { ids: [1], next: "a" } : at === "a" ? { ids: [2], next: "b" } : { ids: [3], next: "a" })],
  ])("a repeated page token: %s", async (_name, script) => {
    const place = bench();
    const result = await place.run(planOf(TOKENS), tokens(script));
    expect(result).toMatchObject({ status: "failed", error: { code: "RUN_PAGE_TOKEN_REPEATED", next: expect.stringContaining("page.token") } });
    expect(result.counters.pages).toBeLessThanOrEqual(3);
    expect(result.checkpoint!.pass).toBeDefined();
    expect(liveKeys(place.rows).length).toBe(result.counters.read);
  });

  test("a loop is still found after the run was resumed", async () => {
    const place = bench();
    const loop = (at: string | undefined) => (at === undefined ? { ids: [1], next: "a" } : at === "a" ? { ids: [2], next: "b" } : { ids: [3], next: "a" });
    let commits = 0;
    await place.run(planOf(TOKENS), tokens(loop), { probe: (point) => { if (point === "after_commit" && ++commits === 2) throw new Error("killed"); } });
    expect(await place.run(planOf(TOKENS), tokens(loop))).toMatchObject({ error: { code: "RUN_PAGE_TOKEN_REPEATED" }, counters: { pages: 1 } });
  });

  test("new tokens for ever, with nothing new on the pages", async () => {
    const provider = tokens((_at, count) => ({ ids: [1, 2], next: `t${count}` }));
    expect(await bench().run(planOf(TOKENS), provider)).toMatchObject({ status: "failed", error: { code: "RUN_NO_PROGRESS" }, counters: { pages: 4, created: 2, unchanged: 6 } });
  });

  test("empty pages for ever", async () => {
    expect(await bench().run(planOf(TOKENS), tokens((_at, count) => ({ ids: [], next: `t${count}` })))).toMatchObject({ error: { code: "RUN_NO_PROGRESS" } });
  });

  test("a provider that ignores the offset", async () => {
    const provider = providerDouble(() => ({ json: { items: [{ id: 1 }] } }));
    expect(await bench().run(planOf({ request: { query: { offset: "=page.offset" } }, pagination: { type: "offset" } }), provider)).toMatchObject({ error: { code: "RUN_NO_PROGRESS" } });
  });

  test("a keyset that does not move", async () => {
    expect(await bench().run(planOf({ request: { query: { after: "{{page.after}}" } }, pagination: { type: "keyset", after: "id", start: 0 } }), providerDouble(() => ({ json: { items: [{ id: 1 }] } })))).toMatchObject({ error: { code: "RUN_PAGE_TOKEN_REPEATED" } });
  });

  test("records that are there already are progress: only this pass counts", async () => {
    const place = bench();
    const provider = () => tokens((_at, count) => ({ ids: [count], ...(count < 6 ? { next: `t${count}` } : {}) }));
    await place.run(planOf(TOKENS), provider());
    expect(await place.run(planOf(TOKENS), provider())).toMatchObject({ status: "succeeded", counters: { unchanged: 6 } });
  });
});

describe("caps", () => {
  const counting = () => providerDouble(({ query }) => ({ json: { items: Number(query["page"]) > 5 ? [] : [{ id: Number(query["page"]) }] } }));
  const parts: PlanParts = { request: { query: { page: "=page.number" } }, pagination: { type: "page" } };

  test.each([["pages", { pages: 2 }], ["records", { records: 2 }]])("of %s end the run, and the next one goes on", async (unit, caps) => {
    const place = bench();
    expect(await place.run(planOf({ ...parts, flow: { caps } }), counting())).toMatchObject({ status: "failed", error: { code: "RUN_CAP", message: expect.stringContaining(unit) }, counters: { read: 2 }, checkpoint: { pass: { page: { number: 3 } } } });
    await place.run(planOf({ ...parts, flow: { caps } }), counting());
    expect(await place.run(planOf({ ...parts, flow: { caps: { pages: 10 } } }), counting())).toMatchObject({ status: "succeeded" });
    expect(liveKeys(place.rows)).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("of seconds", async () => {
    const place = bench();
    const slow = counting();
    const provider = { ...slow, send: async (...args: Parameters<typeof slow.send>) => { place.clock.advance(10_000); return slow.send(...args); } };
    expect(await place.run(planOf({ ...parts, flow: { caps: { seconds: 25 } } }), provider)).toMatchObject({ error: { code: "RUN_CAP", message: expect.stringContaining("seconds") } });
  });
});

describe("quarantine thresholds", () => {
  const page = (bad: number, all: number) => providerDouble(({ query }) => ({ json: { items: query["page"] === "1" ? Array.from({ length: all }, (_, index) => (index < bad ? { name: "no id" } : { id: index })) : [] } }));
  const parts: PlanParts = { request: { query: { page: "=page.number" } }, pagination: { type: "page" } };

  test("more than the share fails the run, after what is known was stored", async () => {
    const place = bench();
    const result = await place.run(planOf(parts), page(3, 20));
    expect(result).toMatchObject({ status: "failed", error: { code: "RUN_QUARANTINE_THRESHOLD" }, counters: { read: 20, created: 17, quarantined: 3 } });
    expect(place.rows.quarantine).toHaveLength(3);
  });

  test("a share of few records says nothing; just the share is not more", async () => {
    expect(await bench().run(planOf(parts), page(10, 19))).toMatchObject({ status: "succeeded_with_quarantine" });
    expect(await bench().run(planOf(parts), page(2, 20))).toMatchObject({ status: "succeeded_with_quarantine" });
  });

  test("more than the number fails it too", async () => {
    expect(await bench().run(planOf({ ...parts, flow: { quarantine: { share: 1, count: 5 } } }), page(6, 10))).toMatchObject({ error: { code: "RUN_QUARANTINE_THRESHOLD" } });
  });
});

test("a store that loses count fails the run: the balance is checked at its end", async () => {
  const { runFlow } = await import("../../../engine/run/run-flow.ts");
  const { createMemoryStore } = await import("../../../engine/run/memory-store.ts");
  const place = bench();
  const store = createMemoryStore();
  const losing = { ...store, commitPage: async (...args: Parameters<typeof store.commitPage>) => ({ ...(await store.commitPage(...args)), created: 0 }) };
  const result = await runFlow({ run: "r", attempt: 1, plan: planOf({}), flow: "people", connection: { config: {} }, signal: new AbortController().signal },
    { store: losing, transport: providerDouble(() => ({ json: { items: [{ id: 1 }] } })), buckets: place.buckets, clock: place.clock, token: place.tokens, log: () => {}, progress: () => {} });
  expect(result).toMatchObject({ status: "failed", error: { code: "RUN_BALANCE" } });
});

test("the next page is asked for while the last one is written, and never more than one ahead", async () => {
  const place = bench();
  const order: string[] = [];
  const provider = providerDouble(async ({ query }) => {
    order.push(`ask ${query["page"]}`);
    return { json: { items: Number(query["page"]) > 4 ? [] : [{ id: Number(query["page"]) }] } };
  });
  await place.run(planOf({ request: { query: { page: "=page.number" } }, pagination: { type: "page" } }), provider, {}, {
    onPage: async ({ records }) => {
      await new Promise((done) => setTimeout(done, 10));
      order.push(`wrote ${records[0]?.key ?? "none"}`);
    },
  });
  expect(order).toEqual(["ask 1", "ask 2", "wrote 1", "ask 3", "wrote 2", "ask 4", "wrote 3", "ask 5", "wrote 4", "wrote none"]);
});

test("seen keys are remembered in constant memory, and a hundred thousand new pages are new", () => {
  const seen = new SeenKeys();
  for (let page = 0; page < 1_000; page++) expect(seen.pagesWithoutNew(Array.from({ length: 100 }, (_, index) => String(page * 100 + index)))).toBe(0);
  expect(seen.pagesWithoutNew(["5", "99999"])).toBe(1);
  expect(seen.pagesWithoutNew([])).toBe(2);
  expect(seen.pagesWithoutNew(["new"])).toBe(0);
});
