/** The dry write: from a change of a row to the exact request, with nothing sent. */
import { expect, test } from "vitest";
import { resolvePlan } from "../../../engine/plan/index.ts";
import { previewChange } from "../../../engine/run/preview-change.ts";
import type { ChangeSeen } from "../../../engine/run/change-flow.ts";
import { workspaceOf } from "../../support/workspace-of.ts";

const { plan, problems } = resolvePlan(workspaceOf({ workspace: {
  "connectors/crm/connector.yaml": `connector: crm
title: CRM
config: { token: { title: Token, secret: true } }
http: { base_url: https://api.crm.example, auth: { type: bearer, token: "{{config.token}}" } }
streams:
  contacts: { key: id, get: /contacts, one: { get: "/contacts/{{key}}" } }
actions:
  create_contact: { creates: contacts, input: { email: { type: string }, name: { type: string } }, post: /contacts, json: =input, returns: { key: body.id }, once: { unique: status = 409 } }
  change_contact: { updates: contacts, input: { name: { type: string } }, patch: "/contacts/{{key}}", json: { name: "=input.name", revision: "=current.revision" }, once: repeatable }
  mail: { input: { to: { type: string }, html: { type: string } }, post: /mails, json: =input, once: false }
`,
  "schemas/entities/person.schema.json": JSON.stringify({ $id: "person", title: "Person", type: "object", properties: { email: { type: "string" }, name: { type: "string" }, stage: { type: "string" } } }),
  "mappings/crm/out.yaml": "mapping: crm/out\nfrom: person\nto: crm.contacts\nfields: { email: email, name: $uppercase(name) }\n",
  "mappings/crm/mail.yaml": "mapping: crm/mail\nfrom: person\nto: crm.mail\nfields:\n  to: email\n  html: { template: mail.html.hbs }\n",
  "mappings/crm/mail.html.hbs": "<b>{{name}}</b> <a href='{{link}}'>{{tenant.title}}</a>",
  "tenants/acme.yaml": `tenant: acme
title: Acme
connections: { crm: { connector: crm } }
flows:
  out: { from: { change: person }, map: crm/out, to: { save: crm.contacts } }
  mail: { from: { change: person, becomes: stage = "won" }, hold_for: recruiter, map: crm/mail, mint: { link: { token: interview } }, to: { action: crm.mail } }
  tell: { from: { change: person }, to: { webhook: partner } }
`,
} }), "acme");
const preview = (flow: string, change: Partial<ChangeSeen>) => previewChange(plan, plan.change_flows![flow]!, { id: "r-1", links: {}, ...change }, Date.parse("2026-03-01T09:00:00Z"));

test("the plan of this test is right", () => {
  expect(problems).toEqual([]);
});

test("a row without a link is created", async () => {
  expect(await preview("out", { after: { email: "a@b.c", name: "Ann" } })).toEqual({
    fires: true, input: { email: "a@b.c", name: "ANN" },
    action: { name: "create_contact", notes: [], request: { method: "POST", url: "https://api.crm.example/contacts", headers: { accept: "application/json", authorization: "Bearer ***", "content-type": "application/json" }, body: { email: "a@b.c", name: "ANN" } } },
  });
});

test("a row with a link is updated, with what that action takes and no more", async () => {
  const { input, action } = await preview("out", { before: { name: "Ann" }, after: { email: "a@b.c", name: "Anna" }, links: { crm: "7" } });
  expect(input).toEqual({ name: "ANNA" });
  expect(action).toMatchObject({ name: "change_contact", request: { method: "PATCH", url: "https://api.crm.example/contacts/7", body: { name: "ANNA" } }, notes: [expect.stringMatching(/current/) as string] });
});

test("a row that ended, where no action deletes", async () => {
  expect(await preview("out", { before: { name: "Ann" }, links: { crm: "7" } })).toMatchObject({ problem: { code: "DELIVERY_NOT_SAVED" } });
});

test("a template sees the row, the tenant and stand-ins for what is made; escaped for HTML", async () => {
  const { fires, held_for, input } = await preview("mail", { after: { email: "a@b.c", name: "A & B", stage: "won" } });
  expect({ fires, held_for, input }).toEqual({ fires: true, held_for: "recruiter", input: { to: "a@b.c", html: "<b>A &amp; B</b> <a href='stand-in-for-link'>Acme</a>" } });
});

test("what does not fire is shown all the same, and says that it does not", async () => {
  expect(await preview("mail", { before: { stage: "won", name: "A" }, after: { stage: "won", name: "B", email: "a@b.c" } })).toMatchObject({ fires: false, action: { name: "mail" } });
});

test("a mapping that fails is told", async () => {
  expect(await preview("out", { after: { name: 7 } })).toMatchObject({ problem: { code: "MAPPING_EVALUATION" } });
});

test("an outgoing webhook's input is the row", async () => {
  expect(await preview("tell", { after: { name: "Ann" } })).toEqual({ fires: true, input: { name: "Ann" } });
});
