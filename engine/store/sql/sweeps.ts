import type { Statement } from "../database.ts";

/** A newer sweep of the flow knows better than one that still waits. */
export const supersedeHolds = (tenantId: string, connection: string, flow: string): Statement => ({
  text: "update sweep_holds set status = 'superseded', decided_at = now() where tenant_id = $1 and connection = $2 and flow = $3 and status = 'held'",
  values: [tenantId, connection, flow],
});

export interface Hold { readonly run: string; readonly connection: string; readonly flow: string; readonly stream: string; readonly entity: string; readonly keys: readonly string[]; readonly live: number }

export const insertHold = (tenantId: string, hold: Hold): Statement => ({
  text: `insert into sweep_holds (tenant_id, run_id, connection, flow, stream, entity, keys, live) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (tenant_id, run_id) do update set keys = excluded.keys, live = excluded.live, status = 'held', held_at = clock_timestamp(), decided_by = null, decided_at = null`,
  values: [tenantId, hold.run, hold.connection, hold.flow, hold.stream, hold.entity, hold.keys, hold.live],
});

/** Decides a hold, once. */
export const decideHold = (tenantId: string, run: string, status: "approved" | "rejected", by: string): Statement => ({
  text: `update sweep_holds set status = $3, decided_by = $4, decided_at = now() where tenant_id = $1 and run_id = $2 and status = 'held'
         returning connection, flow, stream, entity`,
  values: [tenantId, run, status, by],
});

/** What was missing then and has not been written since. */
export const selectStillMissing = (tenantId: string, run: string): Statement => ({
  text: `select c.key from sweep_holds h join contributions c on c.tenant_id = h.tenant_id and c.connection = h.connection and c.stream = h.stream and c.entity = h.entity and c.key = any(h.keys)
         where h.tenant_id = $1 and h.run_id = $2 and c.deleted_at is null and c.updated_at <= h.held_at`,
  values: [tenantId, run],
});

export const addSwept = (tenantId: string, run: string, swept: number): Statement => ({
  text: "update runs set swept = swept + $3 where tenant_id = $1 and id = $2",
  values: [tenantId, run, swept],
});

export const selectHolds = (tenantId: string): Statement => ({
  text: `select run_id as run, connection, flow, stream, entity, cardinality(keys) as missing, live::float8 as live, held_at from sweep_holds
         where tenant_id = $1 and status = 'held' order by held_at desc`,
  values: [tenantId],
});
