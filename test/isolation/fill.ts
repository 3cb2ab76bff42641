/**
 * Rows for every table of a tenant, with a canary in every column that can hold text, found in the catalogue: a table or column
 * that somebody adds is filled without anybody thinking of it. Rows refer to each other as the foreign keys say, and what is
 * sealed in the product is sealed here too, so that a leak through decryption shows as well.
 */
import { randomBytes, randomUUID } from "node:crypto";
import pg from "pg";
import { withTenant, type Database, type Keyring } from "../../engine/store/index.ts";
import { SEALED_COLUMNS, type SealedRow } from "../../engine/store/sealed-columns.ts";

/** One row a tenant has once, which the product makes and reads in a form of its own. */
const LEFT_ALONE: Readonly<Record<string, string>> = {
  tenant_keys: "wrapped keys open or do not",
  tenant_revisions: "one row: which revision is in force",
  configuration: "one row, of the operator",
};
const ROWS = 3;

export interface Filled {
  /** By table: the rows that were made. */
  readonly rows: ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>;
  /** Tables in which nothing could be made, and why. */
  readonly left: ReadonlyMap<string, string>;
  /** How many values carry the tenant's canary. */
  readonly canaries: number;
}

interface Column { readonly name: string; readonly type: string; readonly nullable: boolean; readonly generated: boolean; readonly element: string | null }
interface Check { readonly name: string; readonly definition: string; readonly columns: readonly string[] }
interface Reference { readonly columns: readonly string[]; readonly target: string; readonly targets: readonly string[] }
interface Table { readonly name: string; readonly columns: readonly Column[]; readonly checks: readonly Check[]; readonly references: readonly Reference[] }

/** @param canary stands in every value: `<canary>.<table>.<column>`. */
export async function fillTenant(url: string, { db, keyring, tenant, canary }: { db: Database; keyring: Keyring; tenant: string; canary: string }): Promise<Filled> {
  const client = new pg.Client({ connectionString: url, options: "-c search_path=plugboard,pg_temp" });
  await client.connect();
  const made = new Map<string, Record<string, unknown>[]>();
  const left = new Map<string, string>(Object.entries(LEFT_ALONE));
  let canaries = 0;
  try {
    const { rows: [found] } = await client.query("select id from tenants where slug = $1 and deleted_at is null", [tenant]);
    const tenantId = (found as { id: string }).id;
    const tables = await describeTables(client);
    const sealer = await withTenant(db, tenant, (tx) => keyring.of(tx));
    for (const table of inOrder(tables)) {
      if (left.has(table.name)) continue;
      const rows: Record<string, unknown>[] = [];
      for (let n = 0; n < ROWS; n++) {
        const parents = table.references.flatMap(({ columns, target, targets }) => {
          const row = made.get(target)?.[n];
          return row === undefined ? [] : columns.map((column, index) => [column, row[targets[index]!]] as const);
        });
        const row: Record<string, unknown> = Object.fromEntries(table.columns.filter(({ generated }) => !generated).map((column) => [column.name, valueOf(column, table, canary, n)]));
        Object.assign(row, Object.fromEntries(parents), { tenant_id: tenantId });
        for (const column of table.columns.filter(({ name }) => isVersionOf(name))) row[column.name] = sealer.dekVersion;
        for (const { column, purpose } of SEALED_COLUMNS.filter((sealed) => sealed.table === table.name)) {
          row[column] = sealer.seal(purpose(row as unknown as SealedRow), JSON.stringify({ [`${canary}.${table.name}.${column}`]: canary }));
        }
        const outcome = await insert(client, table, row);
        if (typeof outcome === "string") { left.set(table.name, outcome); break; }
        rows.push(outcome);
        canaries += JSON.stringify(outcome).split(canary).length - 1;
      }
      if (rows.length > 0) { made.set(table.name, rows); left.delete(table.name); }
    }
  } finally {
    await client.end();
  }
  return { rows: made, left, canaries };
}

const isVersionOf = (name: string): boolean => name === "dek_version";

