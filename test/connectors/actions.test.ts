/** The shipped actions meet stand-ins that were written from the vendors' documentation: what they send, what answers mean, and what a second try does. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTransport } from "../../engine/components/transport/http.ts";
import type { Transport } from "../../engine/components/kinds.ts";
import { read, type JsonObject } from "../../engine/manifest/index.ts";
import { resolvePlan } from "../../engine/plan/index.ts";
import type { ConnectorPlan, TenantPlan } from "../../engine/plan/types.ts";
import { performAction, type ActionResult } from "../../engine/run/perform-action.ts";
import { readOne } from "../../engine/run/read-one.ts";
import { systemClock } from "../../engine/run/system-clock.ts";
import { startProvider as startGreenhouse, type GreenhouseStandIn } from "../../server/demo/providers/greenhouse.ts";
import { startProvider as startHubSpot, type HubSpotStandIn } from "../../server/demo/providers/hubspot.ts";
import { startProvider as startManatal, type ManatalStandIn } from "../../server/demo/providers/manatal.ts";
import { startProvider as startWix, type WixStandIn } from "../../server/demo/providers/wix.ts";
import { PRODUCT_ROOT, readTree } from "../../server/workspace/read-tree.ts";
import { actionBench, actionRequest } from "../support/action.ts";

const OLD = "2026-01-02T00:00:00.000Z";
const types = { email: "string", firstname: "string", lastname: "string", phone: "string", lastmodifieddate: "datetime", createdate: "datetime", hs_object_id: "number" } as const;
let plan: TenantPlan;
let hubspot: HubSpotStandIn;
let greenhouse: GreenhouseStandIn;
let manatal: ManatalStandIn;
let wix: WixStandIn;
let transport: Transport;

beforeAll(async () => {
  const connections = ["hubspot", "greenhouse", "manatal", "wix"].map((name) => `  ${name}: { connector: ${name} }\n`).join("");
  ({ plan } = resolvePlan(read([readTree(PRODUCT_ROOT, "catalogue"), { layer: "workspace", label: "", files: new Map([["tenants/acme.yaml", `tenant: acme\ntitle: Acme\nsubdomain: acme\nconnections:\n${connections}`]]) }]), "acme"));
  const contact = (id: string, email: string) => ({ id, properties: { email }, createdAt: OLD, updatedAt: OLD, archived: false });
  hubspot = await startHubSpot({ data: { portalId: 1, token: "t", scopes: ["contacts.read", "contacts.write"], associations: {}, types: { contacts: { types, defaults: [], modified: "lastmodifieddate", scope: "contacts.read", objects: [contact("7", "ann@example.com"), contact("8", "bo@example.com")] } } } });
  const records = (of: { id: number }[]) => ({ times: [], filters: {}, records: of });
  greenhouse = await startGreenhouse({ data: { clientId: "c", clientSecret: "s", users: { 5: { siteAdmin: true } }, scopes: ["candidates", "notes"], resources: { candidates: records([{ id: 9 }]) } } });
  manatal = await startManatal({ data: { token: "t", stages: [{ id: 3, name: "Interview" }], records: { candidates: [{ id: 101, full_name: "A", updated_at: OLD }], jobs: [], matches: [{ id: 7, candidate: 101, job: 55, updated_at: OLD }] } } });
  wix = await startWix({ data: { apiKey: "k", siteId: "s", instanceId: "i", name: "Site", contacts: [{ id: "c-1", revision: 4, createdDate: OLD, updatedDate: OLD, info: { emails: { items: [{ email: "ann@example.com" }] } } }] } });
  transport = createTransport({ allowPrivate: true });
}, 30_000);
afterAll(async () => {
  await transport.close();
  await Promise.all([hubspot, greenhouse, manatal, wix].map((each) => each.close()));
});

const AT: Record<string, { http: () => JsonObject; config: JsonObject }> = {
  hubspot: { http: () => ({ base_url: hubspot.url }), config: { method: "token", access_token: "t" } },
  greenhouse: { http: () => ({ base_url: `${greenhouse.url}/v3`, auth: { named: { default: { ...plan.connectors["greenhouse"]!.http!.auth!.named["default"]!, token_url: `${greenhouse.url}/token` } } } }), config: { client_id: "c", client_secret: "s", user_id: 5 } },
  manatal: { http: () => ({ base_url: `${manatal.url}/open/v3` }), config: { token: "t" } },
  wix: { http: () => ({ base_url: wix.url }), config: { api_key: "k", site_id: "s" } },
};
function requestTo(name: string) {
  const connector = { ...plan.connectors[name]!, http: { ...plan.connectors[name]!.http!, ...AT[name]!.http(), hosts: ["127.0.0.1"] } } as ConnectorPlan;
  return { ...actionRequest(connector), connection: name, values: { config: AT[name]!.config } };
}
const perform = (name: string, action: string, input: JsonObject, key?: string): Promise<ActionResult> =>
  performAction({ ...actionBench(transport).ports, clock: systemClock }, { ...requestTo(name), action, inputs: [input], ...(key === undefined ? {} : { key }) });
const one = (name: string, stream: string, key: string) => readOne({ ...actionBench(transport).ports, clock: systemClock }, requestTo(name), stream, key, []);

test("HubSpot: a contact is made once; who is there already is named by the refusal; changed and archived, also twice", async () => {
  const made = await perform("hubspot", "create_contact", { properties: { email: "Cy@Example.com", firstname: "Cy" } });
  expect(made).toMatchObject({ is: "done", results: [{ key: expect.stringMatching(/^\d+$/), version: expect.stringMatching(/^\d{10}\.\d+$/), body: { properties: { email: "cy@example.com" } } }] });
  const { key } = (made as unknown as { results: { key: string }[] }).results[0]!;
  expect(await perform("hubspot", "create_contact", { properties: { email: "cy@example.com" } })).toMatchObject({ is: "done", results: [{ key }] });
  expect(await perform("hubspot", "update_contact", { properties: { firstname: "Cyd", phone: "" } }, key)).toMatchObject({ is: "done", results: [{ key }] });
  expect(await one("hubspot", "contacts", key)).toMatchObject({ is: "record", record: { id: key } });
  expect(await perform("hubspot", "update_contact", { properties: { email: "bo@example.com" } }, key)).toMatchObject({ is: "refused", reason: expect.stringContaining("409") });
  expect(await perform("hubspot", "update_contact", { properties: { nickname: "C" } }, key)).toMatchObject({ is: "refused" });
  for (const _ of [1, 2]) expect(await perform("hubspot", "archive_contact", {}, key)).toMatchObject({ is: "done" });
  expect(await perform("hubspot", "archive_contact", {}, "404404")).toMatchObject({ is: "done" });
  expect(await one("hubspot", "contacts", key)).toEqual({ is: "gone" });
});

test("Greenhouse: a note of the acting user, private; refused for a candidate that is not there", async () => {
  expect(await perform("greenhouse", "add_note", { candidate_id: 9, text: "Hello <b>" })).toMatchObject({ is: "done", results: [{ key: "5000" }] });
  expect(greenhouse.notes).toMatchObject([{ candidate_id: 9, user_id: 5, body: "Hello <b>", visibility: "private", note_type: "NOTE" }]);
  expect(await perform("greenhouse", "add_note", { candidate_id: 1, text: "x" })).toMatchObject({ is: "refused" });
  expect(await perform("greenhouse", "add_note", { candidate_id: 9, text: "" })).toMatchObject({ is: "refused", reason: expect.stringContaining("text") });
  expect(greenhouse.notes).toHaveLength(1);
  expect([await one("greenhouse", "candidates", "9"), await one("greenhouse", "candidates", "10")]).toMatchObject([{ is: "record", record: { id: 9 } }, { is: "gone" }]);
});

test("Manatal: a match moves to a stage that exists, and a candidate gets a note", async () => {
  for (const _ of [1, 2]) expect(await perform("manatal", "move_match", { match: 7, stage: 3 })).toMatchObject({ is: "done" });
  expect(await one("manatal", "matches", "7")).toMatchObject({ is: "record", record: { job_pipeline_stage: { id: 3, name: "Interview" } } });
  expect(await perform("manatal", "move_match", { match: 7, stage: 4 })).toMatchObject({ is: "refused" });
  expect(await perform("manatal", "add_note", { candidate: 101, text: "Call back" })).toMatchObject({ is: "done", results: [{ key: "900" }] });
  expect(manatal.notes).toMatchObject([{ info: "Call back", candidate: 101 }]);
  expect(await one("manatal", "jobs", "1")).toEqual({ is: "gone" });
});

test("Wix: a change names the revision it read; one that was overtaken is tried again; who is there already is named by the refusal", async () => {
  expect(await perform("wix", "create_contact", { info: { emails: { items: [{ email: "ANN@example.com" }] } } })).toMatchObject({ is: "done", results: [{ key: "c-1" }] });
  expect(await perform("wix", "update_contact", { info: { jobTitle: "Buyer" } }, "c-1")).toMatchObject({ is: "done", results: [{ key: "c-1" }] });
  expect(await one("wix", "contacts", "c-1")).toMatchObject({ is: "record", record: { revision: 5, info: { jobTitle: "Buyer", emails: { items: [{ email: "ann@example.com" }] } } } });
  const stale = await performAction({ ...actionBench(transport).ports, clock: systemClock }, { ...requestTo("wix"), action: "update_contact", inputs: [{ info: { jobTitle: "Late" } }], key: "c-1", current: { revision: 1 } });
  expect(stale).toMatchObject({ is: "retry" });
  for (const _ of [1, 2]) expect(await perform("wix", "delete_contact", {}, "c-1")).toMatchObject({ is: "done" });
  expect(await one("wix", "contacts", "c-1")).toEqual({ is: "gone" });
});
