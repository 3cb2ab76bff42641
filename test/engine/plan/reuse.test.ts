import { expect, test } from "vitest";
import { explain, resolvePlan } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";

const resolve = (tenant: string, changes: Record<string, string | null> = {}) => resolvePlan(trainingPlatform({ "tenants/acme.yaml": tenant }, changes), "acme");
const codes = (problems: readonly { code: string; at?: { line: number; col: number } | undefined }[]) => problems.map(({ code, at }) => [code, at?.line, at?.col]);

test("a stream is its fragment with what the stream says over it", () => {
  const { plan } = resolve("tenant: acme\npreset: aptem\n");
  expect(plan.connectors["aptem"]!.streams["users"]).toEqual({
    with: { set: "Users" }, key: ["Id"], types: {}, errors: {},
    list: { request: { method: "GET", path: "/{{with.set}}", query: { $select: "=$join(select, ',')", $skip: "=page.offset" }, errors: {} }, records: "value", pagination: { type: "odata", size: 1000 } },
    cursor: { type: "datetime", field: "UpdatedDate", lag: "1m" },
  });
});

test("a fragment may use another; what is written nearer to the stream wins", () => {
  const connector = catalogue["connectors/aptem/connector.yaml"]!.replace("streams:\n", `  small: { use: entity_set, records: items, pagination: { type: odata, size: 10 } }
streams:
  tags: { use: small, with: { set: Tags }, records: tags }
`);
  const { plan, problems } = resolve("tenant: acme\npreset: aptem\n", { "connectors/aptem/connector.yaml": connector });
  expect(problems).toEqual([]);
  expect(plan.connectors["aptem"]!.streams["tags"]).toMatchObject({ with: { set: "Tags" }, key: ["Id"], list: { records: "tags", pagination: { type: "odata", size: 10 } } });
});

test("fragments that use each other are a cycle, named in its order", () => {
  const connector = catalogue["connectors/aptem/connector.yaml"]!.replace("    with: [set]\n", "    with: [set]\n    use: other\n").replace("streams:\n", "  other: { use: entity_set }\nstreams:\n");
  const { problems } = resolve("tenant: acme\npreset: aptem\n", { "connectors/aptem/connector.yaml": connector });
  expect(problems).toMatchObject([{ code: "PLAN_CYCLE", params: { cycle: "entity_set → other → entity_set" }, at: { file: "connectors/aptem/connector.yaml" } }]);
});

test("an unknown fragment is reported with the nearest one", () => {
  const connector = catalogue["connectors/aptem/connector.yaml"]!.replace("users: { use: entity_set", "users: { use: entityset");
  expect(resolve("tenant: acme\npreset: aptem\n", { "connectors/aptem/connector.yaml": connector }).problems).toContainEqual(expect.objectContaining({ code: "MANIFEST_UNKNOWN_REFERENCE", params: { kind: "Fragment", name: "entityset", suggestion: "did you mean 'entity_set'?" } }));
});

test("a tenant adds a stream of its own to its connection, from a fragment of the connector", () => {
  const { plan, problems } = resolve(`tenant: acme
preset: aptem
connections:
  aptem: { streams: { reviews: { use: entity_set, with: { set: Reviews } } }, errors: { busy: { when: status = 409, do: retry } }, limits: { all: { max: 10 } } }
  second: { connector: aptem }
flows: { learners: { from: { stream: aptem.reviews }, map: { use: null, fields: { full_name: Name } } } }
`);
  expect(problems).toEqual([]);
  expect(plan.connections["aptem"]!.connector).toBe("aptem/aptem");
  const own = plan.connectors["aptem/aptem"]!;
  expect(own.id).toBe("aptem");
  expect(own.streams["reviews"]).toMatchObject({ with: { set: "Reviews" }, key: ["Id"], list: { records: "value" } });
  expect(Object.keys(own.http!.errors)).toEqual(["busy", "try_again", "no_licence"]);
  expect(own.http!.limits["all"]).toEqual({ per: "account", max: 10, every_seconds: 60 });
  expect(plan.flows["learners"]).toMatchObject({ connector: "aptem/aptem", stream: "reviews", map: { fields: { full_name: { expression: "Name" } } } });
  expect(plan.connections["second"]!.connector).toBe("aptem");
  expect(plan.connectors["aptem"]!.streams).not.toHaveProperty("reviews");
});

