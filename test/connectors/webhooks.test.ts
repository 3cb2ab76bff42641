/** The shipped feeds against requests signed as the vendors document it: accepted, and refused with one byte changed anywhere, another secret, or out of time. */
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { IncomingRequest, Variables } from "../../engine/components/kinds.ts";
import { read } from "../../engine/manifest/index.ts";
import { resolvePlan } from "../../engine/plan/index.ts";
import type { ConnectorPlan } from "../../engine/plan/types.ts";
import { buildVerifier } from "../../engine/run/build-verifier.ts";
import { compileFeed, type Effect, type SeenRequest } from "../../engine/run/feed.ts";
import { createHubSpotWebhooks } from "../../server/demo/providers/hubspot-app.ts";
import { PRODUCT_ROOT, readTree } from "../../server/workspace/read-tree.ts";

const NOW = Date.parse("2026-03-01T09:00:00Z");
let connectors: Readonly<Record<string, ConnectorPlan>>;
beforeAll(() => {
  const files = new Map([["tenants/acme.yaml", "tenant: acme\ntitle: Acme\nsubdomain: acme\nconnections: { hubspot: { connector: hubspot }, greenhouse: { connector: greenhouse } }\n"]]);
  connectors = resolvePlan(read([readTree(PRODUCT_ROOT, "catalogue"), { layer: "workspace", label: "", files }]), "acme").plan.connectors;
});

const request = (url: string, headers: Record<string, string>, body: string): IncomingRequest => ({ method: "POST", url, headers, body: Buffer.from(body) });
const verify = (connector: string, feed: string, config: object, incoming: IncomingRequest, now = NOW) => {
  const { verify: by, with: given } = connectors[connector]!.webhooks![feed]!;
  return buildVerifier(by, `webhooks.${feed}.verify`).verify(incoming, [{ config, with: given } as Variables], now);
};
const effects = async (connector: string, feed: string, body: object, headers: Record<string, string> = {}): Promise<{ ids: (string | undefined)[]; means: Effect[][] }> => {
  const plan = connectors[connector]!.webhooks![feed]!;
  const compiled = compileFeed(plan, feed);
  const seen: SeenRequest = { method: "POST", url: "https://x.example/", headers, body, text: () => JSON.stringify(body) };
  const items = await compiled.split(seen, { config: {}, with: plan.with });
  return { ids: items.map(({ eventId }) => eventId), means: await Promise.all(items.map(async ({ item }) => (await compiled.meaning(item, seen, { config: {}, with: plan.with })).effects as Effect[])) };
};

describe("HubSpot", () => {
  const url = "https://hooks.example.com/webhooks/hubspot/tok%3Aen%2Fx?a=%40b&c=%20d";
  const body = JSON.stringify([{ eventId: 1, subscriptionId: 2, portalId: 62_515, subscriptionType: "contact.creation", objectId: 123 }]);
  const signed = (secret = "s3", at = NOW, over = body) => createHubSpotWebhooks({ clientSecret: secret }).sign("POST", url, over, at);

  test("the signature is over the address with the vendor's escapes undone, and no others", async () => {
    const expected = createHmac("sha256", "s3").update(`POSThttps://hooks.example.com/webhooks/hubspot/tok:en/x?a=@b&c=%20d${body}${NOW}`).digest("base64");
    expect(signed()["x-hubspot-signature-v3"]).toBe(expected);
    expect(await verify("hubspot", "app", { client_secret: "s3" }, request(url, signed(), body))).toMatchObject({ accepted: true });
  });

  test.each([
    ["a byte of the body", () => request(url, signed(), body.replace("123", "124"))], ["a byte of the address", () => request(url.replace("c=", "e="), signed(), body)],
    ["the time", () => request(url, { ...signed(), "x-hubspot-request-timestamp": String(NOW + 1) }, body)], ["the secret", () => request(url, signed("s4"), body)],
    ["six minutes ago", () => request(url, signed("s3", NOW - 360_000), body)], ["no signature", () => request(url, { "x-hubspot-request-timestamp": String(NOW) }, body)],
  ])("refused: %s", async (_, changed) => {
    expect(await verify("hubspot", "app", { client_secret: "s3" }, changed())).toMatchObject({ accepted: false });
  });

  test("a list of events: each has an id of two parts, and says what is to be read or is gone", async () => {
    const event = (eventId: number, subscriptionType: string, objectId: number) => ({ eventId, subscriptionId: 9, portalId: 1, occurredAt: NOW, subscriptionType, objectId });
    const { ids, means } = await effects("hubspot", "app", [event(1, "contact.creation", 5), event(2, "contact.propertyChange", 5), event(3, "contact.deletion", 6), event(4, "company.deletion", 7), event(5, "deal.creation", 8)]);
    expect(ids.map((id) => JSON.stringify(id))).toEqual([...new Set(ids.map((id) => JSON.stringify(id)))]);
    expect(means.map((of) => of.map(({ stream, key, deleted }) => `${stream} ${key} ${deleted ? "gone" : "read"}`))).toEqual([["contacts 5 read"], ["contacts 5 read"], ["contacts 6 gone"], ["companies 7 gone"], []]);
  });
});

