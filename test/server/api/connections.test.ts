/** Connecting over HTTP: a workspace in force, a real PostgreSQL, a provider on loopback that repeats what it is sent. */
import { createServer as createHttp, request, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openJobs, type Jobs } from "../../../engine/jobs/index.ts";
import { createKeyring, describeConnection, ensureTenant, generateKey, readConnectionValues, setConnection, tokenStore, type Keyring } from "../../../engine/store/index.ts";
import { issueKey } from "../../../server/api/first-key.ts";
import { createServer } from "../../../server/api/server.ts";
import { applyWorkspace } from "../../../server/workspace/apply.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";

const CANARY = "canary/7+secret=ü?";
const ASCII = "canary-key-0123456789";
/** As it is, in JSON, in an address, base64 and base64url, hex, and inside basic authorization (whose ends depend on what stands beside it). */
const formsOf = (secret: string): string[] => {
  const bytes = Buffer.from(secret);
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), bytes.toString("base64"), bytes.toString("base64url"), bytes.toString("hex"), basicOf(secret).slice(4, -4)];
};
const basicOf = (secret: string): string => Buffer.from(`u:${secret}`).toString("base64");
const FORBIDDEN = [...formsOf(CANARY), ...formsOf(ASCII)];

const workspace = {
  "connectors/desk/connector.yaml": `connector: desk
title: Desk
category: support
docs: https://docs.example.com
config:
  address:  { title: Address, help: Where your desk is, example: "https://desk.example.com", pattern: "^https?://[a-z0-9.:-]+$" }
  method:   { title: Sign in with, enum: [key, basic], default: key }
  api_key:  { title: API key, secret: true, when: method = "key" }
  password: { title: Password, secret: true, when: method = "basic" }
  pages:    { title: Pages, type: integer, default: 5 }
  since:    { title: Since, type: date, optional: true }
  region:   { title: Region, default: eu }
  app_id:   { title: App, scope: app }
http:
  base_url: "{{config.address}}/v1"
  hosts: ["127.0.0.1", localhost]
  headers: { X-Desk: "1" }
  limits: { all: { per: connection, max: 1000, every: 1s } }
  auth:
    by: config.method
    key:   { type: api_key, header: X-Api-Key, value: "{{config.api_key}}" }
    basic: { type: basic, username: u, password: "{{config.password}}" }
check: { get: /me, account: id, label: name }
streams:
  people: { key: id, get: /people, records: items, cursor: { field: updated_at }, one: { get: "/people/{{key}}" } }
`,
  "connectors/bell/connector.yaml": "connector: bell\ntitle: Bell\nhttp: { base_url: https://bell.example.com }\nstreams: { rings: { key: id, get: /rings } }\n",
  "presets/desk/preset.yaml": "preset: desk\ntitle: Desk\nconnections:\n  desk: { connector: desk, config: { region: uk }, locks: [region] }\n",
  "tenants/acme.yaml": "tenant: acme\ntitle: Acme\npreset: desk\n",
  "tenants/bolt.yaml": "tenant: bolt\ntitle: Bolt\npreset: desk\n",
};

let at: TestDatabase;
let keyring: Keyring;
let jobs: Jobs;
let server: FastifyInstance;
let provider: Server;
let address: string;
let log = "";
let port: number;
const seen: { request: IncomingMessage; body: string }[] = [];
const keys: Record<"acme" | "bolt" | "operator" | "reader", string> = { acme: "", bolt: "", operator: "", reader: "" };

