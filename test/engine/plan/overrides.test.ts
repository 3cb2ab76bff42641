import { parse } from "yaml";
import { expect, test } from "vitest";
import { editYaml } from "../../../engine/manifest/edit-yaml.ts";
import { validateWorkspace } from "../../../engine/manifest/index.ts";
import { effectiveValues, exportTemplate, importTemplate, overrideEdits, planMove, resolvePlan, type OverrideChange } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";

const FILE = "tenants/acme.yaml";
const own = (text: string) => ({ [FILE]: `tenant: acme\npreset: aptem-hubspot\n${text}` });

/** The tenant's file after the changes, without its first two lines. */
function edited(text: string, ...changes: OverrideChange[]): unknown {
  const workspace = trainingPlatform(own(text));
  const { tenant: _, preset: __, ...rest } = parse(editYaml(own(text)[FILE]!, FILE, overrideEdits(workspace, "acme", changes))) as Record<string, unknown>;
  return rest;
}

test("only what differs is stored: a value that equals its default takes the override back", () => {
  expect(edited("", { at: "flows.learners.from.every", value: "15m" })).toEqual({ flows: { learners: { from: { every: "15m" } } } });
  expect(edited("flows: { learners: { from: { every: 15m } } }", { at: "flows.learners.from.every", value: "1h" })).toEqual({});
  expect(edited("flows: { learners: { from: { every: 15m } } }", { at: "flows.learners.from.every" })).toEqual({});
  expect(overrideEdits(trainingPlatform(own("")), "acme", [{ at: "flows.learners.from.every", value: "1h" }])).toEqual([]);
});

test("a map changes its members only, and of them those that differ", () => {
  expect(edited("", { at: "/flows/learners", value: { from: { every: "5m" }, to: "learner" } })).toMatchObject({ flows: { learners: { from: { every: "5m" } } } });
  expect(edited("labels: { A: x }", { at: "labels", value: { A: null, B: "y" } })).toEqual({ labels: { B: "y" } });
});

test("a mapping's field with a dot in its name is one field", () => {
  const after = edited("", { at: "flows.learners.map.fields.custom.division", value: "UserCustom_Division" });
  expect(after).toEqual({ flows: { learners: { map: { fields: { "custom.division": "UserCustom_Division" } } } } });
});

test("the other half of a choice goes: cron instead of every, and back", () => {
  expect(edited("flows: { learners: { from: { every: 15m } } }", { at: "flows.learners.from.cron", value: "0 7 * * *" })).toEqual({ flows: { learners: { from: { cron: "0 7 * * *" } } } });
  expect(edited('flows: { learners: { from: { cron: "0 7 * * *" } } }', { at: "flows.learners.from.every" })).toEqual({});
});

test("a shorthand on the way is written out", () => {
  expect(edited("flows: { more: { from: aptem.users, map: aptem/learner, to: learner } }", { at: "/flows/more/map/fields/full_name", value: "Name" }, { at: "/flows/more/from/every", value: "1d" }))
    .toEqual({ flows: { more: { from: { stream: "aptem.users", every: "1d" }, map: { use: "aptem/learner", fields: { full_name: "Name" } }, to: "learner" } } });
});

test("a connection is switched off and on again, and on is what it is by itself", () => {
  const off = "connections: { hubspot: { enabled: false } }";
  expect(edited("", { at: "connections.hubspot.enabled", value: false })).toEqual({ connections: { hubspot: { enabled: false } } });
  expect(edited(off, { at: "connections.hubspot.enabled", value: true })).toEqual({});
});

test("null removes what the preset says; of what it does not say, it takes the override back", () => {
  expect(edited("", { at: "flows.employers", value: null })).toEqual({ flows: { employers: null } });
  expect(edited("labels: { A: x }", { at: "labels.A", value: null })).toEqual({});
});

test("a place that no tenant's file has is refused, with those it has", () => {
  for (const at of ["flow.learners", "/connectors/aptem/http", "title", "/__proto__/x", "flows.__proto__.x"]) {
    expect(() => overrideEdits(trainingPlatform(own("")), "acme", [{ at, value: 1 }])).toThrow(expect.objectContaining({ code: "PLAN_UNKNOWN_PATH" }));
  }
});

