import type { Statement } from "../database.ts";
import type { JsonObject } from "../../manifest/types.ts";

export interface RecordRow { id: string; data: JsonObject; labels: Record<string, string>; links: Record<string, string>; created_at: Date; updated_at: Date; deleted_at: Date | null; updated_at_text: string }

export interface RecordFilter { readonly updatedSince: Date | null; readonly connection: string | null; readonly includeDeleted: boolean }

const FILTER = `tenant_id = $1 and entity = $2 and ($3 or deleted_at is null) and ($4::timestamptz is null or updated_at >= $4) and ($5::text is null or links ? $5)`;
const filterValues = (tenantId: string, entity: string, filter: RecordFilter): unknown[] => [tenantId, entity, filter.includeDeleted, filter.updatedSince, filter.connection];

/** In the order of their last change: whoever pages on, again and again, sees every change. */
export const selectRecords = (tenantId: string, entity: string, filter: RecordFilter, after: readonly [string, string] | undefined, limit: number): Statement => ({
  text: `select id, data, labels, links, created_at, updated_at, deleted_at, updated_at::text as updated_at_text from entity_rows
         where ${FILTER} and ($6::timestamptz is null or (updated_at, id) > ($6, $7::uuid)) order by updated_at, id limit $8`,
  values: [...filterValues(tenantId, entity, filter), after?.[0] ?? null, after?.[1] ?? null, limit],
});

/** By its id, or that of a row that was joined into it. */
export const selectRecord = (tenantId: string, entity: string, id: string): Statement => ({
  text: `select id, data, labels, links, created_at, updated_at, deleted_at, updated_at::text as updated_at_text from entity_rows
         where tenant_id = $1 and entity = $2 and id = coalesce((select a.id from entity_aliases a where a.tenant_id = $1 and a.entity = $2 and a.alias = $3), $3)`,
  values: [tenantId, entity, id],
});

export const countRecords = (tenantId: string, entity: string, filter: RecordFilter): Statement => ({
  text: `select count(*)::int as count from entity_rows where ${FILTER}`,
  values: filterValues(tenantId, entity, filter),
});

export const countEntities = (tenantId: string): Statement => ({
  text: "select entity, count(*)::int as count from entity_rows where tenant_id = $1 and deleted_at is null group by entity order by entity",
  values: [tenantId],
});

export const selectContributionsOf = (tenantId: string, entity: string, row: string): Statement => ({
  text: `select connection, stream, key, data, labels, version::text as version, run_id, created_at, updated_at, deleted_at, deleted_reason from contributions
         where tenant_id = $1 and entity = $2 and row_id = $3 order by created_at, connection, stream, key`,
  values: [tenantId, entity, row],
});
