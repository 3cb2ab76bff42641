/** Actions, webhooks and queues as the language's own page writes them. */
import { expect, test } from "vitest";
import { read } from "../../../engine/manifest/index.ts";
import { originOfPointer, resolvePlan, type TenantPlan } from "../../../engine/plan/index.ts";
import { languageBlocks, treeOf } from "../../schemas/language-blocks.ts";

const shown = treeOf(languageBlocks());
// The page shows this fragment by itself, "beside `object` above".
const hook = shown.files.get("connectors/hook/connector.yaml")!.split("fragments:\n")[1]!;
const greenhouse = "connectors/greenhouse/connector.yaml";
const page = { ...shown, files: new Map([...shown.files, [greenhouse, shown.files.get(greenhouse)!.replace("fragments:\n", `fragments:\n${hook}`)]]) };
const connectors = ["hubspot", "adp", "xero", "wix", "quickbooks", "greenhouse", "benevity", "kintell"];
const tenant = `tenant: all\nconnections:\n${connectors.map((id) => `  ${id}: { connector: ${id} }`).join("\n")}\n`;
const { plan, problems } = resolvePlan(read([{ ...page, files: new Map([...page.files, ["tenants/all.yaml", tenant]]) }]), "all");
const of = (id: string): TenantPlan["connectors"][string] => plan.connectors[id]!;

test("every connector of the page compiles, its feeds and actions included", () => {
  expect(problems).toEqual([]);
  expect(Object.fromEntries(connectors.map((id) => [id, [of(id).actions, of(id).webhooks, of(id).queues].map((parts) => Object.keys(parts ?? {}).join(" "))]))).toEqual({
    hubspot: ["create_contact", "app", ""], adp: ["change_work_email", "", "notifications"], xero: ["create_invoice", "app", ""], wix: ["update_contact draft_post publish_post", "app", ""],
    quickbooks: ["", "app", "cdc"], greenhouse: ["add_note", "customer partner", ""], benevity: ["create_donation", "push", ""], kintell: ["", "sessions", ""],
  });
});

test("an action whose refusal of a duplicate names the record that is there", () => {
  expect(of("hubspot").actions!["create_contact"]).toEqual({
    input: { properties: { type: "object" } }, with: {}, before: {}, after: {}, irreversible: false, reads_current: false,
    effect: { does: "creates", stream: "contacts" },
    request: { method: "POST", path: "/crm/v3/objects/contacts", body: { encoding: "json", value: { properties: "=input.properties" } }, errors: {} },
    returns: { key: ["body.id"], version: "body.updatedAt" },
    once: { is: "guarded", unique: "status = 409", existing: "$match($string(body.message), /ID: ([0-9]+)/)[0].groups[0]" },
  });
});

test("a batch with a result for each input, and a key that the provider remembers for a day", () => {
  expect(of("xero").actions!["create_invoice"]).toMatchObject({
    batch: 50, results: "body.Invoices", refused: 'StatusAttributeString = "ERROR"', say: "=$join(ValidationErrors.Message, '; ')", irreversible: true,
    returns: { key: ["InvoiceID"], version: "UpdatedDateUTC" }, once: { is: "guarded", key: "delivery.key", valid_for_seconds: 86_400 },
  });
});

test("once: repeatable, and once: false", () => {
  expect(of("adp").actions!["change_work_email"]!.once).toEqual({ is: "repeatable" });
  expect(of("greenhouse").actions!["add_note"]!.once).toEqual({ is: "never" });
});

test("an action that names the record as it is reads it first; a request follows until the provider is done", () => {
  expect(of("wix").actions!["update_contact"]!.reads_current).toBe(true);
  expect(of("benevity").actions!["create_donation"]!.after).toEqual({
    status: { request: { method: "GET", path: "/donations/{{key}}", errors: {} }, until: 'body.data.attributes.state.processingStatus != "ACCEPTED"', every_seconds: 60, within_seconds: 86_400 },
  });
});

