/** The worked examples of a training platform: what its operator expects of presets and overrides. */
import { expect, test } from "vitest";
import { cutRelease, diffPlans, explain, resolvePlan } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";

const resolve = (tenant: string, more: Record<string, string> = {}, changes: Record<string, string | null> = {}) => {
  const { plan, problems } = resolvePlan(trainingPlatform({ "tenants/acme.yaml": tenant, ...more }, changes), "acme");
  expect(problems).toEqual([]);
  return plan;
};

/** The release that the catalogue's preset gives today, as a file of the workspace. */
const released = (preset: string, changes: Record<string, string | null> = {}) => {
  const { file, text } = cutRelease(trainingPlatform({}, changes), preset);
  return { [file]: text };
};

test("a tenant that says nothing inherits schedule, mapping, labels and reports of its preset", () => {
  const plan = resolve("tenant: acme\ntitle: Acme Training Ltd\nsubdomain: acme\npreset: aptem-hubspot\n");
  expect(plan.tenant).toEqual({ id: "acme", title: "Acme Training Ltd", subdomain: "acme" });
  expect(plan.flows["learners"]).toMatchObject({ connection: "aptem", stream: "users", enabled: true, schedule: { every_seconds: 3600 }, sweep_seconds: 604_800, to: { entity: "learner" } });
  expect(plan.flows["learners"]!.map!.fields).toEqual({ full_name: { expression: "FullName" }, programme: { expression: "Programme" } });
  expect(plan.flows["employers"]!.schedule).toEqual({ every_seconds: 86_400 });
  expect(plan.reports).toEqual({ "learner-progress": ["tenant_admin"], "employer-overview": ["tenant_admin"] });
});

test("an override stores only what differs: the rest still comes from the preset", () => {
  const workspace = trainingPlatform({ "tenants/acme.yaml": "tenant: acme\npreset: aptem-hubspot\nflows: { learners: { from: { every: 15m } } }\n" });
  const { plan } = resolvePlan(workspace, "acme");
  expect(plan.flows["learners"]!.schedule).toEqual({ every_seconds: 900 });
  const layers = Object.fromEntries(explain(workspace, "acme", "flows.learners").map(({ path, origin }) => [path.replace("flows.learners.", ""), origin.layer]));
  expect(layers).toMatchObject({ "from.every": "tenant", "from.stream": "preset", "from.sweep": "preset", "map.use": "preset", "map.fields.full_name": "catalogue" });
});

test("every 15 minutes instead of hourly says where both were written", () => {
  const [every] = explain(trainingPlatform({ "tenants/acme.yaml": "tenant: acme\npreset: aptem-hubspot\nflows: { learners: { from: { every: 15m } } }\n" }), "acme", "flows.learners.from.every");
  expect(every).toEqual({
    path: "flows.learners.from.every", pointer: "/flows/learners/from/every", value: "15m",
    origin: {
      layer: "tenant", file: "tenants/acme.yaml", line: 3, col: 37,
      shadows: [{ layer: "preset", file: "presets/aptem-hubspot/preset.yaml", line: 10, col: 51, value: "1h" }],
    },
  });
});

test("a change of a preset's head and of its mappings leaves a pinned tenant as it is", () => {
  const release = released("aptem-hubspot");
  const tenant = "tenant: acme\npreset: aptem-hubspot@1\n";
  const changed = {
    "presets/aptem-hubspot/preset.yaml": catalogue["presets/aptem-hubspot/preset.yaml"]!.replace("every: 1h", "every: 5m"),
    "mappings/aptem/learner.yaml": catalogue["mappings/aptem/learner.yaml"]!.replace("FullName", "DisplayName"),
  };
  const [before, after] = [resolve(tenant, release), resolve(tenant, release, changed)];
  expect(after).toEqual(before);
  expect(after.preset).toEqual({ id: "aptem-hubspot", release: 1 });
  expect(resolve("tenant: acme\npreset: aptem-hubspot\n", {}, changed).flows["learners"]!.schedule).toEqual({ every_seconds: 300 });
});

