import { expect, test } from "vitest";
import { parseDuration, resolvePlan } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";

const resolve = (tenant: string, changes: Record<string, string | null> = {}) => resolvePlan(trainingPlatform({ "tenants/acme.yaml": tenant }, changes), "acme");
const learners = (from: string) => resolve(`tenant: acme\npreset: aptem\nflows:\n  learners: { from: ${from} }\n`);

test.each([["30s", 30], ["15m", 900], ["1h", 3600], ["7d", 604_800], ["2w", 1_209_600], ["500ms", 0.5], ["1.5h", 5400]])("%s is %d seconds", (written, seconds) => {
  expect(parseDuration(written)).toBe(seconds);
});

test.each(["15", "m", "", "15 m", "1y", "-1h", "1h ", "PT1H", "1h30m", 15, null])("%j is no duration", (written) => {
  expect(parseDuration(written)).toBeUndefined();
});

test("a cron of another number of parts is told with how many it has, and nothing of forms that a schedule does not take", () => {
  const [problem] = learners('{ cron: "99 * * *" }').problems;
  expect(problem).toMatchObject({ code: "MANIFEST_WRONG_VALUE", params: { suggestion: expect.stringMatching(/^It has 4 parts;(?!.*seven)/) as string } });
});

test("a tenant's cron takes the place of the preset's every", () => {
  const { plan, problems } = learners('{ cron: "*/15 * * * *" }');
  expect(problems).toEqual([]);
  expect(plan.flows["learners"]!.schedule).toEqual({ cron: "*/15 * * * *", time_zone: "UTC" });
});

test("a flow whose every is removed runs only when asked", () => {
  expect(learners("{ every: null }").plan.flows["learners"]).not.toHaveProperty("schedule");
});

test.each([
  ["a word", '"daily"'], ["six parts", '"0 0 7 * * 1"'], ["a minute that is none", '"61 * * * *"'], ["a day that never comes", '"0 0 31 2,4 *"'],
])("a cron with %s is refused at its place", (_, cron) => {
  const { plan, problems } = learners(`{ cron: ${cron} }`);
  expect(problems).toMatchObject([{ code: "MANIFEST_WRONG_VALUE", params: { field: "flows.learners.from.cron" }, at: { line: 4, col: 29 } }]);
  expect(plan.flows["learners"]).not.toHaveProperty("schedule");
});

test.each(['"0 0 29 2 *"', '"0 0 31 2 1"', '"0 0 L 2 *"'])("cron %s fires, if rarely", (cron) => {
  expect(learners(`{ cron: ${cron} }`).problems).toEqual([]);
});

test("a time zone that does not exist, and a duration that is none, are refused at their place", () => {
  expect(learners('{ cron: "0 7 * * *", time_zone: Europe/Londn }').problems).toMatchObject([{ code: "MANIFEST_WRONG_VALUE", params: { field: "flows.learners.from.time_zone" }, at: { line: 4, col: 53 } }]);
  expect(learners("{ every: hourly }").problems).toMatchObject([{ code: "MANIFEST_WRONG_VALUE", params: { field: "flows.learners.from.every" }, at: { line: 4, col: 30 } }]);
  expect(learners("{ every: 0s }").problems).toMatchObject([{ code: "MANIFEST_WRONG_VALUE" }]);
});

test("caps and the quarantine threshold have defaults, and take what is written", () => {
  expect(resolve("tenant: acme\npreset: aptem\n").plan.flows["learners"]).toMatchObject({ caps: {}, quarantine: { share: 0.1, count: 1000 } });
  expect(resolve("tenant: acme\npreset: aptem\nflows: { learners: { caps: { pages: 5, time: 1h }, quarantine: { share: 0.5 } } }\n").plan.flows["learners"]).toMatchObject({ caps: { pages: 5, seconds: 3600 }, quarantine: { share: 0.5, count: 1000 } });
});

