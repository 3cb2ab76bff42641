/**
 * Plain SQL files, one transaction each, in order, under a lock; an applied file never changes again. Roles belong to the
 * whole cluster, so they are made first and in a way that two databases can do at once.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import pg from "pg";
import { PgBoss } from "pg-boss";
import { PlugboardError } from "../errors/plugboard-error.ts";
import { addressOf, asStoreFailure, sqlStateOf } from "./failures.ts";
import { scramVerifier } from "./scram.ts";

const FOLDER = new URL("./migrations/", import.meta.url);
/** Any number, the same for every version of Plugboard. */
const LOCK = 7_250_418_301;
const OLDEST_SERVER = 150_000;
export const QUEUE_SCHEMA = "pgboss";

const ROLES = {
  plugboard_owner: "owns every table; nobody works as it",
  plugboard_app: "the running product: rows, under row-level security",
  plugboard_scheduler: "looks over all tenants at ids and due times",
} as const;

/**
 * Who the running product logs in as: a role of its own that owns nothing and bypasses nothing, so that no statement of its
 * connections can become more than `plugboard_app` is (`set role none` leaves it with less).
 */
export interface Login {
  readonly user: string;
  /** For a user that is not there yet. */
  readonly password?: string | undefined;
  /** The user is ours alone: the password is set also when the user is there. @default false */
  readonly ours?: boolean;
}

interface MigrationFile { readonly name: string; readonly sql: string; readonly checksum: string }

/**
 * As the user of `url`, who may create roles. `login` is made, or made a member of what it works as.
 * @throws PlugboardError STORE_UNREACHABLE, STORE_PRIVILEGES, STORE_MIGRATION_CHANGED, STORE_AHEAD
 */
export async function migrate({ url, login, log = () => undefined }: { url: string; login?: Login | undefined; log?: (line: string) => void }): Promise<{ applied: string[] }> {
  const files = await readMigrations();
  return connected(url, async (client) => {
    await checkServer(client);
    await createRoles(client);
    if (login !== undefined) await createLogin(client, login);
    await client.query("select pg_advisory_lock($1)", [LOCK]);
    const waiting = compare(files, await appliedMigrations(client), { ahead: "refuse" });
    await createSchemas(client);
    for (const file of waiting) {
      log(`migration ${file.name}`);
      await apply(client, file);
    }
    await createQueue(client);
    return { applied: waiting.map(({ name }) => name) };
  });
}

export interface MigrationStatus { readonly applied: readonly string[]; readonly pending: readonly string[]; readonly ahead: readonly string[] }

/** Changes nothing. @throws PlugboardError STORE_UNREACHABLE, STORE_MIGRATION_CHANGED */
export async function migrationStatus(url: string): Promise<MigrationStatus> {
  const files = await readMigrations();
  return connected(url, async (client) => {
    await becomeRuntime(client);
    const applied = await appliedMigrations(client);
    const pending = compare(files, applied, { ahead: "allow" });
    const known = new Set(files.map(({ name }) => name));
    return { applied: [...applied.keys()], pending: pending.map(({ name }) => name), ahead: [...applied.keys()].filter((name) => !known.has(name)) };
  });
}

/** Whether this user may bring the database to another version. Changes nothing. @throws PlugboardError STORE_UNREACHABLE */
export const mayMigrate = (url: string): Promise<boolean> => connected(url, async (client) => {
  const { rows: [row] } = await client.query("select rolsuper or rolcreaterole or exists (select 1 from pg_roles o where o.rolname = 'plugboard_owner' and pg_has_role(session_user, o.oid, 'MEMBER')) as may from pg_roles where rolname = session_user");
  return (row as { may: boolean }).may;
});

/** @throws PlugboardError STORE_BEHIND, STORE_AHEAD */
export async function assertMigrated(url: string): Promise<void> {
  const { applied, pending, ahead } = await migrationStatus(url);
  const actual = applied.at(-1) ?? "none";
  if (pending.length > 0) throw new PlugboardError("STORE_BEHIND", { actual, expected: pending.at(-1)! });
  if (ahead.length > 0) throw new PlugboardError("STORE_AHEAD", { actual, expected: applied.filter((name) => !ahead.includes(name)).at(-1) ?? "none" });
}

