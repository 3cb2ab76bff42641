import type { Statement } from "../database.ts";

export const insertRevision = (id: string, commit: string | undefined): Statement => ({
  text: "insert into revisions (id, commit) values ($1, $2) on conflict (id) do nothing",
  values: [id, commit ?? null],
});

export const insertPlan = (tenantId: string, hash: string, plan: string): Statement => ({
  text: "insert into plans (tenant_id, hash, plan) select $1, $2, $3 where not exists (select 1 from plans where tenant_id = $1 and hash = $2) on conflict do nothing",
  values: [tenantId, hash, plan],
});

/** A revision says one thing about a tenant for ever: 0 rows when it already says something. */
export const insertTenantRevision = (tenantId: string, revision: string, hash: string): Statement => ({
  text: "insert into tenant_revisions (tenant_id, revision, plan_hash) values ($1, $2, $3) on conflict (tenant_id, revision) do nothing returning revision",
  values: [tenantId, revision, hash],
});

export const selectTenantRevision = (tenantId: string, revision: string): Statement => ({
  text: "select plan_hash from tenant_revisions where tenant_id = $1 and revision = $2",
  values: [tenantId, revision],
});

export const selectPlan = (tenantId: string, revision: string): Statement => ({
  text: `select plan from tenant_revisions r join plans p on p.tenant_id = r.tenant_id and p.hash = r.plan_hash
         where r.tenant_id = $1 and r.revision = $2`,
  values: [tenantId, revision],
});

export const selectCurrentRevision = (tenantId: string): Statement => ({
  text: "select revision from tenants where id = $1",
  values: [tenantId],
});

export const syncEntityViews = (entity: string, columns: string): Statement => ({
  text: "select sync_entity_views($1, $2)",
  values: [entity, columns],
});
