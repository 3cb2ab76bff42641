/** Connect links over HTTP: who makes them, how long they are good, and that their token reaches nothing but its one connection. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { listAudit } from "../../../engine/store/index.ts";
import { asAdmin } from "../../support/postgres.ts";
import { CLIENT, enterApp, startOAuthProvider, startRig, suiteWorkspace, type OAuthProvider, type Rig } from "./rig.ts";

let provider: OAuthProvider;
let rig: Rig;
beforeAll(async () => {
  provider = await startOAuthProvider();
  rig = await startRig(suiteWorkspace(provider.url));
  await enterApp(rig, "suite", CLIENT);
});
afterAll(async () => {
  await rig.close();
  await provider.close();
});

type Method = "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
const call = async (method: Method, url: string, key: string, body?: unknown, headers: Record<string, string> = {}) => rig.server.inject({ method, url, headers: { authorization: `Bearer ${key}`, host: "plug.example.com", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) });
const make = async (body: object = {}): Promise<{ id: string; token: string; url: string }> => {
  const answer = await call("POST", "/api/connect-links", rig.keys.acme, { connection: "suite_a", ...body });
  expect(answer.statusCode, answer.body).toBe(201);
  return { id: answer.json().link.id, token: new URL(answer.json().url).hash.slice(1), url: answer.json().url };
};

test("a link is an address whose token no server log sees, good for a day at most, and leads back only to listed origins", async () => {
  const { url, token } = await make({ return_url: "https://app.example.com/done?x=1" });
  expect(url).toMatch(/^http:\/\/plug\.example\.com\/connect#pbl_[\w-]{22}\.[\w-]{43}$/);
  expect(JSON.stringify(await asAdmin(rig.at.url, "select * from connect_links"))).not.toContain(token);
  expect((await call("POST", "/api/connect-links", rig.keys.acme, { connection: "suite_a", expires_in_seconds: 86_401 })).statusCode).toBe(400);
  for (const evil of ["https://evil.example.com/", "https://app.example.com@evil.example.com/", "javascript:alert(1)", "https://app.example.com.evil.com", "http://app.example.com/", "//app.example.com"]) {
    expect((await call("POST", "/api/connect-links", rig.keys.acme, { connection: "suite_a", return_url: evil })).statusCode, evil).toBe(400);
  }
  expect((await call("POST", "/api/connect-links", rig.keys.acme, { connection: "nothing" })).statusCode).toBe(404);
});

test("its token reaches what its page asks, and nothing else", async () => {
  const { token } = await make();
  const shown = await call("GET", "/api/connect-link", token);
  expect(shown.json()).toMatchObject({ title: "Suite", organisation: "Acme Training", asked: ["method"], signs_in: true, accounts: [] });
  expect(Object.keys(shown.json().form.properties)).toEqual(["method", "token"]);           // not what the operator sets
  expect((await call("POST", "/api/connect-link/form", token, { config: { method: "token" } })).json()).toEqual({ asked: ["method", "token"], signs_in: false });
  const routes: [Method, string][] = [
    ["GET", "/api/connections"], ["GET", "/api/connections/suite_a"], ["PUT", "/api/connections/suite_a"], ["POST", "/api/connections/suite_a/check"], ["DELETE", "/api/connections/suite_a"], ["GET", "/api/connections/suite_a/proxy/accounts"],
    ["POST", "/api/connect-links"], ["GET", "/api/connect-links"], ["POST", "/api/integrations/suite_a/connect"], ["GET", "/api/integrations/suite_a/status"], ["GET", "/api/connectors"], ["GET", "/api/runs"], ["GET", "/api/records/learner"], ["GET", "/api/tenants"], ["GET", "/metrics"],
  ];
  for (const [method, url] of routes) expect((await call(method, url, token, method === "GET" ? undefined : {})).statusCode, `${method} ${url}`).toBe(403);
  expect((await call("GET", "/api/connect-link?tenant=bolt", token)).statusCode).toBeGreaterThanOrEqual(400);
  expect((await call("GET", "/api/connect-link", rig.keys.acme)).statusCode).toBe(403);       // a key is no link
});

test("it is over once it connected, was revoked, or has run out; the answer is the same as for one that never was", async () => {
  provider.accounts = [{ id: "a1", name: "First" }];
  const { token } = await make();
  const access = provider.consent((await call("POST", "/api/connect-link/connect", (await make()).token, { config: {} })).json().authorize_url);
  expect((await rig.server.inject({ method: "GET", url: `${access.pathname}${access.search}` })).statusCode).toBe(400);    // another browser
  const begun = await call("POST", "/api/connect-link/connect", token, { config: {} });
  const cookie = String(begun.headers["set-cookie"]);
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Lax/);
  const back = provider.consent(begun.json().authorize_url);
  const ended = await rig.server.inject({ method: "GET", url: `${back.pathname}${back.search}`, headers: { cookie: cookie.split(";")[0]! } });
  expect([ended.statusCode, ended.headers["location"]]).toEqual([303, "/connect?outcome=connected"]);
  const [revoked, late] = [await make(), await make()];
  expect((await call("DELETE", `/api/connect-links/${revoked.id}`, rig.keys.acme)).json()).toMatchObject({ status: "revoked" });
  await asAdmin(rig.at.url, "update connect_links set expires_at = now() - interval '1 second' where id = $1", [late.id]);
  const bodies = new Set<string>();
  for (const dead of [token, revoked.token, late.token, `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`, "pbl_nonsense"]) {
    const answer = await call("GET", "/api/connect-link", dead);
    expect(answer.statusCode).toBe(401);
    bodies.add(answer.body);
  }
  expect(bodies.size).toBe(1);
});

test("links are listed by their tenant, revoked by nobody else, and every step stands in the audit log", async () => {
  const { id } = await make();
  expect((await call("GET", "/api/connect-links?limit=1", rig.keys.acme)).json()).toMatchObject({ data: [{ id, status: "open", connection: "suite_a" }], next_cursor: expect.any(String) });
  expect((await call("GET", "/api/connect-links", rig.keys.bolt)).json().data).toEqual([]);
  expect((await call("DELETE", `/api/connect-links/${id}`, rig.keys.bolt)).statusCode).toBe(404);
  expect((await call("DELETE", `/api/connect-links/${id}`, rig.keys.acme)).statusCode).toBe(200);
  const lines = await listAudit(rig.at.db, "acme", { limit: 100 });
  for (const action of ["connect_link.made", "connect_link.revoked", "connection.entered", "connection.sign_in_begun", "connection.signed_in"]) expect(lines.map((line) => line.action)).toContain(action);
  expect(lines.find(({ action }) => action === "connection.signed_in")!.actor).toMatchObject({ kind: "connect_link", name: "connect link of key of acme" });
});

test("a link starts nothing over: another account than before stays refused", async () => {
  provider.accounts = [{ id: "a9", name: "Another" }];
  const { token } = await make();
  const begun = await call("POST", "/api/connect-link/connect", token, { config: {} });
  const back = provider.consent(begun.json().authorize_url);
  const ended = await rig.server.inject({ method: "GET", url: `${back.pathname}${back.search}`, headers: { cookie: String(begun.headers["set-cookie"]).split(";")[0]! } });
  expect(ended.headers["location"]).toBe("/connect?outcome=account_changed");
  expect((await call("POST", "/api/connect-link/account", token, { account: "a9" })).json().error.code).toBe("AUTH_ACCOUNT_CHANGED");
  expect((await call("POST", "/api/connect-link/connect", token, { config: {}, start_over: true })).statusCode).toBe(400);
  expect((await call("POST", "/api/connect-link/connect", token, { config: { method: "token" }, secrets: { token: "••••••••" } })).json().error.problems).toMatchObject([{ code: "SERVER_MASKED_SECRET" }]);
});
