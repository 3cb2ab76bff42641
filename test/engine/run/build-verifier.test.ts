import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { WebhookPlan } from "../../../engine/plan/types.ts";
import { buildVerifier } from "../../../engine/run/build-verifier.ts";

const sign = (key: string, body: string) => createHmac("sha256", key).update(body).digest("hex");
const request = (signature?: string) => ({ method: "POST", url: "https://h.example.com/in?kind=a", headers: signature === undefined ? {} : { "x-signature": signature }, body: Buffer.from("{}") });
const hmac = { type: "hmac", secret: "{{config.key}}", signature: { header: "x-signature" } };
const chosen: WebhookPlan["verify"] = { by: "config.signing", named: { none: { type: "secret_url" }, hmac } };

test("one verifier is used as it is, whatever it is called in the plan", async () => {
  const verifier = buildVerifier({ named: { default: hmac } }, "webhooks.app.verify");
  expect(await verifier.verify(request(sign("k", "{}")), [{ config: { key: "k" } }], 0)).toEqual({ accepted: true });
});

describe("`by` picks", () => {
  const verifier = buildVerifier(chosen, "webhooks.push.verify");

  test("by what was entered when connecting, for each set of values", async () => {
    expect(await verifier.verify(request(), [{ config: { signing: "none" } }], 0)).toEqual({ accepted: true });
    expect(await verifier.verify(request(), [{ config: { signing: "hmac", key: "k" } }], 0)).toEqual({ accepted: false, reason: "header 'x-signature' is missing" });
    const sets = [{ config: { signing: "hmac", key: "old" } }, { config: { signing: "hmac", key: "new" } }];
    expect(await verifier.verify(request(sign("new", "{}")), sets, 0)).toEqual({ accepted: true });
  });

  test("by the request, too", async () => {
    const byRequest = buildVerifier({ by: 'request.query.kind = "a" ? "first" : "second"', named: { first: hmac, second: { ...hmac, algorithm: "sha512" } } }, "webhooks.push.verify");
    expect(await byRequest.verify(request(sign("k", "{}")), [{ config: { key: "k" } }], 0)).toEqual({ accepted: true });
  });

  test("nothing where it gives no name, another one, or fails", async () => {
    expect(await verifier.verify(request(), [{ config: {} }], 0)).toMatchObject({ accepted: false, reason: "'by' picks no verifier" });
    expect(await verifier.verify(request(), [{ config: { signing: "hmca" } }], 0)).toMatchObject({ accepted: false, reason: expect.stringContaining("did you mean 'hmac'") });
    expect(await verifier.verify(request(), [{ config: { signing: "__proto__" } }], 0)).toMatchObject({ accepted: false });
    expect(await buildVerifier({ ...chosen, by: "$uppercase(5)" }, "w").verify(request(), [{ config: {} }], 0)).toMatchObject({ accepted: false });
    expect(await verifier.verify(request(), [], 0)).toMatchObject({ accepted: false });
  });
});

test("an option that is wrong as written is told with its place when the verifier is built", () => {
  expect(() => buildVerifier({ by: "config.signing", named: { hmac: { ...hmac, algorithm: "md4" } } }, "webhooks.push.verify")).toThrow(expect.objectContaining({ code: "MANIFEST_WRONG_VALUE", params: expect.objectContaining({ field: "webhooks.push.verify.hmac.algorithm" }) }));
});
