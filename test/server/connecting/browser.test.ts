/**
 * A sign-in at a provider that is not ours (oidc-provider), in a browser that is not ours (Chromium): the connect link's page,
 * login and consent clicked, the connection works, its token is renewed. Skipped where no Chromium is installed.
 */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTransport } from "../../../engine/components/transport/http.ts";
import type { Transport } from "../../../engine/components/kinds.ts";
import { openJobs, startWorker, triggerRun, type Jobs } from "../../../engine/jobs/index.ts";
import { getRun, tokenStore } from "../../../engine/store/index.ts";
import { asAdmin } from "../../support/postgres.ts";
import { enterApp, startRig, type Rig } from "./rig.ts";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const APP = { client_id: "plugboard", client_secret: "canary-oidc-client-secret" };

/** A connector as an engineer would write one for it; its stream is read from the same place as the account. */
const connector = (url: string): string => `connector: idea
title: Idea Desk
config:
  region:        { title: Region, enum: [eu, us], default: eu, help: Where your desk is }
  client_id:     { title: App client ID, scope: app }
  client_secret: { title: App client secret, scope: app, secret: true }
http:
  base_url: ${url}
  auth:
    type: oauth2_authorization_code
    authorize_url: ${url}/auth
    token_url: ${url}/token
    revoke_url: ${url}/token/revocation
    client_auth: basic
    scopes: [openid, profile, offline_access]
    authorize_params: { prompt: consent }
    rotates: true
check: { get: /me, account: sub, label: name }
streams:
  people: { key: sub, get: /me, records: "[$]" }
`;
const workspace = (url: string): Record<string, string> => ({
  "connectors/idea/connector.yaml": connector(url),
  "connectors/form/connector.yaml": `connector: form\ntitle: Form Desk\nconfig:\n  method: { title: Sign in with, enum: [key, none], default: key }\n  api_key: { title: API key, secret: true, when: method = "key", help: Settings → API }\n  site: { title: Site, pattern: "^[a-z]+$" }\nhttp:\n  base_url: ${url}\n  auth: { by: config.method, key: { type: bearer, token: "{{config.api_key}}" }, none: { type: bearer, token: "{{config.site}}" } }\ncheck: { get: /me, account: sub }\nstreams:\n  people: { key: sub, get: /me, records: "[$]" }\n`,
  "schemas/entities/person.schema.json": JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", properties: { name: { type: "string" } } }),
  "mappings/idea/person.yaml": "mapping: idea/person\nfrom: idea.people\nto: person\nfields: { name: name }\n",
  "presets/idea/preset.yaml": "preset: idea\ntitle: Idea\nconnections: { idea: { connector: idea }, form: { connector: form } }\nflows:\n  people: { from: { stream: idea.people }, map: idea/person, to: person }\n",
  "tenants/acme.yaml": "tenant: acme\ntitle: Acme Training\npreset: idea\n",
  "tenants/bolt.yaml": "tenant: bolt\ntitle: Bolt\npreset: idea\n",
});

