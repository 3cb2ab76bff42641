/** The configuration that the rig runs: one connector, one flow, read and planned as any other. */
export const TENANT = "rig";
export const CONNECTION = "ledger";
export const FLOW = "items";
export const PAGE_SIZE = 200;
export const TOKEN = "rig-token";

/** `page`: records per page. */
export function fixtureFiles(page: number): ReadonlyMap<string, string> {
  return new Map(Object.entries({
    "workspace.yaml": "name: Fault rig\nreview: self\n",
    "connectors/ledger/connector.yaml": `connector: ledger
title: Ledger
category: accounting
config:
  url:   { title: Address }
  token: { title: Token, secret: true }
http:
  base_url: "{{config.url}}"
  hosts: ["127.0.0.1"]
  auth: { type: bearer, token: "{{config.token}}" }
streams:
  items:
    key: id
    get: /items
    query: { size: "=page.size", token: "{{page.token}}", since: "{{cursor.from}}", before: "{{cursor.to}}" }
    records: items
    pagination: { type: token, next: body.next, size: ${page} }
    cursor: { field: updated_at }
`,
    "mappings/ledger/item.yaml": `mapping: ledger/item
from: ledger.items
to: item
where: kind = "booked"
fields:
  title: title
  amount: amount
`,
    "schemas/entities/item.schema.json": JSON.stringify({
      $schema: "https://json-schema.org/draft/2020-12/schema", $id: "item", title: "Item", type: "object", additionalProperties: false, required: ["title", "amount"],
      properties: { title: { type: "string" }, amount: { type: "number" }, custom: { type: "object" } },
    }),
    "presets/ledger/preset.yaml": `preset: ledger
title: Ledger
connections: { ledger: { connector: ledger } }
flows:
  items: { from: { stream: ledger.items, every: 1h }, map: ledger/item, to: item }
`,
    "tenants/rig.yaml": "tenant: rig\ntitle: Rig\nsubdomain: rig\npreset: ledger\n",
  }));
}
