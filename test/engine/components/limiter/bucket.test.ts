import { expect, test } from "vitest";
import bucket from "../../../../engine/components/limiter/bucket.ts";
import { createMemoryBuckets } from "../../../../engine/run/memory-buckets.ts";
import { bench } from "../../../support/run.ts";
import { planOf } from "../../../support/plan.ts";
import { providerDouble } from "../../../support/provider-double.ts";
import { answerOf, context } from "../built.ts";

const NOW = Date.parse("2026-03-01T09:00:00Z");
const request = (path: string) => ({ method: "GET", url: new URL(`https://a.test${path}`), headers: new Headers(), body: undefined, label: "" });

test("a path limits only the requests that fit it", () => {
  const search = bucket.build({ per: "account", max: 5, every_seconds: 1, path: "*/search" }, context);
  expect([search.applies(request("/crm/contacts/search?x=1")), search.applies(request("/crm/contacts"))]).toEqual([true, false]);
});

test("no more than `max` in `every`, and the wait is exactly until there is one", async () => {
  let now = NOW;
  const buckets = createMemoryBuckets(() => now);
  const limit = bucket.build({ per: "account", max: 2, every_seconds: 10 }, context);
  expect([await limit.take("b", buckets), await limit.take("b", buckets), await limit.take("b", buckets)]).toEqual([0, 0, 5_000]);
  now += 5_000;
  expect(await limit.take("b", buckets)).toBe(0);
});

test.each([["30", 30_000], [String(NOW / 1000 + 60), 60_000], [String(NOW + 90_000), 90_000], ["2026-03-01T09:02:00Z", 120_000], ["Sun, 01 Mar 2026 09:03:00 GMT", 180_000], ["soon", 0], ["0", 0]])("nothing left and reset %s blocks for %s ms", async (reset, wait) => {
  const buckets = createMemoryBuckets(() => NOW);
  const limit = bucket.build({ per: "account", from_headers: { limit: "X-RateLimit-Limit", remaining: "X-RateLimit-Remaining", reset: "X-RateLimit-Reset" } }, context);
  await limit.observe(answerOf({}, { headers: { "x-ratelimit-remaining": "1", "x-ratelimit-reset": reset } }), "b", buckets, NOW);
  expect(await limit.take("b", buckets)).toBe(0);
  await limit.observe(answerOf({}, { headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset } }), "b", buckets, NOW);
  expect(await limit.take("b", buckets)).toBe(wait);
});

test("places are given back, and one that nobody gives back runs out", async () => {
  let now = NOW;
  const buckets = createMemoryBuckets(() => now);
  const limit = bucket.build({ per: "account", at_once: 1 }, context);
  const place = await limit.enter!("p", buckets, 120);
  expect(await limit.enter!("p", buckets, 120)).toBeUndefined();
  await buckets.leave("p", place!);
  expect(await limit.enter!("p", buckets, 120)).toBeDefined();
  now += 120_001;
  expect(await limit.enter!("p", buckets, 120)).toBeDefined();
});

test("a run keeps the limit: it waits, shows why, and reads everything", async () => {
  const place = bench();
  const at: number[] = [];
  const provider = providerDouble(({ query }) => { at.push(place.clock.now()); return { json: { items: Number(query["page"]) > 6 ? [] : [{ id: Number(query["page"]) }] } }; });
  const result = await place.run(planOf({ limits: { all: { per: "account", max: 2, every_seconds: 4, at_once: 1 } }, request: { query: { page: "=page.number" } }, pagination: { type: "page" } }), provider);
  expect(result).toMatchObject({ status: "succeeded", counters: { read: 6, retries: 0 } });
  expect(at.map((time) => time - at[0]!)).toEqual([0, 0, 2_000, 4_000, 6_000, 8_000, 10_000]);
  expect(place.progress.some(({ waiting }) => waiting?.reason.includes("limit"))).toBe(true);
});
