/** Sweeps that found so much missing that a person decides. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { TenantPlan } from "../plan/types.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { currentRevision, readPlan } from "./revisions.ts";
import { endByKeys } from "./rows.ts";
import { tickEntity } from "./sql/checkpoints.ts";
import { addSwept, decideHold, selectHolds, selectStillMissing } from "./sql/sweeps.ts";

export interface SweepHold {
  readonly run: string; readonly connection: string; readonly flow: string; readonly stream: string; readonly entity: string;
  readonly missing: number; readonly live: number; readonly held_at: string;
}

export const listSweepHolds = (at: Database | TenantTransaction, tenant: string): Promise<SweepHold[]> => inTenant(at, tenant, async (tx) => {
  const rows = await tx.run<Omit<SweepHold, "held_at"> & { held_at: Date }>(selectHolds(tx.tenantId));
  return rows.map((row) => ({ ...row, held_at: row.held_at.toISOString() }));
});

/**
 * Ends the rows the sweep did not see, but for those that were written since.
 * @throws PlugboardError SERVER_NOT_FOUND when no sweep of that run waits.
 */
export const approveSweep = (at: Database | TenantTransaction, tenant: string, run: string, by: string): Promise<{ swept: number }> => inTenant(at, tenant, async (tx) => {
  const { connection, stream, entity } = await decide(tx, run, "approved", by);
  const [turn] = await tx.run<{ at: string; joined: boolean }>(tickEntity(tx.tenantId, entity));
  const missing = (await tx.run<{ key: string }>(selectStillMissing(tx.tenantId, run))).map(({ key }) => key);
  const revision = await currentRevision(tx, tenant);
  const plan: TenantPlan | undefined = revision === undefined ? undefined : await readPlan(tx, tenant, revision);
  const entityPlan = plan?.entities[entity] ?? { schema: {}, match: [], prefer: [], custom: [] };
  const swept = await endByKeys(tx, { tenantId: tx.tenantId, connection, stream, entity }, entityPlan, turn!.joined, missing, "swept", turn!.at);
  await tx.run(addSwept(tx.tenantId, run, swept));
  return { swept };
});

/** Keeps the rows. @throws PlugboardError SERVER_NOT_FOUND */
export const rejectSweep = (at: Database | TenantTransaction, tenant: string, run: string, by: string): Promise<void> =>
  inTenant(at, tenant, async (tx) => { await decide(tx, run, "rejected", by); });

async function decide(tx: TenantTransaction, run: string, status: "approved" | "rejected", by: string): Promise<{ connection: string; stream: string; entity: string }> {
  const [hold] = await tx.run<{ connection: string; stream: string; entity: string }>(decideHold(tx.tenantId, run, status, by));
  if (!hold) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Held sweep", name: run });
  return hold;
}
