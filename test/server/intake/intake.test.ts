import { gzipSync } from "node:zlib";
import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listRefusals, PLATFORM, saveAliases, setConnection } from "../../../engine/store/index.ts";
import { createServer } from "../../../server/api/server.ts";
import { issueKey } from "../../../server/main.ts";
import { asAdmin } from "../../support/postgres.ts";
import { intakeRig, SECRET, webhooks, type IntakeRig } from "./rig.ts";

let it: IntakeRig;
let people: string;
const event = (id: string | undefined, person: object, more: object = {}): object => ({ ...(id === undefined ? {} : { id }), type: "person", person, ...more });

beforeAll(async () => {
  it = await intakeRig({ intake: { flood: { perSecond: 1, burst: 400 }, bodySeconds: 0.3 } });
  await it.apply(["acme", "bolt", "corp"]);
  people = await it.address("acme", { feed: "people" });
});
afterAll(() => it.close());

test("100 copies of one event at once are stored once, and all are answered with 200 and an empty body", async () => {
  const body = { events: [event("once", { id: 1, v: 1, name: "Ada" })] };
  const answers = await Promise.all(Array.from({ length: 100 }, () => it.send(people, body)));
  expect(new Set(answers.map(({ statusCode, body: text }) => `${statusCode}${text}`))).toEqual(new Set(["200"]));
  expect(await it.events("acme")).toMatchObject([{ event_id: "once", status: "pending", copies: 99 }]);
  expect(await asAdmin(it.database.url, "select count(*)::int as requests from inbound_requests")).toEqual([{ requests: 1 }]);
});

test("what was sent is sealed: neither body nor item stands in the database as text", async () => {
  await it.send(people, { events: [event("sealed", { id: 2, v: 1, name: "canary-person" })] });
  const rows = await asAdmin<object>(it.database.url, "select encode(request, 'escape') as request, to_jsonb(e.*) as event, encode(e.item, 'escape') as item from inbound_requests r join events e on e.request_id = r.id");
  expect(JSON.stringify(rows)).not.toContain("canary-person");
  const [found] = (await it.events("acme")).filter(({ event_id }) => event_id === "sealed");
  expect((await it.api("GET", `/api/events/${found!.id}/raw?tenant=acme`)).json()).toMatchObject({ item: { person: { name: "canary-person" } }, headers: { "x-signature": "•••" } });
});

test("an unknown address and a bad signature get the same answer, and the reason is kept for those who look after the connection", async () => {
  const wrong = await it.send(people, { events: [] }, { secret: "another" });
  const unknown = await it.send(`/webhooks/crm/${"x".repeat(43)}`, { events: [] });
  const others = await it.send(people.replace("/crm/", "/other/"), { events: [] });
  for (const answer of [wrong, unknown, others]) expect([answer.statusCode, answer.body]).toEqual([401, wrong.body]);
  expect(JSON.parse(wrong.body)).toMatchObject({ error: { code: "SERVER_WEBHOOK_REFUSED" } });
  await expect.poll(() => listRefusals(it.database.db, "acme"), { timeout: 5000 }).toMatchObject([{ connection: "crm", feed: "people", count: 1 }]);
});

