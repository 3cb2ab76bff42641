import { afterEach, beforeEach, expect, test } from "vitest";
import { startScheduler, type Scheduler } from "../../../engine/jobs/scheduler.ts";
import { listRuns, listSchedules, nextDue, openDatabase, pauseFlow, resumeTenant, setConnection, suspendTenant, type Database } from "../../../engine/store/index.ts";
import { asAdmin } from "../../support/postgres.ts";
import { rig, type Rig } from "./rig.ts";

const HOUR = 3_600_000;

let it: Rig;
let databases: Database[];
let schedulers: Scheduler[];
beforeEach(async () => { [it, databases, schedulers] = [await rig(), [], []]; });
afterEach(async () => {
  for (const scheduler of schedulers) await scheduler.stop();
  for (const db of databases) await db.close();
  expect(it.errors).toEqual([]);
  await it.close();
});

const admin = <Row extends object>(text: string, values: unknown[] = []) => asAdmin<Row>(it.database.url, text, values);
const runs = async (tenant = "acme") => (await listRuns(it.database.db, tenant)).items;
/** A scheduler with a pool of its own, as another process has; it looks only when asked. */
const scheduler = async (now?: () => number): Promise<Scheduler> => {
  const db = await openDatabase({ url: it.database.url, max: 4 });
  databases.push(db);
  const made = startScheduler({ db, queue: it.jobs.queue, pollMilliseconds: 3_600_000, onError: (cause) => it.errors.push(cause), ...(now === undefined ? {} : { now }) });
  schedulers.push(made);
  await made.look();
  return made;
};
const due = async (tenant = "acme") => (await listSchedules(it.database.db, tenant))[0]!;

test("two schedulers that look at the same tick make one run", async () => {
  await it.apply(["acme", "bolt"], { a: { schedule: { every_seconds: 3600 } }, b: { schedule: { every_seconds: 3600 } }, c: {} });
  const all = await Promise.all(Array.from({ length: 4 }, () => scheduler()));
  expect(await runs()).toEqual([]);                        // worked out, not due yet
  for (let tick = 1; tick <= 3; tick++) {
    await admin("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
    const made = await Promise.all(all.map((each) => each.look()));
    expect(made.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect((await runs()).map(({ flow }) => flow).sort()).toEqual([..."ab".repeat(tick)].sort());
    await admin("update runs set status = 'succeeded', finished_at = now()");
  }
});

test("a tick queues a run with its job, in the name of the clock", async () => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 3600 } } });
  const clock = await scheduler();
  await admin("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
  await clock.look();
  const [run] = await runs();
  expect(run).toMatchObject({ trigger: "schedule", status: "queued" });
  expect(run!.requested_by).toBeUndefined();
  expect((await it.jobs.queue.fetch(5)).map(({ data }) => data)).toEqual([{ tenant: "acme", run: run!.id }]);
});

test.each(["queued", "running", "waiting"])("a tick that finds its flow %s makes no run, and the flow keeps its rhythm", async (status) => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 3600 } } });
  const clock = await scheduler();
  await it.trigger("acme");
  await admin("update runs set status = $1, lease_until = now() + interval '1 hour'", [status]);
  await admin("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
  expect(await clock.look()).toBe(0);
  expect((await runs()).length).toBe(1);
  expect((await due()).due).toBeGreaterThan(Date.now() + 0.99 * HOUR);
});

test("ticks that were missed while nobody looked make one run, and the rhythm is kept", async () => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 3600 } } });
  await (await scheduler()).stop();
  const missed = Date.now() - 50.5 * HOUR;
  await admin("update schedules set due_at = $1", [new Date(missed)]);
  await scheduler();
  expect((await runs()).length).toBe(1);
  expect((await due()).due).toBe(missed + 51 * HOUR);
});

