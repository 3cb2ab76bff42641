/** A workspace with one planted mistake after another: what a person makes who writes mappings by hand. */
export const PLANTED: Readonly<Record<string, string>> = {
  "workspace.yaml": `name: Planted mistakes
`,
  "connectors/acme/connector.yaml": `connector: acme
title: Acme
config: { token: { title: Token, secret: true } }
http:
  base_url: https://api.acme.example
  auth: { type: bearer, token: "{{config.token}}" }
  errors: { no_scope: { when: status = "403", do: skip_stream } }
check: { get: /me, account: id }
fragments:
  object:
    with: [path]
    get: /{{with.path}}
    query: { limit: 100 }
    records: items
    key: [id, $uuid()]
    pagination: { type: page, until: body.done and false }
    cursor: { field: updatedAt }
streams:
  deals: { use: object, with: { path: deals }, schema: schemas/deals.schema.json }
  notes: { use: object, with: { path: notes } }
  tasks: { key: id, get: /tasks, records: "($all := items; items)", schema: { type: object, additionalProperties: true, properties: { id: { type: integer }, DueDate: { type: string, format: date } } } }
`,
  "connectors/acme/schemas/deals.schema.json": `{
  "type": "object", "additionalProperties": false, "required": ["id", "name", "updated_at"],
  "properties": {
    "id": { "type": "string" }, "name": { "type": "string" }, "nick": { "type": "string" }, "updated_at": { "type": "string", "format": "date-time" },
    "stage": { "enum": ["open", "won", "lost"] }, "amount": { "type": ["number", "null"] }, "closed": { "type": ["string", "null"], "format": "date" },
    "tags": { "type": "array", "items": { "type": "string" } }, "owner": { "type": "object", "additionalProperties": false, "required": ["email"], "properties": { "email": { "type": "string" } } },
    "lines": { "type": "array", "items": { "type": "object", "properties": { "sku": { "type": "string" } } } },
    "products": { "type": "array", "items": { "type": "object", "properties": { "sku": { "type": "string" }, "price": { "type": "number" } } } }
  }
}
`,
  "schemas/entities/deal.schema.json": `{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "deal", "title": "Deal", "type": "object", "additionalProperties": false, "required": ["title", "reference"],
  "properties": {
    "title": { "type": "string" }, "reference": { "type": "string" }, "contact": { "type": "string" }, "state": { "enum": ["open", "won"] }, "value": { "type": "integer" },
    "closed_at": { "type": ["string", "null"], "format": "date-time" }, "label": { "type": "string" }, "prices": { "type": "array", "items": { "type": "number" } }, "parent": { "type": "string" },
    "custom": { "type": "object", "properties": { "region": { "enum": ["north", "south"] } } }
  }
}
`,
  "mappings/acme/deal.yaml": `mapping: acme/deal
from: acme.deals
to: deal
where: stage = "opne"
fields:
  title: nick
  contact: owner.emial
  state: stage
  value: |
    (
      $unused := 1;
      amount ? amount * 1.5
    )
  closed_at: closed
  label: tags
  prices: lines.($sku := sku; $$.products[sku = $sku].price)
  custom.region: '"nort"'
  parent: { ref: deal, key: "=  $uuid()" }
`,
  "mappings/acme/note.yaml": `mapping: acme/note
from: acme.notes
to: deal
fields:
  title: "subject & '!'"
  reference: id
  value: size
  label: sbuject
tests:
  - { name: a note, given: { id: n1, subject: Hello, size: 12, author: { name: Ann } }, expect: { title: "Hello!", reference: n1, value: 12 } }
  - { name: it is refused, given: { id: n1, subject: Hello, size: twelve }, error: { code: MAPPING_INVALID } }
`,
  "mappings/acme/task.yaml": `mapping: acme/task
from: acme.tasks
to: deal
fields:
  title: subject
  reference: $string(id)
  closed_at: dueDate
  custom.region: Region
`,
  "presets/sales/preset.yaml": `preset: sales
title: Sales
connections: { acme: { connector: acme } }
entities: { deal: { match: [label] } }
flows:
  deals: { from: { stream: acme.deals, every: 1h }, map: { use: acme/deal, where: name, fields: { reference: id, label: $string($random()) } }, to: deal }
  tasks: { from: { stream: acme.tasks, every: 1h }, map: { use: acme/task, fields: { contact: DueDate + 1 } }, to: deal }
`,
  "tenants/north.yaml": `tenant: north
title: North
preset: sales
flows:
  deals:
    map:
      where: stage = "wno"
      fields: { custom.region: stage, custom.owner: ownr.email, title: null }
  tasks: { map: { fields: { custom.colour: Colour, custom.due: duedate } } }
`,
};
