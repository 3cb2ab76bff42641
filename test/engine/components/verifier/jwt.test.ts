import { createHash } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { incoming, NOW, verdictOf, verifierOf } from "./built.ts";

const now = NOW / 1000;
type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let rsa: Pair;
let ec: Pair;
let ed: Pair;
let pem = "";
beforeAll(async () => {
  [rsa, ec, ed] = await Promise.all(["RS256", "ES256", "EdDSA"].map((algorithm) => generateKeyPair(algorithm, { extractable: true }))) as [Pair, Pair, Pair];
  pem = await exportSPKI(rsa.publicKey);
});
const signed = (payload: JWTPayload, alg = "RS256", key: Pair["privateKey"] | Uint8Array = rsa.privateKey, kid?: string) => new SignJWT(payload).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(key);
const asBody = { type: "jwt", algorithm: "RS256", key: "{{config.key}}", in: "body", claims: "event" };

describe("the body is the token", () => {
  test("its claims are the body, and the variable that the manifest names", async () => {
    const claims = { data: '{"a":1}', iat: now, exp: now + 60, jti: "j1" };
    expect(await verdictOf(asBody, incoming({ body: await signed(claims) }), pem)).toEqual({ accepted: true, timestamp: NOW, id: "j1", body: claims, variables: { event: claims } });
  });

  test("exp, nbf and iat hold with five minutes for clocks that differ; a token without end is good for as long", async () => {
    const verdict = async (claims: JWTPayload) => (await verdictOf(asBody, incoming({ body: await signed(claims) }), pem)).accepted;
    expect(await Promise.all([{ exp: now - 299 }, { nbf: now + 299 }, { iat: now + 299, exp: now + 900 }, { iat: now - 299 }, { iat: now - 3000, exp: now + 1 }, {}].map(verdict))).toEqual([true, true, true, true, true, true]);
    expect(await Promise.all([{ exp: now - 301 }, { nbf: now + 301 }, { iat: now + 301, exp: now + 900 }, { iat: now - 301 }].map(verdict))).toEqual([false, false, false, false]);
  });

  test("any one character of the token changed is refused", async () => {
    const token = await signed({ iat: now });
    for (let at = 0; at < token.length; at += 1) {
      const changed = token.slice(0, at) + String.fromCharCode(token.charCodeAt(at) ^ 1) + token.slice(at + 1);
      expect((await verdictOf(asBody, incoming({ body: changed }), pem)).accepted, `at ${at}`).toBe(false);
    }
    for (const body of [`${token}\n`, `${token}=`, "", ".", "..", "a.b.c", "{}"]) expect((await verdictOf(asBody, incoming({ body }), pem)).accepted).toBe(false);
  });
});

describe("which algorithm counts is said by the manifest", () => {
  test("none, a public key used as a secret, and another algorithm of the same key are refused", async () => {
    const none = new UnsecuredJWT({ iat: now }).encode();
    expect(await verdictOf(asBody, incoming({ body: none }), pem)).toMatchObject({ accepted: false });
    const confused = await signed({ iat: now }, "HS256", Buffer.from(pem));
    expect(await verdictOf(asBody, incoming({ body: confused }), pem)).toMatchObject({ accepted: false, reason: "the token's algorithm is not the one that is allowed" });
    expect(await verdictOf({ ...asBody, algorithm: "HS256" }, incoming({ body: confused }), pem)).toMatchObject({ accepted: false, reason: expect.stringMatching(/is a public key/) });
    expect(await verdictOf({ ...asBody, algorithm: "PS256" }, incoming({ body: await signed({ iat: now }) }), pem)).toMatchObject({ accepted: false });
    expect(await verdictOf(asBody, incoming({ body: await signed({ iat: now }) }), await exportSPKI(ec.publicKey))).toMatchObject({ accepted: false });
  });

  test("algorithms of both kinds cannot be allowed together", () => {
    expect(() => verifierOf({ ...asBody, algorithm: ["RS256", "HS256"] })).toThrow(expect.objectContaining({ code: "MANIFEST_WRONG_VALUE" }));
  });

  test("ES256 and EdDSA, by PEM, JWK or the named one of a set", async () => {
    const set = JSON.stringify({ keys: [{ ...(await exportJWK(rsa.publicKey)), kid: "a" }, { ...(await exportJWK(ec.publicKey)), kid: "b" }] });
    const verify = { ...asBody, algorithm: ["RS256", "ES256"] };
    expect(await verdictOf(verify, incoming({ body: await signed({ iat: now }, "ES256", ec.privateKey, "b") }), set)).toMatchObject({ accepted: true });
    expect(await verdictOf(verify, incoming({ body: await signed({ iat: now }, "ES256", ec.privateKey) }), set)).toMatchObject({ accepted: true });
    expect(await verdictOf(verify, incoming({ body: await signed({ iat: now }, "ES256", ec.privateKey, "a") }), set)).toMatchObject({ accepted: false });
    expect(await verdictOf({ ...asBody, algorithm: "EdDSA" }, incoming({ body: await signed({ iat: now }, "EdDSA", ed.privateKey) }), JSON.stringify(await exportJWK(ed.publicKey)))).toMatchObject({ accepted: true });
    expect(await verdictOf(asBody, incoming({ body: await signed({ iat: now }) }), "no key")).toMatchObject({ accepted: false, reason: expect.stringMatching(/no public key/) });
  });
});

describe("a token in a header", () => {
  const secret = "devsecret-devsecret-devsecret-32";
  const verify = { type: "jwt", algorithm: "HS256", key: "{{config.key}}", in: "Authorization", issuer: "apikey", digest: { claim: "sha256", encoding: "base64" } };
  const body = '{"event":"room_started"}';
  const sent = async (claims: JWTPayload, content = body) => incoming({ body: content, headers: { authorization: await signed({ iss: "apikey", iat: now, exp: now + 300, ...claims }, "HS256", Buffer.from(secret)) } });
  const sha256 = createHash("sha256").update(body).digest("base64");

  test("holds the hash of the body, and the right issuer", async () => {
    expect(await verdictOf(verify, await sent({ sha256 }), secret)).toEqual({ accepted: true, timestamp: NOW });
    expect(await verdictOf(verify, await sent({ sha256 }, `${body} `), secret)).toMatchObject({ accepted: false, reason: "the token's claim 'sha256' is not the hash of the body" });
    expect(await verdictOf(verify, await sent({}), secret)).toMatchObject({ accepted: false });
    expect(await verdictOf(verify, await sent({ sha256, iss: "other" }), secret)).toMatchObject({ accepted: false, reason: "the token's claim 'iss' is not what it must be" });
    expect(await verdictOf(verify, await sent({ sha256 }), `${secret}!`)).toMatchObject({ accepted: false, reason: "the token's signature does not match the key" });
    expect(await verdictOf(verify, incoming({ body }), secret)).toMatchObject({ accepted: false, reason: "header 'Authorization' is missing" });
  });

  test("behind a word, where the manifest says so", async () => {
    const request = await sent({ sha256 });
    const bearer = { ...request, headers: { authorization: `Bearer ${request.headers["authorization"]!}` } };
    expect(await verdictOf({ ...verify, prefix: "Bearer " }, bearer, secret)).toMatchObject({ accepted: true });
    expect(await verdictOf({ ...verify, prefix: "Bearer " }, request, secret)).toMatchObject({ accepted: false });
  });
});
