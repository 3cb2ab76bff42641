import type { Statement } from "../database.ts";

/** Rows as joined: written only where something differs, so that a row that did not change tells nobody. */
export const storeRows = (tenantId: string, entity: string, rows: string, at: string): Statement => ({
  text: `insert into entity_rows as r (tenant_id, entity, id, data, labels, links, created_at, updated_at)
         select $1, $2, id, data, labels, links, $4, $4 from jsonb_to_recordset($3) as g (id uuid, data jsonb, labels jsonb, links jsonb)
         on conflict (tenant_id, entity, id) do update set data = excluded.data, labels = excluded.labels, links = excluded.links, updated_at = excluded.updated_at, deleted_at = null
         where r.deleted_at is not null or r.data <> excluded.data or r.labels <> excluded.labels or r.links <> excluded.links`,
  values: [tenantId, entity, rows, at],
});

export const endRows = (tenantId: string, entity: string, rows: readonly string[], at: string): Statement => ({
  text: "update entity_rows set deleted_at = $4, updated_at = $4 where tenant_id = $1 and entity = $2 and id = any($3) and deleted_at is null",
  values: [tenantId, entity, rows, at],
});

/** The older row stays; ids of the others become aliases of it, and so do their own aliases. */
export const aliasRows = (tenantId: string, entity: string, moves: readonly { from: string; to: string }[]): Statement => ({
  text: `with moved as (select * from unnest($3::uuid[], $4::uuid[]) as m (from_id, to_id)),
         gone as (delete from entity_rows r using moved where r.tenant_id = $1 and r.entity = $2 and r.id = moved.from_id),
         older as (update entity_aliases a set id = moved.to_id from moved where a.tenant_id = $1 and a.entity = $2 and a.id = moved.from_id)
         insert into entity_aliases (tenant_id, entity, alias, id) select $1, $2, from_id, to_id from moved`,
  values: [tenantId, entity, moves.map(({ from }) => from), moves.map(({ to }) => to)],
});

/** Live rows, counted as far as it matters: no further than `most`. */
export const countLiveRows = (tenantId: string, entity: string, most: number): Statement => ({
  text: "select count(*)::float8 as count from (select 1 from entity_rows where tenant_id = $1 and entity = $2 and deleted_at is null limit $3) live",
  values: [tenantId, entity, most],
});

/** Which of these rows are live. */
export const selectLiveRows = (tenantId: string, entity: string, rows: readonly string[]): Statement => ({
  text: `select r.id from unnest($3::uuid[]) as k (id) cross join lateral (
           select id from entity_rows where tenant_id = $1 and entity = $2 and id = k.id and deleted_at is null offset 0) r`,
  values: [tenantId, entity, rows],
});