beforeAll(async () => {
  provider = createHttp((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => { body += chunk.toString(); }).on("end", () => {
      seen.push({ request, body });
      const key = decodeURIComponent(String(request.headers["x-api-key"] ?? ""));
      const secret = key === "" ? Buffer.from(String(request.headers.authorization).slice(6), "base64").toString().slice(2) : key;
      const path = request.url!.split("?")[0]!;
      const json = (status: number, value: unknown, headers: Record<string, string> = {}): void => void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
      if (path === "/v1/me") return key === ASCII || request.headers.authorization !== undefined ? json(200, { id: 42, name: "Acme's desk" }) : json(401, { message: `unknown key ${key}` });
      if (path === "/v1/refuses") return json(401, { message: `no ${key}` });
      if (path === "/v1/busy") return json(429, { message: "slow down" }, { "retry-after": "0" });
      if (path === "/v1/broken") return json(503, { message: "down" });
      if (path === "/v1/binary") return void response.writeHead(200, { "content-type": "image/png" }).end(Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), Buffer.from(key), Buffer.from([0x80])]));
      if (path === "/v1/echo") return json(201, { forms: [...formsOf(secret).slice(0, -1), basicOf(secret)], headers: request.headers, method: request.method, body }, { "set-cookie": `session=${encodeURIComponent(key)}`, location: `/v1/echo?key=${encodeURIComponent(key)}`, etag: '"7"', "x-internal": "host-7", "x-ratelimit-remaining": "9" });
      json(404, { message: "nothing here" });
    });
  });
  await new Promise<void>((resolve) => { provider.listen(0, "127.0.0.1", resolve); });
  address = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  at = await testDatabase();
  keyring = await createKeyring({ value: generateKey() });
  const applied = await applyWorkspace({ db: at.db, trees: [{ layer: "catalogue", label: "", files: new Map(Object.entries(workspace)) }] });
  expect(applied).toMatchObject({ applied: true });
  jobs = await openJobs({ db: at.db, works: false, onError: () => undefined });
  server = await createServer({ db: at.db, jobs, keyring, allowPrivate: true, references: { check: () => undefined, resolve: async (reference) => (reference === "env:DESK_KEY" ? ASCII : "another") }, logStream: { write: (line) => { log += line; } } });
  for (const tenant of ["acme", "bolt"] as const) keys[tenant] = await issueKey(at.db, { name: `key of ${tenant}`, scopes: ["*"], tenant });
  keys.operator = await issueKey(at.db, { name: "operator", scopes: ["*"] });
  port = Number(new URL(await server.listen({ host: "127.0.0.1", port: 0 })).port);
  keys.reader = await issueKey(at.db, { name: "reader", scopes: ["connections:read", "connectors:read"], tenant: "acme" });
});
afterAll(async () => {
  await server.close();
  await jobs.close();
  keyring.close();
  await at.close();
  provider.closeAllConnections();
  provider.close();
});
beforeEach(() => { seen.length = 0; });

type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
async function call(method: Method, url: string, body?: unknown, key = keys.acme, headers: Record<string, string> = {}) {
  const answer = await server.inject({ method, url, headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) });
  for (const form of FORBIDDEN) expect(`${answer.body}${JSON.stringify(answer.headers)}`, `${method} ${url}`).not.toContain(form);
  return answer;
}
const put = (body: unknown, key = keys.acme) => call("PUT", "/api/connections/desk", body, key);
const connected = (secret = ASCII) => put({ config: { address }, secrets: { api_key: secret } });
const problemsOf = async (body: unknown) => {
  const answer = await put(body);
  expect([answer.statusCode, answer.json().error.code]).toEqual([422, "SERVER_CONNECTION_VALUES"]);
  return answer.json().error.problems as { code: string; field: string; pointer: string; message: string; hint?: string }[];
};

