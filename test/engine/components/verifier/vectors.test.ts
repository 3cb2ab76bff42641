import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ComponentPlan } from "../../../../engine/plan/types.ts";
import { buildComponent } from "../../../../engine/run/build-context.ts";
import { requestOf, signedRequests, type SignedRequest } from "./signed-requests.ts";

const NOW = 1_772_355_600_000;
const verifierOf = (verify: ComponentPlan) => buildComponent("verifier", verify, "webhooks.app.verify");
const isAccepted = async (signed: SignedRequest, changed: Partial<{ request: ReturnType<typeof requestOf>; key: string; at: number }> = {}): Promise<boolean> =>
  (await verifierOf(signed.verify).verify(changed.request ?? requestOf(signed), [{ config: { key: changed.key ?? signed.key } }], changed.at ?? signed.at ?? NOW)).accepted;

/** The text with one byte changed, at every place: to the next one, and to the other case. */
function* changesOf(text: string): Generator<string> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at++) for (const bit of [0x01, 0x20]) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= bit;
    yield changed.toString("latin1");
  }
}

const provenHeaders = (signed: SignedRequest): string[] => Object.keys(signed.headers).filter((name) => name !== "content-type");

describe.each(signedRequests)("$name", (signed) => {
  test("is accepted as it was published, and with the secret that is being replaced beside it", async () => {
    expect(await isAccepted(signed)).toBe(true);
    const both = await verifierOf(signed.verify).verify(requestOf(signed), [{ config: { key: "another" } }, { config: { key: signed.key } }], signed.at ?? NOW);
    expect(both).toMatchObject({ accepted: true });
  });

  test("is refused with any one byte of the body changed", async () => {
    const request = requestOf(signed);
    for (const body of changesOf(signed.body)) expect(await isAccepted(signed, { request: { ...request, body: Buffer.from(body, "latin1") } }), body).toBe(false);
    expect(await isAccepted(signed, { request: { ...request, body: request.body.subarray(0, -1) } })).toBe(false);
    expect(await isAccepted(signed, { request: { ...request, body: Buffer.concat([request.body, Buffer.from("\n")]) } })).toBe(false);
  });

  test.each(provenHeaders(signed))("is refused with any one byte of header %s changed, without it, and with it twice", async (name) => {
    const request = requestOf(signed);
    for (const value of changesOf(signed.headers[name]!)) expect(await isAccepted(signed, { request: { ...request, headers: { ...signed.headers, [name]: value } } }), value).toBe(false);
    const { [name]: gone, ...rest } = signed.headers;
    expect(await isAccepted(signed, { request: { ...request, headers: rest } })).toBe(false);
    // A list of signatures may come in two headers; the one that is right counts.
    const isList = "separator" in (signed.verify["signature"] as object ?? {}) || signed.verify.type === "standard_webhooks";
    if (!isList || !name.endsWith("signature")) expect(await isAccepted(signed, { request: { ...request, headers: { ...rest, [name]: `${gone}, ${gone}` } } })).toBe(false);
  });

  test("is refused with any one byte of the secret changed, and with none", async () => {
    for (const key of changesOf(signed.key)) expect(await isAccepted(signed, { key }), key).toBe(false);
    expect(await isAccepted(signed, { key: "" })).toBe(false);
    expect(await verifierOf(signed.verify).verify(requestOf(signed), [{ config: {} }], signed.at ?? NOW)).toMatchObject({ accepted: false, reason: expect.stringMatching(/is not set/) });
  });

  test.runIf(signed.at !== undefined)("is accepted for five minutes around its time, and not longer in either direction", async () => {
    for (const seconds of [-300, 300]) expect(await isAccepted(signed, { at: signed.at! + seconds * 1000 })).toBe(true);
    for (const seconds of [-301, 301]) expect(await isAccepted(signed, { at: signed.at! + seconds * 1000 })).toBe(false);
  });

  test("no reason for a refusal quotes the secret or a signature that would be right", async () => {
    const wrong = await verifierOf(signed.verify).verify({ ...requestOf(signed), body: Buffer.from("{}") }, [{ config: { key: signed.key } }], signed.at ?? NOW);
    expect(wrong.accepted).toBe(false);
    const reason = "reason" in wrong ? wrong.reason : "";
    expect(reason).not.toContain(signed.key);
    expect(reason).not.toMatch(/[0-9a-f]{32}|[A-Za-z0-9+/]{27,}=/);
  });
});

