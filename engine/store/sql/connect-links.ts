import type { Statement } from "../database.ts";

export interface ConnectLinkRow { id: string; connection: string; return_url: string | null; created_by: string; created_at: Date; expires_at: Date; connected_at: Date | null; revoked_at: Date | null }

const COLUMNS = "id, connection, return_url, created_by, created_at, expires_at, connected_at, revoked_at";

export const insertConnectLink = (tenantId: string, id: string, hash: Buffer, connection: string, returnUrl: string | undefined, by: string, seconds: number): Statement => ({
  text: `insert into connect_links (tenant_id, id, hash, connection, return_url, created_by, expires_at) values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7)) returning ${COLUMNS}`,
  values: [tenantId, id, hash, connection, returnUrl ?? null, by, seconds],
});

/** One that may still be used. */
export const selectLiveLink = (tenantId: string, hash: Buffer): Statement => ({
  text: `select ${COLUMNS} from connect_links where tenant_id = $1 and hash = $2 and connected_at is null and revoked_at is null and expires_at > now()`,
  values: [tenantId, hash],
});

export const selectLiveLinkById = (tenantId: string, id: string): Statement => ({
  text: `select ${COLUMNS} from connect_links where tenant_id = $1 and id = $2 and connected_at is null and revoked_at is null and expires_at > now()`,
  values: [tenantId, id],
});

export const selectConnectLinks = (tenantId: string, after: readonly [at: string, id: string] | undefined, limit: number): Statement => ({
  text: `select ${COLUMNS} from connect_links where tenant_id = $1 and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid)) order by created_at desc, id desc limit $4`,
  values: [tenantId, after?.[0] ?? null, after?.[1] ?? null, limit],
});

export const revokeLink = (tenantId: string, id: string): Statement => ({
  text: `update connect_links set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
  values: [tenantId, id],
});

/** Once it did what it is for, it is over. */
export const useLink = (tenantId: string, id: string): Statement => ({ text: "update connect_links set connected_at = coalesce(connected_at, now()) where tenant_id = $1 and id = $2 returning return_url", values: [tenantId, id] });
