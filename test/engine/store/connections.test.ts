import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addApiKey, createKeyring, describeConnection, ensureTenant, findApiKey, generateKey, type Keyring, listApiKeys, listConnections, listTenants, readConnectionValues, revokeApiKey, setConnection, setConnectionStatus, tokenStore } from "../../../engine/store/index.ts";
import type { ConnectorPlan } from "../../../engine/plan/types.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await createKeyring({ value: generateKey() }); await ensureTenant(at.db, { slug: "acme", title: "Acme", subdomain: "acme" }); });
afterAll(() => at.close());

const connector: ConnectorPlan = { id: "c", title: "C", streams: {}, config: {
  host: { title: "Host" }, method: { title: "Method", default: "token" }, start: { title: "Start", default: "2020" }, token: { title: "Token", secret: true }, password: { title: "Password", secret: true, when: "method = 'basic'" },
} };

test("a run gets what was entered over what the tree says over the connector's defaults; locked fields are the tree's", async () => {
  await setConnection(at.db, keys, "acme", "one", { connector: "c", config: { host: "entered", start: "entered" }, secrets: { token: "t0ken" }, account: { id: "42", label: "Acme's" } });
  expect(await readConnectionValues(at.db, keys, "acme", "one", connector, { config: { start: "tree", method: "tree" }, locks: ["start"] }))
    .toEqual({ config: { host: "entered", method: "tree", start: "tree", token: "t0ken" }, account: { id: "42", label: "Acme's" }, unproved: true });
});

test("a field of scope app is the operator's, unless the tenant entered its own; other fields of the operator are not lent", async () => {
  const app: ConnectorPlan = { id: "lent", title: "Lent", streams: {}, config: { client: { title: "Client", scope: "app" }, secret: { title: "Secret", scope: "app", secret: true }, own: { title: "Own", optional: true } } };
  expect((await readConnectionValues(at.db, keys, "acme", "lent", app)).config).toEqual({});
  await ensureTenant(at.db, { slug: "platform", title: "Operator" });
  await setConnection(at.db, keys, "platform", "any_name", { connector: "lent", config: { client: "operator", own: "private" }, secrets: { secret: "s" } });
  expect((await readConnectionValues(at.db, keys, "acme", "lent", app)).config).toEqual({ client: "operator", secret: "s" });
  await setConnection(at.db, keys, "acme", "lent", { connector: "lent", config: { client: "acme's" } });
  expect((await readConnectionValues(at.db, keys, "acme", "lent", app)).config).toEqual({ client: "acme's", secret: "s" });
});

test("a missing value is named by its title", async () => {
  await expect(readConnectionValues(at.db, keys, "acme", "never", connector)).rejects.toMatchObject({ code: "AUTH_MISSING_CREDENTIAL", params: { field: "host", title: "Host", connection: "never" } });
  expect(await describeConnection(at.db, "acme", "never")).toBeUndefined();
});

test("secrets are written and replaced, never shown; the same value again changes nothing", async () => {
  await setConnection(at.db, keys, "acme", "two", { connector: "c", config: { host: "h" }, secrets: { token: "first" }, by: "ann" });
  const first = (await describeConnection(at.db, "acme", "two"))!;
  expect(first.secrets).toEqual({ token: { set: true, fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/), updated_at: expect.any(String), updated_by: "ann" } });
  await setConnection(at.db, keys, "acme", "two", { connector: "c", config: { host: "h" }, secrets: { token: "first" }, by: "bob" });
  expect((await describeConnection(at.db, "acme", "two"))!.secrets).toEqual(first.secrets);
  await setConnection(at.db, keys, "acme", "two", { connector: "c", config: { host: "h" }, secrets: { token: "second" }, by: "bob" });
  const second = (await describeConnection(at.db, "acme", "two"))!.secrets["token"]!;
  expect(second.fingerprint).not.toBe(first.secrets["token"]!.fingerprint);
  expect(second.updated_by).toBe("bob");
  expect(JSON.stringify(await listConnections(at.db, "acme"))).not.toMatch(/first|second|t0ken/);
  await setConnection(at.db, keys, "acme", "two", { connector: "c", config: { host: "h" }, secrets: { token: null } });
  expect((await describeConnection(at.db, "acme", "two"))!.secrets).toEqual({});
});

test("a status is kept until something new is entered", async () => {
  await setConnection(at.db, keys, "acme", "three", { connector: "c", config: {} });
  expect(await setConnectionStatus(at.db, "acme", "three", "broken", { code: "AUTH_REFUSED" })).toBe(true);
  expect(await describeConnection(at.db, "acme", "three")).toMatchObject({ status: "broken", status_detail: { code: "AUTH_REFUSED" } });
  await setConnectionStatus(at.db, "acme", "three", "ok", undefined, { id: "7" });
  expect(await describeConnection(at.db, "acme", "three")).toMatchObject({ status: "ok", account: { id: "7" } });
  await setConnection(at.db, keys, "acme", "three", { connector: "c", config: { host: "new" } });
  expect(await describeConnection(at.db, "acme", "three")).toMatchObject({ status: "untested", account: { id: "7" } });
  expect(await setConnectionStatus(at.db, "acme", "nowhere", "ok")).toBe(false);
});

