import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { incoming, verdictOf } from "./built.ts";

const digestOf = (text: string, algorithm = "sha256") => createHash(algorithm).update(text).digest("hex");

test("the hash of secret and body, or of what the template says, with the secret where it says", async () => {
  const plain = { type: "digest", secret: "{{config.key}}", signature: { header: "x-signature" } };
  expect(await verdictOf(plain, incoming({ body: "é", headers: { "x-signature": digestOf("secreté") } }), "secret")).toEqual({ accepted: true });
  expect(await verdictOf(plain, incoming({ body: "e", headers: { "x-signature": digestOf("secreté") } }), "secret")).toMatchObject({ accepted: false });
  const other = { ...plain, algorithm: "sha1", signed: "{{request.path}}{{secret}}" };
  expect(await verdictOf(other, incoming({ headers: { "x-signature": digestOf("/webhooks/crm/tokensecret", "sha1") } }), "secret")).toEqual({ accepted: true });
});

test("an empty secret proves nothing", async () => {
  const verdict = await verdictOf({ type: "digest", secret: "{{config.key}}", signature: { header: "x-signature" } }, incoming({ body: "x", headers: { "x-signature": digestOf("x") } }), "");
  expect(verdict).toEqual({ accepted: false, reason: "the option 'secret' is not set" });
});
