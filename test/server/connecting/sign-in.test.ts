/** The code flow over HTTP: a workspace in force, a real PostgreSQL, a provider whose codes and refresh tokens are good for one use. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { describeConnection, heldBy, listAudit, readConnectionValues, readPlan, currentRevision, tokenStore } from "../../../engine/store/index.ts";
import { asAdmin } from "../../support/postgres.ts";
import { CLIENT, enterApp, startOAuthProvider, startRig, suiteWorkspace, type OAuthProvider, type Rig } from "./rig.ts";

let provider: OAuthProvider;
let rig: Rig;
beforeAll(async () => {
  provider = await startOAuthProvider();
  rig = await startRig(suiteWorkspace(provider.url));
});
afterAll(async () => {
  await rig.close();
  await provider.close();
});
beforeEach(async () => {
  provider.accounts = [{ id: "a1", name: "First" }];
  provider.asked.length = 0;
  await enterApp(rig, "suite", CLIENT);
});

const call = async (method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: unknown, key = rig.keys.acme) => {
  const answer = await rig.server.inject({ method, url, headers: { authorization: `Bearer ${key}`, host: "plug.example.com", ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) });
  expect(answer.body, `${method} ${url}`).not.toMatch(/canary/);
  return answer;
};
const begin = async (connection: string, body: object = {}): Promise<string> => {
  const answer = await call("POST", `/api/integrations/${connection}/connect`, body);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().authorize_url;
};
const callback = (url: URL, cookie?: string) => rig.server.inject({ method: "GET", url: `${url.pathname}${url.search}`, headers: { host: url.host, ...(cookie === undefined ? {} : { cookie }) } });
const signIn = async (connection: string, body: object = {}) => callback(provider.consent(await begin(connection, body)));
const show = async (connection: string) => (await call("GET", `/api/connections/${connection}`)).json();

describe("a sign-in", () => {
  test("sends the person to the provider with a state, PKCE and our one callback, and connects when they come back", async () => {
    const answer = (await call("POST", "/api/integrations/suite_a/connect", {})).json();
    const asked = new URL(answer.authorize_url);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({ response_type: "code", client_id: CLIENT.client_id, redirect_uri: "http://plug.example.com/oauth/callback", scope: "read offline", code_challenge_method: "S256" });
    expect(Date.parse(answer.expires_at) - Date.now()).toBeLessThanOrEqual(600_000);
    expect((await show("suite_a")).state).toMatchObject({ name: "not_connected" });
    const back = await callback(provider.consent(answer.authorize_url));
    expect([back.statusCode, back.headers["referrer-policy"]]).toEqual([200, "no-referrer"]);
    expect(back.body).toContain("Suite is connected");
    expect(await show("suite_a")).toMatchObject({ status: "ok", signed_in: true, account: { id: "a1", label: "First" }, state: { name: "connected" } });
    const audit = await listAudit(rig.at.db, "acme", { limit: 10 });
    expect(audit.map(({ action }) => action)).toEqual(["connection.signed_in", "connection.sign_in_begun", "connection.entered"]);
  });

  test("the state is good for one use, and what is wrong with one is not told", async () => {
    const url = provider.consent(await begin("suite_a"));
    expect((await callback(url)).statusCode).toBe(200);
    const [again, madeUp, none] = [await callback(url), await callback(new URL("http://plug.example.com/oauth/callback?code=x&state=AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")), await callback(new URL("http://plug.example.com/oauth/callback"))];
    expect([again.statusCode, madeUp.statusCode, none.statusCode]).toEqual([400, 400, 400]);
    expect(new Set([again.body, madeUp.body, none.body]).size).toBe(1);
    const late = provider.consent(await begin("suite_a"));
    await asAdmin(rig.at.url, "update sign_ins set expires_at = now() - interval '1 second' where answered_at is null");
    expect((await callback(late)).statusCode).toBe(400);
  });

  test("nothing of it is stored in clear or logged: state and code as little as tokens", async () => {
    const url = provider.consent(await begin("suite_a"));
    await callback(url);
    const dump = JSON.stringify(await asAdmin(rig.at.url, "select s.*, c.* from sign_ins s full join consents c on c.id = s.consent_id"));
    for (const secret of [url.searchParams.get("state")!, url.searchParams.get("code")!, ...provider.tokens.keys(), ...[...provider.tokens.values()].map(({ refresh }) => refresh), CLIENT.client_secret]) {
      expect(dump).not.toContain(secret);
      expect(rig.log()).not.toContain(secret);
    }
  });

  test("a person who says no, and a code that the provider refuses, leave the connection as it was", async () => {
    const url = new URL(provider.consent(await begin("suite_a")));
    url.searchParams.delete("code");
    url.searchParams.set("error", "access_denied");
    url.searchParams.set("error_description", "<script>alert(1)</script>");
    const refused = await callback(url);
    expect(refused.body).toContain("cancelled");
    expect(refused.body).not.toContain("<script>");
    const forged = provider.consent(await begin("suite_a"));
    forged.searchParams.set("code", "canary-code-of-somebody-else");
    const failed = await callback(forged);
    expect(failed.body).toContain("is not connected");
    expect(failed.body).not.toContain("canary");
    expect(await show("suite_a")).toMatchObject({ status: "ok", account: { id: "a1" } });
  });

  test("leads back to a path of ours and nowhere else", async () => {
    const back = await signIn("suite_a", { return_to: "/org?tab=2" });
    expect([back.statusCode, back.headers["location"]]).toEqual([303, "/org?tab=2&connection=suite_a&outcome=connected"]);
    for (const evil of ["https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "\\/evil", "javascript:alert(1)", "/\tevil", ""]) {
      expect((await call("POST", "/api/integrations/suite_a/connect", { return_to: evil })).statusCode, evil).toBe(400);
    }
  });

  test("without the operator's app it says what is missing", async () => {
    await asAdmin(rig.at.url, "delete from connections c using tenants t where t.id = c.tenant_id and t.slug = 'platform'");
    expect((await call("POST", "/api/integrations/suite_a/connect", {})).json().error).toMatchObject({ code: "AUTH_MISSING_CREDENTIAL" });
    const registry = (await call("GET", "/api/connectors/suite")).json();
    expect(registry.missing).toEqual(["client_id", "client_secret"]);
    // What works is not given up for a sign-in that nobody can make.
    const ofBolt = (method: "GET" | "POST" | "PUT", url: string, body?: unknown) => call(method, url, body, rig.keys.bolt);
    await ofBolt("PUT", "/api/connections/suite_c", { config: { method: "token" }, secrets: { token: "a-token-of-bolt" } });
    expect((await ofBolt("POST", "/api/integrations/suite_c/connect", { config: { method: "oauth" } })).json().error).toMatchObject({ code: "AUTH_MISSING_CREDENTIAL" });
    expect((await ofBolt("GET", "/api/connections/suite_c")).json()).toMatchObject({ config: { method: "token" } });
    await asAdmin(rig.at.url, "delete from connections c using tenants t where t.id = c.tenant_id and t.slug = 'bolt'");
  });
});

describe("accounts", () => {
  test("of several, a person picks one; connections made together share one consent", async () => {
    provider.accounts = [{ id: "a1", name: "First" }, { id: "a2", name: "Second" }];
    expect((await signIn("suite_b")).body).toContain("one more step");
    expect(await show("suite_b")).toMatchObject({ signed_in: false, account: null });
    expect((await call("GET", "/api/connections/suite_b/accounts")).json()).toMatchObject({ outcome: "choose", accounts: [{ id: "a1", label: "First" }, { id: "a2", label: "Second" }] });
    expect((await call("POST", "/api/connections/suite_b/accounts", { account: "a9" })).statusCode).toBe(404);
    const picked = await call("POST", "/api/connections/suite_b/accounts", { account: "a2", also: { suite_c: "a1" } });
    expect(picked.json().connections).toMatchObject([{ connection: "suite_c", account: { id: "a1" }, status: "ok" }, { connection: "suite_b", account: { id: "a2" }, status: "ok" }]);
    expect(await asAdmin(rig.at.url, "select count(distinct consent_id)::int as consents, count(*)::int as connections from connections where connection in ('suite_b', 'suite_c')")).toEqual([{ consents: 1, connections: 2 }]);
  });

  test("another account than before is refused until somebody starts over, who is told what that forgets", async () => {
    await signIn("suite_d");
    await asAdmin(rig.at.url, `insert into contributions (tenant_id, connection, stream, entity, key, row_id, data, labels, data_hash, record_hash, run_id, created_at, updated_at)
      select id, 'suite_d', 'people', 'learner', 'k1', gen_random_uuid(), '{}', '{}', '', '', gen_random_uuid(), now(), now() from tenants where slug = 'acme'`);
    await asAdmin(rig.at.url, "insert into entity_rows (tenant_id, entity, id, data, labels, links, created_at, updated_at) select tenant_id, entity, row_id, '{}', '{}', '{}', now(), now() from contributions where connection = 'suite_d'");
    provider.accounts = [{ id: "a7", name: "Another" }];
    expect((await signIn("suite_d")).body).toContain("another account");
    expect(await show("suite_d")).toMatchObject({ account: { id: "a1" }, status: "ok" });
    expect((await call("GET", "/api/connections/suite_d/accounts")).json()).toMatchObject({ outcome: "account_changed", current: { id: "a1" }, forgets: { records: 1 } });
    const refused = await call("POST", "/api/connections/suite_d/accounts", { account: "a7" });
    expect([refused.statusCode, refused.json().error.code]).toEqual([409, "AUTH_ACCOUNT_CHANGED"]);
    expect((await call("POST", "/api/connections/suite_d/accounts", { account: "a7", start_over: true })).json().connections).toMatchObject([{ account: { id: "a7" }, status: "ok" }]);
    expect(await heldBy(rig.at.db, "acme", "suite_d")).toEqual({ records: 0, quarantined: 0, checkpoints: 0 });
    expect(await asAdmin(rig.at.url, "select r.deleted_at is not null as ended from entity_rows r join tenants t on t.id = r.tenant_id where t.slug = 'acme'")).toEqual([{ ended: true }]);
  });

  test("a credential entered for another account is used for nothing until somebody starts over", async () => {
    const token = [...provider.tokens.keys()][0]!;
    provider.accounts = [{ id: "f1", name: "Form" }];
    await call("PUT", "/api/connections/suite_a", { config: {} }, rig.keys.bolt);
    expect((await call("POST", "/api/integrations/suite_a/connect", { config: { method: "token" }, secrets: { token } }, rig.keys.bolt)).json()).toMatchObject({ ok: true, connection: { account: { id: "f1" } } });
    provider.accounts = [{ id: "f2", name: "Other" }];
    expect((await call("POST", "/api/connections/suite_a/check", undefined, rig.keys.bolt)).json()).toMatchObject({ ok: false, error: { code: "AUTH_ACCOUNT_CHANGED" }, connection: { state: { name: "reconnect_needed" } } });
    const plan = await readPlan(rig.at.db, "bolt", (await currentRevision(rig.at.db, "bolt"))!);
    await expect(readConnectionValues(rig.at.db, rig.keyring, "bolt", "suite_a", plan.connectors["suite"]!, plan.connections["suite_a"])).rejects.toMatchObject({ code: "AUTH_ACCOUNT_CHANGED" });
    expect((await call("POST", "/api/integrations/suite_a/connect", { config: { method: "token" }, start_over: true }, rig.keys.bolt)).json()).toMatchObject({ ok: true, connection: { account: { id: "f2" }, state: { name: "connected" } } });
  });
});

describe("afterwards", () => {
  test("a token is renewed, and a proxied call works with it", async () => {
    await signIn("suite_a");
    await asAdmin(rig.at.url, "update consents set expires_at = now()");
    provider.asked.length = 0;
    expect((await call("GET", "/api/connections/suite_a/proxy/accounts")).statusCode).toBe(200);
    expect(provider.asked.map(({ form }) => form.get("grant_type"))).toEqual(["refresh_token"]);
  });

  test("disconnecting ends the consent at the provider, unless another connection has it too", async () => {
    provider.asked.length = 0;
    const consent = (await tokenStore(rig.at.db, rig.keyring, "acme", "suite_a")("oauth").consent!.read())!;
    expect((await call("DELETE", "/api/connections/suite_a")).json()).toMatchObject({ revoked: "revoked" });
    expect(provider.asked.map(({ path, form }) => [path, form.get("token")])).toEqual([["/revoke", consent.refresh]]);
    expect((await call("DELETE", "/api/connections/suite_b")).json()).toMatchObject({ revoked: "nothing_to_revoke" });
    expect(await show("suite_c")).toMatchObject({ status: "ok", signed_in: true });
    expect((await show("suite_a")).state.name).toBe("disconnected");
  });

  test("a connection that brought records asks what becomes of them, and erases them when told", async () => {
    await asAdmin(rig.at.url, `insert into contributions (tenant_id, connection, stream, entity, key, row_id, data, labels, data_hash, record_hash, run_id, created_at, updated_at)
      select id, 'suite_d', 'people', 'learner', 'k1', gen_random_uuid(), '{}', '{}', '', '', gen_random_uuid(), now(), now() from tenants where slug = 'acme'`);
    const asked = await call("DELETE", "/api/connections/suite_d");
    expect([asked.statusCode, asked.json().error.code]).toEqual([409, "AUTH_KEEP_OR_ERASE"]);
    expect((await describeConnection(rig.at.db, "acme", "suite_d"))?.status).toBe("ok");
    expect((await call("DELETE", "/api/connections/suite_d?data=erase")).json()).toMatchObject({ erased: { records: 1 }, kept: { records: 0 } });
    expect(await asAdmin(rig.at.url, "select 1 from contributions where connection = 'suite_d'")).toEqual([]);
  });

  test("a paused connection is used for nothing, and works again when it is enabled", async () => {
    expect((await call("POST", "/api/connections/suite_c/disable")).json()).toMatchObject({ state: { name: "disabled", reason: "Paused by key of acme." } });
    expect((await call("GET", "/api/connections/suite_c/proxy/accounts")).json().error.code).toBe("AUTH_NOT_CONNECTED");
    expect((await call("POST", "/api/integrations/suite_c/sync", {})).json().error.code).toBe("AUTH_NOT_CONNECTED");
    expect((await call("POST", "/api/connections/suite_c/enable")).json()).toMatchObject({ state: { name: "connected" } });
    expect((await call("GET", "/api/connections/suite_c/proxy/accounts")).statusCode).toBe(200);
  });
});

describe("where a credential goes", () => {
  test("to the connector's hosts and nowhere else, whatever a customer makes of the addresses: login, token, revocation, redirect and next page", async () => {
    const { createServer: listen } = await import("node:http");
    const seen: string[] = [];
    const capture = listen((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => { body += chunk.toString(); }).on("end", () => {
        seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)} ${body}`);
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ access_token: "captured", refresh_token: "captured", id: "a1" }));
      });
    });
    await new Promise<void>((resolve) => { capture.listen(0, "127.0.0.1", resolve); });
    const evil = `127.0.0.1:${(capture.address() as { port: number }).port}`;
    const bouncer = listen((request, response) => { response.writeHead(307, { location: `http://${evil}${request.url}` }).end(); });
    await new Promise<void>((resolve) => { bouncer.listen(0, "127.0.0.1", resolve); });
    const own = new URL(provider.url).host;
    const bounce = `127.0.0.1:${(bouncer.address() as { port: number }).port}`;
    const connector = (name: string, hosts: string): string => `connector: ${name}
title: ${name}
config:
  site:          { title: Site, default: "http://${own}" }
  client_id:     { title: App client ID, scope: app }
  client_secret: { title: App client secret, scope: app, secret: true }
http:
  base_url: "{{config.site}}"
  hosts: [${hosts}]
  auth: { type: oauth2_authorization_code, authorize_url: "{{config.site}}/authorize", token_url: "{{config.site}}/token", revoke_url: "{{config.site}}/revoke" }
check: { get: /accounts, each: $, account: id }
streams: { people: { key: id, get: /people, records: items } }
`;
    const host = await startRig({
      "connectors/open/connector.yaml": connector("open", `"${own}"`), "connectors/bounced/connector.yaml": connector("bounced", `"${own}", "${bounce}"`),
      "presets/open/preset.yaml": "preset: open\ntitle: Open\nconnections: { open: { connector: open }, bounced: { connector: bounced } }\n",
      "tenants/acme.yaml": "tenant: acme\ntitle: Acme\npreset: open\n", "tenants/bolt.yaml": "tenant: bolt\ntitle: Bolt\npreset: open\n",
    });
    const ask = async (method: "POST" | "PUT" | "DELETE" | "GET", url: string, body?: unknown) => host.server.inject({ method, url, headers: { authorization: `Bearer ${host.keys.acme}`, host: "plug.example.com", ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) });
    try {
      for (const name of ["open", "bounced"]) await enterApp(host, name, CLIENT);
      // The person is sent nowhere, no code is exchanged, and nothing is asked with the operator's secret.
      expect((await ask("POST", "/api/integrations/open/connect", { config: { site: `http://${evil}` } })).json().error).toMatchObject({ code: "AUTH_HOST_NOT_ALLOWED" });
      const begun = (await ask("POST", "/api/integrations/open/connect", { config: { site: `http://${own}` } })).json();
      const back = provider.consent(begun.authorize_url);
      await ask("PUT", "/api/connections/open", { config: { site: `http://${evil}` } });
      await host.server.inject({ method: "GET", url: `${back.pathname}${back.search}` });
      // Signed in at its own host; then the address changes: what the sign-in gave is gone with it.
      const again = provider.consent((await ask("POST", "/api/integrations/open/connect", { config: { site: `http://${own}` } })).json().authorize_url);
      await host.server.inject({ method: "GET", url: `${again.pathname}${again.search}` });
      expect((await ask("GET", "/api/connections/open")).json()).toMatchObject({ signed_in: true });
      await ask("PUT", "/api/connections/open", { config: { site: `http://${evil}` } });
      expect((await ask("GET", "/api/connections/open")).json()).toMatchObject({ signed_in: false });
      await ask("POST", "/api/connections/open/check");
      await ask("DELETE", "/api/connections/open?data=keep");
      // A host of the connector's that redirects elsewhere takes nothing along: not the code, not the client's secret.
      const bounced = provider.consent((await ask("POST", "/api/integrations/bounced/connect", { config: { site: `http://${bounce}` } })).json().authorize_url);
      expect((await host.server.inject({ method: "GET", url: `${bounced.pathname}${bounced.search}` })).body).toContain("is not connected");
      expect(seen.filter((one) => /canary/.test(one))).toEqual([]);
    } finally {
      await host.close();
      for (const one of [capture, bouncer]) { one.closeAllConnections(); one.close(); }
    }
  });
});

test("the operator enters the app once, on the platform's own connection, and every tenant signs in with it", async () => {
  const host = await startRig({ ...suiteWorkspace(provider.url), "tenants/platform.yaml": "tenant: platform\ntitle: Platform\nconnections: { suite: { connector: suite } }\n" });
  const ask = async (method: "POST" | "PUT" | "GET", url: string, key: string, body?: unknown) => (await host.server.inject({ method, url, headers: { authorization: `Bearer ${key}`, host: "plug.example.com", ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) })).json();
  try {
    expect((await ask("GET", "/api/connectors/suite", host.keys.acme)).missing).toEqual(["client_id", "client_secret"]);
    const entered = await ask("PUT", "/api/connections/suite?tenant=platform", host.keys.operator, { config: { client_id: CLIENT.client_id }, secrets: { client_secret: CLIENT.client_secret } });
    expect(entered.connection).toMatchObject({ secrets: { client_secret: { set: true } } });
    expect((await ask("GET", "/api/connectors/suite", host.keys.acme)).missing).toEqual([]);
    const back = provider.consent((await ask("POST", "/api/integrations/suite_a/connect", host.keys.acme, {})).authorize_url);
    expect((await host.server.inject({ method: "GET", url: `${back.pathname}${back.search}` })).body).toContain("Suite is connected");
    expect((await ask("GET", "/api/connections/suite?tenant=platform", host.keys.acme)).error.code).toBe("SERVER_NOT_FOUND");
  } finally { await host.close(); }
});
