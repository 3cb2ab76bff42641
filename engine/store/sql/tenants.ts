import type { Statement } from "../database.ts";

/** Makes the tenant, or brings title and subdomain up to date. Gives its surrogate key. */
export const upsertTenant = (slug: string, title: string, subdomain: string | undefined): Statement => ({
  text: `insert into tenants (slug, title, subdomain) values ($1, $2, $3)
         on conflict (slug) where deleted_at is null do update set title = excluded.title, subdomain = excluded.subdomain
         returning id`,
  values: [slug, title, subdomain ?? null],
});

export interface TenantRow {
  slug: string; title: string; subdomain: string | null; revision: string | null; status: "creating" | "active" | "suspended" | "erasing";
  status_at: Date; status_by: string | null; status_reason: string | null; created_at: Date;
}
const COLUMNS = "slug, title, subdomain, revision, status, status_at, status_by, status_reason, created_at";

export const selectTenants = (): Statement => ({
  text: `select ${COLUMNS} from tenants where deleted_at is null order by slug`,
  values: [],
});

export const selectTenant = (slug: string): Statement => ({
  text: `select ${COLUMNS} from tenants where slug = $1 and deleted_at is null`,
  values: [slug],
});

export const selectTenantBySubdomain = (subdomain: string): Statement => ({
  text: `select ${COLUMNS} from tenants where subdomain = $1 and deleted_at is null and status <> 'creating'`,
  values: [subdomain],
});

export interface TenantPlanRow { id: string; slug: string; title: string; subdomain: string | null; status: TenantRow["status"]; revision: string | null; plan_hash: string | null; newest_hash: string | null }

/** By which plan each goes, without the plans. */
export const selectPlansInForce = (): Statement => ({
  text: "select id, slug, title, subdomain, status, revision, plan_hash, newest_hash from tenants where deleted_at is null",
  values: [],
});

/**
 * What a revision names is in force: a tenant that was being created is there now.
 * @param isNewest whether this is its newest line, too.
 */
export const setTenantRevision = (tenantId: string, revision: string | null, planHash: string | null, isNewest: boolean): Statement => ({
  text: `update tenants set revision = $2, plan_hash = $3, newest_hash = case when $4 then $3 else newest_hash end,
           status = case when status = 'creating' and $2::text is not null then 'active' else status end
         where id = $1`,
  values: [tenantId, revision, planHash, isNewest],
});

/** 0 rows: the slug is taken. @throws 23505 when the subdomain or the key is. */
export const reserveTenant = (slug: string, title: string, subdomain: string, by: string, hash: string, key: string | undefined): Statement => ({
  text: `insert into tenants (slug, title, subdomain, status, status_by, creation_hash, creation_key) values ($1, $2, $3, 'creating', $4, $5, $6)
         on conflict (slug) where deleted_at is null do nothing returning id`,
  values: [slug, title, subdomain, by, hash, key ?? null],
});

export const selectCreation = (slug: string, key: string | undefined): Statement => ({
  text: `select slug, status, creation_hash, revision from tenants where deleted_at is null and (slug = $1 or ($2::text is not null and creation_key = $2))
         order by (creation_key is not distinct from $2) desc, slug limit 1`,
  values: [slug, key ?? null],
});

/** A reservation that came to nothing gives its name back. */
export const releaseTenant = (tenantId: string): Statement => ({
  text: "update tenants set deleted_at = now() where id = $1 and status = 'creating' and revision is null returning id",
  values: [tenantId],
});

export const selectUnfinished = (olderThanSeconds: number): Statement => ({
  text: "select slug from tenants where deleted_at is null and status = 'creating' and status_at < now() - make_interval(secs => $1) order by slug",
  values: [olderThanSeconds],
});

/** 0 rows: it is in none of the states that lead to this one. */
export const setTenantStatus = (tenantId: string, from: readonly string[], to: string, by: string, reason: string | undefined): Statement => ({
  text: "update tenants set status = $3, status_at = now(), status_by = $4, status_reason = $5 where id = $1 and status = any($2) and deleted_at is null returning id",
  values: [tenantId, from, to, by, reason ?? null],
});

/** Locks it until the transaction ends: nobody adds a row that refers to it meanwhile. */
export const lockTenant = (tenantId: string): Statement => ({
  text: "select status from tenants where id = $1 and deleted_at is null for update",
  values: [tenantId],
});

export const endTenant = (tenantId: string): Statement => ({
  text: "update tenants set deleted_at = now(), revision = null, plan_hash = null, newest_hash = null, status_at = now() where id = $1 and status = 'erasing' and deleted_at is null returning id",
  values: [tenantId],
});
