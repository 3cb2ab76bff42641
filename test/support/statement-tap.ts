/**
 * Listens to every statement that the running product sends (connections of its login, not those with which tests look behind
 * it), keeps which tenant each connection's transaction has set, and notes the statements that touch a tenant's table without
 * one. Row-level security answers those with nothing; that nothing is a bug which looks like an empty list.
 */
import pg from "pg";

export interface TappedStatement {
  readonly text: string;
  /** What the transaction had set: a tenant, the scheduler's role, or nothing. */
  readonly within: "tenant" | "scheduler" | "nothing";
  readonly tables: readonly string[];
}

export interface StatementTap {
  /** Statements on tenants' tables outside of a tenant's transaction. */
  readonly strays: readonly TappedStatement[];
  /** Of the product's, since the tap was opened; and how many of them touched a tenant's table. */
  readonly counted: { statements: number; onTenants: number };
  /** May change a statement before it is sent: how mutants are made. */
  rewrite: ((text: string) => string) | undefined;
  close(): void;
}

type Within = TappedStatement["within"];
interface Query { (config: unknown, values?: unknown, callback?: unknown): unknown }

/** @param url of the server's own user, who may read the catalogue. */
export async function tapStatements(url: string, user = "plugboard_runtime"): Promise<StatementTap> {
  const names = await tenantTables(url);
  const touched = new RegExp(`\\b(?:from|join|into|update|using|only|table)\\s+(?:plugboard\\.)?"?(${names.join("|")})"?(?![\\w.])`, "gi");
  const strays: TappedStatement[] = [];
  const counted = { statements: 0, onTenants: 0 };
  const states = new WeakMap<object, Within>();
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const original = prototype.query;

  const tap: StatementTap = {
    strays, counted, rewrite: undefined,
    close() { prototype.query = original; },
  };
  prototype.query = function tapped(this: pg.Client, config: unknown, ...rest: unknown[]): unknown {
    const text = typeof config === "string" ? config : (config as { text?: unknown } | null)?.text;
    if (this.user !== user || typeof text !== "string") return original.call(this, config, ...rest);
    counted.statements++;
    // One message may hold several statements: `begin; select set_config(…)`, `commit; select …`.
    let within = states.get(this) ?? "nothing";
    for (const statement of text.split(";")) {
      within = enters(statement, within);
      const tables = [...new Set([...statement.matchAll(touched)].map(([, table]) => table!.toLowerCase()))];
      if (tables.length === 0) continue;
      counted.onTenants++;
      if (within === "nothing") strays.push({ text: text.replace(/\s+/g, " ").slice(0, 300), within, tables });
    }
    states.set(this, within);
    const changed = tap.rewrite?.(text) ?? text;
    return original.call(this, changed === text ? config : typeof config === "string" ? changed : { ...(config as object), text: changed }, ...rest);
  };
  return tap;
}

function enters(statement: string, before: Within): Within {
  if (/^\s*(commit|rollback|begin)\b/i.test(statement) && !/\bto\s+savepoint\b/i.test(statement)) return "nothing";
  if (/set_config\('plugboard\.tenant_id'/i.test(statement)) return "tenant";
  if (/set\s+local\s+role\s+plugboard_scheduler/i.test(statement)) return "scheduler";
  return before;
}

async function tenantTables(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query("select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped where c.relnamespace = 'plugboard'::regnamespace and c.relkind in ('r', 'p') order by length(c.relname) desc");
    return (rows as { name: string }[]).map(({ name }) => name);
  } finally {
    await client.end();
  }
}
