/**
 * One attempt at one run: claim it, read its immutable plan, give the interpreter its ports, say how it ended. Every way out
 * leaves the run in a state from which something goes on: ended, waiting with a job for later, queued again with a job, or,
 * when the database is gone, with a lease that runs out.
 */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Transport } from "../components/kinds.ts";
import type { JsonObject } from "../manifest/types.ts";
import type { ConnectorPlan, StreamPlan, TenantPlan } from "../plan/types.ts";
import { checkConnection } from "../run/check-connection.ts";
import type { Clock, ConnectionValues, RunRequest, RunResult } from "../run/ports.ts";
import { runFlow } from "../run/run-flow.ts";
import {
  appendRunLog, buckets, claimRun, finishRun, getRun, readConnectionValues, readPlan, runStore, setConnectionStatus, tokenStore, withTenant,
  type Database, type Keyring, type ReferenceResolver, type Run,
} from "../store/index.ts";
import type { ProgressBoard } from "./progress.ts";
import type { RunJob, RunQueue } from "./queue.ts";
import { createRunLog, type RunLog } from "./run-log.ts";
import { activeRun, priorityOf } from "./trigger.ts";

export interface ExecutionOptions {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly references?: ReferenceResolver;
  readonly queue: RunQueue;
  readonly board: ProgressBoard;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Names this worker, for people. */
  readonly owner: string;
  /** Kill points of the fault rig. */
  readonly probe?: RunRequest["probe"];
  /** A job was put back: there is something to fetch in so many milliseconds. */
  putBack(milliseconds: number): void;
  onError(cause: Error): void;
}

/** Longest silence before another worker may take over a run. Shorter takes over live runs; longer delays records. */
export const LEASE_SECONDS = 30;
/** How soon a run whose flow is at it already is looked at again. */
const BUSY_MILLISECONDS = 1000;
/** First pause before a run that met an unwell database is tried again; doubles with every attempt. */
const STORE_RETRY_MILLISECONDS = 2000;
const LONGEST_STORE_RETRY_MILLISECONDS = 300_000;
/** Attempts after which a run that always meets an unwell database fails. */
const MAX_STORE_ATTEMPTS = 10;
/** A secret that is being replaced where it is kept is back in seconds; one that is not there is told soon. */
const MAX_REFERENCE_ATTEMPTS = 3;
/** How long the end of a run is said again when the database does not take it. */
const FINISH_RETRIES_MILLISECONDS = [200, 500, 1000, 2000, 4000] as const;

/** @returns a function for the dispatcher; keeps the plans it has read, which never change. */
export function createExecution(options: ExecutionOptions): (job: RunJob, signal: AbortSignal) => Promise<void> {
  const plans = new PlanCache(options.db);
  return (job, signal) => new Execution(options, plans, job, signal).work();
}

class Execution {
  readonly #options: ExecutionOptions;
  readonly #plans: PlanCache;
  readonly #job: RunJob;
  readonly #signal: AbortSignal;

  constructor(options: ExecutionOptions, plans: PlanCache, job: RunJob, signal: AbortSignal) {
    this.#options = options;
    this.#plans = plans;
    this.#job = job;
    this.#signal = signal;
  }

  async work(): Promise<void> {
    const run = await this.#claim();
    if (run === undefined) return;
    const { db, board, onError } = this.#options;
    const log = createRunLog({ append: (lines) => appendRunLog(db, run.tenant, run.id, lines), now: Date.now, onError });
    const result = await this.#run(run, log).catch((thrown: unknown): RunResult => failedToStart(run, thrown));
    await log.close();
    const ended = await this.#finish(run, result);
    await log.close();                                     // what could not be written while the database was away
    if (ended !== undefined) board.report({ tenant: run.tenant, run: run.id, flow: run.flow, status: ended.status, counters: ended.counters });
  }

