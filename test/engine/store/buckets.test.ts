import { afterAll, beforeAll, expect, test } from "vitest";
import { buckets } from "../../../engine/store/index.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

let at: TestDatabase;
beforeAll(async () => { at = await testDatabase(); });
afterAll(() => at.close());

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("many workers at once get no more than the limit, and are told when to ask again", async () => {
  const bucket = buckets(at.db);
  const waits = await Promise.all(Array.from({ length: 40 }, () => bucket.take("acme/hubspot/all", { max: 10, every_seconds: 3600 })));
  expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
  for (const wait of waits.filter((one) => one > 0)) expect(wait).toBeGreaterThan(3_000_000);
  expect(await bucket.take("acme/hubspot/search", { max: 10, every_seconds: 3600 })).toBe(0);
});

test("no rolling window sees more than the limit, and the rate is nearly used", async () => {
  const bucket = buckets(at.db);
  const limit = { max: 20, every_seconds: 0.5 };
  // The server grants somewhere between the question and the answer: only what lies in a window with both is surely in it.
  const grants: { asked: number; answered: number }[] = [];
  const end = Date.now() + 2500;
  while (Date.now() < end) {
    const asked = performance.now();
    const wait = await bucket.take("rolling", limit);
    if (wait === 0) grants.push({ asked, answered: performance.now() });
    else await sleep(wait);
  }
  for (const { asked: start } of grants) expect(grants.filter(({ asked, answered }) => asked >= start && answered < start + 480).length).toBeLessThanOrEqual(20);
  expect(grants.length).toBeGreaterThan(50);
});

test("nobody takes from a blocked bucket, and a shorter block does not shorten a longer one", async () => {
  const bucket = buckets(at.db);
  await bucket.block("blocked", Date.now() + 400);
  await bucket.block("blocked", Date.now() + 100);
  const wait = await bucket.take("blocked", { max: 5, every_seconds: 1 });
  expect(wait).toBeGreaterThan(200);
  expect(wait).toBeLessThanOrEqual(400);
  await sleep(wait + 5);
  expect(await bucket.take("blocked", { max: 5, every_seconds: 1 })).toBe(0);
});

test("places at once are limited, given back, and free themselves", async () => {
  const bucket = buckets(at.db);
  const places = await Promise.all(Array.from({ length: 10 }, () => bucket.enter("places", 3, 0.6)));
  const mine = places.filter((place) => place !== undefined);
  expect(mine).toHaveLength(3);
  await bucket.leave("places", mine[0]!);
  expect(await bucket.enter("places", 3, 0.6)).toBeDefined();
  expect(await bucket.enter("places", 3, 0.6)).toBeUndefined();
  await sleep(650);
  expect(await bucket.enter("places", 3, 0.6)).toBeDefined();
});