test("a connection takes away what its connector has, for itself only", () => {
  const { plan, problems } = resolve("tenant: acme\npreset: aptem\nconnections:\n  aptem: { streams: { organizations: null }, errors: { no_licence: null } }\n  second: { connector: aptem }\n");
  expect(problems).toEqual([]);
  expect(Object.keys(plan.connectors["aptem/aptem"]!.streams)).toEqual(["users"]);
  expect(Object.keys(plan.connectors["aptem/aptem"]!.http!.errors)).toEqual(["try_again"]);
  expect(Object.keys(plan.connectors["aptem"]!.streams)).toEqual(["users", "organizations"]);
  expect(plan.flows["learners"]!.connector).toBe("aptem/aptem");
});

test("a workspace's connector of the same id is laid over the catalogue's", () => {
  const workspace = trainingPlatform({ "tenants/acme.yaml": "tenant: acme\npreset: aptem\n", "connectors/aptem/connector.yaml": "connector: aptem\nhttp: { base_url: https://proxy.aptem.example, errors: { no_licence: null } }\nstreams: { organizations: null }\n" });
  const { plan } = resolvePlan(workspace, "acme");
  const connector = plan.connectors["aptem"]!;
  expect(connector.http).toMatchObject({ base_url: "https://proxy.aptem.example", hosts: ["*.aptem.example"] });
  expect(Object.keys(connector.http!.errors)).toEqual(["try_again"]);
  expect(Object.keys(connector.streams)).toEqual(["users"]);
  expect(explain(workspace, "acme", "connectors.aptem.http.base_url")).toMatchObject([{ origin: { layer: "workspace", line: 2, shadows: [{ layer: "catalogue" }] } }]);
});

test("a workspace's entity extends the catalogue's", () => {
  const workspace = trainingPlatform({ "tenants/acme.yaml": "tenant: acme\npreset: aptem\n", "schemas/entities/learner.schema.json": '{ "$id": "learner", "properties": { "region": { "enum": ["north", null] } } }' });
  expect(Object.keys(resolvePlan(workspace, "acme").plan.entities["learner"]!.schema["properties"] as object)).toEqual(["full_name", "programme", "custom", "region"]);
});

test("a flow reuses another at a second connection of the same connector, with the tenant's changes to it", () => {
  const { plan, problems } = resolve(`tenant: acme
preset: aptem-hubspot
connections: { hubspot_us: { connector: hubspot, labels: { CRM_Provider: HubSpot US } } }
flows:
  employers: { from: { every: 2h }, map: { fields: { country: '"IE"' } } }
  employers_us: { use: employers, from: { connection: hubspot_us } }
`);
  expect(problems).toEqual([]);
  expect(plan.flows["employers_us"]).toEqual({ ...plan.flows["employers"], name: "employers_us", connection: "hubspot_us", labels: { Programme: "Apprenticeships", CRM_Provider: "HubSpot US" } });
  expect(plan.flows["employers_us"]).toMatchObject({ schedule: { every_seconds: 7200 }, map: { fields: { country: { expression: '"IE"' } } } });
});

test("a layer that names a stream with its connection forgets the connection of an earlier layer", () => {
  const preset = catalogue["presets/aptem-hubspot/preset.yaml"]!.replace("from: { stream: hubspot.companies,", "from: { stream: hubspot.companies, connection: crm,");
  const { plan } = resolve("tenant: acme\npreset: aptem-hubspot\nconnections: { crm: { connector: hubspot } }\nflows: { employers: { from: { stream: hubspot.companies } } }\n", { "presets/aptem-hubspot/preset.yaml": preset });
  expect(plan.flows["employers"]!.connection).toBe("hubspot");
});