test.each([
  ["malformed JSON", "{\"events\": [", {}, 400, "EVENT_BODY"],
  ["a member called __proto__", '{"events":[{"id":"p","__proto__":{"admin":true}}]}', {}, 400, "EVENT_BODY"],
  ["the same, escaped", '{"\\u005f_proto__":{"admin":true}}', {}, 400, "EVENT_BODY"],
  ["a member twice", '{"events":[],"events":[]}', {}, 400, "EVENT_BODY"],
  ["nesting without end", "[".repeat(100_000), {}, 400, "EVENT_BODY"],
  ["what is no text", "\xff\xfe", {}, 400, "EVENT_BODY"],
] as const)("%s is refused, and nothing of it is stored", async (_, body, headers, status, code) => {
  const before = (await it.events("acme")).length;
  const answer = await it.send(people, body, { headers });
  expect([answer.statusCode, JSON.parse(answer.body).error.code]).toEqual([status, code]);
  expect((await it.events("acme")).length).toBe(before);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test.each([["application/json\t"], [" application/json"], ["APPLICATION/JSON"], ["text/plain"], ["multipart/form-data; boundary=x"], ["application/x-www-form-urlencoded"], ["not a type"], [""]])("the content type %j changes nothing: the feed says what a body is", async (type) => {
  const good = await it.send(people, { events: [event(`type ${type}`, { id: 3, v: 1, name: "T" })] }, { headers: { "content-type": type } });
  const bad = await it.send(people, "{", { headers: { "content-type": type } });
  expect([good.statusCode, bad.statusCode]).toEqual([200, 400]);
});

test.each([["gzip", gzipSync(Buffer.alloc(1 << 20))], ["br", Buffer.from("x")], ["deflate", Buffer.from("x")], ["gzip, gzip", Buffer.from("x")]])("a body encoded as %s is not unpacked", async (encoding, payload) => {
  const answer = await it.server.inject({ method: "POST", url: people, payload, headers: { "content-encoding": encoding } });
  expect([answer.statusCode, answer.json().error.code]).toEqual([415, "SERVER_ENCODED"]);
});

test("a body that says it is too large is refused before it is read, and one that does not say so as soon as it is", async () => {
  await it.server.listen({ port: 0, host: "127.0.0.1" });
  const { port } = it.server.server.address() as AddressInfo;
  const send = (headers: Record<string, string>, write: (body: { write(text: string): void; end(): void }) => void) => new Promise<{ status: number; sent: number }>((resolve, reject) => {
    let sent = 0;
    const request = httpRequest({ port, host: "127.0.0.1", path: people, method: "POST", headers }, (response) => { response.resume(); resolve({ status: response.statusCode!, sent }); });
    request.on("error", reject);
    write({ write: (text) => { sent += text.length; request.write(text); }, end: () => request.end() });
  });
  // Announced: the answer comes although nothing was sent yet.
  expect(await send({ "content-length": String(5 << 20) }, (body) => body.write("["))).toMatchObject({ status: 413, sent: 1 });
  expect(await send({ "transfer-encoding": "chunked" }, (body) => { for (let n = 0; n < 20; n++) body.write("x".repeat(64 << 10)); })).toMatchObject({ status: 413 });
  // A byte now and then keeps no place.
  expect(await send({ "transfer-encoding": "chunked" }, (body) => body.write("["))).toMatchObject({ status: 408 });
});

test("a manifest may ask for larger bodies", async () => {
  await it.apply(["wide"], { webhooks: { people: { ...webhooks["people"]!, max_body_bytes: 3 << 20 } } });
  await it.apply(["acme", "bolt", "corp", "wide"], { webhooks: { ...webhooks, people: { ...webhooks["people"]!, max_body_bytes: 3 << 20 } } });
  const answer = await it.send(await it.address("wide", { feed: "people" }), { events: [event("wide", { id: 1, v: 1, name: "x".repeat(2 << 20) })] });
  expect(answer.statusCode).toBe(200);
});

test("handshakes are answered as the manifest says, as text and never as a page, and carry nothing", async () => {
  const asked = await it.address("bolt", { feed: "asked" });
  const challenge = await it.server.inject({ method: "GET", url: `${asked}?challenge=${encodeURIComponent("<script>alert(1)</script>")}` });
  expect([challenge.statusCode, challenge.body, challenge.headers["content-type"], challenge.headers["x-content-type-options"]]).toEqual([200, "<script>alert(1)</script>", "text/plain; charset=utf-8", "nosniff"]);
  const ping = await it.send(asked, { type: "PING" });
  expect([ping.statusCode, ping.body]).toEqual([200, '{"type":"PONG"}']);
  const page = await it.send(asked, { type: "HTML", text: "<b>" });
  expect([page.body, page.headers["content-type"]]).toEqual(["<b>", "text/plain; charset=utf-8"]);
  expect((await it.send(asked, { type: "PING" }, { secret: "another" })).statusCode).toBe(401);
  expect((await it.server.inject({ method: "GET", url: asked })).statusCode).toBe(401);
  expect(await it.events("bolt")).toEqual([]);
  expect((await it.send(asked, { id: "r", person: { id: 1, v: 1, name: "A" } })).statusCode).toBe(202);
  expect(await it.events("bolt")).toMatchObject([{ event_id: "r" }]);
});

test("no items: proven, answered, nothing stored", async () => {
  const before = (await it.events("acme")).length;
  expect((await it.send(people, { events: [] })).statusCode).toBe(200);
  expect((await it.send(people, { events: [] }, { secret: "x" })).statusCode).toBe(401);
  expect((await it.events("acme")).length).toBe(before);
});

test("one address for all customers: each item finds every connection of its account, and nobody's are kept by the operator", async () => {
  await setConnection(it.database.db, it.keyring, PLATFORM, "crm", { connector: "crm", config: {}, secrets: { key: "app-secret" } });
  await setConnection(it.database.db, it.keyring, "bolt", "second", { connector: "crm", config: {}, account: { id: "account of acme" } });
  const app = await it.address(PLATFORM, { feed: "app" });
  const items = [{ subscription: 1, event: 1, account: "account of acme", person: { id: 9, v: 1, name: "of acme" } }, { subscription: 1, event: 2, account: "account of corp", person: { id: 9, v: 1, name: "of corp" } }, { subscription: 1, event: 3, account: "nobody", person: {} }, { subscription: 1, account: "account of corp", person: { id: 10, v: 1, name: "half an id" } }];
  expect((await it.send(app, items, { secret: SECRET })).statusCode).toBe(401);
  for (let copy = 0; copy < 2; copy++) expect((await it.send(app, items, { secret: "app-secret" })).statusCode).toBe(200);
  const ofApp = async (tenant: string) => (await it.events(tenant)).filter(({ feed }) => feed === "app").map(({ connection, event_id, status, copies }) => ({ connection, event_id, status, copies }));
  expect(await ofApp("acme")).toEqual([{ connection: "crm", event_id: "1/1", status: "pending", copies: 1 }]);
  expect(await ofApp("bolt")).toEqual([{ connection: "second", event_id: "1/1", status: "pending", copies: 1 }]);
  // Half an id is none: never a duplicate.
  expect(await ofApp("corp")).toEqual([{ connection: "crm", event_id: "1/2", status: "pending", copies: 1 }, { connection: "crm", event_id: undefined, status: "pending", copies: 0 }, { connection: "crm", event_id: undefined, status: "pending", copies: 0 }]);
  expect(await it.events(PLATFORM)).toMatchObject([{ connection: "", account: "nobody", status: "unrouted", code: "EVENT_UNROUTED", copies: 1 }]);
  expect((await it.api("GET", `/api/events?tenant=${PLATFORM}&status=unrouted`)).json().data).toMatchObject([{ connection: null, account: "nobody" }]);
});

test("without a token: the tenant is that of the key or of the host, and the signature proves the sender", async () => {
  const body = { events: [event("named", { id: 4, v: 1, name: "N" })] };
  await asAdmin(it.database.url, "update tenants set subdomain = 'corp' where slug = 'corp'");
  const before = (await it.events("corp")).length;
  expect((await it.send("/api/integrations/crm/webhook?feed=people", body, { headers: { host: "corp.example.com" } })).statusCode).toBe(200);
  expect((await it.events("corp")).length).toBe(before + 1);
  expect((await it.send("/api/integrations/crm/webhook?feed=people", body, { headers: { host: "nobody.example.com" } })).statusCode).toBe(401);
  expect((await it.send("/api/integrations/crm/webhook", body, { headers: { host: "corp.example.com" } })).statusCode).toBe(401);   // several feeds, none named
  // Where the address is the only proof, one that everybody knows is none; a key is.
  const hint = (headers: Record<string, string>) => it.send("/api/integrations/crm/webhook?feed=hints", { person: 1 }, { headers });
  expect((await hint({ host: "corp.example.com" })).statusCode).toBe(401);
  const key = await issueKey(it.database.db, { name: "corp", scopes: ["*"], tenant: "corp" });
  expect((await hint({ authorization: `Bearer ${key}` })).statusCode).toBe(200);
});

test("a path of a product in use leads to a feed: of the tenant of the host, or of all customers", async () => {
  await saveAliases(it.database.db, [{ path: "/v1/hooks/crm", connector: "crm", feed: "people" }, { path: "/v1/hooks/app", connector: "crm", feed: "app" }]);
  const before = (await it.events("corp")).length;
  expect((await it.send("/v1/hooks/crm", { events: [event("alias", { id: 5, v: 1, name: "A" })] }, { headers: { host: "corp.example.com" } })).statusCode).toBe(200);
  expect((await it.send("/v1/hooks/crm", { events: [] }, { headers: { host: "nobody.example.com" } })).statusCode).toBe(401);
  expect((await it.send("/v1/hooks/app", [{ subscription: 7, event: 7, account: "account of corp", person: {} }], { secret: "app-secret" })).statusCode).toBe(200);
  expect((await it.events("corp")).slice(before).map(({ event_id }) => event_id)).toEqual(["alias", "7/7"]);
  const unknown = await it.send("/v1/hooks/other", {});
  expect([unknown.statusCode, JSON.parse(unknown.body).error.code]).toEqual([404, "SERVER_NOT_FOUND"]);
});

test("an address that overflows is told to come again, and others are not touched", async () => {
  const [loud, quiet] = [await it.address("acme", { feed: "hints" }), await it.address("bolt", { feed: "hints" })];
  const answers = await Promise.all(Array.from({ length: 420 }, () => it.send(loud, {})));
  const refused = answers.filter(({ statusCode }) => statusCode === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]!.headers["retry-after"]).toMatch(/^\d+$/);
  expect((await it.send(quiet, {})).statusCode).toBe(200);
});

test("an address is made by staff, shown once, replaced with overlap, and ended", async () => {
  expect((await it.api("POST", "/api/connections/crm/webhooks?tenant=acme")).statusCode).toBe(400);             // several feeds
  const made = await it.api("POST", "/api/connections/crm/webhooks?tenant=acme", { feed: "people" });
  expect(made.statusCode).toBe(201);
  const path = (url: string): string => new URL(url).pathname;
  const first = path(made.json().url);
  expect(first).toMatch(/^\/webhooks\/crm\/[\w-]{43}$/);
  const rotated = (await it.api("POST", "/api/connections/crm/webhooks/rotate?tenant=acme", { feed: "people", overlap_hours: 1 })).json();
  expect(rotated.replaced.map(({ id }: { id: string }) => id)).toContain(made.json().id);
  for (const url of [first, path(rotated.url)]) expect((await it.send(url, { events: [] })).statusCode).toBe(200);
  expect((await it.api("DELETE", `/api/webhooks/${rotated.id}?tenant=bolt`)).statusCode).toBe(404);
  expect((await it.api("DELETE", `/api/webhooks/${rotated.id}?tenant=acme`)).statusCode).toBe(204);
  const stored = await asAdmin<object>(it.database.url, "select to_jsonb(w.*) from webhook_endpoints w");
  expect(JSON.stringify(stored)).not.toContain(first.split("/").at(-1));
  expect((await it.api("POST", `/api/connectors/crm/webhooks?tenant=${PLATFORM}`)).json()).toMatchObject({ feed: "app", url: expect.stringContaining("/webhooks/crm/") });
  expect((await it.api("POST", "/api/connectors/crm/webhooks?tenant=acme")).statusCode).toBe(400);
});

test("a secret that was replaced proves for another day, and the new one at once", async () => {
  await setConnection(it.database.db, it.keyring, "corp", "crm", { connector: "crm", config: {}, secrets: { key: "newer" } });
  const url = await it.address("corp", { feed: "people" });
  for (const secret of ["newer", SECRET]) expect((await it.send(url, { events: [] }, { secret })).statusCode).toBe(200);
  await setConnection(it.database.db, it.keyring, "corp", "crm", { connector: "crm", config: {}, secrets: { key: "newest" } });
  expect((await it.send(url, { events: [] }, { secret: "newest" })).statusCode).toBe(200);
  await asAdmin(it.database.url, "update secrets set previous_until = now()");
  const [before, later] = [it.server, await createServer({ db: it.database.db, jobs: it.jobs, keyring: it.keyring, logLevel: "silent" })];
  it.server = later;                                       // another process, or this one seconds later
  expect((await it.send(url, { events: [] }, { secret: "newer" })).statusCode).toBe(401);
  it.server = before;
  await later.close();
});
