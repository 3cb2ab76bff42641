import { afterAll, beforeAll, expect, test } from "vitest";
import { currentRevision, type Keyring, listTenants, readPlan, restoreRevision, saveRevision, withTenant } from "../../../engine/store/index.ts";
import type { EntityPlan } from "../../../engine/plan/types.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, beginRun, keyring, learner, page, plan, record } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

const sql = <Row>(tenant: string, text: string) => withTenant(at.db, tenant, async (tx) => (await tx.query(text)).rows as Row[]);
const columnsOf = (view: string) => asAdmin<{ name: string; type: string; comment: string | null }>(at.url,
  `select attname as name, format_type(atttypid, null) as type, col_description(attrelid, attnum) as comment from pg_attribute where attrelid = 'entities.${view}'::regclass and attnum > 0 and not attisdropped order by attnum`);

test("a revision is stored once, a plan only when it changed, and the order of its members is kept", async () => {
  const acme = { ...plan("acme"), limits: { zebra: 1, apple: 2, mid: 3 } };
  expect(await saveRevision(at.db, { id: "r1", commit: "abc", plans: [acme, plan("bolt")] })).toEqual({ changed: ["acme", "bolt"] });
  expect(await saveRevision(at.db, { id: "r1", commit: "abc", plans: [acme, plan("bolt")] })).toEqual({ changed: [] });
  expect(await saveRevision(at.db, { id: "r2", plans: [acme, { ...plan("bolt"), limits: { learners: 5 } }] })).toEqual({ changed: ["bolt"] });
  expect(Object.keys((await readPlan(at.db, "acme", "r2")).limits)).toEqual(["zebra", "apple", "mid"]);
  expect(await readPlan(at.db, "acme", "r2")).toEqual(acme);
  expect((await readPlan(at.db, "bolt", "r1")).limits).toEqual({});
  expect(await asAdmin(at.url, "select count(*)::int as count from plans")).toEqual([{ count: 3 }]);
  expect(await currentRevision(at.db, "bolt")).toBe("r2");
  await expect(readPlan(at.db, "acme", "nope")).rejects.toMatchObject({ code: "PLAN_UNKNOWN_TENANT" });
});

test("a revision id that says something else about a tenant than before is refused", async () => {
  await expect(saveRevision(at.db, { id: "r2", plans: [plan("acme", { labels: { other: "x" } })] })).rejects.toThrow(/not a hash of its content/);
});

test("going back to an older revision changes what is in force", async () => {
  expect(await saveRevision(at.db, { id: "r1", plans: [{ ...plan("acme"), limits: { zebra: 1, apple: 2, mid: 3 } }, plan("bolt")] })).toEqual({ changed: ["bolt"] });
  expect(await currentRevision(at.db, "bolt")).toBe("r1");
});

test("whose plan is word for word the same is not touched; the same revision once more sets schedules right", async () => {
  const [same, other] = ["still", "moving"].map((tenant) => plan(tenant, { schedule: { every_seconds: 3600 } }));
  const spoil = (schedule: string) => asAdmin(at.url, "update schedules set schedule = $1 where tenant_id = (select id from tenants where slug = 'still')", [schedule]);
  const scheduled = async () => (await sql<{ schedule: object }>("still", "select schedule from schedules"))[0]!.schedule;
  await saveRevision(at.db, { id: "s1", plans: [same!, other!] });
  await spoil('{"every_seconds": 60}');
  expect(await saveRevision(at.db, { id: "s2", plans: [same!, { ...other!, limits: { learners: 1 } }] })).toMatchObject({ changed: ["moving"] });
  expect([await currentRevision(at.db, "still"), await scheduled()]).toEqual(["s1", { every_seconds: 60 }]);
  expect(await readPlan(at.db, "still", "s2")).toEqual(same);
  await saveRevision(at.db, { id: "s2", plans: [same!, { ...other!, limits: { learners: 1 } }] });
  expect(await scheduled()).toEqual({ every_seconds: 3600 });
});

