import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { QueuePlan } from "../../../engine/plan/types.ts";
import { listRecords } from "../../../engine/store/index.ts";
import { asAdmin } from "../../support/postgres.ts";
import { intakeRig, type IntakeRig } from "../../server/intake/rig.ts";

const queues: Readonly<Record<string, QueuePlan>> = {
  notifications: {
    with: {}, request: { method: "GET", path: "/queue", empty: "status = 204", errors: {} }, every_seconds: 60, at_once: 1,
    after: { ack: { request: { method: "DELETE", path: "/queue/{{response.headers.message-id}}", errors: {} } } },
    each: "body.events", id: ['$headers."message-id"', "id"], events: { person: { stream: "people", record: "person" } },
  },
};

let it: IntakeRig;
const children: ChildProcess[] = [];
beforeAll(async () => { it = await intakeRig(); });
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await it.close();
});
beforeEach(async () => {
  it.provider.queue.length = 0;
  it.provider.acks.length = 0;
});

const message = (id: string, ...people: object[]) => ({ id, body: { events: people.map((person, n) => ({ id: n, person })) } });
const names = async (tenant: string) => (await listRecords(it.database.db, tenant, "person", { limit: 100 })).items.map((row) => row["name"]).toSorted();
const start = (point: string | undefined): ChildProcess => {
  const child = fork(fileURLToPath(new URL("event-process.ts", import.meta.url)), { env: { ...process.env, EVENT_DATABASE: it.database.url, EVENT_KEK: it.kek, ...(point === undefined ? {} : { EVENT_POINT: point }) }, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  children.push(child);
  return child;
};

test.each(["queue_answered", "queue_committed"])("killed at '%s' it is delivered again, stored once, and acknowledged after the commit only", async (point) => {
  const tenant = point;
  it.provider.queue.push(message("m1", { id: 1, v: 1, name: "Ada" }, { id: 2, v: 1, name: "Bob" }), message("m2", { id: 1, v: 2, name: "Ada L." }));
  await it.apply([tenant], { queues });
  const first = start(point);
  await new Promise<void>((resolve, reject) => { first.on("message", () => resolve()); first.on("exit", (code) => reject(new Error(`it ended with ${code}`))); });
  expect(it.provider.acks).toEqual([]);
  first.removeAllListeners("exit");
  first.kill("SIGKILL");
  await asAdmin(it.database.url, "update queue_polls set lease_until = now() where lease_until is not null");          // as time would
  const second = start(undefined);
  await expect.poll(() => it.provider.acks, { timeout: 15_000 }).toEqual(["m1", "m2"]);
  const events = await it.settled(tenant, 3);
  second.kill("SIGKILL");
  expect(events.map(({ event_id, status, copies }) => [event_id, status, copies])).toEqual([["m1/0", "processed", point === "queue_committed" ? 1 : 0], ["m1/1", "processed", point === "queue_committed" ? 1 : 0], ["m2/0", "processed", 0]]);
  expect(await names(tenant)).toEqual(["Ada L.", "Bob"]);
});

test("a provider that is unwell is asked later, each time later, and nothing is acknowledged", async () => {
  it.provider.queue.push(message("m1", { id: 1, v: 1, name: "Ada" }));
  it.provider.instead = (_, response) => { response.writeHead(503).end(); return true; };
  await it.apply(["unwell"], { queues });
  const worker = await it.worker();
  await expect.poll(() => asAdmin(it.database.url, "select failures, due_at > now() + interval '50 seconds' as later, error ->> 'message' like '%503%' as told from queue_polls where connection = 'crm' and tenant_id = (select id from tenants where slug = 'unwell')"), { timeout: 10_000 }).toEqual([{ failures: 1, later: true, told: true }]);
  it.provider.instead = undefined;
  await asAdmin(it.database.url, "update queue_polls set due_at = now()");
  await expect.poll(() => it.provider.acks, { timeout: 10_000 }).toEqual(["m1"]);
  await it.settled("unwell");
  await worker.stop();
});
