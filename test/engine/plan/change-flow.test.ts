import { expect, test } from "vitest";
import { read } from "../../../engine/manifest/index.ts";
import { originOfPointer, resolvePlan, saveAction, savesOf } from "../../../engine/plan/index.ts";
import { languageBlocks, treeOf } from "../../schemas/language-blocks.ts";
import { workspaceOf } from "../../support/workspace-of.ts";

const CONNECTOR = `connector: crm
title: CRM
http: { base_url: https://api.crm.example }
streams:
  contacts: { key: id, get: /contacts, one: { get: "/contacts/{{key}}" } }
  notes: { key: id, get: /notes }
actions:
  create_contact: { creates: contacts, input: { email: { type: string }, name: { type: string } }, post: /contacts, json: =input, returns: { key: body.id }, once: { unique: status = 409 } }
  change_contact: { updates: contacts, input: { name: { type: string } }, patch: "/contacts/{{key}}", json: =input, once: repeatable }
  remove_contact: { deletes: contacts, delete: "/contacts/{{key}}", once: repeatable }
  invite: { input: { to: { type: string }, html: { type: string } }, post: /mails, json: =input, once: { key: delivery.key, valid_for: 24h } }
`;
const MAPPINGS = {
  "mappings/crm/out.yaml": "mapping: crm/out\nfrom: person\nto: crm.contacts\nfields: { email: email, name: name }\n",
  "mappings/crm/invite.yaml": "mapping: crm/invite\nfrom: person\nto: crm.invite\nfields:\n  to: email\n  html: { template: invite.html.hbs }\n",
  "mappings/crm/invite.html.hbs": "<p>Hello {{name}}</p>\n",
};
const ENTITY = JSON.stringify({ $id: "person", title: "Person", type: "object", properties: { email: { type: "string" }, name: { type: "string" }, stage: { type: "string" } } });

const resolve = (flows: string, changes: Record<string, string> = {}, connections = "crm: { connector: crm, labels: { CRM: Crm } }") => resolvePlan(workspaceOf({ workspace: {
  "connectors/crm/connector.yaml": CONNECTOR, "schemas/entities/person.schema.json": ENTITY, ...MAPPINGS,
  "tenants/acme.yaml": `tenant: acme\nlabels: { Region: UK }\nconnections:\n  ${connections}\nflows:\n${flows}`, ...changes,
} }), "acme");

test("a change that becomes something, held for a role, with a minted value and a template, to an action", () => {
  const { plan, problems } = resolve(`  invite:
    title: Invitations
    from: { change: person, becomes: stage = "shortlisted", when: =$boolean(email) }
    hold_for: recruiter
    map: crm/invite
    mint: { link: { token: interview, about: =record.id, valid: 7d } }
    to: { action: crm.invite }
`);
  expect(problems).toEqual([]);
  expect(plan.flows).toEqual({});
  expect(plan.change_flows).toEqual({ invite: {
    name: "invite", title: "Invitations", enabled: true, entity: "person", becomes: 'stage = "shortlisted"', when: "$boolean(email)", hold_for: "recruiter",
    map: { id: "crm/invite", fields: { to: { expression: "email" } }, templates: { html: { file: "invite.html.hbs", text: "<p>Hello {{name}}</p>\n" } } },
    mint: { link: { token: "interview", about: "=record.id", valid_seconds: 604_800 } },
    to: { action: "invite", connection: "crm", connector: "crm" }, labels: { Region: "UK", CRM: "Crm" },
  } });
  expect(Object.keys(plan.entities)).toEqual(["person"]);
  expect(originOfPointer(plan, "/change_flows/invite/becomes")).toMatchObject({ file: "tenants/acme.yaml", line: 8 });
  expect(originOfPointer(plan, "/change_flows/invite/mint/link/valid_seconds")).toMatchObject({ line: 11 });
  expect(originOfPointer(plan, "/change_flows/invite/to/action")).toMatchObject({ line: 12 });
});

test("save finds its actions by what they say they do; the link decides which", () => {
  const { plan, problems } = resolve("  out: { from: { change: person }, map: crm/out, to: { save: crm.contacts } }\n");
  expect(problems).toEqual([]);
  expect(plan.change_flows!["out"]!.to).toEqual({ save: "contacts", connection: "crm", connector: "crm" });
  const saves = savesOf(plan.connectors["crm"]!, "contacts");
  expect(saves).toEqual({ creates: "create_contact", updates: "change_contact", deletes: "remove_contact" });
  expect([saveAction(saves, { linked: false }), saveAction(saves, { linked: true }), saveAction(saves, { linked: true, ended: true }), saveAction(saves, { linked: false, ended: true })])
    .toEqual(["create_contact", "change_contact", "remove_contact", undefined]);
  expect(saveAction({ upserts: "put" }, { linked: true })).toBe("put");
});