test("a token is shared, sealed, replaced and forgotten", async () => {
  const one = tokenStore(at.db, keys, "acme", "one")("default");
  expect(await one.read()).toBeUndefined();
  await one.write({ value: "tok", expires_at: 1_900_000_000_000 });
  expect(await tokenStore(at.db, keys, "acme", "one")("default").read()).toEqual({ value: "tok", expires_at: 1_900_000_000_000 });
  await one.write({ value: "tok2" });
  expect(await one.read()).toEqual({ value: "tok2" });
  await one.clear();
  expect(await one.read()).toBeUndefined();
  await tokenStore(at.db, keys, "acme", "unentered")("default").write({ value: "nowhere" });
});

test.each([
  ["missing", "", /empty/], ["short", Buffer.alloc(16, 7).toString("base64"), /32 bytes/], ["words", "correct horse battery staple", /32 bytes/],
  ["one byte over and over", Buffer.alloc(32, 7).toString("hex"), /repeats/], ["an example that counts up", Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString("hex"), /counts up/],
  ["a passphrase as base64", Buffer.from("this is my very secret password!").toString("base64"), /passphrase/],
])("a key that is %s is refused", async (_, value, detail) => {
  await expect(createKeyring({ value })).rejects.toMatchObject({ code: "STORE_KEY", params: { detail: expect.stringMatching(detail) } });
});

test("a key is read from a file, and a file that is gone is named", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-key-"));
  const file = path.join(folder, "key");
  await writeFile(file, `${generateKey()}\n`);
  const ring = await createKeyring({ file });
  expect(ring.kekId).toMatch(/^[0-9a-f]{16}$/);
  await rm(folder, { recursive: true });
  await expect(createKeyring({ file })).rejects.toMatchObject({ code: "STORE_KEY" });
});

test("another key than the one before is refused at start, before any credential is read", async () => {
  await keys.check(at.db);
  await keys.check(at.db);
  const other = await createKeyring({ value: generateKey() });
  await expect(other.check(at.db)).rejects.toMatchObject({ code: "STORE_KEY" });
  await expect(readConnectionValues(at.db, other, "acme", "one", connector)).rejects.toMatchObject({ code: "STORE_KEY" });
});

test("two workers that make a tenant's first data key at once agree on one", async () => {
  await ensureTenant(at.db, { slug: "fresh", title: "Fresh" });
  const value = generateKey();
  await asAdmin(at.url, "delete from key_canaries");
  const rings = await Promise.all(Array.from({ length: 6 }, () => createKeyring({ value })));
  const sealed = await Promise.all(rings.map((ring, n) => ring.seal(at.db, "fresh", ["test", String(n)], `value ${n}`)));
  const opened = await Promise.all(sealed.map((one, n) => rings[(n + 1) % 6]!.open(at.db, "fresh", ["test", String(n)], one)));
  expect(opened.map(String)).toEqual(sealed.map((_, n) => `value ${n}`));
});

test("sealing hides equal values from each other and refuses a shortened tag", async () => {
  const [a, b] = [await keys.seal(at.db, "acme", ["t"], "same"), await keys.seal(at.db, "acme", ["t"], "same")];
  expect(a.equals(b)).toBe(false);
  await expect(keys.open(at.db, "acme", ["t"], a.subarray(0, a.length - 1))).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  await expect(keys.open(at.db, "acme", ["t", ""], a)).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  await expect(keys.open(at.db, "acme", ["t"], Buffer.alloc(3))).rejects.toMatchObject({ code: "STORE_DECRYPT" });
});

test("an API key opens by its hash until it is revoked or expired", async () => {
  const hash = Buffer.alloc(32, 1);
  const id = await addApiKey(at.db, { hash, tenant: "acme", name: "ci", scopes: ["sync:run"] });
  expect(await findApiKey(at.db, hash)).toEqual({ id, tenant: "acme", name: "ci", scopes: ["sync:run"] });
  await addApiKey(at.db, { hash: Buffer.alloc(32, 2), name: "operator", scopes: ["*"] });
  expect(await findApiKey(at.db, Buffer.alloc(32, 2))).toMatchObject({ name: "operator" });
  await addApiKey(at.db, { hash: Buffer.alloc(32, 3), name: "old", scopes: [], expires_at: "2020-01-01T00:00:00Z" });
  expect(await findApiKey(at.db, Buffer.alloc(32, 3))).toBeUndefined();
  expect(await findApiKey(at.db, Buffer.alloc(32, 9))).toBeUndefined();
  expect(await revokeApiKey(at.db, id)).toBe(true);
  expect(await findApiKey(at.db, hash)).toBeUndefined();
  expect(await listApiKeys(at.db)).toHaveLength(3);
  await expect(addApiKey(at.db, { hash: Buffer.alloc(32, 4), tenant: "nobody", name: "x", scopes: [] })).rejects.toMatchObject({ code: "PLAN_UNKNOWN_TENANT" });
});

test("two tenants cannot have one subdomain", async () => {
  await expect(ensureTenant(at.db, { slug: "acme2", title: "Other", subdomain: "acme" })).rejects.toMatchObject({ code: "SERVER_AMBIGUOUS" });
  await ensureTenant(at.db, { slug: "acme", title: "Renamed", subdomain: "acme" });
  expect((await listTenants(at.db)).find(({ slug }) => slug === "acme")).toMatchObject({ title: "Renamed" });
});
