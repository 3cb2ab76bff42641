/** What a change of a row means for a flow: whether it fires, and what a mapping sees through references. */
import { describe, expect, test } from "vitest";
import type { ChangeFlowPlan, TenantPlan } from "../../../engine/plan/types.ts";
import { compileChangeFlow, type ChangeSeen, type FindRow } from "../../../engine/run/change-flow.ts";
import { planOf } from "../../support/plan.ts";

const entity = (properties: object) => ({ schema: { type: "object", properties }, match: [], prefer: [], custom: [] }) as unknown as TenantPlan["entities"][string];
const tenant: TenantPlan = { ...planOf(), entities: { interview: entity({ application: { type: "string", "x-ref": "application" } }), application: entity({ candidate: { type: "string", "x-ref": "candidate" } }), candidate: entity({}) } };
const flow = (parts: Partial<ChangeFlowPlan>): ChangeFlowPlan => ({ name: "out", enabled: true, entity: "interview", mint: {}, labels: {}, to: { action: "act", connection: "crm", connector: "crm" }, ...parts });
const change = (parts: Partial<ChangeSeen>): ChangeSeen => ({ id: "r-1", links: {}, ...parts });

describe("fires", () => {
  const fires = (parts: Partial<ChangeFlowPlan>, before: object | undefined, after: object | undefined) =>
    compileChangeFlow(flow(parts), tenant).fires(change({ ...(before === undefined ? {} : { before: before as never }), ...(after === undefined ? {} : { after: after as never }) }));
  test.each([
    ["on the edge", { s: "a" }, { s: "won" }, true],
    ["not while it stays", { s: "won" }, { s: "won", n: 2 }, false],
    ["not when it leaves", { s: "won" }, { s: "a" }, false],
    ["for a new row", undefined, { s: "won" }, true],
    ["where the expression fails on what was before", { s: { x: 1 } }, { s: "won" }, true],
    ["not for a row that ended", { s: "won" }, undefined, false],
  ])("becomes: %s", async (_, before, after, expected) => {
    expect(await fires({ becomes: '$uppercase(s) = "WON"' }, before, after)).toBe(expected);
  });

  test("when sees the row before and after", async () => {
    expect(await fires({ when: "$not(before.s = after.s)" }, { s: 1 }, { s: 2 })).toBe(true);
    expect(await fires({ when: "$not(before.s = after.s)" }, { s: 1 }, { s: 1, n: 2 })).toBe(false);
  });

  test("when names the row's fields by themselves too", async () => {
    expect(await fires({ when: "s = 2 and before.s = 1" }, { s: 1 }, { s: 2 })).toBe(true);
    expect(await fires({ when: "s = 3" }, { s: 1 }, { s: 2 })).toBe(false);
  });

  test("a row that the mapping's where leaves out is not sent", async () => {
    expect(await fires({ map: { where: "s", fields: {} } }, undefined, { s: "" })).toBe(false);
    expect(await fires({ map: { where: "s", fields: {} } }, undefined, { s: "x" })).toBe(true);
  });

  test("an expression that fails on the row itself is told, not swallowed", async () => {
    expect(await fires({ becomes: "$uppercase(s) = \"WON\"" }, undefined, { s: 7 })).toMatchObject({ code: "MAPPING_EVALUATION", params: { field: "becomes" } });
  });
});

describe("maps", () => {
  const rows: Record<string, { data: object; links: Record<string, string> }> = {
    "application a1": { data: { candidate: "c9", stage: "won" }, links: { ats: "a1" } },
    "candidate c9": { data: { email: "ann@x.io" }, links: { ats: "c9", crm: "77" } },
  };
  const asked: string[] = [];
  const find: FindRow = async (name, key) => {
    asked.push(`${name} ${key}`);
    const row = rows[`${name} ${key}`];
    return row && { id: `row-${key}`, data: row.data as never, links: row.links };
  };
  const map = (fields: Record<string, string>, after: object = { application: "a1", score: 4 }, templates?: Record<string, string>) => {
    asked.length = 0;
    const plan = { fields: Object.fromEntries(Object.entries(fields).map(([name, expression]) => [name, { expression }])), ...(templates ? { templates: Object.fromEntries(Object.entries(templates).map(([name, text]) => [name, { file: `${name}.hbs`, text }])) } : {}) };
    return compileChangeFlow(flow({ map: plan }), tenant).map(change({ after: after as never, links: { ats: "i1" } }), { link: "L" }, find);
  };

  test("references are followed, as far as they are read, and each row is looked for once", async () => {
    expect(await map({ email: "application.candidate.email", at: "application.candidate.links.crm", stage: "application.stage", score: "score" })).toEqual({ input: { score: 4, email: "ann@x.io", at: "77", stage: "won" } });
    expect(asked.toSorted()).toEqual(["application a1", "candidate c9"]);
  });

  test("a field that reads the reference itself sees its key, whatever others look through it", async () => {
    expect(await map({ key: "application", stage: "application.stage" })).toEqual({ input: { key: "a1", stage: "won" } });
  });

  test("a row that is not there yet is named; one that is not referred to is absent", async () => {
    expect(await map({ email: "application.candidate.email" }, { application: "a2" })).toEqual({ missing: { field: "application", entity: "application", key: "a2" } });
    expect(await map({ email: "application.candidate.email", score: "score" }, { score: 1 })).toEqual({ input: { score: 1 } });
    expect(await map({ key: "application" }, { application: "a2" })).toEqual({ input: { key: "a2" } });
  });

  test("the row's own id and keys, minted values and the tenant", async () => {
    expect(await map({ id: "id", key: "links.ats", link: "$link", who: "$tenant.title" })).toEqual({ input: { id: "r-1", key: "i1", link: "L", who: "Acme" } });
  });

  test("a template sees the same, and follows what it names", async () => {
    expect(await map({ score: "score" }, undefined, { text: "{{application.candidate.email}}: {{score}} {{link}}" })).toEqual({ input: { score: 4, text: "ann@x.io: 4 L" } });
    expect(await map({}, { score: 1 }, { text: "{{application.candidate.email}}" })).toEqual({ input: {} });
  });

  test("fields of one object may look through different references", async () => {
    expect(await map({ "to.email": "application.candidate.email", "to.stage": "application.stage", "to.score": "score" })).toEqual({ input: { to: { score: 4, email: "ann@x.io", stage: "won" } } });
  });

  test("a field that fails is told with its name", async () => {
    expect(await map({ a: "$uppercase(score)" })).toMatchObject({ failed: { code: "MAPPING_EVALUATION", params: { field: "a" } } });
  });
});
