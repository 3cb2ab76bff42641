/**
 * What PostgreSQL's own catalogue says about who may reach whose rows, judged rule by rule. Everything is read from the database,
 * so a table, view, key, function or grant that somebody adds is judged without anybody thinking of it.
 *
 * A finding is `rule: object: what is wrong`. None: every rule holds.
 */
export type Ask = <Row extends object>(text: string) => Promise<Row[]>;

/** Tables without tenant_id, each with the reason why nothing of a tenant stands in them unprotected. */
export const GLOBAL_TABLES: Readonly<Record<string, string>> = {
  tenants: "how a slug becomes a tenant",
  api_keys: "a hash is looked up before the tenant is known",
  assignments: "of the operator's staff",
  bucket_places: "names are hashed",
  connectors: "the operator's catalogue",
  entity_views: "names of columns",
  erasures: "what was erased, when and how many rows of each table; outlives its tenant",
  identities: "of a person",
  invitations: "a hash is looked up before the tenant is known; inside a tenant's transaction its own only",
  key_canaries: "no tenant's data",
  memberships: "who somebody is, is asked before a tenant is known; inside a tenant's transaction its own only",
  migrations: "names of files",
  password_resets: "of a person",
  provider_sign_ins: "nobody is signed in yet",
  rate_buckets: "names are hashed",
  revisions: "ids of commits",
  sessions: "of a person",
  sign_in_tries: "names are hashed",
  users: "who somebody is, is asked before a tenant is known",
  webhook_aliases: "paths of the operator's workspace",
  webhook_endpoints: "a hash is looked up before the tenant is known",
};

/** Functions that run as their owner, each with the reason. */
export const DEFINERS: Readonly<Record<string, string>> = {
  sync_entity_views: "makes views; every name is quoted, every type is from its own list",
  erase_rows: "the audit log is never deleted otherwise; only of a tenant that is being erased, and of the transaction's own",
};

/** What is seen over all tenants, by those who look for what is due. Ids, times, states and codes. */
export const SEEN_OVER_ALL_TENANTS: Readonly<Record<string, readonly string[]>> = {
  tenants: ["deleted_at", "id", "slug", "status"],
  schedules: ["connection", "due_at", "enabled", "flow", "paused_at", "schedule", "slot", "tenant_id"],
  runs: ["flow", "id", "lease_until", "queued_at", "resume_at", "status", "tenant_id"],
  connections: ["account_id", "connection", "connector", "status", "status_at", "status_code", "tenant_id"],
  events: ["connection", "due_at", "received_at", "status", "tenant_id"],
  pending_reads: ["connection", "due_at", "key", "lease_until", "stream", "tenant_id"],
  queue_polls: ["connection", "due_at", "enabled", "lease_until", "queue", "tenant_id"],
  row_changes: ["tenant_id"],
  deliveries: ["due_at", "finished_at", "status", "tenant_id"],
  integration_requests: ["id", "requested_at", "status", "tenant_id"],
};

/** Types in which a sentence of a provider, a record or a ciphertext could stand. A schedule's cron is the exception. */
const CONTENT_TYPES = ["json", "jsonb", "bytea"];

const POLICY = "(tenant_id = ( SELECT (NULLIF(current_setting('plugboard.tenant_id'::text, true), ''::text))::uuid AS \"nullif\"))";
const OURS = "('plugboard'::regnamespace, 'entities'::regnamespace, 'pgboss'::regnamespace)";

export async function judgeCatalogue(ask: Ask): Promise<string[]> {
  const found: string[] = [];
  const finding = (rule: string, object: string, what: string): void => void found.push(`${rule}: ${object}: ${what}`);
  for (const rule of [tables, policies, askedFirst, views, uniqueIndexes, foreignKeys, rights, roles, functions, overAllTenants, otherWays]) await rule(ask, (object, what) => finding(rule.name, object, what));
  return found;
}

/** Tables without tenant_id that name a tenant, and are asked for before one is known: each shows a tenant's transaction its own rows only, or says why not. */
const ASKED_FIRST: Readonly<Record<string, string | true>> = {
  api_keys: true, invitations: true, memberships: true,
  assignments: "of the operator's staff: the platform tenant's own",
  webhook_endpoints: "the token's hash finds tenant and connection",
  sessions: "the tenant somebody acts in",
};

type Finding = (object: string, what: string) => void;

