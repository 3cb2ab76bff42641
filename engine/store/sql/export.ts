import type { Statement } from "../database.ts";

/** The columns of a table that its rows are read in the order of, with their types: the primary key without the tenant. And those that hold bytes. */
export const selectShape = (table: string): Statement => ({
  text: `select coalesce((select array_agg(a.attname::text order by k.place) from pg_index i, unnest(i.indkey) with ordinality as k (number, place), pg_attribute a
                          where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.number and a.attname <> $2), '{}') as keys,
                coalesce((select array_agg(format_type(a.atttypid, null) order by k.place) from pg_index i, unnest(i.indkey) with ordinality as k (number, place), pg_attribute a
                          where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.number and a.attname <> $2), '{}') as types,
                coalesce((select array_agg(a.attname::text) from pg_attribute a where a.attrelid = c.oid and a.atttypid = 'bytea'::regtype and not a.attisdropped), '{}') as bytes
         from pg_class c where c.relnamespace = 'plugboard'::regnamespace and c.relname = $1`,
  values: [table, "tenant_id"],
});

export interface TableShape { readonly keys: readonly string[]; readonly types: readonly string[]; readonly bytes: readonly string[] }

/** The next rows of a table, in the order of its key. Names come from the catalogue. `sealed`: a column of ciphertext to be opened. */
export const selectExported = ({ name, tenant_column, shape, without, sealed }: { name: string; tenant_column: string; shape: TableShape; without: readonly string[]; sealed: string | undefined }, tenantId: string, after: readonly string[] | undefined, limit: number): Statement => {
  const keys = shape.keys.map(quoted);
  const later = after === undefined || keys.length === 0 ? "" : ` and (${keys.join(", ")}) > (${shape.types.map((type, index) => `$${index + 4}::${type}`).join(", ")})`;
  return {
    text: `select to_jsonb(t) - $2::text[] as row${sealed === undefined ? "" : `, t.${quoted(sealed)} as sealed`}, array[${keys.map((key) => `t.${key}::text`).join(", ")}]::text[] as key
           from ${quoted(name)} t where t.${quoted(tenant_column)} = $1${later} ${keys.length === 0 ? "" : `order by ${keys.join(", ")}`} limit $3`,
    values: [tenantId, [...shape.bytes, tenant_column, ...without], limit, ...(later === "" ? [] : after!)],
  };
};

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