  /** Undefined: nothing to do for this job, now or ever. */
  async #claim(): Promise<Run | undefined> {
    const { db, owner, queue } = this.#options;
    const { tenant, run } = this.#job;
    try {
      const claimed = await claimRun(db, { tenant, run, owner, leaseSeconds: LEASE_SECONDS });
      if (claimed !== undefined) await this.#options.probe?.("claimed");
      return claimed;
    } catch (thrown) {
      if (thrown instanceof PlugboardError && thrown.code === "PLAN_UNKNOWN_TENANT") return undefined;
      if (!(thrown instanceof PlugboardError) || thrown.code !== "RUN_ALREADY_RUNNING") throw thrown;
    }
    // The flow is at it already. A run that waits for its provider keeps the others waiting as long.
    const later = await withTenant(db, tenant, async (tx) => {
      const waiting = await getRun(tx, tenant, run);
      if (waiting?.status !== "queued") return undefined;
      const resumes = Date.parse((await activeRun(tx, waiting.flow))?.resume_at ?? "");
      const after = Math.max(BUSY_MILLISECONDS, resumes - Date.now() || 0);
      await queue.enqueue(tx, this.#job, { startAfter: Date.now() + after, priority: priorityOf(waiting) });
      return after;
    });
    if (later !== undefined) this.#options.putBack(later);
    return undefined;
  }

  async #run(run: Run, log: RunLog): Promise<RunResult> {
    const { db, keyring, board, transport, clock, owner, probe } = this.#options;
    const { tenant } = run;
    const plan = await this.#plans.read(tenant, run.revision);
    const flow = plan.flows[run.flow];
    const connector = flow && plan.connectors[flow.connector];
    const entityPlan = flow && plan.entities[flow.to.entity];
    if (!flow || !connector || !entityPlan) throw new PlugboardError("PLAN_UNKNOWN_FLOW", { flow: run.flow, tenant });
    const connection = await readConnectionValues(db, keyring, tenant, flow.connection, connector, plan.connections[flow.connection], this.#options.references);
    if (connection.unproved === true) await this.#proveAccount(run, plan, flow.connection, connector, connection, log);
    const probed = probe === undefined ? {} : { probe };
    return runFlow({
      run: run.id, attempt: run.attempt, plan, flow: run.flow, connection, signal: this.#signal, ...probed,
      ...(run.requested_mode === undefined ? {} : { mode: run.requested_mode }),
      ...(run.replay === undefined ? {} : { replay: run.replay }),
    }, {
      store: runStore(db, keyring, {
        tenant, flow: { tenant, connection: flow.connection, flow: flow.name }, stream: flow.stream, entity: flow.to.entity, entityPlan, labels: flow.labels,
        run: run.id, revision: run.revision, owner, leaseSeconds: LEASE_SECONDS, ...probed, resync: run.requested_mode === "full", readWhole: isReadWhole(connector.streams[flow.stream]),
      }),
      transport, clock, buckets: buckets(db), token: tokenStore(db, keyring, tenant, flow.connection),
      log: (line) => log.write(line),
      progress: (progress) => board.report({ tenant, run: run.id, flow: run.flow, progress }),
    });
  }

  /** A credential that was entered anew may reach another account: two key spaces would mix. @throws PlugboardError AUTH_ACCOUNT_CHANGED */
  async #proveAccount(run: Run, plan: TenantPlan, connection: string, connector: ConnectorPlan, values: ConnectionValues, log: RunLog): Promise<void> {
    if (!Object.values(connector.check?.named ?? {}).some(({ account }) => account !== undefined)) return;
    const { db, keyring, transport, clock } = this.#options;
    const planned = plan.connections[connection];
    try {
      await checkConnection({ tenant: plan.tenant, connection, connector, ...(planned === undefined ? {} : { plan: planned }), values, signal: this.#signal },
        { transport, clock, buckets: buckets(db), token: tokenStore(db, keyring, run.tenant, connection), log: (line) => { log.write(line); } });
    } catch (thrown) {
      if (thrown instanceof PlugboardError && thrown.code === "AUTH_ACCOUNT_CHANGED") await setConnectionStatus(db, run.tenant, connection, "broken", { code: thrown.code, message: thrown.message, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }), params: thrown.params as JsonObject });
      throw thrown;
    }
  }

  /** Undefined: another attempt counts by now. */
  async #finish(run: Run, result: RunResult): Promise<Run | undefined> {
    const { db, queue, clock } = this.#options;
    const again = retryOfStoreFailure(run, result);
    const resumeAt = again === undefined ? result.resume_at : Date.now() + again;
    const end = {
      tenant: run.tenant, run: run.id, attempt: run.attempt, status: again === undefined ? result.status : "interrupted" as const, mode: result.mode, counters: result.counters,
      checkpoint: result.checkpoint, sweep: result.sweep, error: result.error, resume_at: result.status === "waiting" ? result.resume_at : undefined,
    };
    const say = (): Promise<Run | undefined> => withTenant(db, run.tenant, async (tx) => {
      const ended = await finishRun(tx, withoutAbsent(end), (_, queued) =>
        queue.enqueue(tx, this.#job, { priority: priorityOf(queued), ...(resumeAt === undefined ? {} : { startAfter: resumeAt }) }));
      await noteCredential(tx, run, result);
      return ended;
    });
    for (const pause of FINISH_RETRIES_MILLISECONDS) {
      try {
        return await say();
      } catch (thrown) {
        if (!isUnwell(thrown)) throw thrown;
        await clock.sleep(pause, new AbortController().signal);
      }
    }
    return say();
  }
}

