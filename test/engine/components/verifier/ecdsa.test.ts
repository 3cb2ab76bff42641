import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { incoming, SECONDS, verdictOf } from "./built.ts";

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keys = {
  PEM: publicKey.export({ type: "spki", format: "pem" }) as string,
  "PEM with its line breaks written as \\n": (publicKey.export({ type: "spki", format: "pem" }) as string).replaceAll("\n", "\\n"),
  "base64 of its DER": publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  JWK: JSON.stringify(publicKey.export({ format: "jwk" })),
};
const verify = { type: "ecdsa", key: "{{config.key}}", signature: { header: "x-signature" }, timestamp: { header: "x-time" } };
const signed = (dsaEncoding: "der" | "ieee-p1363") => sign("sha256", Buffer.from(`${SECONDS}x`), { key: privateKey, dsaEncoding }).toString("base64");
const request = (signature: string) => incoming({ body: "x", headers: { "x-time": SECONDS, "x-signature": signature } });

describe("with the public key as", () => {
  test.each(Object.entries(keys))("%s", async (_, key) => {
    expect(await verdictOf(verify, request(signed("der")), key)).toMatchObject({ accepted: true });
  });
});

test("a signature is DER, or r and s, as the manifest says and not as it comes", async () => {
  expect(await verdictOf({ ...verify, format: "ieee" }, request(signed("ieee-p1363")), keys.PEM)).toMatchObject({ accepted: true });
  expect(await verdictOf({ ...verify, format: "ieee" }, request(signed("der")), keys.PEM)).toMatchObject({ accepted: false });
  expect(await verdictOf(verify, request(signed("ieee-p1363")), keys.PEM)).toMatchObject({ accepted: false });
});

test("a private key, a key of another kind and no key are refused, not used", async () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" }) as string;
  for (const key of [privateKey.export({ type: "pkcs8", format: "pem" }) as string, JSON.stringify(privateKey.export({ format: "jwk" })), rsa, "none"]) {
    expect(await verdictOf(verify, request(signed("der")), key)).toEqual({ accepted: false, reason: "the key is no public key of an elliptic curve" });
  }
});
