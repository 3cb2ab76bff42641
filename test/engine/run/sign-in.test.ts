import { describe, expect, test } from "vitest";
import type { AuthPlan } from "../../../engine/plan/types.ts";
import { bench } from "../../support/run.ts";
import { HOST, planOf, type PlanParts } from "../../support/plan.ts";
import { providerDouble, type SeenRequest } from "../../support/provider-double.ts";

const CONFIG = {
  method: { title: "Method" }, token: { title: "API token", secret: true, help: "Under Settings" }, user: { title: "User" }, password: { title: "Password", secret: true }, client_id: { title: "Client ID" }, client_secret: { title: "Client secret", secret: true },
};
const ITEMS = { json: { items: [{ id: 1 }] } };
const one = (spec: AuthPlan["named"][string]): AuthPlan => ({ named: { default: spec } });
async function sent(auth: AuthPlan, config: Record<string, string>, request = {}): Promise<SeenRequest> {
  const provider = providerDouble(() => ITEMS);
  const result = await bench().run(planOf({ auth, config: CONFIG, request }), provider, { connection: { config } });
  expect(result.error).toBeUndefined();
  return provider.requests.at(-1)!;
}

test("api_key: one header, one query parameter, or several of both", async () => {
  expect((await sent(one({ type: "api_key", header: "Authorization", value: "Token {{config.token}}" }), { token: "t-1" })).headers["authorization"]).toBe("Token t-1");
  expect((await sent(one({ type: "api_key", query: "api_key", value: "{{config.token}}" }), { token: "t&1" }, { query: { $a: "x y" } })).url.search).toBe("?$a=x%20y&api_key=t%261");
  const several = await sent(one({ type: "api_key", send: { headers: { "x-key": "{{config.token}}", "x-user": "{{config.user}}" }, query: { k: "{{config.token}}" } } }), { token: "t-1" });
  expect([several.headers["x-key"], several.headers["x-user"], several.query["k"]]).toEqual(["t-1", undefined, "t-1"]);
});

test("basic and bearer", async () => {
  expect((await sent(one({ type: "basic", username: "{{config.user}}", password: "{{config.password}}" }), { user: "ada", password: "pässword" })).headers["authorization"]).toBe(`Basic ${Buffer.from("ada:pässword").toString("base64")}`);
  expect((await sent(one({ type: "basic", username: "{{config.token}}" }), { token: "key" })).headers["authorization"]).toBe(`Basic ${Buffer.from("key:").toString("base64")}`);
  expect((await sent(one({ type: "bearer", token: "{{config.token}}" }), { token: "t-1" })).headers["authorization"]).toBe("Bearer t-1");
});

test("`by` picks one of several, a request may name one or none", async () => {
  const auth: AuthPlan = { by: "config.method", named: { token: { type: "bearer", token: "{{config.token}}" }, basic: { type: "basic", username: "{{config.user}}" } } };
  expect((await sent(auth, { method: "token", token: "t-1" })).headers["authorization"]).toBe("Bearer t-1");
  expect((await sent(auth, { method: "basic", user: "ada" })).headers["authorization"]).toMatch(/^Basic /);
  expect((await sent(auth, { method: "basic", token: "t-1" }, { auth: "token" })).headers["authorization"]).toBe("Bearer t-1");
  expect((await sent(auth, { method: "token" }, { auth: "none" })).headers["authorization"]).toBeUndefined();
  const provider = providerDouble(() => ITEMS);
  expect(await bench().run(planOf({ auth, config: CONFIG }), provider, { connection: { config: { method: "oauth" } } })).toMatchObject({ error: { code: "RUN_REQUEST" } });
});

test.each([["bearer", { type: "bearer", token: "{{config.token}}" }, "token"], ["basic", { type: "basic", username: "x", password: "{{config.password}}" }, "password"], ["api_key", { type: "api_key", header: "x", value: "Token {{config.token}}" }, "token"],
  ["client credentials", { type: "oauth2_client_credentials", token_url: `https://${HOST}/token` }, "client_id"]])("%s without its value says which field is empty, before anything is sent", async (_name, spec, field) => {
  const provider = providerDouble(() => ITEMS);
  const result = await bench().run(planOf({ auth: one(spec), config: CONFIG }), provider);
  expect(result).toMatchObject({ status: "failed", error: { code: "AUTH_MISSING_CREDENTIAL", message: expect.stringContaining(`'${field}'`) } });
  expect(provider.requests).toHaveLength(0);
});

test.each([["bearer", { type: "bearer", token: "{{config.token}}" }], ["api_key", { type: "api_key", header: "x-key", value: "{{config.token}}" }]])("%s: a credential that was pasted with a line break is refused without being shown", async (_name, spec) => {
  const provider = providerDouble(() => ITEMS);
  const result = await bench().run(planOf({ auth: one(spec), config: CONFIG }), provider, { connection: { config: { token: "canary-1\ncanary-2" } } });
  expect(result).toMatchObject({ status: "failed", error: { code: "RUN_REQUEST", hint: expect.stringContaining("line break") } });
  expect(JSON.stringify(result)).not.toContain("canary");
  expect(provider.requests).toHaveLength(0);
});

