import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectorPlan, MappingPlan, TenantPlan } from "../../../engine/plan/types.ts";
import type { Keyring } from "../../../engine/store/index.ts";
import { dataEffect } from "../../../server/review/index.ts";
import { effectText, planMarkdown } from "../../../server/review/words.ts";
import { beginFlow, keyring, page, plan, record } from "../../engine/store/rig.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => {
  at = await testDatabase();
  keys = await keyring();
  const flow = await beginFlow(at.db, keys, "acme");
  await flow.commit(page(Array.from({ length: 250 }, (_, index) => record(String(index + 1), { hours: index, email: index % 50 === 0 ? null : `l${index}@example.com` }))));
  await beginFlow(at.db, keys, "empty");
});
afterAll(() => at.close());

const connector: ConnectorPlan = { id: "aptem", title: "Aptem", config: {}, streams: { users: { with: {}, key: ["id"], types: {}, errors: {} } } };
const mapped = (map: MappingPlan, tenant = "acme"): ReadonlyMap<string, TenantPlan> => {
  const base = plan(tenant);
  return new Map([[tenant, { ...base, connectors: { aptem: connector }, flows: { learners: { ...base.flows["learners"]!, map } } }]]);
};
const fields = (more: Record<string, string> = {}): MappingPlan => ({ fields: Object.fromEntries(Object.entries({ full_name: "secret_of", ...more }).map(([name, expression]) => [name, { expression }])) });
const effect = async (after: MappingPlan, before = fields()) => (await dataEffect({ db: at.db, keyring: keys }, mapped(before), mapped(after))).flows[0];

test("the records read last run through both mappings: fields that differ are counted, and shown", async () => {
  const found = (await effect(fields({ hours: "hours * 2", "custom.double": "hours * 2" })))!;
  expect(found).toMatchObject({ tenant: "acme", flow: "learners", stream: "aptem.users", entity: "learner", looked_at: 200, changed: 200, newly_invalid: 0, fields: { hours: 200, "custom.double": 200 } });
  expect(found.samples).toHaveLength(5);
  expect(found.samples[0]).toMatchObject({ outcome: "changed", before: { full_name: expect.any(String) }, after: { hours: expect.any(Number), custom: { double: expect.any(Number) } } });
  expect(effectText(found)).toBe("200 records looked at: 200 change");
});

test("records that would be refused come first, with the reason; those no longer wanted are counted apart", async () => {
  const refused = (await effect(fields({ email: "$lowercase(email)" })))!;
  expect(refused).toMatchObject({ newly_invalid: 5, changed: 195, reasons: [{ records: 5, reason: expect.stringContaining("email") }] });
  expect(refused.samples.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => "newly_invalid"));
  const filtered = (await effect({ ...fields(), where: "hours >= 100" }))!;
  expect(filtered).toMatchObject({ changed: 0, newly_invalid: 0, newly_filtered: filtered.looked_at - 200 + filtered.newly_filtered });
  expect(filtered.newly_filtered).toBeGreaterThan(30);
  expect((await effect(fields(), fields({ hours: "secret_of" })))!).toMatchObject({ newly_valid: 200 });
});

test("the same effect written differently changes no record; a mapping that did not change is not looked at", async () => {
  expect(await effect(fields({ hours: "hours + 0" }), fields({ hours: "hours" }))).toMatchObject({ looked_at: 200, changed: 0, fields: {} });
  expect(await effect(fields())).toBeUndefined();
});

test("without a record that is kept as it was sent it says so, and a tenant that is not there yet is no error", async () => {
  for (const [tenant, note] of [["empty", "no record of it is kept as it was sent"], ["nobody", "nothing is stored for this tenant yet"]] as const) {
    const { flows } = await dataEffect({ db: at.db, keyring: keys }, mapped(fields(), tenant), mapped(fields({ hours: "hours" }), tenant));
    expect(flows).toMatchObject([{ tenant, looked_at: 0, note }]);
  }
});

test("in a pull request, what people wrote makes no links and no table cells", () => {
  const text = planMarkdown({
    hash: "h", risk: "safe", unchanged: 0, settings: [], files: [], warnings: [],
    tenants: [{ tenant: "acme", title: "Acme [x](http://evil) |", change: "changed", risk: "safe", changes: [{ kind: "tenant", name: "title", path: "tenant.title", change: "changed", before: "a | b", after: "<img src=x>", risk: "safe" }] }],
  });
  expect(text).not.toMatch(/[^\\]\[x\]|[^\\]<img/);
  expect(text).toContain("a \\| b");
});

test("of many customers that change, some from everywhere are looked at, with fewer records of each; the rest is counted, and said", async () => {
  const many = (map: MappingPlan) => new Map(Array.from({ length: 150 }, (_, index) => [`t${String(index).padStart(3, "0")}`, mapped(map, index % 5 === 0 ? "acme" : "nobody").values().next().value!]));
  const found = await dataEffect({ db: at.db, keyring: keys }, new Map([...many(fields()), ...mapped(fields())]), new Map([...many(fields({ hours: "hours" })), ...mapped(fields({ hours: "hours" }))]));
  expect([found.flows.length, found.left_out, found.records_each]).toEqual([60, 91, 100]);
  const looked = found.flows.map(({ tenant }) => tenant).toSorted();
  expect([looked[0], looked.at(-1)!.slice(0, 3)]).toEqual(["t000", "t14"]);
  expect(planMarkdown({ hash: "h", risk: "safe", unchanged: 0, settings: [], files: [], warnings: [], tenants: [] }, { data: found })).toContain("60 of 151 flows that change were looked at, from all over the tenants, up to 100 records of each.");
});
