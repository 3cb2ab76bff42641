import type { Statement } from "../database.ts";

export interface TenantKeyRow { dek_version: number; wrapped: Buffer; kek_id: string; fingerprint_key: Buffer | null; created_at: Date; /** Made by this very transaction, which may yet be rolled back. */ fresh: boolean }

/** Those that were not destroyed, the newest last. */
export const liveTenantKeys = (tenantId: string): Statement => ({
  text: "select dek_version, wrapped, kek_id, fingerprint_key, created_at, created_at = now() as fresh from tenant_keys where tenant_id = $1 and retired_at is null order by dek_version",
  values: [tenantId],
});

export const addTenantKey = (tenantId: string, version: number, wrapped: Buffer, kekId: string, fingerprintKey?: Buffer): Statement => ({
  text: "insert into tenant_keys (tenant_id, dek_version, wrapped, kek_id, fingerprint_key) values ($1, $2, $3, $4, $5) on conflict do nothing",
  values: [tenantId, version, wrapped, kekId, fingerprintKey ?? null],
});

/** Only what is still wrapped as it was read: another process may be at the same. */
export const rewrapTenantKey = (tenantId: string, version: number, from: string, wrapped: Buffer, kekId: string): Statement => ({
  text: "update tenant_keys set wrapped = $4, kek_id = $5 where tenant_id = $1 and dek_version = $2 and kek_id = $3 and retired_at is null returning dek_version",
  values: [tenantId, version, from, wrapped, kekId],
});

/** The number stays taken, the key is gone. */
export const destroyTenantKeys = (tenantId: string, before: number): Statement => ({
  text: "update tenant_keys set wrapped = null, fingerprint_key = null, retired_at = now() where tenant_id = $1 and dek_version < $2 and retired_at is null returning dek_version",
  values: [tenantId, before],
});

export const holdTenantKey = (tenantId: string, version: number): Statement => ({ name: "hold_tenant_key", text: "select hold_tenant_key($1, $2) as newest", values: [tenantId, version] });

export const isTenantKeyIdle = (tenantId: string, version: number): Statement => ({ text: "select is_tenant_key_idle($1, $2) as idle", values: [tenantId, version] });
