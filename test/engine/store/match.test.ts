import { afterAll, beforeAll, expect, test } from "vitest";
import { getRecord, type Keyring, listContributions, listRecords } from "../../../engine/store/index.ts";
import type { EntityPlan } from "../../../engine/plan/types.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, type Flow, keyring, learner, page, record, sweeping } from "./rig.ts";

const matched: EntityPlan = { ...learner, match: ["email", "custom.uln"], prefer: ["hubspot", "aptem"] };
let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

const begin = (tenant: string, connection: string, entity = matched): Promise<Flow> => beginFlow(at.db, keys, tenant, { connection, entity, labels: { [`${connection}_label`]: connection } });
const rows = async (tenant: string) => (await listRecords(at.db, tenant, "learner")).items;

test("contributions of equal value are one row, field by field in the order of prefer, with a link for each", async () => {
  const aptem = await begin("one", "aptem");
  await aptem.commit(page([record("a1", { full_name: "From Aptem", email: "x@y.z", hours: 5, custom: { uln: "1", only_aptem: true } }), record("a2", { email: "other@y.z" })]));
  const [first] = (await rows("one")).filter((row) => row.links["aptem"] === "a1");
  const hubspot = await begin("one", "hubspot");
  await hubspot.commit(page([record("h1", { full_name: "From HubSpot", email: "x@y.z", hours: null as never, custom: { only_hubspot: 1 } })]));
  const all = await rows("one");
  expect(all).toHaveLength(2);
  expect(all.find(({ id }) => id === first!.id)).toMatchObject({
    full_name: "From HubSpot", hours: 5, custom: { uln: "1", only_aptem: true, only_hubspot: 1 }, links: { aptem: "a1", hubspot: "h1" }, labels: { aptem_label: "aptem", hubspot_label: "hubspot" },
  });
  // The provider deletes its side: the row lives on with the other's values.
  await hubspot.commit(page([], { gone: ["h1"] }));
  expect((await rows("one")).find(({ id }) => id === first!.id)).toMatchObject({ full_name: "From Aptem", links: { aptem: "a1" } });
  await aptem.commit(page([], { dropped: ["a1"] }));
  expect(await rows("one")).toHaveLength(1);
});

test("absent, null and empty values match nothing", async () => {
  const aptem = await begin("nothing", "aptem");
  await aptem.commit(page([record("1", { email: "" }), record("2", { email: null }), record("3"), record("4", { email: " " }), record("5", { email: ["a"] })]));
  const hubspot = await begin("nothing", "hubspot");
  await hubspot.commit(page([record("1", { email: "" }), record("2", { email: null }), record("3"), record("5", { email: ["a"] })]));
  expect(await rows("nothing")).toHaveLength(9);
});

test("a contribution that links two rows joins them into the older one, whose id and the other's both stay valid", async () => {
  const aptem = await begin("bridge", "aptem");
  await aptem.commit(page([record("a1", { email: "e@y.z" })]));
  await aptem.commit(page([record("a2", { custom: { uln: "77" } })]));
  const [older, younger] = await rows("bridge");
  const hubspot = await begin("bridge", "hubspot");
  await hubspot.commit(page([record("h1", { email: "e@y.z", custom: { uln: "77" } })]));
  const all = await rows("bridge");
  expect(all.map(({ id }) => id)).toEqual([older!.id]);
  expect(await getRecord(at.db, "bridge", "learner", younger!.id)).toMatchObject({ id: older!.id });
  expect(await listContributions(at.db, "bridge", "learner", older!.id)).toHaveLength(3);
  // Once joined, a change of the value that joined them does not split them.
  await hubspot.commit(page([record("h1", { email: "new@y.z" })]));
  expect(await rows("bridge")).toHaveLength(1);
});

test("records of one page match each other, through a third too", async () => {
  const aptem = await begin("page", "aptem");
  await aptem.commit(page([record("1", { email: "a@y.z" }), record("2", { email: "a@y.z", custom: { uln: "5" } }), record("3", { custom: { uln: 5 } }), record("4", { email: "b@y.z" })]));
  const all = await rows("page");
  expect(all).toHaveLength(2);
  expect(all.map(({ links }) => links["aptem"]).sort()).toEqual(["1", "4"]);
});