test("a tenant that the configuration no longer names keeps its data and has no revision in force", async () => {
  await saveRevision(at.db, { id: "r3", plans: [plan("acme")] });
  const gone = (await listTenants(at.db)).find(({ slug }) => slug === "bolt");
  expect(gone).toMatchObject({ slug: "bolt", title: "bolt Ltd" });
  expect(gone).not.toHaveProperty("revision");
  expect(await currentRevision(at.db, "bolt")).toBeUndefined();
});

test("the views of an entity have typed columns with titles, custom fields and labels", async () => {
  const entity: EntityPlan = { ...learner, custom: ["division"] };
  const flow = await beginFlow(at.db, keys, "views", { entity, labels: { LMS_Provider: "Aptem" } });
  await flow.commit(page([
    record("1", { hours: 1.5, active: true, starts_on: "2026-02-03", seen_at: "2026-02-03T04:05:06.789+01:00", tags: ["a"], email: null, custom: { division: "North" } }),
    record("2", { hours: "many", active: "yes", starts_on: "soon", seen_at: "2026-02-30T00:00:00Z" }),
  ]));
  expect((await columnsOf("learner")).map(({ name, type }) => `${name} ${type}`)).toEqual(["id uuid", "full_name text", "email text", "hours numeric", "active boolean", "starts_on date", "seen_at timestamp with time zone", "tags jsonb",
    "custom_division text", "LMS_Provider text", "links jsonb", "created_at timestamp with time zone", "updated_at timestamp with time zone"]);
  expect((await columnsOf("learner")).find(({ name }) => name === "full_name")!.comment).toBe("Full name");
  const rows = await sql<Record<string, unknown>>("views", `select * from entities.learner order by links ->> 'aptem'`);
  expect(rows[0]).toMatchObject({ full_name: "Learner 1", hours: "1.5", active: true, seen_at: new Date("2026-02-03T03:05:06.789Z"), tags: ["a"], email: null, custom_division: "North", LMS_Provider: "Aptem" });
  expect(rows[1]).toMatchObject({ hours: null, active: null, starts_on: null, seen_at: null });
  expect(await sql("views", `select connection, stream, key, hours::float8 as hours from entities.learner_by_origin order by key limit 1`)).toEqual([{ connection: "aptem", stream: "users", key: "1", hours: 1.5 }]);
  await flow.commit(page([], { gone: ["2"] }));
  expect(await sql("views", "select key from entities.learner_by_origin")).toEqual([{ key: "1" }]);
  expect(await sql("views", "select 1 as one from entities.learner")).toHaveLength(1);
});

test("a changed schema remakes the views, with the custom fields and labels of all tenants", async () => {
  const schema = { title: "Learner", type: "object", properties: { id: { type: "string" }, hours: { type: "string" }, level: { enum: [1, 2, null] }, LMS_Provider: { type: "string" }, custom: { type: "object", properties: { rank: { type: "integer", title: "Rank" } } } } };
  await saveRevision(at.db, { id: "views-2", plans: [plan("views", { entity: { ...learner, schema, custom: ["division"] }, labels: { Region: "EU" } }), plan("acme", { entity: { ...learner, schema, custom: ["area"] }, labels: { LMS_Provider: "x" } })] });
  expect((await columnsOf("learner")).map(({ name, type }) => `${name} ${type}`)).toEqual(["id uuid", "field_id text", "hours text", "level numeric", "LMS_Provider text", "custom_rank numeric", "custom_area text", "custom_division text",
    "label_LMS_Provider text", "Region text", "links jsonb", "created_at timestamp with time zone", "updated_at timestamp with time zone"]);
});

test("names in a schema are no SQL", async () => {
  const evil = `x"; drop table plugboard.tenants; --`;
  const schema = { type: "object", properties: { [evil]: { type: "string", title: "it's" }, "o'neil": { type: "number" }, [`${"ä".repeat(60)}`]: { type: "string" } } };
  await saveRevision(at.db, { id: "views-3", plans: [plan("views", { entity: { ...learner, schema, custom: ["a'b\\"] } })] });
  expect((await columnsOf("learner")).map(({ name }) => name)).toContain(evil);
  expect(await listTenants(at.db)).not.toEqual([]);
  await expect(at.db.pool.query("select sync_entity_views($1, '[]')", [`learner" as select 1; --`])).rejects.toMatchObject({ code: "22023" });
});