describe("the registry", () => {
  test("lists the connectors in force, page by page, with what a tenant enters and what the operator has to set first", async () => {
    const first = (await call("GET", "/api/connectors?limit=1")).json();
    expect(first.data).toMatchObject([{ id: "bell", auth: [], required: [], missing: [], docs: null, streams: [{ name: "rings", doors: ["list"], incremental: false }] }]);
    expect((await call("GET", `/api/connectors?limit=1&cursor=${first.next_cursor}`)).json()).toMatchObject({
      next_cursor: null,
      data: [{
        id: "desk", title: "Desk", category: "support", docs: "https://docs.example.com", auth: [{ name: "key", type: "api_key" }, { name: "basic", type: "basic" }],
        streams: [{ name: "people", doors: ["list", "one"], incremental: true }], required: ["address"], missing: ["app_id"], hosts: ["127.0.0.1", "localhost"], check: true,
        limits: { all: { per: "connection", max: 1000, every_seconds: 1 } }, actions: [], webhooks: [], signs_in: false, callback: null, health: { connections: 0, share: null, errors: [] },
      }],
    });
    await ensureTenant(at.db, { slug: "platform", title: "Operator" });
    await setConnection(at.db, keyring, "platform", "any", { connector: "desk", config: { app_id: "app-7" } });
    const desk = await call("GET", "/api/connectors/desk");
    expect(desk.json().missing).toEqual([]);
    expect(desk.body).not.toContain("app-7");
  });

  test("the operator needs no tenant for it; what does not exist is told with what is near", async () => {
    expect((await call("GET", "/api/connectors", undefined, keys.operator)).statusCode).toBe(200);
    expect((await call("GET", "/api/connectors?tenant=bolt")).statusCode).toBe(404);
    expect((await call("GET", "/api/connectors/desc")).json().error).toMatchObject({ code: "SERVER_NOT_FOUND", hint: "did you mean 'desk'?" });
  });

  test("a connector that the next configuration no longer has is gone, and comes back with it", async () => {
    const files = new Map(Object.entries(workspace).filter(([path]) => !path.includes("bell")));
    await applyWorkspace({ db: at.db, trees: [{ layer: "catalogue", label: "", files }] });
    expect((await call("GET", "/api/connectors/bell")).statusCode).toBe(404);
    await applyWorkspace({ db: at.db, trees: [{ layer: "catalogue", label: "", files: new Map(Object.entries(workspace)) }] });
    expect((await call("GET", "/api/connectors/bell")).statusCode).toBe(200);
  });

  test("the form says title, type, choices, default, secret, help, example and condition of every field, in order", async () => {
    const form = (await call("GET", "/api/connectors/desk/schema")).json();
    expect(form).toMatchObject({ type: "object", additionalProperties: false, required: ["address"], title: "Desk" });
    expect(Object.keys(form.properties)).toEqual(["address", "method", "api_key", "password", "pages", "since", "region", "app_id"]);
    expect(form.properties).toMatchObject({
      address: { title: "Address", type: "string", pattern: "^https?://[a-z0-9.:-]+$", examples: ["https://desk.example.com"], "x-help": "Where your desk is", "x-required": true, "x-secret": false, "x-order": 0 },
      method: { enum: ["key", "basic"], default: "key", "x-required": false }, api_key: { writeOnly: true, "x-secret": true, "x-when": 'method = "key"' },
      pages: { type: "integer", default: 5 }, since: { type: "string", format: "date", "x-required": false }, app_id: { "x-scope": "app" },
    });
  });
});

