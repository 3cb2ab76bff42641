import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { countRecords, readRunLog, requestCancel } from "../../../engine/store/index.ts";
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

describe("a worker", () => {
  test("runs what was triggered, under the tenant's plan, and says how it ended", async () => {
    await it.worker();
    const run = await it.ended("acme", await it.trigger("acme"));
    expect(run).toMatchObject({ status: "succeeded", mode: "full", attempt: 1, trigger: "api", requested_by: "test", counters: { read: 6, created: 6, pages: expect.any(Number) } });
    expect([await countRecords(it.database.db, "acme", "person"), await countRecords(it.database.db, "bolt", "person")]).toEqual([6, 0]);
    const { items } = await readRunLog(it.database.db, "acme", run.id);
    expect(items.length).toBeGreaterThan(0);
    expect(JSON.stringify(items)).not.toContain("canary-token");
    expect(it.errors).toEqual([]);
  });
});
