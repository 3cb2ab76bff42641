import { expect, test } from "vitest";
import { resolveAll, resolvePlan } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";

const resolve = (tenant: string, changes: Record<string, string | null> = {}) => resolvePlan(trainingPlatform({ "tenants/acme.yaml": tenant }, changes), "acme");

test.each([
  ["http", "http: { base_url: https://evil.example }"],
  ["auth", "auth: { type: bearer, token: x }"],
  ["hosts", "hosts: [evil.example]"],
  ["base_url", "base_url: https://evil.example"],
])("a tenant may not override a connection's %s, and it has no effect", (key, written) => {
  const { plan, problems } = resolve(`tenant: acme\npreset: aptem\nconnections:\n  aptem: { ${written} }\n`);
  expect(problems).toMatchObject([{ code: "PLAN_FORBIDDEN_OVERRIDE", severity: "error", params: { path: `connections.aptem.${key}` }, at: { line: 4, col: 12 } }]);
  expect(plan.connectors).toEqual(resolve("tenant: acme\npreset: aptem\n").plan.connectors);
});

test("nor may it send a stream's requests elsewhere, or sign them otherwise", () => {
  const { plan, problems } = resolve("tenant: acme\npreset: aptem\nconnections:\n  aptem: { streams: { users: { base_url: https://evil.example, records: items }, organizations: { one: { get: /x, auth: none } } } }\n");
  expect(problems.map(({ code, params }) => [code, params["path"]])).toEqual([
    ["PLAN_FORBIDDEN_OVERRIDE", "connections.aptem.streams.users.list.base_url"],
    ["PLAN_FORBIDDEN_OVERRIDE", "connections.aptem.streams.organizations.one.auth"],
  ]);
  const streams = plan.connectors["aptem/aptem"]!.streams;
  expect(streams["users"]!.list).toMatchObject({ records: "items" });
  expect(streams["users"]!.list!.request).not.toHaveProperty("base_url");
  expect(streams["organizations"]!.one!.request).not.toHaveProperty("auth");
});

test("a connector of its own at the top of a tenant's file is refused", () => {
  expect(resolve("tenant: acme\npreset: aptem\nconnectors: { aptem: { http: { base_url: https://evil.example } } }\n").problems).toMatchObject([{ code: "PLAN_FORBIDDEN_OVERRIDE", params: { path: "connectors" }, at: { line: 3, col: 1 } }]);
});

const locked = catalogue["presets/aptem/preset.yaml"]!.replace("connector: aptem,", "connector: aptem, config: { start: 2024-01-01 }, locks: [start],");

test("locked config stays what the preset says", () => {
  const { plan, problems } = resolve("tenant: acme\npreset: aptem\nconnections: { aptem: { config: { tenant_host: acme, start: 2000-01-01 } } }\n", { "presets/aptem/preset.yaml": locked });
  expect(problems).toMatchObject([{ code: "PLAN_LOCKED", params: { path: "connections.aptem.config.start" }, at: { line: 3, col: 54 } }]);
  expect(plan.connections["aptem"]).toMatchObject({ config: { start: "2024-01-01", tenant_host: "acme" }, locks: ["start"] });
});

test.each(["locks: [tenant_host]", "locks: []", "locks: null"])("a tenant cannot undo a lock with %s", (written) => {
  const { plan, problems } = resolve(`tenant: acme\npreset: aptem\nconnections: { aptem: { ${written}, config: { start: 2000-01-01 } } }\n`, { "presets/aptem/preset.yaml": locked });
  expect(problems.map(({ code }) => code)).toContain("PLAN_LOCKED");
  expect(plan.connections["aptem"]!.locks).toContain("start");
  expect(plan.connections["aptem"]!.config["start"]).toBe("2024-01-01");
});

test("an override that says what the preset says is a warning, at its place; one that differs is none", () => {
  const { problems } = resolve("tenant: acme\npreset: aptem-hubspot\nflows:\n  learners: { from: { every: 1h, sweep: 3d }, map: { fields: { programme: Programme } } }\nreports: { learner-progress: [tenant_admin] }\n");
  expect(problems.map(({ code, severity, params, at }) => `${code} ${severity} ${params["path"]} ${at?.line}:${at?.col}`).toSorted()).toEqual([
    "PLAN_SAME_AS_PRESET warning flows.learners.from.every 4:30",
    "PLAN_SAME_AS_PRESET warning flows.learners.map.fields.programme 4:75",
    "PLAN_SAME_AS_PRESET warning reports.learner-progress 5:30",
  ]);
});

test("what repeats the tenant's own words is no warning: no release of the preset changes it", () => {
  const { problems } = resolve("tenant: acme\npreset: aptem\nflows:\n  a: { from: { stream: aptem.users, every: 2h }, map: aptem/learner, to: learner }\n  b: { use: a, from: { every: 2h } }\n");
  expect(problems).toEqual([]);
});

test("each problem of a shared connector is told once, however many tenants use it", () => {
  const broken = catalogue["connectors/aptem/connector.yaml"]!.replace("use: entity_set, with: { set: Users }", "use: gone");
  const workspace = trainingPlatform({ "tenants/a.yaml": "tenant: a\npreset: aptem\n", "tenants/b.yaml": "tenant: b\npreset: aptem-hubspot\n" }, { "connectors/aptem/connector.yaml": broken });
  const { plans, problems } = resolveAll(workspace);
  expect([...plans.keys()]).toEqual(["a", "b"]);
  expect(problems.filter(({ params }) => params["kind"] === "Fragment")).toHaveLength(1);
});

test("a reference to a manifest that is no YAML is not told again", () => {
  const workspace = trainingPlatform({ "tenants/acme.yaml": "tenant: acme\nconnections: { a: { connector: broken } }\n" });
  expect(resolvePlan({ ...workspace, unreadable: new Set(["connector broken"]) }, "acme").problems).toEqual([]);
});

test("an unknown tenant is refused with the nearest name", () => {
  expect(() => resolvePlan(trainingPlatform({ "tenants/acme.yaml": "tenant: acme\n" }), "acmee")).toThrow(expect.objectContaining({ code: "PLAN_UNKNOWN_TENANT", hint: "did you mean 'acme'?" }));
});
