import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { countRecords, describeConnection, getRun, listRuns, readRunLog, requestCancel, setConnection } from "../../../engine/store/index.ts";
import { startReaper } from "../../../engine/jobs/reaper.ts";
import { asAdmin } from "../../support/postgres.ts";
import { rig, type Rig } from "./rig.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
  await it.apply(["acme", "bolt"], { people: {} });
});
afterEach(() => it.close());

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 15_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) if (Date.now() > end) throw new Error("waited in vain");
};
const admin = <Row extends object>(text: string, values: unknown[] = []) => asAdmin<Row>(it.database.url, text, values);
/** The provider holds the answer to a page until it is let go. */
const hold = (at: number): { reached: Promise<void>; go(): void } => {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  it.provider.instead = async (_request, _response, page) => {
    if (page === at) {
      it.provider.instead = undefined;
      reached.resolve();
      await gate.promise;
    }
    return false;
  };
  return { reached: reached.promise, go: () => gate.resolve() };
};

describe("a worker", () => {
  test("runs what was triggered, under the tenant's plan, and says how it ended", async () => {
    await it.worker();
    const run = await it.ended("acme", await it.trigger("acme"));
    expect(run).toMatchObject({ status: "succeeded", mode: "full", attempt: 1, trigger: "api", requested_by: "test", counters: { read: 6, created: 6 } });
    expect([await countRecords(it.database.db, "acme", "person"), await countRecords(it.database.db, "bolt", "person")]).toEqual([6, 0]);
    const { items } = await readRunLog(it.database.db, "acme", run.id);
    expect(items.length).toBeGreaterThan(0);
    expect(JSON.stringify(items)).not.toContain("canary-token");
    expect(it.errors).toEqual([]);
  });

  test("when idle, sends the first request of a triggered run within milliseconds", async () => {
    await it.worker();
    await it.ended("acme", await it.trigger("acme"));
    const took: number[] = [];
    for (let i = 0; i < 20; i++) {
      const first = Promise.withResolvers<number>();
      it.provider.instead = () => { first.resolve(performance.now()); it.provider.instead = undefined; return false; };
      const asked = performance.now();
      const run = await it.trigger("acme");
      took.push((await first.promise) - asked);
      await it.ended("acme", run);
    }
    took.sort((a, b) => a - b);
    console.log(`trigger to first request: p50 ${took[10]!.toFixed(1)} ms, max ${took.at(-1)!.toFixed(1)} ms`);
    expect(took.at(-1)).toBeLessThan(4000);                // found by notification: the poll alone would take up to 5 s each
  });

  test("hears of runs again after its listening connection was killed", async () => {
    await it.worker();
    await admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'plugboard listen' and datname = current_database()");
    expect(await it.ended("acme", await it.trigger("acme"))).toMatchObject({ status: "succeeded" });
    expect(it.errors.length).toBeGreaterThan(0);
  });

  test("survives that PostgreSQL drops every connection in the middle of a page, and ends the run", async () => {
    const page = hold(2);
    await it.worker();
    const run = await it.trigger("acme");
    await page.reached;
    await admin("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()");
    page.go();
    expect(await it.ended("acme", run)).toMatchObject({ status: "succeeded" });
    expect(await countRecords(it.database.db, "acme", "person")).toBe(6);
  });

  test("never runs a flow twice at a time: the second request waits for the first", async () => {
    const page = hold(2);
    await Promise.all([it.worker(), it.worker()]);
    const first = await it.trigger("acme");
    await page.reached;
    const second = await it.trigger("acme");
    expect(await it.trigger("acme")).toBe(second);         // coalesced
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await getRun(it.database.db, "acme", second)).toMatchObject({ status: "queued" });
    page.go();
    const [a, b] = [await it.ended("acme", first), await it.ended("acme", second)];
    expect([a.status, b.status]).toEqual(["succeeded", "succeeded"]);
    expect(Date.parse(b.started_at!)).toBeGreaterThanOrEqual(Date.parse(a.finished_at!));
  });

  test("ends a run whose configuration or connection is at fault, and says so on the connection", async () => {
    await setConnection(it.database.db, it.keyring, "acme", "crm", { connector: "crm", config: {} });
    await it.worker();
    await it.ended("acme", await it.trigger("acme"));
    expect(await describeConnection(it.database.db, "acme", "crm")).toMatchObject({ status: "ok" });
    it.provider.instead = (_request, response) => { response.writeHead(401).end("{}"); return true; };
    const run = await it.ended("acme", await it.trigger("acme"));
    expect(run).toMatchObject({ status: "failed", error: { code: "AUTH_REFUSED" } });
    expect(await describeConnection(it.database.db, "acme", "crm")).toMatchObject({ status: "broken", status_detail: { code: "AUTH_REFUSED" } });
    const other = await it.ended("acme", await it.trigger("acme", "nothing"));
    expect(other).toMatchObject({ status: "failed", error: { code: "PLAN_UNKNOWN_FLOW" } });
  });
});

