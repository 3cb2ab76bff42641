import type { Statement } from "../database.ts";

/**
 * Takes the entity's turn for a page that was pushed: no checkpoint, no epoch, for the transaction holds its lane or its read.
 * Otherwise as `fence` does.
 */
export const takeTurn = (tenantId: string, connection: string, flow: string, entity: string, joins: boolean): Statement => ({
  text: `insert into entity_clocks as clock (tenant_id, entity, at, joined) values ($1, $4, clock_timestamp(), $5)
         on conflict (tenant_id, entity) do update set at = greatest(clock_timestamp(), clock.at + interval '1 microsecond'), joined = clock.joined or excluded.joined
         returning at::text, joined, exists (select 1 from quarantine q where q.tenant_id = $1 and q.connection = $2 and q.flow = $3 and q.status = 'open' and q.key is not null) as has_quarantine`,
  values: [tenantId, connection, flow, entity, joins],
});

/** The run that this minute's pushes of a flow are counted in. It is over whenever it is looked at. */
export const continuePushRun = (tenantId: string, run: string, flow: string, revision: string): Statement => ({
  text: `update runs set finished_at = clock_timestamp() where tenant_id = $1 and id = $2 and flow = $3 and revision = $4 and trigger = 'webhook' and status like 'succeeded%' returning id`,
  values: [tenantId, run, flow, revision],
});

export const insertPushRun = (tenantId: string, run: string, flow: string, connection: string, revision: string): Statement => ({
  text: `insert into runs (tenant_id, id, flow, connection, trigger, mode, status, revision, attempt, queued_at, started_at, finished_at)
         values ($1, $2, $3, $4, 'webhook', 'incremental', 'succeeded', $5, 1, clock_timestamp(), clock_timestamp(), clock_timestamp())`,
  values: [tenantId, run, flow, connection, revision],
});

export const markPushRun = (tenantId: string, run: string): Statement => ({
  text: "update runs set status = case when quarantined > 0 then 'succeeded_with_quarantine' else status end where tenant_id = $1 and id = $2 and quarantined > 0 and status = 'succeeded'",
  values: [tenantId, run],
});

/**
 * What ended at a known time does not come back with what was said before it, also where the end came before the record.
 * `ends` is JSON text: [{key, version}].
 */
export const keepEnds = (tenantId: string, connection: string, stream: string, entity: string, ends: string, run: string, at: string): Statement => ({
  text: `insert into contributions as c (tenant_id, connection, stream, entity, key, row_id, data, labels, version, data_hash, record_hash, run_id, created_at, updated_at, deleted_at, deleted_reason)
         select $1, $2, $3, $4, key, gen_random_uuid(), '{}', '{}', version, '', '', $6, $7, $7, $7, 'deleted' from jsonb_to_recordset($5) as e (key text, version numeric)
         on conflict (tenant_id, connection, stream, entity, key) do update set version = greatest(c.version, excluded.version) where c.deleted_at is not null`,
  values: [tenantId, connection, stream, entity, ends, run, at],
});
