/**
 * `npm run faults`: the rig on the real engine, then on its mutants, which must fail.
 * Exits 1 when the engine violated a promise or a mutant got through, 2 when the rig was called wrongly or broke down itself.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startEmbeddedPostgres } from "../../server/embedded-postgres.ts";
import { makeDatabase } from "./database.ts";
import { PAGE_SIZE } from "./fixture.ts";
import { MUTANTS, type Mutant } from "./mutants.ts";
import { runRig, type RigReport } from "./rig.ts";

const USAGE = `npm run faults -- [--seed N] [--records 20000] [--kills 50] [--stops 6] [--page ${PAGE_SIZE}]
                  [--mutant ${MUTANTS.join("|")}] [--no-mutants] [--json] [--verbose]

--mutant runs only that broken engine, which must fail: the exit code is 1 when it does what it should not.
--no-mutants runs only the engine; without the mutants' score its verdict says little, and it says so.`;

/** The mutants need a storm, not an endurance test. */
const MUTANT_SIZE = { records: 4_000, kills: 20, stops: 4, page: 100, brief: true } as const;

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
  const run = async (settings: { records: number; kills: number; stops: number; page: number; brief?: boolean; mutant?: Mutant }) => {
    const database = await makeDatabase(server.url, `faults_${process.pid}_${Date.now()}`);
    try {
      return await runRig({ seed: options.seed, ...settings, databaseUrl: database.url, log: options.verbose ? (line) => say(`  ${line}`) : showLast });
    } finally {
      showLast("");
      await database.drop();
    }
  };
  try {
    const size = { records: options.records, kills: options.kills, stops: options.stops, page: options.page };
    say(`seed ${options.seed}${options.mutant ? `, mutant ${options.mutant}` : ""}: ${size.kills} kills and ${size.stops} zombies over one sync of ${size.records} records`);
    const report = await run(options.mutant ? { ...size, mutant: options.mutant } : size);
    say(table(report));

    const mutants: RigReport[] = [];
    if (options.mutants) for (const mutant of MUTANTS) {
      mutants.push(await run({ ...MUTANT_SIZE, mutant }));
      say(`mutant ${mutant}: ${mutants.at(-1)!.violations.length > 0 ? `caught (${mutants.at(-1)!.violations.join(", ")})` : "NOT CAUGHT"}`);
    }
    const caught = mutants.filter(({ violations }) => violations.length > 0).length;
    const passed = report.violations.length === 0 && caught === mutants.length;
    say(options.mutants ? `mutants caught: ${caught}/${MUTANTS.length}` : "no mutant score: the mutants were not run, so this says less than it seems to");
    say(passed ? "passed" : `FAILED: ${[...report.violations, ...(caught < mutants.length ? ["a mutant got through"] : [])].join(", ")} (seed ${options.seed})`);
    if (options.json) console.log(JSON.stringify({ passed, ...report, mutants: options.mutants ? { caught, of: MUTANTS.length, runs: mutants } : null }));
    return passed ? 0 : 1;
  } finally {
    await server.stop();
  }
}

/** What happened last, on one line of a terminal that is overwritten: the storm lasts minutes. */
function showLast(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line.slice(0, 100)}`);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" }, records: { type: "string", default: "20000" }, kills: { type: "string", default: "50" }, stops: { type: "string", default: "6" }, page: { type: "string", default: String(PAGE_SIZE) },
        mutant: { type: "string" }, "no-mutants": { type: "boolean", default: false }, json: { type: "boolean", default: false }, verbose: { type: "boolean", default: false }, help: { type: "boolean", default: false },
      },
    });
    const mutant = values.mutant as Mutant | undefined;
    const numbers = { seed: Number(values.seed ?? Date.now() % 1_000_000), records: Number(values.records), kills: Number(values.kills), stops: Number(values.stops), page: Number(values.page) };
    const wrong = Object.entries(numbers).find(([, value]) => !Number.isInteger(value) || value < 0)?.[0] ?? (mutant !== undefined && !MUTANTS.includes(mutant) ? "mutant" : undefined);
    if (values.help || wrong !== undefined) {
      console.error(wrong === undefined ? USAGE : `--${wrong} is wrong.\n\n${USAGE}`);
      return undefined;
    }
    return { ...numbers, mutant, mutants: mutant === undefined && !values["no-mutants"], json: values.json, verbose: values.verbose };
  } catch (thrown) {
    console.error(`${(thrown as Error).message}\n\n${USAGE}`);
    return undefined;
  }
}

/** TEST_DATABASE_URL, as for the suite; else an embedded PostgreSQL in a folder that is removed afterwards. */
async function openServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  if (given !== undefined) return { url: given, stop: async () => undefined };
  const folder = await mkdtemp(path.join(os.tmpdir(), "plugboard-faults-"));
  await chmod(folder, 0o711);                              // PostgreSQL's own user must walk through it
  const server = await startEmbeddedPostgres({ folder, log: () => undefined });
  return {
    url: server.url,
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
