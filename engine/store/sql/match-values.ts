import type { Statement } from "../database.ts";
import type { StreamIds } from "./contributions.ts";

export const deleteMatchValues = (stream: StreamIds, keys: readonly string[]): Statement => ({
  text: "delete from match_values where tenant_id = $1 and connection = $2 and stream = $3 and entity = $4 and key = any($5)",
  values: [stream.tenantId, stream.connection, stream.stream, stream.entity, keys],
});

export const insertMatchValues = (stream: StreamIds, entries: readonly { key: string; value: string }[]): Statement => ({
  text: `insert into match_values (tenant_id, connection, stream, entity, key, value)
         select $1, $2, $3, $4, key, value from unnest($5::text[], $6::text[]) as g (key, value) on conflict do nothing`,
  values: [stream.tenantId, stream.connection, stream.stream, stream.entity, entries.map(({ key }) => key), entries.map(({ value }) => value)],
});

/** Rows whose live contributions have one of the values. */
export const selectMatches = (tenantId: string, entity: string, values: readonly string[]): Statement => ({
  text: `select distinct v.value, c.row_id from unnest($3::text[]) as v (value)
         cross join lateral (select connection, stream, key from match_values where tenant_id = $1 and entity = $2 and value = v.value offset 0) m
         cross join lateral (select row_id from contributions where tenant_id = $1 and connection = m.connection and stream = m.stream and entity = $2 and key = m.key offset 0) c`,
  values: [tenantId, entity, values],
});
