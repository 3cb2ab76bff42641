import type { Statement } from "../database.ts";

export const selectToken = (tenantId: string, connection: string, authenticator: string): Statement => ({
  text: "select sealed, expires_at from tokens where tenant_id = $1 and connection = $2 and authenticator = $3",
  values: [tenantId, connection, authenticator],
});

/** A token for a connection that was never entered has nowhere to be kept: 0 rows. */
export const upsertToken = (tenantId: string, connection: string, authenticator: string, sealed: Buffer, expiresAt: Date | undefined): Statement => ({
  text: `insert into tokens (tenant_id, connection, authenticator, sealed, expires_at)
         select $1, $2, $3, $4, $5 where exists (select 1 from connections where tenant_id = $1 and connection = $2)
         on conflict (tenant_id, connection, authenticator) do update set sealed = excluded.sealed, expires_at = excluded.expires_at, updated_at = now()`,
  values: [tenantId, connection, authenticator, sealed, expiresAt ?? null],
});

export const deleteToken = (tenantId: string, connection: string, authenticator: string): Statement => ({
  text: "delete from tokens where tenant_id = $1 and connection = $2 and authenticator = $3",
  values: [tenantId, connection, authenticator],
});
