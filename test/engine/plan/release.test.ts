import { parse } from "yaml";
import { expect, test } from "vitest";
import { validateWorkspace } from "../../../engine/manifest/index.ts";
import { cutRelease, diffPlans, resolvePlan } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";
import { workspaceOf } from "../../support/workspace-of.ts";

const tenant = { "tenants/acme.yaml": "tenant: acme\npreset: aptem-hubspot\nflows: { learners: { from: { every: 15m } } }\n" };
const edited = (file: string, from: string, to: string) => ({ [file]: catalogue[file]!.replace(from, to) });

test("a release is the preset and the mappings its flows use, without their tests, under its number", () => {
  const { preset, number, file, text } = cutRelease(trainingPlatform({}), "aptem-hubspot");
  expect([preset, number, file]).toEqual(["aptem-hubspot", 1, "presets/aptem-hubspot/releases/1.yaml"]);
  expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=../../../schemas/release.schema.json");
  const release = parse(text) as { release: number; preset: object; mappings: Record<string, object> };
  expect(release.release).toBe(1);
  expect(release.preset).toMatchObject({ preset: "aptem-hubspot", title: "Aptem + HubSpot", recommended: true, flows: { learners: { from: { every: "1h" }, map: { use: "aptem/learner" }, to: { entity: "learner" } } } });
  expect(Object.keys(release.mappings)).toEqual(["aptem/learner", "hubspot/employer"]);
  expect(release.mappings["hubspot/employer"]).toEqual({ mapping: "hubspot/employer", from: "hubspot.companies", to: "employer", where: "$boolean(properties.name)", fields: { name: "properties.name", country: '"GB"' } });
});

test("the same tree gives the same text, byte for byte, and YAML's traps survive it", () => {
  expect(cutRelease(trainingPlatform({}), "aptem").text).toBe(cutRelease(trainingPlatform({}), "aptem").text);
  const traps = { "mappings/aptem/learner.yaml": `mapping: aptem/learner
from: aptem.users
to: learner
fields:
  full_name: 'Name = "x: # y" ? "null" : "2024-01-01"'
  a: "null"
  b: |
    X ? "yes"
      : 'no'
  c: "*id"
  d: "1.10"
` };
  const { text } = cutRelease(trainingPlatform({}, traps), "aptem");
  expect((parse(text) as { mappings: Record<string, { fields: object }> }).mappings["aptem/learner"]!.fields).toEqual((parse(traps["mappings/aptem/learner.yaml"]) as { fields: object }).fields);
});

test("a tenant on the release has the plan it had on the head, whatever layer it came from", () => {
  const { file, text } = cutRelease(trainingPlatform({}), "aptem-hubspot");
  const head = resolvePlan(trainingPlatform(tenant), "acme").plan;
  const { plan, problems } = resolvePlan(trainingPlatform({ ...tenant, [file]: text }), "acme");
  expect(problems).toEqual([]);
  expect({ ...plan, origins: {}, preset: undefined }).toEqual({ ...head, origins: {}, preset: undefined });
  expect(plan.origins["/flows/learners/map/fields/full_name"]).toMatchObject({ layer: "preset", file });
});

test("the workspace's preset is laid over the catalogue's before it is frozen", () => {
  const own = { "presets/aptem/preset.yaml": "preset: aptem\ntitle: Ours\nflows: { learners: { from: { every: 5m } } }\n" };
  const release = parse(cutRelease(trainingPlatform(own), "aptem").text) as { preset: object };
  expect(release.preset).toMatchObject({ title: "Ours", connections: { aptem: { connector: "aptem" } }, flows: { learners: { from: { stream: "aptem.users", every: "5m" } } } });
});

test("nothing is released twice; a change of the preset or of a mapping is", () => {
  const { file, text } = cutRelease(trainingPlatform({}), "aptem-hubspot");
  expect(() => cutRelease(trainingPlatform({ [file]: text }), "aptem-hubspot")).toThrow(expect.objectContaining({ code: "PLAN_RELEASE_EXISTS", params: { release: 1, preset: "aptem-hubspot" } }));
  for (const change of [edited("presets/aptem-hubspot/preset.yaml", "every: 1h", "every: 2h"), edited("mappings/aptem/learner.yaml", "FullName", "Name")])
    expect(cutRelease(trainingPlatform({ [file]: text }, change), "aptem-hubspot").number).toBe(2);
});

test("connectors and entities are not frozen: a pinned tenant sees their changes", () => {
  const { file, text } = cutRelease(trainingPlatform({}), "aptem-hubspot");
  const { plan } = resolvePlan(trainingPlatform({ ...tenant, [file]: text }, edited("connectors/aptem/connector.yaml", "size: 1000", "size: 500")), "acme");
  expect(plan.connectors["aptem"]!.streams["users"]!.list!.pagination).toEqual({ type: "odata", size: 500 });
});

test("a tenant's own flow may use a mapping that its release does not hold", () => {
  const { file, text } = cutRelease(trainingPlatform({}), "aptem-hubspot");
  const own = "tenant: acme\npreset: aptem-hubspot@1\nconnections: { bud: { connector: bud } }\nflows: { more: { from: bud.learners, map: bud/learner, to: learner } }\n";
  const { plan, problems } = resolvePlan(trainingPlatform({ [file]: text, "tenants/acme.yaml": own }), "acme");
  expect(problems).toEqual([]);
  expect(plan.flows["more"]!.map!.fields).toEqual({ full_name: { expression: "name" } });
});

