import { afterAll, beforeAll, expect, test } from "vitest";
import { describeConnection, ensureTenant, type Keyring, listQuarantine, listRecords, listRuns, readConnectionValues, readRaw, saveRevision, setConnection, tokenStore, withTenant } from "../../../engine/store/index.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, keyring, page, plan, record, records } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => {
  at = await testDatabase();
  keys = await keyring();
  for (const tenant of ["acme", "bolt"]) {
    const flow = await beginFlow(at.db, keys, tenant);
    await flow.commit(page([record("1", { full_name: `canary of ${tenant}` }), ...records(2, 5)], { quarantined: [{ key: "9", code: "MAPPING_INVALID", params: {}, reason: `canary of ${tenant}`, raw: {} }] }));
    await setConnection(at.db, keys, tenant, "aptem", { connector: "aptem", config: { tenant_host: tenant }, secrets: { token: `s3cret of ${tenant}` } });
    await tokenStore(at.db, keys, tenant, "aptem")("default").write({ value: `token of ${tenant}`, expires_at: 1_800_000_000_000 });
  }
});
afterAll(() => at.close());

test("without a tenant every table of a tenant is empty, and nothing can be written", async () => {
  const tables = await asAdmin<{ name: string }>(at.url, "select attrelid::regclass::text as name from pg_attribute a join pg_class c on c.oid = a.attrelid where attname = 'tenant_id' and c.relkind = 'r' and c.relnamespace = 'plugboard'::regnamespace");
  for (const { name } of tables) {
    const { rows } = await at.db.pool.query(`select count(*)::int as count from ${name}`);
    expect({ name, ...rows[0] }).toEqual({ name, count: 0 });
  }
  await expect(at.db.pool.query("insert into plans (tenant_id, hash, plan) select id, 'x', '{}' from tenants")).rejects.toMatchObject({ code: "42501" });
  expect((await at.db.pool.query("select * from entities.learner")).rows).toEqual([]);
});

test("a tenant sees its own rows only, through every list and through SQL", async () => {
  for (const [mine, other] of [["acme", "bolt"], ["bolt", "acme"]] as const) {
    const everything = JSON.stringify([await listRecords(at.db, mine, "learner"), await listQuarantine(at.db, mine), await listRuns(at.db, mine), await describeConnection(at.db, mine, "aptem"),
      await withTenant(at.db, mine, async (tx) => (await tx.query("select l.*, o.* from entities.learner l, entities.learner_by_origin o")).rows)]);
    expect(everything).toContain(`canary of ${mine}`);
    expect(everything).not.toContain(`canary of ${other}`);
    expect(everything).not.toContain(`s3cret`);
    const { rows: [foreign] } = await withTenant(at.db, mine, (tx) => tx.query("select count(*)::int as count from contributions where tenant_id <> (select nullif(current_setting('plugboard.tenant_id', true), '')::uuid)"));
    expect(foreign).toEqual({ count: 0 });
  }
});

test("writing a row for another tenant is refused", async () => {
  const [bolt] = await asAdmin<{ id: string }>(at.url, "select id from tenants where slug = 'bolt'");
  await expect(withTenant(at.db, "acme", (tx) => tx.query("insert into plans (tenant_id, hash, plan) values ($1, 'x', '{}')", [bolt!.id]))).rejects.toMatchObject({ code: "STORE_PRIVILEGES" });
  await expect(withTenant(at.db, "acme", (tx) => tx.query("update connections set tenant_id = $1", [bolt!.id]))).rejects.toMatchObject({ code: "STORE_PRIVILEGES" });
});

test("a tenant nobody knows is no tenant, and its name is no SQL", async () => {
  for (const name of ["nobody", "x'; drop table tenants; --", ""]) {
    await expect(withTenant(at.db, name, async () => 1)).rejects.toMatchObject({ code: "PLAN_UNKNOWN_TENANT" });
  }
});

test("a connection goes back to the pool without a tenant, whatever happened in the transaction", async () => {
  await Promise.allSettled(Array.from({ length: 60 }, (_, index) => withTenant(at.db, index % 2 ? "acme" : "bolt", async (tx) => {
    const { rows } = await tx.query("select distinct data ->> 'full_name' as name from contributions where key = '1'");
    expect(rows).toEqual([{ name: `canary of ${index % 2 ? "acme" : "bolt"}` }]);
    if (index % 3 === 0) throw new Error("thrown");
    if (index % 7 === 0) await tx.query("select 1/0");
  })));
  for (let n = 0; n < 10; n++) {
    const { rows } = await at.db.pool.query("select current_setting('plugboard.tenant_id', true) as tenant, current_user::text as role");
    expect(rows[0].tenant ?? "").toBe("");
    expect(rows[0].role).toBe("plugboard_app");
  }
});

