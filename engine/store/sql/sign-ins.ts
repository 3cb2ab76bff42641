import type { Statement } from "../database.ts";
import type { Json, JsonObject } from "../../manifest/types.ts";

export interface SignInRow {
  id: string; sealed: Buffer; browser_hash: Buffer | null; connection: string; connector: string; authenticator: string; redirect_uri: string; return_to: string | null;
  start_over: boolean; actor: JsonObject; link_id: string | null; outcome: string | null; detail: JsonObject | null; accounts: Json; consent_id: string | null;
}

const COLUMNS = "id, sealed, browser_hash, connection, connector, authenticator, redirect_uri, return_to, start_over, actor, link_id, outcome, detail, accounts, consent_id";

export const insertSignIn = (tenantId: string, row: { id: string; stateHash: Buffer; sealed: Buffer; browserHash: Buffer | undefined; connection: string; connector: string; authenticator: string; redirectUri: string; returnTo: string | undefined; startOver: boolean; actor: object; link: string | undefined; seconds: number }): Statement => ({
  text: `insert into sign_ins (tenant_id, id, state_hash, sealed, browser_hash, connection, connector, authenticator, redirect_uri, return_to, start_over, actor, link_id, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, now() + make_interval(secs => $14)) returning expires_at`,
  values: [tenantId, row.id, row.stateHash, row.sealed, row.browserHash ?? null, row.connection, row.connector, row.authenticator, row.redirectUri, row.returnTo ?? null, row.startOver, JSON.stringify(row.actor), row.link ?? null, row.seconds],
});

/** Once, and in time: 0 rows otherwise. A browser that is not the one that began it uses nothing up. */
export const answerSignIn = (tenantId: string, stateHash: Buffer, browserHash: Buffer | undefined): Statement => ({
  text: `update sign_ins set answered_at = now() where tenant_id = $1 and state_hash = $2 and answered_at is null and expires_at > now() and (browser_hash is null or browser_hash = $3) returning ${COLUMNS}`,
  values: [tenantId, stateHash, browserHash ?? null],
});

export const endSignIn = (tenantId: string, id: string, end: { outcome: string; detail: JsonObject | undefined; accounts: Json | undefined; consent: string | undefined }): Statement => ({
  text: "update sign_ins set outcome = $3, detail = $4, accounts = $5, consent_id = $6 where tenant_id = $1 and id = $2",
  values: [tenantId, id, end.outcome, end.detail === undefined ? null : JSON.stringify(end.detail), end.accounts === undefined ? null : JSON.stringify(end.accounts), end.consent ?? null],
});

/** The connection's latest sign-in that waits for a person to pick an account, for as long as it may. */
export const selectOpenChoice = (tenantId: string, connection: string, seconds: number): Statement => ({
  text: `select ${COLUMNS} from sign_ins where tenant_id = $1 and connection = $2 and consent_id is not null and outcome in ('choose', 'account_changed') and answered_at > now() - make_interval(secs => $3)
         order by answered_at desc limit 1`,
  values: [tenantId, connection, seconds],
});

/** How the latest one ended, for the page that began it. */
export const selectLatestSignIn = (tenantId: string, connection: string): Statement => ({
  text: `select ${COLUMNS}, answered_at, expires_at from sign_ins where tenant_id = $1 and connection = $2 order by created_at desc limit 1`,
  values: [tenantId, connection],
});

/** Those that nobody can go on with. */
export const deleteOldSignIns = (tenantId: string, seconds: number): Statement => ({
  text: "delete from sign_ins where tenant_id = $1 and created_at < now() - make_interval(secs => $2) returning consent_id",
  values: [tenantId, seconds],
});

export const selectTenantSlug = (tenantId: string): Statement => ({ text: "select slug from tenants where id = $1 and deleted_at is null", values: [tenantId] });