describe("entering values", () => {
  test("before anything was entered, a connection says what it lacks", async () => {
    expect((await call("GET", "/api/connections")).json().data).toMatchObject([{ connection: "desk", connector: "desk", status: "not_connected", missing: ["address", "api_key"], locked: ["region"], defaults: { region: "uk" }, secrets: { api_key: { set: false } } }]);
    expect((await call("POST", "/api/connections/desk/check")).json().error.code).toBe("AUTH_MISSING_CREDENTIAL");
  });

  test("every problem is told at once, with its field, its pointer and what is near, and nothing is stored", async () => {
    const problems = await problemsOf({ config: { adress: address, method: "oauth", pages: "7", since: "2026-02-30", region: "us", api_key: CANARY }, secrets: { password: "***", pages: "7" } });
    const told = problems.map(({ code, pointer }) => [pointer, code]).sort();
    expect(told).toEqual([
      ["/config/address", "AUTH_MISSING_CREDENTIAL"], ["/config/adress", "SERVER_UNKNOWN_FIELD"], ["/config/api_key", "SERVER_WRONG_VALUE"], ["/config/method", "SERVER_WRONG_VALUE"], ["/config/pages", "SERVER_WRONG_VALUE"],
      ["/config/region", "PLAN_LOCKED"], ["/config/since", "SERVER_WRONG_VALUE"], ["/secrets/pages", "SERVER_WRONG_VALUE"], ["/secrets/password", "SERVER_MASKED_SECRET"], ["/secrets/password", "SERVER_WRONG_VALUE"],
    ]);
    expect(problems.find(({ field }) => field === "adress")!.hint).toBe("did you mean 'address'?");
    expect(problems.find(({ field }) => field === "method")!.message).toBe("'method' must be one of: key, basic.");
    expect(await describeConnection(at.db, "acme", "desk")).toBeUndefined();
  });

  test.each([
    ["a field that is asked for in another case", { secrets: { api_key: "k", password: "p" } }, "/secrets/password"],
    ["a text that does not match its pattern", { config: { address: "https://x/y" }, secrets: { api_key: "k" } }, "/config/address"],
    ["an empty text", { config: { address: " " }, secrets: { api_key: "k" } }, "/config/address"],
    ["an empty secret", { config: { address: "http://a" }, secrets: { api_key: "" } }, "/secrets/api_key"],
    ["a NUL character", { config: { address: "http://a" }, secrets: { api_key: "k\0" } }, "/secrets/api_key"],
    ["half a character", { config: { address: "http://a" }, secrets: { api_key: "\ud800" } }, "/secrets/api_key"],
    ["an object in place of a text", { config: { address: {} }, secrets: { api_key: "k" } }, "/config/address"],
    ["dots in place of a secret", { config: { address: "http://a" }, secrets: { api_key: "••••••••" } }, "/secrets/api_key"],
    ["a name every object has", { config: { address: "http://a", constructor: "x" }, secrets: { api_key: "k" } }, "/config/constructor"],
    ["a field with a slash in its name", { config: { address: "http://a", "a/b~c": "x" }, secrets: { api_key: "k" } }, "/config/a~1b~0c"],
  ])("%s is refused", async (_, body, pointer) => expect((await problemsOf(body)).map((problem) => problem.pointer)).toContain(pointer));

  test.each([["no object", []], ["an unknown part", { secret: {} }], ["a list of secrets", { secrets: [] }], ["nothing", undefined]])("a body that is %s is 400", async (_, body) => expect((await put(body)).statusCode).toBe(400));

  test("secrets are shown as a fingerprint and a date, and are stored encrypted", async () => {
    const answer = (await connected(CANARY)).json();
    expect(answer).toMatchObject({ cleared: [], connection: { status: "untested", config: { address }, missing: [], secrets: { api_key: { set: true, fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/), updated_at: expect.stringMatching(/Z$/), updated_by: "key of acme" }, password: { set: false } } } });
    expect((await call("GET", "/api/connections/desk")).json()).toEqual(answer.connection);
    expect(JSON.stringify(await asAdmin(at.url, "select *, encode(sealed, 'hex') from secrets"))).not.toMatch(/canary/);
    const plan = { config: {}, locks: [] };
    expect((await readConnectionValues(at.db, keyring, "acme", "desk", { id: "desk", title: "", streams: {}, config: { api_key: { title: "k", secret: true } } }, plan)).config).toEqual({ api_key: CANARY });
  });

  test("what is not named stays: config without its part, secrets one by one; null forgets", async () => {
    await connected();
    expect((await put({ secrets: { api_key: "other-key" } })).json().connection.config).toEqual({ address });
    const before = (await call("GET", "/api/connections/desk")).json().secrets.api_key;
    expect((await put({ config: { address, pages: 9 } })).json().connection).toMatchObject({ config: { address, pages: 9 }, secrets: { api_key: before } });
    expect((await problemsOf({ secrets: { api_key: null } })).map(({ pointer }) => pointer)).toEqual(["/secrets/api_key"]);
  });

  test("a changed host forgets the secrets, unless they are given again; what is no host keeps them", async () => {
    await connected();
    await tokenStore(at.db, keyring, "acme", "desk")("key").write({ value: "token-of-before" });
    const moved = (await put({ config: { address: address.replace("127.0.0.1", "localhost") } })).json();
    expect([moved.cleared, moved.connection.missing, moved.connection.secrets.api_key]).toEqual([["api_key"], ["api_key"], { set: false }]);
    expect(await tokenStore(at.db, keyring, "acme", "desk")("key").read()).toBeUndefined();
    expect((await call("GET", "/api/connections/desk/proxy/me")).json().error.code).toBe("AUTH_MISSING_CREDENTIAL");
    expect(seen).toEqual([]);
    expect((await connected()).json().cleared).toEqual([]);
    expect((await put({ config: { address, since: "2026-01-01" } })).json().cleared).toEqual([]);
  });

  test("two who enter at the same time take turns: no secret of the one goes to the host of the other", async () => {
    await call("DELETE", "/api/connections/desk", undefined, keys.bolt);
    const results = await Promise.all([1, 2, 3, 4].map((n) => put({ config: { address: `http://desk${n}.example.com` }, ...(n % 2 === 0 ? { secrets: { api_key: `key-of-${n}` } } : {}) }, keys.bolt)));
    const stored = await asAdmin<{ address: string }>(at.url, "select config->>'address' as address from connections c join tenants t on t.id = c.tenant_id where t.slug = 'bolt'");
    expect(stored).toHaveLength(1);
    const read = await readConnectionValues(at.db, keyring, "bolt", "desk", { id: "desk", title: "", streams: {}, config: { api_key: { title: "k", secret: true, optional: true } } });
    const key = read.config["api_key"];
    if (key !== undefined) expect(stored[0]!.address).toBe(`http://desk${String(key).slice(-1)}.example.com`);
    expect(results.every(({ statusCode }) => statusCode === 200 || statusCode === 422)).toBe(true);
  });
});

