/**
 * `npm run bench`: speed as a ratio beside a baseline, both measured in this one run, in turn. Nothing here is asserted.
 *   --records N   records of the pull (default 100000)      --rounds N   of each, in turn (default 3)
 *   --only pull|trigger|memory|intake|deliveries|actions|studio         --json       one JSON document at the end
 *   --only tenants   10,000 organisations with three flows each: --tenants N makes fewer
 *   --only review    a change from its proposal to a rollback among 1,000 organisations (or --tenants N), beside ten
 */
import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import pg from "pg";
import { generateKey, migrate } from "../../engine/store/index.ts";
import { startEmbeddedPostgres } from "../../server/embedded-postgres.ts";
import { benchPlan, empty, openOurs, pullByHand, pullOurs, tenantIdOf } from "./pull.ts";
import { measureDeliveries } from "./deliveries.ts";
import { measureActions } from "./actions.ts";
import { measureIntake } from "./intake.ts";
import { measureReview } from "./review.ts";
import { measureStudio } from "./studio.ts";
import { measureTenants } from "./tenants.ts";
import { measureTrigger } from "./trigger.ts";

const { values } = parseArgs({ options: { records: { type: "string", default: "100000" }, rounds: { type: "string", default: "3" }, tenants: { type: "string" }, only: { type: "string" }, json: { type: "boolean" } } });
const records = Number(values.records);
const rounds = Number(values.rounds);
const PAGE_SIZE = 500;
const key = generateKey();
const wants = (part: string): boolean => values.only === undefined || values.only === part;
const results: Record<string, unknown> = { node: process.version, cpus: cpus().length, records, rounds };

const folder = await mkdtemp(path.join(tmpdir(), "plugboard-bench-"));
const postgres = await startEmbeddedPostgres({ folder, log: () => undefined });
try {
  await migrate({ url: postgres.url });
  if (wants("pull")) results["pull"] = await pull();
  if (wants("trigger")) {
    await empty(postgres.url);                             // the pulls leave runs behind that nobody executes
    results["trigger"] = await measureTrigger(postgres.url, key);
  }
  if (wants("intake")) results["intake"] = await measureIntake(postgres.url, key, rounds);
  if (wants("deliveries")) results["deliveries"] = await measureDeliveries(postgres.url, key, rounds);
  if (wants("actions")) results["actions"] = await measureActions(postgres.url, key, rounds);
  if (wants("studio")) results["studio"] = await measureStudio(postgres, rounds);
  if (values.only === "tenants") results["tenants"] = await measureTenants(postgres.url, key, Number(values.tenants ?? 10_000));
  if (wants("review")) results["review"] = await measureReview(emptyDatabase, key, Number(values.tenants ?? 1000), rounds);
  if (values.only === "memory") results["memory"] = await memory();
  if (values.json) console.log(JSON.stringify(results));
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

/** A migrated one of its own, on the same server. */
async function emptyDatabase(): Promise<string> {
  const url = Object.assign(new URL(postgres.url), { pathname: `/bench_${randomBytes(4).toString("hex")}` });
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query(`create database ${url.pathname.slice(1)}`);
  await admin.end();
  await migrate({ url: url.href });
  return url.href;
}

async function pull(): Promise<object> {
  const provider = await startProvider(records);
  const ours = await openOurs(postgres.url, benchPlan(provider.port, PAGE_SIZE), key);
  const tenantId = await tenantIdOf(postgres.url);
  const seconds = { ours: [] as number[], byHand: [] as number[] };
  console.log(`pull of ${records.toLocaleString("en")} records of about 1 KB, pages of ${PAGE_SIZE}, ${rounds} rounds in turn`);
  for (let round = 1; round <= rounds; round++) {
    await empty(postgres.url);
    seconds.byHand.push(await pullByHand(postgres.url, tenantId, provider.port, PAGE_SIZE, records));
    await empty(postgres.url);
    seconds.ours.push(await pullOurs(ours, records));
    console.log(`  round ${round}: by hand ${rate(seconds.byHand.at(-1)!)}/s, plugboard ${rate(seconds.ours.at(-1)!)}/s`);
  }
  provider.stop();
  await ours.db.close();
  const ratio = median(seconds.byHand) / median(seconds.ours);
  console.log(`  median: by hand ${rate(median(seconds.byHand))}/s, plugboard ${rate(median(seconds.ours))}/s: ratio ${ratio.toFixed(2)} (1 is as fast as by hand)`);
  return { by_hand_per_second: records / median(seconds.byHand), plugboard_per_second: records / median(seconds.ours), ratio, seconds };
}

/** Peak memory of a pull, in a process of its own per size: what grows with the number of records is a leak. */
async function memory(): Promise<object> {
  const peaks: Record<string, number> = {};
  for (const size of [100_000, 1_000_000]) {
    const provider = await startProvider(size);
    await empty(postgres.url);
    const child = fork(fileURLToPath(new URL("memory.ts", import.meta.url)), [postgres.url, String(provider.port), String(PAGE_SIZE), String(size), key]);
    peaks[size] = await new Promise<number>((resolve, reject) => { child.on("message", (bytes) => resolve(Number(bytes))); child.on("exit", (code) => { if (code !== 0) reject(new Error(`the pull exited with ${code}`)); }); });
    provider.stop();
    console.log(`peak memory of a pull of ${size.toLocaleString("en")} records: ${Math.round(peaks[size] / 1_048_576)} MB`);
  }
  return peaks;
}

function startProvider(total: number): Promise<{ port: number; stop(): void }> {
  const child = fork(fileURLToPath(new URL("provider.ts", import.meta.url)), [String(total), String(PAGE_SIZE)], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.stdout!.once("data", (line: Buffer) => resolve({ port: Number(line.toString()), stop: () => { child.kill(); } }));
  });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

function rate(seconds: number): string {
  return Math.round(records / seconds).toLocaleString("en");
}
