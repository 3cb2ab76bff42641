import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listAudit } from "../../../engine/store/index.ts";
import { orgRig, type OrgRig } from "./rig.ts";

let it: OrgRig;
beforeAll(async () => {
  it = await orgRig({
    "tenants/acme.yaml": "tenant: acme\ntitle: Acme\nsubdomain: acme\npreset: aptem-hubspot\n",
    "tenants/bolt.yaml": "tenant: bolt\npreset: aptem\nflows: { learners: { from: { every: 5m } } }\n",
  });
});
afterAll(() => it.close());

const fileOf = (tenant: string) => readFileSync(path.join(it.root, "tenants", `${tenant}.yaml`), "utf8");

test("an override is proposed, stores only what differs, and is in force when it was accepted; set to its default it is gone again", async () => {
  const made = await it.call("PATCH", "/api/tenants/acme/overrides", { changes: [{ at: "flows.learners.from.every", value: "15m" }, { at: "flows.employers.from.every", value: "1d" }, { at: "connections.hubspot.enabled", value: false }, { at: "flows.learners.map.fields.custom.division", value: "UserCustom_Division" }] });
  expect(made.status).toBe(201);
  expect(made.body.edits.map(({ pointer }: any) => pointer)).toEqual(["/flows/learners/from/every", "/connections/hubspot/enabled", "/flows/learners/map/fields/custom.division"]);
  expect(made.body.change).toMatchObject({ status: "proposed", plan: { tenants: [expect.objectContaining({ tenant: "acme" })] } });
  expect((await it.call("GET", "/api/flows?tenant=acme")).body.data.find(({ flow }: any) => flow === "learners").schedule).toBe("every hour");
  await it.accept(made.body.change);
  expect((await it.call("GET", "/api/flows?tenant=acme")).body.data.find(({ flow }: any) => flow === "learners").schedule).toBe("every 15 minutes");
  const { body } = await it.call("GET", "/api/tenants/acme/overrides?overridden=true");
  expect(body.preset).toBe("aptem-hubspot");
  expect(body.data.find(({ path: at }: any) => at === "flows.learners.from.every")).toMatchObject({ value: "15m", overridden: true, origin: { layer: "tenant", file: "tenants/acme.yaml" }, default: { value: "1h", origin: { layer: "preset" } } });
  const back = await it.call("PATCH", "/api/tenants/acme/overrides", { changes: [{ at: "flows.learners.from.every", value: "1h" }, { at: "connections.hubspot.enabled" }] });
  await it.accept(back.body.change);
  expect(fileOf("acme")).not.toMatch(/every|enabled/);
  expect(fileOf("acme")).toContain("custom.division");
  expect(await it.call("PATCH", "/api/tenants/acme/overrides", { changes: [{ at: "flows.learners.from.every", value: "1h" }] })).toMatchObject({ status: 200, body: { edits: [], change: null } });
});

test("what would be wrong is refused with its place, and what no tenant may say too", async () => {
  const wrong = await it.call("PATCH", "/api/tenants/acme/overrides", { changes: [{ at: "flows.learners.from.every", value: "soon" }] });
  expect([wrong.status, wrong.body.error.code]).toEqual([422, "CHANGE_INVALID"]);
  expect((await it.call("PATCH", "/api/tenants/acme/overrides", { changes: [{ at: "/connectors/aptem/http/hosts", value: ["*"] }] })).body.error.code).toBe("PLAN_UNKNOWN_PATH");
  expect((await it.call("PATCH", "/api/tenants/nobody/overrides", { changes: [{ at: "labels.A", value: "x" }] })).status).toBe(404);
});

test("mappings and frequency have permissions of their own, and reach no further", async () => {
  const key = await it.key("acme", ["mappings:propose", "frequency:propose"]);
  const change = (url: string, at: string, value: unknown) => it.call("PATCH", `/api/tenants/acme/${url}`, { changes: [{ at, value }] }, { key });
  expect((await change("frequency", "flows.learners.from.every", "2h")).status).toBe(201);
  expect((await change("mappings", "flows.learners.map.fields.custom.region", "UserCustom_Region")).status).toBe(201);
  for (const [url, at] of [["frequency", "flows.learners.map.fields.full_name"], ["frequency", "connections.hubspot.enabled"], ["mappings", "flows.learners.from.every"], ["mappings", "policy.tenant_admin.credentials"], ["overrides", "flows.learners.from.every"]] as const) {
    expect([url, at, (await change(url, at, "write")).status]).toEqual([url, at, 403]);
  }
});

