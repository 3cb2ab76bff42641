import { constants, generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { incoming, verdictOf } from "./built.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
const verify = { type: "rsa", key: "{{config.key}}", signature: { header: "x-signature" } };
const request = (signature: Buffer) => incoming({ body: "x", headers: { "x-signature": signature.toString("base64") } });

test("the body by PKCS #1 v1.5, or PSS where the manifest says so", async () => {
  const pkcs1 = sign("sha256", Buffer.from("x"), privateKey);
  const pss = sign("sha256", Buffer.from("x"), { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  expect(await verdictOf(verify, request(pkcs1), pem)).toEqual({ accepted: true });
  expect(await verdictOf({ ...verify, padding: "pss" }, request(pss), pem)).toEqual({ accepted: true });
  expect(await verdictOf(verify, request(pss), pem)).toMatchObject({ accepted: false });
  expect(await verdictOf({ ...verify, algorithm: "sha512" }, request(pkcs1), pem)).toMatchObject({ accepted: false });
});

test("the key may be an older PEM; one of another kind is refused", async () => {
  expect(await verdictOf(verify, request(sign("sha256", Buffer.from("x"), privateKey)), publicKey.export({ type: "pkcs1", format: "pem" }) as string)).toEqual({ accepted: true });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" }) as string;
  expect(await verdictOf(verify, request(Buffer.from("x")), ec)).toMatchObject({ accepted: false, reason: "the key is no RSA public key" });
});
