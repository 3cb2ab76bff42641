import { afterAll, beforeAll, expect, test } from "vitest";
import { asStoreFailure } from "../../../engine/store/failures.ts";
import { countRecords, type Keyring, openDatabase, withTenant } from "../../../engine/store/index.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, keyring, page, records } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

const killAll = () => asAdmin(at.url, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");

/** A killed connection may lie in the pool until its end has arrived: used up here, so that what follows meets live ones. */
async function freshPool(): Promise<void> {
  for (;;) {
    const tries = await Promise.allSettled(Array.from({ length: 5 }, () => withTenant(at.db, "cut", (tx) => tx.query("select pg_sleep(0.02)"))));
    if (tries.every(({ status }) => status === "fulfilled")) return;
  }
}

test("a page whose connection is cut stores nothing, and the same page succeeds when it is tried again", async () => {
  const flow = await beginFlow(at.db, keys, "cut");
  const wide = page(records(1, 200));
  let cuts = 0;
  for (let n = 0; n < 8; n++) {
    const [outcome] = await Promise.allSettled([flow.commit(wide), new Promise((resolve) => setTimeout(resolve, n * 4)).then(killAll)]);
    if (outcome.status === "rejected") {
      cuts++;
      expect(outcome.reason).toMatchObject({ code: "STORE_UNREACHABLE" });
    }
    await freshPool();
    expect([0, 200]).toContain(await countRecords(at.db, "cut", "learner"));
  }
  expect(cuts).toBeGreaterThan(0);
  await flow.commit(wide);
  expect(await countRecords(at.db, "cut", "learner")).toBe(200);
});

test("connections that break while idle are replaced without ending the process", async () => {
  const seen: Error[] = [];
  const db = await openDatabase({ url: at.url, max: 3, onError: (error) => seen.push(error) });
  await Promise.all([1, 2, 3].map(() => db.pool.query("select pg_sleep(0.05)")));
  await killAll();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(seen.length).toBeGreaterThan(0);
  expect((await db.pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  await db.close();
});

test("a statement that failed and was ignored does not pass for a commit", async () => {
  await expect(withTenant(at.db, "cut", async (tx) => {
    await tx.query("select 1/0").catch(() => undefined);
  })).rejects.toThrow(/rolled back/);
});

test("deadlocks and cancelled statements are passing failures", async () => {
  await freshPool();
  // Each waits until the other holds its first lock: a deadlock, however slow the machine.
  const held = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
  const both = (first: "a" | "b", second: "a" | "b") => withTenant(at.db, "cut", async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtext($1))", [first]);
    held[first].resolve();
    await held[second].promise;
    await tx.query("select pg_advisory_xact_lock(hashtext($1))", [second]);
  });
  const outcomes = await Promise.allSettled([both("a", "b"), both("b", "a")]);
  expect(outcomes.filter((outcome) => outcome.status === "rejected").map((outcome) => (outcome.reason as { code: string }).code)).toEqual(["STORE_BUSY"]);
  await expect(withTenant(at.db, "cut", (tx) => tx.query("set local statement_timeout = 20; select pg_sleep(1)"))).rejects.toMatchObject({ code: "STORE_BUSY" });
});

test.each([
  ["40001", "STORE_BUSY"], ["40P01", "STORE_BUSY"], ["53100", "STORE_BUSY"], ["53300", "STORE_BUSY"], ["25006", "STORE_BUSY"], ["57P01", "STORE_UNREACHABLE"], ["25P03", "STORE_UNREACHABLE"], ["08006", "STORE_UNREACHABLE"],
  ["ECONNREFUSED", "STORE_UNREACHABLE"], ["42501", "STORE_PRIVILEGES"], ["22P05", "22P05"], ["42703", "42703"],
])("what PostgreSQL calls %s is %s", (code, expected) => {
  expect(asStoreFailure(Object.assign(new Error("said the server"), { code }), "db")).toMatchObject({ code: expected });
});