test("a run keeps the plan it began with when a new revision is applied", async () => {
  const flow = await beginFlow(at.db, keys, "pinned");
  const [{ revision }] = await sql<{ revision: string }>("pinned", "select revision from runs") as [{ revision: string }];
  await saveRevision(at.db, { id: "pinned-2", plans: [plan("pinned", { labels: { new: "1" } })] });
  expect((await readPlan(at.db, "pinned", revision)).flows["learners"]!.labels).toEqual({});
  expect(await (await beginRun(at.db, keys, "pinned", flow.run, flow.attempt)).commit(page([record("1")]))).toMatchObject({ created: 1 });
});

test("about whom a revision says nothing it says what the newest line before it says, also to one that is gone back to", async () => {
  const [calm, busy] = [plan("calm"), (limit: number) => ({ ...plan("busy"), limits: { learners: limit } })];
  const lines = (tenant: string) => sql<{ revision: string; named: boolean }>(tenant, "select revision, plan_hash is not null as named from tenant_revisions order by seq");
  await saveRevision(at.db, { id: "t1", plans: [calm, busy(1)] });
  await saveRevision(at.db, { id: "t2", plans: [calm, busy(2)] });
  await saveRevision(at.db, { id: "t3", plans: [busy(2)] });                        // calm leaves
  await saveRevision(at.db, { id: "t4", plans: [calm, busy(1)] });                  // and comes again
  expect([await lines("calm"), await lines("busy")]).toEqual([
    [{ revision: "t1", named: true }, { revision: "t3", named: false }, { revision: "t4", named: true }],
    [{ revision: "t1", named: true }, { revision: "t2", named: true }, { revision: "t4", named: true }],
  ]);
  expect((await readPlan(at.db, "busy", "t3")).limits).toEqual({ learners: 2 });
  await expect(readPlan(at.db, "calm", "t3")).rejects.toMatchObject({ code: "PLAN_UNKNOWN_TENANT" });

  const back = (id: string) => restoreRevision(at.db, id, undefined, { how: "rollback" });
  const now = async () => [await currentRevision(at.db, "calm"), await currentRevision(at.db, "busy")];
  expect([await back("t2"), await now()]).toEqual([{ changed: ["busy"] }, ["t4", "t2"]]);       // calm's plan is the one it had
  expect([await back("t3"), await now()]).toEqual([{ changed: ["calm"] }, [undefined, "t2"]]);
  expect([(await back("t1")).changed.toSorted(), await now()]).toEqual([["busy", "calm"], ["t1", "t1"]]);
  // What comes after a rollback is compared with what is in force, and is found again itself.
  expect(await saveRevision(at.db, { id: "t5", plans: [calm, busy(2)] })).toEqual({ changed: ["busy"] });
  expect([await back("t4"), await now()]).toEqual([{ changed: ["busy"] }, ["t1", "t4"]]);
  expect((await readPlan(at.db, "busy", "t5")).limits).toEqual({ learners: 2 });
  await expect(back("t0")).rejects.toMatchObject({ code: "CHANGE_REVISION" });
});

test("who was erased and is named once more by the same configuration is somebody else, of whom it says the same", async () => {
  const [again, beside] = [plan("again"), plan("beside")];
  await saveRevision(at.db, { id: "named", plans: [again, beside] });
  await saveRevision(at.db, { id: "unnamed", plans: [beside] });
  await asAdmin(at.url, "update tenants set deleted_at = now() where slug = 'again'");
  expect(await saveRevision(at.db, { id: "named", plans: [again, beside] })).toEqual({ changed: ["again"] });
  expect([await currentRevision(at.db, "again"), await readPlan(at.db, "again", "named")]).toEqual(["named", again]);
  expect(await saveRevision(at.db, { id: "after", plans: [again, beside] })).toEqual({ changed: [] });
  expect(await readPlan(at.db, "again", "after")).toEqual(again);
});
