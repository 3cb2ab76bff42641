/** Numbers of the overview: counted per organisation, shown to whom they belong. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { currentRevision, withTenant } from "../../../engine/store/index.ts";
import { openStage, type Stage, type TenantName } from "../../support/callers.ts";

const HOUR = 3_600_000;
let at: Stage;
beforeAll(async () => {
  at = await openStage();
  await run("acme", { status: "succeeded", hoursAgo: 0, seconds: 2, created: 7 });
  await run("acme", { status: "succeeded_with_quarantine", hoursAgo: 2, seconds: 4, created: 1 });
  await run("acme", { status: "failed", hoursAgo: 2, seconds: 1, code: "HTTP_STATUS" });
  await run("acme", { status: "failed", hoursAgo: 30, seconds: 1, code: "AUTH_REFUSED" });
  await run("acme", { status: "failed", hoursAgo: 24 * 40, seconds: 1, code: "TOO_OLD" });
  await run("acme", { status: "running", hoursAgo: 0 });
  await run("bolt", { status: "failed", hoursAgo: 1, seconds: 1, code: "HTTP_STATUS" });
  await withTenant(at.rig.database.db, "acme", (tx) => tx.query("insert into connections (tenant_id, connection, connector, config, status, status_detail, status_at) values ($1, 'crm', 'crm', '{}', 'broken', $2, now())", [tx.tenantId, { code: "AUTH_REFUSED", message: "The provider refused the credential." }]));
});
afterAll(() => at.close());

async function run(tenant: TenantName, { status, hoursAgo, seconds, created = 0, code }: { status: string; hoursAgo: number; seconds?: number; created?: number; code?: string }): Promise<void> {
  const { db } = at.rig.database;
  const revision = await currentRevision(db, tenant);
  const asked = new Date(Date.now() - hoursAgo * HOUR);
  await withTenant(db, tenant, (tx) => tx.query(
    "insert into runs (tenant_id, id, flow, connection, trigger, revision, status, queued_at, started_at, finished_at, created, error) values ($1, $2, 'people', 'crm', 'api', $3, $4, $5, $5, $6, $7, $8)",
    [tx.tenantId, randomUUID(), revision, status, asked, seconds === undefined ? null : new Date(asked.getTime() + seconds * 1000), created, code === undefined ? null : { code, message: "no" }]));
}

test("an organisation's administrator sees their own runs, by the hour and without gaps", async () => {
  const answer = await at.as("tenant_admin").get("/api/overview?days=1");
  expect(answer.statusCode).toBe(200);
  const body = answer.json();
  expect(body).toMatchObject({ step: "hour", organisations: { shown: 1, all: 1 }, truncated: false, totals: { succeeded: 1, with_quarantine: 1, failed: 1, under_way: 1, stored: 8 } });
  expect(body.history).toHaveLength(24);
  expect(body.history.at(-1)).toMatchObject({ succeeded: 1, under_way: 1, seconds: 2, longest: 2 });
  expect(body.history.at(-3)).toMatchObject({ with_quarantine: 1, failed: 1, seconds: 2.5, longest: 4 });
  expect(body.history.at(-5)).toMatchObject({ succeeded: 0, failed: 0, seconds: null });
  expect(body.tenants.map(({ tenant }: { tenant: string }) => tenant)).toEqual(["acme"]);
});

test("by the day it reaches further back, and says which reasons a provider failed for", async () => {
  const body = (await at.as("super_admin").get("/api/overview?days=7&tenant=acme")).json();
  expect(body).toMatchObject({ step: "day", totals: { failed: 2 } });
  expect(body.history).toHaveLength(7);
  expect(body.providers).toEqual([expect.objectContaining({ connector: "crm", title: "CRM", succeeded: 2, failed: 2, codes: expect.arrayContaining([{ code: "HTTP_STATUS", count: 1 }, { code: "AUTH_REFUSED", count: 1 }]) })]);
  expect(body.connections).toEqual([expect.objectContaining({ tenant: "acme", connection: "crm", title: "CRM", code: "AUTH_REFUSED", message: "The provider refused the credential." })]);
});

test("the operator's people see all organisations that are theirs to see, most trouble first", async () => {
  const everything = (await at.as("super_admin").get("/api/overview?days=7")).json();
  expect(everything.tenants.map(({ tenant, failed }: { tenant: string; failed: number }) => [tenant, failed])).toEqual(expect.arrayContaining([["acme", 2], ["bolt", 1]]));
  expect(everything.totals.failed).toBe(3);
  const assigned = (await at.as("integration_engineer").get("/api/overview?days=7")).json();
  expect(assigned.tenants.map(({ tenant }: { tenant: string }) => tenant)).toEqual(["acme"]);
  expect((await at.bearer(at.keys.bolt, "GET", "/api/overview?days=7")).json().tenants).toEqual([expect.objectContaining({ tenant: "bolt", failed: 1 })]);
});

test("what waits for a person is counted", async () => {
  const before = (await at.as("tenant_admin").get("/api/overview")).json().waiting;
  await withTenant(at.rig.database.db, "acme", (tx) => tx.query("insert into integration_requests (tenant_id, id, provider, note, requested_by) values ($1, $2, 'OneFile', '', 'me')", [tx.tenantId, randomUUID()]));
  const after = (await at.as("tenant_admin").get("/api/overview")).json().waiting;
  expect(after).toEqual({ ...before, requests: before.requests + 1 });
  expect((await at.as("tenant_admin", "bolt").get("/api/overview")).json().waiting.requests).toBe(0);
});

test("of keys, their names and ages are shown, to super admins", async () => {
  const answer = await at.as("super_admin").get("/api/data-keys");
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ old_kek: null, data: expect.arrayContaining([expect.objectContaining({ tenant: "acme", rotating: false })]) });
  expect(answer.json().kek).toBe(at.rig.keyring.kekId);
  expect((await at.as("integration_engineer").get("/api/data-keys")).statusCode).toBe(403);
});

test("new data keys are begun by a super admin, one organisation or all, and told as they are made", async () => {
  const boss = at.as("super_admin");
  const versions = async (): Promise<Record<string, number | null>> => Object.fromEntries((await boss.get("/api/data-keys")).json().data.map(({ tenant, version }: { tenant: string; version: number | null }) => [tenant, version]));
  const ended = () => expect.poll(async () => (await boss.get("/api/data-keys")).json().rotation, { timeout: 10_000 }).toMatchObject({ ended_at: expect.any(String), error: null, now: null });
  const before = await versions();
  expect((await boss.call("POST", "/api/data-keys/rotation", { tenant: "nobody" })).statusCode).toBe(404);
  expect((await at.as("tenant_admin").call("POST", "/api/data-keys/rotation", {})).statusCode).toBe(403);
  expect((await boss.call("POST", "/api/data-keys/rotation", { tenant: "acme" })).json().rotation).toMatchObject({ all: 1, ended_at: null });
  await ended();
  const after = await versions();
  expect([after["acme"], after["bolt"]]).toEqual([before["acme"] === null ? expect.any(Number) : before["acme"]! + 1, before["bolt"]]);
  expect((await boss.call("POST", "/api/data-keys/rotation", {})).json().rotation.all).toBe(Object.keys(before).length);
  await ended();
  expect((await versions())["acme"]).toBe(after["acme"]! + 1);
  expect((await boss.get("/api/audit?action=data_keys.rotation_begun")).json().data.map(({ subject }: { subject: { id: string } }) => subject.id)).toEqual(["all", "acme"]);
});

test("a recruiter sees whether an integration is connected and when it last read, and neither why not nor its account", async () => {
  await withTenant(at.rig.database.db, "acme", (tx) => tx.query("update connections set account_id = 'portal-1', account_label = 'Acme portal' where tenant_id = $1", [tx.tenantId]));
  const recruiter = at.as("recruiter");
  const list = (await recruiter.get("/api/integrations")).json();
  expect(list.data).toEqual([{ connection: "crm", connector: "crm", title: "CRM", state: { name: "reconnect_needed", reason: null, since: null, last_sync_at: expect.any(String), next_run_at: null } }]);
  expect((await recruiter.get("/api/integrations/crm/status")).json()).toMatchObject({ state: { name: "reconnect_needed", reason: null }, detail: null, account: null, flows: [] });
  for (const run of (await recruiter.get("/api/integrations/crm/history")).json().data) expect(run).toMatchObject({ error: null, requested_by: null });
  const whole = (await at.as("tenant_admin").get("/api/integrations/crm/status")).json();
  expect(whole).toMatchObject({ state: { reason: "The provider refused the credential." }, detail: { code: "AUTH_REFUSED" }, account: { id: "portal-1" } });
  expect(whole.flows).toHaveLength(1);
  expect((await at.as("tenant_admin").get("/api/integrations/crm/history")).json().data.some(({ error }: { error: object | null }) => error !== null)).toBe(true);
  expect((await at.as("interviewer").get("/api/integrations")).statusCode).toBe(403);
});
