import { generateKeyPairSync, sign } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { incoming, NOW, SECONDS, verdictOf } from "./built.ts";

const verify = { type: "standard_webhooks", secret: "{{config.key}}" };
const key = `whsec_${Buffer.from("0123456789abcdef01234567").toString("base64")}`;
const other = `whsec_${Buffer.from("another key of 24 bytes.").toString("base64")}`;
const signedBy = (secret: string, body = '{"é":1}') => ({ "webhook-id": "msg_1", "webhook-timestamp": SECONDS, "webhook-signature": new Webhook(secret).sign("msg_1", new Date(NOW), body) });

test("accepts what the standard's own library signs, and tells id and time", async () => {
  expect(await verdictOf(verify, incoming({ body: '{"é":1}', headers: signedBy(key) }), key)).toEqual({ accepted: true, timestamp: NOW, id: "msg_1" });
  expect(await verdictOf(verify, incoming({ body: '{"é":1}', headers: signedBy(key) }), key.slice("whsec_".length))).toMatchObject({ accepted: true });
});

test("any signature of the list and any key of the list may be the right one; other versions are skipped", async () => {
  const both = { ...signedBy(key), "webhook-signature": `v2,abc ${signedBy(other)["webhook-signature"]} ${signedBy(key)["webhook-signature"]}` };
  expect(await verdictOf(verify, incoming({ body: '{"é":1}', headers: both }), key)).toMatchObject({ accepted: true });
  expect(await verdictOf(verify, incoming({ body: '{"é":1}', headers: signedBy(key) }), `${other} ${key}`)).toMatchObject({ accepted: true });
  expect(await verdictOf(verify, incoming({ body: '{"é":1}', headers: signedBy(key) }), other)).toMatchObject({ accepted: false, reason: expect.stringMatching(/no signature matches/) });
  expect(await verdictOf(verify, incoming({ body: '{"é":1}', headers: { ...signedBy(key), "webhook-signature": "v2,abcd" } }), key)).toMatchObject({ accepted: false, reason: expect.stringMatching(/no v1 or v1a/) });
});

test("v1a is checked with a public key, and never with a secret of the same bytes", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64");
  const signature = sign(null, Buffer.from(`msg_1.${SECONDS}.x`), privateKey).toString("base64");
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": SECONDS, "webhook-signature": `v1a,${signature}` };
  expect(await verdictOf(verify, incoming({ body: "x", headers }), `${key} whpk_${raw}`)).toMatchObject({ accepted: true });
  expect(await verdictOf(verify, incoming({ body: "x", headers }), `whsec_${raw}`)).toMatchObject({ accepted: false });
  // What anybody who knows the public key could send.
  const forged = { ...headers, "webhook-signature": new Webhook(`whsec_${raw}`).sign("msg_1", new Date(NOW), "x") };
  expect(await verdictOf(verify, incoming({ body: "x", headers: forged }), `whpk_${raw}`)).toMatchObject({ accepted: false });
});

test("a header that is missing is named; a time too far off, and one that is none, are refused", async () => {
  const headers = signedBy(key, "x");
  for (const name of Object.keys(headers) as (keyof typeof headers)[]) {
    const { [name]: _, ...rest } = headers;
    expect(await verdictOf(verify, incoming({ body: "x", headers: rest }), key)).toEqual({ accepted: false, reason: `header '${name}' is missing` });
  }
  expect(await verdictOf(verify, incoming({ body: "x", headers }), key, {}, NOW + 301_000)).toMatchObject({ accepted: false });
  expect(await verdictOf({ ...verify, tolerance: "10m" }, incoming({ body: "x", headers }), key, {}, NOW + 301_000)).toMatchObject({ accepted: true });
  expect(await verdictOf(verify, incoming({ body: "x", headers: { ...headers, "webhook-timestamp": "now" } }), key)).toMatchObject({ accepted: false, reason: expect.stringMatching(/not seconds since 1970/) });
});
