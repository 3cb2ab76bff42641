import type { Statement } from "../database.ts";

/** The next one in order; under the lock of the configuration. 0 rows: it is there. */
export const insertRevision = (id: string, commit: string | undefined, says: readonly string[]): Statement => ({
  text: "insert into revisions (id, commit, says, seq) select $1, $2, $3::uuid[], coalesce(max(seq), 0) + 1 from revisions on conflict (id) do nothing returning seq",
  values: [id, commit ?? null, says],
});

export const selectRevision = (id: string): Statement => ({ text: "select seq from revisions where id = $1", values: [id] });

/** About whom something is said after one place of the order, up to another. */
export const selectSaidBetween = (after: string, upTo: string): Statement => ({
  text: "select distinct unnest(says) as id from revisions where seq > $1 and seq <= $2",
  values: [after, upTo],
});

/**
 * A line, and the plan it leads to where that is not there yet.
 * @param hash null, and no plan: the revision no longer names the tenant.
 */
export const insertLine = (tenantId: string, revision: string, seq: string, hash: string | null, plan: string | null): Statement => ({
  text: `with stored as (insert into plans (tenant_id, hash, plan) select $1::uuid, $4::text, $5::json
           where $5::text is not null and not exists (select 1 from plans where tenant_id = $1 and hash = $4) on conflict do nothing)
         insert into tenant_revisions (tenant_id, revision, seq, plan_hash) values ($1, $2, $3, $4)`,
  values: [tenantId, revision, seq, hash, plan],
});

/** The line that a revision goes by: its own, or the newest before it. */
export const selectLine = (tenantId: string, seq: string): Statement => ({
  text: "select revision, plan_hash from tenant_revisions where tenant_id = $1 and seq <= $2 order by seq desc limit 1",
  values: [tenantId, seq],
});

export const selectPlan = (tenantId: string, revision: string): Statement => ({
  text: `select p.plan from revisions v
         cross join lateral (select plan_hash from tenant_revisions where tenant_id = $1 and seq <= v.seq order by seq desc limit 1) line
         join plans p on p.tenant_id = $1 and p.hash = line.plan_hash
         where v.id = $2`,
  values: [tenantId, revision],
});

export const selectPlanByHash = (tenantId: string, hash: string): Statement => ({ text: "select plan from plans where tenant_id = $1 and hash = $2", values: [tenantId, hash] });

export const selectCurrentRevision = (tenantId: string): Statement => ({
  text: "select revision from tenants where id = $1",
  values: [tenantId],
});

export const syncEntityViews = (entity: string, columns: string): Statement => ({
  text: "select sync_entity_views($1, $2)",
  values: [entity, columns],
});
