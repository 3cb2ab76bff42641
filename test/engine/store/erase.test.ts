import { afterAll, beforeAll, expect, test } from "vitest";
import { addMembership, addUser, confirmErasureOf, createRun, eraseTenant, findTenant, listRecords, readProfile, releaseOrganisation, requestErasure, reserveOrganisation, saveRevision, setConnection, unfinishedErasures, withTenant, type Erased, type Keyring } from "../../../engine/store/index.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, beginRun, keyring, page, plan, records } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

const idOf = async (tenant: string): Promise<string> => (await asAdmin<{ id: string }>(at.url, "select id from tenants where slug = $1 and deleted_at is null", [tenant]))[0]!.id;
const left = async (id: string): Promise<string[]> => {
  const found: string[] = [];
  for (const { name, tenant_column } of await asAdmin<{ name: string; tenant_column: string }>(at.url, "select name, tenant_column from tenant_tables()")) {
    if ((await asAdmin(at.url, `select 1 from "${name}" where "${tenant_column}" = $1 limit 1`, [id])).length > 0) found.push(name);
  }
  return found;
};

test("a worker that is at it stores nothing of a tenant that is erased, nor begins again", async () => {
  const flow = await beginFlow(at.db, keys, "acme");
  await flow.commit(page(records(1, 50)));
  const id = await idOf("acme");
  const { token, counts } = await requestErasure(at.db, "acme", "root");
  expect(counts).toMatchObject({ contributions: 50, entity_rows: 50, runs: 1 });
  await confirmErasureOf(at.db, "acme", token, "root");
  await expect(beginRun(at.db, keys, "acme", flow.run, flow.attempt)).rejects.toMatchObject({ code: "TENANT_SUSPENDED" });
  const [erased, late] = await Promise.allSettled([eraseTenant(at.db, "acme"), flow.commit(page(records(51, 60)))]);
  expect([erased.status, late]).toMatchObject(["fulfilled", { reason: { code: "RUN_FENCED" } }]);
  expect((erased as PromiseFulfilledResult<Erased>).value.removed).toMatchObject({ tenant_keys: 1, checkpoints: 1, runs: 1, entity_rows: 50 });
  await expect(flow.commit(page(records(61, 70)))).rejects.toMatchObject({ code: "RUN_FENCED" });
  await expect(flow.store.begin()).rejects.toMatchObject({ code: "TENANT_SUSPENDED" });
  expect(await left(id)).toEqual([]);
  expect(await findTenant(at.db, "acme")).toBeUndefined();
});

test("the keys are gone from the first moment: nothing sealed opens, though rows are still there", async () => {
  await saveRevision(at.db, { id: "r-bolt", plans: [plan("bolt")] });
  await setConnection(at.db, keys, "bolt", "aptem", { connector: "aptem", config: {}, secrets: { token: "s3cret" } });
  const { token } = await requestErasure(at.db, "bolt", "root");
  await confirmErasureOf(at.db, "bolt", token, "root");
  expect(await asAdmin(at.url, "select 1 from tenant_keys where tenant_id = $1", [await idOf("bolt")])).toEqual([]);
  expect(await asAdmin(at.url, "select 1 from secrets where tenant_id = $1", [await idOf("bolt")])).toHaveLength(1);
  expect(await unfinishedErasures(at.db)).toEqual(["bolt"]);
  await eraseTenant(at.db, "bolt");
  expect(await unfinishedErasures(at.db)).toEqual([]);
});

test("two that erase at the same time erase once", async () => {
  await saveRevision(at.db, { id: "r-cult", plans: [plan("cult")] });
  const { token } = await requestErasure(at.db, "cult", "root");
  await confirmErasureOf(at.db, "cult", token, "root");
  const both = await Promise.allSettled([eraseTenant(at.db, "cult"), eraseTenant(at.db, "cult")]);
  expect(both.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(1);
  expect(await asAdmin(at.url, "select count(*)::int as count from erasures where slug = 'cult' and finished_at is not null")).toEqual([{ count: 1 }]);
});

test("people who belong nowhere else go; those of other tenants stay, without this one", async () => {
  await saveRevision(at.db, { id: "r-people", plans: [plan("duke"), plan("east")] });
  const [only, both] = await withTenant(at.db, "duke", async (tx) => [await addUser(tx, { email: "only@example.com", name: "Only" }), await addUser(tx, { email: "both@example.com", name: "Both" })]) as [string, string];
  for (const [tenant, users] of [["duke", [only, both]], ["east", [both]]] as const) await withTenant(at.db, tenant, async (tx) => { for (const user of users) await addMembership(tx, user, "tenant_admin"); });
  const { token } = await requestErasure(at.db, "duke", "root");
  await confirmErasureOf(at.db, "duke", token, "root");
  expect((await eraseTenant(at.db, "duke")).removed).toMatchObject({ users: 1 });
  expect(await asAdmin(at.url, "select u.email, (select count(*)::int from memberships m where m.user_id = u.id) as places from users u order by 1")).toEqual([{ email: "both@example.com", places: 1 }]);
});

test("a name that was given back, or erased, is used again and meets no old rows", async () => {
  const reserve = () => reserveOrganisation(at.db, { slug: "fast", title: "Fast", subdomain: "fast", by: "root", hash: "h", profile: { billing: { email: "b@example.com" } } }, async () => undefined);
  await reserve();
  const first = await idOf("fast");
  expect(await releaseOrganisation(at.db, "fast")).toBe(true);
  expect(await left(first)).toEqual([]);
  expect(await reserve()).toMatchObject({ isNew: true });
  expect(await idOf("fast")).not.toBe(first);
  await saveRevision(at.db, { id: "r-fast", plans: [plan("fast")] });
  expect(await findTenant(at.db, "fast")).toMatchObject({ status: "active" });
  expect(await releaseOrganisation(at.db, "fast")).toBe(false);
  expect((await readProfile(at.db, "fast")).billing).toEqual({ email: "b@example.com" });
  expect((await listRecords(at.db, "fast", "learner")).items).toEqual([]);
});

test("a token confirms its own tenant's erasure, once asked, for an hour", async () => {
  await saveRevision(at.db, { id: "r-gold", plans: [plan("gold"), plan("hill")] });
  const { token } = await requestErasure(at.db, "gold", "root");
  await expect(confirmErasureOf(at.db, "hill", token, "root")).rejects.toMatchObject({ code: "TENANT_CONFIRMATION" });
  await asAdmin(at.url, "update erasures set expires_at = now() - interval '1 second' where slug = 'gold'");
  await expect(confirmErasureOf(at.db, "gold", token, "root")).rejects.toMatchObject({ code: "TENANT_CONFIRMATION" });
  await expect(eraseTenant(at.db, "gold")).rejects.toMatchObject({ code: "TENANT_CONFIRMATION" });
  expect(await createRun(at.db, { tenant: "gold", flow: "learners", connection: "aptem", trigger: "api", revision: "r-gold" })).toMatchObject({ coalesced: false });
});