async function tables(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ name: string; kind: string; enabled: boolean; forced: boolean; tenant_type: string | null; not_null: boolean; first_of_key: boolean | null }>(`
    select c.relname as name, c.relkind::text as kind, c.relrowsecurity as enabled, c.relforcerowsecurity as forced, format_type(a.atttypid, a.atttypmod) as tenant_type, coalesce(a.attnotnull, false) as not_null,
      (select i.indkey[0] = a.attnum from pg_index i where i.indrelid = c.oid and i.indisprimary) as first_of_key
    from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relnamespace = 'plugboard'::regnamespace and c.relkind in ('r', 'p', 'f', 'm')`);
  for (const { name, kind, enabled, forced, tenant_type, not_null, first_of_key } of rows) {
    if (kind === "m" || kind === "f") finding(name, "no policy holds a materialized view or a foreign table");
    if (tenant_type === null) {
      if (!Object.hasOwn(GLOBAL_TABLES, name)) finding(name, "has no tenant_id, and no reason on the list of those without");
      continue;
    }
    if (Object.hasOwn(GLOBAL_TABLES, name)) finding(name, "has a tenant_id, and stands on the list of tables without");
    if (tenant_type !== "uuid" || !not_null) finding(name, `tenant_id is ${tenant_type}${not_null ? "" : ", and may be null"}: uuid not null`);
    if (!enabled || !forced) finding(name, `row-level security is ${enabled ? "not forced" : "not enabled"}`);
    if (first_of_key !== true) finding(name, first_of_key === null ? "has no primary key" : "its primary key does not begin with tenant_id");
  }
  for (const name of Object.keys(GLOBAL_TABLES)) if (!rows.some((row) => row.name === name)) finding(name, "is on the list of tables without tenant_id, and does not exist");
}

async function policies(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ table: string; has_tenant: boolean; name: string | null; command: string; permissive: boolean; roles: string[]; using: string | null; check: string | null }>(`
    select c.relname as table, exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) as has_tenant,
      p.polname as name, p.polcmd::text as command, p.polpermissive as permissive, array(select coalesce(r.rolname, 'public')::text from unnest(p.polroles) as o (oid) left join pg_roles r on r.oid = o.oid) as roles,
      pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check
    from pg_class c left join pg_policy p on p.polrelid = c.oid where c.relnamespace = 'plugboard'::regnamespace and c.relkind in ('r', 'p')`);
  for (const [table, own] of Map.groupBy(rows.filter(({ has_tenant }) => has_tenant), (row) => row.table)) {
    const isolation = own.find(({ name }) => name === "tenant_isolation");
    if (!isolation) { finding(table, "has no policy tenant_isolation"); continue; }
    if (isolation.command !== "*" || !isolation.permissive || isolation.roles.join() !== "public") finding(table, "tenant_isolation does not hold everybody for every command");
    for (const clause of ["using", "check"] as const) if (isolation[clause] !== POLICY) finding(table, `${clause === "using" ? "using" : "with check"} is ${isolation[clause] ?? "missing"}`);
    for (const { name, command, roles: to } of own) {
      if (name === "tenant_isolation" || name === null) continue;
      if (command !== "r" || to.join() !== "plugboard_scheduler") finding(table, `policy ${name} opens more than reading to more than plugboard_scheduler`);
      if (!Object.hasOwn(SEEN_OVER_ALL_TENANTS, table)) finding(table, `policy ${name} opens it over all tenants, and it is not on the list of what is seen so`);
    }
  }
}

async function askedFirst(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ name: string; forced: boolean; policy: string | null }>(`
    select distinct f.relname as name, f.relrowsecurity and f.relforcerowsecurity as forced, (select pg_get_expr(p.polqual, p.polrelid) || ' / ' || pg_get_expr(p.polwithcheck, p.polrelid) from pg_policy p where p.polrelid = f.oid) as policy
    from pg_constraint k join pg_class f on f.oid = k.conrelid where k.contype = 'f' and k.confrelid = 'plugboard.tenants'::regclass
      and not exists (select 1 from pg_attribute a where a.attrelid = f.oid and a.attname = 'tenant_id' and not a.attisdropped)`);
  const wording = "((( SELECT (NULLIF(current_setting('plugboard.tenant_id'::text, true), ''::text))::uuid AS \"nullif\") IS NULL) OR (tenant = ( SELECT (NULLIF(current_setting('plugboard.tenant_id'::text, true), ''::text))::uuid AS \"nullif\")))";
  for (const { name, forced, policy } of rows) {
    const how = ASKED_FIRST[name];
    if (how === undefined) finding(name, "names a tenant without a tenant_id, and has no reason on the list of those that do");
    else if (how === true && (!forced || policy !== `${wording} / ${wording}`)) finding(name, `does not keep a tenant's transaction to its own rows: ${policy ?? "no policy"}`);
  }
}

async function views(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ name: string; options: string[] | null; kind: string }>(`
    select c.oid::regclass::text as name, c.reloptions as options, c.relkind::text as kind from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%'`);
  for (const { name, options, kind } of rows) {
    if (kind === "m") finding(name, "a materialized view keeps rows of all tenants outside of every policy");
    else if (!(options ?? []).some((option) => /^security_invoker=(true|on|1|yes)$/i.test(option))) finding(name, "is read with its owner's rights: security_invoker is missing");
  }
}

