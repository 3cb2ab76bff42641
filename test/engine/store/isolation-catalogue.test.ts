/** Every rule of reliability about who reaches whose rows, over all there is in the database; and each rule broken once. */
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { judgeCatalogue, type Ask } from "../../isolation/catalogue.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, keyring, page, records } from "./rig.ts";

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase();
  const flow = await beginFlow(at.db, await keyring(), "acme");      // makes the views of an entity
  await flow.commit(page(records(1, 3)));
});
afterAll(() => at.close());

test("every table, view, key, right, role and function keeps tenants apart", async () => {
  const ask: Ask = (text) => asAdmin(at.url, text);
  expect(await judgeCatalogue(ask)).toEqual([]);
  const [counts] = await ask<{ tables: number; views: number }>("select count(*) filter (where relkind = 'r')::int as tables, count(*) filter (where relkind = 'v')::int as views from pg_class where relnamespace in ('plugboard'::regnamespace, 'entities'::regnamespace)");
  expect(counts!.tables).toBeGreaterThan(40);
  expect(counts!.views).toBe(2);
});

/** Each broken in a transaction that is rolled back, and what the judgement must begin with. */
const MUTANTS: readonly (readonly [string, string, string])[] = [
  ["a tenant's table is not isolated", "create table plugboard.notes (tenant_id uuid not null, id uuid, primary key (tenant_id, id))", "tables: notes: row-level security is not enabled"],
  ["a table without a tenant stands on no list", "create table plugboard.notes (id uuid primary key, note text)", "tables: notes: has no tenant_id"],
  ["row-level security is not forced", "alter table plugboard.secrets no force row level security", "tables: secrets: row-level security is not forced"],
  ["row-level security is off", "alter table plugboard.runs disable row level security", "tables: runs: row-level security is not enabled"],
  ["a tenant may be null", "alter table plugboard.consents drop constraint consents_pkey cascade; alter table plugboard.consents alter column tenant_id drop not null", "tables: consents: tenant_id is uuid, and may be null"],
  ["the key begins with something else", "create table plugboard.notes (tenant_id uuid not null, id uuid, primary key (id, tenant_id)); select plugboard.isolate('plugboard.notes')", "tables: notes: its primary key does not begin"],
  ["the policy does not hold writes", "alter policy tenant_isolation on plugboard.connections with check (true)", "policies: connections: with check is true"],
  ["the policy reads everything where no tenant is set", "alter policy tenant_isolation on plugboard.runs using (tenant_id = nullif(current_setting('plugboard.tenant_id', true), '')::uuid or current_setting('plugboard.tenant_id', true) is null)", "policies: runs: using is"],
  ["a second policy opens a table", "create policy help on plugboard.audit_log for select using (true)", "policies: audit_log: policy help opens more"],
  ["the scheduler's policy lets it write", "drop policy scheduler_reads on plugboard.runs; create policy scheduler_reads on plugboard.runs to plugboard_scheduler using (true)", "policies: runs: policy scheduler_reads opens more"],
  ["the scheduler looks into another table", "create policy scheduler_reads on plugboard.entity_rows for select to plugboard_scheduler using (true)", "policies: entity_rows: policy scheduler_reads opens it"],
  ["a table that is asked before a tenant is known shows a tenant everybody's rows", "drop policy inside_a_tenant on plugboard.api_keys", "askedFirst: api_keys: does not keep"],
  ["another table names tenants", "create table plugboard.notes (id uuid primary key, tenant uuid references plugboard.tenants)", "askedFirst: notes: names a tenant"],
  ["a view is read with its owner's rights", "alter view entities.learner reset (security_invoker)", "views: entities.learner: is read"],
  ["a view in another schema is", "create view public.peek as select * from plugboard.contributions", "views: peek: is read"],
  ["a materialized view keeps rows", "create materialized view entities.kept as select * from plugboard.entity_rows", "views: entities.kept: a materialized view"],
  ["a unique index tells of other tenants", "create unique index ext on plugboard.connections (account_id)", "uniqueIndexes: plugboard.ext"],
  ["a foreign key reads past policies", "alter table plugboard.tenants add constraint two unique (id, slug); create table plugboard.notes (tenant_id uuid not null, id uuid, about uuid references plugboard.tenants, primary key (tenant_id, id)); select plugboard.isolate('plugboard.notes')", "foreignKeys: notes: notes_about_fkey does not begin"],
  ["a table without a tenant refers to a tenant's", "create table plugboard.notes (id uuid primary key, t uuid, c text, foreign key (t, c) references plugboard.connections)", "foreignKeys: notes:"],
  ["truncate is granted", "grant truncate on plugboard.contributions to plugboard_app", "rights: plugboard.contributions: plugboard_app has TRUNCATE"],
  ["references are granted", "grant references on plugboard.connections to plugboard_app", "rights: plugboard.connections: plugboard_app has REFERENCES"],
  ["triggers are granted to everybody", "grant trigger on plugboard.connections to public", "rights: plugboard.connections: plugboard_app has TRIGGER"],
  ["everybody may read", "grant select on plugboard.users to public", "rights: plugboard.users: public has SELECT"],
  ["the product may make tables", "grant create on schema plugboard to plugboard_app", "rights: plugboard: plugboard_app has CREATE"],
  ["the product may make tables in public", "grant create on schema public to public", "rights: public: plugboard_app has CREATE"],
  ["the audit log may be changed", "grant update on plugboard.audit_log to plugboard_app", "rights: audit_log: plugboard_app has UPDATE"],
  ["the scheduler may write", "grant update on plugboard.runs to plugboard_scheduler", "rights: plugboard.runs: plugboard_scheduler has UPDATE"],
  ["every new table may be truncated", "alter default privileges for role plugboard_owner in schema plugboard grant truncate on tables to plugboard_app", "rights: plugboard: plugboard_app has TRUNCATE on every new r"],
  ["the product bypasses row-level security", "alter role plugboard_app bypassrls", "roles: plugboard_app: may bypass"],
  ["the product may become the owner", "grant plugboard_owner to plugboard_app", "roles: plugboard_app: may become plugboard_owner"],
  ["the login is a superuser", "alter role plugboard_runtime superuser", "roles: plugboard_runtime: may bypass"],
  ["the login may become the owner", "grant plugboard_owner to plugboard_runtime", "roles: plugboard_runtime: may become plugboard_owner"],
  ["the login has both roles' rights at once", "grant plugboard_scheduler to plugboard_runtime with inherit true", "roles: plugboard_runtime: has the rights of plugboard_scheduler"],
  ["the product owns a table", "alter table plugboard.runs owner to plugboard_app", "roles: plugboard.runs: is owned by plugboard_app"],
  ["a role that works as the product can log in", "alter role plugboard_app login", "roles: plugboard_app: can log in"],
  ["a new function runs as its owner", "create function plugboard.peek() returns bigint language sql security definer set search_path = plugboard, pg_temp return (select count(*) from plugboard.secrets); revoke execute on function plugboard.peek from public", "functions: peek: runs as its owner, and has no reason"],
  ["one in another schema does", "create function public.sync_entity_views() returns int language sql security definer set search_path = plugboard, pg_temp return 1", "functions: sync_entity_views: runs as its owner, and has no reason"],
  ["its search_path is the caller's", "alter function plugboard.sync_entity_views(text, jsonb) reset search_path", "functions: sync_entity_views: runs as its owner with the caller's"],
  ["everybody may run it", "grant execute on function plugboard.erase_rows(text, integer) to public", "functions: erase_rows: runs as its owner for everybody"],
  ["the scheduler sees a column more", "grant select (config) on plugboard.connections to plugboard_scheduler", "overAllTenants: connections.config: is seen"],
  ["a rule rewrites statements", "create rule r as on insert to plugboard.runs do instead nothing", "otherWays: plugboard.runs.r: is a rule"],
  ["a publication reads past policies", "create publication leak for all tables", "otherWays: leak: publishes"],
  ["sessions begin with another setting", "alter role plugboard_runtime set row_security = off", "otherWays: plugboard_runtime: begins its sessions with row_security=off"],
];

test.each(MUTANTS)("it is seen that %s", async (_what, change, finding) => {
  const client = new pg.Client({ connectionString: at.url });
  await client.connect();
  try {
    await client.query("begin");
    await client.query(change);
    const found = await judgeCatalogue(async <Row extends object>(text: string) => (await client.query(text)).rows as Row[]);
    expect(found.filter((each) => each.startsWith(finding)), found.join("\n")).not.toEqual([]);
  } finally {
    await client.query("rollback");
    await client.end();
  }
});
