import type { Statement } from "../database.ts";

export interface EndpointRow { name: string; url: string; enabled: boolean; disabled_reason: string | null; disabled_at: Date | null; created_at: Date; updated_at: Date }

/** An address that changes is tried again. 0 rows never: it is made or changed. */
export const upsertEndpoint = (tenantId: string, name: string, url: string): Statement => ({
  text: `insert into outgoing_endpoints as e (tenant_id, name, url) values ($1, $2, $3)
         on conflict (tenant_id, name) do update set url = excluded.url, updated_at = clock_timestamp(), enabled = e.enabled or e.url <> excluded.url,
           disabled_reason = case when e.url = excluded.url then e.disabled_reason end, disabled_at = case when e.url = excluded.url then e.disabled_at end
         returning xmax = 0 as made`,
  values: [tenantId, name, url],
});

export const switchEndpoint = (tenantId: string, name: string, enabled: boolean, reason: string | null): Statement => ({
  text: `update outgoing_endpoints set enabled = $3, disabled_reason = case when $3 then null else $4 end, disabled_at = case when $3 then null else clock_timestamp() end, updated_at = clock_timestamp()
         where tenant_id = $1 and name = $2 returning name`,
  values: [tenantId, name, enabled, reason],
});

export const deleteEndpoint = (tenantId: string, name: string): Statement => ({
  text: "delete from outgoing_endpoints where tenant_id = $1 and name = $2 returning name",
  values: [tenantId, name],
});

export const selectEndpoints = (tenantId: string, name: string | undefined): Statement => ({
  text: "select name, url, enabled, disabled_reason, disabled_at, created_at, updated_at from outgoing_endpoints where tenant_id = $1 and ($2::text is null or name = $2) order by name",
  values: [tenantId, name ?? null],
});

export interface EndpointSecretRow { id: string; endpoint: string; sealed: Buffer; fingerprint: string; created_at: Date; expires_at: Date | null }

/** Those that sign now, the newest first. */
export const selectEndpointSecrets = (tenantId: string, endpoint: string): Statement => ({
  text: `select id, endpoint, sealed, fingerprint, created_at, expires_at from endpoint_secrets
         where tenant_id = $1 and endpoint = $2 and (expires_at is null or expires_at > clock_timestamp()) order by created_at desc, id desc`,
  values: [tenantId, endpoint],
});

/** The new one signs from now on, and those before it until their time is up. */
export const insertEndpointSecret = (tenantId: string, endpoint: string, secret: { readonly id: string; readonly sealed: Buffer; readonly fingerprint: string }, overlapSeconds: number): Statement => ({
  text: `with older as (update endpoint_secrets set expires_at = least(expires_at, clock_timestamp() + make_interval(secs => $6)) where tenant_id = $1 and endpoint = $2 and (expires_at is null or expires_at > clock_timestamp())),
         gone as (delete from endpoint_secrets where tenant_id = $1 and endpoint = $2 and expires_at < clock_timestamp())
         insert into endpoint_secrets (tenant_id, endpoint, id, sealed, fingerprint) values ($1, $2, $3, $4, $5)`,
  values: [tenantId, endpoint, secret.id, secret.sealed, secret.fingerprint, overlapSeconds],
});