test("every effective value stands beside its default, each with file, line and layer; connectors and schemas are not shown", () => {
  const values = effectiveValues(trainingPlatform(own("flows: { learners: { from: { every: 15m } }, employers: null }\n")), "acme");
  const at = (path: string) => values.find((value) => value.path === path);
  expect(at("flows.learners.from.every")).toEqual({
    path: "flows.learners.from.every", pointer: "/flows/learners/from/every", value: "15m", overridden: true, origin: { layer: "tenant", file: FILE, line: 3, col: expect.any(Number) },
    default: { value: "1h", origin: { layer: "preset", file: "presets/aptem-hubspot/preset.yaml", line: expect.any(Number), col: expect.any(Number) } },
  });
  expect(at("flows.learners.map.fields.full_name")).toMatchObject({ value: "FullName", overridden: false, origin: { layer: "catalogue", file: "mappings/aptem/learner.yaml" } });
  expect(at("flows.employers")).toMatchObject({ value: null, overridden: true, default: { value: expect.objectContaining({ map: expect.anything() }) } });
  expect(values.filter(({ path }) => path.startsWith("connectors") || path.includes(".schema"))).toEqual([]);
});

// ── moving ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const RELEASES = {
  "presets/aptem/releases/1.yaml": "release: 1\npreset: { preset: aptem, title: Aptem, connections: { aptem: { connector: aptem } }, flows: { learners: { from: { stream: aptem.users, every: 1h }, map: { use: aptem/learner }, to: { entity: learner } }, extra: { from: { stream: aptem.users, every: 1d }, map: { use: aptem/learner }, to: { entity: learner } } } }\nmappings: {}\n",
  "presets/aptem/releases/2.yaml": "release: 2\npreset: { preset: aptem, title: Aptem, inputs: { country: { title: Country } }, connections: { aptem: { connector: aptem } }, flows: { learners: { from: { stream: aptem.users, every: 30m }, map: { use: aptem/learner }, to: { entity: learner } } } }\nmappings: {}\n",
};

test("an upgrade tells first what gets in the way: shadowed defaults, parts that are gone, questions without an answer", () => {
  const workspace = trainingPlatform({ ...RELEASES, [FILE]: "tenant: acme\npreset: aptem@1\nflows:\n  learners: { from: { every: 15m } }\n  extra: { from: { every: 2d } }\n" });
  const plan = planMove(workspace, "acme", "aptem@2");
  expect(plan).toMatchObject({ from: "aptem@1", to: "aptem@2", stops: ["extra"], starts: [], connect: [], leaves: [] });
  expect(plan.conflicts).toContainEqual(expect.objectContaining({ kind: "shadows", path: "flows.learners.from.every", before: "1h", after: "30m", at: expect.objectContaining({ file: FILE, line: 4 }) }));
  expect(plan.conflicts).toContainEqual({ kind: "gone", path: "flows.extra", at: expect.objectContaining({ file: FILE, line: 5 }) });
  expect(plan.conflicts).toContainEqual(expect.objectContaining({ kind: "input", path: "inputs.country" }));
  expect(planMove(workspace, "acme", "aptem@2", { country: "IE" }).conflicts.filter(({ kind }) => kind === "input")).toEqual([]);
});

test("a move to another preset says which schedules stop and start, and what must be connected", () => {
  const plan = planMove(trainingPlatform({ [FILE]: "tenant: acme\npreset: bud\n" }), "acme", "aptem");
  expect(plan).toMatchObject({ from: "bud", to: "aptem", conflicts: [], stops: ["learners"], starts: ["learners"], connect: ["aptem"], leaves: ["bud"] });
});

// ── templates ───────────────────────────────────────────────────────────────────────────────────────────────────────

test("a template holds how, never who: no title, no subdomain, no config of a connection", () => {
  const template = exportTemplate(trainingPlatform(own("title: Acme Ltd\nsubdomain: acme\nlimits: { learners: 5 }\nconnections: { aptem: { config: { tenant_host: acme }, labels: { A: x } } }\nflows: { learners: { from: { every: 15m } } }\n")), "acme");
  expect(template).toEqual({
    template: 1, preset: "aptem-hubspot", configuration: { flows: { learners: { from: { every: "15m" } } }, connections: { aptem: { labels: { A: "x" } } } },
    left_out: ["title", "subdomain", "limits", "connections.aptem.config"],
  });
  expect(JSON.stringify(template.configuration)).not.toContain("acme");
});