async function connected<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const address = addressOf(url);
  const client = new pg.Client({ connectionString: url, application_name: "plugboard migrate", connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw asStoreFailure(error, address);
  } finally {
    await client.end().catch(() => undefined);                     // also gives the lock back
  }
}

async function readMigrations(): Promise<MigrationFile[]> {
  const names = (await readdir(FOLDER)).filter((name) => /^\d{6}_\w+\.sql$/.test(name)).sort();
  return Promise.all(names.map(async (name) => {
    const sql = (await readFile(new URL(name, FOLDER), "utf8")).replaceAll("\r\n", "\n");
    return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
  }));
}

async function appliedMigrations(client: pg.Client): Promise<Map<string, string>> {
  const { rows: [there] } = await client.query("select to_regclass('plugboard.migrations') is not null as found");
  if (!(there as { found: boolean }).found) return new Map();
  const { rows } = await client.query("select file, checksum from plugboard.migrations order by file");
  return new Map((rows as { file: string; checksum: string }[]).map(({ file, checksum }) => [file, checksum]));
}

/** The files still to be applied. */
function compare(files: readonly MigrationFile[], applied: ReadonlyMap<string, string>, { ahead }: { ahead: "refuse" | "allow" }): MigrationFile[] {
  for (const { name, checksum } of files) {
    const before = applied.get(name);
    if (before !== undefined && before !== checksum) throw new PlugboardError("STORE_MIGRATION_CHANGED", { file: name });
  }
  const known = new Set(files.map(({ name }) => name));
  const unknown = [...applied.keys()].find((name) => !known.has(name));
  if (unknown !== undefined && ahead === "refuse") throw new PlugboardError("STORE_AHEAD", { actual: unknown, expected: files.at(-1)?.name ?? "none" });
  return files.filter(({ name }) => !applied.has(name));
}

async function apply(client: pg.Client, { name, sql, checksum }: MigrationFile): Promise<void> {
  try {
    await client.query("begin; set local role plugboard_owner; set local search_path = plugboard, pg_temp; set local check_function_bodies = off");
    await client.query(sql);
    await client.query("insert into migrations (file, checksum) values ($1, $2)", [name, checksum]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw new Error(`migration ${name}: ${(error as Error).message}`, { cause: error });
  }
}

// ── roles and schemas ───────────────────────────────────────────────────────────────────────────────────────────────

async function checkServer(client: pg.Client): Promise<void> {
  const { rows: [row] } = await client.query("select current_setting('server_version_num')::int as version, current_setting('server_version') as name");
  const { version, name } = row as { version: number; name: string };
  if (version < OLDEST_SERVER) throw new PlugboardError("STORE_PRIVILEGES", { user: "(any)", action: `use PostgreSQL ${name}`, suggestion: "Plugboard needs PostgreSQL 15 or newer." });
}

async function createRoles(client: pg.Client): Promise<void> {
  for (const [role, purpose] of Object.entries(ROLES)) {
    const { rows } = await client.query(`select rolsuper or rolbypassrls as too_strong, pg_has_role(current_user, oid, 'MEMBER') as member from pg_roles where rolname = $1`, [role]);
    const found = rows[0] as { too_strong: boolean; member: boolean } | undefined;
    if (found?.too_strong) throw new PlugboardError("STORE_PRIVILEGES", { user: role, action: "bypass row-level security, and it can", suggestion: `Run: alter role ${role} nosuperuser nobypassrls` });
    if (!found) await onCluster(client, `create role ${role} nologin noinherit`, `create the role ${role}`, ["42710", "23505"]);
    if (!found) await onCluster(client, `comment on role ${role} is '${purpose}'`, `comment on the role ${role}`, ["42501"]);
    if (!found?.member) await onCluster(client, `grant ${role} to current_user`, `be a member of ${role}`, ["23505"]);
  }
}

async function createLogin(client: pg.Client, { user, password, ours = false }: Login): Promise<void> {
  const { rows: [row] } = await client.query("select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as too_strong, rolname = session_user as self from pg_roles where rolname = $1", [user]);
  const found = row as { too_strong: boolean; self: boolean } | undefined;
  if (found?.self) return;
  const name = pg.escapeIdentifier(user);
  if (found?.too_strong) throw new PlugboardError("STORE_PRIVILEGES", { user, action: "be what the running product logs in as: it is too strong", suggestion: `Run: alter role ${name} nosuperuser nobypassrls nocreaterole nocreatedb` });
  const secret = password === undefined ? "" : ` password ${pg.escapeLiteral(scramVerifier(password))}`;
  if (!found) await onCluster(client, `create role ${name} login noinherit${secret}`, `create the user ${user}`, ["42710", "23505"]);
  else if (ours) await onCluster(client, `alter role ${name} login noinherit${secret}`, `set the password of ${user}`, []);
  // Not inherited: with both at once it would see the scheduler's rows with the product's columns.
  const { rows: [server] } = await client.query("select current_setting('server_version_num')::int >= 160000 as newer");
  for (const role of ["plugboard_app", "plugboard_scheduler"] as const) {
    const { rows: [is] } = await client.query("select pg_has_role($1, $2, 'MEMBER') as member", [user, role]);
    if (!(is as { member: boolean }).member) await onCluster(client, `grant ${role} to ${name}${(server as { newer: boolean }).newer ? " with inherit false, set true" : ""}`, `make ${user} a member of ${role}`, ["23505"]);
  }
}

/** A login that owns nothing reads what was applied as what it works as. */
async function becomeRuntime(client: pg.Client): Promise<void> {
  const { rows } = await client.query("select 1 from pg_roles a, pg_roles me where a.rolname = 'plugboard_app' and me.rolname = session_user and not me.rolsuper and pg_has_role(session_user, a.oid, 'MEMBER')");
  if (rows.length > 0) await client.query("set role plugboard_app");
}

/** Roles are shared by all databases of the cluster, so two migrations may meet here. */
async function onCluster(client: pg.Client, sql: string, action: string, fine: readonly string[]): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await client.query(sql);
      return;
    } catch (error) {
      const code = sqlStateOf(error);
      if (code !== undefined && fine.includes(code)) return;
      if ((code === "XX000" || code === "40001") && tries < 20) {           // "tuple concurrently updated"
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      if (code === "42501" || code === "0LP01") throw await lacking(client, action, error);
      throw error;
    }
  }
}

