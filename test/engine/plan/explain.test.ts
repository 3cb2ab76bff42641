import { expect, test } from "vitest";
import { explain, originOfPointer, resolvePlan } from "../../../engine/plan/index.ts";
import { trainingPlatform } from "../../support/training-platform.ts";

const workspace = trainingPlatform({
  "tenants/acme.yaml": `tenant: acme
preset: aptem-hubspot
connections: { aptem: { config: { tenant_host: acme } } }
flows:
  learners: { from: { cron: "*/15 * * * *" }, map: { fields: { custom.division: UserCustom_Division } } }
`,
});
const refusal = (path: string): { code: string; hint: string } => {
  try {
    explain(workspace, "acme", path);
  } catch (thrown) {
    return thrown as { code: string; hint: string };
  }
  throw new Error(`${path} has a value`);
};

test.each([
  ["connections.aptem.config.tenant_host", "acme", "tenants/acme.yaml", 3, 48],
  ["flows.learners.map.fields.custom.division", "UserCustom_Division", "tenants/acme.yaml", 5, 81],
  ["flows.learners.map.fields.full_name", "FullName", "mappings/aptem/learner.yaml", 6, 14],
  ["flows.learners.map.use", "aptem/learner", "presets/aptem-hubspot/preset.yaml", 10, 73],
  ["connectors.aptem.http.base_url", "https://{{config.tenant_host}}.aptem.example/odata", "connectors/aptem/connector.yaml", 8, 13],
  ["connectors.aptem.streams.users.list.get", "/{{with.set}}", "connectors/aptem/connector.yaml", 19, 10],
  ["connectors.aptem.streams.users.get", "/{{with.set}}", "connectors/aptem/connector.yaml", 19, 10],
  ["/connectors/aptem/streams/users/list/get", "/{{with.set}}", "connectors/aptem/connector.yaml", 19, 10],
  ["entities.employer.schema.properties.country.type", "string", "schemas/entities/employer.schema.json", 2, 70],
])("%s is found as a person writes it, in its file", (path, value, file, line, col) => {
  expect(explain(workspace, "acme", path)).toMatchObject([{ value, origin: { file, line, col } }]);
});

test("a subtree lists each of its leaves, a list of plain values as one", () => {
  expect(explain(workspace, "acme", "flows.learners.from").map(({ path, value }) => [path, value])).toEqual([
    ["flows.learners.from.stream", "aptem.users"], ["flows.learners.from.sweep", "7d"], ["flows.learners.from.cron", "*/15 * * * *"],
  ]);
  expect(explain(workspace, "acme", "entities.employer.match")).toMatchObject([{ value: ["name"], origin: { layer: "preset", line: 8 } }]);
});

test("without a path, everything, each leaf with an origin of a real line", () => {
  const all = explain(workspace, "acme");
  expect(all.length).toBeGreaterThan(80);
  for (const { origin, path } of all) expect(origin, path).toMatchObject({ file: expect.stringMatching(/\.(yaml|json)$/), line: expect.any(Number), col: expect.any(Number) });
});

test("a value that a layer removed is told with what it was and who removed it", () => {
  expect(refusal("flows.learners.from.every")).toMatchObject({ code: "PLAN_UNKNOWN_PATH", hint: 'tenants/acme.yaml:5:29 removes it; it was "1h"' });
});

test.each([
  ["flows.lerners.from.stream", "did you mean 'flows.learners.from.stream'?"],
  ["connectors.aptem.http.base_uri", "did you mean 'connectors.aptem.http.base_url'?"],
  ["flows.learners.from.stream.x", "'flows.learners.from.stream' is a single value"],
  ["flows.zzz", "'flows' has: learners, employers"],
])("%s has no value, and the nearest is named", (path, hint) => {
  expect(refusal(path)).toMatchObject({ code: "PLAN_UNKNOWN_PATH", hint });
});

test("a pointer into the plan leads to where it was written, whatever the plan calls it", () => {
  const { plan } = resolvePlan(workspace, "acme");
  const place = (pointer: string) => {
    const origin = originOfPointer(plan, pointer);
    return origin && `${origin.file}:${origin.line}`;
  };
  expect(place("/flows/learners/schedule/cron")).toBe("tenants/acme.yaml:5");
  expect(place("/flows/employers/schedule/every_seconds")).toBe("presets/aptem-hubspot/preset.yaml:11");
  expect(place("/flows/employers/sweep_seconds")).toBe("presets/aptem-hubspot/preset.yaml:11");
  expect(place("/flows/learners/map/fields/custom.division/expression")).toBe("tenants/acme.yaml:5");
  expect(place("/flows/learners/map/where")).toBe("mappings/aptem/learner.yaml:4");
  expect(place("/connectors/aptem/streams/users/list/request/path")).toBe("connectors/aptem/connector.yaml:19");
  expect(place("/connectors/aptem/streams/users/list/request/query/$skip")).toBe("connectors/aptem/connector.yaml:20");
  expect(place("/connectors/hubspot/streams/companies/list/request/body/value/properties")).toBe("connectors/hubspot/connector.yaml:12");
  expect(place("/connectors/aptem/http/auth/named/default/value")).toBe("connectors/aptem/connector.yaml:10");
  expect(place("/connectors/aptem/http/limits/all/every_seconds")).toBe("connectors/aptem/connector.yaml:11");
  expect(place("/connectors/aptem/streams/users/cursor/type")).toBe("connectors/aptem/connector.yaml:23");
  expect(place("/entities/employer/prefer")).toBe("presets/aptem-hubspot/preset.yaml:8");
});
