/**
 * The queue of runs, on pg-boss. A job is a hint that a run wants a worker, and holds ids only: what a run is, whether it may
 * start and how it ended stand in our own tables. So a job may be lost, doubled or late, and nothing is wrong: the reaper
 * queues again what has no job, and whoever fetches a job asks the run's row before doing anything.
 *
 * pg-boss's own `work()` is bound by polling (a job per interval), so we fetch ourselves; its retries are off, because the
 * reaper gives a lost run its next attempt.
 */
import type pg from "pg";
import { PgBoss, type Db, type Job } from "pg-boss";

export const RUN_QUEUE = "runs";
/** NOTIFY on this channel, in the transaction that queued a job: look now. */
export const RUN_CHANNEL = "plugboard_runs";

export interface RunJob { readonly tenant: string; readonly run: string }
export type FetchedJob = Pick<Job<RunJob>, "id" | "retryCount" | "data">;

/** A client inside a transaction, or a pool. */
export type Queryable = Pick<pg.ClientBase, "query">;

export interface EnqueueOptions {
  /** Not before this instant, in milliseconds since the epoch. */
  readonly startAfter?: number;
  /** Higher goes first: someone waits for a manual run. @default 0 */
  readonly priority?: number;
}

export interface RunQueue {
  /** Queues a job in the caller's transaction: there is a job exactly if it commits. A run has at most one queued job. */
  enqueue(transaction: Queryable, job: RunJob, options?: EnqueueOptions): Promise<void>;
  /** Claims up to `count` jobs that could start now, none of these tenants: they have their share already. */
  fetch(count: number, except?: readonly string[]): Promise<readonly FetchedJob[]>;
  /** The job is done with; the run's row says how it went. */
  settle(jobs: readonly FetchedJob[]): Promise<void>;
  /** Says that the jobs are still being worked on. */
  touch(jobs: readonly FetchedJob[]): Promise<void>;
  /** Of these runs, those that have no job, neither queued nor being worked on. */
  withoutJob(runs: readonly RunJob[]): Promise<readonly RunJob[]>;
  /** Jobs that could start now. */
  depth(): Promise<number>;
  close(): Promise<void>;
}

export interface RunQueueOptions {
  readonly pool: pg.Pool;
  /** pg-boss's schema, made by our migrations. */
  readonly schema: string;
  /** Whether this process keeps house: fails the jobs of dead workers, deletes old ones. Workers do. */
  readonly supervise: boolean;
  onError(cause: Error): void;
}

/** Silence after which a worker counts as dead and its jobs as lost. pg-boss allows no less than 10. */
const HEARTBEAT_SECONDS = 30;
const MONITOR_SECONDS = 10;
/** A job that is never fetched again; runs themselves are bounded by their caps. */
const EXPIRE_SECONDS = 86_399;
const KEEP_DONE_SECONDS = 3600;

export async function openRunQueue(options: RunQueueOptions): Promise<RunQueue> {
  const boss = new PgBoss({
    db: asBossDatabase(options.pool), schema: options.schema, createSchema: false, migrate: false, schedule: false, reindex: false, monitorVacuum: false,
    supervise: options.supervise, superviseIntervalSeconds: MONITOR_SECONDS, monitorIntervalSeconds: MONITOR_SECONDS,
  });
  boss.on("error", options.onError);
  await boss.start();
  await boss.createQueue(RUN_QUEUE, {
    policy: "short", retryLimit: 0, heartbeatSeconds: HEARTBEAT_SECONDS, expireInSeconds: EXPIRE_SECONDS, deleteAfterSeconds: KEEP_DONE_SECONDS,
  });

  return {
    async enqueue(transaction, job, { startAfter, priority = 0 } = {}) {
      await boss.send(RUN_QUEUE, { tenant: job.tenant, run: job.run }, {
        db: asBossDatabase(transaction), singletonKey: job.run, group: { id: job.tenant }, priority,
        ...(startAfter === undefined ? {} : { startAfter: new Date(startAfter) }),
      });
      await transaction.query("select pg_notify($1, '')", [RUN_CHANNEL]);
    },
    fetch: (count, except = []) => boss.fetch<RunJob>(RUN_QUEUE, { batchSize: count, ...(except.length === 0 ? {} : { ignoreGroups: [...except] }) }),
    async settle(jobs) {
      if (jobs.length > 0) await boss.complete(RUN_QUEUE, attempts(jobs));
    },
    async touch(jobs) {
      if (jobs.length > 0) await boss.touch(RUN_QUEUE, attempts(jobs));
    },
    async withoutJob(runs) {
      if (runs.length === 0) return [];
      const { rows } = await options.pool.query(`select singleton_key as run from ${options.schema}.job where name = $1 and state <= 'active' and singleton_key = any($2)`, [RUN_QUEUE, runs.map(({ run }) => run)]);
      const known = new Set((rows as { run: string }[]).map(({ run }) => run));
      return runs.filter(({ run }) => !known.has(run));
    },
    async depth() {
      const { rows } = await options.pool.query(`select count(*)::int as depth from ${options.schema}.job where name = $1 and state < 'active' and start_after <= now()`, [RUN_QUEUE]);
      return (rows[0] as { depth: number }).depth;
    },
    close: () => boss.stop({ graceful: false, close: false }),
  };
}

/** With the attempt, a call about a job that someone else has claimed since changes nothing. */
const attempts = (jobs: readonly FetchedJob[]): { id: string; retryCount: number }[] => jobs.map(({ id, retryCount }) => ({ id, retryCount }));

const asBossDatabase = (client: Queryable): Db => ({ executeSql: (text, values) => client.query(text, values as unknown[]) });
