/**
 * The connection pool, and the only ways through it:
 *
 *   withTenant      a transaction that sees one tenant's rows
 *   inGlobal        a transaction without a tenant: tenant tables look empty; `alone`: of one statement
 *   withTenants     one transaction that goes from tenant to tenant: all of them, or none
 *   asScheduler     reads ids and due times over all tenants, nothing else
 */
import pg from "pg";
import { PlugboardError } from "../errors/plugboard-error.ts";
import { addressOf, asStoreFailure, sqlStateOf } from "./failures.ts";

const MAX_CONNECTIONS = 10;
const CONNECT_MILLISECONDS = 10_000;
/** Longer than any page takes; a sweep over a million rows may need minutes. */
const STATEMENT_SECONDS = 600;
/** A transaction whose worker was stopped (SIGSTOP) holds its locks no longer than this. */
const IDLE_IN_TRANSACTION_SECONDS = 60;

export interface DatabaseOptions {
  readonly url: string;
  /** Connections at most. @default 10 */
  readonly max?: number;
  readonly applicationName?: string;
  /** A connection that was idle in the pool broke; the pool replaces it. */
  readonly onError?: (error: Error) => void;
}

export interface Database {
  /** For libraries that bring their own statements (the queue). Ours go through the functions of this room. */
  readonly pool: pg.Pool;
  /** Host and database, without user and password. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * A statement with its values; `engine/store/sql` makes them. With a `name` each connection plans it once and keeps the plan: for
 * what is asked hundreds of times a second, where planning costs more than doing.
 */
export interface Statement { readonly text: string; readonly values: unknown[]; readonly name?: string }

export interface Transaction {
  /** The driver's own: others' statements may take part (a job is enqueued exactly if this commits). */
  readonly query: pg.ClientBase["query"];
  run<Row extends object>(statement: Statement): Promise<Row[]>;
}

/** A transaction in which row-level security shows one tenant's rows. */
export interface TenantTransaction extends Transaction {
  /** Its slug, and its surrogate key. */
  readonly tenant: string;
  readonly tenantId: string;
}

/** @throws PlugboardError STORE_UNREACHABLE, STORE_PRIVILEGES */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const address = addressOf(options.url);
  const pool = new pg.Pool({
    connectionString: options.url, max: options.max ?? MAX_CONNECTIONS, connectionTimeoutMillis: CONNECT_MILLISECONDS, keepAlive: true,
    application_name: options.applicationName ?? "plugboard",
    options: `-c role=plugboard_app -c search_path=plugboard,pg_temp -c timezone=UTC -c statement_timeout=${STATEMENT_SECONDS}s -c idle_in_transaction_session_timeout=${IDLE_IN_TRANSACTION_SECONDS}s`,
  });
  // Without a listener, a connection that breaks while idle ends the process.
  pool.on("error", options.onError ?? (() => undefined));
  // Nor may one that breaks in the very moment in which it is handed out: the pool listens no more, and whoever asked does not yet.
  pool.on("connect", (client) => { client.on("error", () => undefined); });
  const database: Database = { pool, address, close: async () => { if (!pool.ended) await pool.end(); } };
  try {
    await pool.query("select 1");
  } catch (error) {
    await database.close().catch(() => undefined);
    if (/role "plugboard_app" does not exist/.test((error as Error).message) || (error as { code?: string }).code === "22023") {
      throw new PlugboardError("STORE_BEHIND", { actual: "none", expected: "000001" }, { cause: error });
    }
    throw asStoreFailure(error, address);
  }
  return database;
}

/**
 * Who the connections are logged in as, and whether a statement could make them more than the running product is: a
 * superuser, somebody whom row-level security does not hold, or the tables' owner.
 */
export async function runtimeLogin(db: Database): Promise<{ user: string; tooStrong: boolean }> {
  const [row] = await inGlobal(db, (tx) => tx.run<{ user: string; too_strong: boolean }>({ text: `select rolname as user,
    rolsuper or rolbypassrls or rolcreaterole or pg_has_role(session_user, 'plugboard_owner', 'MEMBER') as too_strong from pg_roles where rolname = session_user`, values: [] }));
  return { user: row!.user, tooStrong: row!.too_strong };
}

/**
 * Runs `work` in a transaction that sees one tenant.
 * @throws PlugboardError PLAN_UNKNOWN_TENANT, STORE_BUSY, STORE_UNREACHABLE
 */
export function withTenant<Result>(db: Database, tenant: string, work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> {
  const slug = pg.escapeLiteral(tenant);
  const begin = `begin; select id, set_config('plugboard.tenant_id', id::text, true) from tenants where slug = ${slug} and deleted_at is null`;
  return transaction(db, begin, async (tx, answer) => {
    const tenantId = (answer?.rows[0] as { id: string } | undefined)?.id;
    if (tenantId === undefined) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant });
    return work({ ...tx, tenant, tenantId });
  });
}

