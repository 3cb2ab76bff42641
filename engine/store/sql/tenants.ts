import type { Statement } from "../database.ts";

/** Makes the tenant, or brings title and subdomain up to date. Gives its surrogate key. */
export const upsertTenant = (slug: string, title: string, subdomain: string | undefined): Statement => ({
  text: `insert into tenants (slug, title, subdomain) values ($1, $2, $3)
         on conflict (slug) where deleted_at is null do update set title = excluded.title, subdomain = excluded.subdomain
         returning id`,
  values: [slug, title, subdomain ?? null],
});

export const selectTenants = (): Statement => ({
  text: "select slug, title, subdomain, revision from tenants where deleted_at is null order by slug",
  values: [],
});

export const setTenantRevision = (tenantId: string, revision: string | null): Statement => ({
  text: "update tenants set revision = $2 where id = $1 and revision is distinct from $2",
  values: [tenantId, revision],
});