test("an outgoing webhook of that name needs no connection and no mapping", () => {
  const { plan, problems } = resolve("  tell: { from: { change: person }, to: { webhook: partner } }\n");
  expect(problems).toEqual([]);
  expect(plan.change_flows!["tell"]).toMatchObject({ to: { webhook: "partner" }, enabled: true, mint: {} });
});

test("a connection that is switched off switches off what is delivered to it", () => {
  expect(resolve("  out: { from: { change: person }, map: crm/out, to: { save: crm.contacts } }\n", {}, "crm: { connector: crm, enabled: false }").plan.change_flows!["out"]!.enabled).toBe(false);
});

test.each([
  ["a stream that no action saves", "to: { save: crm.notes }", "PLAN_NOT_SAVED", /crm\.contacts/, 55],
  ["a stream that is not there", "to: { save: crm.contact }", "MANIFEST_UNKNOWN_REFERENCE", /crm\.contacts/, 55],
  ["an action that is not there", "to: { action: crm.invit }", "MANIFEST_UNKNOWN_REFERENCE", /crm\.invite/, 57],
  ["a connection that is not there", "to: { action: crn.invite }", "MANIFEST_UNKNOWN_REFERENCE", /crm/, 57],
  ["an entity", "to: { entity: person }", "MANIFEST_WRONG_VALUE", /reads a connection's stream/, 57],
  ["an action that its mapping is not written for", "to: { action: crm.create_contact }", "PLAN_MAPPING_MISFIT", /^$/, 39],
])("%s is refused at its place, with the right spelling", (_, to, code, suggestion, col) => {
  const { plan, problems } = resolve(`  out: { from: { change: person }, map: crm/out, ${to} }\n`);
  expect(problems).toMatchObject([{ code, severity: "error", at: { file: "tenants/acme.yaml", line: 6, col: expect.any(Number) as number } }]);
  expect(String(problems[0]!.params["suggestion"] ?? "")).toMatch(suggestion);
  expect(problems[0]!.at!.col, "column").toBeGreaterThanOrEqual(col - 20);
  if (code !== "PLAN_MAPPING_MISFIT") expect(plan.change_flows).toBeUndefined();
});

test("an entity and a template that are not there", () => {
  expect(resolve("  out: { from: { change: persn }, to: { webhook: partner } }\n").problems).toMatchObject([{ code: "MANIFEST_UNKNOWN_REFERENCE", params: { kind: "Entity", name: "persn" }, at: { line: 6 } }]);
  const without = resolve("  out: { from: { change: person }, map: crm/invite, to: { action: crm.invite } }\n", { "mappings/crm/invite.html.hbs": "", "mappings/crm/invite.yaml": MAPPINGS["mappings/crm/invite.yaml"].replace("invite.html.hbs", "invit.html.hbs") });
  expect(without.problems).toMatchObject([{ code: "MANIFEST_UNKNOWN_REFERENCE", params: { kind: "Template", name: "invit.html.hbs", suggestion: expect.stringContaining("invite.html.hbs") as string }, at: { file: "mappings/crm/invite.yaml", line: 6 } }]);
});

test("two actions that do the same to a stream: which of them saves cannot be told", () => {
  const { problems } = resolve("  out: { from: { change: person }, map: crm/out, to: { save: crm.contacts } }\n", { "connectors/crm/connector.yaml": `${CONNECTOR}  rename: { updates: contacts, input: { name: { type: string } }, put: "/names/{{key}}", once: repeatable }\n` });
  expect(problems).toMatchObject([{ code: "PLAN_NOT_SAVED", params: { suggestion: expect.stringMatching(/change_contact and rename/) as string } }]);
});

test("one reply, or several by name in the order of layers", () => {
  const hook = (reply: string): string => `${CONNECTOR}webhooks:\n  app: { verify: { type: secret_url }, ${reply}, events: { contact: { stream: contacts, key: id } } }\n`;
  const repliesOf = (reply: string) => resolve("  out: { from: { change: person }, to: { webhook: partner } }\n", { "connectors/crm/connector.yaml": hook(reply) }).plan.connectors["crm"]!.webhooks!["app"]!.replies;
  expect(repliesOf('reply: { status: 202, json: { status: "ok" } }')).toEqual([{ status: 202, json: { status: "ok" } }]);
  expect(repliesOf('reply: { challenge: { when: body.challenge, handshake: true, text: "{{body.challenge}}", headers: { Content-Type: text/plain } }, ping: { when: body.type = 1, json: { type: 1 } } }')).toEqual([
    { name: "challenge", when: "body.challenge", handshake: true, status: 200, headers: { "Content-Type": "text/plain" }, text: "{{body.challenge}}" },
    { name: "ping", when: "body.type = 1", status: 200, json: { type: 1 } },
  ]);
});

test("the flows that the language's own page writes out: on an edge, held, minted, to an action, saved, two ways", () => {
  const page = treeOf(languageBlocks());
  const stub = (id: string, streams: string, actions = "") => [`connectors/${id}/connector.yaml`, `connector: ${id}\ntitle: ${id}\nhttp: { base_url: https://api.${id}.example }\nstreams: ${streams}\n${actions}`] as const;
  const entity = (id: string, fields: string) => [`schemas/entities/${id}.schema.json`, JSON.stringify({ $id: id, title: id, type: "object", properties: Object.fromEntries(fields.split(" ").map((name) => [name, {}])) })] as const;
  const mapping = (id: string, from: string, to: string) => [`mappings/${id}.yaml`, `mapping: ${id}\nfrom: ${from}\nto: ${to}\nfields: {}\n`] as const;
  const files = new Map([
    ...page.files,
    stub("resend", "{ mails: { key: id, get: /mails } }", "actions: { send: { input: { to: {}, subject: {}, html: {}, text: {} }, post: /mails, json: =input, once: { key: delivery.key } } }\n"),
    stub("product", "{ shortlists: { key: id, get: /s }, interviews: { key: id, get: /i } }"), stub("slack", "{ users: { key: id, get: /u } }", "actions: { post: { input: { text: {} }, post: /messages, json: =input, once: false } }\n"),
    entity("application", "stage"), entity("interview", "status starts_at"), entity("job", "title"), entity("candidate", "email"), entity("volunteer", "hours"), entity("donation", "status"), entity("contact", "email"),
    mapping("greenhouse/job", "greenhouse.jobs", "job"), mapping("greenhouse/candidate", "greenhouse.candidates", "candidate"), mapping("greenhouse/application", "greenhouse.applications", "application"),
    mapping("product/application", "product.shortlists", "application"), mapping("product/interview", "product.interviews", "interview"), mapping("resend/reminder", "interview", "resend.send"),
    mapping("hubspot/contact", "hubspot.contacts", "contact"), mapping("wix/contact", "wix.contacts", "contact"), mapping("contact/hubspot", "contact", "hubspot.contacts"), mapping("contact/wix", "contact", "wix.contacts"),
    mapping("benevity/volunteer", "benevity.donations", "volunteer"), mapping("benevity/donation", "benevity.donations", "donation"), mapping("donation/benevity", "donation", "benevity.donations"), mapping("volunteer/slack", "volunteer", "slack.post"),
    ["mappings/resend/invitation.html.hbs", "<p>{{candidate.email}} {{link}}</p>"] as const, ["mappings/resend/invitation.text.hbs", "{{link}}"] as const,
    // The page lends the operator's mail connection, and leaves the catalogue's fragment of webhooks to another block.
    ["tenants/one.yaml", "tenant: one\npreset: ai-interviewer\nconnections: { mail: { connector: resend } }\n"] as const, ["tenants/two.yaml", "tenant: two\npreset: two-way\n"] as const, ["tenants/three.yaml", "tenant: three\npreset: benevity\n"] as const,
  ]);
  const workspace = read([{ layer: "workspace", label: "", files }]);
  const flowsOf = (tenant: string) => Object.fromEntries(Object.values(resolvePlan(workspace, tenant).plan.change_flows ?? {}).map(({ name, entity: watched, becomes, to, hold_for, mint, enabled }) => [name, [watched, becomes, Object.values(to).slice(0, 2).join(" at "), hold_for, Object.keys(mint).join(), enabled]]));
  expect(flowsOf("one")).toEqual({
    invitations: ["application", 'stage = "shortlisted"', "send at mail", "recruiter", "link", true],
    scorecards: ["interview", 'status = "completed"', "add_note at ats", undefined, "", true],
  });
  expect(flowsOf("two")).toEqual({ hubspot_out: ["contact", undefined, "contacts at hubspot", undefined, "", true], wix_out: ["contact", undefined, "contacts at wix", undefined, "", true] });
  expect(flowsOf("three")).toEqual({
    donations_out: ["donation", 'status = "approved"', "donations at benevity", undefined, "", true],
    milestones: ["volunteer", "hours != null and hours >= 100", "post at slack", undefined, "", false],
  });
  const { templates, fields } = resolvePlan(workspace, "one").plan.change_flows!["invitations"]!.map!;
  expect([fields["to"], Object.keys(templates!)]).toEqual([{ expression: "candidate.email" }, ["html", "text"]]);
});