test("a webhook of the app: one address for all customers, items by account, identified by several parts", () => {
  expect(of("hubspot").webhooks!["app"]).toEqual({
    scope: "app", with: {}, each: "body", id: ["subscriptionId", "eventId"], at: "occurredAt ? $fromMillis(occurredAt)", account: "$string(portalId)", replies: [], subscribe: {},
    verify: { named: { default: {
      type: "hmac", secret: "{{config.client_secret}}", signed: "{{request.method}}{{request.url}}{{request.body}}{{timestamp}}",
      signature: { header: "x-hubspot-signature-v3", algorithm: "sha256", encoding: "base64" }, timestamp: { header: "x-hubspot-request-timestamp", unit: "ms", tolerance: "5m" },
    } } },
    events: {
      company: { when: "subscriptionType ~> /^company\\.(creation|propertyChange)$/", stream: "companies", key: ["$string(objectId)"] },
      company_gone: { when: 'subscriptionType = "company.deletion"', stream: "companies", key: ["$string(objectId)"], deleted: true },
    },
  });
});

test("two webhooks over one fragment: each with its own secret, one of them the app's", () => {
  const { customer, partner } = of("greenhouse").webhooks!;
  expect(Object.keys(customer!.events)).toEqual(["candidate", "application", "deleted"]);
  expect(partner!.events).toEqual(customer!.events);
  expect([customer!.with, partner!.with]).toEqual([{ secret: "webhook_key" }, { secret: "partner_key" }]);
  expect([customer!.scope, partner!.scope, partner!.account]).toEqual([undefined, "app", "body.payload.organization_id"]);
  expect(customer!.verify.named["default"]).toMatchObject({ type: "hmac", secret: "=$lookup(config, with.secret)" });
});

test("one of several verifiers, picked by an expression", () => {
  expect(of("benevity").webhooks!["push"]!.verify).toMatchObject({ by: "config.signing", named: { none: { type: "secret_url" }, hmac: { type: "hmac" } } });
});

test("a queue is asked, and acknowledged once its items are kept", () => {
  expect(of("adp").queues!["notifications"]).toEqual({
    with: {}, request: { method: "GET", path: "/core/v1/event-notification-messages", empty: "status = 204", errors: {} }, at_once: 1, every_seconds: 60,
    after: { ack: { request: { method: "DELETE", path: "/core/v1/event-notification-messages/{{response.headers.adp-msg-msgid}}", errors: {} } } },
    each: "body.events", id: ['$headers."adp-msg-msgid"', "eventID"],
    events: { worker: { when: "eventNameCode.codeValue ~> /^worker\\./", stream: "workers", key: ["data.output.worker.associateOID"] } },
  });
  expect(of("quickbooks").queues!["cdc"]!.cursor).toMatchObject({ type: "datetime", format: "iso", valid_for: "30d" });
});

test("every value of a feed and an action says where it is written", () => {
  const line = (pointer: string): string | undefined => {
    const origin = originOfPointer(plan, pointer);
    return origin && page.files.get(origin.file)!.split("\n")[origin.line - 1]!.trim();
  };
  expect(line("/connectors/hubspot/actions/create_contact/effect")).toBe("creates: contacts");
  expect(line("/connectors/xero/actions/create_invoice/once/valid_for_seconds")).toMatch(/^once: \{ key: delivery.key, valid_for: 24h \}/);
  expect(line("/connectors/benevity/actions/create_donation/after/status/request/path")).toMatch(/^after: \{ status: /);
  expect(line("/connectors/hubspot/webhooks/app/verify/named/default/signature/header")).toMatch(/^signature: \{ header: x-hubspot-signature-v3/);
  expect(line("/connectors/greenhouse/webhooks/partner/events/deleted/when")).toMatch(/^deleted: +\{ when: body.action/);
});
