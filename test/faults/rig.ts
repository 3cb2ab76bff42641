/**
 * The fault rig: one sync by worker processes that are killed at every step of a page and stopped until another has taken
 * over, from a provider that fails a fifth of its answers and changes while it is read. In the end nothing may be lost and
 * nothing may be there twice; the database's own audit must not have seen a write under an old epoch, nor a checkpoint go back.
 */
import pg from "pg";
import { installAudit } from "./audit.ts";
import { makeBlows, type Blow } from "./blows.ts";
import { openEngine, type RigEngine } from "./engine.ts";
import { countLost, judge, violationsOf, type Findings } from "./judge.ts";
import type { Mutant } from "./mutants.ts";
import { startFaultyProvider, type FaultCounts, type FaultyProvider } from "./provider.ts";
import { TOKEN } from "./fixture.ts";
import { spawnWorker, type RigWorker } from "./worker-process.ts";

export interface RigOptions {
  readonly seed: number;
  readonly records: number;
  readonly kills: number;
  /** Workers that are stopped, and wake when another has taken over. */
  readonly stops: number;
  /** Records per page. */
  readonly page: number;
  readonly mutant?: Mutant | undefined;
  /** Ends after the first complete pass: enough to catch a mutant, too little to clear an engine. */
  readonly brief?: boolean;
  /** A database of its own, empty or migrated; its user must be a superuser. */
  readonly databaseUrl: string;
  log(line: string): void;
}

export interface RigReport {
  readonly seed: number;
  readonly mutant: Mutant | null;
  readonly records: number;
  /** Deaths by kill -9 that happened; by point, `anywhere` from outside. */
  readonly kills: number;
  readonly killedAt: Readonly<Record<string, number>>;
  /** Workers that were stopped and woke up again, and how many of them found that they had been replaced. */
  readonly zombies: number;
  readonly fenced: number;
  /** Blows whose point the worker did not reach: its run had ended before. */
  readonly missed: number;
  readonly faults: FaultCounts;
  readonly answers: number;
  readonly runs: number;
  readonly seconds: number;
  readonly findings: Findings;
  readonly violations: readonly string[];
}

/** A worker that does nothing for so long is given up: the rig reports it instead of hanging. */
const PATIENCE_MILLISECONDS = 120_000;
/** How long a successor may try before its stopped predecessor, which may hold the row's lock, is woken. */
const TAKE_OVER_MILLISECONDS = 2_500;
/** How long a woken worker has to find out that it was replaced; on a busy machine that takes a while. A mutant never does. */
const WAKE_MILLISECONDS = { engine: 30_000, mutant: 4_000 } as const;
/** Providers date their answers by the second: changes of the last one are not in the window yet. */
const QUIET_MILLISECONDS = 1_100;
const MOST_ATTEMPTS = 12;

export async function runRig(options: RigOptions): Promise<RigReport> {
  const begun = Date.now();
  const provider = await startFaultyProvider({ seed: options.seed, records: options.records, token: TOKEN });
  const engine = await openEngine({ databaseUrl: options.databaseUrl, providerUrl: provider.url, page: options.page });
  const admin = new pg.Client({ connectionString: options.databaseUrl });
  admin.on("error", () => undefined);                    // its next query says the same, to whoever asked it
  await admin.connect();
  await installAudit(admin);
  const crew = new Crew(engine, options);
  try {
    const { storm, atEnd } = makeBlows({ seed: options.seed, kills: options.kills, stops: options.stops, pages: Math.ceil(options.records / options.page) });
    for (const blow of storm) await crew.strike(blow);
    for (const blow of atEnd) await crew.strike(blow);
    if (!(await engine.hasCompletedPass())) await crew.finish("full");
    const findings = await verdict(crew, admin, provider, options.brief === true);
    const { rows } = await admin.query<{ runs: number }>("select count(*)::int as runs from plugboard.runs");
    return {
      seed: options.seed, mutant: options.mutant ?? null, records: provider.items.size, kills: Object.values(crew.killedAt).reduce((sum, count) => sum + count, 0), killedAt: crew.killedAt,
      zombies: crew.zombies, fenced: crew.fenced, missed: crew.missed, faults: provider.faults, answers: provider.answers, runs: rows[0]!.runs,
      seconds: Math.round((Date.now() - begun) / 100) / 10, findings, violations: violationsOf(findings),
    };
  } finally {
    await crew.dismiss();
    await admin.end();
    await engine.close();
    await provider.close();
  }
}

/**
 * What was lost is asked when the first pass is complete and after a catch-up: the sweep at the end reads everything once more
 * and would mend it. That nothing is too much can be asked only after the sweep.
 */
