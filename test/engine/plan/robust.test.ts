/** A plan is asked for while a person still types: whatever stands in the files, problems are collected and nothing is thrown. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify, parse } from "yaml";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { cutRelease, diffPlans, diffPresets, explain, resolveAll, resolvePlan } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";

const tenant = `tenant: acme
preset: aptem-hubspot
connections: { aptem: { config: { tenant_host: acme }, locks: [start], streams: { more: { use: entity_set, with: { set: More } } } }, us: { connector: hubspot } }
flows:
  learners: { from: { cron: "*/15 * * * *" }, map: { fields: { custom.division: Division } } }
  employers_us: { use: employers, from: { connection: us } }
reports: { employer-overview: null }
inputs: { a: 1 }
limits: { learners: 500 }
`;
const files: Readonly<Record<string, string>> = { ...catalogue, "tenants/acme.yaml": tenant };

const oddity = fc.oneof(
  fc.constantFrom<unknown>(null, "", "null", "=", "a.b", "constructor", "__proto__", "toString.x", 0, -1, 1e30, true, [], {}, [null], [[]], { use: "learners" }, { use: "entity_set" }, { type: 1 }, { by: [] }, { constructor: { from: "a" } }, "aptem@x", "@", "aptem-hubspot@1"),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown),
);

test("one odd value anywhere in any file never makes the plan throw, and the plan stays JSON", () => {
  const places = Object.entries(files).flatMap(([file, text]) => pathsOf(parse(text)).map((path) => [file, path] as const));
  fc.assert(fc.property(fc.constantFrom(...places), oddity, ([file, path], value) => {
    const broken = { ...files, [file]: stringify(replaced(parse(files[file]!), path, value)) };
    const { "tenants/acme.yaml": own, ...rest } = broken;
    const workspace = trainingPlatform({ "tenants/acme.yaml": own! }, rest);
    if (!workspace.tenants.has("acme")) return;
    const { plan } = resolvePlan(workspace, "acme");
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    resolveAll(workspace);
    explain(workspace, "acme");
    expect(diffPlans(plan, plan)).toEqual([]);
    for (const act of [() => cutRelease(workspace, "aptem-hubspot"), () => diffPresets(workspace, "aptem-hubspot", "aptem")]) {
      try {
        act();
      } catch (thrown) {
        if (!(thrown instanceof PlugboardError)) throw thrown;
      }
    }
  }), { numRuns: Number(process.env["FUZZ_RUNS"] ?? 150) });
});

function pathsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...members.flatMap(([key, member]) => pathsOf(member, [...path, key]))];
}

function replaced(whole: unknown, [key, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(whole)) return whole.map((item, index) => (index === key ? replaced(item, rest, value) : item));
  return Object.fromEntries(Object.entries(whole as object).map(([name, member]) => [name, name === key ? replaced(member, rest, value) : member]));
}