describe("checking and ending", () => {
  test("a good credential is ok, with the account that it reaches", async () => {
    await connected();
    expect((await call("POST", "/api/connections/desk/check")).json()).toMatchObject({ ok: true, checked: true, accounts: [{ id: "42", label: "Acme's desk" }], error: null, connection: { status: "ok", account: { id: "42" } } });
  });

  test("connect stores and checks in one; a refusal is told without the credential, and remembered", async () => {
    const good = await call("POST", "/api/integrations/desk/connect", { config: { address }, secrets: { api_key: ASCII } });
    expect([good.statusCode, good.json().ok, good.json().connection.status]).toEqual([200, true, "ok"]);
    const refused = (await call("POST", "/api/integrations/desk/connect", { secrets: { api_key: "canary-of-a-wrong-key" } })).json();
    expect(refused).toMatchObject({ ok: false, error: { code: "AUTH_REFUSED" }, connection: { status: "broken", detail: { code: "AUTH_REFUSED" } } });
    expect(JSON.stringify(refused)).not.toContain("wrong-key");
    expect((await call("GET", "/api/integrations/desk/status")).json().status).toBe("broken");
  });

  test("a provider that cannot be reached says nothing about the credential", async () => {
    await put({ config: { address: "http://127.0.0.1:1" }, secrets: { api_key: ASCII } });
    const answer = (await call("POST", "/api/connections/desk/check")).json();
    expect([answer.ok, answer.error.code, answer.connection.status]).toEqual([false, "RUN_NETWORK", "untested"]);
  });

  test("disconnecting forgets the credential and keeps the account; nothing uses it until it is entered again", async () => {
    await connected();
    await call("POST", "/api/connections/desk/check");
    expect((await call("DELETE", "/api/connections/desk")).statusCode).toBe(200);
    expect((await call("GET", "/api/connections/desk")).json()).toMatchObject({ status: "disconnected", account: { id: "42" }, config: { address }, secrets: { api_key: { set: false } }, missing: ["api_key"] });
    expect(await asAdmin(at.url, "select 1 from secrets s join tenants t on t.id = s.tenant_id where t.slug = 'acme'")).toEqual([]);
    for (const [method, url] of [["POST", "/api/connections/desk/check"], ["GET", "/api/connections/desk/proxy/me"]] as const) expect((await call(method, url)).json().error.code).toBe("AUTH_NOT_CONNECTED");
    expect((await connected()).json().connection.status).toBe("untested");
  });
});

