/** What actions, webhooks, queues and the flows that deliver cannot do without, told with its place. */
import { expect, test } from "vitest";
import { validateWorkspace } from "../../../engine/manifest/index.ts";
import { workspaceOf } from "../../support/workspace-of.ts";

const HEAD = `connector: crm
title: CRM
http: { base_url: https://api.crm.example }
config: { key: { title: Key, secret: true } }
fragments:
  hook: { verify: { type: secret_url }, events: { gone: { when: gone, stream: notes, key: id, deleted: true } } }
streams:
  contacts: { key: id, get: /contacts, one: { get: "/contacts/{{key}}" } }
  notes: { key: id, get: /notes }
`;
const errors = (connector: string, others: Record<string, string> = {}) => validateWorkspace(workspaceOf({ workspace: { "connectors/crm/connector.yaml": HEAD + connector, ...others } }))
  .filter(({ severity }) => severity === "error").map(({ code, params, at }) => `${at?.line}:${at?.col} ${code} ${String(params["field"] ?? params["where"] ?? params["name"] ?? "")}`);

test("what is complete is right", () => {
  expect(errors(`actions:
  add: { creates: contacts, input: { name: { type: string } }, post: /contacts, json: =input, once: false }
  change: { updates: contacts, patch: "/contacts/{{key}}", json: { revision: "=current.revision" }, once: repeatable }
webhooks:
  app: { use: hook }
  all: { use: hook, scope: app, account: portal, events: { contact: { stream: contacts, key: id }, note: { stream: notes, record: body.note } } }
queues:
  bus: { get: /events, every: 30s, each: body.events, id: id, events: { contact: { stream: contacts, key: id } }, after: { ack: { delete: "/events/{{response.headers.id}}" } } }
`)).toEqual([]);
});

test.each([
  ["an action that does not say how a second try is harmless", "actions:\n  add: { post: /contacts, json: =input }\n", "11:3 MANIFEST_MISSING_FIELD once"],
  ["an idempotency key that nobody sends", "actions:\n  add: { post: /contacts, json: =input, once: { key: delivery.key } }\n", "11:41 MANIFEST_TRAP "],
  ["a once that says nothing", "actions:\n  add: { post: /contacts, once: { settle: 1m } }\n", "11:27 MANIFEST_ONE_OF actions.add.once"],
  ["a lookup that does not say what it found", "actions:\n  add: { post: /contacts, once: { find: { get: /contacts } } }\n", "11:35 MANIFEST_MISSING_FIELD key"],
  ["an action without a request", "actions:\n  add: { once: repeatable }\n", "11:3 MANIFEST_ONE_OF actions.add"],
  ["an effect on a stream that is not there", "actions:\n  add: { creates: contact, post: /contacts, once: repeatable }\n", "11:19 MANIFEST_UNKNOWN_REFERENCE contact"],
  ["the record as it is, of a stream that cannot be read by key", "actions:\n  add: { updates: notes, put: /notes, json: { v: \"=current.v\" }, once: repeatable }\n", "11:3 MANIFEST_MISSING_FIELD one"],
  ["the record as it is, of no stream", "actions:\n  add: { put: /notes, json: { v: \"{{current.v}}\" }, once: repeatable }\n", "11:3 MANIFEST_ONE_OF actions.add"],
  ["a match without results", "actions:\n  add: { post: /notes, match: { result: id }, once: repeatable }\n", "11:24 MANIFEST_MISSING_FIELD results"],
  ["a batch without results", "actions:\n  add: { post: /notes, batch: 10, once: repeatable }\n", "11:24 MANIFEST_MISSING_FIELD results"],
  ["a webhook that believes everybody", "webhooks:\n  app: { events: { contact: { stream: contacts, key: id } } }\n", "11:3 MANIFEST_MISSING_FIELD verify"],
  ["one address for all customers, and no account", "webhooks:\n  app: { use: hook, scope: app }\n", "11:3 MANIFEST_MISSING_FIELD account"],
  ["an event of a stream that is not there", "webhooks:\n  app: { use: hook, events: { c: { stream: contcts, key: id } } }\n", "11:44 MANIFEST_UNKNOWN_REFERENCE contcts"],
  ["an event with a key alone, of a stream that cannot be read by key", "webhooks:\n  app: { use: hook, events: { n: { stream: notes, key: id } } }\n", "11:31 MANIFEST_MISSING_FIELD one"],
  ["an event with neither key nor record", "webhooks:\n  app: { use: hook, events: { n: { stream: notes } } }\n", "11:31 MANIFEST_ONE_OF webhooks.app.events.n"],
  ["a feed without events", "webhooks:\n  app: { verify: { type: secret_url } }\n", "11:3 MANIFEST_MISSING_FIELD events"],
  ["a queue that nobody asks", "queues:\n  bus: { use: hook }\n", "11:3 MANIFEST_ONE_OF queues.bus"],
  ["an authenticator that is not there, in a request around another", "actions:\n  add: { post: /notes, once: repeatable, after: { done: { get: /done, auth: other } } }\n", "11:77 MANIFEST_UNKNOWN_REFERENCE other"],
])("%s", (_, connector, expected) => {
  expect(errors(connector)).toEqual([expected]);
});

