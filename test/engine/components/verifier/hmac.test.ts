import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hmacOf, incoming, NOW, SECONDS, verdictOf, verifierOf } from "./built.ts";

const hmac = (options: Record<string, unknown> = {}) => ({ type: "hmac", secret: "{{config.key}}", signature: { header: "x-signature" }, ...options });
const ACCEPTED = { accepted: true };
const refusedFor = (reason: RegExp) => ({ accepted: false, reason: expect.stringMatching(reason) });

describe("hashes, encodings and prefixes", () => {
  test.each([["sha1", "hex"], ["sha256", "hex"], ["sha384", "base64"], ["sha512", "base64url"], ["sha256", "base64"]] as const)("%s in %s", async (algorithm, encoding) => {
    const verify = hmac({ algorithm, signature: { header: "x-signature", encoding, prefix: "sig=" } });
    const signature = hmacOf("{}", "secret", algorithm, encoding);
    expect(await verdictOf(verify, incoming({ body: "{}", headers: { "x-signature": `sig=${signature}` } }), "secret")).toEqual(ACCEPTED);
    expect(await verdictOf(verify, incoming({ body: "{}", headers: { "x-signature": signature } }), "secret")).toEqual(refusedFor(/holds no signature after 'sig='/));
    expect(await verdictOf(verify, incoming({ body: "{ }", headers: { "x-signature": `sig=${signature}` } }), "secret")).toEqual(refusedFor(/no signature matches/));
  });

  test("a hash beside the signature counts, too, and one that does not exist is told with what may stand there", () => {
    expect(() => verifierOf(hmac({ signature: { header: "x", algorithm: "sha512" } }))).not.toThrow();
    expect(() => verifierOf(hmac({ algorithm: "sha265" }))).toThrow(expect.objectContaining({ code: "MANIFEST_WRONG_VALUE", params: expect.objectContaining({ field: "webhooks.app.verify.algorithm", suggestion: expect.stringContaining("sha256") }) }));
    expect(() => verifierOf(hmac({ signature: { header: "x", encoding: "binary" } }))).toThrow(expect.objectContaining({ code: "MANIFEST_WRONG_VALUE" }));
  });

  test("keys may be written in base64 or hex, behind a prefix; one that is not is told without being shown", async () => {
    const key = Buffer.from("00ff10", "hex");
    const request = incoming({ body: "x", headers: { "x-signature": hmacOf("x", key) } });
    expect(await verdictOf(hmac({ secret_encoding: "hex" }), request, "00ff10")).toEqual(ACCEPTED);
    expect(await verdictOf(hmac({ secret_encoding: "base64", secret_prefix: "key_" }), request, `key_${key.toString("base64")}`)).toEqual(ACCEPTED);
    expect(await verdictOf(hmac({ secret_encoding: "hex" }), request, "0x00ff10")).toEqual({ accepted: false, reason: "the secret is not hex" });
    expect(await verdictOf(hmac({ secret_prefix: "key_" }), request, "key_")).toMatchObject({ accepted: false });
  });

  test("bytes that are no text are signed as they are", async () => {
    const body = Buffer.from([0xff, 0x00, 0xfe, 0xc3, 0x28]);
    const request = incoming({ body, headers: { "x-signature": hmacOf(Buffer.concat([Buffer.from("é:"), body])) } });
    expect(await verdictOf(hmac({ signed: "é:{{request.body}}" }), request, "secret")).toEqual(ACCEPTED);
  });
});

