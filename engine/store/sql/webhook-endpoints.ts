import type { Statement } from "../database.ts";

export interface EndpointRow {
  id: string; tenant: string; tenant_id: string; tenant_status: string; connector: string; connection: string | null; feed: string;
  created_at: Date; created_by: string; expires_at: Date | null; revoked_at: Date | null;
}
const COLUMNS = "e.id, t.slug as tenant, t.id as tenant_id, t.status as tenant_status, e.connector, e.connection, e.feed, e.created_at, e.created_by, e.expires_at, e.revoked_at";

export const insertEndpoint = (id: string, hash: Buffer, tenantId: string, connector: string, connection: string | null, feed: string, by: string): Statement => ({
  text: "insert into webhook_endpoints (id, hash, tenant, connector, connection, feed, created_by) values ($1, $2, $3, $4, $5, $6, $7)",
  values: [id, hash, tenantId, connector, connection, feed, by],
});

/** Those that still open. */
export const findEndpoint = (hash: Buffer): Statement => ({
  text: `select ${COLUMNS} from webhook_endpoints e join tenants t on t.id = e.tenant and t.deleted_at is null
         where e.hash = $1 and e.revoked_at is null and (e.expires_at is null or e.expires_at > now())`,
  values: [hash],
});

export const selectEndpoints = (tenantId: string, connector: string, connection: string | null): Statement => ({
  text: `select ${COLUMNS} from webhook_endpoints e join tenants t on t.id = e.tenant
         where e.tenant = $1 and e.connector = $2 and e.connection is not distinct from $3 and e.revoked_at is null and (e.expires_at is null or e.expires_at > now()) order by e.created_at, e.id`,
  values: [tenantId, connector, connection],
});

/** The others of the feed go on for so long, and no longer than they would have. */
export const expireEndpoints = (tenantId: string, connector: string, connection: string | null, feed: string, but: string, seconds: number): Statement => ({
  text: `update webhook_endpoints set expires_at = least(expires_at, now() + make_interval(secs => $6))
         where tenant = $1 and connector = $2 and connection is not distinct from $3 and feed = $4 and id <> $5 and revoked_at is null returning id, expires_at`,
  values: [tenantId, connector, connection, feed, but, seconds],
});

export const revokeEndpoint = (tenantId: string, id: string): Statement => ({
  text: "update webhook_endpoints set revoked_at = now() where tenant = $1 and id = $2 and revoked_at is null returning connector, connection, feed",
  values: [tenantId, id],
});

export const replaceAliases = (aliases: string): Statement => ({
  text: `with given as (select * from jsonb_to_recordset($1) as g (path text, connector text, feed text)),
         gone as (delete from webhook_aliases a where not exists (select 1 from given g where g.path = a.path))
         insert into webhook_aliases (path, connector, feed) select path, connector, feed from given
         on conflict (path) do update set connector = excluded.connector, feed = excluded.feed`,
  values: [aliases],
});

export const findAlias = (path: string): Statement => ({ text: "select connector, feed from webhook_aliases where path = $1", values: [path] });

export const findSubdomain = (subdomain: string): Statement => ({ text: "select slug from tenants where subdomain = $1 and deleted_at is null", values: [subdomain] });

/** Over all tenants, as the scheduler: whose account it is. */
export const selectAccount = (connector: string, account: string): Statement => ({
  text: `select t.slug as tenant, t.id as tenant_id, c.connection from connections c join tenants t on t.id = c.tenant_id and t.deleted_at is null
         where c.connector = $1 and c.account_id = $2 order by t.slug, c.connection`,
  values: [connector, account],
});

export const saveFeeds = (connector: string, feeds: string): Statement => ({
  text: "update connectors set feeds = $2::json where id = $1 and feeds::text is distinct from $2::json::text",
  values: [connector, feeds],
});

export const selectFeeds = (connector: string): Statement => ({ text: "select feeds from connectors where id = $1", values: [connector] });