test("a record that no longer has a value does not attract others by it", async () => {
  const aptem = await begin("stale", "aptem");
  await aptem.commit(page([record("1", { email: "old@y.z" })]));
  await aptem.commit(page([record("1", { email: "new@y.z" }), record("2", { email: "old@y.z" })]));
  expect(await rows("stale")).toHaveLength(2);
  await aptem.commit(page([], { gone: ["2"] }));
  await aptem.commit(page([record("3", { email: "old@y.z" })]));
  expect(await rows("stale")).toHaveLength(2);
});

test("two connections that store the same new value at once make one row", async () => {
  const [aptem, hubspot] = [await begin("atonce", "aptem"), await begin("atonce", "hubspot")];
  await Promise.all(Array.from({ length: 10 }, (_, n) => [
    aptem.commit(page([record(`a${n}`, { email: `${n}@y.z` })])), hubspot.commit(page([record(`h${n}`, { email: `${n}@y.z` })])),
  ]).flat());
  const all = await rows("atonce");
  expect(all).toHaveLength(10);
  expect(all.every(({ links }) => links["aptem"] && links["hubspot"])).toBe(true);
});

test("with newest, the newest contribution's values win", async () => {
  const newest = { ...matched, prefer: "newest" as const };
  const aptem = await begin("newest", "aptem", newest);
  await aptem.commit(page([record("a", { email: "x@y.z", hours: 1 }, 200)]));
  const hubspot = await begin("newest", "hubspot", newest);
  await hubspot.commit(page([record("h", { email: "x@y.z", hours: 2 }, 100)]));
  expect(await rows("newest")).toMatchObject([{ hours: 1 }]);
  await hubspot.commit(page([record("h", { email: "x@y.z", hours: 3 }, 300)]));
  expect(await rows("newest")).toMatchObject([{ hours: 3 }]);
});

test("a row whose joined values did not change keeps its time", async () => {
  const aptem = await begin("quiet", "aptem");
  await aptem.commit(page([record("a", { email: "x@y.z", hours: 1 }, 1)]));
  const hubspot = await begin("quiet", "hubspot");
  await hubspot.commit(page([record("h", { email: "x@y.z", hours: 2 }, 1)]));
  const [before] = await rows("quiet");
  expect(await aptem.commit(page([record("a", { email: "x@y.z", hours: 9 }, 2)]))).toMatchObject({ updated: 1 });
  expect(await rows("quiet")).toEqual([before]);
});

test("rows joined once stay whole when the entity no longer matches", async () => {
  const aptem = await begin("unmatched", "aptem");
  await aptem.commit(page([record("a", { email: "x@y.z", hours: 1 })]));
  const hubspot = await begin("unmatched", "hubspot");
  await hubspot.commit(page([record("h", { email: "x@y.z", full_name: "Preferred" })]));
  const plain = await begin("unmatched", "hubspot", { ...matched, match: [] }).catch(() => undefined);
  expect(plain).toBeUndefined();                                     // its run is still under way
  const again = await beginAgain("unmatched");
  await again.commit(page([record("a", { email: "z@y.z", hours: 2 })]));
  expect(await rows("unmatched")).toMatchObject([{ full_name: "Preferred", hours: 2, links: { aptem: "a", hubspot: "h" } }]);
});

async function beginAgain(tenant: string): Promise<Flow> {
  const { beginRun } = await import("./rig.ts");
  const { listRuns } = await import("../../../engine/store/index.ts");
  const { items } = await listRuns(at.db, tenant, { connection: "aptem" });
  return beginRun(at.db, keys, tenant, items[0]!.id, items[0]!.attempt, { connection: "aptem", entity: { ...matched, match: [] } });
}

test("a sweep ends contributions, and only rows that have none left", async () => {
  const aptem = await begin("sweep", "aptem");
  const hubspot = await begin("sweep", "hubspot");
  await hubspot.commit(page([record("h1", { email: "1@y.z" })]));
  await aptem.commit(page([record("a1", { email: "1@y.z" }), record("a2", { email: "2@y.z" }), record("a3", { email: "3@y.z" })]));
  await aptem.commit(page([], sweeping(1, new Date(), ["a3"])));
  expect(await aptem.store.completePass({}, { number: 1 }, aptem.epoch)).toEqual({ swept: 2 });
  expect((await rows("sweep")).map(({ links }) => links)).toEqual(expect.arrayContaining([{ hubspot: "h1" }, { aptem: "a3" }]));
  expect(await rows("sweep")).toHaveLength(2);
});