/** The same for a caller that has looked the tenant up before: a page's transaction. */
export function withTenantId<Result>(db: Database, tenant: string, tenantId: string, work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> {
  return transaction(db, `begin; select set_config('plugboard.tenant_id', ${pg.escapeLiteral(tenantId)}, true)`, (tx) => work({ ...tx, tenant, tenantId }));
}

/** Takes part in the caller's tenant transaction, or makes one. */
export function inTenant<Result>(at: Database | TenantTransaction, tenant: string, work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> {
  if (!("tenantId" in at)) return withTenant(at, tenant, work);
  if (at.tenant !== tenant) throw new Error(`a transaction of tenant ${at.tenant} was asked for ${tenant}`);
  return work(at);
}

/**
 * One transaction over several tenants, of which one at a time is seen: what was given for the one before must not be used
 * any more. For what has to be so for all of them, or for none.
 */
export const withTenants = <Result>(db: Database, work: (enter: (tenant: string) => Promise<TenantTransaction>, tx: Transaction) => Promise<Result>): Promise<Result> =>
  transaction(db, "begin", (tx) => work(async (tenant) => {
    const [row] = await tx.run<{ id: string }>(enterTenant(tenant));
    if (row === undefined) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant });
    return { ...tx, tenant, tenantId: row.id };
  }, tx));

const enterTenant = (tenant: string): Statement => ({
  text: "select id, set_config('plugboard.tenant_id', id::text, true) from tenants where slug = $1 and deleted_at is null",
  values: [tenant],
});

export const inGlobal = <Result>(db: Database, work: (tx: Transaction) => Promise<Result>): Promise<Result> => transaction(db, "begin", work);

/** One statement without a tenant, a transaction by itself: once to the database and back, not three times. What it locks is free at once. */
export async function alone<Row extends object>(db: Database, statement: Statement): Promise<Row[]> {
  try {
    return (await db.pool.query<Row & object>(statement)).rows;
  } catch (error) {
    throw asStoreFailure(error, db.address);
  }
}

/** Sees over all tenants, but only the columns granted to the scheduler: ids and times. Cannot write. */
export const asScheduler = <Result>(db: Database, work: (tx: Transaction) => Promise<Result>): Promise<Result> =>
  transaction(db, "begin read only; set local role plugboard_scheduler", work);

/** Behind a proxy that gives every transaction another session (PgBouncer before 1.21), what was prepared is not there the next time. */
const withoutPrepared = new WeakSet<pg.Pool>();
const LOST_STATEMENT = /^(26000|42P05)$/;

async function transaction<Result>(db: Database, begin: string, work: (tx: Transaction, answer: pg.QueryResult | undefined) => Promise<Result>): Promise<Result> {
  let client: pg.PoolClient;
  try {
    client = await db.pool.connect();
  } catch (error) {
    throw asStoreFailure(error, db.address);
  }
  // A client that breaks while checked out also emits `error`; the statement under way fails too, and that is what we report.
  let broken: Error | undefined;
  const onError = (error: Error) => { broken = error; };
  client.on("error", onError);
  let result: Result;
  try {
    const answers = (await client.query(begin)) as unknown as pg.QueryResult[] | pg.QueryResult;
    const tx: Transaction = {
      query: client.query.bind(client) as pg.ClientBase["query"],
      run: async (statement) => (await client.query(withoutPrepared.has(db.pool) ? { text: statement.text, values: statement.values } : statement)).rows,
    };
    result = await work(tx, Array.isArray(answers) ? answers.at(-1) : answers);
    await end(client, "commit");
  } catch (error) {
    // A transaction that cannot even be rolled back leaves with its connection.
    if (LOST_STATEMENT.test(sqlStateOf(error) ?? "")) withoutPrepared.add(db.pool);
    broken ??= await end(client, "rollback").then(() => undefined, (failure: Error) => failure);
    client.off("error", onError);
    client.release(broken);
    throw asStoreFailure(error, db.address);
  }
  client.off("error", onError);
  client.release(broken);
  return result;
}

/** Ends the transaction, and refuses to give a client back to the pool that would show a tenant to the next one. */
async function end(client: pg.PoolClient, how: "commit" | "rollback"): Promise<void> {
  const [outcome, after] = (await client.query(`${how}; select current_setting('plugboard.tenant_id', true) as tenant, current_user as role`)) as unknown as pg.QueryResult[];
  const { tenant, role } = after!.rows[0] as { tenant: string | null; role: string };
  if ((tenant ?? "") !== "" || role !== "plugboard_app") throw new Error("a transaction left its tenant or role behind on its connection");
  // COMMIT of a transaction in which a statement failed answers ROLLBACK, without an error.
  if (how === "commit" && outcome!.command !== "COMMIT") throw new Error("the transaction was rolled back: one of its statements had failed and was ignored");
}
