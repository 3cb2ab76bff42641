/** Reads that events asked for: one for all that name a record without carrying it. */
import { asScheduler, type Database, type TenantTransaction, withTenant } from "./database.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import * as sql from "./sql/pending-reads.ts";

export interface ReadName { readonly tenant: string; readonly connection: string; readonly stream: string; readonly key: string }

export interface Claimed {
  /** Every commit about this read carries it; under an older one it is refused. */
  readonly epoch: number;
  /** An event of the provider asked; not only a person's replay. */
  readonly fires: boolean;
  /** This one included. */
  readonly attempts: number;
  /** Decimal seconds since the epoch, of the store's clock: what changed after it is newer than what this read finds. */
  readonly as_of: string;
}

export const dueReads = (db: Database, limit = 50): Promise<ReadName[]> => asScheduler(db, (tx) => tx.run<sql.DueRead>(sql.selectDueReads(limit)));

/** When the next one is due, milliseconds since the epoch; undefined: none waits. */
export const nextRead = (db: Database): Promise<number | undefined> => asScheduler(db, async (tx) => {
  const [row] = await tx.run<{ due_at: Date | null }>(sql.selectNextRead());
  return row?.due_at?.getTime();
});

/** Undefined: another worker was first. */
export const claimRead = (db: Database, { tenant, ...read }: ReadName, owner: string, leaseSeconds: number): Promise<Claimed | undefined> =>
  withTenant(db, tenant, async (tx) => (await tx.run<Claimed>(sql.claimRead({ tenantId: tx.tenantId, ...read }, owner, leaseSeconds)))[0]);

/**
 * First in the transaction that stores what was read.
 * @throws PlugboardError RUN_FENCED when another worker has taken the read over: nothing of this one is stored.
 */
export async function fenceRead(tx: TenantTransaction, { connection, stream, key }: Omit<ReadName, "tenant">, epoch: number): Promise<void> {
  const rows = await tx.run(sql.fenceRead({ tenantId: tx.tenantId, connection, stream, key }, epoch));
  if (rows.length === 0) throw new PlugboardError("RUN_FENCED", { flow: `${connection}.${stream}/${key}`, epoch });
}

/** Last in that transaction: events that asked before the read began are over; for those that came since, it is due again. */
export async function finishRead(tx: TenantTransaction, { connection, stream, key }: Omit<ReadName, "tenant">, epoch: number, end: { readonly status: "processed" | "failed"; readonly code?: string; readonly reason?: string }): Promise<void> {
  const read = { tenantId: tx.tenantId, connection, stream, key };
  await tx.run(sql.lockAsking(read));
  await tx.run(sql.answerEvents(read, epoch, end.status, end.code ?? null, end.reason?.slice(0, 1000) ?? null));
  await tx.run(sql.finishRead(read, epoch));
}

/** Tried again in so many seconds; an older epoch changes nothing. */
export const delayRead = (db: Database, { tenant, ...read }: ReadName, epoch: number, seconds: number, reason: string): Promise<void> =>
  withTenant(db, tenant, async (tx) => { await tx.run(sql.delayRead({ tenantId: tx.tenantId, ...read }, epoch, seconds, reason.slice(0, 1000))); });