describe("client credentials", () => {
  const parts = (extra: object = {}): PlanParts => ({
    auth: one({ type: "oauth2_client_credentials", token_url: "https://auth.example.com/token", ...extra }), config: CONFIG, http: { hosts: [HOST, "auth.example.com"] },
    request: { query: { page: "=page.number" } }, pagination: { type: "page", until: "page.number = 3" },
  });
  const credentials = { config: { client_id: "id:1", client_secret: "s e/cret" } };
  /** Gives tokens t1, t2 …; takes only those that `good` names. */
  function provider(good: (token: string) => boolean, lifetime: number | undefined = 3600) {
    let issued = 0;
    return providerDouble(({ path, headers, query }) => {
      if (path === "/token") return { json: { access_token: `access-t${++issued}`, ...(lifetime === undefined ? {} : { expires_in: lifetime }) } };
      return good(headers["authorization"]!.replace("Bearer access-", "")) ? { json: { items: [{ id: Number(query["page"]) }] } } : { status: 401, json: { error: "expired" } };
    });
  }
  const asked = (double: ReturnType<typeof provider>): SeenRequest[] => double.requests.filter(({ path }) => path === "/token");

  test("one token serves the run, and the next run of the connection", async () => {
    const place = bench();
    const double = provider(() => true);
    await place.run(planOf(parts()), double, { connection: credentials });
    await place.run(planOf(parts()), double, { connection: credentials });
    expect(asked(double)).toHaveLength(1);
    expect(asked(double)[0]!.body).toBe("grant_type=client_credentials&client_id=id%3A1&client_secret=s%20e%2Fcret");
  });

  test("id and secret go where client_auth says, with scopes and parameters", async () => {
    const basic = provider(() => true);
    await bench().run(planOf(parts({ client_auth: "basic", scopes: ["a", "b"], token_params: { sub: "{{config.user}}", aud: "{{config.none}}" } })), basic, { connection: { config: { ...credentials.config, user: "7" } } });
    expect(asked(basic)[0]).toMatchObject({ body: "grant_type=client_credentials&scope=a%20b&sub=7", headers: { authorization: `Basic ${Buffer.from("id%3A1:s%20e%2Fcret").toString("base64")}` } });
    const json = provider(() => true);
    await bench().run(planOf(parts({ client_auth: "json", scopes: "a b" })), json, { connection: credentials });
    expect(asked(json)[0]!.body).toEqual({ grant_type: "client_credentials", scope: "a b", client_id: "id:1", client_secret: "s e/cret" });
  });

  test("a token is renewed before it ends", async () => {
    const place = bench();
    const double = provider(() => true, 90);
    const ageing = { ...double, send: async (...args: Parameters<typeof double.send>) => { place.clock.advance(20_000); return double.send(...args); } };
    await place.run(planOf(parts()), ageing, { connection: credentials });
    expect(asked(double).length).toBeGreaterThan(1);
    expect(double.requests.some(({ path, headers }) => path !== "/token" && headers["authorization"] === "Bearer access-t2")).toBe(true);
  });

  test("a token that ended early is renewed once after the 401, and the page is read", async () => {
    const double = provider((token) => token !== "t1");
    expect(await bench().run(planOf(parts()), double, { connection: credentials })).toMatchObject({ status: "succeeded", counters: { read: 3, retries: 0 } });
    expect(asked(double)).toHaveLength(2);
  });

  test("a fresh token that is refused as well is a refused credential, not a storm", async () => {
    const double = provider(() => false);
    const result = await bench().run(planOf(parts()), double, { connection: credentials });
    expect(result).toMatchObject({ status: "failed", error: { code: "AUTH_REFUSED", next: expect.any(String) } });
    expect(asked(double)).toHaveLength(2);
    expect(double.requests).toHaveLength(4);
  });

  test("a refused sign-in says what the token URL said; one that is down is tried again", async () => {
    const refused = providerDouble(() => ({ status: 401, json: { error: "invalid_client", error_description: "unknown client s e/cret" } }));
    const result = await bench().run(planOf(parts()), refused, { connection: credentials });
    expect(result.error).toMatchObject({ code: "AUTH_TOKEN_REQUEST", message: expect.stringContaining("invalid_client") });
    expect(JSON.stringify(result)).not.toContain("s e/cret");
    expect(refused.requests).toHaveLength(1);
    let down = true;
    const later = providerDouble(({ path }) => { if (path !== "/token") return { json: { items: [{ id: 1 }] } }; if (down) { down = false; return { status: 503 }; } return { json: { access_token: "access-1" } }; });
    expect(await bench().run(planOf(parts({})), later, { connection: credentials })).toMatchObject({ status: "succeeded" });
  });

  test("the token URL is held to the hosts too", async () => {
    const double = provider(() => true);
    const result = await bench().run(planOf({ ...parts(), http: { hosts: [HOST] } }), double, { connection: credentials });
    expect(result.error!.code).toBe("AUTH_HOST_NOT_ALLOWED");
    expect(double.requests).toHaveLength(0);
  });
});

describe("no secret leaves a run, whatever fails", () => {
  const SECRET = 'can"ary+s3cret/ü';
  const forms = (value: string): string[] => [value, Buffer.from(value).toString("base64"), Buffer.from(value).toString("base64url"), Buffer.from(value).toString("hex"), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
  test.each([["401", 401], ["400", 400], ["500", 500], ["403", 403]])("the provider echoes the credential in a %s", async (_name, status) => {
    const place = bench();
    const provider = providerDouble(({ headers, url }) => ({ status, json: { sent: headers, url: url.href, all: forms(SECRET), joined: Buffer.from(`ada:${SECRET}`).toString("base64") } }));
    const auth = { named: { default: { type: "api_key", send: { headers: { "x-key": "{{config.b64}}" }, query: { key: "{{config.token}}" } } } } };
    const result = await place.run(planOf({ auth, config: { ...CONFIG, b64: { title: "b", secret: true } } }), provider, { connection: { config: { token: SECRET, b64: Buffer.from(SECRET).toString("base64") } } });
    expect(result.status).toBe("failed");
    const all = JSON.stringify([result, place.log, place.progress]);
    for (const form of [...forms(SECRET), "canary"]) expect(all).not.toContain(form);
    expect(all).toContain("***");
  });
});
