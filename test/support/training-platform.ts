/** A small training platform: two learning systems, one CRM, three presets. The texts a plan is made of, in two trees. */
import type { Workspace } from "../../engine/manifest/types.ts";
import { workspaceOf } from "./workspace-of.ts";

export const catalogue: Readonly<Record<string, string>> = {
  "connectors/aptem/connector.yaml": `connector: aptem
title: Aptem
config:
  tenant_host: { title: Address }
  api_token: { title: API token, secret: true }
  start: { title: Read from, type: date, default: 2020-01-01 }
http:
  base_url: https://{{config.tenant_host}}.aptem.example/odata
  hosts: ["*.aptem.example"]
  auth: { type: api_key, header: X-API-Token, value: "{{config.api_token}}" }
  limits: { all: { per: account, max: 100, every: 1m } }
  errors:
    try_again: { when: status = 400, do: retry }
    no_licence: { when: status = 403, do: skip_stream, say: Not licensed. }
fragments:
  entity_set:
    with: [set]
    key: Id
    get: /{{with.set}}
    query: { $select: "=$join(select, ',')", $skip: "=page.offset" }
    records: value
    pagination: { type: odata, size: 1000 }
    cursor: { field: UpdatedDate, lag: 1m }
streams:
  users: { use: entity_set, with: { set: Users } }
  organizations: { use: entity_set, with: { set: Organizations } }
`,
  "connectors/hubspot/connector.yaml": `connector: hubspot
title: HubSpot
config:
  access_token: { title: Token, secret: true }
http:
  base_url: https://api.hubapi.example
  auth: { type: bearer, token: "{{config.access_token}}" }
streams:
  companies:
    key: id
    post: /crm/v3/objects/companies/search
    json: { properties: "=select", limit: "=page.size" }
    records: results
    select: properties
    pagination: { type: keyset, after: id, start: "0", size: 200 }
    cursor: { field: updatedAt, format: epoch_ms }
`,
  "connectors/bud/connector.yaml": `connector: bud
title: Bud
config:
  token: { title: Token, secret: true }
http:
  base_url: https://api.bud.example
  auth: { type: bearer, token: "{{config.token}}" }
streams:
  learners: { key: id, get: /learners, records: items, pagination: { type: page, size: 50 } }
`,
  "mappings/aptem/learner.yaml": `mapping: aptem/learner
from: aptem.users
to: learner
where: Status = "FullUser"
fields:
  full_name: FullName
  programme: Programme
`,
  "mappings/bud/learner.yaml": `mapping: bud/learner
from: bud.learners
to: learner
fields:
  full_name: name
`,
  "mappings/hubspot/employer.yaml": `mapping: hubspot/employer
from: hubspot.companies
to: employer
where: $boolean(properties.name)
fields:
  name: properties.name
  country: '"GB"'
tests:
  - { name: a company, given: { properties: { name: Acme } }, expect: { name: Acme, country: GB } }
`,
  "presets/aptem-hubspot/preset.yaml": `preset: aptem-hubspot
title: Aptem + HubSpot
recommended: true
connections:
  aptem: { connector: aptem, labels: { LMS_Provider: Aptem } }
  hubspot: { connector: hubspot, labels: { CRM_Provider: HubSpot } }
entities:
  employer: { match: [name], prefer: [hubspot, aptem] }
flows:
  learners: { from: { stream: aptem.users, every: 1h, sweep: 7d }, map: aptem/learner, to: learner }
  employers: { from: { stream: hubspot.companies, every: 1d, sweep: 7d }, map: hubspot/employer, to: employer }
labels: { Programme: Apprenticeships }
reports: { learner-progress: [tenant_admin], employer-overview: [tenant_admin] }
`,
  "presets/aptem/preset.yaml": `preset: aptem
title: Aptem
connections:
  aptem: { connector: aptem, labels: { LMS_Provider: Aptem } }
flows:
  learners: { from: { stream: aptem.users, every: 1h }, map: aptem/learner, to: learner }
`,
  "presets/bud/preset.yaml": `preset: bud
title: Bud
connections:
  bud: { connector: bud, labels: { LMS_Provider: Bud } }
flows:
  learners: { from: { stream: bud.learners, every: 1h }, map: bud/learner, to: learner }
`,
  "schemas/entities/learner.schema.json": `{ "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "learner", "title": "Learner", "type": "object", "required": ["full_name"],
  "properties": { "full_name": { "type": "string" }, "programme": { "type": ["string", "null"] }, "custom": { "type": "object" } } }`,
  "schemas/entities/employer.schema.json": `{ "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "employer", "title": "Employer", "type": "object", "required": ["name"],
  "properties": { "name": { "type": "string" }, "country": { "type": "string" }, "custom": { "type": "object" } } }`,
};

/** The catalogue above with the deployment's files over it; `null` takes a file of the catalogue away. */
export function trainingPlatform(workspace: Readonly<Record<string, string>>, changes: Readonly<Record<string, string | null>> = {}): Workspace {
  const files = Object.entries({ ...catalogue, ...changes }).filter((entry): entry is [string, string] => entry[1] !== null);
  return workspaceOf({ catalogue: Object.fromEntries(files), workspace });
}