async function uniqueIndexes(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ name: string }>(`
    select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indrelid join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped
    where c.relnamespace = 'plugboard'::regnamespace and (i.indisunique or i.indisexclusion) and i.indkey[0] <> t.attnum`);
  for (const { name } of rows) finding(name, "does not begin with tenant_id: who may insert learns whether another tenant has the value");
}

async function foreignKeys(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ name: string; from_table: string; to_table: string; from_first: string; to_first: string; from_tenant: boolean; to_tenant: boolean }>(`
    select k.conname as name, f.relname as from_table, t.relname as to_table,
      (select attname from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[1]) as from_first, (select attname from pg_attribute where attrelid = k.confrelid and attnum = k.confkey[1]) as to_first,
      exists (select 1 from pg_attribute a where a.attrelid = f.oid and a.attname = 'tenant_id' and not a.attisdropped) as from_tenant,
      exists (select 1 from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id' and not a.attisdropped) as to_tenant
    from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid where k.contype = 'f' and f.relnamespace = 'plugboard'::regnamespace`);
  for (const { name, from_table, to_table, from_first, to_first, from_tenant, to_tenant } of rows) {
    if (!from_tenant && !to_tenant) continue;
    if (!from_tenant) finding(from_table, `${name} refers from no tenant to ${to_table}`);
    else if (!to_tenant && to_table !== "tenants" && Object.hasOwn(GLOBAL_TABLES, to_table)) continue;          // nothing of a tenant to find out there
    else if (from_first !== "tenant_id") finding(from_table, `${name} does not begin with tenant_id: its check reads past row-level security`);
    else if (to_table !== "tenants" && to_first !== "tenant_id") finding(from_table, `${name} refers to ${to_table} by something else than its tenant_id first`);
  }
}

async function rights(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ object: string; role: string; privilege: string }>(`
    with who as (select rolname, oid from pg_roles where rolname in ('plugboard_app', 'plugboard_scheduler', 'plugboard_runtime'))
    select c.oid::regclass::text as object, who.rolname as role, p.privilege from pg_class c cross join who cross join (values ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) as p (privilege)
      where c.relnamespace in ${OURS} and c.relkind in ('r', 'p', 'v', 'm', 'f') and has_table_privilege(who.oid, c.oid, p.privilege)
    union all select n.nspname, who.rolname, 'CREATE' from pg_namespace n cross join who where n.nspname not like 'pg\\_temp%' and n.nspname not like 'pg\\_toast%' and has_schema_privilege(who.oid, n.oid, 'CREATE')
    union all select current_database(), who.rolname, 'CREATE' from who where has_database_privilege(who.oid, current_database(), 'CREATE')
    union all select c.oid::regclass::text, 'plugboard_scheduler', p.privilege from pg_class c cross join (values ('INSERT'), ('UPDATE'), ('DELETE')) as p (privilege)
      where c.relnamespace = 'plugboard'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege('plugboard_scheduler', c.oid, p.privilege)
    union all select c.oid::regclass::text, 'public', p.privilege from pg_class c cross join (values ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) as p (privilege)
      where c.relnamespace in ${OURS} and c.relkind in ('r', 'p', 'v', 'm') and exists (select 1 from aclexplode(c.relacl) x where x.grantee = 0 and x.privilege_type = p.privilege)
    union all select 'audit_log', 'plugboard_app', p.privilege from (values ('UPDATE'), ('DELETE')) as p (privilege) where has_table_privilege('plugboard_app', 'plugboard.audit_log', p.privilege)
    union all select coalesce(n.nspname, 'every schema'), coalesce(r.rolname, 'public'), x.privilege_type || ' on every new ' || d.defaclobjtype::text from pg_default_acl d cross join lateral aclexplode(d.defaclacl) x
      left join pg_namespace n on n.oid = d.defaclnamespace left join pg_roles r on r.oid = x.grantee
      where (x.grantee = 0 and d.defaclobjtype <> 'f' or r.rolname like 'plugboard\\_%' and r.rolname <> 'plugboard_owner') and x.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')`);
  for (const { object, role, privilege } of rows) finding(object, `${role} has ${privilege}`);
}