/** Trouble of the database, or of where a secret is kept, is not the run's: it goes on by itself. Undefined: not such a failure, or too often. */
function retryOfStoreFailure(run: Run, { status, error }: RunResult): number | undefined {
  const most = error?.code === "STORE_UNREACHABLE" || error?.code === "STORE_BUSY" ? MAX_STORE_ATTEMPTS : error?.code === "STORE_REFERENCE" ? MAX_REFERENCE_ATTEMPTS : 0;
  if (status !== "failed" || run.attempt >= most) return undefined;
  return Math.min(STORE_RETRY_MILLISECONDS * 2 ** (run.attempt - 1), LONGEST_STORE_RETRY_MILLISECONDS);
}

const isReadWhole = (stream: StreamPlan | undefined): boolean => stream?.cursor === undefined && stream?.changes === undefined;

const isUnwell = (thrown: unknown): boolean => thrown instanceof PlugboardError && (thrown.code === "STORE_UNREACHABLE" || thrown.code === "STORE_BUSY");

/** Who paused, disconnected or found out about another account said it already; a token request that failed may pass. */
const SAYS_NOTHING_NEW: ReadonlySet<string> = new Set(["AUTH_NOT_CONNECTED", "AUTH_ACCOUNT_CHANGED", "AUTH_TOKEN_REQUEST"]);

/** What a run learned about its connection's credential, for whoever looks at the connection. */
async function noteCredential(tx: Parameters<typeof setConnectionStatus>[0], run: Run, { status, error }: RunResult): Promise<void> {
  if (error !== undefined && SAYS_NOTHING_NEW.has(error.code)) return;
  if (error?.code.startsWith("AUTH_")) await setConnectionStatus(tx, run.tenant, run.connection, "broken", { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  else if (status === "succeeded" || status === "succeeded_with_quarantine") await setConnectionStatus(tx, run.tenant, run.connection, "ok");
}

/** A run that could not even begin: its configuration or its connection is at fault, or the database. */
function failedToStart(run: Run, thrown: unknown): RunResult {
  const error = thrown instanceof PlugboardError ? thrown : new PlugboardError("RUN_INTERNAL", { detail: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown) });
  const { code, message, hint } = error.toJSON();
  return {
    status: "failed", mode: run.requested_mode ?? run.mode ?? "incremental", checkpoint: undefined,
    counters: { read: 0, created: 0, updated: 0, unchanged: 0, superseded: 0, deleted: 0, filtered: 0, quarantined: 0, swept: 0, pages: 0, requests: 0, retries: 0, bytes: 0 },
    error: { code, message, ...(hint === undefined ? {} : { hint }) },
  };
}

/** Plans of applied revisions never change, so a worker reads each once. */
export class PlanCache {
  static readonly #MOST = 200;
  readonly #db: Database;
  readonly #plans = new Map<string, TenantPlan>();

  constructor(db: Database) {
    this.#db = db;
  }

  async read(tenant: string, revision: string): Promise<TenantPlan> {
    const name = JSON.stringify([tenant, revision]);
    let plan = this.#plans.get(name);
    this.#plans.delete(name);                              // the one used last goes last
    plan ??= await readPlan(this.#db, tenant, revision);
    this.#plans.set(name, plan);
    if (this.#plans.size > PlanCache.#MOST) this.#plans.delete(this.#plans.keys().next().value!);
    return plan;
  }
}

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };
const withoutAbsent = <T extends object>(value: T): Present<T> => Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Present<T>;
