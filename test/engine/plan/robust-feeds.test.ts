/** Whatever an action, a feed or a change flow says, planning it ends in problems with a place and in a plan that is JSON, never in a throw. */
import { expect, test } from "vitest";
import { parse } from "yaml";
import { read, validateWorkspace, type Json } from "../../../engine/manifest/index.ts";
import { resolvePlan } from "../../../engine/plan/index.ts";
import { someBroken } from "../../schemas/broken.ts";

const FILES = new Map([
  ["connectors/crm/connector.yaml", `connector: crm
title: CRM
http: { base_url: https://api.crm.example }
fragments: { hook: { with: [path], verify: { type: secret_url }, id: [a, b], reply: { ping: { when: body.ping, handshake: true, json: { ok: true } } } } }
streams: { contacts: { key: id, get: /contacts, one: { get: "/contacts/{{key}}" } } }
actions:
  add: { creates: contacts, input: { name: { type: string } }, post: /contacts, batch: 5, json: "=inputs", results: body.items, refused: bad, say: "{{reason}}", returns: { key: [id], version: at }, before: { a: { get: /a, until: body.ok, every: 1s } }, once: { key: delivery.key, valid_for: 1h, find: { get: /find, key: id }, settle: 1m }, headers: { K: "{{delivery.key}}" } }
  change: { updates: contacts, patch: "/contacts/{{key}}", json: { v: "=current.v" }, once: repeatable }
webhooks: { app: { use: hook, with: { path: x }, scope: app, account: portal, max_body: 2MB, events: { one: { when: x, stream: contacts, key: id }, gone: { stream: contacts, key: id, deleted: true } } } }
queues: { bus: { get: /events, every: 30s, at_once: 1, each: body.events, cursor: { format: iso }, after: { ack: { delete: "/events/{{response.headers.id}}" } }, events: { one: { stream: contacts, record: r } } } }
`],
  ["schemas/entities/person.schema.json", JSON.stringify({ $id: "person", title: "Person", type: "object", properties: { name: { type: "string" } } })],
  ["mappings/crm/out.yaml", "mapping: crm/out\nfrom: person\nto: crm.contacts\nwhere: name\nfields: { name: { template: hello.hbs } }\n"],
  ["mappings/crm/hello.hbs", "Hello {{name}}"],
  ["tenants/acme.yaml", "tenant: acme\nconnections: { crm: { connector: crm } }\nflows:\n  out: { title: Out, from: { change: person, becomes: name, when: after.name }, map: crm/out, mint: { link: { token: t, about: =record.id, valid: 7d } }, hold_for: recruiter, to: { save: crm.contacts } }\n  act: { from: { change: person }, map: { fields: { name: name } }, to: { action: crm.add } }\n  tell: { from: { change: person }, to: { webhook: partner } }\n"],
]);

test.for([...FILES.keys()].filter((path) => path.endsWith(".yaml")))("%s, broken in every way", (path) => {
  for (const value of someBroken(parse(FILES.get(path)!) as Json, 50)) {
    const workspace = read([{ layer: "workspace", label: "", files: new Map([...FILES, [path, JSON.stringify(value, undefined, 1)]]) }]);
    if (!workspace.tenants.has("acme")) continue;        // what is no map is told when it is read
    const { plan, problems } = resolvePlan(workspace, "acme");
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    for (const { at, code } of [...problems, ...validateWorkspace(workspace)]) expect(at?.line, `${code} of ${JSON.stringify(value)}`).toBeGreaterThan(0);
  }
});

test("unbroken, it is right", () => {
  const workspace = read([{ layer: "workspace", label: "", files: FILES }]);
  expect([...validateWorkspace(workspace), ...resolvePlan(workspace, "acme").problems].filter(({ severity }) => severity === "error").map(({ code, params, at }) => [code, params, at?.line])).toEqual([]);
});
