/** Renewing a consent: a real PostgreSQL, two processes' worth of pools and keyrings, a token endpoint that keeps count. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createTransport } from "../../../engine/components/transport/http.ts";
import type { Transport } from "../../../engine/components/kinds.ts";
import type { ConnectorPlan } from "../../../engine/plan/types.ts";
import { checkConnection, type CheckPorts, type CheckResult } from "../../../engine/run/check-connection.ts";
import { createMemoryBuckets } from "../../../engine/run/memory-buckets.ts";
import { systemClock } from "../../../engine/run/system-clock.ts";
import { addConsent, createKeyring, describeConnection, ensureTenant, generateKey, openDatabase, readConnectionValues, rotateDataKey, setConnection, tokenStore, useConsent, withTenant, type Database, type Keyring } from "../../../engine/store/index.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";

let at: TestDatabase;
let other: Database;
let keyrings: [Keyring, Keyring];
let provider: Server;
let transport: Transport;
let connector: ConnectorPlan;
/** What the provider knows: the refresh token that is good, the access token that is good, and what it was asked. */
const known = { refresh: "refresh-0", access: "access-0", asked: [] as string[], rotates: true, lose: 0, slow: 0, accepts: true };

beforeAll(async () => {
  at = await testDatabase();
  other = await openDatabase({ url: at.url, max: 5, applicationName: "another process" });
  const key = generateKey();
  keyrings = [await createKeyring({ value: key }), await createKeyring({ value: key })];
  await ensureTenant(at.db, { slug: "acme", title: "Acme", subdomain: "acme" });
  transport = createTransport({ allowPrivate: true });
  provider = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => { body += chunk.toString(); }).on("end", () => { void answer(); });
    const json = (status: number, value: unknown): void => void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    const answer = async (): Promise<void> => {
      if (request.url === "/me") return json(request.headers.authorization === `Bearer ${known.access}` ? 200 : 401, { id: 7, name: "Seven" });
      const form = new URLSearchParams(body);
      known.asked.push(form.get("refresh_token") ?? "");
      await new Promise((resolve) => { setTimeout(resolve, known.slow); });
      if (!known.accepts || form.get("refresh_token") !== known.refresh) return json(400, { error: "invalid_grant", error_description: `unknown refresh token ${form.get("refresh_token")}` });
      known.access = `access-${known.asked.length}`;
      if (known.rotates) known.refresh = `refresh-${known.asked.length}`;
      if (known.lose-- > 0) return void request.socket.destroy();
      json(200, { access_token: known.access, expires_in: 3600, ...(known.rotates ? { refresh_token: known.refresh } : {}) });
    };
  });
  await new Promise<void>((resolve) => { provider.listen(0, "127.0.0.1", resolve); });
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  connector = {
    id: "desk", title: "Desk", streams: {}, config: { client_id: { title: "Client", default: "app" }, client_secret: { title: "Secret", secret: true, default: "app-secret" } },
    http: {
      base_url: url, hosts: ["127.0.0.1"], headers: {}, query: {}, limits: {}, errors: {}, timeouts: {},
      auth: { named: { default: { type: "oauth2_authorization_code", authorize_url: `${url}/authorize`, token_url: `${url}/token`, rotates: true } } },
    },
    check: { named: { default: { request: { method: "GET", path: "/me", errors: {} }, account: "id", label: "name" } } },
  };
});
afterAll(async () => {
  provider.closeAllConnections();
  provider.close();
  await transport.close();
  for (const each of keyrings) each.close();
  await other.close();
  await at.close();
});
beforeEach(() => { Object.assign(known, { refresh: "refresh-0", access: "access-0", asked: [], rotates: true, lose: 0, slow: 0, accepts: true }); });

/** A connection whose access token has run out. */
async function connection(name: string, given: { access?: string; expires_at?: number } = {}): Promise<void> {
  await setConnection(at.db, keyrings[0], "acme", name, { connector: "desk", config: {} });
  await withTenant(at.db, "acme", async (tx) => {
    const id = await addConsent(tx, keyrings[0], "acme", { access: "access-0", refresh: "refresh-0", expires_at: Date.now() - 1000, connector: "desk", authenticator: "default", callback: { realmId: "9" }, ...given });
    await useConsent(tx, keyrings[0], name, id);
  });
}
const ports = (db: Database, keyring: Keyring, name: string): CheckPorts =>
  ({ transport, buckets: createMemoryBuckets(() => Date.now()), clock: systemClock, token: tokenStore(db, keyring, "acme", name), log: () => undefined });
