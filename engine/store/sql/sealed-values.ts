/** Statements over a column of sealed values; table and column names are ours (sealed-columns.ts), never input. */
import type { Statement } from "../database.ts";
import { HEADER_BYTES } from "../sealing.ts";
import type { SealedColumn } from "../sealed-columns.ts";

const keyOf = ({ key }: SealedColumn): string[] => Object.keys(key);
const asText = (names: readonly string[], from: string): string => names.map((name) => `${from}.${name}::text as ${name}`).join(", ");
/** `unnest($2::text[], $3::uuid[]) as k (connection, field)` */
const unnested = (column: SealedColumn, first: number, more: string): string =>
  `unnest(${Object.values(column.key).map((type, index) => `$${first + index}::${type}[]`).join(", ")}${more})`;
const columnwise = (column: SealedColumn, rows: readonly Readonly<Record<string, unknown>>[]): unknown[][] => keyOf(column).map((name) => rows.map((row) => row[name]));

export const countSealed = (column: SealedColumn, tenantId: string, newest: number): Statement => ({
  text: `select count(*)::int as values, (count(*) filter (where sealed_version(${column.column}) <> $2))::int as remaining from ${column.table} where tenant_id = $1 and ${column.column} is not null`,
  values: [tenantId, newest],
});

/** The next values of older keys in the order of the primary key, without their content. */
export const nextStale = (column: SealedColumn, tenantId: string, newest: number, after: Readonly<Record<string, unknown>> | undefined, limit: number): Statement => {
  const names = keyOf(column);
  const beyond = after === undefined ? "" : `and (${names.join(", ")}) > (${names.map((name, index) => `$${4 + index}::${column.key[name]!}`).join(", ")})`;
  return {
    text: `select ${asText(names, "t")}, octet_length(t.${column.column}) as bytes from ${column.table} t
           where tenant_id = $1 and t.${column.column} is not null and sealed_version(t.${column.column}) < $2 ${beyond} order by ${names.map((name) => `t.${name}`).join(", ")} limit $3`,
    values: [tenantId, newest, limit, ...after === undefined ? [] : names.map((name) => after[name])],
  };
};

/** Locks those that nobody is writing, so that neither waits for the other; what was written meanwhile is not stale any more. */
export const takeStale = (column: SealedColumn, tenantId: string, newest: number, keys: readonly Readonly<Record<string, unknown>>[]): Statement => {
  const names = keyOf(column);
  return {
    text: `select ${asText(names, "t")}${column.beside.map((name) => `, t.${name}`).join("")}, t.${column.column} as sealed_value
           from ${unnested(column, 3, "")} as k (${names.join(", ")}) join ${column.table} t on t.tenant_id = $1 and ${names.map((name) => `t.${name} = k.${name}`).join(" and ")}
           where t.${column.column} is not null and sealed_version(t.${column.column}) < $2 for no key update of t skip locked`,
    values: [tenantId, newest, ...columnwise(column, keys)],
  };
};

export interface Resealed extends Readonly<Record<string, unknown>> { readonly from: Buffer; readonly to: Buffer }

/** Compare and swap: only what still has the header (version, nonce, tag) that was opened. */
export const swapSealed = (column: SealedColumn, tenantId: string, newest: number, rows: readonly Resealed[]): Statement => {
  const names = keyOf(column);
  const at = 3 + names.length;
  return {
    text: `update ${column.table} t set ${column.column} = n.to_value${column.versionColumn === undefined ? "" : `, ${column.versionColumn} = $2`}
           from ${unnested(column, 3, `, $${at}::bytea[], $${at + 1}::bytea[]`)} as n (${names.join(", ")}, from_header, to_value)
           where t.tenant_id = $1 and ${names.map((name) => `t.${name} = n.${name}`).join(" and ")} and $2::integer > 0
             and substring(t.${column.column} from 1 for ${HEADER_BYTES}) = n.from_header returning 1`,
    values: [tenantId, newest, ...columnwise(column, rows), rows.map(({ from }) => from.subarray(0, HEADER_BYTES)), rows.map(({ to }) => to)],
  };
};