/** The vectors that the project keeps beside its sources: present where it is built, not where it is used. */
const shared = new URL("../../../../../shared/samples/webhook-vectors.json", import.meta.url);
interface Vector {
  readonly provider: string; readonly name: string; readonly kind?: string; readonly secret?: string; readonly public_key?: string; readonly url?: string; readonly body: string; readonly content_type?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly scheme: { readonly alg: string; readonly encoding: string; readonly signed: string; readonly header: string; readonly prefix?: string; readonly timestamp_header?: string; readonly secret_encoding?: string; readonly secret_prefix?: string; readonly format?: string };
}

describe.skipIf(!existsSync(shared))("vectors kept outside the repository (skipped where they are not there)", () => {
  const file = existsSync(shared) ? (JSON.parse(readFileSync(shared, "utf8")) as { vectors: readonly Vector[]; derived: readonly Vector[] }) : { vectors: [], derived: [] };
  const webhooks = [...file.vectors, ...file.derived].filter(({ kind }) => kind === undefined);

  test("those left out sign requests to a provider, and are no webhooks", () => {
    expect(file.vectors.filter(({ kind }) => kind !== undefined).map(({ kind }) => kind)).toEqual(["request-signing (not webhook)", "request-signing (not webhook)"]);
    expect(webhooks).toHaveLength(9);
  });

  test.each(webhooks)("$provider: $name", async (vector) => {
    const signed: SignedRequest = { name: vector.provider, source: "", verify: blockOf(vector), key: vector.secret ?? vector.public_key!, url: vector.url ?? "https://hooks.example.com/", headers: { ...vector.headers, ...(vector.content_type === undefined ? {} : { "content-type": vector.content_type }) }, body: vector.body, ...(vector.scheme.timestamp_header === undefined ? {} : { at: Number(vector.headers[vector.scheme.timestamp_header]) * 1000 }) };
    expect(await isAccepted(signed)).toBe(true);
    for (const body of changesOf(signed.body)) expect(await isAccepted(signed, { request: { ...requestOf(signed), body: Buffer.from(body, "latin1") } })).toBe(false);
    for (const name of provenHeaders(signed)) for (const value of changesOf(signed.headers[name]!)) expect(await isAccepted(signed, { request: { ...requestOf(signed), headers: { ...signed.headers, [name]: value } } })).toBe(false);
    for (const key of changesOf(signed.key)) expect(await isAccepted(signed, { key })).toBe(false);
    if (signed.at !== undefined) expect(await isAccepted(signed, { at: signed.at + 301_000 })).toBe(false);
  });

  /** The block that follows from how the file describes the scheme. */
  function blockOf({ scheme }: Vector): ComponentPlan {
    const [type = "", hash = ""] = scheme.alg.split("-");
    const words: Record<string, string> = { body: "request.body", url: "request.url", sorted_form_params_concat: "request.sorted_form", timestamp: "timestamp" };
    const signedText = scheme.signed.replace(/\{([^}]+)\}/g, (_, name: string) => `{{${words[name] ?? `request.headers.${name}`}}}`);
    return {
      type, [type === "hmac" ? "secret" : "key"]: "{{config.key}}", signed: signedText,
      ...(type === "hmac" ? { algorithm: hash, secret_encoding: scheme.secret_encoding ?? "utf8", ...(scheme.secret_prefix === undefined ? {} : { secret_prefix: scheme.secret_prefix }) } : {}),
      signature: { header: scheme.header, encoding: scheme.encoding.split(" ")[0]!, ...(scheme.format === undefined ? {} : { separator: " ", prefix: "v1," }), ...(scheme.prefix === undefined ? {} : { prefix: scheme.prefix }) },
      ...(scheme.timestamp_header === undefined ? {} : { timestamp: { header: scheme.timestamp_header } }),
    };
  }
});
