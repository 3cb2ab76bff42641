/** The connector as it is shipped, against the stand-in: only the addresses differ. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProvider } from "../../../server/demo/providers/hubspot.ts";
import { makeDemoWorld } from "../../../server/demo/data.ts";
import { asAdmin } from "../../support/postgres.ts";
import { enterApp, startRig, type Rig } from "./rig.ts";

const CALLBACK = "http://plug.example.com/oauth/callback";
const APP = { client_id: "hub-app", client_secret: "canary-hub-secret" };
let provider: Awaited<ReturnType<typeof startProvider>>;
let rig: Rig;

beforeAll(async () => {
  const { hubspot } = makeDemoWorld({ seed: 1, begun_at: "2026-03-01T09:00:00Z", advanced_at: [] });
  provider = await startProvider({ data: { ...hubspot, scopes: [...hubspot.scopes, "crm.objects.companies.write", "crm.objects.contacts.write"], app: { clientId: APP.client_id, clientSecret: APP.client_secret, redirectUris: [CALLBACK] } } });
  const shipped = (file: string): string => readFileSync(new URL(`../../../connectors/hubspot/${file}`, import.meta.url), "utf8");
  const connector = shipped("connector.yaml").replaceAll("https://api.hubapi.com", provider.url).replaceAll("https://app.hubspot.com", provider.url);
  rig = await startRig({
    "connectors/hubspot/connector.yaml": connector, "connectors/hubspot/schemas/contacts.schema.json": shipped("schemas/contacts.schema.json"), "connectors/hubspot/schemas/companies.schema.json": shipped("schemas/companies.schema.json"),
    "presets/crm/preset.yaml": "preset: crm\ntitle: CRM\nconnections: { hubspot: { connector: hubspot } }\n",
    "tenants/acme.yaml": "tenant: acme\ntitle: Acme\npreset: crm\n", "tenants/bolt.yaml": "tenant: bolt\ntitle: Bolt\npreset: crm\n",
  });
  await enterApp(rig, "hubspot", APP);
});
afterAll(async () => {
  await rig.close();
  await provider.close();
});

const call = async (method: "GET" | "POST", url: string, body?: unknown) => (await rig.server.inject({ method, url, headers: { authorization: `Bearer ${rig.keys.acme}`, host: "plug.example.com", ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) })).json();

test("an administrator signs in, the portal is the account, the token is renewed, and when the app is removed somebody has to connect again", async () => {
  const { authorize_url } = await call("POST", "/api/integrations/hubspot/connect", { config: { method: "oauth" } });
  const sent = await fetch(authorize_url, { redirect: "manual" });
  const back = new URL(sent.headers.get("location")!);
  expect((await rig.server.inject({ method: "GET", url: `${back.pathname}${back.search}` })).body).toContain("HubSpot is connected");
  expect(await call("GET", "/api/connections/hubspot")).toMatchObject({ account: { id: "62515", label: "app.hubspot.com" }, signed_in: true, state: { name: "connected" } });
  await asAdmin(rig.at.url, "update consents set expires_at = now()");
  expect(await call("POST", "/api/connections/hubspot/check")).toMatchObject({ ok: true });
  expect(provider.requests.byRoute["POST /oauth/v1/token"]).toBe(2);
  provider.uninstall();
  expect(await call("POST", "/api/connections/hubspot/check")).toMatchObject({ ok: false, error: { code: "AUTH_RECONNECT" }, connection: { state: { name: "reconnect_needed" } } });
});

test("the private app's token stays the way without an app of the operator's", async () => {
  const form = await call("GET", "/api/connectors/hubspot/schema");
  expect(form.properties.method).toMatchObject({ enum: ["token", "oauth"], default: "token" });
  expect(form["x-sign-in"]).toEqual({ when: '(method) in ["oauth"]', button: "Sign in with HubSpot" });
  expect(await call("GET", "/api/connectors/hubspot")).toMatchObject({ signs_in: true, callback: CALLBACK, missing: [], health: { connections: 1, working: 0, share: 0, errors: [{ code: "AUTH_RECONNECT" }] } });
  expect(form.properties.access_token).toMatchObject({ "x-when": 'method = "token"' });
});

test("a browser is shown who asks for what, and somebody who does not agree connects nothing", async () => {
  const { authorize_url } = await call("POST", "/api/integrations/hubspot/connect", { config: { method: "oauth" } });
  const shown = await (await fetch(authorize_url, { headers: { accept: "text/html" } })).text();
  expect(shown).toContain("crm.objects.contacts.write");
  const sent = await fetch(`${authorize_url}&agreed=no`, { redirect: "manual", headers: { accept: "text/html" } });
  const back = new URL(sent.headers.get("location")!);
  expect(back.searchParams.get("error")).toBe("access_denied");
  expect((await rig.server.inject({ method: "GET", url: `${back.pathname}${back.search}` })).body).toContain("was cancelled, or not allowed");
});
