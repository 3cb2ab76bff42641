import type { Statement } from "../database.ts";

/** What people may do in a tenant depends on its state. */
export const selectTenantState = (slug: string): Statement => ({
  text: "select coalesce(to_jsonb(t) ->> 'status', 'active') as status from tenants t where slug = $1 and deleted_at is null",
  values: [slug],
});