test("an unknown preset, or a flow whose mapping is gone, cannot be released", () => {
  expect(() => cutRelease(trainingPlatform({}), "aptm")).toThrow(expect.objectContaining({ code: "MANIFEST_UNKNOWN_REFERENCE", hint: "did you mean 'aptem'?" }));
  expect(() => cutRelease(trainingPlatform({}, { "mappings/aptem/learner.yaml": null }), "aptem")).toThrow(expect.objectContaining({ code: "MANIFEST_UNKNOWN_REFERENCE", at: expect.objectContaining({ file: "presets/aptem/preset.yaml", line: 6 }) }));
});

const planOf = (text: string, changes: Record<string, string | null> = {}) => resolvePlan(trainingPlatform({ "tenants/acme.yaml": text }, changes), "acme").plan;
const head = "tenant: acme\npreset: aptem-hubspot\n";

test("equal plans differ in nothing, also when they were written differently", () => {
  expect(diffPlans(planOf(head), planOf(head))).toEqual([]);
  expect(diffPlans(planOf(head), planOf(`${head}flows: { learners: { map: { use: aptem/learner }, to: { entity: learner } } }\n`))).toEqual([]);
});

test("an upgrade says what changes: schedule, filter, fields, labels, reports, with both places", () => {
  const changes = diffPlans(planOf(head), planOf(`${head}flows:
  learners: { from: { cron: "0 7 * * *" }, map: { where: "true", fields: { full_name: Name, programme: null, custom.rank: 1 } } }
reports: { employer-overview: null }
connections: { hubspot: { labels: { CRM_Provider: Other } } }
`));
  const told = changes.map(({ kind, change, path, before, after }) => [kind, change, path, before, after]);
  expect(told).toEqual([
    ["connection", "changed", "connections.hubspot.labels.CRM_Provider", "HubSpot", "Other"],
    ["select", "changed", "flows.learners.select", ["FullName", "Id", "Programme", "Status", "UpdatedDate"], ["Id", "Name", "UpdatedDate"]],
    ["filter", "changed", "flows.learners.map.where", 'Status = "FullUser"', "true"],
    ["field", "changed", "flows.learners.map.fields.full_name", "FullName", "Name"],
    ["field", "removed", "flows.learners.map.fields.programme", "Programme", undefined],
    ["field", "added", "flows.learners.map.fields.custom.rank", undefined, 1],
    ["flow", "changed", "flows.employers.labels.CRM_Provider", "HubSpot", "Other"],
    ["schedule", "changed", "flows.learners.schedule", { every_seconds: 3600, reads: "aptem.users", sweep_seconds: 604_800 }, { cron: "0 7 * * *", time_zone: "UTC", reads: "aptem.users", sweep_seconds: 604_800 }],
    ["entity", "changed", "entities.learner.custom", [], ["rank"]],
    ["reports", "removed", "reports.employer-overview", ["tenant_admin"], undefined],
  ]);
  expect(changes.find(({ path }) => path.endsWith("full_name"))).toMatchObject({ from: { file: "mappings/aptem/learner.yaml", line: 6 }, to: { file: "tenants/acme.yaml", line: 4 } });
  expect(changes.find(({ kind }) => kind === "schedule")).toMatchObject({ from: { file: "presets/aptem-hubspot/preset.yaml", line: 10 }, to: { file: "tenants/acme.yaml", line: 4 } });
});

test("disabling a connection stops the schedules of its flows", () => {
  const changes = diffPlans(planOf(head), planOf(`${head}connections: { hubspot: { enabled: false } }\n`));
  expect(changes.map(({ kind, change, path }) => [kind, change, path])).toEqual([
    ["connection", "changed", "connections.hubspot.enabled"], ["flow", "changed", "flows.employers.enabled"], ["schedule", "removed", "flows.employers.schedule"],
  ]);
});

test("a change of a connector, which nobody pins, is seen too", () => {
  const changes = diffPlans(planOf(head), planOf(head, edited("connectors/hubspot/connector.yaml", "size: 200", "size: 100")));
  expect(changes).toMatchObject([{ kind: "connector", change: "changed", path: "connectors.hubspot.streams.companies.list.pagination.size", before: 200, after: 100, from: { file: "connectors/hubspot/connector.yaml", line: 15 } }]);
});

test("a release freezes what its templates said", () => {
  const files = {
    "connectors/mail/connector.yaml": "connector: mail\ntitle: Mail\nhttp: { base_url: https://api.mail.example }\nactions:\n  send: { input: { html: { type: string } }, post: /mails, json: =input, once: false }\n",
    "schemas/entities/person.schema.json": '{ "$id": "person", "title": "Person", "type": "object", "properties": { "name": { "type": "string" } } }',
    "mappings/mail/hello.yaml": "mapping: mail/hello\nfrom: person\nto: mail.send\nfields: { html: { template: hello.html.hbs } }\n",
    "mappings/mail/hello.html.hbs": "Hello {{name}}\n",
    "presets/p/preset.yaml": "preset: p\ntitle: P\nconnections: { mail: { connector: mail } }\nflows: { hello: { from: { change: person }, map: mail/hello, to: { action: mail.send } } }\n",
  };
  const { file, text } = cutRelease(workspaceOf({ workspace: files }), "p");
  const edited = { ...files, "mappings/mail/hello.html.hbs": "Dear {{name}}\n", "tenants/acme.yaml": "tenant: acme\npreset: p@1\n" };
  const later = workspaceOf({ workspace: { ...edited, [file]: text } });
  const said = (workspace: typeof later) => resolvePlan(workspace, "acme").plan.change_flows!["hello"]!.map!.templates!["html"]!.text;
  expect([said(later), said(workspaceOf({ workspace: { ...edited, "tenants/acme.yaml": "tenant: acme\npreset: p\n" } }))]).toEqual(["Hello {{name}}\n", "Dear {{name}}\n"]);
  expect(validateWorkspace(later).filter(({ severity }) => severity === "error")).toEqual([]);
});
