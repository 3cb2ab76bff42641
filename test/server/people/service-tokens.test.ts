import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStage, type Stage } from "../../support/callers.ts";

const ISSUER = "https://app.host.example";
const pasted = generateKeyPairSync("ec", { namedCurve: "P-256" });
const published = generateKeyPairSync("rsa", { modulusLength: 2048 });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });

let at: Stage;
let keys: Server;
let served = 0;
beforeAll(async () => {
  at = await openStage();
  keys = createServer((_, response) => { served++; response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: [{ ...published.publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256" }] })); });
  await new Promise<void>((resolve) => keys.listen(0, "127.0.0.1", resolve));
  const put = (id: string, body: object) => at.as("super_admin").call("PUT", `/api/token-issuers/${id}`, body);
  expect((await put("host", { issuer: ISSUER, audience: "plugboard", algorithms: ["ES256"], public_keys: [pasted.publicKey.export({ format: "jwk" })], tenant_claim: "org", roles: { EMPLOYER_ADMIN: "employer_admin", TENANT_ADMIN: "tenant_admin" } })).statusCode).toBe(204);
  expect((await put("other", { issuer: "https://other.example", audience: "plugboard", algorithms: ["RS256"], jwks_url: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks`, tenants: { "4711": "bolt" } })).statusCode).toBe(204);
});
afterAll(async () => {
  keys.close();
  await at.close();
});

interface Wanted { claims?: Record<string, unknown>; alg?: string; key?: KeyObject; issuer?: string; audience?: string; seconds?: number; issuedAgo?: number; kid?: string; without?: string[] }
async function sign({ claims = { org: "acme", role: "TENANT_ADMIN" }, alg = "ES256", key = pasted.privateKey, issuer = ISSUER, audience = "plugboard", seconds = 300, issuedAgo = 0, kid, without = [] }: Wanted = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000) - issuedAgo;
  const all: Record<string, unknown> = { iss: issuer, aud: audience, sub: "user-7", iat: now, exp: now + seconds, ...claims };
  for (const name of without) delete all[name];
  return new SignJWT(all).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(key);
}
const get = (token: string, url: string) => at.server.inject({ url, headers: { authorization: `Bearer ${token}` } });
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("has one role in one tenant, as its claims say and the operator maps them", async () => {
  const token = await sign();
  expect((await get(token, "/api/session")).json()).toMatchObject({ role: "tenant_admin", tenant: "acme", user: { id: "host:user-7" }, csrf_token: null });
  expect([(await get(token, "/api/runs")).statusCode, (await get(token, "/api/runs?tenant=acme")).statusCode, (await get(token, "/api/runs?tenant=bolt")).statusCode, (await get(token, "/api/runs?tenant=platform")).statusCode, (await get(token, "/api/tenants")).statusCode]).toEqual([200, 200, 404, 404, 403]);
  expect((await get(token, "/api/session")).json().grants).not.toHaveProperty("connections:write");
});

test("keys are fetched from where the issuer publishes them, once for many tokens", async () => {
  const wanted = { claims: { tenant: "4711", role: "recruiter" }, alg: "RS256", key: published.privateKey, issuer: "https://other.example", kid: "one" };
  for (let n = 0; n < 3; n++) expect((await get(await sign(wanted), "/api/session")).json()).toMatchObject({ role: "recruiter", tenant: "bolt" });
  expect(served).toBe(1);
});

describe("is refused", () => {
  const publicPem = pasted.publicKey.export({ type: "spki", format: "pem" }).toString();
  const claims = () => { const now = Math.floor(Date.now() / 1000); return { iss: ISSUER, aud: "plugboard", sub: "user-7", org: "acme", role: "TENANT_ADMIN", iat: now, exp: now + 300 }; };
  const cases: Record<string, () => string | Promise<string>> = {
    "signed by a stranger": () => sign({ key: stranger.privateKey }),
    "of an issuer that nobody registered": () => sign({ issuer: "https://evil.example" }),
    "of one issuer with the key of another": () => sign({ issuer: "https://other.example", claims: { tenant: "4711", role: "recruiter" } }),
    "for another audience": () => sign({ audience: "somebody-else" }),
    "without a signature (none)": () => `${part({ alg: "none" })}.${part(claims())}.`,
    "with none and something behind the dot": () => `${part({ alg: "none" })}.${part(claims())}.eA`,
    "signed with the public key as a shared secret": () => { const body = `${part({ alg: "HS256" })}.${part(claims())}`; return `${body}.${createHmac("sha256", publicPem).update(body).digest("base64url")}`; },
    "with a key of its own in the header": async () => new SignJWT(claims()).setProtectedHeader({ alg: "ES256", jwk: stranger.publicKey.export({ format: "jwk" }) as never }).sign(stranger.privateKey),
    "that has expired": () => sign({ issuedAgo: 1000, seconds: 300 }),
    "that is good for longer than an hour": () => sign({ seconds: 3700 }),
    "that says it was made an hour from now": () => sign({ issuedAgo: -3500, seconds: 3500 }),
    "without an end": () => sign({ without: ["exp"] }), "without a beginning": () => sign({ without: ["iat"] }), "without a subject": () => sign({ without: ["sub"] }), "with a line break in its subject": () => sign({ claims: { org: "acme", role: "TENANT_ADMIN", sub: "a\nb" } }),
    "without a tenant": () => sign({ claims: { role: "TENANT_ADMIN" } }), "without a role": () => sign({ claims: { org: "acme" } }),
    "with a role that is not mapped": () => sign({ claims: { org: "acme", role: "tenant_admin" } }), "with a role that is a property of every object": () => sign({ claims: { org: "acme", role: "constructor" } }),
    "with two tenants": () => sign({ claims: { org: ["acme", "bolt"], role: "TENANT_ADMIN" } }), "with two roles": () => sign({ claims: { org: "acme", role: ["TENANT_ADMIN", "EMPLOYER_ADMIN"] } }),
    "for the operator's own tenant": () => sign({ claims: { org: "platform", role: "TENANT_ADMIN" } }),
    "as one of the operator's people": () => sign({ claims: { tenant: "4711", role: "super_admin" }, alg: "RS256", key: published.privateKey, issuer: "https://other.example", kid: "one" }),
    "with its body changed": async () => { const [head, , tail] = (await sign()).split("."); return `${head}.${part({ ...claims(), org: "bolt" })}.${tail}`; },
    "that is no token": () => "aaaa.bbbb.cccc",
  };
  test.each(Object.keys(cases))("%s", async (name) => {
    const answer = await get(await cases[name]!(), "/api/session");
    expect([answer.statusCode, answer.json().error.code]).toEqual([401, "SERVER_UNAUTHORIZED"]);
  });
  test("for a tenant that does not exist", async () => expect((await get(await sign({ claims: { org: "nobody", role: "TENANT_ADMIN" } }), "/api/runs")).statusCode).toBe(404));
  test("at once when the operator takes the issuer away", async () => {
    const token = await sign();
    const body = { issuer: ISSUER, audience: "plugboard", algorithms: ["ES256"], public_keys: [pasted.publicKey.export({ format: "jwk" })], tenant_claim: "org", roles: { TENANT_ADMIN: "tenant_admin" } };
    expect((await get(token, "/api/session")).statusCode).toBe(200);
    await at.as("super_admin").call("PUT", "/api/token-issuers/host", { ...body, enabled: false });
    expect((await get(token, "/api/session")).statusCode).toBe(401);
    await at.as("super_admin").call("PUT", "/api/token-issuers/host", body);
    expect((await get(token, "/api/session")).statusCode).toBe(200);
  });
});

describe("an issuer", () => {
  const put = (body: object) => at.as("super_admin").call("PUT", "/api/token-issuers/third", { issuer: "https://third.example", audience: "plugboard", algorithms: ["ES256"], ...body });
  test.each([
    ["a shared secret", { algorithms: ["HS256"], public_keys: [{ kty: "oct", k: "c2VjcmV0" }] }], ["no signature", { algorithms: ["none"], public_keys: [stranger.publicKey.export({ format: "jwk" })] }], ["a shared key under another name", { public_keys: [{ kty: "oct", k: "c2VjcmV0" }] }],
    ["a private key", { public_keys: [stranger.privateKey.export({ format: "jwk" })] }], ["no key at all", {}], ["both kinds of keys", { jwks_url: "https://third.example/jwks", public_keys: [stranger.publicKey.export({ format: "jwk" })] }],
    ["a role of the operator's people", { public_keys: [stranger.publicKey.export({ format: "jwk" })], roles: { ADMIN: "super_admin" } }], ["a key that is none", { public_keys: [{ kty: "EC" }] }],
  ])("is not trusted with %s", async (_, body) => expect((await put(body)).statusCode).toBe(400));
  test("signs under one name only", async () => expect((await put({ issuer: ISSUER, public_keys: [stranger.publicKey.export({ format: "jwk" })] })).statusCode).toBe(409));
  test("inside the operator's network is not asked, unless the workspace allows it", async () => {
    const closed = await openStage({ allowPrivate: false });
    try {
      await closed.as("super_admin").call("PUT", "/api/token-issuers/other", { issuer: "https://other.example", audience: "plugboard", algorithms: ["RS256"], jwks_url: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks` });
      const before = served;
      const token = await sign({ claims: { tenant: "acme", role: "recruiter" }, alg: "RS256", key: published.privateKey, issuer: "https://other.example", kid: "one" });
      expect((await closed.bearer(token, "GET", "/api/session")).statusCode).toBe(401);
      expect(served).toBe(before);
    } finally {
      await closed.close();
    }
  });
});
