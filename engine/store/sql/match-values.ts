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
  text: `select distinct m.value, c.row_id from match_values m
         join contributions c on c.tenant_id = m.tenant_id and c.connection = m.connection and c.stream = m.stream and c.entity = m.entity and c.key = m.key
         where m.tenant_id = $1 and m.entity = $2 and m.value = any($3)`,
  values: [tenantId, entity, values],
});