describe("the proxy", () => {
  const proxy = (method: Method, path: string, headers: Record<string, string> = {}, body?: unknown, key = keys.acme) => call(method, `/api/connections/desk/proxy/${path}`, body, key, headers);
  beforeEach(async () => { await connected(); seen.length = 0; });

  test.each(["GET", "POST", "PUT", "PATCH", "DELETE"] as const)("%s is sent on with the connection's credential, and neither the caller's nor the provider's cookies pass", async (method) => {
    const body = method === "GET" || method === "DELETE" ? undefined : { a: 1 };
    const answer = await proxy(method, "echo?tenant=acme&$filter=a%20eq%201&tag=x&tag=y", { cookie: "session=callers", "x-forwarded-for": "10.0.0.1", "plugboard-forward-desk-version": "7", "plugboard-forward-authorization": "Bearer callers", "x-api-key": "callers" }, body);
    expect([answer.statusCode, answer.headers["plugboard-proxied"], answer.headers["etag"], answer.headers["x-ratelimit-remaining"]]).toEqual([201, "true", '"7"', "9"]);
    expect([answer.headers["set-cookie"], answer.headers["x-internal"]]).toEqual([undefined, undefined]);
    expect(answer.headers["location"]).toBe("/v1/echo?key=***");
    expect(answer.headers["content-security-policy"]).toBe("default-src 'none'; sandbox");
    const [{ request, body: sent }] = seen as [(typeof seen)[0]];
    expect([request.method, request.url, sent]).toEqual([method, "/v1/echo?$filter=a%20eq%201&tag=x&tag=y", body === undefined ? "" : '{"a":1}']);
    expect(request.headers).toMatchObject({ "x-api-key": ASCII, "x-desk": "1", "desk-version": "7" });
    expect([request.headers.authorization, request.headers.cookie, request.headers["x-forwarded-for"]]).toEqual([undefined, undefined, undefined]);
    expect(JSON.stringify(request.headers)).not.toContain("callers");
  });

  test("a secret that the provider repeats is gone from what comes back, in every encoding, in bytes too", async () => {
    await put({ config: { address, method: "basic" }, secrets: { password: CANARY } });
    const answer = await proxy("GET", "echo");
    expect(answer.body).toContain("***");
    await put({ config: { address }, secrets: { api_key: ASCII } });
    const binary = await server.inject({ url: "/api/connections/desk/proxy/binary", headers: { authorization: `Bearer ${keys.acme}` } });
    expect([...binary.rawPayload]).toEqual([0xff, 0xfe, 0x00, ...Buffer.from("***"), 0x80]);
  });

  test.each([["refuses", 401], ["busy", 429], ["broken", 503], ["nothing", 404]])("the provider's own answer to /%s is given as it is, after one try", async (path, status) => {
    const answer = await proxy("POST", path, {}, {});
    expect([answer.statusCode, answer.headers["plugboard-proxied"], seen.length]).toEqual(path === "broken" ? [503, "true", 1] : [status, "true", 1]);
  });

  test.each(["../v2/x", "..%2fv2/x", "%2e%2e/v2/x", "a/%2e%2e%2f%2e%2e/v2", "%252e%252e/x", "..\\v2", "a/./b"])("the path %s does not leave the base address", async (path) => {
    // Over a socket: whoever attacks does not tidy the address first.
    const status = await new Promise<number>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path: `/api/connections/desk/proxy/${path}`, headers: { authorization: `Bearer ${keys.acme}` } }, (answer) => { answer.resume(); resolve(answer.statusCode!); }).on("error", reject).end();
    });
    expect([status, seen.length]).toEqual([400, 0]);
  });

  test.each(["{{config.api_key}}", "=config.api_key", "//evil.example.com/x", "http://evil.example.com/x", "@evil.example.com"])("%s is a path like another: no template, no expression, no other host", async (path) => {
    await proxy("GET", path);
    for (const { request } of seen) {
      expect([request.headers.host, request.url!.startsWith("/v1/")]).toEqual([new URL(address).host, true]);
      expect(request.url).not.toContain(ASCII);
    }
  });

  test("a credential goes to no host that the connector does not list", async () => {
    await put({ config: { address: "http://desk.example.com" }, secrets: { api_key: ASCII } });
    expect((await proxy("GET", "me")).json().error.code).toBe("AUTH_HOST_NOT_ALLOWED");
  });

  test("it needs its own scope", async () => {
    expect((await proxy("GET", "me", {}, undefined, keys.reader)).json().error).toMatchObject({ code: "SERVER_FORBIDDEN" });
    expect((await put({}, keys.reader)).statusCode).toBe(403);
    expect(seen).toEqual([]);
  });

  test("every call is written to the log: who, which connection, what, and how it ended; never the credential or the query", async () => {
    log = "";
    await proxy("POST", "echo?q=private", {}, {});
    await proxy("GET", "..%2fx");
    const lines = log.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === "proxy");
    expect(lines).toEqual([
      expect.objectContaining({ tenant: "acme", connection: "desk", caller: "key of acme", method: "POST", request: "POST /v1/echo", status: 201 }),
      expect.objectContaining({ method: "GET", code: "SERVER_PROXY_PATH" }),
    ]);
    expect(JSON.stringify(lines)).not.toContain("private");
  });
});