async function roles(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ name: string; strong: boolean; login: boolean; member_of: string[] }>(`
    select r.rolname as name, r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication as strong, r.rolcanlogin as login,
      array(select m.rolname::text from pg_roles m where m.oid <> r.oid and pg_has_role(r.oid, m.oid, 'MEMBER') order by 1) as member_of
    from pg_roles r where r.rolname like 'plugboard\\_%'`);
  const MAY_BECOME: Readonly<Record<string, readonly string[]>> = { plugboard_owner: [], plugboard_app: [], plugboard_scheduler: [], plugboard_runtime: ["plugboard_app", "plugboard_scheduler"] };
  for (const { name, strong, login, member_of } of rows) {
    if (!Object.hasOwn(MAY_BECOME, name)) { finding(name, "is a role that nobody knows"); continue; }
    if (strong) finding(name, "may bypass row-level security or make roles");
    if (login !== (name === "plugboard_runtime")) finding(name, login ? "can log in" : "cannot log in");
    for (const other of member_of) if (!MAY_BECOME[name]!.includes(other)) finding(name, `may become ${other}`);
  }
  for (const name of Object.keys(MAY_BECOME)) if (!rows.some((row) => row.name === name)) finding(name, "does not exist");
  const owned = await ask<{ object: string; owner: string }>(`
    select c.oid::regclass::text as object, pg_get_userbyid(c.relowner) as owner from pg_class c where c.relnamespace in ${OURS} and pg_get_userbyid(c.relowner) <> 'plugboard_owner' and c.relkind in ('r', 'p', 'v', 'm', 'S')
    union all select p.oid::regprocedure::text, pg_get_userbyid(p.proowner) from pg_proc p where p.pronamespace in ${OURS} and pg_get_userbyid(p.proowner) <> 'plugboard_owner'
    union all select n.nspname, pg_get_userbyid(n.nspowner) from pg_namespace n where n.oid in ${OURS} and pg_get_userbyid(n.nspowner) <> 'plugboard_owner'`);
  for (const { object, owner } of owned) finding(object, `is owned by ${owner}, and not by plugboard_owner`);
  const inherited = await ask<{ granted: string }>("select m.roleid::regrole::text as granted from pg_auth_members m where m.member = 'plugboard_runtime'::regrole and (to_jsonb(m) ->> 'inherit_option')::boolean");
  for (const { granted } of inherited) finding("plugboard_runtime", `has the rights of ${granted} without becoming it`);
}

async function functions(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ name: string; schema: string; config: string[] | null; by_public: boolean }>(`
    select p.proname as name, p.pronamespace::regnamespace::text as schema, p.proconfig as config, coalesce((select bool_or(x.grantee = 0) from aclexplode(p.proacl) x), true) as by_public
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')`);
  for (const { name, schema, config, by_public } of rows) {
    if (!Object.hasOwn(DEFINERS, name) || schema !== "plugboard") finding(name, "runs as its owner, and has no reason on the list of those that may");
    if (!(config ?? []).includes("search_path=plugboard, pg_temp")) finding(name, "runs as its owner with the caller's search_path");
    if (by_public) finding(name, "runs as its owner for everybody");
  }
}

async function overAllTenants(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ table: string; column: string; type: string }>(`
    select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace in ${OURS} and c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped and has_column_privilege('plugboard_scheduler', a.attrelid, a.attnum, 'SELECT')`);
  for (const { table, column, type } of rows) {
    if (!(SEEN_OVER_ALL_TENANTS[table] ?? []).includes(column)) finding(`${table}.${column}`, "is seen over all tenants, and not on the list");
    if (CONTENT_TYPES.includes(type) && `${table}.${column}` !== "schedules.schedule") finding(`${table}.${column}`, `is seen over all tenants, and is ${type}`);
  }
  for (const [table, columns] of Object.entries(SEEN_OVER_ALL_TENANTS)) {
    for (const column of columns) if (!rows.some((row) => row.table === table && row.column === column)) finding(`${table}.${column}`, "is on the list of what is seen over all tenants, and is not");
  }
}

/** What else reads past a policy, or changes what it says. */
async function otherWays(ask: Ask, finding: Finding): Promise<void> {
  const rows = await ask<{ object: string; what: string }>(`
    select r.ev_class::regclass::text || '.' || r.rulename as object, 'is a rule: it rewrites statements behind policies' as what from pg_rewrite r join pg_class c on c.oid = r.ev_class where c.relnamespace in ${OURS} and r.rulename <> '_RETURN'
    union all select pubname, 'publishes tables past row-level security' from pg_publication
    union all select srvname, 'is a foreign server' from pg_foreign_server
    union all select coalesce(r.rolname, 'all roles'), 'begins its sessions with ' || array_to_string(s.setconfig, ', ') from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole
      where (s.setdatabase = 0 or s.setdatabase = (select oid from pg_database where datname = current_database())) and (s.setrole = 0 or r.rolname like 'plugboard\\_%')
    union all select c.oid::regclass::text, 'inherits, and its parent''s policy holds only through the parent' from pg_inherits i join pg_class c on c.oid = i.inhrelid where c.relnamespace = 'plugboard'::regnamespace and c.relkind = 'r'`);
  for (const { object, what } of rows) finding(object, what);
}
