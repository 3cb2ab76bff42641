/** Who the running product logs in as, and what no statement of its connections can do. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assertMigrated, generateKey, mayMigrate, migrate, openDatabase, runtimeLogin, withTenant } from "../../../engine/store/index.ts";
import { asScheduler } from "../../../engine/store/database.ts";
import { scramVerifier } from "../../../engine/store/scram.ts";
import { startCommand } from "../../support/command.ts";
import { asAdmin, createDatabase, dropDatabase, testDatabase, type TestDatabase } from "../../support/postgres.ts";

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase();
  await asAdmin(at.url, "insert into tenants (slug, title) values ('acme', 'Acme'), ('bolt', 'Bolt')");
  await asAdmin(at.url, "insert into connections (tenant_id, connection, connector) select id, 'crm', slug from tenants where slug in ('acme', 'bolt')");
});
afterAll(() => at.close());

test("the suite runs as the product does: a login that owns nothing and bypasses nothing", async () => {
  expect(await runtimeLogin(at.db)).toEqual({ user: "plugboard_runtime", tooStrong: false });
  expect(await asAdmin(at.url, "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit from pg_roles where rolname = 'plugboard_runtime'"))
    .toEqual([{ rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false, rolinherit: false }]);
  expect(await asAdmin(at.url, "select classid::regclass::text as what from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = 'plugboard_runtime'::regrole and deptype = 'o'")).toEqual([]);
  const roles = await asAdmin<{ name: string }>(at.url, "select r.rolname as name from pg_roles r where pg_has_role('plugboard_runtime', r.oid, 'MEMBER') order by 1");
  expect(roles.map(({ name }) => name)).toEqual(["plugboard_app", "plugboard_runtime", "plugboard_scheduler"]);
});

/** Each on a connection of its own, as the first statement somebody smuggled in. */
const ESCAPES: readonly (readonly [string, string])[] = [
  ["become the superuser", "set role postgres"],
  ["become the owner", "set role plugboard_owner"],
  ["become the session's first user", "reset role; set session authorization postgres"],
  ["become another session", "set session authorization plugboard_owner"],
  ["become the superuser after leaving its role", "set role none; set role postgres"],
  ["read without a role", "set role none; select count(*) from plugboard.connections"],
  ["switch row-level security off", "alter table connections disable row level security"],
  ["no longer force it", "alter table connections no force row level security"],
  ["add a policy", "create policy mine on connections using (true)"],
  ["drop a policy", "drop policy tenant_isolation on connections"],
  ["read around row-level security", "set row_security = off; select * from connections"],
  ["truncate", "truncate secrets"],
  ["truncate what hangs on it", "truncate connections cascade"],
  ["make a table", "create table plugboard.mine (a int)"],
  ["make a table in public", "create table public.mine (a int)"],
  ["make a schema", "create schema mine"],
  ["make a function", "create function plugboard.f() returns int language sql return 1"],
  ["make a view that its owner reads", "create view entities.mine as select * from plugboard.connections"],
  ["make a trigger", "create trigger t before insert on connections for each row execute function suppress_redundant_updates_trigger()"],
  ["refer to a table", "alter table connections add foreign key (tenant_id) references tenants"],
  ["isolate a table its own way", "select isolate('connections')"],
  ["take its own role further", "alter role plugboard_runtime superuser"],
  ["change its password", "alter role plugboard_app login password 'x'"],
  ["read a file of the server", "select pg_read_file('PG_VERSION')"],
  ["run a program", "copy (select 1) to program 'true'"],
  ["copy from a file", "create temp table t (a text); copy t from '/etc/passwd'"],
  ["read passwords", "select rolpassword from pg_authid"],
  ["switch triggers off", "set session_replication_role = replica"],
  ["change a setting for everybody", "alter system set log_statement = 'all'"],
  ["change a setting for its next sessions' role", "alter role plugboard_owner set role = 'postgres'"],
  ["end the audit log's past", "delete from audit_log"],
  ["change the audit log", "update audit_log set action = 'x'"],
];

test.each(ESCAPES)("no statement can %s", async (_what, statement) => {
  const client = new pg.Client({ connectionString: at.runtimeUrl, options: "-c role=plugboard_app -c search_path=plugboard,pg_temp" });
  await client.connect();
  try {
    const outcome = await client.query(statement).then((answer) => answer, (error: unknown) => error as { code?: string });
    // 42501 insufficient privilege, 22023/0P000 no such or no permitted role.
    expect(outcome).toMatchObject({ code: expect.stringMatching(/^(42501|0P000|22023|28000)$/) });
  } finally {
    await client.end();
  }
});

test("no statement gives rights away: PostgreSQL takes a grant of what one may not grant, and gives nothing", async () => {
  const rights = () => asAdmin(at.url, "select c.relname, c.relacl::text as acl from pg_class c where c.relnamespace = 'plugboard'::regnamespace order by 1");
  const before = await rights();
  await at.db.pool.query("grant select on connections, secrets to public; grant truncate on secrets to plugboard_app; grant select on connections to plugboard_scheduler");
  expect(await rights()).toEqual(before);
});

