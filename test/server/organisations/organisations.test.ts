import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXPORTED, KEPT_BACK } from "../../../engine/store/export.ts";
import { addRequest, findTenant, listAudit, PLATFORM, setConnection, withTenant, type Actor } from "../../../engine/store/index.ts";
import { createOrganisation, recoverOrganisations } from "../../../server/organisations/create.ts";
import { eraseOrganisation, recoverErasures } from "../../../server/organisations/erase.ts";
import { tenantOfHost } from "../../../server/organisations/host.ts";
import { asAdmin } from "../../support/postgres.ts";
import { orgRig, type OrgRig } from "./rig.ts";

let it: OrgRig;
beforeAll(async () => { it = await orgRig(); });
afterAll(() => it.close());

const actor: Actor = { kind: "user", id: "1", name: "root@example.com" };
const body = (name: string, more: object = {}) => ({ name, subdomain: name.toLowerCase().replaceAll(" ", "-"), preset: "aptem-hubspot", ...more });
const fileOf = (tenant: string) => path.join(it.root, "tenants", `${tenant}.yaml`);

describe("creating an organisation", () => {
  test("a dry run tells every problem with its field, shows the file and what will run, and makes nothing", async () => {
    const wrong = await it.call("POST", "/api/tenants?dry_run=true", { name: "Acme", subdomain: "www", preset: "aptem-hubspt", billing: { email: "nobody" } });
    expect(wrong.status).toBe(200);
    expect(wrong.body.problems.map(({ code, field }: any) => [code, field])).toEqual([["TENANT_RESERVED", "subdomain"], ["MANIFEST_UNKNOWN_REFERENCE", "preset"], ["SERVER_WRONG_VALUE", "billing.email"]]);
    expect(wrong.body.problems[1].hint).toContain("aptem-hubspot");
    expect((await it.call("POST", "/api/tenants?dry_run=true", body("Acme", { limits: { lerners: 5 } }))).body.problems).toMatchObject([{ code: "MANIFEST_UNKNOWN_REFERENCE", field: "limits.lerners", hint: expect.stringContaining("learners") }]);
    for (const id of ["platform", "new", "Acme", "9lives"]) expect([id, (await it.call("POST", "/api/tenants?dry_run=true", body("Acme", { id }))).body.problems.map(({ field }: any) => field)]).toEqual([id, ["id"]]);
    const right = (await it.call("POST", "/api/tenants?dry_run=true", body("Acme", { limits: { learners: 500 } }))).body;
    expect(right).toMatchObject({ tenant: "acme", preset: "aptem-hubspot", file: "tenants/acme.yaml", problems: [], connections: [{ connection: "aptem" }, { connection: "hubspot" }] });
    expect(right.flows.map(({ flow }: any) => flow)).toEqual(["learners", "employers", "aptem_employers"]);
    expect(right.text).toBe("# yaml-language-server: $schema=../schemas/tenant.schema.json\ntenant: acme\ntitle: Acme\nsubdomain: acme\npreset: aptem-hubspot\nlimits:\n  learners: 500\n");
    expect(await findTenant(it.at.db, "acme")).toBeUndefined();
  });

  test("it is a commit, live at once; billing and people stay in the database, and both logs say who did it", async () => {
    const made = await it.call("POST", "/api/tenants", body("Acme", { limits: { learners: 500 }, billing: { email: "accounts@acme.example" }, administrator: { email: "Anna@Acme.example" } }));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ created: true, tenant: { tenant: "acme", status: "active", kind: "customer", subdomain: "acme", preset: { id: "aptem-hubspot", release: "head" }, limits: { learners: 500 } }, invitation: { email: "anna@acme.example", path: expect.stringMatching(/^\/invitation#/) } });
    expect(made.body.tenant.revision).toEqual(expect.any(String));
    const text = readFileSync(fileOf("acme"), "utf8");
    expect(text).toContain("subdomain: acme");
    expect(text).not.toMatch(/accounts@|anna@/i);
    expect((await it.log())[0]).toBe("tenants: create acme (Acme)");
    expect((await it.call("GET", "/api/tenants/acme/profile")).body).toEqual({ billing: { email: "accounts@acme.example" }, administrator: { email: "anna@acme.example" } });
    expect((await it.call("GET", "/api/flows?tenant=acme")).body.data).toHaveLength(3);
    expect((await listAudit(it.at.db, "acme", { limit: 10 })).map(({ action }) => action)).toEqual(["invitation.made", "configuration.changed", "tenant.created"]);
    expect((await listAudit(it.at.db, PLATFORM, { limit: 10, action: "tenant.created" })).map(({ subject }) => subject.id)).toEqual(["acme"]);
  });

  test("the same request again gives what it made; another one for the same name is refused", async () => {
    const first = await it.call("POST", "/api/tenants", body("Again"), { headers: { "idempotency-key": "k1" } });
    const again = await it.call("POST", "/api/tenants", { preset: "aptem-hubspot", subdomain: "again", name: "Again" }, { headers: { "idempotency-key": "k1" } });
    expect([first.body.created, again.status, again.body.created, again.body.tenant.tenant]).toEqual([true, 201, false, "again"]);
    expect((await it.call("POST", "/api/tenants", body("Again", { preset: "aptem" }))).body.error.code).toBe("TENANT_TAKEN");
    expect((await it.call("POST", "/api/tenants", body("Other", { subdomain: "again" }))).body.error.code).toBe("TENANT_TAKEN");
    expect((await it.call("POST", "/api/tenants", body("Third"), { headers: { "idempotency-key": "k1" } })).body.error.code).toBe("TENANT_KEY_REUSED");
    expect((await it.log()).filter((line) => line.includes("Again"))).toHaveLength(1);
  });

  test("of many at the same time, one gets the name, and all of the same request get the same", async () => {
    const same = await Promise.all([1, 2, 3, 4].map(() => it.call("POST", "/api/tenants", body("Race"))));
    expect(same.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const others = await Promise.all(["a", "b", "c"].map((id) => it.call("POST", "/api/tenants", body("Subs", { id: `sub-${id}`, subdomain: "shared" }))));
    expect(others.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
    expect((await it.log()).filter((line) => line.includes("(Race)") || line.includes("(Subs)"))).toHaveLength(2);
    const rows = await asAdmin(it.at.url, "select slug from tenants where deleted_at is null and (subdomain in ('race', 'shared'))");
    expect(rows).toHaveLength(2);
  });

  test("killed before the commit, nothing is left of it but a name, which is given back", async () => {
    const dying = createOrganisation(it.review, body("Halfway"), { actor, probe: (point) => { if (point === "reserved") throw new Error("killed"); } });
    await expect(dying).rejects.toThrow("killed");
    expect(await findTenant(it.at.db, "halfway")).toMatchObject({ status: "creating" });
    expect(await recoverOrganisations(it.review, 0)).toEqual({ finished: [], released: ["halfway"] });
    expect(await findTenant(it.at.db, "halfway")).toBeUndefined();
    expect((await it.call("POST", "/api/tenants", body("Halfway", { preset: "aptem" }))).status).toBe(201);
  });

  test("killed between the commit and the database, it comes into force by itself, or when the request is sent again", async () => {
    const killed = async (name: string, at: string) => expect(createOrganisation(it.review, body(name), { actor, probe: (point) => { if (point === at) throw new Error("killed"); } })).rejects.toThrow("killed");
    await killed("Cut One", "committed");
    expect(await findTenant(it.at.db, "cut-one")).toMatchObject({ status: "creating" });
    expect(await recoverOrganisations(it.review, 0)).toEqual({ finished: ["cut-one"], released: [] });
    expect(await findTenant(it.at.db, "cut-one")).toMatchObject({ status: "active", revision: expect.any(String) });
    await killed("Cut Two", "committed");
    expect(await createOrganisation(it.review, body("Cut Two"), { actor })).toMatchObject({ created: false, tenant: { status: "active" } });
    expect((await it.log()).filter((line) => line.includes("Cut "))).toHaveLength(2);
  });

  test("what cannot be committed leaves nothing behind", async () => {
    const { repository } = it.review.workspace;
    const stuck = { ...it.review, workspace: { ...it.review.workspace, repository: { ...repository, gitdir: path.join(it.root, "no-such-folder") } } };
    await expect(createOrganisation(stuck, body("Stuck"), { actor })).rejects.toThrow();
    expect(await findTenant(it.at.db, "stuck")).toBeUndefined();
    expect(existsSync(fileOf("stuck"))).toBe(false);
  });

  test("what a new one may choose from begins with the recommended preset", async () => {
    const { body: choice } = await it.call("GET", "/api/tenants/new?name=Zoë%20%26%20Sons%20Ltd.");
    expect(choice).toMatchObject({ id: "zoe-sons-ltd", subdomain: "zoe-sons-ltd" });
    expect(choice.presets[0]).toMatchObject({ preset: "aptem-hubspot", recommended: true, inputs: {} });
  });
});

test("a host name finds its tenant, below the deployment's domain only", async () => {
  const find = tenantOfHost(it.at.db, "example.com");
  expect(await Promise.all(["acme.example.com", "ACME.example.com.", "acme.example.com:4400", "nobody.example.com", "example.com", "a.acme.example.com", "acme.evil.com", "acme.example.com.evil.com", "' or 1=1.example.com"].map(find)))
    .toEqual(["acme", "acme", "acme", undefined, undefined, undefined, undefined, undefined, undefined]);
  expect(await tenantOfHost(it.at.db, undefined)("acme.example.com")).toBeUndefined();
  expect((await it.call("GET", "/api/flows", undefined, { headers: { host: "acme.example.com" } })).status).toBe(200);
  expect((await it.call("GET", "/api/flows", undefined, { headers: { host: "nobody.example.com" } })).body.error.code).toBe("SERVER_TENANT_REQUIRED");
});

test("tenants are listed to the operator, page by page, the operator's own marked; to a tenant's key not at all", async () => {
  const all = (await it.call("GET", "/api/tenants?limit=1000")).body.data;
  expect(all.find(({ tenant }: any) => tenant === "platform")).toMatchObject({ kind: "platform", preset: null });
  const first = (await it.call("GET", "/api/tenants?limit=2")).body;
  const second = (await it.call("GET", `/api/tenants?limit=1000&cursor=${first.next_cursor}`)).body;
  expect([...first.data, ...second.data].map(({ tenant }: any) => tenant)).toEqual(all.map(({ tenant }: any) => tenant));
  const own = await it.key("acme");
  for (const [method, url] of [["GET", "/api/tenants"], ["GET", "/api/tenants/acme"], ["POST", "/api/tenants/acme/suspend"], ["GET", "/api/tenants/acme/export"], ["POST", "/api/tenants/acme/erasure"], ["POST", "/api/tenants"]] as const) {
    expect([method, url, (await it.call(method, url, method === "POST" ? body("Evil") : undefined, { key: own })).status]).toEqual([method, url, 403]);
  }
  for (const url of ["/api/tenants/platform/overrides", "/api/tenants/platform/reports", "/api/tenants/race/overrides", "/api/requests?tenant=platform"]) expect((await it.call("GET", url, undefined, { key: own })).status).toBe(404);
});

test("suspended: its own key is refused, nothing is due, its runs end; resumed, it goes on", async () => {
  const key = await it.key("again");
  const run = (await it.call("POST", "/api/integrations/aptem/sync?tenant=again", {})).body.runs[0].id;
  expect((await it.call("POST", "/api/tenants/again/suspend", { reason: "not paid" })).body).toMatchObject({ status: "suspended", status_reason: "not paid" });
  expect((await it.call("GET", "/api/flows", undefined, { key })).status).toBe(403);
  expect((await it.call("GET", `/api/runs/${run}?tenant=again`)).body.status).toBe("cancelled");
  expect((await it.call("POST", "/api/tenants/again/suspend", {})).body.error.code).toBe("TENANT_STATUS");
  const due = await asAdmin(it.at.url, "select 1 from schedules s join tenants t on t.id = s.tenant_id where t.slug = 'again' and t.status = 'active'");
  expect(due).toEqual([]);
  expect((await it.call("POST", "/api/tenants/again/resume")).body.status).toBe("active");
  expect((await it.call("GET", "/api/flows", undefined, { key })).status).toBe(200);
  expect((await it.call("POST", "/api/tenants/platform/suspend", {})).body.error.code).toBe("TENANT_OPERATOR");
});

describe("export and erase", () => {
  test("every table of tenants is either exported or kept back for a reason", async () => {
    const tables = await asAdmin<{ name: string }>(it.at.url, "select name from tenant_tables()");
    expect(tables.map(({ name }) => name).filter((name) => !(name in EXPORTED) && !(name in KEPT_BACK))).toEqual([]);
    expect(Object.keys(EXPORTED).filter((name) => name in KEPT_BACK)).toEqual([]);
  });

  test("everything is exported line by line, without a secret, and the last line says it is whole", async () => {
    await setConnection(it.at.db, it.keyring, "acme", "aptem", { connector: "aptem", config: { tenant_host: "acme" }, secrets: { api_token: "s3cret-canary" } });
    const { text, status } = await it.call("GET", "/api/tenants/acme/export");
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    expect(status).toBe(200);
    expect(lines[0]).toMatchObject({ export: 1, tenant: { slug: "acme" } });
    expect(lines[1]).toMatchObject({ file: "tenants/acme.yaml", text: expect.stringContaining("preset: aptem-hubspot") });
    expect(lines.find(({ table }) => table === "secrets").row).toMatchObject({ connection: "aptem", field: "api_token", fingerprint: expect.any(String) });
    expect(lines.find(({ table, row }) => table === "audit_log" && row.action === "tenant.exported")).toBeDefined();
    expect(text).not.toContain("s3cret-canary");
    expect(text).not.toMatch(/"sealed"|"wrapped"|"hash":"\\\\x/);
    const counted = Object.fromEntries(Object.entries(Map.groupBy(lines.filter(({ table }) => table), ({ table }) => table)).map(([table, rows]) => [table, (rows as unknown[]).length]));
    expect(lines.at(-1)).toMatchObject({ end: true, counts: expect.objectContaining(counted) });
  });

  test("it is erased in two steps with a report; the name is free again and meets no old rows", async () => {
    await it.call("POST", "/api/tenants", body("Gone", { administrator: { email: "g@gone.example" } }));
    await setConnection(it.at.db, it.keyring, "gone", "aptem", { connector: "aptem", config: {}, secrets: { api_token: "gone-canary" } });
    await addRequest(it.at.db, "gone", { provider: "OneFile", by: "g@gone.example" });
    const { change } = (await it.call("PATCH", "/api/tenants/gone/overrides", { changes: [{ at: "flows.learners.from.every", value: "5m" }] })).body;
    expect(existsSync(path.join(it.root, ".git/refs/heads", change.branch))).toBe(true);
    const asked = await it.call("POST", "/api/tenants/gone/erasure");
    expect(asked.status).toBe(201);
    expect(asked.body.counts).toMatchObject({ connections: 1, secrets: 1, invitations: 1, integration_requests: 1, tenant_keys: 1, audit_log: expect.any(Number) });
    expect((await it.call("DELETE", "/api/tenants/gone", { token: "x".repeat(32) })).body.error.code).toBe("TENANT_CONFIRMATION");
    expect(await findTenant(it.at.db, "gone")).toMatchObject({ status: "active" });
    const [{ id }] = await asAdmin<{ id: string }>(it.at.url, "select id from tenants where slug = 'gone'") as [{ id: string }];
    const report = await it.call("DELETE", "/api/tenants/gone", { token: asked.body.token });
    expect(report.status).toBe(200);
    expect(report.body).toMatchObject({ tenant: "gone", file: "tenants/gone.yaml", keys: "destroyed", removed: expect.objectContaining({ connections: 1, secrets: 1, tenant_keys: 1, invitations: 1 }) });
    expect([existsSync(fileOf("gone")), existsSync(path.join(it.root, ".git/refs/heads", change.branch)), report.body.removed.changes]).toEqual([false, false, 1]);
    for (const { name, tenant_column } of await asAdmin<{ name: string; tenant_column: string }>(it.at.url, "select name, tenant_column from tenant_tables()")) {
      expect([name, await asAdmin(it.at.url, `select 1 from "${name}" where "${tenant_column}" = $1`, [id])]).toEqual([name, []]);
    }
    expect(await asAdmin(it.at.url, "select deleted_at is not null as gone from tenants where id = $1", [id])).toEqual([{ gone: true }]);
    expect((await it.call("GET", "/api/flows?tenant=gone")).status).toBe(404);
    expect((await it.call("POST", "/api/tenants", body("Gone"))).status).toBe(201);
    expect((await it.call("GET", "/api/requests?tenant=gone")).body.data).toEqual([]);
    expect((await listAudit(it.at.db, "gone", { limit: 10 })).map(({ action }) => action)).toEqual(["configuration.changed", "tenant.created"]);
    expect((await listAudit(it.at.db, PLATFORM, { limit: 10, action: "tenant.erased" }))[0]).toMatchObject({ subject: { id: "gone" }, after: { removed: expect.objectContaining({ secrets: 1 }) } });
  });

  test("an erasure that was killed on the way goes on, and only then is the name free", async () => {
    await it.call("POST", "/api/tenants", body("Dying"));
    const { token } = (await it.call("POST", "/api/tenants/dying/erasure")).body;
    const [{ id }] = await asAdmin<{ id: string }>(it.at.url, "select id from tenants where slug = 'dying'") as [{ id: string }];
    const { confirmErasureOf } = await import("../../../engine/store/index.ts");
    await confirmErasureOf(it.at.db, "dying", token, "root");                             // and then the process dies
    expect(await findTenant(it.at.db, "dying")).toMatchObject({ status: "erasing" });
    expect(await recoverErasures(it.at.db, it.review)).toEqual(["dying"]);
    expect(await findTenant(it.at.db, "dying")).toBeUndefined();
    expect(await asAdmin(it.at.url, "select finished_at is not null as done from erasures where erased = $1", [id])).toEqual([{ done: true }]);
    expect(existsSync(fileOf("dying"))).toBe(false);
  });

  test("rows are erased of a tenant that is being erased, and of no other", async () => {
    await expect(withTenant(it.at.db, "acme", (tx) => tx.query("select erase_rows('connections', 10)"))).rejects.toMatchObject({ code: "STORE_PRIVILEGES" });
    await expect(it.at.db.pool.query("select erase_rows('audit_log', 10)")).rejects.toMatchObject({ code: "42501" });
    await expect(eraseOrganisation(it.at.db, it.review, PLATFORM, "x", actor)).rejects.toMatchObject({ code: "TENANT_OPERATOR" });
  });
});

