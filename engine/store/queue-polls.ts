/** When queues are asked: over all tenants for whoever asks, one worker at a time for each. */
import type { TenantPlan } from "../plan/types.ts";
import type { ErrorCode } from "../errors/catalog.ts";
import { asScheduler, type Database, type TenantTransaction, withTenant } from "./database.ts";
import * as sql from "./sql/queue-polls.ts";

export interface QueueName { readonly tenant: string; readonly connection: string; readonly queue: string }

export interface ClaimedQueue { readonly epoch: number; /** Where the last complete poll ended. */ readonly cursor: { readonly from?: string } | null; readonly every_seconds: number; /** In a row. */ readonly failures: number }

/** Puts the queues of a plan in force. */
export async function putQueues(tx: TenantTransaction, plan: Pick<TenantPlan, "connections" | "connectors">): Promise<void> {
  const polls = Object.entries(plan.connections).flatMap(([connection, { enabled, connector }]) =>
    enabled ? Object.entries(plan.connectors[connector]?.queues ?? {}).map(([queue, { every_seconds }]) => ({ connection, queue, every_seconds: Math.max(1, Math.round(every_seconds)) })) : []);
  await tx.run(sql.replaceQueuePolls(tx.tenantId, JSON.stringify(polls)));
}

export const dueQueues = (db: Database, limit = 50): Promise<QueueName[]> => asScheduler(db, (tx) => tx.run<QueueName>(sql.selectDueQueues(limit)));

/** Milliseconds since the epoch; undefined: there is no queue. */
export const nextQueue = (db: Database): Promise<number | undefined> => asScheduler(db, async (tx) => (await tx.run<{ due_at: Date | null }>(sql.selectNextQueue()))[0]?.due_at?.getTime());

/** Undefined: another worker was first. */
export const claimQueue = (db: Database, { tenant, ...queue }: QueueName, owner: string, leaseSeconds: number): Promise<ClaimedQueue | undefined> =>
  withTenant(db, tenant, async (tx) => (await tx.run<ClaimedQueue>(sql.claimQueue({ tenantId: tx.tenantId, ...queue }, owner, leaseSeconds)))[0]);

/** An older epoch changes nothing. */
export const finishQueue = (db: Database, { tenant, ...queue }: QueueName, epoch: number, end: { readonly afterSeconds: number; readonly cursor?: { readonly from: string }; readonly error?: { readonly code?: ErrorCode; readonly message: string } }): Promise<void> =>
  withTenant(db, tenant, async (tx) => { await tx.run(sql.finishQueue({ tenantId: tx.tenantId, ...queue }, epoch, end.afterSeconds, end.cursor ?? null, end.error ?? null)); });