test("laid over another tenant, what that one says itself is a conflict and stays", () => {
  const workspace = trainingPlatform({ [FILE]: "tenant: acme\npreset: aptem\nflows: { learners: { from: { every: 5m } } }\n" });
  const template = { template: 1 as const, preset: "aptem", configuration: { flows: { learners: { from: { every: "15m", sweep: "3d" } } }, labels: { A: "x" } } };
  expect(importTemplate(workspace, "acme", template)).toEqual({
    conflicts: [{ pointer: "/flows/learners/from/every", mine: "5m", theirs: "15m" }],
    edits: [{ pointer: "/flows/learners/from/sweep", value: "3d" }, { pointer: "/labels", value: { A: "x" } }],
  });
  expect(importTemplate(workspace, "acme", template, true).edits).toHaveLength(3);
  expect(() => importTemplate(workspace, "acme", { ...template, configuration: { connections: { x: { connector: "hubspt" } } } })).toThrow(expect.objectContaining({ code: "MANIFEST_UNKNOWN_REFERENCE", params: expect.objectContaining({ suggestion: "did you mean 'hubspot'?" }) }));
  expect(() => importTemplate(workspace, "acme", { ...template, configuration: { subdomain: "x" } })).toThrow(expect.objectContaining({ code: "PLAN_UNKNOWN_PATH" }));
});

// ── limits, subdomains, policy ──────────────────────────────────────────────────────────────────────────────────────

const problemsOf = (text: string, more: Record<string, string> = {}) => validateWorkspace(trainingPlatform({ ...own(text), ...more })).filter(({ at }) => at?.file.startsWith("tenants/")).map(({ code, params, at }) => [code, params["suggestion"] ?? params["value"], at?.line]);

test("a limit names an entity, by its id or in the plural", () => {
  for (const name of ["learner", "learners"]) {
    expect(resolvePlan(trainingPlatform(own(`limits: { ${name}: 500 }\n`)), "acme").plan.entities["learner"]).toMatchObject({ limit: { name, most: 500 } });
    expect(problemsOf(`limits: { ${name}: 500 }\n`)).toEqual([]);
  }
  expect(problemsOf("limits: { lerners: 500 }\n")).toEqual([["MANIFEST_UNKNOWN_REFERENCE", "did you mean 'learners'?", 3]]);
  expect(problemsOf("limits: { learner: 1, learners: 2 }\n")).toMatchObject([["MANIFEST_ONE_OF", expect.anything(), 3]]);
});

test("a tenant's own limit counts, however its preset calls the entity", () => {
  const preset = { "presets/aptem-hubspot/preset.yaml": `${catalogue["presets/aptem-hubspot/preset.yaml"]!}limits: { learners: 10 }\n` };
  expect(resolvePlan(trainingPlatform(own("limits: { learner: 20 }\n"), preset), "acme").plan.entities["learner"]!.limit).toEqual({ name: "learner", most: 20 });
  expect(resolvePlan(trainingPlatform(own("limits: { learners: null }\n"), preset), "acme").plan.entities["learner"]!.limit).toBeUndefined();
});

test("a subdomain is not reserved, and one tenant's", () => {
  expect(problemsOf("subdomain: admin\n")).toEqual([["TENANT_RESERVED", expect.stringContaining("acme"), 3]]);
  expect(problemsOf("subdomain: shared\n", { "tenants/aaa.yaml": "tenant: aaa\npreset: aptem\nsubdomain: shared\n" }).map(([code]) => code)).toContain("TENANT_TAKEN");
});

test("an area or role that policy does not know is told with the nearest", () => {
  expect(problemsOf("policy: { tenant_admin: { credential: write } }\n")).toEqual([["MANIFEST_UNKNOWN_FIELD", expect.stringContaining("credentials"), 3]]);
  expect(problemsOf("policy: { tenant_admn: { credentials: write } }\n")).toEqual([["MANIFEST_UNKNOWN_FIELD", expect.stringContaining("tenant_admin"), 3]]);
});
