/** A stand-in that answers as Vault's documentation says: KV version 2, and transit with associated data. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createKeyring, generateKey, ensureTenant, keyStatus, openDatabase, rotateKeyEncryptionKey, setConnection, tokenStore, withTenant } from "../../engine/store/index.ts";
import { createReferences } from "../../server/references.ts";
import { createVault, type Vault } from "../../server/vault.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../support/postgres.ts";

const TOKEN = "canary-vault-token";
const use = { tenant: "acme", connection: "crm", field: "token" };
let server: Server;
let vault: Vault;
let address: string;
let at: TestDatabase;
let clock = 0;
const asked: string[] = [];
const kv: Record<string, Record<string, unknown> | null> = {};
/** The transit key: it never leaves. */
const key = randomBytes(32);
let sealed = false;

beforeAll(async () => {
  at = await testDatabase();
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => { body += chunk.toString(); }).on("end", () => {
      const path = decodeURIComponent(request.url!);
      asked.push(`${request.method} ${path}`);
      const json = (status: number, value: unknown): void => void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      if (sealed) return json(503, { errors: ["Vault is sealed"] });
      if (request.headers["x-vault-token"] !== TOKEN) return json(403, { errors: ["permission denied"] });
      if (path.startsWith("/v1/secret/data/")) {
        const found = kv[path.slice("/v1/secret/data/".length)];
        return found === undefined ? json(404, { errors: [] }) : found === null ? json(404, { data: { data: null, metadata: { deletion_time: "2026-01-01T00:00:00Z" } } }) : json(200, { data: { data: found, metadata: { version: 1 } } });
      }
      const given = JSON.parse(body || "{}") as { plaintext?: string; ciphertext?: string; associated_data?: string };
      const associated = Buffer.from(given.associated_data ?? "", "base64");
      if (path === "/v1/transit/encrypt/plugboard") {
        const iv = randomBytes(12);
        const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(associated);
        const text = Buffer.concat([cipher.update(Buffer.from(given.plaintext!, "base64")), cipher.final()]);
        return json(200, { data: { ciphertext: `vault:v1:${Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64")}`, key_version: 1 } });
      }
      if (path === "/v1/transit/decrypt/plugboard") {
        try {
          const bytes = Buffer.from(given.ciphertext!.slice("vault:v1:".length), "base64");
          const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12)).setAAD(associated).setAuthTag(bytes.subarray(12, 28));
          return json(200, { data: { plaintext: Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("base64") } });
        } catch { return json(400, { errors: ["cipher: message authentication failed"] }); }
      }
      json(404, { errors: [`no handler for ${path}`] });
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vault = createVault({ address, token: TOKEN }, () => clock);
});
afterAll(async () => {
  await vault.close();
  await at.close();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => { asked.length = 0; clock += 3_600_000; sealed = false; });
const references = (one = vault) => createReferences({ environment: {}, allowEnv: [], schemes: { vault: one.scheme } });

test("a secret is read where it is kept, and asked for again after at most a minute", async () => {
  kv["crm/hubspot"] = { token: "one", port: 5432 };
  const resolver = references();
  expect(await resolver.resolve("vault:secret/crm/hubspot#token", use)).toBe("one");
  kv["crm/hubspot"] = { token: "two", port: 5432 };
  expect(await Promise.all([resolver.resolve("vault:secret/crm/hubspot#token", use), resolver.resolve("vault:secret/crm/hubspot#port", use)])).toEqual(["one", "5432"]);
  expect(asked).toEqual(["GET /v1/secret/data/crm/hubspot"]);
  clock += 60_001;
  expect(await resolver.resolve("vault:secret/crm/hubspot#token", use)).toBe("two");
});

test("what is not there, was deleted, or may not be read says so, and the token is in none of it", async () => {
  kv["gone"] = null;
  kv["there"] = { token: "x" };
  const refused = createVault({ address, token: "another-token-entirely" });
  const cases = [[vault, "vault:secret/nowhere#token"], [vault, "vault:secret/gone#token"], [vault, "vault:secret/there#constructor"], [refused, "vault:secret/there#token"]] as const;
  for (const [one, reference] of cases) {
    const failure = await references(one).resolve(reference, use).catch((thrown: unknown) => thrown);
    expect(failure, reference).toMatchObject({ code: "STORE_REFERENCE", params: { reference } });
    expect(String((failure as Error).message)).not.toMatch(/canary|another-token/);
  }
  await refused.close();
});

test.each(["vault:secret/crm", "vault:#token", "vault:secret/../sys/seal#x", "vault:secret//x#y", "vault:secret/a/./b#y", "vault:../secret/x#y"])("%s is refused", (reference) => {
  expect(() => { references().check(reference, use); }).toThrow(expect.objectContaining({ code: "STORE_REFERENCE_REFUSED" }));
});

test("data keys are wrapped by a key that never leaves Vault, and bound to their tenant", async () => {
  const ring = await createKeyring({ remote: vault.key("transit/plugboard") });
  await ring.check(at.db);
  for (const slug of ["acme", "bolt"]) {
    await ensureTenant(at.db, { slug, title: slug });
    await setConnection(at.db, ring, slug, "crm", { connector: "c", config: {} });
    await tokenStore(at.db, ring, slug, "crm")("default").write({ value: `token of ${slug}` });
  }
  const other = await createKeyring({ remote: vault.key("transit/plugboard") });
  const db = await openDatabase({ url: at.url, max: 2 });
  expect(await tokenStore(db, other, "acme", "crm")("default").read()).toEqual({ value: "token of acme" });
  const before = asked.length;
  await tokenStore(db, other, "acme", "crm")("default").read();
  expect(asked.length).toBe(before);                                        // an unwrapped key is kept for minutes
  await asAdmin(at.url, "update tenant_keys k set wrapped = o.wrapped from tenant_keys o join tenants t on t.id = o.tenant_id where t.slug = 'bolt' and k.tenant_id <> o.tenant_id");
  const third = await createKeyring({ remote: vault.key("transit/plugboard") });
  await expect(withTenant(db, "acme", (tx) => third.of(tx))).rejects.toMatchObject({ code: "STORE_DECRYPT" });
  for (const each of [ring, other, third]) each.close();
  await db.close();
});

test("an installation moves from a key of its own to one in Vault while everything runs", async () => {
  const own = generateKey();
  const database = await testDatabase();
  const first = await createKeyring({ value: own });
  await first.check(database.db);
  await ensureTenant(database.db, { slug: "acme", title: "Acme" });
  await setConnection(database.db, first, "acme", "crm", { connector: "c", config: {} });
  await tokenStore(database.db, first, "acme", "crm")("default").write({ value: "kept" });
  const both = await createKeyring({ remote: vault.key("transit/plugboard") }, { value: own });
  await both.check(database.db);
  expect(await rotateKeyEncryptionKey(database.db, both)).toMatchObject({ rewrapped: 1 });
  const alone = await createKeyring({ remote: vault.key("transit/plugboard") });
  await alone.check(database.db);
  expect(await tokenStore(database.db, alone, "acme", "crm")("default").read()).toEqual({ value: "kept" });
  expect(await keyStatus(database.db, alone, "acme")).toMatchObject({ wrapped_by: "current" });
  for (const each of [first, both, alone]) each.close();
  await database.close();
});

test("a sealed Vault is no broken credential", async () => {
  sealed = true;
  const ring = await createKeyring({ remote: vault.key("transit/plugboard") });
  await expect(ring.check(at.db)).rejects.toMatchObject({ code: "STORE_KEY_SERVICE" });
  ring.close();
});
