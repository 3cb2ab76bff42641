import { generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { incoming, NOW, SECONDS, verdictOf } from "./built.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);

test("time and body in hex by the key's bytes in hex; with anything between and base64 by those in base64", async () => {
  const hex = { type: "ed25519", key: "{{config.key}}", signature: { header: "x-signature-ed25519" }, timestamp: { header: "x-signature-timestamp" } };
  const headers = { "x-signature-timestamp": SECONDS, "x-signature-ed25519": sign(null, Buffer.from(`${SECONDS}{}`), privateKey).toString("hex") };
  expect(await verdictOf(hex, incoming({ body: "{}", headers }), raw.toString("hex"))).toEqual({ accepted: true, timestamp: NOW });
  expect(await verdictOf(hex, incoming({ body: "{}", headers }), publicKey.export({ type: "spki", format: "pem" }) as string)).toEqual({ accepted: true, timestamp: NOW });
  const base64 = { ...hex, signed: "{{timestamp}}|{{request.body}}", signature: { header: "x-signature-ed25519", encoding: "base64" } };
  const signature = sign(null, Buffer.from(`${SECONDS}|{}`), privateKey).toString("base64");
  expect(await verdictOf(base64, incoming({ body: "{}", headers: { ...headers, "x-signature-ed25519": signature } }), raw.toString("base64"))).toEqual({ accepted: true, timestamp: NOW });
});

test("a signature that is too short, and a key that is none, are refused with the reason", async () => {
  const verify = { type: "ed25519", key: "{{config.key}}", signed: "{{request.body}}", signature: { header: "x-signature" } };
  expect(await verdictOf(verify, incoming({ body: "x", headers: { "x-signature": "00ff" } }), raw.toString("hex"))).toMatchObject({ accepted: false, reason: expect.stringMatching(/no signature matches/) });
  expect(await verdictOf(verify, incoming({ body: "x", headers: { "x-signature": "00ff" } }), "abc")).toMatchObject({ accepted: false, reason: "the key is no Ed25519 public key" });
});