describe("Greenhouse", () => {
  const body = String.raw`{"action":"update_candidate","payload":{"candidate":{"id":5,"first_name":"\u003cb\u003e"}}}`;
  const headers = (secret: string, over = body) => ({ signature: `sha256 ${createHmac("sha256", secret).update(over).digest("hex")}`, "greenhouse-event-id": "e-1" });
  const url = "https://hooks.example.com/webhooks/greenhouse/x";

  test.each([["customer", { webhook_key: "k" }], ["partner", { partner_key: "k" }]])("%s: signed over the very bytes with its own key, and with no other", async (feed, config) => {
    expect(await verify("greenhouse", feed, config, request(url, headers("k"), body))).toMatchObject({ accepted: true });
    expect(await verify("greenhouse", feed, config, request(url, headers("k"), body.replaceAll("\\u003c", "<")))).toMatchObject({ accepted: false });
    expect(await verify("greenhouse", feed, config, request(url, headers("l"), body))).toMatchObject({ accepted: false });
    expect(await verify("greenhouse", feed, config, request(url, { ...headers("k"), signature: headers("k").signature.replace("sha256 ", "sha1 ") }, body))).toMatchObject({ accepted: false });
    expect(await verify("greenhouse", feed, {}, request(url, headers(""), body))).toMatchObject({ accepted: false });
  });

  test.each([
    ["an application brings its candidate along", { action: "candidate_stage_change", payload: { application: { id: 7, candidate: { id: 5 }, jobs: [{ id: 3 }] } } }, ["candidates 5 read", "applications 7 read"]],
    ["a candidate alone", { action: "update_candidate", payload: { candidate: { id: 5 } } }, ["candidates 5 read"]],
    ["a deleted candidate", { action: "delete_candidate", payload: { person: { id: 5, deleted_application_ids: [7] } } }, ["candidates 5 gone"]],
    ["a merge ends one candidate and changes the other", { action: "merge_candidate", payload: { person: { id: 5, new_candidate_id: 6 } } }, ["candidates 5 gone", "candidates 6 read"]],
    ["an anonymized candidate is read again", { action: "candidate_anonymized", payload: { candidate_id: 5, anonymized_fields: ["full_name"] } }, ["candidates 5 read"]],
    ["a deleted application does not end its candidate", { action: "delete_application", payload: { application: { id: 7, candidate_id: 5 } } }, ["applications 7 gone"]],
    ["a job", { action: "job_updated", payload: { job: { id: 3 } } }, ["jobs 3 read"]],
    ["a deleted job", { action: "job_deleted", payload: { job: { id: 3 } } }, ["jobs 3 gone"]],
    ["a ping means nothing", { action: "ping", payload: { web_hook_id: 1 } }, []],
  ])("%s", async (_, body, expected) => {
    const { ids, means } = await effects("greenhouse", "customer", body, { "greenhouse-event-id": "e-1" });
    expect([ids, means[0]!.map(({ stream, key, deleted }) => `${stream} ${key} ${deleted ? "gone" : "read"}`)]).toEqual([["e-1"], expected]);
  });
});
