import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createKeyring, describeConnection, ensureTenant, generateKey, type Keyring, keyStatus, listQuarantine, openDatabase, readConnectionValues, readQuarantinedRaw, readRaw, rotateDataKey, rotateKeyEncryptionKey, setConnection, tokenStore, withTenant } from "../../../engine/store/index.ts";
import type { ConnectorPlan } from "../../../engine/plan/types.ts";
import { SEALED_COLUMNS } from "../../../engine/store/sealed-columns.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, page, record, records } from "./rig.ts";

const SECRETS_PER_CONNECTION = 20;
const CONNECTIONS = 100;                                     // 2,000 secrets
const field = (n: number): string => `f${n}`;
const connector: ConnectorPlan = { id: "c", title: "C", streams: {}, config: Object.fromEntries(Array.from({ length: SECRETS_PER_CONNECTION }, (_, n) => [field(n), { title: field(n), secret: true }])) };

let at: TestDatabase;
const kek = generateKey();
let keys: Keyring;
beforeAll(async () => {
  at = await testDatabase();
  keys = await createKeyring({ value: kek });
  await keys.check(at.db);
});
afterAll(() => at.close());

/** Another process: its own cache of keys, its own connections. */
async function otherProcess(): Promise<{ keys: Keyring; db: TestDatabase["db"]; close(): Promise<void> }> {
  const [ring, db] = [await createKeyring({ value: kek }), await openDatabase({ url: at.url, max: 3 })];
  return { keys: ring, db, close: async () => { ring.close(); await db.close(); } };
}

const connection = (n: number): string => `c${n}`;
const secretsOf = (n: number, round = 0): Record<string, string> => Object.fromEntries(Array.from({ length: SECRETS_PER_CONNECTION }, (_, f) => [field(f), `value ${n}/${f} of round ${round}`]));
async function fill(tenant: string, connections = CONNECTIONS): Promise<void> {
  await ensureTenant(at.db, { slug: tenant, title: tenant });
  for (let n = 0; n < connections; n++) await setConnection(at.db, keys, tenant, connection(n), { connector: "c", config: {}, secrets: secretsOf(n) });
}
const values = async (tenant: string, n: number, ring = keys, db = at.db) => (await readConnectionValues(db, ring, tenant, connection(n), connector)).config;
const fingerprints = async (tenant: string, n: number) => Object.entries((await describeConnection(at.db, tenant, connection(n)))!.secrets).map(([name, { fingerprint }]) => [name, fingerprint]);
const keyRows = (tenant: string) => asAdmin<{ dek_version: number; wrapped: Buffer | null; retired: boolean; fingerprint_key: Buffer | null }>(at.url,
  "select k.dek_version, k.wrapped, k.fingerprint_key, k.retired_at is not null as retired from tenant_keys k join tenants t on t.id = k.tenant_id where t.slug = $1 order by 1", [tenant]);

