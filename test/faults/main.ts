/**
 * `npm run faults`: the rigs on the real engine, then on its mutants, which must fail. The pull rig syncs while workers die; the
 * push rig receives and delivers while servers, workers and the database do.
 * Exits 1 when the engine violated a promise or a mutant got through, 2 when the rig was called wrongly or broke down itself.
 */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startEmbeddedPostgres } from "../../server/embedded-postgres.ts";
import { isAlive } from "../../server/process-alive.ts";
import { makeDatabase } from "./database.ts";
import { PAGE_SIZE } from "./fixture.ts";
import { MUTANTS, type Mutant } from "./mutants.ts";
import type { Point } from "./push/blows.ts";
import { PUSH_MUTANTS, STRIKES, type PushMutant } from "./push/mutants.ts";
import { runPushRig, type PushReport } from "./push/rig.ts";
import { pushTable } from "./push/table.ts";
import { runRig, type RigReport } from "./rig.ts";

const USAGE = `npm run faults -- [--seed N] [--only pull|push] [--mutant ${[...MUTANTS, ...PUSH_MUTANTS].join("|")}] [--no-mutants] [--json] [--verbose]
  pull: [--records 20000] [--kills 50] [--stops 6] [--page ${PAGE_SIZE}]
  push: [--events 6000] [--push-kills 60] [--push-stops 9] [--cuts 4]

--mutant runs only that broken engine, which must fail: the exit code is 1 when it does what it should not.
--no-mutants runs only the engine; without the mutants' score its verdict says little, and it says so.`;

/** The mutants need a storm, not an endurance test. */
const MUTANT_SIZE = { records: 4_000, kills: 20, stops: 4, page: 100, brief: true } as const;
const PUSH_MUTANT_SIZE = { events: 400, kills: 8 } as const;

process.exitCode = await main().catch((broken: unknown) => {
  console.error("the rig broke down; this says nothing about the engine:", broken);
  return 2;
});

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  const say = (line: string) => { if (!options.json) console.log(line); };
  const server = await openServer();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.stop().finally(() => process.exit(130)));
  const log = options.verbose ? (line: string) => say(`  ${line}`) : showLast;
  const inDatabase = async <Report>(run: (databaseUrl: string) => Promise<Report>): Promise<Report> => {
    const database = await makeDatabase(server.url, `faults_${process.pid}_${Date.now()}`);
    try {
      return await run(database.url);
    } finally {
      showLast("");
      await database.drop();
    }
  };
  const { seed, mutant, page } = options;
  const pull = (settings: { records: number; kills: number; stops: number; page: number; brief?: boolean; mutant?: Mutant }): Promise<RigReport> => inDatabase((databaseUrl) => runRig({ seed, ...settings, databaseUrl, log }));
  const push = (settings: { events: number; kills: number; stops: number; cuts: number; who?: "worker" | "server"; points?: readonly Point[]; mutant?: PushMutant }): Promise<PushReport> =>
    inDatabase((databaseUrl) => runPushRig({ seed, ...settings, databaseUrl, log, ...server.restart === undefined ? {} : { restartDatabase: server.restart } }));
  try {
    const reports: { pull?: RigReport; push?: PushReport } = {};
    if (options.wants("pull")) {
      const size = { records: options.records, kills: options.kills, stops: options.stops, page };
      say(`pull, seed ${seed}${mutant ? `, mutant ${mutant}` : ""}: ${size.kills} kills and ${size.stops} zombies over one sync of ${size.records} records`);
      say(table(reports.pull = await pull(isPull(mutant) ? { ...size, mutant } : size)));
    }
    if (options.wants("push")) {
      const size = { events: options.events, kills: options["push-kills"], stops: options["push-stops"], cuts: options.cuts };
      say(`push, seed ${seed}${mutant ? `, mutant ${mutant}` : ""}: ${size.kills} kills, ${size.stops} zombies, ${size.cuts} times without a database, over ${size.events} events`);
      say(pushTable(reports.push = await push(isPush(mutant) ? { ...size, mutant } : size)));
    }

    const mutants: (RigReport | PushReport)[] = [];
    if (options.mutants) {
      for (const name of [...options.wants("pull") ? MUTANTS : [], ...options.wants("push") ? PUSH_MUTANTS : []]) {
        const report = isPull(name) ? await pull({ ...MUTANT_SIZE, mutant: name }) : await push({ ...PUSH_MUTANT_SIZE, ...STRIKES[name], mutant: name });
        mutants.push(report);
        say(`mutant ${name}: ${report.violations.length > 0 ? `caught (${report.violations.join(", ")})` : "NOT CAUGHT"}`);
      }
    }
    const caught = mutants.filter(({ violations }) => violations.length > 0).length;
    const violations = [...reports.pull?.violations ?? [], ...reports.push?.violations ?? []];
    const passed = violations.length === 0 && caught === mutants.length;
    say(options.mutants ? `mutants caught: ${caught}/${mutants.length}` : "no mutant score: the mutants were not run, so this says less than it seems to");
    say(passed ? "passed" : `FAILED: ${[...violations, ...(caught < mutants.length ? ["a mutant got through"] : [])].join(", ")} (seed ${seed})`);
    if (options.json) console.log(JSON.stringify({ passed, seed, ...reports.pull, ...reports.push === undefined ? {} : { push: reports.push }, mutants: options.mutants ? { caught, of: mutants.length, runs: mutants } : null }));
    return passed ? 0 : 1;
  } finally {
    await server.stop();
  }
}

