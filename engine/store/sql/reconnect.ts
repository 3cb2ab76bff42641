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