const ACTIONS = `actions:
  add: { creates: contacts, input: { name: { type: string } }, post: /contacts, json: =input, once: false }
`;
const flow = (text: string, more: Record<string, string> = {}) => errors(ACTIONS, {
  "schemas/entities/person.schema.json": JSON.stringify({ $id: "person", title: "Person", type: "object", properties: { name: { type: "string" }, stage: { enum: ["new", "won"] } } }),
  "mappings/crm/person.yaml": "mapping: crm/person\nfrom: crm.contacts\nto: person\nfields: { name: name }\n",
  "mappings/crm/out.yaml": "mapping: crm/out\nfrom: person\nto: crm.contacts\nfields: { name: name }\n",
  "presets/p/preset.yaml": `preset: p\ntitle: P\nconnections: { crm: { connector: crm } }\nflows:\n  out: ${text}\n`, ...more,
});

test.each([
  ["an edge over a field that the entity does not have", "{ from: { change: person, becomes: stge = \"won\" }, to: { webhook: x } }", ["5:43 LINT_NEVER_TRUE "]],
  ["a right flow", "{ from: { change: person, becomes: stage = \"won\" }, map: crm/out, to: { save: crm.contacts }, hold_for: recruiter }", []],
  ["an unknown entity", "{ from: { change: persn }, to: { webhook: x } }", ["5:26 MANIFEST_UNKNOWN_REFERENCE persn"]],
  ["an unknown action", "{ from: { change: person }, map: crm/out, to: { action: crm.ad } }", ["5:64 MANIFEST_UNKNOWN_REFERENCE crm.ad"]],
  ["an unknown connection", "{ from: { change: person }, map: crm/out, to: { action: crn.add } }", ["5:64 MANIFEST_UNKNOWN_REFERENCE crn"]],
  ["an unknown stream to save", "{ from: { change: person }, map: crm/out, to: { save: crm.contacs } }", ["5:62 MANIFEST_UNKNOWN_REFERENCE crm.contacs"]],
  ["an unknown role", "{ from: { change: person }, to: { webhook: x }, hold_for: recruter }", ["5:66 MANIFEST_WRONG_VALUE hold_for"]],
  ["an edge of nothing", "{ from: { stream: crm.contacts, becomes: a = 1 }, map: crm/person, to: person }", ["5:16 MANIFEST_MISSING_FIELD change"]],
  ["a field that the action does not take", "{ from: { change: person }, map: { use: crm/out, fields: { nme: name } }, to: { save: crm.contacts } }", ["5:67 MANIFEST_UNKNOWN_FIELD nme"]],
  ["a change that would fill an entity", "{ from: { change: person }, to: person }", ["5:40 MANIFEST_WRONG_VALUE to"]],
  ["records that go out as they come", "{ from: crm.contacts, to: { action: crm.add } }", ["5:36 MANIFEST_NOT_RUNNING_YET "]],
])("a flow: %s", (_, text, expected) => {
  expect(flow(text)).toEqual(expected);
});

test("a value that the entity cannot have, a template that is not there, one that does not parse, and minted values by their names", () => {
  const mapping = { "mappings/crm/out.yaml": "mapping: crm/out\nfrom: person\nto: crm.add\nfields:\n  name: { template: hello.txt.hbs }\n", "mappings/crm/hello.txt.hbs": "Hello {{name}}: {{link}}\n" };
  const right = "{ from: { change: person, becomes: links.crm and stage = \"won\" }, map: crm/out, mint: { link: { token: interview, about: =record.id } }, to: { action: crm.add } }";
  expect(flow(right, mapping)).toEqual([]);
  expect(flow(right, { ...mapping, "mappings/crm/out.yaml": "mapping: crm/out\nfrom: person\nto: crm.add\nfields: { name: $link & $lnk }\n" })).toEqual(["4:25 MANIFEST_UNKNOWN_VARIABLE name"]);
  expect(flow(right, { ...mapping, "mappings/crm/hello.txt.hbs": "Hello {{#if name}}\n" })).toEqual([expect.stringMatching(/^5:21 MANIFEST_TEMPLATE/) as string]);
  expect(flow(right, { ...mapping, "mappings/crm/out.yaml": mapping["mappings/crm/out.yaml"].replace("hello", "helo") })).toEqual(["5:21 MANIFEST_UNKNOWN_REFERENCE helo.txt.hbs"]);
});