describe("a run that is cancelled", () => {
  test("while queued, is over at once and never starts", async () => {
    const run = await it.trigger("acme");
    expect(await requestCancel(it.database.db, "acme", run, "someone")).toMatchObject({ status: "cancelled" });
    await it.worker();
    await it.ended("bolt", await it.trigger("bolt"));
    expect(await getRun(it.database.db, "acme", run)).toMatchObject({ status: "cancelled", attempt: 0 });
  });

  test("while running, ends after the page it is at", async () => {
    it.provider.records = 200;
    const page = hold(3);
    await it.worker();
    const run = await it.trigger("acme");
    await page.reached;
    expect(await requestCancel(it.database.db, "acme", run, "someone")).toMatchObject({ status: "running", cancel_by: "someone" });
    page.go();
    const ended = await it.ended("acme", run);
    expect(ended).toMatchObject({ status: "cancelled", error: { code: "RUN_CANCELLED" } });
    expect(ended.counters.pages).toBeLessThan(10);
  });

  test("of another tenant, is not found", async () => {
    const run = await it.trigger("acme");
    expect(await requestCancel(it.database.db, "bolt", run, "someone")).toBeUndefined();
  });
});

describe("a run that waits for its provider", () => {
  test("frees its worker, and goes on when its time has come", async () => {
    let asked = 0;
    it.provider.instead = (_request, response, page) => {
      if (page !== 2 || asked++ > 0) return false;
      response.writeHead(429, { "retry-after": "3600" }).end("{}");
      return true;
    };
    const worker = await it.worker();
    const run = await it.trigger("acme");
    await until(async () => (await getRun(it.database.db, "acme", run))!.status === "waiting");
    const waiting = (await getRun(it.database.db, "acme", run))!;
    expect(Date.parse(waiting.resume_at!)).toBeGreaterThan(Date.now() + 3_000_000);
    await until(() => worker.active === 0);

    // One that is asked for meanwhile waits just as long, instead of asking every second.
    const behind = await it.trigger("acme");
    await until(async () => (await admin<{ due: boolean }>("select start_after > now() + interval '50 minutes' as due from pgboss.job where singleton_key = $1 and state = 'created'", [behind]))[0]?.due === true);

    await admin("update pgboss.job set start_after = now() where singleton_key = $1", [run]);
    await admin("update rate_buckets set blocked_until = null");
    expect(await it.ended("acme", run)).toMatchObject({ status: "succeeded", attempt: 2, counters: { read: 6 } });
  });
});

describe("a worker that stops", () => {
  test("lets its run end at a page, and another worker goes on from there", async () => {
    it.provider.records = 40;
    const page = hold(5);
    const first = await it.worker();
    const run = await it.trigger("acme");
    await page.reached;
    const stopped = first.stop(10_000);
    page.go();
    expect(await stopped).toBe(true);
    expect(await getRun(it.database.db, "acme", run)).toMatchObject({ status: "queued" });
    const requests = it.provider.requests;
    await it.worker();
    expect(await it.ended("acme", run)).toMatchObject({ status: "succeeded", attempt: 2, counters: { read: 40 } });
    expect(it.provider.requests - requests).toBeLessThan(20);
    expect(await countRecords(it.database.db, "acme", "person")).toBe(40);
  });
});

describe("a worker that is lost", () => {
  test("is replaced after its lease, and when it wakes up it changes nothing any more", async () => {
    const page = hold(2);
    await it.worker();
    const run = await it.trigger("acme");
    await page.reached;
    const second = await it.worker();
    await admin("update runs set lease_until = now() - interval '1 second'");
    const reaper = startReaper({ db: it.database.db, queue: it.jobs.queue, everyMilliseconds: 60_000, onError: (cause) => it.errors.push(cause) });
    const ended = await it.ended("acme", run);
    await reaper.stop();
    expect(ended).toMatchObject({ status: "succeeded", attempt: 2 });
    page.go();
    await until(() => second.active === 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await getRun(it.database.db, "acme", run)).toEqual(ended);
    expect(await countRecords(it.database.db, "acme", "person")).toBe(6);
  });

  test("three times in a row without a stored page, fails the run instead of trying for ever", async () => {
    const run = await it.trigger("acme");
    await admin("update runs set status = 'running', attempt = 3, crashes = 3, owner = 'gone', lease_until = now() - interval '1 second'");
    await it.worker();
    expect(await it.ended("acme", run)).toMatchObject({ status: "failed", attempt: 3, error: { code: "RUN_CRASH_LOOP" } });
  });

  test("with its job: a queued run without a job gets one", async () => {
    const run = await it.trigger("acme");
    await admin("delete from pgboss.job");
    await it.worker();                                     // reaps when it starts
    expect(await it.ended("acme", run)).toMatchObject({ status: "succeeded" });
    expect((await listRuns(it.database.db, "acme")).items.length).toBe(1);
  });
});