test("presets: listed with the recommended one first, read with effective defaults, head edited, released, compared, and the tenants on each", async () => {
  const list = (await it.call("GET", "/api/presets")).body.data;
  expect(list[0]).toMatchObject({ preset: "aptem-hubspot", recommended: true, releases: [], tenants: [{ id: "acme", release: "head" }] });
  const release = await it.call("POST", "/api/presets/aptem/releases");
  expect(release.body).toMatchObject({ release: 1, file: "presets/aptem/releases/1.yaml", change: { status: "proposed" } });
  await it.accept(release.body.change);
  const pinned = await it.call("POST", "/api/tenants/bolt/preset", { preset: "aptem@1" });
  await it.accept(pinned.body.change);

  const edited = await it.call("PATCH", "/api/presets/aptem", { changes: [{ at: "flows.learners.from.every", value: "30m" }, { at: "flows.employers.from.every", value: "1d" }] });
  expect(edited.status).toBe(201);
  await it.accept(edited.body.change);
  const head = (await it.call("GET", "/api/presets/aptem")).body;
  expect(head.values.find(({ path: at }: any) => at === "flows.learners.from.every")).toMatchObject({ value: "30m", origin: { file: "presets/aptem/preset.yaml" } });
  expect((await it.call("GET", "/api/presets/aptem?release=1")).body.values.find(({ path: at }: any) => at === "flows.learners.from.every").value).toBe("1h");
  expect(readFileSync(path.join(it.root, "presets/aptem/preset.yaml"), "utf8")).not.toContain("employers");
  expect((await it.call("GET", "/api/presets/aptem/diff?from=1&to=head")).body.changes).toEqual([expect.objectContaining({ kind: "schedule", name: "learners" })]);
  expect((await it.call("GET", "/api/flows?tenant=bolt")).body.data.find(({ flow }: any) => flow === "learners").schedule).toBe("every 5 minutes");
  expect((await it.call("GET", "/api/presets/aptem?release=9")).body.error.code).toBe("SERVER_NOT_FOUND");
  expect((await it.call("GET", "/api/presets/aptm")).body.error.hint).toContain("aptem");
});

test("an upgrade tells conflicts first, needs a word to go on, and is one change of pins", async () => {
  await it.accept((await it.call("POST", "/api/presets/aptem/releases")).body.change);
  expect((await it.call("GET", "/api/tenants/bolt")).body.preset).toEqual({ id: "aptem", release: 1, newest: 2, upgrade: true });
  const dry = await it.call("POST", "/api/presets/aptem/upgrade?dry_run=true", {});
  expect(dry.body).toMatchObject({ change: null, moves: [{ tenant: "bolt", from: "aptem@1", to: "aptem@2", conflicts: [{ kind: "shadows", path: "flows.learners.from.every", before: "1h", after: "30m" }] }] });
  const refused = await it.call("POST", "/api/presets/aptem/upgrade", {});
  expect(refused.body.error).toMatchObject({ code: "TENANT_CONFLICTS", problems: [{ code: "PLAN_SHADOWS_NEWER", field: "bolt.flows.learners.from.every" }] });
  const going = await it.call("POST", "/api/presets/aptem/upgrade", { accept: true });
  expect(going.body.change).toMatchObject({ title: "bolt: aptem@1 → aptem@2" });
  await it.accept(going.body.change);
  expect(fileOf("bolt")).toContain("preset: aptem@2");
  expect((await it.call("GET", "/api/presets")).body.data.find(({ preset }: any) => preset === "aptem").tenants).toEqual([{ id: "bolt", release: 2 }]);
  expect((await it.call("POST", "/api/presets/aptem/upgrade", {})).body).toEqual({ moves: [], change: null });
});

test("moving to another preset says which schedules stop and start and what must be connected, before and in the change", async () => {
  const dry = (await it.call("POST", "/api/tenants/bolt/preset?dry_run=true", { preset: "greenhouse" })).body.moves[0];
  expect(dry).toMatchObject({ from: "aptem@2", to: "greenhouse", stops: ["learners", "employers"], starts: ["jobs", "candidates", "applications"], connect: ["greenhouse"], leaves: ["aptem"], conflicts: expect.arrayContaining([expect.objectContaining({ kind: "gone", path: "flows.learners" })]) });
  expect((await it.call("POST", "/api/tenants/bolt/preset", { preset: "greenhouse" })).body.error.code).toBe("TENANT_CONFLICTS");
  const moved = await it.call("POST", "/api/tenants/bolt/preset", { preset: "greenhouse", drop_gone: true, accept: true });
  await it.accept(moved.body.change);
  expect((await it.call("GET", "/api/flows?tenant=bolt")).body.data.map(({ flow }: any) => flow)).toEqual(["applications", "candidates", "jobs"]);
});

