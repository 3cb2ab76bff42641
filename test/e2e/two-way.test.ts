/** A contact changes at one provider, and is the same at the other one: signed webhooks, a real server and worker, and nothing that goes round in circles. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProvider as startHubSpot, type HubSpotStandIn } from "../../server/demo/providers/hubspot.ts";
import { createHubSpotWebhooks, type HubSpotWebhooks } from "../../server/demo/providers/hubspot-app.ts";
import { startProvider as startWix, type WixStandIn } from "../../server/demo/providers/wix.ts";
import { running, WORKSPACE, type Running } from "./running.ts";

const CLIENT_SECRET = "app-secret-of-the-operator";
const types = { email: "string", firstname: "string", lastname: "string", phone: "string", jobtitle: "string", company: "string", lastmodifieddate: "datetime", createdate: "datetime", hs_object_id: "number" } as const;
const contact = (id: number, email: string, firstname: string) => ({ id: String(id), properties: { email, firstname, lastname: "Lee" }, createdAt: "2026-01-01T00:00:00.000Z", updatedAt: "2026-01-02T00:00:00.000Z", archived: false });
const portal = (portalId: number, objects: ReturnType<typeof contact>[]) => ({
  portalId, token: `token-${portalId}`, scopes: ["crm.objects.contacts.read", "crm.objects.contacts.write"], associations: {},
  types: { contacts: { types, defaults: ["email"], modified: "lastmodifieddate", scope: "crm.objects.contacts.read", objects } },
});

let it: Running;
let webhooks: HubSpotWebhooks;
let hubspot: HubSpotStandIn;
let other: HubSpotStandIn;
let wix: WixStandIn;
const writes = (provider: { requests: HubSpotStandIn["requests"] }): Record<string, number> => Object.fromEntries(Object.entries(provider.requests.byRoute).filter(([route]) => /^(POST|PATCH|DELETE)/.test(route) && !/search$|query$/.test(route)));
const sent = async () => (await it.deliveries("acme")).filter(({ status }) => status !== "unchanged").map(({ flow, status, operation, attempts }) => ({ flow, status, operation, attempts }));

beforeAll(async () => {
  webhooks = createHubSpotWebhooks({ clientSecret: CLIENT_SECRET });
  // One address of the app serves both customers: their portals tell it in the same requests.
  hubspot = await startHubSpot({ data: portal(62_515, [contact(101, "ann@example.com", "Ann"), contact(102, "bo@example.com", "Bo")]), webhooks, limits: { search: 1_000 } });
  other = await startHubSpot({ data: portal(70_001, [contact(101, "zoe@example.com", "Zoe")]), webhooks, limits: { search: 1_000 } });
  wix = await startWix({ data: { apiKey: "wix-key", siteId: "site-1", instanceId: "inst-1", name: "Harbour Cafe", contacts: [
    { id: "11111111-1111-4111-8111-111111111111", revision: 3, createdDate: "2026-01-01T00:00:00.000Z", updatedDate: "2026-01-01T00:00:00.000Z", info: { name: { first: "Ann", last: "Lee" }, emails: { items: [{ tag: "MAIN", email: "Ann@example.com" }] } } },
  ] } });
  it = await running({
    ...WORKSPACE,
    // Two portals at two addresses: the stand-ins are two servers, HubSpot is one. What was written just now is read just now:
    // a window that ends at a whole second would leave out what this second brought.
    "connectors/hubspot/connector.yaml": 'connector: hubspot\nconfig: { api: { title: Address } }\nhttp: { base_url: "{{config.api}}", hosts: ["127.0.0.1"] }\nfragments: { object: { cursor: { lag: 0s } } }\n',
    "connectors/wix/connector.yaml": `connector: wix\nhttp: { base_url: "${wix.url}", hosts: ["127.0.0.1"] }\nstreams: { contacts: { cursor: { lag: 0s, format: iso_ms } } }\n`,
    "tenants/platform.yaml": `tenant: platform\ntitle: Operator\nconnections:\n  hubspot: { connector: hubspot, config: { api: "${hubspot.url}" } }\n  wix: { connector: wix, config: { site_id: none } }\n`,
    "tenants/acme.yaml": `tenant: acme\ntitle: Acme\nsubdomain: acme\npreset: two-way-contacts\nconnections: { hubspot: { config: { api: "${hubspot.url}" } } }\n`,
    "tenants/bolt.yaml": `tenant: bolt\ntitle: Bolt\nsubdomain: bolt\nconnections: { crm: { connector: hubspot, config: { api: "${other.url}" } } }\nflows: { contacts: { from: { stream: crm.contacts, every: 1h }, map: hubspot/contact, to: contact } }\n`,
  });
  await it.enter("platform", "hubspot", { secrets: { client_secret: CLIENT_SECRET } });
  await it.enter("platform", "wix", { config: { public_key: wix.webhooks.publicKey } });
  await it.connect("acme", "hubspot", { config: { method: "token" }, secrets: { access_token: "token-62515" } });
  await it.connect("acme", "wix", { config: { site_id: "site-1", instance: "inst-1" }, secrets: { api_key: "wix-key" } });
  await it.connect("bolt", "crm", { config: { method: "token" }, secrets: { access_token: "token-70001" } });
  webhooks.register(await it.address("platform", { connector: "hubspot" }, "app"));
  wix.webhooks.register(await it.address("platform", { connector: "wix" }, "app"));
}, 60_000);
afterAll(async () => {
  webhooks.close();
  await it.close();
  await Promise.all([hubspot.close(), other.close(), wix.close()]);
});

test("a first load of both sides joins who is the same by address, and sends nothing", async () => {
  await it.sync("acme", "hubspot");
  await it.sync("acme", "wix");
  await it.sync("bolt", "crm");
  const rows = await it.rows("acme", "contact");
  expect(rows.map((row) => [row.email, Object.keys(row.links).toSorted()]).toSorted()).toEqual([["ann@example.com", ["hubspot", "wix"]], ["bo@example.com", ["hubspot"]]]);
  expect(await it.deliveries("acme")).toEqual([]);
  expect([writes(hubspot), writes(wix)]).toEqual([{}, {}]);
});

test("a change in HubSpot is told by webhook, becomes the entity's, and is saved to Wix", async () => {
  hubspot.people.change("contacts", "101", { phone: "+44 20 7946 0001", jobtitle: "Buyer" });
  hubspot.people.change("contacts", "102", { firstname: "Bobby" });
  hubspot.people.create("contacts", { email: "Cy@example.com", firstname: "Cy" });
  // Of another customer, in the same requests.
  other.people.change("contacts", "101", { firstname: "Zoey" });
  await webhooks.flush();
  await it.quiet();
  expect(webhooks.answers).toEqual({ 200: 2 });
  expect((await it.rows("acme", "contact")).map((row) => [row.email, row.first_name, row.phone ?? null, Object.keys(row.links).length]).toSorted()).toEqual([
    ["ann@example.com", "Ann", "+44 20 7946 0001", 2], ["bo@example.com", "Bobby", null, 2], ["cy@example.com", "Cy", null, 2],
  ]);
  expect((await it.rows("bolt", "contact")).map(({ first_name }) => first_name)).toEqual(["Zoey"]);
  expect(writes(wix)).toEqual({ "POST /contacts/v4/contacts": 2, "PATCH /contacts/v4/contacts/11111111-1111-4111-8111-111111111111": 1 });
  expect(writes(hubspot)).toEqual({});
  expect((await sent()).toSorted((a, b) => a.operation.localeCompare(b.operation))).toEqual([
    { flow: "wix_out", status: "delivered", operation: "create_contact", attempts: 1 }, { flow: "wix_out", status: "delivered", operation: "create_contact", attempts: 1 }, { flow: "wix_out", status: "delivered", operation: "update_contact", attempts: 1 },
  ]);
});

test("its own change event comes back, by webhook and by poll, and changes nothing", async () => {
  const before = await it.admin("select id, data, updated_at, links from entity_rows order by id");
  const deliveries = await it.deliveries("acme");
  const written = [writes(wix), writes(hubspot)];
  await wix.webhooks.flush();
  await it.quiet();
  expect(wix.webhooks.answers).toEqual({ 200: 6 });
  // Once more, by reading what changed.
  const [wixRun] = await it.sync("acme", "wix");
  const [hubspotRun] = await it.sync("acme", "hubspot");
  expect([wixRun.mode, wixRun.counters.read, wixRun.counters.created + wixRun.counters.updated]).toEqual(["incremental", 3, 0]);
  expect([hubspotRun.mode, hubspotRun.counters.read, hubspotRun.counters.created + hubspotRun.counters.updated]).toEqual(["incremental", 3, 0]);
  expect(await it.admin("select id, data, updated_at, links from entity_rows order by id")).toEqual(before);
  expect(await it.deliveries("acme")).toEqual(deliveries);
  expect([writes(wix), writes(hubspot)]).toEqual(written);
});

test("a change in Wix goes the other way, and comes back to nobody", async () => {
  wix.people.change("11111111-1111-4111-8111-111111111111", { name: { first: "Anna", last: "Lee" } });
  await wix.webhooks.flush();
  await it.quiet();
  expect(writes(hubspot)).toEqual({ "PATCH /crm/v3/objects/contacts/:id": 1 });
  const written = writes(wix);
  await webhooks.flush();
  await it.quiet();
  await it.sync("acme", "hubspot");
  await it.sync("acme", "wix");
  expect([writes(wix), writes(hubspot)]).toEqual([written, { "PATCH /crm/v3/objects/contacts/:id": 1 }]);
  expect((await it.rows("acme", "contact")).find(({ email }) => email === "ann@example.com")).toMatchObject({ first_name: "Anna", phone: "+44 20 7946 0001" });
  expect((await it.deliveries("acme")).filter(({ status }) => !["delivered", "unchanged"].includes(status))).toEqual([]);
  expect(it.errors).toEqual([]);
});

test("who was made in both at once is one row with both keys, and nobody is made twice", async () => {
  const before = writes(wix)["POST /contacts/v4/contacts"]!;
  const there = wix.people.add({ name: { first: "Dee", last: "" }, emails: { items: [{ tag: "MAIN", email: "dee@example.com" }] }, phones: { items: [] }, jobTitle: "", company: "" });
  hubspot.people.create("contacts", { email: "dee@example.com", firstname: "Dee" });
  await webhooks.flush();
  await it.quiet();
  expect(writes(wix)["POST /contacts/v4/contacts"]).toBe(before + 1);
  await wix.webhooks.flush();
  await it.quiet();
  const rows = (await it.rows("acme", "contact")).filter(({ email }) => email === "dee@example.com");
  expect(rows.map(({ links }) => links.wix)).toEqual([there.id]);
  expect((await it.deliveries("acme")).filter(({ status }) => !["delivered", "unchanged"].includes(status))).toEqual([]);
  expect(writes(wix)["POST /contacts/v4/contacts"]).toBe(before + 1);
});

test("what is archived in HubSpot is no contribution any more; who is in Wix as well stays, and is not made again", async () => {
  const written = [writes(wix), writes(hubspot)];
  hubspot.people.archive("contacts", "101");
  await webhooks.flush();
  await it.quiet();
  expect((await it.rows("acme", "contact")).find(({ email }) => email === "ann@example.com")?.links).toMatchObject({ wix: "11111111-1111-4111-8111-111111111111" });
  expect([writes(wix), writes(hubspot)]).toEqual(written);
  expect(it.errors).toEqual([]);
});
