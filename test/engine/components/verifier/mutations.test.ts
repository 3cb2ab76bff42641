import { expect, test } from "vitest";
import { schemas } from "../../../../schemas/bundle.gen.ts";
import type { IncomingRequest } from "../../../../engine/components/kinds.ts";
import { verifierOf } from "./built.ts";
import { requestOf, signedRequests, type SignedRequest } from "./signed-requests.ts";

const MUTATIONS = 2_000;
/** Where a machine is busy one may wait; what would take longer is a request that can stop the intake. */
const LONGEST_MILLISECONDS = 2_000;

/** Mulberry32: the same requests in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Sent { readonly request: IncomingRequest; readonly key: unknown; readonly at: number }

const ALPHABET = "abcdefXYZ0123456789";
/** Bytes that a secret, a header or a body never consists of. */
const ODD = ["", "\u0000", "\ud800", "é", "{{config.key}}", "__proto__", "t=1,v1=", "v1,", "null", "🔑", "%", "%zz", "\r\n"];

test(`${MUTATIONS} requests that were changed on the way are all refused: none is accepted, throws or takes long`, async () => {
  const random = seeded(20260301);
  const below = (count: number): number => Math.floor(random() * count);
  const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const changed = (text: string): string => {
    if (text === "") return "x";
    const at = below(text.length);
    // Padding carries nothing: without it a signature is the same one.
    const letter = one([...ALPHABET].filter((each) => each.toLowerCase() !== text[at]!.toLowerCase()));
    switch (below(text[at] === "=" ? 2 : 4)) {
      case 0: return text.slice(0, at) + letter + text.slice(at + 1);
      case 1: return text.slice(0, at) + letter + text.slice(at);
      case 2: return text.slice(0, at) + text.slice(at + 1);
      default: return text.slice(0, Math.floor(text.length / 2));
    }
  };
  const headersOf = (signed: SignedRequest): string[] => Object.keys(signed.headers).filter((name) => name !== "content-type");
  const signsAddress = (signed: SignedRequest): boolean => JSON.stringify(signed.verify).includes("request.url");

  const mutations: readonly ((signed: SignedRequest, sent: Sent) => Sent)[] = [
    (signed, sent) => ({ ...sent, request: { ...sent.request, body: Buffer.from(changed(signed.body)) } }),
    (signed, sent) => ({ ...sent, request: { ...sent.request, body: Buffer.concat([Buffer.from(signed.body), Buffer.from([below(256), below(256)])]) } }),
    (_, sent) => ({ ...sent, request: { ...sent.request, body: Buffer.from(Array.from({ length: below(300) + 1 }, () => below(256))) } }),
    (_, sent) => ({ ...sent, request: { ...sent.request, body: Buffer.from(one(["[", '{"a":', "a=1&"]).repeat(50_000)) } }),
    (signed, sent) => { const name = one(headersOf(signed)); return { ...sent, request: { ...sent.request, headers: { ...signed.headers, [name]: changed(signed.headers[name]!) } } }; },
    (signed, sent) => { const name = one(headersOf(signed)); return { ...sent, request: { ...sent.request, headers: { ...signed.headers, [name]: one(ODD) } } }; },
    (signed, sent) => { const name = one(headersOf(signed)); return { ...sent, request: { ...sent.request, headers: { ...signed.headers, [name]: `${one(ODD)}${one([",", " ", "v1,AAAA ", "="])}`.repeat(20_000) } } }; },
    (signed, sent) => { const name = one(headersOf(signed)); return { ...sent, request: { ...sent.request, headers: Object.fromEntries(Object.entries(signed.headers).filter(([each]) => each !== name)) } }; },
    (signed, sent) => ({ ...sent, key: changed(signed.key) }),
    (_, sent) => ({ ...sent, key: one<unknown>([undefined, null, "", 0, true, {}, [], { toString: "x" }, ...ODD]) }),
    (signed, sent) => (signed.at === undefined ? { ...sent, key: "0" } : { ...sent, at: signed.at + (random() < 0.5 ? -1 : 1) * (301_000 + below(1e12)) }),
    (signed, sent) => (signsAddress(signed) ? { ...sent, request: { ...sent.request, url: changed(signed.url) } } : { ...sent, request: { ...sent.request, headers: {} } }),
    // The headers of another provider's request.
    (signed, sent) => ({ ...sent, request: { ...sent.request, headers: one(signedRequests.filter((other) => other.headers !== signed.headers && other.body !== signed.body)).headers } }),
  ];

  const verifiers = new Map(signedRequests.map((signed) => [signed, verifierOf(signed.verify)]));
  for (let index = 0; index < MUTATIONS; index++) {
    const signed = one(signedRequests);
    const mutation = below(mutations.length);
    const sent = mutations[mutation]!(signed, { request: requestOf(signed), key: signed.key, at: signed.at ?? 0 });
    const begun = performance.now();
    const verdict = await verifiers.get(signed)!.verify(sent.request, [{ config: { key: sent.key } }], sent.at);
    const milliseconds = performance.now() - begun;
    expect(verdict, `${index}: ${signed.name}, mutation ${mutation}, ${JSON.stringify(sent.request.headers).slice(0, 300)} ${Buffer.from(sent.request.body).toString("latin1").slice(0, 300)} ${JSON.stringify(sent.key)}`).toMatchObject({ accepted: false, reason: expect.stringMatching(/./) });
    expect(milliseconds, `${index}: ${signed.name}, mutation ${mutation}`).toBeLessThan(LONGEST_MILLISECONDS);
  }
});

test("every example of the schemas can be built, and refuses a request that proves nothing", async () => {
  for (const [path, schema] of schemas) {
    if (!/^components\/verifier\/\w+\.schema\.json$/.test(path)) continue;
    const { examples, "x-example-titles": titles } = schema as { examples: Record<string, unknown>[]; "x-example-titles"?: string[] };
    if (examples.length > 1) expect(titles, path).toHaveLength(examples.length);
    for (const example of examples) {
      const verdict = await verifierOf(example).verify({ method: "POST", url: "https://h.example.com/in", headers: {}, body: Buffer.from("{}") }, [{ config: {} }], 0);
      expect(verdict.accepted, JSON.stringify(example)).toBe(example["type"] === "secret_url");
    }
  }
});
