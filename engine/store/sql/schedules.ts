import type { Statement } from "../database.ts";

/**
 * What a revision says about the schedules of a tenant. A flow whose schedule changed begins anew (its next tick is worked
 * out from now); one that is no longer scheduled is switched off, and keeps its last tick in case it comes back.
 */
export const replaceSchedules = (tenantId: string, schedules: readonly { flow: string; connection: string; schedule: object }[]): Statement => ({
  text: `with given as (select * from jsonb_to_recordset($2) as g (flow text, connection text, schedule jsonb)),
         off as (update schedules s set enabled = false, due_at = null, updated_at = now()
                 where s.tenant_id = $1 and s.enabled and not exists (select 1 from given g where g.flow = s.flow))
         insert into schedules as s (tenant_id, flow, connection, schedule) select $1, flow, connection, schedule from given
         on conflict (tenant_id, flow) do update set connection = excluded.connection, schedule = excluded.schedule, enabled = true, updated_at = now(),
           due_at = case when s.enabled and s.schedule = excluded.schedule then s.due_at end,
           slot = case when s.schedule = excluded.schedule then s.slot end
         where not s.enabled or s.schedule <> excluded.schedule or s.connection <> excluded.connection`,
  values: [tenantId, JSON.stringify(schedules)],
});

/** Over all tenants, as the scheduler. */
export const selectDueSchedules = (limit: number): Statement => ({
  text: `select t.slug as tenant, s.flow, s.connection, s.schedule, s.slot, s.due_at
         from schedules s join tenants t on t.id = s.tenant_id
         where s.enabled and s.paused_at is null and (s.due_at is null or s.due_at <= now()) and t.deleted_at is null
         order by s.due_at nulls first limit $1`,
  values: [limit],
});

export const selectNextDue = (): Statement => ({
  text: "select min(due_at) as due_at from schedules where enabled and paused_at is null",
  values: [],
});

/** Compare and swap: 0 rows when another scheduler fired this tick, or the schedule changed meanwhile. */
export const moveSchedule = (tenantId: string, flow: string, from: Date | null, slot: Date | null, due: Date | null): Statement => ({
  text: `update schedules set slot = coalesce($4, slot), due_at = $5, updated_at = now()
         where tenant_id = $1 and flow = $2 and due_at is not distinct from $3 and enabled and paused_at is null returning flow`,
  values: [tenantId, flow, from, slot, due],
});

export const selectSchedules = (tenantId: string): Statement => ({
  text: "select flow, connection, schedule, slot, due_at, enabled, paused_at, paused_by from schedules where tenant_id = $1 order by flow",
  values: [tenantId],
});

/** Paused by somebody, or resumed when `by` is undefined; the next tick is then worked out from now. */
export const pauseSchedule = (tenantId: string, flow: string, by: string | undefined): Statement => ({
  text: `update schedules set paused_at = case when $3::text is null then null else now() end, paused_by = $3, due_at = null, updated_at = now()
         where tenant_id = $1 and flow = $2 returning flow`,
  values: [tenantId, flow, by ?? null],
});