test("a new tenant gets the newest release, an existing one keeps its own", () => {
  const one = released("aptem-hubspot");
  const changes = { "presets/aptem-hubspot/preset.yaml": catalogue["presets/aptem-hubspot/preset.yaml"]!.replace("every: 1h", "every: 30m") };
  const { file, text } = cutRelease(trainingPlatform(one, changes), "aptem-hubspot");
  const releases = { ...one, [file]: text };
  expect(resolve("tenant: acme\npreset: aptem-hubspot\n", releases).flows["learners"]!.schedule).toEqual({ every_seconds: 1800 });
  expect(resolve("tenant: acme\npreset: aptem-hubspot@1\n", releases).flows["learners"]!.schedule).toEqual({ every_seconds: 3600 });
});

test("one integration is disabled and the other kept", () => {
  const plan = resolve("tenant: acme\npreset: aptem-hubspot\nconnections: { hubspot: { enabled: false } }\n");
  expect(plan.connections["hubspot"]!.enabled).toBe(false);
  expect(plan.flows["employers"]!.enabled).toBe(false);
  expect(plan.flows["learners"]!.enabled).toBe(true);
});

test("a custom field stands beside the default mappings and is asked for", () => {
  const plan = resolve(`tenant: acme
preset: aptem-hubspot
flows:
  learners: { map: { fields: { custom.division: UserCustom_Division } } }
  employers: { map: { fields: { custom.account_manager: properties.account_manager } } }
`);
  expect(plan.flows["learners"]!.map).toEqual({
    id: "aptem/learner", where: 'Status = "FullUser"',
    fields: { full_name: { expression: "FullName" }, programme: { expression: "Programme" }, "custom.division": { expression: "UserCustom_Division" } },
  });
  expect(plan.flows["learners"]!.select).toEqual(["FullName", "Id", "Programme", "Status", "UpdatedDate", "UserCustom_Division"]);
  expect(plan.flows["employers"]!.select).toEqual(["account_manager", "name"]);
  expect(plan.entities["learner"]!.custom).toEqual(["division"]);
  expect(plan.entities["employer"]!.custom).toEqual(["account_manager"]);
});

test("records carry the labels of the preset and of the provider they come from, the provider's winning", () => {
  const plan = resolve("tenant: acme\npreset: aptem-hubspot\nlabels: { LMS_Provider: none, Region: North }\n");
  expect(plan.flows["learners"]!.labels).toEqual({ Programme: "Apprenticeships", LMS_Provider: "Aptem", Region: "North" });
  expect(plan.flows["employers"]!.labels).toEqual({ Programme: "Apprenticeships", LMS_Provider: "none", CRM_Provider: "HubSpot", Region: "North" });
});

test("a tenant moved to another preset: the old schedule stops, the new one starts, under the same flow", () => {
  const bud = resolve("tenant: acme\npreset: bud\n");
  const aptem = resolve("tenant: acme\npreset: aptem\n");
  const changes = diffPlans(bud, aptem);
  expect(changes.filter(({ kind }) => kind === "schedule")).toMatchObject([
    { change: "removed", path: "flows.learners.schedule", before: { every_seconds: 3600, reads: "bud.learners" }, from: { file: "presets/bud/preset.yaml" } },
    { change: "added", path: "flows.learners.schedule", after: { every_seconds: 3600, reads: "aptem.users" }, to: { file: "presets/aptem/preset.yaml" } },
  ]);
  expect(changes.filter(({ kind }) => kind === "connection").map(({ change, name }) => [change, name])).toEqual([["removed", "bud"], ["added", "aptem"]]);
  expect(changes).toContainEqual(expect.objectContaining({ kind: "preset", before: "bud@head", after: "aptem@head" }));
  expect(aptem.flows["learners"]!.to).toEqual(bud.flows["learners"]!.to);
});

test("a tenant without a preset brings its own connections and flows", () => {
  const plan = resolve(`tenant: acme
connections: { crm: { connector: hubspot } }
flows: { employers: { from: { stream: crm.companies, cron: "0 7 * * 1", time_zone: Europe/London }, map: hubspot/employer, to: employer } }
`);
  expect(plan.preset).toBeUndefined();
  expect(plan.flows["employers"]).toMatchObject({ connection: "crm", connector: "hubspot", schedule: { cron: "0 7 * * 1", time_zone: "Europe/London" } });
});
