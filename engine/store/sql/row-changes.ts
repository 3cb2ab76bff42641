import type { Statement } from "../database.ts";
import { dueNow } from "./deliveries.ts";

/** Says for the rest of the transaction why rows are written, and of which rows the record stayed and only the mapping changed. 0 rows: nobody watches the entity. */
export const announceCause = (tenantId: string, entity: string, cause: string, remapped: readonly string[]): Statement => ({
  text: `select set_config('plugboard.cause', $3, true), set_config('plugboard.remapped', '{' || $4 || '}', true)
         from change_flows where tenant_id = $1 and entity = $2 and enabled limit 1`,
  values: [tenantId, entity, cause, remapped.join(",")],
});

export const selectWatched = (tenantId: string, entity: string): Statement => ({
  text: "select 1 as watched from change_flows where tenant_id = $1 and entity = $2 and enabled limit 1",
  values: [tenantId, entity],
});

export const endCause = (): Statement => ({ text: "select set_config('plugboard.cause', '', true)", values: [] });

/** Only of entities that somebody watches. */
export const countUnfired = (tenantId: string, entity: string, cause: string, count: number): Statement => ({
  text: `insert into unfired_changes as u (tenant_id, entity, cause, count)
         select $1, $2, $3, $4 where exists (select from change_flows where tenant_id = $1 and entity = $2 and enabled)
         on conflict (tenant_id, entity, cause) do update set count = u.count + excluded.count, last_at = clock_timestamp()`,
  values: [tenantId, entity, cause, count],
});

export interface UnfiredRow { cause: string; count: string; first_at: Date; last_at: Date }

export const selectUnfired = (tenantId: string, entity: string): Statement => ({
  text: "select cause, count, first_at, last_at from unfired_changes where tenant_id = $1 and entity = $2 order by cause",
  values: [tenantId, entity],
});

/** A flow that stays enabled for the same entity keeps the instant since when it fires; one that is no longer named is off. */
export const replaceChangeFlows = (tenantId: string, flows: string): Statement => ({
  text: `with given as (select * from jsonb_to_recordset($2) as g (flow text, entity text, enabled boolean)),
         off as (update change_flows c set enabled = false where c.tenant_id = $1 and c.enabled and not exists (select 1 from given g where g.flow = c.flow))
         insert into change_flows as c (tenant_id, flow, entity, enabled, enabled_at) select $1, flow, entity, enabled, clock_timestamp() from given
         on conflict (tenant_id, flow) do update set entity = excluded.entity, enabled = excluded.enabled,
           enabled_at = case when c.enabled and c.entity = excluded.entity then c.enabled_at else excluded.enabled_at end
         where c.enabled <> excluded.enabled or c.entity <> excluded.entity`,
  values: [tenantId, flows],
});

export interface ChangeFlowRow { flow: string; entity: string; enabled: boolean; enabled_at: Date; paused_at: Date | null; paused_by: string | null }

export const selectChangeFlows = (tenantId: string): Statement => ({
  text: "select flow, entity, enabled, enabled_at, paused_at, paused_by from change_flows where tenant_id = $1",
  values: [tenantId],
});

/** Paused by somebody, or resumed when `by` is null: then what it kept is due, and what was to be tried later keeps its time. */
export const pauseChangeFlow = (tenantId: string, flow: string, by: string | null): Statement => ({
  text: `with called as (${dueNow("flow = $2 and $3::text is null and attempts = attempts_base")})
         update change_flows set paused_at = case when $3::text is null then null else coalesce(paused_at, clock_timestamp()) end, paused_by = case when $3::text is null then null else coalesce(paused_by, $3) end
         where tenant_id = $1 and flow = $2 returning flow`,
  values: [tenantId, flow, by],
});

/** Over all tenants, as the scheduler. What a suspended tenant's rows would make waits until it is resumed. */
export const selectChangedTenants = (): Statement => ({
  text: "select t.slug as tenant from tenants t where t.deleted_at is null and t.status = 'active' and exists (select from row_changes c where c.tenant_id = t.id)",
  values: [],
});

/** One process at a time reads a tenant's changes: of one row, the later must not be made a delivery before the earlier. */
export const lockChanges = (tenantId: string): Statement => ({
  text: "select pg_try_advisory_xact_lock(hashtextextended('plugboard/changes/' || $1, 0)) as locked",
  values: [tenantId],
});

export interface RowChangeRow { seq: string; entity: string; row_id: string; before: object | null; after: object | null; links: Record<string, string>; cause: string; flow: string | null; asked_by: string | null; at: Date }

export const selectChanges = (tenantId: string, limit: number): Statement => ({
  text: "select seq, entity, row_id, before, after, links, cause, flow, asked_by, at from row_changes where tenant_id = $1 order by seq limit $2",
  values: [tenantId, limit],
});

export const deleteChanges = (tenantId: string, seqs: readonly string[]): Statement => ({
  text: "delete from row_changes where tenant_id = $1 and seq = any($2::bigint[])",
  values: [tenantId, seqs],
});

/** Live rows as changes of one flow: someone asked for them. Those gone meanwhile are left out. */
export const askChanges = (tenantId: string, entity: string, flow: string, rows: readonly string[], by: string): Statement => ({
  text: `insert into row_changes (tenant_id, entity, row_id, before, after, links, cause, flow, asked_by, at)
         select tenant_id, entity, id, null, data, links, 'asked', $3, $5, updated_at from entity_rows
         where tenant_id = $1 and entity = $2 and id = any($4::uuid[]) and deleted_at is null order by updated_at, id returning seq`,
  values: [tenantId, entity, flow, rows, by],
});

export const tellDeliverers = (): Statement => ({ text: "select pg_notify('plugboard_deliveries', '')", values: [] });

export interface LiveRow { id: string; data: object; links: Record<string, string>; at: string }

/** Live rows, oldest change first, of which this flow made nothing since they changed. */
export const selectNotFired = (tenantId: string, entity: string, flow: string, after: readonly [at: string, id: string] | undefined, limit: number): Statement => ({
  text: `select r.id, r.data, r.links, r.updated_at::text as at from entity_rows r
         where r.tenant_id = $1 and r.entity = $2 and r.deleted_at is null ${after === undefined ? "" : "and (r.updated_at, r.id) > ($5::timestamptz, $6::uuid)"}
           and not exists (select from deliveries d where d.tenant_id = $1 and d.flow = $3 and d.row_id = r.id and d.changed_at >= date_trunc('milliseconds', r.updated_at))
           and not exists (select from fired_rows f where f.tenant_id = $1 and f.flow = $3 and f.row_id = r.id and f.changed_at >= date_trunc('milliseconds', r.updated_at))
           and not exists (select from row_changes c where c.tenant_id = $1 and c.row_id = r.id and (c.flow = $3 or c.flow is null))
         order by r.updated_at, r.id limit $4`,
  values: [tenantId, entity, flow, limit, ...(after ?? [])],
});

/** Sealed raw records as they are stored, to tell a changed record from a changed mapping. */
export const selectRaws = (stream: { tenantId: string; connection: string; stream: string; entity: string }, keys: readonly string[]): Statement => ({
  text: "select key, raw from contributions where tenant_id = $1 and connection = $2 and stream = $3 and entity = $4 and key = any($5) and raw is not null",
  values: [stream.tenantId, stream.connection, stream.stream, stream.entity, keys],
});