test("flows that use each other are a cycle; the other flows remain", () => {
  const { plan, problems } = resolve("tenant: acme\npreset: aptem\nflows:\n  a: { use: b }\n  b: { use: a }\n  c: { use: c }\n");
  expect(codes(problems)).toEqual([["PLAN_CYCLE", 5, 13], ["PLAN_CYCLE", 4, 13], ["PLAN_CYCLE", 6, 13]]);
  expect(Object.keys(plan.flows)).toEqual(["learners"]);
});

test("the flow's and the tenant's fields and where lie over the mapping's; null removes a field", () => {
  const preset = catalogue["presets/aptem/preset.yaml"]!.replace("map: aptem/learner", "map: { use: aptem/learner, where: Status = \"Active\", fields: { programme: Course } }");
  const { plan } = resolve("tenant: acme\npreset: aptem\nflows: { learners: { map: { fields: { full_name: DisplayName, programme: null, custom.rank: 1 } } } }\n", { "presets/aptem/preset.yaml": preset });
  expect(plan.flows["learners"]!.map).toEqual({ id: "aptem/learner", where: 'Status = "Active"', fields: { full_name: { expression: "DisplayName" }, "custom.rank": { constant: 1 } } });
});

test("a flow that gives a mapping another stream or entity than it is written for is told", () => {
  const { problems } = resolve("tenant: acme\npreset: aptem\nflows:\n  a: { from: aptem.organizations, map: aptem/learner, to: employer }\n");
  expect(problems).toMatchObject([
    { code: "PLAN_MAPPING_MISFIT", params: { does: "reads", expected: "aptem.users", actual: "aptem.organizations" }, at: { line: 4, col: 40 } },
    { code: "PLAN_MAPPING_MISFIT", params: { does: "makes", expected: "learner", actual: "employer" }, at: { line: 4, col: 40 } },
  ]);
});

test.each([
  ["connection", "from: aptm.users", "Connection", "aptm", "did you mean 'aptem'?"],
  ["stream", "from: aptem.user", "Stream", "aptem.user", "did you mean 'aptem.users'?"],
  ["mapping", "from: aptem.users, map: aptem/lerner", "Mapping", "aptem/lerner", "did you mean 'aptem/learner'?"],
  ["entity", "from: aptem.users, to: lerner", "Entity", "lerner", "did you mean 'learner'?"],
])("an unknown %s is reported where it is named, with the nearest", (_, keys, kind, name, suggestion) => {
  const to = keys.includes("to:") ? "" : ", to: learner";
  const { problems, plan } = resolve(`tenant: acme\npreset: aptem\nflows:\n  a: { ${keys}${to} }\n`);
  expect(problems).toMatchObject([{ code: "MANIFEST_UNKNOWN_REFERENCE", params: { kind, name, suggestion }, at: { file: "tenants/acme.yaml", line: 4 } }]);
  expect(Object.keys(plan.flows)).toEqual(["learners"]);
});

test("when the preset is not there, what is missing because of it is not told", () => {
  const { problems } = resolve("tenant: acme\npreset: aptm\nconnections: { aptem: { config: { tenant_host: acme } } }\nflows: { learners: { from: { every: 15m } }, more: { use: learners } }\ninputs: { a: 1 }\n");
  expect(problems.map(({ code, params }) => [code, params["kind"]])).toEqual([["MANIFEST_UNKNOWN_REFERENCE", "Preset"]]);
});

test("an unknown connector, preset or release is reported where it is named", () => {
  expect(resolve("tenant: acme\nconnections: { a: { connector: aptm } }\n").problems).toMatchObject([{ code: "MANIFEST_UNKNOWN_REFERENCE", params: { kind: "Connector", suggestion: "did you mean 'aptem'?" }, at: { line: 2, col: 32 } }]);
  expect(resolve("tenant: acme\npreset: aptm\n").problems).toMatchObject([{ code: "MANIFEST_UNKNOWN_REFERENCE", params: { kind: "Preset" }, at: { line: 2, col: 9 } }]);
  expect(resolve("tenant: acme\npreset: aptem@4\n").problems).toMatchObject([{ code: "MANIFEST_UNKNOWN_REFERENCE", params: { kind: "Release", name: "aptem@4" }, at: { line: 2, col: 9 } }]);
});