async function lacking(client: pg.Client, action: string, cause: unknown): Promise<PlugboardError> {
  const { rows: [row] } = await client.query("select session_user as name");
  const { name } = row as { name: string };
  return new PlugboardError("STORE_PRIVILEGES", { user: name, action,
    suggestion: `Use a user who may create roles, or let an administrator run: ${Object.keys(ROLES).map((role) => `create role ${role} nologin;`).join(" ")} grant ${Object.keys(ROLES).join(", ")} to "${name}"` }, { cause });
}

async function createSchemas(client: pg.Client): Promise<void> {
  for (const schema of ["plugboard", "entities", QUEUE_SCHEMA]) {
    const { rows } = await client.query("select 1 from pg_namespace where nspname = $1", [schema]);
    if (rows.length === 0) await onCluster(client, `create schema ${schema} authorization plugboard_owner`, "create schemas in this database", []);
  }
  await asOwner(client, `
    grant usage on schema plugboard to plugboard_app;
    create table if not exists plugboard.migrations (file text primary key, checksum text not null, applied_at timestamptz not null default now());
    grant select on plugboard.migrations to plugboard_app`);
}

/** pg-boss makes and upgrades its own tables, as the owner; the running product gets rows only. */
async function createQueue(client: pg.Client): Promise<void> {
  await client.query("set role plugboard_owner");
  try {
    const boss = new PgBoss({ db: { executeSql: (text, values) => client.query(text, values as unknown[]) }, schema: QUEUE_SCHEMA,
      createSchema: false, migrate: true, supervise: false, schedule: false });
    boss.on("error", () => undefined);
    await boss.start();
    await boss.stop({ graceful: false, close: false });
    await client.query(`
      grant usage on schema ${QUEUE_SCHEMA} to plugboard_app;
      grant select, insert, update, delete on all tables in schema ${QUEUE_SCHEMA} to plugboard_app;
      grant usage on all sequences in schema ${QUEUE_SCHEMA} to plugboard_app;
      alter default privileges in schema ${QUEUE_SCHEMA} grant select, insert, update, delete on tables to plugboard_app`);
  } finally {
    await client.query("reset role");
  }
}

async function asOwner(client: pg.Client, sql: string): Promise<void> {
  await client.query(`begin; set local role plugboard_owner; ${sql}; commit`).catch(async (error: unknown) => {
    await client.query("rollback").catch(() => undefined);
    throw error;
  });
}
