/** Single sign-on against a real provider (oidc-provider) on loopback, with a browser made of its cookies. */
import { createSign, generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "../../support/callers.ts";
import { asAdmin } from "../../support/postgres.ts";

/** The provider's own: what is changed on its way is signed again with it, so that only the claim is wrong. */
const signing = generateKeyPairSync("rsa", { modulusLength: 2048 });
const SECRET = "canary-client-secret-0123456789";

let at: Stage;
let door: Server;
let issuer: string;
let origin: string;
/** Who is signed in at the provider, and what it says of them. */
let account: { sub: string; email?: string; email_verified?: boolean; name?: string; groups?: unknown };
/** Changes an answer of the provider on its way out. */
let tamper: ((path: string, body: string) => string) | undefined;

beforeAll(async () => {
  at = await openStage();
  await at.server.listen({ host: "127.0.0.1", port: 0 });
  origin = `http://localhost:${(at.server.server.address() as AddressInfo).port}`;
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  door = createServer((request, response) => {
    if (tamper !== undefined) {
      const change = tamper;
      const end = response.end.bind(response);
      response.end = ((body: unknown) => { const text = change(request.url!, body === undefined ? "" : Buffer.from(body as Uint8Array).toString()); response.removeHeader("content-length"); return end(text); }) as typeof response.end;
    }
    handle(request, response);
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "plugboard", client_secret: SECRET, redirect_uris: [`${origin}/api/sign-in/oidc/staff/callback`], response_types: ["code"], grant_types: ["authorization_code"] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] }, scopes: ["openid", "email", "profile", "groups"],
    findAccount: async (_, sub) => ({ accountId: sub, claims: async () => ({ ...account, sub }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` }, features: { devInteractions: { enabled: false } }, cookies: { keys: ["only for tests"] }, pkce: { required: () => true },
    jwks: { keys: [{ ...signing.privateKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" } as never] },
  });
  provider.use(async (context, next) => {
    if (!context.path.startsWith("/interaction/")) return next();
    const { prompt, params, grantId } = await provider.interactionDetails(context.req, context.res);
    if (prompt.name === "login") return provider.interactionFinished(context.req, context.res, { login: { accountId: account.sub } });
    const grant = grantId === undefined ? new provider.Grant({ accountId: account.sub, clientId: "plugboard" }) : (await provider.Grant.find(grantId))!;
    grant.addOIDCScope(String(params["scope"]));
    return provider.interactionFinished(context.req, context.res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  });
  handle = provider.callback();
  const answer = await at.as("super_admin").call("PUT", "/api/sign-in-providers/staff", {
    title: "Staff", issuer, client_id: "plugboard", client_secret: SECRET, scopes: ["openid", "email", "profile", "groups"], claim: "groups",
    roles: { admins: { role: "super_admin" }, "acme-hr": { role: "employer_admin", tenant: "acme" }, "bolt-hr": { role: "recruiter", tenant: "bolt" } },
  });
  expect(answer.statusCode, answer.body).toBe(204);
});
beforeEach(() => { account = { sub: "nobody" }; tamper = undefined; });
afterAll(async () => {
  door.closeAllConnections();
  door.close();
  await at.close();
});

/** Follows redirects as a browser does, each host with its cookies. */
function browser() {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: URL): Map<string, string> => jars.get(url.host) ?? jars.set(url.host, new Map()).get(url.host)!;
  const go = async (url: URL, init: RequestInit = {}): Promise<Response> => {
    const jar = jarOf(url);
    const answer = await fetch(url, { redirect: "manual", ...init, headers: { ...init.headers as Record<string, string>, cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === "" || /max-age=0/i.test(line)) jar.delete(name!); else jar.set(name!, value!);
    }
    return answer;
  };
  return {
    jarOf, go,
    /** @param stopAt ends before a request whose address it accepts. */
    async follow(start: string, stopAt: (url: URL) => boolean = () => false): Promise<{ url: URL; answer: Response | undefined }> {
      for (let url = new URL(start, origin), hops = 0; hops < 15; hops++) {
        if (stopAt(url)) return { url, answer: undefined };
        const answer = await go(url);
        const location = answer.headers.get("location");
        if (location === null) return { url, answer };
        url = new URL(location, url);
      }
      throw new Error("too many redirects");
    },
    session: async () => (await go(new URL("/api/session", origin))).json() as Promise<{ role?: string; tenant?: string; user?: { email: string; name: string }; memberships?: unknown[]; error?: { code: string } }>,
  };
}
const isCallback = (url: URL): boolean => url.pathname.endsWith("/callback") && url.origin === origin;
const START = "/api/sign-in/oidc/staff?return_to=/flows";

describe("signing in at a provider", () => {
  test("gives the roles that the operator mapped to the groups, as the person whom the provider names", async () => {
    account = { sub: "u1", email: "Ulla@Acme.Example", email_verified: true, name: "Ulla", groups: ["acme-hr", "something else"] };
    const one = browser();
    const { url } = await one.follow(START);
    expect(`${url.pathname}${url.search}`).toBe("/flows");
    expect(await one.session()).toMatchObject({ role: "employer_admin", tenant: "acme", user: { email: "ulla@acme.example", name: "Ulla" } });
    expect((await asAdmin<{ subject: string }>(at.rig.database.url, "select issuer, subject from identities")).map((row) => row)).toEqual([{ issuer, subject: "u1" }]);
  });
  test("again is the same person, whatever their address says now, with the roles they have now; the sessions before end", async () => {
    account = { sub: "u1", email: "another@acme.example", groups: ["acme-hr"] };
    const before = browser();
    await before.follow(START);
    account = { sub: "u1", email: "ulla.new@bolt.example", groups: ["bolt-hr"] };
    const one = browser();
    await one.follow(START);
    expect(await one.session()).toMatchObject({ role: "recruiter", tenant: "bolt", user: { email: "ulla@acme.example" } });
    expect(await before.session()).toMatchObject({ error: { code: "SERVER_UNAUTHORIZED" } });
  });
  test("without a mapped group gives nothing, and nobody is made", async () => {
    account = { sub: "u2", email: "u2@acme.example", groups: ["everybody"] };
    const one = browser();
    const { answer } = await one.follow(START);
    expect([answer!.status, ((await answer!.json()) as { error: { code: string } }).error.code]).toEqual([403, "SERVER_SIGN_IN_ELSEWHERE"]);
    expect(await one.session()).toMatchObject({ error: { code: "SERVER_UNAUTHORIZED" } });
    expect(await asAdmin(at.rig.database.url, "select 1 from users where email = 'u2@acme.example'")).toEqual([]);
    // A browser shows a page of it, with the way back.
    const shown = await at.server.inject({ method: "GET", url: "/api/sign-in/oidc/staff/callback?code=x", headers: { accept: "text/html,*/*" } });
    expect([shown.statusCode, shown.headers["content-type"]]).toEqual([403, "text/html; charset=utf-8"]);
    expect(shown.body).toContain('href="/sign-in"');
  });
  test("with the address of somebody who is here does not become them", async () => {
    account = { sub: "u3", email: "super_admin@platform.example", email_verified: true, groups: ["acme-hr"] };
    const one = browser();
    expect((await one.follow(START)).answer!.status).toBe(403);
    expect(await one.session()).toMatchObject({ error: { code: "SERVER_UNAUTHORIZED" } });
  });
  test("accepts an invitation, once", async () => {
    const invited = (await at.as("tenant_admin").call("POST", "/api/invitations", { email: "vera@acme.example", role: "interviewer" })).json() as { token: string };
    const accept = async (sub: string) => {
      account = { sub, email: `${sub}@elsewhere.example` };
      const one = browser();
      const begun = await one.go(new URL("/api/sign-in/oidc/staff", origin), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ invitation: invited.token }) });
      const { location } = await begun.json() as { location: string };
      return { one, ...(await one.follow(location)) };
    };
    const first = await accept("vera");
    expect(await first.one.session()).toMatchObject({ role: "interviewer", tenant: "acme", user: { email: "vera@acme.example" } });
    expect((await accept("mallory")).answer!.status).toBe(410);
  });
  test.each(["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/%09/evil.example/..//evil.example", "\t//evil.example"])("leads back to a path of ours only: %j", async (to) => {
    account = { sub: "u1", groups: ["acme-hr"] };
    const { url } = await browser().follow(`/api/sign-in/oidc/staff?return_to=${encodeURIComponent(to)}`, (next) => next.origin !== origin && next.origin !== issuer);
    expect(url.origin).toBe(origin);
  });
});

describe("an answer of a provider", () => {
  const callbackOf = async (one = browser()) => {
    account = { sub: "u1", groups: ["acme-hr"] };
    return { one, url: (await one.follow(START, isCallback)).url };
  };
  const refused = async (one: ReturnType<typeof browser>, url: URL) => {
    const answer = await one.go(url);
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([403, "SERVER_SIGN_IN_ELSEWHERE"]);
    expect((await one.session()).error?.code).toBe("SERVER_UNAUTHORIZED");
  };
  test("is taken once", async () => {
    const { one, url } = await callbackOf();
    expect((await one.go(url)).status).toBe(302);
    expect((await one.go(url)).status).toBe(403);
  });
  test("is worth nothing in another browser: nobody is signed in to a stranger's account", async () => {
    const { url } = await callbackOf();
    await refused(browser(), url);
    const { one: victim } = await callbackOf();
    await refused(victim, url);
  });
  test("is refused with another state, without one, and from another issuer", async () => {
    for (const change of [(url: URL) => url.searchParams.set("state", "x"), (url: URL) => url.searchParams.delete("state"), (url: URL) => url.searchParams.set("iss", "https://evil.example")]) {
      const { one, url } = await callbackOf();
      change(url);
      await refused(one, url);
    }
  });
  test("is refused with another code, or as the answer to another provider's question", async () => {
    const { one, url } = await callbackOf();
    url.searchParams.set("code", "x");
    await refused(one, url);
    const other = await callbackOf();
    other.url.pathname = "/api/sign-in/oidc/google/callback";
    await refused(other.one, other.url);
  });
  const withClaims = (change: (claims: Record<string, unknown>) => void, again = true) => (path: string, body: string): string => {
    if (!path.startsWith("/token")) return body;
    const answer = JSON.parse(body) as { id_token: string };
    const [head, claims, tail] = answer.id_token.split(".");
    const said = JSON.parse(Buffer.from(claims!, "base64url").toString()) as Record<string, unknown>;
    change(said);
    const signed = `${head}.${Buffer.from(JSON.stringify(said)).toString("base64url")}`;
    return JSON.stringify({ ...answer, id_token: `${signed}.${again ? createSign("sha256").update(signed).sign(signing.privateKey, "base64url") : tail}` });
  };
  test.each<[string, (claims: Record<string, unknown>) => void]>([
    ["for another client", (claims) => { claims["aud"] = "somebody-else"; }], ["for several, handed out to another", (claims) => { claims["aud"] = ["plugboard", "other"]; claims["azp"] = "other"; }], ["of another issuer", (claims) => { claims["iss"] = "https://evil.example"; }],
    ["with another nonce", (claims) => { claims["nonce"] = "replayed"; }], ["without a nonce", (claims) => { delete claims["nonce"]; }], ["that has expired", (claims) => { claims["exp"] = 1; }], ["without a subject", (claims) => { delete claims["sub"]; }],
  ])("is refused %s, however well it is signed", async (_, change) => {
    const { one, url } = await callbackOf();
    tamper = withClaims(change);
    await refused(one, url);
  });
  test("is refused with a signature that does not fit, and taken when it is signed again as it was", async () => {
    for (const [again, status] of [[false, 403], [true, 302]] as const) {
      const { one, url } = await callbackOf();
      tamper = withClaims((claims) => { claims["extra"] = "of no importance"; }, again);
      expect((await one.go(url)).status).toBe(status);
    }
  });
});

test("what we share with a provider is sealed, never shown, and not sent to another issuer", async () => {
  const dump = JSON.stringify(await asAdmin(at.rig.database.url, "select encode(sealed, 'escape') as sealed, p.* from sign_in_providers p"));
  expect(dump).not.toContain(SECRET);
  const listed = await at.as("super_admin").get("/api/sign-in-providers");
  expect([listed.body.includes(SECRET), listed.json().data[0].fingerprint]).toEqual([false, expect.stringMatching(/^[0-9a-f]{8}$/)]);
  const moved = await at.as("super_admin").call("PUT", "/api/sign-in-providers/staff", { issuer: "https://evil.example", client_id: "plugboard" });
  expect([moved.statusCode, moved.json().error.field]).toEqual([400, "body.client_secret"]);
  expect((await at.as("super_admin").call("PUT", "/api/sign-in-providers/google", { client_id: "x.apps.googleusercontent.com", client_secret: "s" })).statusCode).toBe(204);
  expect((await at.server.inject({ url: "/api/sign-in/providers" })).json().data).toEqual([{ id: "google", title: "Google" }, { id: "staff", title: "Staff" }]);
});
