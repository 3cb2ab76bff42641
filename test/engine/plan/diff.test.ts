import { expect, test } from "vitest";
import { read } from "../../../engine/manifest/index.ts";
import { diffPlans, diffTenants, highestRisk, resolveAll, textOfChanges, type TenantPlan } from "../../../engine/plan/index.ts";
import { readCatalogue } from "../../../server/workspace/read-tree.ts";

const BASE: Record<string, string> = {
  "workspace.yaml": "name: Test\ncatalogue: builtin\n",
  "tenants/acme.yaml": "tenant: acme\ntitle: Acme\npreset: aptem-hubspot\nconnections:\n  aptem: { config: { tenant_host: acme } }\nflows:\n  learners:\n    from: { every: 15m }\n    map: { fields: { custom.division: UserCustom_Division } }\n",
  "tenants/bolt.yaml": "tenant: bolt\ntitle: Bolt\npreset: aptem\nconnections:\n  aptem: { config: { tenant_host: bolt } }\n",
};
const catalogue = readCatalogue();
const plans = (change: Record<string, string | null> = {}): ReadonlyMap<string, TenantPlan> => {
  const files = new Map(Object.entries({ ...BASE, ...change }).flatMap(([file, text]) => (text === null ? [] : [[file, text] as const])));
  const { plans: made, problems } = resolveAll(read([catalogue, { layer: "workspace", label: "", files }]));
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return made;
};
const acme = (from: string, to: string) => ({ "tenants/acme.yaml": BASE["tenants/acme.yaml"]!.replace(from, to) });
const diff = (change: Record<string, string | null>) => diffTenants(plans(), plans(change));

test("the same configuration written differently is no change, and has the same text", () => {
  const same = diff({ "tenants/acme.yaml": `# moved down\n\n${BASE["tenants/acme.yaml"]!.replace("{ every: 15m }", "\n      every: 15m   # the same")}` });
  expect(same).toEqual([]);
  const [a, b] = [diff(acme("15m", "5m")), diff({ "tenants/acme.yaml": `# moved\n${BASE["tenants/acme.yaml"]!.replace("15m", "300s")}` })];
  expect(textOfChanges(a)).toBe(textOfChanges(b));
  expect(textOfChanges(a)).not.toBe(textOfChanges(diff(acme("15m", "6m"))));
});

test.each([
  ["another interval", acme("15m", "5m"), "safe", "flows.learners.schedule"],
  ["one more field", acme("custom.division: UserCustom_Division", "custom.division: UserCustom_Division, custom.who: $uppercase(FullName)"), "safe", "flows.learners.map.fields.custom.who"],
  ["a field that asks for more", acme("custom.division: UserCustom_Division", "custom.division: UserCustom_Division, custom.owner: UserPersonalDetails_OwnerId"), "resync", "flows.learners.select"],
  ["a field less", acme("    map: { fields: { custom.division: UserCustom_Division } }\n", ""), "destructive", "flows.learners.map.fields.custom.division"],
  ["other records", acme("map: { fields", "map: { where: Id > 5, fields"), "resync", "flows.learners.map.where"],
  ["a flow that stops", acme("from: { every: 15m }", "enabled: false"), "destructive", "flows.learners.enabled"],
  ["a flow that ends", acme("  learners:\n", "  employers: null\n  learners:\n"), "destructive", "flows.employers"],
  ["a connection that ends", { "tenants/acme.yaml": "tenant: acme\ntitle: Acme\npreset: aptem\nconnections:\n  aptem: { config: { tenant_host: acme } }\nflows:\n  learners:\n    from: { every: 15m }\n    map: { fields: { custom.division: UserCustom_Division } }\n" }, "destructive", "connections.hubspot"],
  ["another host", acme("tenant_host: acme", "tenant_host: other"), "new_scope", "connections.aptem.config.tenant_host"],
  ["what roles may", acme("preset: aptem-hubspot\n", "preset: aptem-hubspot\npolicy: { tenant_admin: { credentials: write } }\n"), "new_scope", "policy.tenant_admin"],
  ["other rows joined", acme("flows:\n", "entities: { employer: { match: [domain] } }\nflows:\n"), "destructive", "entities.employer.match"],
  ["hosts of a connector", { "connectors/aptem/connector.yaml": "connector: aptem\nhttp: { hosts: [\"*.aptem.co.uk\", \"*.example.com\"] }\n" }, "new_scope", "connectors.aptem.http.hosts"],
  ["the key of a stream", { "connectors/aptem/connector.yaml": "connector: aptem\nstreams: { users: { key: Email } }\n" }, "resync", "connectors.aptem.streams.users.key"],
  ["a title", acme("title: Acme", "title: Acme Ltd"), "safe", "tenant.title"],
] as const)("%s is found, rated, and says where it is written", (_name, change, risk, path) => {
  const [found] = diff(change as Record<string, string | null>);
  expect(found).toMatchObject({ tenant: "acme", change: "changed", risk });
  const named = found!.changes.find((each) => each.path === path);
  expect(named, JSON.stringify(found!.changes.map(({ path: at }) => at))).toMatchObject({ risk, ...(risk === "safe" ? {} : { why: expect.any(String) }) });
  expect((named!.to ?? named!.from)!.line).toBeGreaterThan(0);
});