test("reset role, set role none and a switched-off row_security show no tenant's rows, with and without a tenant", async () => {
  const [bolt] = await asAdmin<{ id: string }>(at.url, "select id from tenants where slug = 'bolt'");
  for (const prelude of ["reset role", "set local role plugboard_scheduler", "set local role plugboard_app", "discard plans", "set local plugboard.tenant_id = ''"]) {
    const rows = await withTenant(at.db, "acme", async (tx) => {
      await tx.query(prelude);
      return (await tx.query("select connector from connections where tenant_id = $1 and connection = 'crm'", [bolt!.id])).rows as unknown[];
    }).catch((thrown: unknown) => thrown);
    if (prelude.includes("scheduler")) continue;               // sees the columns that engine/store grants it, which isolation.test.ts lists
    expect({ prelude, rows }).toEqual({ prelude, rows: [] });
  }
});

test("work over all tenants goes on as the scheduler, and the queue's tables are within reach", async () => {
  await expect(asScheduler(at.db, async (tx) => (await tx.query("select slug from tenants where slug in ('acme', 'bolt') order by 1")).rows)).resolves.toEqual([{ slug: "acme" }, { slug: "bolt" }]);
  await expect(asScheduler(at.db, (tx) => tx.query("select config from connections"))).rejects.toMatchObject({ code: "STORE_PRIVILEGES" });
  await at.db.pool.query("select count(*) from pgboss.job");
  await expect(at.db.pool.query("drop table pgboss.job")).rejects.toMatchObject({ code: "42501" });
});

test("a login without rights over tables finds a migrated database, and one that is behind is told who must migrate", async () => {
  expect([await mayMigrate(at.url), await mayMigrate(at.runtimeUrl)]).toEqual([true, false]);
  await assertMigrated(at.runtimeUrl);
  await asAdmin(at.url, "delete from migrations where file like '000017%'");
  await expect(assertMigrated(at.runtimeUrl)).rejects.toMatchObject({ code: "STORE_BEHIND" });
  await expect(migrate({ url: at.runtimeUrl })).rejects.toMatchObject({ code: "STORE_PRIVILEGES" });
});

test("a migration makes the login that an address names, with its password, and makes no strong user the product's", async () => {
  const url = await createDatabase();
  const user = `runtime_${new URL(url).pathname.slice(-6)}`;
  const own = Object.assign(new URL(url), { username: user, password: "a b'c" }).href;
  try {
    await migrate({ url, login: { user, password: "a b'c" } });
    await migrate({ url, login: { user, password: "another, ignored: the user is there" } });
    const db = await openDatabase({ url: own, max: 1 });
    expect(await runtimeLogin(db)).toEqual({ user, tooStrong: false });
    await db.close();
    await asAdmin(url, `alter role ${user} createrole`);
    await expect(migrate({ url, login: { user } })).rejects.toMatchObject({ code: "STORE_PRIVILEGES", params: { user } });
  } finally {
    await asAdmin(url, `drop owned by ${user}; drop role ${user}`);
    await dropDatabase(url);
  }
});

test("`migrate` makes the product's user with the address of another; `serve` and `worker` work as that user alone, and say who must migrate when they may not", async () => {
  const url = await createDatabase();
  const user = `served_${new URL(url).pathname.slice(-6)}`;
  const own = Object.assign(new URL(url), { username: user, password: "pass word" }).href;
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-runtime-"));
  const kek = generateKey();
  const run = (args: readonly string[], env: Record<string, string>) => startCommand([...args, "--data", path.join(folder, "data")], { cwd: folder, env: { PLUGBOARD_KEK: kek, ...env } });
  try {
    const migrated = await run(["migrate"], { DATABASE_URL: own, DATABASE_URL_MIGRATE: url }).ended;
    expect([migrated.code, migrated.stderr]).toEqual([0, expect.not.stringContaining("pass word")]);
    for (const [args, sign] of [[["serve", "--port", "0"], "Listening on"], [["worker", "--no-schedules"], "is ready"]] as const) {
      const started = run(args, { DATABASE_URL: own });
      await started.printed(sign);
      expect((await asAdmin<{ usename: string }>(url, "select distinct usename::text from pg_stat_activity where datname = current_database() and application_name = 'plugboard'")).map(({ usename }) => usename)).toEqual([user]);
      started.child.kill("SIGTERM");
      const { code, stderr } = await started.ended;
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("could bypass")]);
    }
    await asAdmin(url, "delete from migrations where file like '000017%'");
    const refused = await run(["serve", "--port", "0"], { DATABASE_URL: own }).ended;
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("STORE_BEHIND")]);
  } finally {
    await asAdmin(url, `drop owned by ${user}; drop role ${user}`);
    await dropDatabase(url);
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);

test("a connection that is logged in as more than the product is says so", async () => {
  const db = await openDatabase({ url: at.url, max: 1 });
  expect(await runtimeLogin(db)).toEqual({ user: "postgres", tooStrong: true });
  await db.close();
});

// Password, salt and count of the example in RFC 7677 §3. That the server takes it, every login of this suite shows.
test("a password's verifier is what the RFC's example makes", () => {
  expect(scramVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"))).toBe("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
});
