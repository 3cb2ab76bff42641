import type { Statement } from "../database.ts";

export interface HistoryRow { at: Date; connector: string; succeeded: number; with_quarantine: number; failed: number; cancelled: number; under_way: number; stored: number; quarantined: number; ended: number; seconds: number; longest: number; last_failed_at: Date | null }

/** Runs that were asked for since then, in hours or days (UTC) and by connector; at most `most` of them, the newest. */
export const selectRunHistory = (tenantId: string, since: Date, step: "hour" | "day", most: number): Statement => ({
  text: `with recent as (select * from runs where tenant_id = $1 and queued_at >= $2 order by queued_at desc, id desc limit $4)
         select date_trunc($3, r.queued_at) as at, coalesce(c.connector, r.connection) as connector,
           count(*) filter (where r.status = 'succeeded')::int as succeeded, count(*) filter (where r.status = 'succeeded_with_quarantine')::int as with_quarantine,
           count(*) filter (where r.status = 'failed')::int as failed, count(*) filter (where r.status in ('cancelled', 'superseded'))::int as cancelled,
           count(*) filter (where r.status in ('queued', 'running', 'waiting'))::int as under_way,
           sum(r.created + r.updated)::float8 as stored, sum(r.quarantined)::float8 as quarantined,
           count(r.finished_at) filter (where r.started_at is not null)::int as ended,
           coalesce(sum(extract(epoch from r.finished_at - r.started_at)), 0)::float8 as seconds, coalesce(max(extract(epoch from r.finished_at - r.started_at)), 0)::float8 as longest,
           max(r.finished_at) filter (where r.status = 'failed') as last_failed_at
         from recent r left join connections c on c.tenant_id = $1 and c.connection = r.connection
         group by 1, 2 order by 1`,
  values: [tenantId, since, step, most],
});

export interface FailureRow { connector: string; code: string; count: number; last_at: Date | null }

/** Why they failed, by connector and reason, the most frequent first. */
export const selectRunFailures = (tenantId: string, since: Date, most: number, limit: number): Statement => ({
  text: `with recent as (select connection, status, error, finished_at from runs where tenant_id = $1 and queued_at >= $2 order by queued_at desc, id desc limit $3)
         select coalesce(c.connector, r.connection) as connector, coalesce(r.error ->> 'code', 'UNKNOWN') as code, count(*)::int as count, max(r.finished_at) as last_at
         from recent r left join connections c on c.tenant_id = $1 and c.connection = r.connection
         where r.status = 'failed' group by 1, 2 order by 3 desc, 1, 2 limit $4`,
  values: [tenantId, since, most, limit],
});

export interface BrokenRow { connection: string; connector: string; code: string | null; message: string | null; status_at: Date | null }

/** Connections whose credential does not work; those that a person paused wait for that person alone. */
export const selectBrokenConnections = (tenantId: string, limit: number): Statement => ({
  text: `select connection, connector, status_detail ->> 'code' as code, status_detail ->> 'message' as message, status_at from connections
         where tenant_id = $1 and status = 'broken' and paused_at is null order by status_at desc nulls last, connection limit $2`,
  values: [tenantId, limit],
});

export interface WaitingRow { holds: number; events: number; sweeps: number; quarantine: number; requests: number }

/** What waits for a person. Each is counted as far as `most`. */
export const countWaiting = (tenantId: string, most: number): Statement => ({
  text: `select
           (select count(*) from (select 1 from deliveries where tenant_id = $1 and status = 'held' limit $2) held)::int as holds,
           (select count(*) from (select 1 from events where tenant_id = $1 and status = 'held' limit $2) held)::int as events,
           (select count(*) from (select 1 from sweep_holds where tenant_id = $1 and status = 'held' limit $2) held)::int as sweeps,
           (select count(*) from (select 1 from quarantine where tenant_id = $1 and status = 'open' limit $2) held)::int as quarantine,
           (select count(*) from (select 1 from integration_requests where tenant_id = $1 and status = 'open' limit $2) asked)::int as requests`,
  values: [tenantId, most],
});

/** Changes of the configuration that wait for review or to be applied; of one tenant, those that touch it alone. */
export const countProposed = (platformId: string, onlyTenant: string | undefined, most: number): Statement => ({
  text: `select count(*)::int as count from (select 1 from changes where tenant_id = $1 and status in ('proposed', 'approved') and ($2::text is null or only_tenant = $2) limit $3) proposed`,
  values: [platformId, onlyTenant ?? null, most],
});
