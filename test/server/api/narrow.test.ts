/** What `narrow` leaves out of runs, for an organisation's own people. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appendRunLog, currentRevision, withTenant } from "../../../engine/store/index.ts";
import { openStage, type Stage } from "../../support/callers.ts";

let at: Stage;
beforeAll(async () => { at = await openStage(); });
afterAll(() => at.close());

async function queued(requestedBy: string | null): Promise<string> {
  const { db } = at.rig.database;
  const id = randomUUID();
  const revision = await currentRevision(db, "acme");
  await withTenant(db, "acme", (tx) => tx.query("insert into runs (tenant_id, id, flow, connection, trigger, revision, requested_by) values ($1, $2, $3, 'crm', $4, $5, $6)", [tx.tenantId, id, `flow-${id}`, requestedBy === null ? "schedule" : "api", revision, requestedBy]));
  return id;
}

test("the log of a run is without requests, and without their particulars", async () => {
  const run = await queued("somebody");
  await appendRunLog(at.rig.database.db, "acme", run, [
    { level: "debug", event: "request", message: "GET /people → 200, 10 bytes", data: { status: 200, milliseconds: 3 } },
    { level: "warn", event: "retry", message: "GET /people → 503: once more" },
    { level: "debug", event: "page", message: "Page 1: 3 read, 0 quarantined.", data: { asked: "GET /people" } },
  ] as never);
  const log = (await at.as("tenant_admin").get(`/api/runs/${run}/log`)).json();
  expect(log.data).toEqual([{ at: expect.any(String), level: "debug", event: "page", message: "Page 1: 3 read, 0 quarantined." }].map((line) => expect.objectContaining(line)));
  expect(JSON.stringify(log)).not.toContain("GET /people");
  expect((await at.as("super_admin").get(`/api/runs/${run}/log?tenant=acme`)).json().data).toHaveLength(3);
});

test("a run that a person started may be cancelled, one of a schedule may not", async () => {
  const [asked, scheduled] = [await queued("somebody"), await queued(null)];
  const refused = await at.as("tenant_admin").call("POST", `/api/runs/${scheduled}/cancel`);
  expect([refused.statusCode, refused.json().error.code]).toEqual([403, "SERVER_ABOVE_ROLE"]);
  expect((await at.as("tenant_admin").get(`/api/runs/${scheduled}`)).json().status).toBe("queued");
  expect((await at.as("tenant_admin").call("POST", `/api/runs/${asked}/cancel`)).json().status).toBe("cancelled");
  expect((await at.as("super_admin").call("POST", `/api/runs/${scheduled}/cancel?tenant=acme`)).json().status).toBe("cancelled");
});