async function verdict(crew: Crew, admin: pg.Client, provider: FaultyProvider, brief: boolean): Promise<Findings> {
  const lostInPass = await countLost(admin, provider);
  if (brief) return { ...await judge(admin, provider), lost: lostInPass, outdated: 0, surplus: 0, notQuarantined: 0, unfinished: 0 };
  // A sweep over rows that exist, while their records change and faults go on: none that is there may be ended.
  await crew.finish("full");
  provider.calm();
  await pause(QUIET_MILLISECONDS);
  await crew.finish("incremental");
  const caughtUp = await judge(admin, provider);
  await crew.finish("full");
  const swept = await judge(admin, provider);
  return { ...swept, lost: Math.max(lostInPass, caughtUp.lost, swept.lost), outdated: Math.max(caughtUp.outdated, swept.outdated), notQuarantined: Math.max(caughtUp.notQuarantined, swept.notQuarantined) };
}

/** The workers: one at work, one ready to follow, some stopped. */
class Crew {
  readonly killedAt: Record<string, number> = {};
  zombies = 0;
  fenced = 0;
  missed = 0;
  readonly #engine: RigEngine;
  readonly #options: RigOptions;
  #hired = 0;
  #spare: RigWorker;
  readonly #all: RigWorker[] = [];

  constructor(engine: RigEngine, options: RigOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#spare = this.#hire();
  }

  async strike(blow: Blow): Promise<void> {
    const worker = await this.#begin("full", blow);
    if (blow.what === "stop") return this.#haunt(worker, blow);
    const timer = blow.what === "kill_anywhere" ? setTimeout(() => worker.kill("SIGKILL"), blow.afterMilliseconds) : undefined;
    const end = await worker.end(PATIENCE_MILLISECONDS);
    clearTimeout(timer);
    this.#count(end.signal === "SIGKILL" ? blow.what === "kill" ? blow.point : "anywhere" : undefined);
    this.#options.log(`${describe(blow)} → ${end.signal ?? end.status}, ${worker.pages} pages`);
  }

  /** A stopped worker, its successor, and what happens when the first wakes up. */
  async #haunt(zombie: RigWorker, blow: Blow & { what: "stop" }): Promise<void> {
    if (!(await zombie.stopped(PATIENCE_MILLISECONDS))) {
      this.missed += 1;
      return;
    }
    const successor = await this.#begin("full", { what: "kill", point: "after_commit", nth: 3 });
    // Two pages further: what the first has in hand is then not only late, but behind.
    await Promise.race([successor.committed(2), successor.end(PATIENCE_MILLISECONDS), pause(TAKE_OVER_MILLISECONDS)]);
    zombie.kill("SIGCONT");
    this.zombies += 1;
    const [woken, after] = await Promise.all([zombie.end(WAKE_MILLISECONDS[this.#options.mutant ? "mutant" : "engine"]), successor.end(PATIENCE_MILLISECONDS)]);
    if (woken.status === "fenced") this.fenced += 1;
    this.#count(after.signal === "SIGKILL" ? "after_commit" : undefined);
    this.#options.log(`${describe(blow)} → woken: ${woken.status ?? "killed, it went on"}${woken.error ? ` (${woken.error})` : ""}; its successor made ${successor.pages} pages`);
  }

  /** Runs attempts without blows until a run of this mode has ended well. */
  async finish(mode: "full" | "incremental"): Promise<void> {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
      const worker = await this.#begin(mode);
      const end = await worker.end(PATIENCE_MILLISECONDS);
      this.#options.log(`${mode} to its end → ${end.mode ?? ""} ${end.status ?? end.signal}, ${worker.pages} pages${end.error ? `: ${end.error}` : ""}`);
      // The run of another mode may have been waiting: it stood for ours too, and is not what was asked for.
      if (end.status?.startsWith("succeeded") && end.mode === mode) return;
    }
    throw new Error(`no ${mode} run ended well in ${MOST_ATTEMPTS} attempts`);
  }

  async dismiss(): Promise<void> {
    for (const worker of this.#all) worker.kill("SIGKILL");
    await Promise.allSettled(this.#all.map((worker) => worker.end(5_000)));
  }

  /** Whoever worked before is taken for dead: its lease is let lapse, and its run gets its next attempt. */
  async #begin(mode: "full" | "incremental", blow?: Blow): Promise<RigWorker> {
    const worker = this.#spare;
    this.#spare = this.#hire();
    await worker.ready();
    await this.#engine.letLeasesLapse();
    const run = await this.#engine.nextRun(mode);
    worker.go({ run, ...(blow && blow.what !== "kill_anywhere" ? { blow } : {}), ...(this.#options.mutant ? { mutant: this.#options.mutant } : {}) });
    return worker;
  }

  #hire(): RigWorker {
    this.#hired += 1;
    const worker = spawnWorker(this.#engine.workerSettings(`worker-${this.#hired}`));
    this.#all.push(worker);
    return worker;
  }

  #count(point: string | undefined): void {
    if (point === undefined) this.missed += 1;
    else this.killedAt[point] = (this.killedAt[point] ?? 0) + 1;
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

function describe(blow: Blow): string {
  return blow.what === "kill_anywhere" ? `kill -9 after ${blow.afterMilliseconds} ms` : `${blow.what === "kill" ? "kill -9" : "SIGSTOP"} at ${blow.point} ${blow.nth}`;
}
