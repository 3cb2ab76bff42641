import type { Statement } from "../database.ts";
import type { JsonObject } from "../../manifest/types.ts";

export interface ConsentRow {
  id: string; connector: string; authenticator: string; version: number; sealed: Buffer; expires_at: Date | null; callback: JsonObject;
  refused_at: Date | null; /** A refresh before this one never came to an answer. */ lost: boolean;
}

const COLUMNS = "c.id, c.connector, c.authenticator, c.version, c.sealed, c.expires_at, c.callback, c.refused_at, c.asked_at is not null as lost";

export const insertConsent = (tenantId: string, id: string, connector: string, authenticator: string, sealed: Buffer, expiresAt: Date | undefined, callback: JsonObject): Statement => ({
  text: "insert into consents (tenant_id, id, connector, authenticator, sealed, expires_at, callback) values ($1, $2, $3, $4, $5, $6, $7)",
  values: [tenantId, id, connector, authenticator, sealed, expiresAt ?? null, JSON.stringify(callback)],
});

export const selectConsent = (tenantId: string, id: string): Statement => ({ text: `select ${COLUMNS} from consents c where c.tenant_id = $1 and c.id = $2`, values: [tenantId, id] });

/** What the connection has, if it belongs to the connector that the connection is of. */
export const selectConsentOf = (tenantId: string, connection: string, authenticator: string | undefined): Statement => ({
  text: `select ${COLUMNS} from connections n join consents c on c.tenant_id = n.tenant_id and c.id = n.consent_id
         where n.tenant_id = $1 and n.connection = $2 and c.connector = n.connector and ($3::text is null or c.authenticator = $3)`,
  values: [tenantId, connection, authenticator ?? null],
});

/** Takes the turn to renew this version; 0 rows: somebody has it, or did it, or the provider refused. Tells whether an answer was lost before. */
export const takeTurn = (tenantId: string, id: string, version: number, worker: string, seconds: number): Statement => ({
  text: `with before as (select asked_at from consents where tenant_id = $1 and id = $2)
         update consents c set renewing = $4, renewing_until = now() + make_interval(secs => $5), asked_at = now()
         where tenant_id = $1 and id = $2 and version = $3 and refused_at is null and (renewing_until is null or renewing_until < now())
         returning c.id, c.connector, c.authenticator, c.version, c.sealed, c.expires_at, c.callback, c.refused_at, (select asked_at from before) is not null as lost`,
  values: [tenantId, id, version, worker, seconds],
});

export const lengthenTurn = (tenantId: string, id: string, worker: string, seconds: number): Statement => ({
  text: "update consents set renewing_until = now() + make_interval(secs => $4) where tenant_id = $1 and id = $2 and renewing = $3 returning id",
  values: [tenantId, id, worker, seconds],
});

/** `answered`: it is known what became of the refresh token. */
export const giveTurnBack = (tenantId: string, id: string, worker: string, answered: boolean): Statement => ({
  text: "update consents set renewing = null, renewing_until = null, asked_at = case when $4 then null else asked_at end where tenant_id = $1 and id = $2 and renewing = $3",
  values: [tenantId, id, worker, answered],
});

/** Compare and swap: 0 rows when the consent is no longer the one that was sent. */
export const updateConsent = (tenantId: string, id: string, version: number, sealed: Buffer, expiresAt: Date | undefined): Statement => ({
  text: `update consents set version = version + 1, sealed = $4, expires_at = $5, renewing = null, renewing_until = null, asked_at = null, updated_at = now()
         where tenant_id = $1 and id = $2 and version = $3 returning version`,
  values: [tenantId, id, version, sealed, expiresAt ?? null],
});

/** The same, for what the provider took back; every connection that shares it needs a person. */
export const refuseConsent = (tenantId: string, id: string, version: number, detail: JsonObject): Statement => ({
  text: `with refused as (update consents set refused_at = now(), renewing = null, renewing_until = null, asked_at = null, updated_at = now()
                          where tenant_id = $1 and id = $2 and version = $3 returning id),
         told as (update connections n set since = case when n.status = 'broken' then n.since else now() end, status = 'broken', status_detail = $4, status_at = now()
                  from refused where n.tenant_id = $1 and n.consent_id = refused.id and n.status <> 'disconnected')
         select id from refused`,
  values: [tenantId, id, version, JSON.stringify(detail)],
});

/** The connection's from now on; gives the one it had. */
export const attachConsent = (tenantId: string, connection: string, id: string | null): Statement => ({
  text: `with before as (select consent_id from connections where tenant_id = $1 and connection = $2)
         update connections set consent_id = $3, updated_at = now() where tenant_id = $1 and connection = $2 returning (select consent_id from before) as before`,
  values: [tenantId, connection, id],
});

/** A consent that no connection and no open sign-in has. */
export const deleteUnusedConsent = (tenantId: string, id: string): Statement => ({
  text: `delete from consents c where c.tenant_id = $1 and c.id = $2 and not exists (select from connections n where n.tenant_id = $1 and n.consent_id = $2) returning id`,
  values: [tenantId, id],
});
