/** Asks that quarantined records be tried again now, whatever configuration they failed under. */
import type { TenantPlan } from "../plan/types.ts";
import { quarantineGroups, type Database } from "../store/index.ts";
import type { RunQueue } from "./queue.ts";
import { triggerRun } from "./trigger.ts";

export interface ReplayWanted {
  readonly flow?: string;
  readonly connection?: string;
  /** Only those refused with this code. */
  readonly code?: string;
  readonly trigger: string;
  readonly requestedBy?: string;
}

export interface ReplayQueued {
  readonly runs: readonly { readonly id: string; readonly flow: string; readonly status: string; readonly coalesced: boolean; readonly records: number }[];
  /** Flows that are disabled or gone, or read another connection now: their records stay where they are. */
  readonly kept: readonly { readonly connection: string; readonly flow: string; readonly records: number }[];
}

/** Queues a run for every flow with open entries of that scope; it tries them first, then reads the provider as ever. */
export async function replayQuarantine(queue: RunQueue, db: Database, tenant: string, plan: TenantPlan, wanted: ReplayWanted): Promise<ReplayQueued> {
  const { trigger, requestedBy, ...scope } = wanted;
  const open = new Map<string, { connection: string; flow: string; records: number }>();
  for (const { connection, flow, count } of await quarantineGroups(db, tenant, scope)) {
    const name = JSON.stringify([connection, flow]);
    open.set(name, { connection, flow, records: (open.get(name)?.records ?? 0) + count });
  }
  const [runs, kept] = [[] as ReplayQueued["runs"][number][], [] as ReplayQueued["kept"][number][]];
  for (const group of open.values()) {
    if (!isReplayable(plan, group)) {
      kept.push(group);
      continue;
    }
    const { connection, flow, records } = group;
    const created = await triggerRun(queue, db, tenant, { flow, connection, trigger, replay: wanted.code === undefined ? {} : { code: wanted.code }, ...(requestedBy === undefined ? {} : { requestedBy }) });
    if (created?.run !== undefined) runs.push({ id: created.run.id, flow, status: created.run.status, coalesced: created.coalesced, records });
  }
  return { runs, kept };
}

/** Whether the configuration still has the flow that refused them, and runs it. */
export function isReplayable(plan: TenantPlan, { connection, flow }: { readonly connection: string; readonly flow: string }): boolean {
  const planned = plan.flows[flow];
  return planned !== undefined && planned.enabled && planned.connection === connection && plan.connections[connection]?.enabled === true;
}