test("a connection that would keep a tenant is not given back", async () => {
  await expect(withTenant(at.db, "acme", (tx) => tx.query("select set_config('plugboard.tenant_id', gen_random_uuid()::text, false)"))).rejects.toThrow(/left its tenant/);
  const { rows } = await at.db.pool.query("select count(*)::int as count from contributions");
  expect(rows[0].count).toBe(0);
});

test("a ciphertext that is moved to another tenant, connection, field or key does not open", async () => {
  const connector = { id: "aptem", title: "Aptem", config: { token: { title: "Token", secret: true }, other: { title: "Other", secret: true, optional: true } }, streams: {} };
  const values = () => readConnectionValues(at.db, keys, "acme", "aptem", connector);
  expect((await values()).config).toEqual({ token: "s3cret of acme" });
  // The same field of another tenant.
  await asAdmin(at.url, `update secrets a set sealed = b.sealed from secrets b, tenants ta, tenants tb where ta.id = a.tenant_id and tb.id = b.tenant_id and ta.slug = 'acme' and tb.slug = 'bolt'`);
  await expect(values()).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  await setConnection(at.db, keys, "acme", "aptem", { connector: "aptem", config: {}, secrets: { token: null } });
  await setConnection(at.db, keys, "acme", "aptem", { connector: "aptem", config: {}, secrets: { token: "again" } });
  expect((await values()).config["token"]).toBe("again");
  // The same tenant, another field.
  await asAdmin(at.url, "insert into secrets (tenant_id, connection, field, version, dek_version, sealed, fingerprint) select tenant_id, connection, 'other', version, dek_version, sealed, fingerprint from secrets s join tenants t on t.id = s.tenant_id where t.slug = 'acme'");
  await expect(values()).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  // An older version of itself.
  await asAdmin(at.url, "delete from secrets where field = 'other'; update secrets set version = version + 1");
  await expect(values()).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  // A raw record under another key, and with a changed byte.
  const raw = { connection: "aptem", stream: "users", entity: "learner", key: "2" };
  expect(await readRaw(at.db, keys, "acme", raw)).toMatchObject({ id: "2" });
  await asAdmin(at.url, "update contributions a set raw = b.raw from contributions b where a.key = '2' and b.key = '3' and a.tenant_id = b.tenant_id");
  await expect(readRaw(at.db, keys, "acme", raw)).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  await asAdmin(at.url, "update contributions set raw = set_byte(raw, length(raw) - 1, (get_byte(raw, length(raw) - 1) + 1) % 256) where key = '4'");
  await expect(readRaw(at.db, keys, "acme", { ...raw, key: "4" })).rejects.toMatchObject({ code: "STORE_DECRYPT" });
});

test("nothing secret stands in any table in clear", async () => {
  const tables = await asAdmin<{ name: string }>(at.url, "select c.oid::regclass::text as name from pg_class c where c.relnamespace in ('plugboard'::regnamespace, 'pgboss'::regnamespace) and c.relkind = 'r'");
  for (const { name } of tables) {
    const rows = await asAdmin<{ row: string }>(at.url, `select t::text as row from ${name} t`);
    for (const { row } of rows) for (const secret of ["s3cret of", "token of bolt", "secret_of"]) {
      expect(row.includes(secret) || row.includes(Buffer.from(secret).toString("hex")), `${name} shows '${secret}'`).toBe(false);
    }
  }
});

test("a tenant whose slug is used again starts without the old one's rows", async () => {
  await ensureTenant(at.db, { slug: "reborn", title: "First" });
  await saveRevision(at.db, { id: "reborn-1", plans: [plan("acme"), plan("bolt"), plan("reborn")] });
  const flow = await beginFlow(at.db, keys, "reborn");
  await flow.commit(page(records(1, 3)));
  await asAdmin(at.url, "update tenants set deleted_at = now() where slug = 'reborn'");
  await expect(listRecords(at.db, "reborn", "learner")).rejects.toMatchObject({ code: "PLAN_UNKNOWN_TENANT" });
  await ensureTenant(at.db, { slug: "reborn", title: "Second" });
  expect((await listRecords(at.db, "reborn", "learner")).items).toEqual([]);
});