async function check(name: string, process: 0 | 1 = 0): Promise<CheckResult> {
  const [db, keyring] = [process === 0 ? at.db : other, keyrings[process]];
  const values = await readConnectionValues(db, keyring, "acme", name, connector);
  return checkConnection({ tenant: { id: "acme", title: "Acme" }, connection: name, connector, values, signal: AbortSignal.timeout(20_000) }, ports(db, keyring, name));
}

test("ten workers of two processes that need a rotating token at once send one token request, and all of them go on", async () => {
  await connection("crowd");
  known.slow = 300;
  const results = await Promise.all(Array.from({ length: 10 }, (_, index) => check("crowd", (index % 2) as 0 | 1)));
  expect(known.asked).toEqual(["refresh-0"]);
  expect(results.map(({ account }) => account?.id)).toEqual(Array.from({ length: 10 }, () => "7"));
});

test("a token that ends early is renewed once, after the provider's 401", async () => {
  await connection("early", { access: "ended", expires_at: Date.now() + 3_600_000 });
  await Promise.all([check("early", 0), check("early", 1)]);
  expect(known.asked).toEqual(["refresh-0"]);
});

test("a provider that does not rotate keeps its refresh token", async () => {
  known.rotates = false;
  await connection("steady");
  await check("steady");
  await asAdmin(at.url, "update consents set expires_at = now() - interval '1 hour'");
  await check("steady", 1);
  expect(known.asked).toEqual(["refresh-0", "refresh-0"]);
});

test("after a lost answer the old token is tried once more; refused then, a person has to connect again", async () => {
  await connection("lost");
  known.lose = 1;
  await expect(check("lost")).rejects.toMatchObject({ code: "AUTH_RECONNECT" });
  expect(known.asked).toEqual(["refresh-0", "refresh-0"]);
  expect(await describeConnection(at.db, "acme", "lost")).toMatchObject({ status: "broken", status_detail: { code: "AUTH_RECONNECT" } });
  await expect(check("lost", 1)).rejects.toMatchObject({ code: "AUTH_RECONNECT" });
  expect(known.asked).toHaveLength(2);                                       // nobody asks a third time
});

test("a refusal of a token that somebody else has renewed meanwhile changes nothing", async () => {
  await connection("stale");
  const stale = tokenStore(at.db, keyrings[0], "acme", "stale")("default").consent!;
  const before = (await stale.read())!;
  const renewed = await stale.renew(before.version, async () => {
    // The turn ran out (the process was stopped), another worker took over and was answered.
    await asAdmin(at.url, "update consents set renewing_until = now() - interval '1 second' where renewing is not null");
    await check("stale", 1);
    return "refused";
  });
  expect(renewed).toMatchObject({ version: before.version + 1, access: known.access });
  expect((await describeConnection(at.db, "acme", "stale"))?.status).not.toBe("broken");
});

test("a worker that died while it renewed leaves its turn to run out, and the next one goes on", async () => {
  await connection("died");
  await asAdmin(at.url, "update consents c set renewing = gen_random_uuid(), renewing_until = now() + interval '700 milliseconds', asked_at = now() from connections n where n.connection = 'died' and n.consent_id = c.id");
  expect((await check("died")).account?.id).toBe("7");
  expect(known.asked).toEqual(["refresh-0"]);
});

test("a provider that is down refuses nothing: the consent stays, and works again later", async () => {
  await connection("down");
  const port = tokenStore(at.db, keyrings[0], "acme", "down")("default").consent!;
  await expect(port.renew(1, async () => { throw new Error("down"); })).rejects.toThrow("down");
  expect((await check("down")).account?.id).toBe("7");
});

test("tokens are sealed, bound to their version, and rewritten when the tenant's data key is rotated", async () => {
  await connection("sealed");
  const port = tokenStore(at.db, keyrings[0], "acme", "sealed")("default").consent!;
  const dump = JSON.stringify((await asAdmin<{ sealed: Buffer }>(at.url, "select *, encode(sealed, 'escape') as text from consents")));
  for (const token of ["access-0", "refresh-0"]) expect(dump).not.toContain(token);
  await rotateDataKey(at.db, keyrings[0], "acme");
  expect(await port.read()).toMatchObject({ access: "access-0", refresh: "refresh-0" });
  await asAdmin(at.url, "update consents set version = version + 1 from connections n where n.connection = 'sealed' and n.consent_id = consents.id");
  await expect(port.read()).rejects.toMatchObject({ code: "STORE_DECRYPT" });
});

test("what the provider added to the callback is there for checks", async () => {
  await connection("called_back");
  expect((await readConnectionValues(at.db, keyrings[0], "acme", "called_back", connector)).callback).toEqual({ realmId: "9" });
});