test("2,000 secrets are sealed again while others read and write them: no read fails, the newest value wins, the old key is destroyed", async () => {
  await fill("acme");
  const before = await fingerprints("acme", 7);
  const other = await otherProcess();
  let over = false;
  let reads = 0;
  let writes = 0;
  const failures: unknown[] = [];
  const written = new Map<number, number>();
  const noted = (thrown: unknown): void => { failures.push(thrown); };
  const reader = async (ring: Keyring, db: TestDatabase["db"], seed: number): Promise<void> => {
    for (let n = seed; !over; n = (n + 37) % CONNECTIONS) {
      await values("acme", n, ring, db).then((config) => { if (config[field(3)]?.toString().startsWith(`value ${n}/3 of round `) !== true) noted(config); reads++; }, noted);
    }
  };
  const writer = async (): Promise<void> => {
    for (let round = 1; !over; round++) {
      const n = 50 + round % 50;
      await setConnection(other.db, other.keys, "acme", connection(n), { connector: "c", config: {}, secrets: secretsOf(n, round) }).then(() => { written.set(n, round); writes++; }, noted);
      await tokenStore(other.db, other.keys, "acme", connection(n))("default").write({ value: `token ${round}` }).catch(noted);
    }
  };
  await values("acme", 0, other.keys, other.db);            // the other process knows the first key only
  const loops = [reader(keys, at.db, 1), reader(other.keys, other.db, 2), writer()];
  const progress: number[] = [];
  const rotated = await rotateDataKey(at.db, keys, "acme", { onProgress: ({ done }) => progress.push(done) });
  await vi.waitFor(() => { expect(reads).toBeGreaterThan(20); expect(writes).toBeGreaterThan(5); }, { timeout: 30_000 });
  over = true;
  await Promise.all(loops);
  expect(failures).toEqual([]);
  expect(rotated).toMatchObject({ tenant: "acme", version: 2, destroyed: [1], remaining: 0 });
  expect(progress.at(-1)).toBe(rotated.reencrypted);
  expect(await keyStatus(at.db, keys, "acme")).toMatchObject({ version: 2, rotating: false, wrapped_by: "current", remaining: 0 });
  expect(await keyRows("acme")).toMatchObject([{ dek_version: 1, wrapped: null, fingerprint_key: null, retired: true }, { dek_version: 2, retired: false }]);
  const fresh = await createKeyring({ value: kek });         // nothing cached: only what the database still holds opens
  for (let n = 0; n < CONNECTIONS; n++) expect(await values("acme", n, fresh)).toEqual(secretsOf(n, written.get(n) ?? 0));
  expect(await fingerprints("acme", 7)).toEqual(before);
  expect((await asAdmin<{ dek_version: number }>(at.url, "select distinct dek_version from secrets")).map((row) => row.dek_version)).toEqual([2]);
  await other.close();
}, 120_000);

test("a fingerprint made after a rotation is that of the same value before it, also after another one", async () => {
  await fill("prints", 1);
  const [, first] = (await fingerprints("prints", 0)).find(([name]) => name === "f0")!;
  for (let round = 0; round < 2; round++) {
    await rotateDataKey(at.db, keys, "prints");
    await setConnection(at.db, keys, "prints", connection(0), { connector: "c", config: {}, secrets: { f0: "another" } });
    expect((await fingerprints("prints", 0)).find(([name]) => name === "f0")![1]).not.toBe(first);
    await setConnection(at.db, keys, "prints", connection(0), { connector: "c", config: {}, secrets: { f0: secretsOf(0)["f0"]! } });
    expect((await fingerprints("prints", 0)).find(([name]) => name === "f0")![1]).toBe(first);
  }
  expect(await keyStatus(at.db, keys, "prints")).toMatchObject({ version: 3 });
});

test("raw records, quarantined ones with and without a key, and tokens are sealed again too", async () => {
  const flow = await beginFlow(at.db, keys, "raws");
  await flow.commit(page(records(1, 1200), { quarantined: [{ key: "q", code: "MAPPING_INVALID", params: {}, reason: "r", raw: { is: "keyed" } }, { code: "MAPPING_INVALID", params: {}, reason: "r", raw: { is: "keyless" } }] }));
  await setConnection(at.db, keys, "raws", "aptem", { connector: "aptem", config: {}, secrets: { token: "s" } });
  await tokenStore(at.db, keys, "raws", "aptem")("default").write({ value: "tok" });
  const updated = await asAdmin(at.url, "select key, updated_at, record_hash from contributions order by key");
  expect(await rotateDataKey(at.db, keys, "raws")).toMatchObject({ reencrypted: 1204, destroyed: [1] });
  expect((await keyStatus(at.db, keys, "raws")).tables).toMatchObject({ secrets: { values: 1, remaining: 0 }, tokens: { values: 1, remaining: 0 }, contributions: { values: 1200, remaining: 0 }, quarantine: { values: 2, remaining: 0 } });
  const fresh = await createKeyring({ value: kek });
  expect(await readRaw(at.db, fresh, "raws", { connection: "aptem", stream: "users", entity: "learner", key: "700" })).toMatchObject({ id: "700", secret_of: "700" });
  const held = await listQuarantine(at.db, "raws");
  expect(await Promise.all(held.items.map(({ id }) => readQuarantinedRaw(at.db, fresh, "raws", id)))).toEqual(expect.arrayContaining([{ is: "keyed" }, { is: "keyless" }]));
  expect(await tokenStore(at.db, fresh, "raws", "aptem")("default").read()).toEqual({ value: "tok" });
  // Nobody who reads changes sees one.
  expect(await asAdmin(at.url, "select key, updated_at, record_hash from contributions order by key")).toEqual(updated);
  // A page of a worker that had only the old key in memory is stored under the new one.
  await flow.commit(page([record("1201")]));
  expect(await keyStatus(at.db, keys, "raws")).toMatchObject({ values: 1205, remaining: 0 });
});

