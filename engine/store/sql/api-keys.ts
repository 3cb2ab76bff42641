import type { Statement } from "../database.ts";

export const insertApiKey = (key: { hash: Buffer; tenant: string | null; name: string; scopes: readonly string[]; expiresAt: Date | null; within: string | null; madeBy: string | null; networks: readonly string[] | null }): Statement => ({
  text: `insert into api_keys (hash, tenant, name, scopes, expires_at, within, made_by, networks)
         select $1, t.id, $3, $4, $5, $6, $7, $8::cidr[] from (select 1) one left join tenants t on t.slug = $2 and t.deleted_at is null
         where $2::text is null or t.id is not null returning id`,
  values: [key.hash, key.tenant, key.name, key.scopes, key.expiresAt, key.within, key.madeBy, key.networks],
});

/** Used from another network than its own it is as unknown. When it was used is kept to the minute: not every request writes. */
export const useApiKey = (hash: Buffer, ip: string | null): Statement => ({
  text: `with found as (
           select a.id, t.slug as tenant, a.name, a.scopes, a.within, a.last_used_at from api_keys a left join tenants t on t.id = a.tenant
           where a.hash = $1 and a.revoked_at is null and (a.expires_at is null or a.expires_at > now()) and (a.tenant is null or t.deleted_at is null)
             and (a.networks is null or $2::inet <<= any (a.networks))),
         noted as (update api_keys k set last_used_at = now() from found where k.id = found.id and (found.last_used_at is null or found.last_used_at < now() - interval '1 minute'))
         select id, tenant, name, scopes, within from found`,
  values: [hash, ip],
});

export interface ApiKeyRow {
  id: string; tenant: string | null; name: string; scopes: string[]; within: string | null; made_by: string | null; networks: string[] | null;
  created_at: Date; expires_at: Date | null; revoked_at: Date | null; last_used_at: Date | null;
}

/** In a tenant's transaction those of the tenant, else all. Oldest first. */
export const selectApiKeys = (): Statement => ({
  text: `select k.id, t.slug as tenant, k.name, k.scopes, k.within, k.made_by, k.networks::text[], k.created_at, k.expires_at, k.revoked_at, k.last_used_at
         from api_keys k left join tenants t on t.id = k.tenant order by k.created_at, k.id`,
  values: [],
});

export const revokeApiKey = (id: string): Statement => ({
  text: "update api_keys set revoked_at = now() where id = $1 and revoked_at is null returning id",
  values: [id],
});

/** From here on the transaction is the tenant's. */
export const enterTenant = (slug: string): Statement => ({
  text: "select id, set_config('plugboard.tenant_id', id::text, true) from tenants where slug = $1 and deleted_at is null",
  values: [slug],
});