test("a paused flow is not run, and begins anew when it is resumed", async () => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 3600 } } });
  const clock = await scheduler();
  await admin("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
  await pauseFlow(it.database.db, "acme", "people", "someone");
  expect(await clock.look()).toBe(0);
  await pauseFlow(it.database.db, "acme", "people", undefined);
  expect(await clock.look()).toBe(0);
  expect((await due()).due).toBeGreaterThan(Date.now() - 1000);
});

test("a flow that is no longer scheduled stops, and one with another schedule begins anew", async () => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 3600 } } });
  const clock = await scheduler();
  await it.apply(["acme"], { people: { schedule: { cron: "0 3 * * *", time_zone: "Europe/London" } } });
  await clock.look();
  expect(new Date((await due()).due!).getUTCHours()).toBeGreaterThanOrEqual(2);
  await it.apply(["acme"], { people: {} });
  await admin("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
  expect(await clock.look()).toBe(0);
  expect(await runs()).toEqual([]);
});

test("a scheduler notices by itself what becomes due", async () => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 1 } } });
  const made = startScheduler({ db: it.database.db, queue: it.jobs.queue, pollMilliseconds: 500, onError: (cause) => it.errors.push(cause) });
  schedulers.push(made);
  for (const end = Date.now() + 10_000; (await runs()).length === 0; await new Promise((resolve) => setTimeout(resolve, 20))) if (Date.now() > end) throw new Error("nothing was run");
  expect((await runs()).length).toBe(1);
});

test("a flow whose connection was never entered, or was taken away, starts nothing; why stands beside its schedule until it can", async () => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 3600 } } });
  await admin("update schedules set needs_connection = true");
  const clock = await scheduler();
  const tick = async (): Promise<number> => {
    await admin("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
    return clock.look();
  };
  expect([await tick(), (await due()).skipped?.reason, (await due()).due! > Date.now()]).toEqual([0, "not_connected", true]);
  await admin("insert into connections (tenant_id, connection, connector) select id, 'crm', 'crm' from tenants where slug = 'acme'");
  expect([await tick(), (await due()).skipped]).toEqual([1, undefined]);
  await admin("update runs set status = 'succeeded', finished_at = now()");
  await admin("update connections set status = 'disconnected'");
  expect([await tick(), (await due()).skipped?.reason, (await runs()).length]).toEqual([0, "disconnected", 1]);
});

test("a flow that was passed over begins anew once its connection is entered, not a whole interval later; one on a cron keeps its hours", async () => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 86_400 } } });
  await admin("update schedules set needs_connection = true");
  const clock = await scheduler();
  const passOver = async (): Promise<void> => {
    await admin("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
    expect([await clock.look(), (await due()).skipped?.reason, (await due()).due! > Date.now() + 3_600_000]).toEqual([0, "not_connected", true]);
  };
  await passOver();
  await setConnection(it.database.db, it.keyring, "acme", "crm", { connector: "crm", config: {} });
  await clock.look();
  expect([(await due()).skipped, (await due()).due! <= Date.now() + 60_000]).toEqual([undefined, true]);

  await admin("delete from connections");
  await admin(`update schedules set schedule = '{"cron": "0 0 1 1 *", "time_zone": "UTC"}'`);
  await passOver();
  const before = (await due()).due;
  await setConnection(it.database.db, it.keyring, "acme", "crm", { connector: "crm", config: {} });
  await clock.look();
  expect((await due()).due).toBe(before);
});

test("a suspended tenant is never due, and does not wake the scheduler", async () => {
  await it.apply(["acme"], { people: { schedule: { every_seconds: 3600 } } });
  const clock = await scheduler();
  await suspendTenant(it.database.db, "acme", "root", "not paid");
  await admin("update schedules set due_at = date_trunc('milliseconds', now()) - interval '1 second'");
  expect([await clock.look(), await nextDue(it.database.db)]).toEqual([0, undefined]);
  await resumeTenant(it.database.db, "acme", "root");
  expect([await clock.look(), (await due()).due! > Date.now()]).toEqual([0, true]);       // from now on, not all that fell due meanwhile
});
