/** Asks for a run. The run's row and its job are made in one transaction, so a worker sees both or neither. */
import { createRun, currentRevision, listRuns, withTenant, type Database, type Run, type RunCreated, type TenantTransaction } from "../store/index.ts";
import type { ReplayScope, RunMode } from "../run/ports.ts";
import type { RunQueue } from "./queue.ts";

export interface RunWanted {
  readonly flow: string;
  readonly connection: string;
  /** Why: `schedule`, `api`, `start` … */
  readonly trigger: string;
  readonly requestedBy?: string;
  readonly mode?: RunMode;
  /** Quarantined records to try again, whatever revision they failed under. */
  readonly replay?: ReplayScope;
  /** The schedule's tick, in milliseconds since the epoch. */
  readonly slot?: number;
}

/** Someone waits for a run that was not made by the clock. */
const ASKED_FOR = 10;

export const priorityOf = (run: Pick<Run, "trigger">): number => (run.trigger === "schedule" ? 0 : ASKED_FOR);

/**
 * Queues a run of a flow. A request that finds one queued joins it (`coalesced`); one that finds the flow running gets a run
 * of its own afterwards, because what is running may have passed what changed. The clock is content with either.
 * @returns undefined when there is nothing to run: the flow is at it already (for the clock), or the tenant has no configuration.
 */
export async function queueRun(queue: RunQueue, tx: TenantTransaction, wanted: RunWanted): Promise<RunCreated | undefined> {
  const revision = await currentRevision(tx, tx.tenant);
  if (revision === undefined) return undefined;
  if (wanted.slot !== undefined && (await activeRun(tx, wanted.flow)) !== undefined) return undefined;
  return createRun(tx, { tenant: tx.tenant, revision, ...wanted }, (_, run) => queue.enqueue(tx, { tenant: tx.tenant, run: run.id }, { priority: priorityOf(run) }));
}

/** The same in a transaction of its own. */
export const triggerRun = (queue: RunQueue, db: Database, tenant: string, wanted: RunWanted): Promise<RunCreated | undefined> =>
  withTenant(db, tenant, (tx) => queueRun(queue, tx, wanted));

/** The run that holds the flow's place, if any. */
export async function activeRun(tx: TenantTransaction, flow: string): Promise<Run | undefined> {
  for (const status of ["running", "waiting"] as const) {
    const { items: [run] } = await listRuns(tx, tx.tenant, { flow, status, limit: 1 });
    if (run !== undefined) return run;
  }
  return undefined;
}