test("a template carries over how, and leaves what the other says itself", async () => {
  const template = (await it.call("GET", "/api/tenants/acme/template")).body;
  expect(JSON.stringify(template.configuration)).not.toContain("Acme");
  expect(template).toMatchObject({ preset: "aptem-hubspot", left_out: ["title", "subdomain"] });
  await it.commit({ "tenants/cult.yaml": "tenant: cult\npreset: aptem-hubspot\nflows: { learners: { map: { fields: { custom.division: Mine } } } }\n" });
  const dry = await it.call("POST", "/api/tenants/cult/template?dry_run=true", { template });
  expect(dry.body).toMatchObject({ conflicts: [{ pointer: "/flows/learners/map/fields/custom.division", mine: "Mine", theirs: "UserCustom_Division" }], edits: [], preset_differs: false, change: null });
  const laid = await it.call("POST", "/api/tenants/cult/template", { template, replace: true });
  await it.accept(laid.body.change);
  expect(fileOf("cult")).toContain("UserCustom_Division");
});

test("a tenant asks for an integration, the operator sees those of all and answers, and both are in its log", async () => {
  const key = await it.key("acme");
  const asked = await it.call("POST", "/api/requests", { provider: "OneFile", note: "for portfolios" }, { key });
  expect(asked).toMatchObject({ status: 201, body: { tenant: "acme", provider: "OneFile", status: "open", answer: null } });
  await it.call("POST", "/api/requests", { provider: "Bud" }, { key: await it.key("cult") });
  expect((await it.call("GET", "/api/requests")).body.data.map(({ tenant, provider }: any) => [tenant, provider])).toEqual([["cult", "Bud"], ["acme", "OneFile"]]);
  const first = (await it.call("GET", "/api/requests?limit=1")).body;
  expect((await it.call("GET", `/api/requests?limit=1&cursor=${first.next_cursor}`)).body.data[0].tenant).toBe("acme");
  expect((await it.call("GET", "/api/requests", undefined, { key })).body.data).toHaveLength(1);
  const answer = { status: "planned", note: "in spring" };
  expect((await it.call("POST", `/api/requests/${asked.body.id}/answer?tenant=cult`, answer)).status).toBe(404);
  expect((await it.call("POST", `/api/requests/${asked.body.id}/answer?tenant=acme`, answer)).body).toMatchObject({ status: "planned", answer: "in spring", answered_by: "operator" });
  expect((await listAudit(it.at.db, "acme", { limit: 2 })).map(({ action }) => action)).toEqual(["integration.answered", "integration.requested"]);
});

test("reports come with the tenant's labels as Power BI's basic filters, per table", async () => {
  const { body } = await it.call("GET", "/api/tenants/acme/reports");
  expect(body.data.map(({ report }: any) => report)).toEqual(["employer-overview", "learner-progress"]);
  expect(body.data[0].labels).toEqual({ CRM_Provider: ["HubSpot"], LMS_Provider: ["Aptem"] });
  expect(body.data[0].filters).toContainEqual({ $schema: "http://powerbi.com/product/schema#basic", target: { table: "learner", column: "LMS_Provider" }, operator: "In", values: ["Aptem"], filterType: 1, displaySettings: { isLockedInViewMode: true, isHiddenInViewMode: true } });
  expect(body.data[0].filters).toContainEqual(expect.objectContaining({ target: { table: "learner", column: "Tenant" }, values: ["acme"] }));
});

test("a tenant's key sees its own preset, and nothing of others: not their names, pins or presets", async () => {
  const key = await it.key("acme");
  expect((await it.call("GET", "/api/presets", undefined, { key })).body.data).toEqual([{ preset: "aptem-hubspot", title: expect.any(String), connections: expect.any(Array) }]);
  expect((await it.call("GET", "/api/presets/aptem", undefined, { key })).status).toBe(404);
  for (const url of ["/api/presets", "/api/presets/aptem-hubspot", "/api/tenants/acme/overrides", "/api/tenants/acme/reports"]) expect((await it.call("GET", url, undefined, { key })).text).not.toMatch(/bolt|cult|platform/);
});
