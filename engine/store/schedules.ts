/** When flows are due, for the scheduler: it looks over all tenants, and fires one flow in that tenant's transaction. */
import type { FlowPlan } from "../plan/types.ts";
import { asScheduler, type Database, inTenant, type TenantTransaction, withTenant } from "./database.ts";
import { moveSchedule, noteSkipped, pauseSchedule, selectObstacle, selectDueSchedules, selectNextDue, selectSchedules } from "./sql/schedules.ts";

/** Milliseconds since the epoch throughout. */
export interface DueSchedule {
  readonly tenant: string;
  readonly flow: string;
  readonly connection: string;
  readonly schedule: NonNullable<FlowPlan["schedule"]>;
  /** The tick that was fired last. */
  readonly slot?: number;
  /** When the tick to fire was due; absent: it was never worked out, nothing is to be fired yet. */
  readonly due?: number;
}

export interface ScheduleState extends DueSchedule {
  readonly enabled: boolean;
  readonly paused?: { readonly at: number; readonly by: string };
  /** The last tick started nothing: its connection was never entered, or was taken away again. */
  readonly skipped?: { readonly at: number; readonly reason: SkipReason };
}

export type SkipReason = "not_connected" | "disconnected";

interface ScheduleRow { tenant: string; flow: string; connection: string; schedule: DueSchedule["schedule"]; slot: Date | null; due_at: Date | null }

export const dueSchedules = (db: Database, limit = 100): Promise<DueSchedule[]> =>
  asScheduler(db, async (tx) => (await tx.run<ScheduleRow>(selectDueSchedules(limit))).map(scheduleOf));

/** When the next tick is due; undefined: nothing is scheduled. */
export const nextDue = (db: Database): Promise<number | undefined> => asScheduler(db, async (tx) => {
  const [row] = await tx.run<{ due_at: Date | null }>(selectNextDue());
  return row?.due_at?.getTime();
});

/**
 * Moves the flow to its next tick and, in the same transaction, does what firing the old one means. Nothing happens when
 * another process was first.
 * @param fired the tick that is being fired; undefined when only the next one is worked out.
 * @param next when the next tick is due; undefined: never again.
 */
export function fireSchedule(db: Database, schedule: DueSchedule, fired: number | undefined, next: { readonly due: number } | undefined, work?: (tx: TenantTransaction) => Promise<void>): Promise<boolean> {
  return withTenant(db, schedule.tenant, async (tx) => {
    const date = (milliseconds: number | undefined) => milliseconds === undefined ? null : new Date(milliseconds);
    const moved = await tx.run(moveSchedule(tx.tenantId, schedule.flow, date(schedule.due), date(fired), date(next?.due)));
    if (moved.length === 0) return false;
    await work?.(tx);
    return true;
  });
}

export const listSchedules = (at: Database | TenantTransaction, tenant: string): Promise<ScheduleState[]> => inTenant(at, tenant, async (tx) => {
  const rows = await tx.run<ScheduleRow & { enabled: boolean; paused_at: Date | null; paused_by: string | null; skipped_at: Date | null; skipped_reason: SkipReason | null }>(selectSchedules(tx.tenantId));
  return rows.map((row) => ({ ...scheduleOf({ ...row, tenant }), enabled: row.enabled,
    ...(row.paused_at === null ? {} : { paused: { at: row.paused_at.getTime(), by: row.paused_by ?? "" } }),
    ...(row.skipped_at === null || row.skipped_reason === null ? {} : { skipped: { at: row.skipped_at.getTime(), reason: row.skipped_reason } }) }));
});

/**
 * For a tick that is being fired: what stands in its way, noted for whoever looks at the flow. A run without a credential could
 * only fail, at every tick again.
 */
export async function obstacleOf(tx: TenantTransaction, flow: string): Promise<SkipReason | undefined> {
  const [row] = await tx.run<{ reason: SkipReason }>(selectObstacle(tx.tenantId, flow));
  await tx.run(noteSkipped(tx.tenantId, flow, row?.reason));
  return row?.reason;
}

/** `by` undefined resumes. False: the flow has no schedule. */
export const pauseFlow = (at: Database | TenantTransaction, tenant: string, flow: string, by: string | undefined): Promise<boolean> =>
  inTenant(at, tenant, async (tx) => (await tx.run(pauseSchedule(tx.tenantId, flow, by))).length === 1);

const scheduleOf = ({ tenant, flow, connection, schedule, slot, due_at }: ScheduleRow): DueSchedule => ({
  tenant, flow, connection, schedule,
  ...(slot === null ? {} : { slot: slot.getTime() }),
  ...(due_at === null ? {} : { due: due_at.getTime() }),
});
