import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { entityCounts, listQuarantine, type Keyring } from "../../../engine/store/index.ts";
import type { EntityPlan } from "../../../engine/plan/types.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { balanced, beginFlow, beginRun, keyring, learner, page, record, records } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

const limited = (most: number, match: readonly string[] = []): EntityPlan => ({ ...learner, match, limit: { name: "learners", most } });
const live = async (tenant: string): Promise<number> => (await entityCounts(at.db, tenant))["learner"] ?? 0;
const held = async (tenant: string): Promise<(string | undefined)[]> => (await listQuarantine(at.db, tenant, { status: "open" })).items.filter(({ code }) => code === "LIMIT_REACHED").map(({ key }) => key).toSorted();

test("the row beyond the limit is held and shown, in the order of the page, and nothing is deleted", async () => {
  const flow = await beginFlow(at.db, keys, "acme", { entity: limited(3) });
  const outcome = await flow.commit(page(records(1, 5)));
  expect(outcome).toMatchObject({ read: 5, created: 3, quarantined: 2, held: 2 });
  expect(balanced(outcome)).toBe(true);
  expect([await live("acme"), await held("acme")]).toEqual([3, ["4", "5"]]);
  const [entry] = (await listQuarantine(at.db, "acme")).items;
  expect(entry).toMatchObject({ code: "LIMIT_REACHED", params: { limit: 3, name: "learners" }, reason: "The contract covers 3 learners, and there are as many: this one is held." });
});

test("rows that are there change freely; a held one that comes again stays one entry", async () => {
  const flow = await beginFlow(at.db, keys, "bolt", { entity: limited(2) });
  await flow.commit(page(records(1, 3)));
  expect(await flow.commit(page([record("1", { full_name: "New" }), record("3"), record("3", { full_name: "Three" })]))).toMatchObject({ updated: 1, quarantined: 1, superseded: 1, held: 1 });
  expect([await live("bolt"), await held("bolt")]).toEqual([2, ["3"]]);
  expect((await listQuarantine(at.db, "bolt")).items[0]).toMatchObject({ seen: 2 });
});

test("when a row leaves there is room: the next run tries the held ones, as many as fit", async () => {
  const entity = limited(2);
  const flow = await beginFlow(at.db, keys, "cult", { entity });
  await flow.commit(page(records(1, 4)));
  expect(await flow.store.quarantineToReplay(undefined)).toEqual([]);
  await flow.commit(page([], { gone: ["1"] }));
  const next = await beginRun(at.db, keys, "cult", randomUUID(), 1, { entity, revision: (await listQuarantine(at.db, "cult")).items[0]!.revision });
  const entries = await next.store.quarantineToReplay(undefined);
  expect(entries.map(({ raw }) => (raw as { id: string }).id).toSorted()).toEqual(["3", "4"]);
  const replayed = entries.map((entry) => ({ ...record((entry.raw as { id: string }).id), entry: entry.id }));
  const outcome = await next.commit(page(replayed, { replayed: entries.map(({ id, received_at }, index) => ({ id, received_at, key: replayed[index]!.key })) }));
  expect(outcome).toMatchObject({ created: 1, held: 1 });
  expect([await live("cult"), (await held("cult")).length]).toEqual([2, 1]);
  expect(await next.store.quarantineToReplay(undefined)).toEqual([]);
});

test("under a raised limit everything held is tried again", async () => {
  const flow = await beginFlow(at.db, keys, "duke", { entity: limited(1) });
  await flow.commit(page(records(1, 3)));
  const raised = await beginRun(at.db, keys, "duke", flow.run, flow.attempt, { entity: limited(10), revision: "another" });
  expect(await raised.store.quarantineToReplay(undefined)).toHaveLength(2);
});

test("a record that joins a row that is there needs no room; what is held joins nobody", async () => {
  const entity = limited(1, ["email"]);
  const [aptem, hubspot] = [await beginFlow(at.db, keys, "east", { entity }), await beginFlow(at.db, keys, "east", { entity, connection: "hubspot" })];
  await aptem.commit(page([record("1", { email: "a@x" }), record("2", { email: "b@x" })]));
  expect(await hubspot.commit(page([record("h1", { email: "a@x" })]))).toMatchObject({ created: 1, quarantined: 0 });
  expect(await hubspot.commit(page([record("h2", { email: "b@x" })]))).toMatchObject({ created: 0, held: 1 });
  expect([await live("east"), await held("east")]).toEqual([1, ["2", "h2"]]);
});

test("two connections that fill up at the same time do not pass the limit together", async () => {
  const entity = limited(10);
  const flows = [await beginFlow(at.db, keys, "fast", { entity }), await beginFlow(at.db, keys, "fast", { entity, connection: "hubspot" })];
  const outcomes = await Promise.all([1, 2, 3].flatMap((part) => flows.map((flow, which) => flow.commit(page(records(part * 10, part * 10 + 4).map((one) => ({ ...one, key: `${which}-${one.key}` })))))));
  expect(outcomes.reduce((sum, { created }) => sum + created, 0)).toBe(10);
  expect([await live("fast"), (await held("fast")).length]).toEqual([10, 20]);
});

test("without a limit nothing is counted, and a limit of none holds everything", async () => {
  expect(await (await beginFlow(at.db, keys, "gold")).commit(page(records(1, 3)))).not.toHaveProperty("held");
  expect(await (await beginFlow(at.db, keys, "hill", { entity: limited(0) })).commit(page(records(1, 3)))).toMatchObject({ created: 0, held: 3 });
});

test("a run of a suspended tenant does not begin", async () => {
  const flow = await beginFlow(at.db, keys, "iris");
  await at.db.pool.query("update tenants set status = 'suspended' where slug = 'iris'");
  await expect(beginRun(at.db, keys, "iris", flow.run, flow.attempt)).rejects.toMatchObject({ code: "TENANT_SUSPENDED" });
});