describe("several signatures in one header", () => {
  test("a list separated by blanks or commas: any that is right counts, also when the header came twice", async () => {
    const right = hmacOf("x");
    const verify = (separator: string) => hmac({ signature: { header: "x-signature", separator, prefix: "v1=" } });
    const sent = (value: string) => incoming({ body: "x", headers: { "x-signature": value } });
    expect(await verdictOf(verify(","), sent(`v1=${"0".repeat(64)}, v1=${right}`), "secret")).toEqual(ACCEPTED);
    expect(await verdictOf(verify(" "), sent(`v0=zz v1=${right}, v1=${"0".repeat(64)}`), "secret")).toEqual(ACCEPTED);
    expect(await verdictOf(verify(","), sent(`v0=${right}`), "secret")).toEqual(refusedFor(/holds no signature/));
    expect(await verdictOf(verify(","), sent(Array(20).fill(`v1=${right}`).join(",")), "secret")).toEqual(refusedFor(/more than 16/));
  });

  test("members with the time among them, as `t=…,v1=…`", async () => {
    const verify = hmac({ signed: "{{timestamp}}.{{request.body}}", signature: { header: "stripe-signature", key: "v1" }, timestamp: { key: "t" } });
    const right = hmacOf(`${SECONDS}.x`);
    const sent = (value: string) => incoming({ body: "x", headers: { "stripe-signature": value } });
    expect(await verdictOf(verify, sent(`t=${SECONDS},v1=${"0".repeat(64)},v1=${right},v0=1`), "secret")).toEqual({ accepted: true, timestamp: NOW });
    expect(await verdictOf(verify, sent(`v1=${right}`), "secret")).toEqual(refusedFor(/'t=' is missing/));
    expect(await verdictOf(verify, sent(`t=${SECONDS},t=1,v1=${right}`), "secret")).toEqual(refusedFor(/more than once/));
    expect(await verdictOf(verify, sent(`t=${SECONDS},v1=${right}`), "secret", {}, NOW + 301_000)).toEqual(refusedFor(/301 s old, more than 5m/));
    expect(await verdictOf(verify, sent(`t=${SECONDS},v1=${right}`), "secret", {}, NOW - 301_000)).toEqual(refusedFor(/301 s ahead/));
  });

  test("in either of two headers", async () => {
    const verify = hmac({ signature: { header: ["x-first", "x-second"], encoding: "base64" } });
    expect(await verdictOf(verify, incoming({ body: "x", headers: { "x-first": hmacOf("x", "old", "sha256", "base64"), "x-second": hmacOf("x", "secret", "sha256", "base64") } }), "secret")).toEqual(ACCEPTED);
    expect(await verdictOf(verify, incoming({ body: "x" }), "secret")).toEqual({ accepted: false, reason: "header 'x-first' or 'x-second' is missing" });
  });
});

describe("what is signed", () => {
  test("method, address, body and time in milliseconds; listed escapes of the address are decoded, others not", async () => {
    // Source of the list of characters: developers.hubspot.com, "Validating requests", table of the v3 signature (read 2026-11).
    const verify = hmac({ signed: "{{request.method}}{{request.url}}{{request.body}}{{timestamp}}", decode_in_url: ":/?@!$'()*,;", signature: { header: "x-hubspot-signature-v3", encoding: "base64" }, timestamp: { header: "x-hubspot-request-timestamp", unit: "ms", tolerance: "5m" } });
    const url = "https://www.example.com/hook%2Fin?to=a%40b.c&x=%26%20%3a";
    const signature = hmacOf(`POSThttps://www.example.com/hook/in?to=a@b.c&x=%26%20:[]${NOW}`, "secret", "sha256", "base64");
    const request = incoming({ url, body: "[]", headers: { "x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": String(NOW) } });
    expect(await verdictOf(verify, request, "secret")).toEqual({ accepted: true, timestamp: NOW });
    expect(await verdictOf({ ...verify, decode_in_url: undefined }, request, "secret")).toMatchObject({ accepted: false });
    expect(await verdictOf(verify, { ...request, method: "PUT" }, "secret")).toMatchObject({ accepted: false });
  });

  test("path, query parameters, headers, fields of the body, and the hash of the body", async () => {
    const body = '{"token":"abc","nested":{"at":"x"}}';
    const digest = createHash("sha256").update(body).digest("base64");
    const verify = hmac({ signed: '{{request.path}}|{{request.query.a}}|{{request.headers.x-id}}|{{body.token}}{{body.nested.at}}|{{hash request.body "sha256" "base64"}}' });
    const sent = (url: string) => incoming({ url, body, headers: { "x-id": "7", "x-signature": hmacOf(`/in|1 2|7|abcx|${digest}`) } });
    expect(await verdictOf(verify, sent("https://h.example.com/in?a=1+2"), "secret")).toEqual(ACCEPTED);
    expect(await verdictOf(verify, sent("https://h.example.com/in"), "secret")).toEqual(refusedFor(/request\.query\.a is signed, but the request does not have it/));
  });

  test("a form's parameters sorted, with repeated values once; its members as JSON text", async () => {
    const form = "b=2&a=%C3%A9&b=1&b=2";
    const headers = { "content-type": "Application/x-www-form-urlencoded\t; charset=utf-8" };
    expect(await verdictOf(hmac({ signed: "{{request.sorted_form}}" }), incoming({ body: form, headers: { ...headers, "x-signature": hmacOf("aéb1b2") } }), "secret")).toEqual(ACCEPTED);
    expect(await verdictOf(hmac({ signed: "{{request.form_json}}" }), incoming({ body: "name=invoice.create&q=%C3%A9", headers: { ...headers, "x-signature": hmacOf('{"name": "invoice.create", "q": "\\u00e9"}') } }), "secret")).toEqual(ACCEPTED);
    expect(await verdictOf(hmac({ signed: "{{request.url}}{{request.sorted_form}}" }), incoming({ body: form, headers: { "x-signature": hmacOf("https://hooks.example.com/webhooks/crm/token") } }), "secret")).toEqual(refusedFor(/request\.sorted_form is signed/));
  });

  test("a signature in the body, over other fields of it, with an ISO time", async () => {
    const verify = hmac({ signed: "{{body.token}}{{body.sent.at}}", signature: { body: "sent.signature" }, timestamp: { body: "sent.at", unit: "iso" } });
    const body = (at: string) => JSON.stringify({ token: "t", sent: { at, signature: hmacOf(`t${at}`) } });
    expect(await verdictOf(verify, incoming({ body: body("2026-03-01T10:01:00+01:00") }), "secret")).toEqual({ accepted: true, timestamp: NOW + 60_000 });
    expect(await verdictOf(verify, incoming({ body: body("2026-02-28T09:00:00Z") }), "secret")).toEqual(refusedFor(/old, more than/));
    expect(await verdictOf(verify, incoming({ body: body("soon") }), "secret")).toEqual(refusedFor(/not an ISO/));
    expect(await verdictOf(verify, incoming({ body: "[" }), "secret")).toEqual(refusedFor(/field of the body 'sent.signature' is missing/));
    expect(await verdictOf(verify, incoming({ body: `{"sent":${"[".repeat(100_000)}` }), "secret")).toMatchObject({ accepted: false });
    expect(await verdictOf(verify, incoming({ body: '{"__proto__":{"sent":{"signature":"00"}}}' }), "secret")).toMatchObject({ accepted: false });
  });

  test("as an expression; and a signed time must be signed", async () => {
    expect(await verdictOf(hmac({ signed: "=$uppercase(request.method) & request.body" }), incoming({ body: "x", headers: { "x-signature": hmacOf("POSTx") } }), "secret")).toEqual(ACCEPTED);
    expect(() => verifierOf(hmac({ timestamp: { header: "x-time" } }))).toThrow(expect.objectContaining({ code: "MANIFEST_WRONG_VALUE", params: expect.objectContaining({ field: "webhooks.app.verify.signed" }) }));
  });
});

