import type { Statement } from "../database.ts";

export interface TenantTableRow { name: string; tenant_column: string; references_to: string[] }

export const selectTenantTables = (): Statement => ({ text: "select name, tenant_column, references_to from tenant_tables()", values: [] });

/** @param table and @param column from the catalogue. */
export const countRowsOf = ({ name, tenant_column }: TenantTableRow, tenantId: string): Statement => ({
  text: `select count(*)::float8 as count from ${quoted(name)} where ${quoted(tenant_column)} = $1`,
  values: [tenantId],
});

export const eraseRows = (table: string, most: number): Statement => ({ text: "select erase_rows($1, $2) as gone", values: [table, most] });

export interface ErasureRow {
  id: string; erased: string; slug: string; title: string; token_hash: Buffer; requested_by: string; requested_at: Date; expires_at: Date; confirmed_at: Date | null; finished_at: Date | null;
  counts: Record<string, number>; removed: Record<string, number>;
}

export const insertErasure = (id: string, tenantId: string, slug: string, title: string, tokenHash: Buffer, by: string, validSeconds: number, counts: object): Statement => ({
  text: `insert into erasures (id, erased, slug, title, token_hash, requested_by, expires_at, counts) values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7), $8) returning *`,
  values: [id, tenantId, slug, title, tokenHash, by, validSeconds, JSON.stringify(counts)],
});

/** The erasure that this token confirms, or confirmed before: a retry goes on with it. */
export const selectErasure = (tenantId: string, tokenHash: Buffer): Statement => ({
  text: `select *, (expires_at < now() and confirmed_at is null) as expired from erasures where erased = $1 and token_hash = $2`,
  values: [tenantId, tokenHash],
});

export const selectUnfinishedErasures = (): Statement => ({
  text: `select e.slug from erasures e join tenants t on t.id = e.erased where e.confirmed_at is not null and e.finished_at is null and t.status = 'erasing' and t.deleted_at is null`,
  values: [],
});

export const selectConfirmedErasure = (tenantId: string): Statement => ({
  text: "select * from erasures where erased = $1 and confirmed_at is not null and finished_at is null order by confirmed_at desc limit 1",
  values: [tenantId],
});

export const confirmErasure = (id: string): Statement => ({ text: "update erasures set confirmed_at = coalesce(confirmed_at, now()) where id = $1", values: [id] });

export const addRemoved = (id: string, table: string, rows: number): Statement => ({
  text: "update erasures set removed = jsonb_set(removed, array[$2::text], to_jsonb(coalesce((removed ->> $2)::float8, 0) + $3::float8)) where id = $1",
  values: [id, table, rows],
});

export const finishErasure = (id: string): Statement => ({ text: "update erasures set finished_at = now() where id = $1 and finished_at is null returning *", values: [id] });

/** People who belong nowhere else, with their sessions and sign-ins. Outside a tenant's transaction: inside, nobody seems to belong elsewhere. */
export const erasePeople = (tenantId: string): Statement => ({
  text: `delete from users u where exists (select from memberships m where m.user_id = u.id and m.tenant = $1)
           and not exists (select from memberships m where m.user_id = u.id and m.tenant <> $1) returning u.id`,
  values: [tenantId],
});

/** Proposed changes of this tenant alone, as the operator's tenant: whoever gets the name next would find them. */
export const eraseChanges = (platformId: string, slug: string): Statement => ({ text: "delete from changes where tenant_id = $1 and only_tenant = $2 returning id", values: [platformId, slug] });

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
