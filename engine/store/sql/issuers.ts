import type { Json } from "../../manifest/types.ts";
import type { Statement } from "../database.ts";

export interface ProviderRow { id: string; title: string; issuer: string; client_id: string; sealed: Buffer; fingerprint: string; scopes: string[]; claim: string | null; roles: Record<string, { role: string; tenant?: string }>; enabled: boolean; updated_at: Date }

export const upsertProvider = (tenantId: string, row: Omit<ProviderRow, "updated_at">): Statement => ({
  text: `insert into sign_in_providers (tenant_id, id, title, issuer, client_id, sealed, fingerprint, scopes, claim, roles, enabled) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (tenant_id, id) do update set title = excluded.title, issuer = excluded.issuer, client_id = excluded.client_id, sealed = excluded.sealed, fingerprint = excluded.fingerprint,
           scopes = excluded.scopes, claim = excluded.claim, roles = excluded.roles, enabled = excluded.enabled, updated_at = now()`,
  values: [tenantId, row.id, row.title, row.issuer, row.client_id, row.sealed, row.fingerprint, row.scopes, row.claim, JSON.stringify(row.roles), row.enabled],
});

export const selectProviders = (tenantId: string): Statement => ({ text: "select * from sign_in_providers where tenant_id = $1 order by title, id", values: [tenantId] });
export const deleteProvider = (tenantId: string, id: string): Statement => ({ text: "delete from sign_in_providers where tenant_id = $1 and id = $2 returning id", values: [tenantId, id] });

export interface IssuerRow {
  id: string; issuer: string; audience: string; algorithms: string[]; jwks_url: string | null; public_keys: Json; tenant_claim: string; role_claim: string;
  tenants: Record<string, string> | null; roles: Record<string, string> | null; enabled: boolean; updated_at: Date;
}

const json = (value: unknown): string | null => value == null ? null : JSON.stringify(value);

export const upsertIssuer = (tenantId: string, row: Omit<IssuerRow, "updated_at">): Statement => ({
  text: `insert into token_issuers (tenant_id, id, issuer, audience, algorithms, jwks_url, public_keys, tenant_claim, role_claim, tenants, roles, enabled) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (tenant_id, id) do update set issuer = excluded.issuer, audience = excluded.audience, algorithms = excluded.algorithms, jwks_url = excluded.jwks_url, public_keys = excluded.public_keys,
           tenant_claim = excluded.tenant_claim, role_claim = excluded.role_claim, tenants = excluded.tenants, roles = excluded.roles, enabled = excluded.enabled, updated_at = now()`,
  values: [tenantId, row.id, row.issuer, row.audience, row.algorithms, row.jwks_url, json(row.public_keys), row.tenant_claim, row.role_claim, json(row.tenants), json(row.roles), row.enabled],
});

export const selectIssuers = (tenantId: string): Statement => ({ text: "select * from token_issuers where tenant_id = $1 order by id", values: [tenantId] });
export const selectIssuer = (tenantId: string, issuer: string): Statement => ({ text: "select * from token_issuers where tenant_id = $1 and issuer = $2 and enabled", values: [tenantId, issuer] });
export const deleteIssuer = (tenantId: string, id: string): Statement => ({ text: "delete from token_issuers where tenant_id = $1 and id = $2 returning id", values: [tenantId, id] });
