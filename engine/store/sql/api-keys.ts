import type { Statement } from "../database.ts";

export const insertApiKey = (key: { hash: Buffer; tenant: string | null; name: string; scopes: readonly string[]; expiresAt: Date | null }): Statement => ({
  text: `insert into api_keys (hash, tenant, name, scopes, expires_at)
         select $1, t.id, $3, $4, $5 from (select 1) one left join tenants t on t.slug = $2 and t.deleted_at is null
         where $2::text is null or t.id is not null returning id`,
  values: [key.hash, key.tenant, key.name, key.scopes, key.expiresAt],
});

export const useApiKey = (hash: Buffer): Statement => ({
  text: `update api_keys k set last_used_at = now() from (
           select a.id, t.slug as tenant from api_keys a left join tenants t on t.id = a.tenant
           where a.hash = $1 and a.revoked_at is null and (a.expires_at is null or a.expires_at > now()) and (a.tenant is null or t.deleted_at is null)) found
         where k.id = found.id returning k.id, found.tenant, k.name, k.scopes`,
  values: [hash],
});

export const selectApiKeys = (): Statement => ({
  text: `select k.id, t.slug as tenant, k.name, k.scopes, k.created_at, k.expires_at, k.revoked_at, k.last_used_at from api_keys k left join tenants t on t.id = k.tenant order by k.created_at`,
  values: [],
});

export const revokeApiKey = (id: string): Statement => ({
  text: "update api_keys set revoked_at = now() where id = $1 and revoked_at is null returning id",
  values: [id],
});