function valueOf(column: Column, table: Table, canary: string, n: number): unknown {
  const words = `${canary}.${table.name}.${column.name}.${n}`;
  const allowed = allowedOf(column.name, table.checks);
  if (allowed.length > 0) return allowed[n % allowed.length];
  switch (column.type) {
    case "text": case "character varying": return /_?(slug|subdomain)$/.test(column.name) ? words.toLowerCase() : words;
    case "uuid": return randomUUID();
    case "jsonb": case "json": return JSON.stringify({ [words]: words, code: words, message: words });
    case "bytea": return randomBytes(32);
    case "boolean": return n % 2 === 0;
    case "integer": case "bigint": case "smallint": return n + 1;
    case "numeric": case "double precision": case "real": return n + 1;
    case "timestamp with time zone": return new Date(Date.now() + (/(until|expires|due|resume)/.test(column.name) ? 86_400_000 : -1000 * (n + 1)));
    case "date": return "2026-01-01";
    case "inet": return "192.0.2.7";
    case "interval": return "1 day";
    default: return column.element === null ? null : column.element === "uuid" ? [randomUUID()] : column.element === "text" ? [words] : [];
  }
}

/** The values of `check (column in (…))`. */
function allowedOf(column: string, checks: readonly Check[]): string[] {
  for (const { definition } of checks) {
    const list = new RegExp(`\\(\\(?${column}\\)?(?:::text)? = ANY \\(+ARRAY\\[([^\\]]+)\\]`).exec(definition)?.[1];
    if (list !== undefined) return [...list.matchAll(/'((?:[^']|'')*)'/g)].map(([, value]) => value!.replaceAll("''", "'"));
  }
  return [];
}

/** A row as it was stored, or why it could not be. What a check forbids together, is tried with some of it left out. */
async function insert(client: pg.Client, table: Table, row: Record<string, unknown>): Promise<Record<string, unknown> | string> {
  const nullable = new Set(table.columns.filter((column) => column.nullable).map(({ name }) => name));
  let last = "";
  for (const absent of subsets(table.checks.flatMap(({ columns }) => columns).filter((name) => nullable.has(name)))) {
    const given = Object.entries(row).filter(([name]) => !absent.has(name));
    try {
      await client.query("begin; set local session_replication_role = replica");
      const { rows } = await client.query(`insert into ${pg.escapeIdentifier(table.name)} (${given.map(([name]) => pg.escapeIdentifier(name)).join(", ")}) values (${given.map((_, index) => `$${index + 1}`).join(", ")}) returning *`, given.map(([, value]) => value));
      await client.query("commit");
      return rows[0] as Record<string, unknown>;
    } catch (thrown) {
      await client.query("rollback");
      last = (thrown as Error).message;
      if ((thrown as { code?: string }).code !== "23514") return last;
    }
  }
  return last;
}

/** Smallest first; 256 at most. */
function subsets(names: readonly string[]): Set<string>[] {
  const unique = [...new Set(names)].slice(0, 8);
  return Array.from({ length: 2 ** unique.length }, (_, bits) => new Set(unique.filter((_name, index) => bits & (1 << index)))).sort((a, b) => a.size - b.size);
}

function inOrder(tables: readonly Table[]): Table[] {
  const [ordered, seen] = [[] as Table[], new Set<string>()];
  const visit = (table: Table): void => {
    if (seen.has(table.name)) return;
    seen.add(table.name);
    for (const { target } of table.references) { const parent = tables.find(({ name }) => name === target); if (parent) visit(parent); }
    ordered.push(table);
  };
  tables.forEach(visit);
  return ordered;
}

async function describeTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query(`
    select c.relname as name,
      (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null), 'nullable', not a.attnotnull, 'generated', a.attgenerated <> '' or a.attidentity <> '', 'element', (select format_type(t.typelem, null) from pg_type t where t.oid = a.atttypid and t.typelem <> 0 and t.typcategory = 'A')) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      coalesce((select json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid), 'columns', (select coalesce(json_agg(a.attname), '[]') from pg_attribute a where a.attrelid = c.oid and a.attnum = any (k.conkey))))
        from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'), '[]') as checks,
      coalesce((select json_agg(json_build_object('target', t.relname, 'columns', (select json_agg(a.attname order by o.n) from unnest(k.conkey) with ordinality as o (num, n) join pg_attribute a on a.attrelid = c.oid and a.attnum = o.num),
          'targets', (select json_agg(a.attname order by o.n) from unnest(k.confkey) with ordinality as o (num, n) join pg_attribute a on a.attrelid = t.oid and a.attnum = o.num)))
        from pg_constraint k join pg_class t on t.oid = k.confrelid where k.conrelid = c.oid and k.contype = 'f' and t.relname <> 'tenants'), '[]') as "references"
    from pg_class c join pg_attribute i on i.attrelid = c.oid and i.attname = 'tenant_id' and not i.attisdropped where c.relnamespace = 'plugboard'::regnamespace and c.relkind = 'r' order by 1`);
  return rows as Table[];
}
