import { expect, test } from "vitest";
import { incoming, verdictOf } from "./built.ts";

const token = (options: Record<string, unknown>) => ({ type: "token", secret: "{{config.key}}", ...options });

test("in a header, behind a word, in the query, and in a field of a JSON or form body", async () => {
  for (const [verify, request] of [
    [token({ header: "x-token" }), incoming({ headers: { "x-token": "s3cret" } })],
    [token({ header: "authorization", prefix: "Bearer " }), incoming({ headers: { authorization: "Bearer s3cret" } })],
    [token({ query: "token" }), incoming({ url: "https://h.example.com/in?token=s3cret&a=1" })],
    [token({ body: "auth.token" }), incoming({ body: '{"auth":{"token":"s3cret"}}' })],
    [token({ body: "token" }), incoming({ body: "a=1&token=s3cret", headers: { "content-type": "application/x-www-form-urlencoded" } })],
  ] as const) {
    expect(await verdictOf(verify, request, "s3cret")).toEqual({ accepted: true });
    expect(await verdictOf(verify, request, ["next", "s3cret"])).toEqual({ accepted: true });
    expect(await verdictOf(verify, request, "s3cres")).toMatchObject({ accepted: false, reason: expect.stringMatching(/is not the secret/) });
    expect(await verdictOf(verify, request, "")).toMatchObject({ accepted: false, reason: "the option 'secret' is not set" });
    expect(await verdictOf(verify, incoming(), "s3cret")).toMatchObject({ accepted: false, reason: expect.stringMatching(/is missing/) });
  }
});

test("a list of items is accepted only when every one of them has it", async () => {
  const verify = token({ body: "value.clientState" });
  const sent = (...states: unknown[]) => incoming({ body: JSON.stringify({ value: states.map((clientState) => ({ id: 1, clientState })) }) });
  expect(await verdictOf(verify, sent("k", "k"), "k")).toEqual({ accepted: true });
  expect(await verdictOf(verify, sent("k", "x"), "k")).toMatchObject({ accepted: false });
  expect(await verdictOf(verify, sent("k", undefined), "k")).toMatchObject({ accepted: false });
  expect(await verdictOf(verify, sent(), "k")).toMatchObject({ accepted: false });
  expect(await verdictOf(verify, sent("k", { k: 1 }), "k")).toMatchObject({ accepted: false });
  expect(await verdictOf(verify, sent("k", []), "k")).toMatchObject({ accepted: false });
  expect(await verdictOf(verify, incoming({ body: '{"value":[{"clientState":"k"},[]]}' }), "k")).toMatchObject({ accepted: false });
});

test("a list of more items than anybody sends costs nothing: it is refused unread", async () => {
  const verify = token({ body: "value.clientState" });
  const sent = (count: number) => incoming({ body: JSON.stringify({ value: Array(count).fill({ clientState: "k" }) }) });
  expect(await verdictOf(verify, sent(10_000), "k")).toEqual({ accepted: true });
  expect(await verdictOf(verify, sent(10_001), "k")).toMatchObject({ accepted: false });
  expect(await verdictOf(verify, incoming({ body: JSON.stringify({ value: { clientState: Array(10_001).fill("k") } }) }), "k")).toMatchObject({ accepted: false });
});
