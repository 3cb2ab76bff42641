import type { Statement } from "../database.ts";

export const claimConnection = (tenantId: string, connection: string, connector: string): Statement => ({
  text: "insert into connections (tenant_id, connection, connector) values ($1, $2, $3) on conflict do nothing returning connection",
  values: [tenantId, connection, connector],
});

export const updateDisconnected = (tenantId: string, connection: string): Statement => ({
  text: "update connections set since = case when status = 'disconnected' then since else now() end, status = 'disconnected', status_detail = null, status_at = now(), updated_at = now() where tenant_id = $1 and connection = $2 returning connection",
  values: [tenantId, connection],
});

export const deleteSecrets = (tenantId: string, connection: string): Statement => ({ text: "delete from secrets where tenant_id = $1 and connection = $2", values: [tenantId, connection] });

export const deleteTokens = (tenantId: string, connection: string): Statement => ({ text: "delete from tokens where tenant_id = $1 and connection = $2", values: [tenantId, connection] });

export const setAccount = (tenantId: string, connection: string, account: { id: string; label?: string } | undefined): Statement => ({
  text: "update connections set account_id = $3, account_label = $4, updated_at = now() where tenant_id = $1 and connection = $2",
  values: [tenantId, connection, account?.id ?? null, account?.label ?? null],
});

export const updatePaused = (tenantId: string, connection: string, by: string | undefined): Statement => ({
  text: `update connections set paused_at = case when $3::text is null then null else coalesce(paused_at, now()) end, paused_by = case when $3::text is null then null else coalesce(paused_by, $3) end, updated_at = now()
         where tenant_id = $1 and connection = $2`,
  values: [tenantId, connection, by ?? null],
});

/** The mark tells them from those that somebody paused one by one. */
export const pauseSchedulesOf = (tenantId: string, connection: string, by: string | undefined): Statement => ({
  text: `update schedules set paused_at = case when $3::text is null then null else now() end, paused_by = case when $3::text is null then null else 'connection: ' || $3 end, due_at = null, updated_at = now()
         where tenant_id = $1 and connection = $2 and case when $3::text is null then paused_by like 'connection: %' else paused_at is null end`,
  values: [tenantId, connection, by ?? null],
});
