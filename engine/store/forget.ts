/** What a connection brought, forgotten on purpose: when it is erased, or starts over with another account. */
import type { TenantPlan } from "../plan/types.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { currentRevision, readPlan } from "./revisions.ts";
import { forgetLinks } from "./links.ts";
import { endByKeys } from "./rows.ts";
import { tickEntity } from "./sql/checkpoints.ts";
import { countHeld, deleteContributions, deleteHolds, deleteQuarantine, deleteSeen, type Held, resetCheckpoints, selectHeldStreams, selectLiveKeys } from "./sql/forget.ts";

export type { Held } from "./sql/forget.ts";

/** Keys ended per statement. */
const CHUNK = 5000;

/** What would be forgotten: live records, open quarantine entries, flows that know where to go on. */
export const heldBy = (at: Database | TenantTransaction, tenant: string, connection: string): Promise<Held> =>
  inTenant(at, tenant, async (tx) => (await tx.run<Held>(countHeld(tx.tenantId, connection)))[0]!);

/**
 * Takes the connection's part out of every entity row, ends the rows that nobody else contributes to, and deletes its records
 * (raw ones, too), its quarantine and its checkpoints. A run that is at it finds its epoch over. @returns what there was.
 */
export async function forgetRecords(tx: TenantTransaction, connection: string): Promise<Held> {
  const held = await heldBy(tx, tx.tenant, connection);
  await tx.run(resetCheckpoints(tx.tenantId, connection));        // first: it waits for a page under way, and fences the next
  const revision = await currentRevision(tx, tx.tenant).catch(() => undefined);
  const plan: TenantPlan | undefined = revision === undefined ? undefined : await readPlan(tx, tx.tenant, revision);
  for (const { stream, entity } of await tx.run<{ stream: string; entity: string }>(selectHeldStreams(tx.tenantId, connection))) {
    const [turn] = await tx.run<{ at: string; joined: boolean }>(tickEntity(tx.tenantId, entity));
    const entityPlan = plan?.entities[entity] ?? { schema: {}, match: [], prefer: [], custom: [] };
    for (;;) {
      const keys = (await tx.run<{ key: string }>(selectLiveKeys(tx.tenantId, connection, stream, entity, CHUNK))).map(({ key }) => key);
      if (keys.length === 0) break;
      await endByKeys(tx, { tenantId: tx.tenantId, connection, stream, entity }, entityPlan, turn!.joined, keys, "deleted", turn!.at);
    }
  }
  await forgetLinks(tx, connection);
  for (const statement of [deleteContributions, deleteQuarantine, deleteSeen, deleteHolds]) await tx.run(statement(tx.tenantId, connection));
  return held;
}