describe.skipIf(!existsSync(CHROMIUM))(`a person in Chromium (${CHROMIUM}${existsSync(CHROMIUM) ? "" : " is not installed: skipped"})`, () => {
  let idp: Server;
  let rig: Rig;
  let browser: Browser;
  let page: Page;
  let origin: string;
  let jobs: Jobs;
  let transport: Transport;
  const asked: string[] = [];
  /** What the page sent, and where to. */
  const requests: string[] = [];

  beforeAll(async () => {
    idp = createServer();
    await new Promise<void>((resolve) => { idp.listen(0, "127.0.0.1", resolve); });
    const url = `http://127.0.0.1:${(idp.address() as AddressInfo).port}`;
    rig = await startRig(workspace(url));
    origin = await rig.server.listen({ host: "127.0.0.1", port: 0 });
    const provider = new Provider(url, {
      clients: [{ ...APP, redirect_uris: [`${origin}/oauth/callback`], grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], token_endpoint_auth_method: "client_secret_basic" }],
      features: { devInteractions: { enabled: true }, revocation: { enabled: true }, userinfo: { enabled: true } },
      claims: { openid: ["sub"], profile: ["name"] },
      ttl: { AccessToken: 3600, RefreshToken: 86_400, Grant: 86_400, Session: 86_400, Interaction: 600, IdToken: 600, AuthorizationCode: 60 },
      rotateRefreshToken: true,
      pkce: { required: () => true },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `Desk of ${id}` }) }),
      cookies: { keys: ["only for this test"] },
    });
    provider.on("server_error", (_, error) => { asked.push(`error: ${error.message}`); });
    const answer = provider.callback();
    idp.on("request", (request, response) => {
      asked.push(`${request.method} ${request.url!.split("?")[0]}`);
      void answer(request, response);
    });
    await enterApp(rig, "idea", APP);
    transport = createTransport({ allowPrivate: true });
    jobs = await openJobs({ db: rig.at.db, works: true, onError: () => undefined });
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
    page.setDefaultTimeout(10_000);
    page.on("request", (request) => { requests.push(`${request.method()} ${request.url()}`); });
  });
  afterAll(async () => {
    await browser?.close();
    await jobs?.close();
    await transport?.close();
    await rig?.close();
    idp?.closeAllConnections();
    idp?.close();
  });

  const link = async (connection: string, more: object = {}): Promise<{ url: string; id: string }> => {
    const answer = await rig.server.inject({ method: "POST", url: "/api/connect-links", headers: { authorization: `Bearer ${rig.keys.acme}`, "content-type": "application/json", host: new URL(origin).host }, payload: JSON.stringify({ connection, ...more }) });
    expect(answer.statusCode, answer.body).toBe(201);
    return { url: answer.json().url, id: answer.json().link.id };
  };
  const show = async (connection: string) => (await rig.server.inject({ method: "GET", url: `/api/connections/${connection}`, headers: { authorization: `Bearer ${rig.keys.acme}` } })).json();

  test("opens a connect link, signs in, consents, and is told that it is connected", async () => {
    const { url } = await link("idea", { return_url: "https://app.example.com/integrations" });
    const token = new URL(url).hash.slice(1);
    await page.goto(url);
    await page.getByRole("heading", { name: "Connect Idea Desk" }).waitFor();
    expect(page.url()).toBe(`${origin}/connect`);                     // the token is out of the address bar
    await page.getByRole("button", { name: "Sign in with Idea Desk" }).click();
    await page.getByPlaceholder(/login/i).fill("ann");
    await page.getByPlaceholder(/password/i).fill("any");
    await page.getByRole("button", { name: /sign-in/i }).click();
    await page.getByRole("button", { name: /continue/i }).click();
    await page.getByRole("heading", { name: "Connected" }).waitFor();
    expect(await page.getByRole("link", { name: "Continue" }).getAttribute("href")).toBe("https://app.example.com/integrations");
    expect(await show("idea")).toMatchObject({ status: "ok", signed_in: true, account: { id: "ann", label: "Desk of ann" }, state: { name: "connected" } });
    // The token went out in a header alone, and to us alone.
    expect(requests.filter((one) => one.includes(token))).toEqual([]);
    expect(asked.filter((one) => one.startsWith("error"))).toEqual([]);
    await page.goto(url);                                            // once connected, the link is over
    await page.getByRole("heading", { name: "This link is over" }).waitFor();
  });

  test("a run reads with the token, and the next one with a renewed one", async () => {
    const worker = startWorker({ jobs, keyring: rig.keyring, transport, onError: () => undefined, schedules: false });
    const tokens = tokenStore(rig.at.db, rig.keyring, "acme", "idea")("default").consent!;
    const run = async () => {
      const created = await triggerRun(jobs.queue, rig.at.db, "acme", { flow: "people", connection: "idea", trigger: "test", mode: "full" });
      await expect.poll(async () => (await getRun(rig.at.db, "acme", created!.run!.id))?.finished_at, { timeout: 20_000 }).toBeDefined();
      return (await getRun(rig.at.db, "acme", created!.run!.id))!;
    };
    try {
      const first = await run();
      expect([first.status, first.error, first.counters.read]).toEqual(["succeeded", undefined, 1]);
      const before = (await tokens.read())!;
      await asAdmin(rig.at.url, "update consents set expires_at = now()");
      expect(await run()).toMatchObject({ status: "succeeded", counters: { unchanged: 1 } });
      const after = (await tokens.read())!;
      expect(after).toMatchObject({ version: before.version + 1 });
      expect([after.access === before.access, after.refresh === before.refresh]).toEqual([false, false]);
    } finally {
      await worker.stop();
    }
  });

  test("disconnecting tells the provider, whose token is then good for nothing", async () => {
    const { access } = (await tokenStore(rig.at.db, rig.keyring, "acme", "idea")("default").consent!.read())!;
    const url = `http://127.0.0.1:${(idp.address() as AddressInfo).port}/me`;
    expect((await fetch(url, { headers: { authorization: `Bearer ${access}` } })).status).toBe(200);
    const ended = await rig.server.inject({ method: "DELETE", url: "/api/connections/idea?data=keep", headers: { authorization: `Bearer ${rig.keys.acme}` } });
    expect(ended.json()).toMatchObject({ revoked: "revoked", kept: { records: 1 } });
    expect((await fetch(url, { headers: { authorization: `Bearer ${access}` } })).status).toBe(401);
  });

  test("fills in a form at 390 px: what is wrong stands at its field, and what the provider says in words", async () => {
    await page.goto((await link("form")).url);
    await page.getByLabel("API key").waitFor();
    await page.getByLabel("Site").fill("NOT ok");
    await page.getByRole("button", { name: "Connect" }).click();
    await page.locator("#wrong-site").waitFor();
    expect(await page.getByLabel("Site").getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("Site").fill("acme");
    await page.getByLabel("API key").fill("canary-wrong-key");
    await page.getByRole("button", { name: "Connect" }).click();
    await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/did not accept what you entered.*refused the credential/s);
    expect(await page.locator("#wrong-site").isHidden()).toBe(true);
    expect(await page.getByRole("alert").textContent()).not.toContain("canary");
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
    await page.getByLabel("Sign in with").selectOption("none");
    await page.getByLabel("API key").waitFor({ state: "hidden" });
    if (process.env["SCREENSHOTS"] !== undefined) await page.screenshot({ path: `${process.env["SCREENSHOTS"]}/connect.png`, fullPage: true });
  });

  test("has nothing that an accessibility checker finds, and runs nothing that is not its own file", async () => {
    const { readFile } = await import("node:fs/promises");
    const { createRequire } = await import("node:module");
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, bypassCSP: true });
    const checked = await context.newPage();
    await checked.goto((await link("form")).url);
    await checked.getByLabel("API key").waitFor();
    await checked.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
    const found = await checked.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }).axe.run());
    expect(found.violations.map(({ id }) => id)).toEqual([]);
    await context.close();
    const answer = await rig.server.inject({ method: "GET", url: "/connect" });
    expect(answer.headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
    expect(answer.body).not.toMatch(/<script(?![^>]*src=)|\son\w+=|style=/);
  });

  test("a browser that did not begin a sign-in cannot end it", async () => {
    const other = await browser.newContext();
    const [mine, theirs] = [await browser.newContext(), await other.newPage()];
    const begun = await mine.newPage();
    await begun.goto((await link("idea")).url);
    const authorize = begun.waitForRequest((request) => request.url().includes("/auth?"));
    await begun.getByRole("button", { name: "Sign in with Idea Desk" }).click();
    const state = new URL((await authorize).url()).searchParams.get("state")!;
    const answer = await theirs.goto(`${origin}/oauth/callback?code=any&state=${encodeURIComponent(state)}`);
    expect(answer?.status()).toBe(400);
    expect(await asAdmin(rig.at.url, "select count(*)::int as used from sign_ins where answered_at is not null and connection = 'idea' and link_id is not null and outcome is null")).toEqual([{ used: 0 }]);
    await mine.close();
    await other.close();
  });
});
