/** A short storm for every test run; `npm run faults` is the long one. Seeds are fixed: a failure here can be looked at again. */
import { describe, expect, inject, test } from "vitest";
import { makeDatabase } from "./database.ts";
import type { Mutant } from "./mutants.ts";
import { runRig, type RigReport } from "./rig.ts";

const SEED = 20_261_121;

async function storm(settings: { records: number; kills: number; stops: number; page: number; brief?: boolean; mutant?: Mutant }): Promise<RigReport> {
  const template = new URL(inject("templateUrl"));
  const server = new URL("/postgres", template);
  server.username = template.username;
  server.password = template.password;
  const database = await makeDatabase(server.href, `faults_${settings.mutant?.replace("-", "_") ?? "engine"}_${process.pid}`, template.pathname.slice(1));
  try {
    return await runRig({ seed: SEED, ...settings, databaseUrl: database.url, log: () => undefined });
  } finally {
    await database.drop();
  }
}

describe.concurrent("workers that are killed at every step and stopped until replaced, from a provider that fails a fifth of its answers", () => {
  test("the engine loses nothing, stores nothing twice and writes nothing under an old epoch", { timeout: 90_000 }, async () => {
    const report = await storm({ records: 1_200, kills: 13, stops: 2, page: 40 });
    expect(report.violations).toEqual([]);
    expect([report.kills, report.zombies, report.fenced, report.missed]).toEqual([15, 2, 2, 0]);
    expect(Object.keys(report.killedAt).length).toBe(12);                  // the eleven points, and anywhere
    expect(Math.min(...Object.values(report.faults))).toBeGreaterThan(0);
  });

  test("an engine that commits the checkpoint before the data is caught: it loses records", { timeout: 90_000 }, async () => {
    const report = await storm({ records: 600, kills: 10, stops: 0, page: 20, brief: true, mutant: "checkpoint-first" });
    expect(report.findings.lost).toBeGreaterThan(0);
  });

  test("an engine that does not check the epoch is caught: replaced workers write, and its checkpoint goes back", { timeout: 90_000 }, async () => {
    const { findings, fenced } = await storm({ records: 600, kills: 0, stops: 2, page: 20, brief: true, mutant: "no-fence" });
    expect(fenced).toBe(0);
    expect(findings.staleWrites).toBeGreaterThan(0);
    expect(findings.checkpointRegressions).toBeGreaterThan(0);
  });
});