test("fields are expressions, constants or references; a leading = is not part of the expression", () => {
  const fields = "fields: { a: =Name, b: 3, c: true, d: '\"GB\"', e: \"null\", f: { ref: employer, key: =EmployerId } }";
  expect(resolve(`tenant: acme\npreset: aptem\nflows: { learners: { map: { ${fields} } } }\n`).plan.flows["learners"]!.map!.fields).toMatchObject({
    a: { expression: "Name" }, b: { constant: 3 }, c: { constant: true }, d: { expression: '"GB"' }, e: { expression: "null" }, f: { ref: "employer", key: "EmployerId" },
  });
});

test("only the fields that are read are asked for: mapping, where, reference, key and cursor", () => {
  const { plan } = resolve("tenant: acme\npreset: aptem\nflows: { learners: { map: { fields: { a: $uppercase(Nested.City), f: { ref: employer, key: EmployerId }, full_name: null } } } }\n");
  expect(plan.flows["learners"]!.select).toEqual(["EmployerId", "Id", "Nested", "Programme", "Status", "UpdatedDate"]);
});

test("below the stream's select path; what stands beside it need not be asked for", () => {
  const { plan } = resolve("tenant: acme\npreset: aptem-hubspot\nflows: { employers: { map: { fields: { domain: properties.domain, archived: archived } } } }\n");
  expect(plan.flows["employers"]!.select).toEqual(["domain", "name"]);
});

test("nothing is left out when an expression reads the record as a whole", () => {
  expect(resolve("tenant: acme\npreset: aptem\nflows: { learners: { map: { fields: { custom.all: $string($) } } } }\n").plan.flows["learners"]!.select).toEqual([]);
  expect(resolve("tenant: acme\npreset: aptem-hubspot\nflows: { employers: { map: { fields: { custom.all: $keys(properties) } } } }\n").plan.flows["employers"]!.select).toEqual([]);
});

const withInputs = catalogue["presets/aptem/preset.yaml"]!.replace("connections:", "inputs:\n  country: { title: Country, enum: [GB, IE], default: GB }\n  site: { title: Site, type: integer }\nconnections:");
const inputs = (written: string) => resolve(`tenant: acme\npreset: aptem\ninputs: ${written}\n`, { "presets/aptem/preset.yaml": withInputs });

test("inputs are the preset's defaults with the tenant's answers over them", () => {
  expect(inputs("{ site: 3 }").plan.inputs).toEqual({ country: "GB", site: 3 });
  const { plan, problems } = inputs("{ site: 3, country: IE }");
  expect(problems).toEqual([]);
  expect(plan.inputs).toEqual({ country: "IE", site: 3 });
  expect(plan.origins["/inputs/country"]).toMatchObject({ layer: "tenant", line: 3, shadows: [{ layer: "preset", value: "GB" }] });
});

test.each([
  ["one that is missing", "{ country: IE }", "MANIFEST_MISSING_FIELD", "inputs.site"],
  ["one that is not offered", "{ site: 3, country: FR }", "MANIFEST_WRONG_VALUE", "inputs.country"],
  ["one of another type", "{ site: three }", "MANIFEST_WRONG_VALUE", "inputs.site"],
  ["one that nobody asked for", "{ site: 3, contry: IE }", "MANIFEST_UNKNOWN_FIELD", "contry"],
])("an input is refused: %s", (_, written, code, field) => {
  expect(inputs(written).problems).toMatchObject([{ code, params: { field }, at: { file: "tenants/acme.yaml", line: 3 } }]);
});

test("a flow that does not go from a stream to an entity is left to later versions, and can be explained", () => {
  const { plan, problems } = resolve("tenant: acme\npreset: aptem\nflows: { out: { from: { entity: learner, due: starts_at }, to: { subject: learners.due } } }\n");
  expect(problems).toEqual([]);
  expect(Object.keys(plan.flows)).toEqual(["learners"]);
});