test("tenants come and go", () => {
  const found = diff({ "tenants/bolt.yaml": null, "tenants/coastal.yaml": "tenant: coastal\ntitle: Coastal\npreset: aptem\n" });
  expect(found.map(({ tenant, change, risk }) => [tenant, change, risk])).toEqual([["bolt", "removed", "destructive"], ["coastal", "added", "safe"]]);
  expect(highestRisk(found.map(({ risk }) => risk))).toBe("destructive");
});

/** What a plan says besides; found under another name, or not of the configuration's effect. */
const ELSEWHERE = [/^\/origins/, /^\/tenant\/id$/, /^\/entities\/[^/]+\/limit/, /^\/flows\/[^/]+\/(name|connector)$/, /^\/change_flows\/[^/]+\/name$/];

test("whatever differs between two plans is found: an approval of their difference is one of everything", () => {
  const plan = JSON.parse(JSON.stringify(plans().get("acme"))) as TenantPlan;
  let looked = 0;
  const missed: string[] = [];
  const visit = (value: unknown, keys: readonly string[]): void => {
    const pointer = `/${keys.join("/")}`;
    if (ELSEWHERE.some((pattern) => pattern.test(pointer))) return;
    if (typeof value === "object" && value !== null && Object.keys(value).length > 0) return Object.entries(value).forEach(([key, member]) => visit(member, [...keys, key]));
    const changed = structuredClone(plan) as unknown as Record<string, unknown>;
    const parent = keys.slice(0, -1).reduce<Record<string, unknown>>((here, key) => here[key] as Record<string, unknown>, changed);
    parent[keys.at(-1)!] = typeof value === "boolean" ? !value : typeof value === "number" ? value + 1 : Array.isArray(value) ? ["x"] : typeof value === "object" ? { x: 1 } : `${String(value)}x`;
    looked++;
    if (diffPlans(plan, changed as unknown as TenantPlan).length === 0) missed.push(pointer);
  };
  visit(plan, []);
  // Error rules are tried in order.
  const turned = structuredClone(plan) as unknown as { connectors: Record<string, { http: { errors: object } }> };
  const [id, connector] = Object.entries(turned.connectors).find(([, { http }]) => Object.keys(http.errors).length > 1)!;
  connector.http.errors = Object.fromEntries(Object.entries(connector.http.errors).toReversed());
  expect(diffPlans(plan, turned as unknown as TenantPlan).map(({ path }) => path)).toEqual([`connectors.${id}.http.errors`]);
  expect(looked).toBeGreaterThan(150);
  expect(missed).toEqual([]);
});
