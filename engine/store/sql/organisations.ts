import type { Statement } from "../database.ts";

export interface ProfileRow { billing: object; administrator: object | null }

export const upsertProfile = (tenantId: string, billing: object, administrator: object | undefined): Statement => ({
  text: `insert into tenant_profiles (tenant_id, billing, administrator) values ($1, $2, $3)
         on conflict (tenant_id) do update set billing = excluded.billing, administrator = coalesce(excluded.administrator, tenant_profiles.administrator), updated_at = now()`,
  values: [tenantId, JSON.stringify(billing), administrator === undefined ? null : JSON.stringify(administrator)],
});

export const selectProfile = (tenantId: string): Statement => ({
  text: "select billing, administrator from tenant_profiles where tenant_id = $1",
  values: [tenantId],
});

export const deleteProfile = (tenantId: string): Statement => ({ text: "delete from tenant_profiles where tenant_id = $1", values: [tenantId] });

/** Queued ones end at once, running ones after their page. */
export const cancelRuns = (tenantId: string, by: string): Statement => ({
  text: `update runs set cancel_by = coalesce(cancel_by, $2), cancel_at = coalesce(cancel_at, now()),
           status = case when status = 'running' then status else 'cancelled' end, finished_at = case when status = 'running' then finished_at else now() end
         where tenant_id = $1 and status in ('queued', 'running', 'waiting') returning id`,
  values: [tenantId, by],
});

/** The next tick is worked out from now: what fell due meanwhile does not all start at once. */
export const restartSchedules = (tenantId: string): Statement => ({
  text: "update schedules set due_at = null, skipped_at = null, skipped_reason = null, updated_at = now() where tenant_id = $1",
  values: [tenantId],
});