test("no column of sealed values is left out", async () => {
  const columns = await asAdmin<{ name: string }>(at.url, `
    select c.table_name || '.' || c.column_name as name from information_schema.columns c where c.table_schema = 'plugboard' and c.data_type = 'bytea'
      and exists (select 1 from information_schema.columns t where t.table_schema = 'plugboard' and t.table_name = c.table_name and t.column_name = 'tenant_id') order by 1`);
  expect(columns.map(({ name }) => name).filter((name) => !name.startsWith("tenant_keys.") && !/[._]hash$/.test(name))).toEqual(SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort());
});

test("a rotation that is stopped in the middle has lost nothing, and goes on where it was", async () => {
  await fill("stopped", 60);
  const stop = new AbortController();
  await expect(rotateDataKey(at.db, keys, "stopped", { signal: stop.signal, onProgress: () => stop.abort(new Error("killed")) })).rejects.toThrow("killed");
  const middle = await keyStatus(at.db, keys, "stopped");
  expect(middle).toMatchObject({ version: 2, rotating: true, values: 1200, remaining: 700 });
  const fresh = await createKeyring({ value: kek });
  for (let n = 0; n < 60; n++) expect(await values("stopped", n, fresh)).toEqual(secretsOf(n));
  expect(await rotateDataKey(at.db, fresh, "stopped")).toMatchObject({ version: 2, reencrypted: 700, destroyed: [1], remaining: 0 });
  for (let n = 0; n < 60; n++) expect(await values("stopped", n, fresh)).toEqual(secretsOf(n));
});

test("who began to write with the old key is waited for", async () => {
  await fill("slow", 1);
  const other = await otherProcess();
  const go = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const writing = withTenant(other.db, "slow", async (tx) => {
    const sealer = await other.keys.of(tx);
    held.resolve();
    await go.promise;
    expect(sealer.dekVersion).toBe(1);
    await tx.query("insert into tokens (tenant_id, connection, authenticator, sealed) values ($1, 'c0', 'late', $2)", [tx.tenantId, sealer.seal(["plugboard/token/v1", "c0", "late"], "late value")]);
  });
  await held.promise;
  let done = false;
  const rotating = rotateDataKey(at.db, keys, "slow").then((result) => { done = true; return result; });
  await sleep(300);
  expect(done).toBe(false);
  expect(await keyStatus(at.db, keys, "slow")).toMatchObject({ rotating: true });
  go.resolve();
  await writing;
  expect(await rotating).toMatchObject({ destroyed: [1], remaining: 0 });
  expect(await tokenStore(at.db, keys, "slow", "c0")("late").read()).toEqual({ value: "late value" });
  await other.close();
});

test("a first key whose transaction is rolled back seals nothing later", async () => {
  await ensureTenant(at.db, { slug: "undone", title: "Undone" });
  const other = await otherProcess();
  await expect(withTenant(at.db, "undone", async (tx) => { (await keys.of(tx)).seal(["t"], "x"); await keys.of(tx); throw new Error("rolled back"); })).rejects.toThrow("rolled back");
  await other.keys.seal(other.db, "undone", ["t"], "makes the first key");
  expect(String(await other.keys.open(other.db, "undone", ["t"], await keys.seal(at.db, "undone", ["t"], "value")))).toBe("value");
  await other.close();
});

test("two rotations of one tenant at once make one new key", async () => {
  await fill("twice", 20);
  const other = await otherProcess();
  const both = await Promise.all([rotateDataKey(at.db, keys, "twice"), rotateDataKey(other.db, other.keys, "twice")]);
  const { version } = await keyStatus(at.db, keys, "twice");
  expect(both.map((one) => one.version).every((one) => one <= version!)).toBe(true);
  expect(await keyStatus(at.db, keys, "twice")).toMatchObject({ rotating: false, remaining: 0, values: 400 });
  for (let n = 0; n < 20; n++) expect(await values("twice", n)).toEqual(secretsOf(n));
  await other.close();
});

