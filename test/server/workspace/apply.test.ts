import { afterEach, beforeEach, expect, test } from "vitest";
import { currentRevision, listSchedules, listTenants, readPlan } from "../../../engine/store/index.ts";
import type { SourceTree } from "../../../engine/manifest/types.ts";
import { applyWorkspace } from "../../../server/workspace/apply.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
beforeEach(async () => { database = await testDatabase(); });
afterEach(() => database.close());

const CONNECTOR = `connector: crm
title: CRM
config: { token: { title: API token, secret: true } }
http: { base_url: https://crm.example.com, auth: { type: bearer, token: "{{config.token}}" } }
streams:
  people: { get: /people, records: items, key: id, pagination: { type: page, start: 1, size: 2 }, query: { page: "=page.number" } }
`;
const tenant = (id: string, every = "1h"): string => `tenant: ${id}\ntitle: ${id} Ltd\nconnections: { crm: { connector: crm } }\nflows:\n  people: { from: { stream: crm.people, every: ${every} }, map: crm/person, to: person }\n`;
const FILES = {
  "workspace.yaml": "name: Test\ncatalogue: builtin\n",
  "connectors/crm/connector.yaml": CONNECTOR,
  "mappings/crm/person.yaml": "mapping: crm/person\nfrom: crm.people\nto: person\nfields:\n  name: name\n",
  "schemas/entities/person.schema.json": JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", properties: { name: { type: "string", "x-label": "Name" } } }),
  "tenants/acme.yaml": tenant("acme"),
};
const apply = (files: Readonly<Record<string, string>>, commit?: string) => {
  const trees: SourceTree[] = [{ layer: "workspace", label: "", files: new Map(Object.entries(files)) }];
  return applyWorkspace({ db: database.db, trees, ...(commit === undefined ? {} : { commit }) });
};
const { "tenants/acme.yaml": _, ...withoutAcme } = FILES;

test("puts every tenant in force, with its plan and its schedules", async () => {
  const applied = await apply({ ...FILES, "tenants/bolt.yaml": tenant("bolt", "15m") }, "c0ffee");
  expect(applied).toMatchObject({ applied: true, tenants: ["acme", "bolt"], changed: ["acme", "bolt"] });
  const revision = (await currentRevision(database.db, "bolt"))!;
  expect((await readPlan(database.db, "bolt", revision)).flows["people"]).toMatchObject({ schedule: { every_seconds: 900 }, to: { entity: "person" } });
  expect((await listSchedules(database.db, "bolt")).map(({ flow, schedule }) => [flow, schedule])).toEqual([["people", { every_seconds: 900 }]]);
});

test("applied again, changes nothing", async () => {
  const first = await apply(FILES, "c0ffee");
  const second = await apply(FILES, "c0ffee");
  expect(second).toEqual({ ...first, changed: [] });
});

test("one error anywhere refuses all of it, with its place, and the last good revision stays", async () => {
  await apply(FILES);
  const before = await currentRevision(database.db, "acme");
  const refused = await apply({ ...FILES, "tenants/acme.yaml": tenant("acme", "5m"), "tenants/bolt.yaml": tenant("bolt").replace("crm.people", "crm.peeple") });
  expect(refused.applied).toBe(false);
  if (!refused.applied) expect(refused.problems.find(({ severity }) => severity === "error")?.at).toMatchObject({ file: "tenants/bolt.yaml", line: 5 });
  expect(await currentRevision(database.db, "acme")).toBe(before);
  expect((await listTenants(database.db)).map(({ slug }) => slug)).not.toContain("bolt");
  expect((await listSchedules(database.db, "acme"))[0]!.schedule).toEqual({ every_seconds: 3600 });
});

test("a tenant that is no longer named keeps its rows and loses its schedules", async () => {
  await apply({ ...FILES, "tenants/bolt.yaml": tenant("bolt") });
  const applied = await apply({ ...withoutAcme, "tenants/bolt.yaml": tenant("bolt") });
  expect(applied).toMatchObject({ applied: true, tenants: ["bolt"], changed: ["acme"] });
  expect((await listSchedules(database.db, "acme")).filter(({ enabled }) => enabled)).toEqual([]);
  expect((await listTenants(database.db)).map(({ slug }) => slug)).toEqual(expect.arrayContaining(["acme", "bolt"]));
});

test("going back to an earlier tree goes back to its revision", async () => {
  const first = await apply(FILES);
  await apply({ ...FILES, "tenants/acme.yaml": tenant("acme", "5m") });
  const back = await apply(FILES);
  expect(back).toMatchObject({ applied: true, changed: ["acme"], revision: (first as { revision: string }).revision });
  expect((await listSchedules(database.db, "acme"))[0]!.schedule).toEqual({ every_seconds: 3600 });
});
