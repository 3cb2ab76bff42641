import type { Statement } from "../database.ts";

export interface Held { readonly records: number; readonly quarantined: number; readonly checkpoints: number }

/** What a connection brought and still holds. */
export const countHeld = (tenantId: string, connection: string): Statement => ({
  text: `select (select count(*)::int from contributions where tenant_id = $1 and connection = $2 and deleted_at is null) as records,
           (select count(*)::int from quarantine where tenant_id = $1 and connection = $2 and status = 'open') as quarantined,
           (select count(*)::int from checkpoints where tenant_id = $1 and connection = $2 and checkpoint is not null) as checkpoints`,
  values: [tenantId, connection],
});

export const selectHeldStreams = (tenantId: string, connection: string): Statement => ({
  text: "select distinct stream, entity from contributions where tenant_id = $1 and connection = $2 order by entity, stream",
  values: [tenantId, connection],
});

export const selectLiveKeys = (tenantId: string, connection: string, stream: string, entity: string, limit: number): Statement => ({
  text: "select key from contributions where tenant_id = $1 and connection = $2 and stream = $3 and entity = $4 and deleted_at is null order by key limit $5",
  values: [tenantId, connection, stream, entity, limit],
});

/** Ended ones, too: their raw records are what is to go. */
export const deleteContributions = (tenantId: string, connection: string): Statement => ({ text: "delete from contributions where tenant_id = $1 and connection = $2", values: [tenantId, connection] });
export const deleteQuarantine = (tenantId: string, connection: string): Statement => ({ text: "delete from quarantine where tenant_id = $1 and connection = $2", values: [tenantId, connection] });
export const deleteSeen = (tenantId: string, connection: string): Statement => ({ text: "delete from sweep_seen where tenant_id = $1 and connection = $2", values: [tenantId, connection] });
export const deleteHolds = (tenantId: string, connection: string): Statement => ({ text: "delete from sweep_holds where tenant_id = $1 and connection = $2", values: [tenantId, connection] });
/** A run that is at it finds its epoch gone, and cannot commit. */
export const resetCheckpoints = (tenantId: string, connection: string): Statement => ({
  text: "update checkpoints set checkpoint = null, epoch = epoch + 1, lease_until = now(), updated_at = now() where tenant_id = $1 and connection = $2",
  values: [tenantId, connection],
});
