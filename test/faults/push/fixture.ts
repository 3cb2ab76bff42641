/**
 * What the push rig runs, read and planned as any other configuration: a provider that pushes signed requests (whole records with
 * ids, thin ones without), and three ways out: an action with an idempotency key, a save that is looked up, an outgoing webhook.
 */
export const TENANT = "rig";
export const SECRET = "rig-webhook-key";
export const TOKEN = "rig-token";
export const ENDPOINT = "host";
/** Keys of the records that are there before anything is pushed: a first load brings them, and nothing of them may leave. */
export const OLD = "old-";

const entity = (id: string, number: string): string => JSON.stringify({
  $schema: "https://json-schema.org/draft/2020-12/schema", $id: id, title: id, type: "object", additionalProperties: false, required: ["ref", number],
  properties: { ref: { type: "string" }, [number]: { type: "integer" }, custom: { type: "object" } },
});

export function fixtureFiles(): ReadonlyMap<string, string> {
  return new Map(Object.entries({
    "workspace.yaml": "name: Push rig\nreview: self\n",
    "connectors/crm/connector.yaml": `connector: crm
title: CRM
category: crm
config:
  url: { title: Address }
  key: { title: Webhook key, secret: true }
http: { base_url: "{{config.url}}", hosts: ["127.0.0.1"], timeouts: { total: 2s } }
streams:
  orders:  { key: id }
  people:  { key: id, version: v }
  members: { key: id, version: v, one: { get: "/members/{{key}}" } }
  archive: { key: id, get: /archive, query: { size: "=page.size", token: "{{page.token}}" }, records: items, pagination: { type: token, next: body.next, size: 25 } }
webhooks:
  people:
    verify: { type: hmac, secret: "{{config.key}}", signature: { header: x-signature, encoding: hex } }
    each: body.events
    id: id
    events: { person: { stream: people, record: person } }
  orders:
    verify: { type: hmac, secret: "{{config.key}}", signature: { header: x-signature, encoding: hex } }
    id: body.id
    events: { order: { stream: orders, record: body.order } }
  hints:
    verify: { type: hmac, secret: "{{config.key}}", signature: { header: x-signature, encoding: hex } }
    events: { touched: { stream: members, key: body.member } }
`,
    "connectors/shop/connector.yaml": `connector: shop
title: Shop
category: crm
config:
  url:   { title: Address }
  token: { title: Token, secret: true }
http:
  base_url: "{{config.url}}"
  hosts: ["127.0.0.1"]
  auth: { type: bearer, token: "{{config.token}}" }
  timeouts: { total: 2s }
streams:
  members: { key: id }
actions:
  note:
    input: { ref: { type: string }, n: { type: integer } }
    post: /notes
    headers: { Idempotency-Key: "{{delivery.key}}" }
    json: "=input"
    once: { key: delivery.key }
  create_member:
    creates: members
    input: { ref: { type: string }, v: { type: integer } }
    post: /members
    json: "=input"
    returns: { key: body.id }
    once: { find: { get: /members, query: { ref: "{{input.ref}}" }, records: items, key: id } }
  update_member:
    updates: members
    input: { ref: { type: string }, v: { type: integer } }
    patch: "/members/{{key}}"
    json: "=input"
    once: repeatable
`,
    "mappings/crm/order.yaml": "mapping: crm/order\nfrom: crm.orders\nto: order\nfields: { ref: id, n: n }\n",
    "mappings/crm/person.yaml": "mapping: crm/person\nfrom: crm.people\nto: person\nfields: { ref: id, v: v }\n",
    "mappings/crm/archived.yaml": "mapping: crm/archived\nfrom: crm.archive\nto: person\nfields: { ref: id, v: v }\n",
    "mappings/crm/member.yaml": "mapping: crm/member\nfrom: crm.members\nto: member\nfields: { ref: id, v: v }\n",
    "mappings/order/note.yaml": "mapping: order/note\nfrom: order\nto: shop.note\nfields: { ref: ref, n: n }\n",
    "mappings/member/shop.yaml": "mapping: member/shop\nfrom: member\nto: shop.members\nfields: { ref: ref, v: v }\n",
    "schemas/entities/order.schema.json": entity("order", "n"),
    "schemas/entities/person.schema.json": entity("person", "v"),
    "schemas/entities/member.schema.json": entity("member", "v"),
    "presets/push/preset.yaml": `preset: push
title: Push
connections: { crm: { connector: crm }, shop: { connector: shop } }
flows:
  orders:      { from: { stream: crm.orders }, map: crm/order, to: order }
  people:      { from: { stream: crm.people }, map: crm/person, to: person }
  members:     { from: { stream: crm.members }, map: crm/member, to: member }
  archive:     { from: { stream: crm.archive, every: 1d }, map: crm/archived, to: person }
  orders_out:  { from: { change: order }, map: order/note, to: { action: shop.note } }
  members_out: { from: { change: member }, map: member/shop, to: { save: shop.members } }
  people_out:  { from: { change: person }, to: { webhook: ${ENDPOINT} } }
`,
    "tenants/rig.yaml": "tenant: rig\ntitle: Rig\nsubdomain: rig\npreset: push\n",
  }));
}