describe("options that were entered when connecting", () => {
  const verify = { type: "hmac", algorithm: "{{config.algorithm}}", secret: "{{config.key}}", signed: "{{config.signed}}", signature: { header: "{{config.header}}", encoding: "{{config.encoding}}", prefix: "{{config.prefix}}" } };

  test("are rendered, and a template among them is one", async () => {
    const more = { algorithm: "sha512", signed: "{{request.method}}:{{request.body}}", header: "X-Push", encoding: "base64" };
    expect(await verdictOf(verify, incoming({ body: "x", headers: { "x-push": hmacOf("POST:x", "secret", "sha512", "base64") } }), "secret", more)).toEqual(ACCEPTED);
    expect(await verdictOf(verify, incoming({ body: "x", headers: { "x-push": "00" } }), "secret", { ...more, algorithm: "crc32" })).toEqual(refusedFor(/'algorithm' must be one of sha1, sha256/));
    expect(await verdictOf(verify, incoming({ body: "x" }), "secret", { ...more, header: undefined })).toEqual(refusedFor(/'signature.header' is empty/));
  });

  test("one with loops in it is not", async () => {
    const more = { algorithm: "sha256", header: "x-push", encoding: "hex" };
    for (const signed of ["{{#each request.headers}}{{this}}{{/each}}{{request.body}}", `{{request.body}}${"x".repeat(1000)}`]) {
      expect(await verdictOf(verify, incoming({ body: "x", headers: { "x-push": hmacOf("x") } }), "secret", { ...more, signed })).toEqual(refusedFor(/longer than 1000 characters, or has blocks/));
    }
    expect(await verdictOf(verify, incoming({ body: "x", headers: { "x-push": hmacOf("x") } }), "secret", { ...more, signed: "{{request.bdy}}" })).toEqual(refusedFor(/request\.bdy is signed/));
  });

  test("what a sender writes is never a template", async () => {
    const signed = "{{config.key}}";
    expect(await verdictOf(hmac({ signed: "{{request.headers.x-id}}" }), incoming({ headers: { "x-id": signed, "x-signature": hmacOf(signed) } }), "secret")).toEqual(ACCEPTED);
  });
});

test("of several current secrets any one counts; with none, nothing is accepted", async () => {
  const request = incoming({ body: "x", headers: { "x-signature": hmacOf("x", "new") } });
  expect(await verdictOf(hmac(), request, ["old", "new"])).toEqual(ACCEPTED);
  expect(await verdictOf(hmac(), request, ["old", "older"])).toEqual({ accepted: false, reason: "no signature matches: the secret, the body or what is signed differs" });
  expect(await verdictOf(hmac(), request, [])).toMatchObject({ accepted: false });
  expect(await verdictOf(hmac(), incoming({ body: "x", headers: { "x-signature": hmacOf("x", "") } }), "")).toEqual(refusedFor(/'secret' is not set/));
});
