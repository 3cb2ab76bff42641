/**
 * Makes sure that every run ends. A run whose worker fell silent (its lease is over) gets its next attempt, or fails when it
 * lost its worker three times in a row without storing a page. A run that should have a job and has none gets one. Every
 * worker reaps; it does no harm that they all do.
 */
import { claimableRuns, reapRuns, withTenant, type Database } from "../store/index.ts";
import type { RunQueue } from "./queue.ts";
import { priorityOf } from "./trigger.ts";

export interface ReaperOptions {
  readonly db: Database;
  readonly queue: RunQueue;
  /** @default 10000 */
  readonly everyMilliseconds?: number;
  onError(cause: Error): void;
}

export interface Reaper {
  /** Reaps now: runs that got another attempt or were given up, and runs that got the job they lacked. */
  reap(): Promise<{ readonly lost: number; readonly requeued: number }>;
  stop(): Promise<void>;
}

export function startReaper({ db, queue, everyMilliseconds = 10_000, onError }: ReaperOptions): Reaper {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let reaping: Promise<unknown> = Promise.resolve();

  const reap = async (): Promise<{ lost: number; requeued: number }> => {
    const lost = await reapRuns(db, (tx, run) => queue.enqueue(tx, { tenant: tx.tenant, run: run.id }, { priority: priorityOf(run) }));
    const jobless = await queue.withoutJob(await claimableRuns(db));
    for (const job of jobless) await withTenant(db, job.tenant, (tx) => queue.enqueue(tx, job));
    return { lost: lost.length, requeued: jobless.length };
  };
  const again = async (): Promise<void> => {
    await (reaping = reap().catch((thrown: unknown) => onError(thrown as Error)));
    if (!stopped) timer = setTimeout(() => void again(), everyMilliseconds);
  };
  void again();

  return {
    reap,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await reaping;
    },
  };
}