function isPull(mutant: string | undefined): mutant is Mutant { return (MUTANTS as readonly string[]).includes(mutant ?? ""); }
function isPush(mutant: string | undefined): mutant is PushMutant { return (PUSH_MUTANTS as readonly string[]).includes(mutant ?? ""); }

/** What happened last, on one line of a terminal that is overwritten: the storm lasts minutes. */
function showLast(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line.slice(0, 100)}`);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" }, records: { type: "string", default: "20000" }, kills: { type: "string", default: "50" }, stops: { type: "string", default: "6" }, page: { type: "string", default: String(PAGE_SIZE) },
        events: { type: "string", default: "6000" }, "push-kills": { type: "string", default: "60" }, "push-stops": { type: "string", default: "9" }, cuts: { type: "string", default: "4" },
        only: { type: "string" }, mutant: { type: "string" }, "no-mutants": { type: "boolean", default: false }, json: { type: "boolean", default: false }, verbose: { type: "boolean", default: false }, help: { type: "boolean", default: false },
      },
    });
    const { mutant, only = isPull(mutant) ? "pull" : isPush(mutant) ? "push" : undefined } = values;
    const numbers = {
      seed: Number(values.seed ?? Date.now() % 1_000_000), records: Number(values.records), kills: Number(values.kills), stops: Number(values.stops), page: Number(values.page),
      events: Number(values.events), "push-kills": Number(values["push-kills"]), "push-stops": Number(values["push-stops"]), cuts: Number(values.cuts),
    };
    const wrong = Object.entries(numbers).find(([, value]) => !Number.isInteger(value) || value < 0)?.[0] ?? (mutant !== undefined && !isPull(mutant) && !isPush(mutant) ? "mutant" : only !== undefined && only !== "pull" && only !== "push" ? "only" : undefined);
    if (values.help || wrong !== undefined) {
      console.error(wrong === undefined ? USAGE : `--${wrong} is wrong.\n\n${USAGE}`);
      return undefined;
    }
    return { ...numbers, mutant, wants: (part: "pull" | "push") => only === undefined || only === part, mutants: mutant === undefined && !values["no-mutants"], json: values.json, verbose: values.verbose };
  } catch (thrown) {
    console.error(`${(thrown as Error).message}\n\n${USAGE}`);
    return undefined;
  }
}

/** TEST_DATABASE_URL, as for the suite; else an embedded PostgreSQL in a folder that is removed afterwards, and which may die. */
async function openServer(): Promise<{ url: string; restart?(): Promise<void>; stop(): Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  if (given !== undefined) return { url: given, stop: async () => undefined };
  const folder = await mkdtemp(path.join(os.tmpdir(), "plugboard-faults-"));
  await chmod(folder, 0o711);                              // PostgreSQL's own user must walk through it
  let server = await startEmbeddedPostgres({ folder, log: () => undefined });
  return {
    url: server.url,
    /** As a power cut: no checkpoint, no farewell; what was answered as committed must be there when it is back. */
    async restart() {
      const postmaster = Number((await readFile(path.join(server.dataFolder, "postmaster.pid"), "utf8")).split("\n")[0]);
      process.kill(postmaster, "SIGQUIT");
      while (isAlive(postmaster)) await new Promise((resolve) => { setTimeout(resolve, 50); });
      server = await startEmbeddedPostgres({ folder, log: () => undefined });
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function table({ findings, faults, killedAt, ...report }: RigReport): string {
  const rows: [string, string | number][] = [
    ["kill -9", `${report.kills} (${Object.entries(killedAt).map(([point, count]) => `${point} ${count}`).join(", ")})`],
    ["zombies woken, of which fenced", `${report.zombies}, ${report.fenced}`],
    ["blows that missed", report.missed],
    ["provider's answers, of which faulty", `${report.answers}, ${Object.values(faults).reduce((sum, count) => sum + count, 0)} (429 ${faults.tooMany}, 429 bare ${faults.tooManyWithoutRetryAfter}, 500 ${faults.serverError}, reset ${faults.reset}, cut ${faults.truncated})`],
    ["records", report.records], ["runs, epochs", `${report.runs}, ${findings.epochs}`],
    ["lost", findings.lost], ["outdated", findings.outdated], ["duplicated", findings.duplicated], ["surplus", findings.surplus],
    ["wrongly ended", findings.wronglyEnded], ["missing in quarantine", findings.notQuarantined],
    ["unbalanced runs", findings.unbalanced], ["unfinished runs", findings.unfinished],
    ["stale-epoch writes", findings.staleWrites], ["checkpoint regressions", findings.checkpointRegressions], ["epoch regressions", findings.epochRegressions],
    ["seconds", report.seconds],
  ];
  return [...rows.map(([name, value]) => `  ${name.padEnd(36)}${value}`), ...findings.evidence.map((line) => `  evidence ${line}`)].join("\n");
}
