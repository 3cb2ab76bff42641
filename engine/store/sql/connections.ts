import type { Statement } from "../database.ts";
import type { JsonObject } from "../../manifest/types.ts";

export interface ConnectionRow {
  connection: string; connector: string; config: JsonObject; account_id: string | null; account_label: string | null;
  status: "untested" | "ok" | "broken" | "disconnected"; status_detail: JsonObject | null; status_at: Date | null; since: Date; consent_id: string | null; paused_at: Date | null; paused_by: string | null; updated_at: Date;
}
export interface SecretRow { field: string; version: number; /** Null: `ref` names it. */ sealed: Buffer | null; ref: string | null; fingerprint: string; updated_at: Date; updated_by: string | null }

/** `config` replaces what was there; an absent account keeps the one known. */
export const upsertConnection = (tenantId: string, connection: string, connector: string, config: JsonObject, account: { id: string; label?: string } | undefined): Statement => ({
  text: `insert into connections as c (tenant_id, connection, connector, config, account_id, account_label) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, connection) do update set connector = excluded.connector, config = excluded.config,
           account_id = coalesce(excluded.account_id, c.account_id),
           account_label = case when excluded.account_id is null then c.account_label else excluded.account_label end,
           since = case when c.status = 'untested' then c.since else now() end, status = 'untested', status_detail = null, status_at = null, updated_at = now()`,
  values: [tenantId, connection, connector, JSON.stringify(config), account?.id ?? null, account?.label ?? null],
});

export const selectConnection = (tenantId: string, connection: string): Statement => ({
  text: `select connection, connector, config, account_id, account_label, status, status_detail, status_at, since, consent_id, paused_at, paused_by, updated_at
         from connections where tenant_id = $1 and connection = $2`,
  values: [tenantId, connection],
});

export const selectConnections = (tenantId: string): Statement => ({
  text: `select connection, connector, config, account_id, account_label, status, status_detail, status_at, since, consent_id, paused_at, paused_by, updated_at
         from connections where tenant_id = $1 order by connection`,
  values: [tenantId],
});

/** The row lock makes two writers of one connection's secrets take turns. */
export const lockConnection = (tenantId: string, connection: string): Statement => ({
  text: "select 1 from connections where tenant_id = $1 and connection = $2 for update",
  values: [tenantId, connection],
});

export const selectSecrets = (tenantId: string, connection: string): Statement => ({
  text: "select field, version, sealed, ref, fingerprint, updated_at, updated_by from secrets where tenant_id = $1 and connection = $2 order by field",
  values: [tenantId, connection],
});

export const upsertSecret = (tenantId: string, connection: string, field: string, version: number, dekVersion: number, sealed: Buffer, fingerprint: string, by: string | undefined): Statement => ({
  text: `insert into secrets (tenant_id, connection, field, version, dek_version, sealed, fingerprint, updated_by) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (tenant_id, connection, field) do update set version = excluded.version, dek_version = excluded.dek_version,
           sealed = excluded.sealed, ref = null, previous_sealed = secrets.sealed, previous_version = secrets.version, previous_until = now() + interval '24 hours', fingerprint = excluded.fingerprint, updated_by = excluded.updated_by, updated_at = now()`,
  values: [tenantId, connection, field, version, dekVersion, sealed, fingerprint, by ?? null],
});

export const upsertReference = (tenantId: string, connection: string, field: string, version: number, dekVersion: number, reference: string, fingerprint: string, by: string | undefined): Statement => ({
  text: `insert into secrets (tenant_id, connection, field, version, dek_version, ref, fingerprint, updated_by) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (tenant_id, connection, field) do update set version = excluded.version, dek_version = excluded.dek_version,
           sealed = null, ref = excluded.ref, fingerprint = excluded.fingerprint, updated_by = excluded.updated_by, updated_at = now()`,
  values: [tenantId, connection, field, version, dekVersion, reference, fingerprint, by ?? null],
});

/** Values that were replaced a while ago, and still prove where a webhook comes from. */
export const selectPreviousSecrets = (tenantId: string, connection: string): Statement => ({
  text: "select field, previous_version as version, previous_sealed as sealed from secrets where tenant_id = $1 and connection = $2 and previous_sealed is not null and previous_until > now() order by field",
  values: [tenantId, connection],
});

export const deleteSecret = (tenantId: string, connection: string, field: string): Statement => ({
  text: "delete from secrets where tenant_id = $1 and connection = $2 and field = $3",
  values: [tenantId, connection, field],
});

export const updateConnectionStatus = (tenantId: string, connection: string, status: string, detail: JsonObject | undefined, account: { id: string; label?: string } | undefined): Statement => ({
  text: `update connections set since = case when status = $3 then since else now() end, status = $3, status_detail = $4, status_at = now(), account_id = coalesce($5, account_id), account_label = case when $5::text is null then account_label else $6 end
         where tenant_id = $1 and connection = $2 and status <> 'disconnected' returning connection`,
  values: [tenantId, connection, status, detail === undefined ? null : JSON.stringify(detail), account?.id ?? null, account?.label ?? null],
});
