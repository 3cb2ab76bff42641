import type { Statement } from "../database.ts";

export const newestTenantKey = (tenantId: string): Statement => ({
  text: "select dek_version, wrapped, kek_id from tenant_keys where tenant_id = $1 and retired_at is null order by dek_version desc limit 1",
  values: [tenantId],
});

export const addTenantKey = (tenantId: string, version: number, wrapped: Buffer, kekId: string): Statement => ({
  text: "insert into tenant_keys (tenant_id, dek_version, wrapped, kek_id) values ($1, $2, $3, $4) on conflict do nothing",
  values: [tenantId, version, wrapped, kekId],
});