test("another tenant's connection is another connection", async () => {
  await connected();
  await put({ config: { address }, secrets: { api_key: "key-of-bolt" } }, keys.bolt);
  seen.length = 0;
  await call("GET", "/api/connections/desk/proxy/echo", undefined, keys.bolt);
  expect(seen[0]!.request.headers["x-api-key"]).toBe("key-of-bolt");
  await call("DELETE", "/api/connections/desk", undefined, keys.bolt);
  expect((await call("GET", "/api/connections/desk")).json().secrets.api_key.set).toBe(true);
  expect((await call("GET", "/api/connections/desk?tenant=bolt")).statusCode).toBe(404);
});

test("no secret stands in anything the server wrote to its log", () => {
  expect(log).not.toBe("");
  for (const form of FORBIDDEN) expect(log).not.toContain(form);
});

test("a secret that is stored as a reference is read where it is, for checks and for proxied calls, and only its name is shown", async () => {
  await setConnection(at.db, keyring, "bolt", "desk", { connector: "desk", config: { address, method: "key", app_id: "a" }, secrets: {}, references: { api_key: "env:DESK_KEY" } });
  const checked = await call("POST", "/api/connections/desk/check", {}, keys.bolt);
  expect(checked.json()).toMatchObject({ ok: true });
  const proxied = await call("GET", "/api/connections/desk/proxy/me", undefined, keys.bolt);
  expect(proxied.statusCode).toBe(200);
  expect(seen.at(-1)!.request.headers["x-api-key"]).toBe(ASCII);
  expect((await call("GET", "/api/connections/desk", undefined, keys.bolt)).json()).toMatchObject({ secrets: { api_key: { set: true, reference: "env:DESK_KEY" } } });
});