test("a ciphertext that was moved between tenants does not open before or after, and keeps its old key from being destroyed", async () => {
  await fill("victim", 2);
  await fill("thief", 2);
  await rotateDataKey(at.db, keys, "victim");
  await asAdmin(at.url, `update secrets a set sealed = b.sealed from secrets b, tenants ta, tenants tb where ta.id = a.tenant_id and tb.id = b.tenant_id and ta.slug = 'thief' and tb.slug = 'victim'
    and a.connection = 'c0' and b.connection = 'c0' and a.field = b.field and a.field = 'f0'`);
  await asAdmin(at.url, "update secrets s set sealed = set_byte(sealed, 40, (get_byte(sealed, 40) + 1) % 256) from tenants t where t.id = s.tenant_id and t.slug = 'thief' and connection = 'c1' and field = 'f1'");
  await expect(values("thief", 0)).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  await expect(rotateDataKey(at.db, keys, "thief")).rejects.toMatchObject({ code: "STORE_ROTATION", params: { tenant: "thief", where: "secrets (1)" } });
  await expect(values("thief", 0)).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  expect(await keyRows("thief")).toMatchObject([{ retired: false }, { retired: false }]);
  await setConnection(at.db, keys, "thief", "c1", { connector: "c", config: {}, secrets: { f1: null } });
  expect(await rotateDataKey(at.db, keys, "thief")).toMatchObject({ destroyed: [1], remaining: 0 });
});

test("the key-encryption key is exchanged while both are accepted; afterwards only the new one starts", async () => {
  const database = await testDatabase();
  const [first, second] = [generateKey(), generateKey()];
  const old = await createKeyring({ value: first });
  await old.check(database.db);
  for (const tenant of ["a", "b", "c"]) {
    await ensureTenant(database.db, { slug: tenant, title: tenant });
    await setConnection(database.db, old, tenant, "c0", { connector: "c", config: {}, secrets: secretsOf(0) });
  }
  await rotateDataKey(database.db, old, "b");
  const sealedBefore = await asAdmin(database.url, "select connection, field, sealed from secrets order by tenant_id, connection, field");
  const both = await createKeyring({ value: second }, { value: first });
  await both.check(database.db);
  const read = async (ring: Keyring, tenant: string) => (await readConnectionValues(database.db, ring, tenant, "c0", connector)).config;
  expect(await read(both, "a")).toEqual(secretsOf(0));
  expect(await keyStatus(database.db, both, "a")).toMatchObject({ wrapped_by: "old" });
  // During the window, who lacks one of the two is told at start and not at the first credential.
  await expect((await createKeyring({ value: second })).check(database.db)).rejects.toMatchObject({ code: "STORE_KEY" });
  await expect((await createKeyring({ value: first })).check(database.db)).rejects.toMatchObject({ code: "STORE_KEY" });
  const seen: string[] = [];
  expect(await rotateKeyEncryptionKey(database.db, both, { onProgress: ({ tenant }) => seen.push(tenant) })).toMatchObject({ rewrapped: 3 });
  expect(seen.slice(0, 3)).toEqual(["a", "b", "c"]);
  expect(await rotateKeyEncryptionKey(database.db, both)).toMatchObject({ rewrapped: 0 });
  const alone = await createKeyring({ value: second });
  await alone.check(database.db);
  for (const tenant of ["a", "b", "c"]) {
    expect(await read(alone, tenant)).toEqual(secretsOf(0));
    expect(await keyStatus(database.db, alone, tenant)).toMatchObject({ wrapped_by: "current" });
  }
  await expect((await createKeyring({ value: first })).check(database.db)).rejects.toMatchObject({ code: "STORE_KEY" });
  await expect(read(await createKeyring({ value: first }), "a")).rejects.toMatchObject({ code: "STORE_KEY" });
  expect(await asAdmin(database.url, "select connection, field, sealed from secrets order by tenant_id, connection, field")).toEqual(sealedBefore);
  await expect(createKeyring({ value: first }, { value: first })).rejects.toMatchObject({ code: "STORE_KEY" });
  await database.close();
});
