import type { Statement } from "../database.ts";

/**
 * What a revision says about the schedules of a tenant. A flow whose schedule changed begins anew (its next tick is worked
 * out from now); one that is no longer scheduled is switched off, and keeps its last tick in case it comes back.
 */
export const replaceSchedules = (tenantId: string, schedules: readonly { flow: string; connection: string; schedule: object; needs_connection: boolean }[]): Statement => ({
  text: `with given as (select * from jsonb_to_recordset($2) as g (flow text, connection text, schedule jsonb, needs_connection boolean)),
         off as (update schedules s set enabled = false, due_at = null, updated_at = now()
                 where s.tenant_id = $1 and s.enabled and not exists (select 1 from given g where g.flow = s.flow))
         insert into schedules as s (tenant_id, flow, connection, schedule, needs_connection) select $1, flow, connection, schedule, needs_connection from given
         on conflict (tenant_id, flow) do update set connection = excluded.connection, schedule = excluded.schedule, needs_connection = excluded.needs_connection, enabled = true, updated_at = now(),
           due_at = case when s.enabled and s.schedule = excluded.schedule then s.due_at end,
           slot = case when s.schedule = excluded.schedule then s.slot end
         where not s.enabled or s.schedule <> excluded.schedule or s.connection <> excluded.connection or s.needs_connection <> excluded.needs_connection`,
  values: [tenantId, JSON.stringify(schedules)],
});

/** Over all tenants, as the scheduler. */
export const selectDueSchedules = (limit: number): Statement => ({
  text: `select t.slug as tenant, s.flow, s.connection, s.schedule, s.slot, s.due_at
         from schedules s join tenants t on t.id = s.tenant_id
         where s.enabled and s.paused_at is null and (s.due_at is null or s.due_at <= now()) and t.deleted_at is null and t.status in ('creating', 'active')
         order by s.due_at nulls first limit $1`,
  values: [limit],
});

export const selectNextDue = (): Statement => ({
  text: `select min(s.due_at) as due_at from schedules s join tenants t on t.id = s.tenant_id and t.deleted_at is null and t.status in ('creating', 'active') where s.enabled and s.paused_at is null`,
  values: [],
});

/** Compare and swap: 0 rows when another scheduler fired this tick, or the schedule changed meanwhile. */
export const moveSchedule = (tenantId: string, flow: string, from: Date | null, slot: Date | null, due: Date | null): Statement => ({
  text: `update schedules set slot = coalesce($4, slot), due_at = $5, updated_at = now()
         where tenant_id = $1 and flow = $2 and due_at is not distinct from $3 and enabled and paused_at is null returning flow`,
  values: [tenantId, flow, from, slot, due],
});

export const selectSchedules = (tenantId: string): Statement => ({
  text: "select flow, connection, schedule, slot, due_at, enabled, paused_at, paused_by, skipped_at, skipped_reason from schedules where tenant_id = $1 order by flow",
  values: [tenantId],
});

/** Paused by somebody, or resumed when `by` is undefined; the next tick is then worked out from now. */
export const pauseSchedule = (tenantId: string, flow: string, by: string | undefined): Statement => ({
  text: `update schedules set paused_at = case when $3::text is null then null else now() end, paused_by = $3, due_at = null, updated_at = now()
         where tenant_id = $1 and flow = $2 returning flow`,
  values: [tenantId, flow, by ?? null],
});

/** Why a tick of this flow starts nothing now; 0 rows: nothing stands in its way. */
export const selectObstacle = (tenantId: string, flow: string): Statement => ({
  text: `select case when c.status is null then 'not_connected' else c.status end as reason
         from schedules s left join connections c on c.tenant_id = s.tenant_id and c.connection = s.connection
         where s.tenant_id = $1 and s.flow = $2 and (c.status = 'disconnected' or (s.needs_connection and c.status is null))`,
  values: [tenantId, flow],
});

/**
 * The connection that flows were passed over for is there: they begin anew, instead of waiting for an interval to pass that may
 * be a day. A cron keeps its hours.
 */
export const wakeSkipped = (tenantId: string, connection: string): Statement => ({
  text: `update schedules set slot = null, due_at = null, skipped_at = null, skipped_reason = null, updated_at = now()
         where tenant_id = $1 and connection = $2 and enabled and skipped_reason is not null and schedule ? 'every_seconds'`,
  values: [tenantId, connection],
});

export const noteSkipped = (tenantId: string, flow: string, reason: string | undefined): Statement => ({
  text: `update schedules set skipped_at = case when $3::text is null then null else now() end, skipped_reason = $3
         where tenant_id = $1 and flow = $2 and (skipped_reason is distinct from $3 or $3 is not null)`,
  values: [tenantId, flow, reason ?? null],
});
