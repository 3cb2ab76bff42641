/** A short storm over intake and deliveries for every test run; `npm run faults` has the long one. Seeds are fixed: a failure here can be looked at again. */
import { describe, expect, inject, test } from "vitest";
import { makeDatabase } from "./database.ts";
import { makeStorm, POINTS } from "./push/blows.ts";
import { STRIKES, type PushMutant } from "./push/mutants.ts";
import { runPushRig, type PushReport, type PushRigOptions } from "./push/rig.ts";

const SEED = 20_261_121;

async function storm(settings: Pick<PushRigOptions, "events" | "kills" | "stops" | "cuts" | "who" | "points"> & { mutant?: PushMutant }): Promise<PushReport> {
  const template = new URL(inject("templateUrl"));
  const server = new URL("/postgres", template);
  server.username = template.username;
  server.password = template.password;
  const database = await makeDatabase(server.href, `push_${settings.mutant?.replace("-", "_") ?? "engine"}_${process.pid}`, template.pathname.slice(1));
  try {
    return await runPushRig({ seed: SEED, ...settings, databaseUrl: database.url, log: () => undefined });
  } finally {
    await database.drop();
  }
}

test("a storm strikes every point as often as asked, and the same for the same seed", () => {
  const blows = makeStorm({ seed: 5, kills: 60, stops: 9, cuts: 4 });
  const count = (holds: (blow: (typeof blows)[number]) => boolean): number => blows.filter(holds).length;
  expect([count(({ what }) => what === "kill"), count(({ what, who }) => what === "kill" && who === "server"), count(({ what }) => what === "stop"), count(({ what }) => what === "cut")]).toEqual([60, 20, 9, 4]);
  expect(new Set(blows.flatMap(({ what, at }) => (what === "kill" && at !== undefined ? [at] : [])))).toEqual(new Set(POINTS));
  expect(makeStorm({ seed: 5, kills: 60, stops: 9, cuts: 4 })).toEqual(blows);
});

describe.concurrent("server and workers that are killed and stopped, a provider that sends out of order, twice and again, a receiver that fails a quarter of what it is asked", () => {
  test("every accepted event is processed once, every delivery arrives under one id and in order, what is unknown is found out, a first load sends nothing", { timeout: 900_000 }, async () => {
    const report = await storm({ events: 240, kills: 5, stops: 1, cuts: 1 });
    expect([report.violations, report.findings.evidence]).toEqual([[], []]);
    // A worker that does not come to where it is to be stopped in time is killed.
    expect([report.kills + report.zombies, report.cuts, report.events]).toEqual([6, 1, 240]);
    expect(report.copies).toBeGreaterThan(0);
    expect(report.deliveries).toBeGreaterThan(100);
    expect(Math.min(...Object.values(report.receiverFaults))).toBeGreaterThan(0);
  });

  test("an intake that answers before it commits is caught: it loses events", { timeout: 900_000 }, async () => {
    const { findings } = await storm({ events: 150, kills: 3, ...STRIKES["answered-first"], mutant: "answered-first" });
    expect(findings.lostEvents).toBeGreaterThan(0);
  });

  test("deliveries without an outbox are caught: some are lost, some arrive under two ids", { timeout: 900_000 }, async () => {
    const { findings } = await storm({ events: 150, kills: 5, ...STRIKES["no-outbox"], mutant: "no-outbox" });
    expect(findings.lostDeliveries + findings.duplicatedDeliveries).toBeGreaterThan(0);
  });
});
