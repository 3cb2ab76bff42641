-- Organisations: how a tenant comes, rests and goes, what it is billed by, and what it asks for.

-- `creating`: reserved, its file is not in force yet. `suspended`: nothing runs, its own people are refused. `erasing`: its rows
-- are on their way out. A tenant that is gone has deleted_at.
alter table tenants
  add column status        text not null default 'active' check (status in ('creating', 'active', 'suspended', 'erasing')),
  add column status_at     timestamptz not null default now(),
  add column status_by     text,
  add column status_reason text,
  -- Of what was asked for: a retry finds what it began. The caller's own key, where it gave one.
  add column creation_hash text,
  add column creation_key  text;
create unique index tenants_creation_key on tenants (creation_key) where deleted_at is null and creation_key is not null;
grant select (status) on tenants to plugboard_scheduler;

-- What stands in no file: whom to bill, and who is to be its first administrator.
create table tenant_profiles (
  tenant_id     uuid primary key references tenants,
  billing       jsonb not null default '{}',
  administrator jsonb,
  updated_at    timestamptz not null default now()
);
select isolate('tenant_profiles');

-- Providers that a tenant would like to have.
create table integration_requests (
  tenant_id    uuid not null references tenants,
  id           uuid not null,
  provider     text not null,
  note         text not null default '',
  status       text not null default 'open' check (status in ('open', 'planned', 'declined', 'done')),
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  answer       text,
  answered_by  text,
  answered_at  timestamptz,
  primary key (tenant_id, id)
);
select isolate('integration_requests');
create index integration_requests_newest on integration_requests (tenant_id, requested_at desc, id desc);
-- Staff look over all tenants: ids and times are found as the scheduler, each request is then read as its tenant.
create index integration_requests_all on integration_requests (requested_at desc, id desc);
create policy scheduler_reads on integration_requests for select to plugboard_scheduler using (true);
grant select (tenant_id, id, status, requested_at) on integration_requests to plugboard_scheduler;

-- Flows whose connection must be entered first, and why the last tick started nothing.
alter table schedules
  add column needs_connection boolean not null default false,
  add column skipped_at       timestamptz,
  add column skipped_reason   text;

-- What was asked to be erased, and what went. Outlives the tenant, so it names it without referring to it.
create table erasures (
  id           uuid primary key,
  erased       uuid not null,
  slug         text not null,
  title        text not null,
  token_hash   bytea not null,
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  expires_at   timestamptz not null,
  confirmed_at timestamptz,
  finished_at  timestamptz,
  -- Table → rows: when it was asked for, and what went.
  counts       jsonb not null,
  removed      jsonb not null default '{}'
);
create index erasures_of on erasures (erased, requested_at desc);

-- Every table that holds rows of tenants, from the catalogue, so that a new one cannot be forgotten: those with a tenant_id, and
-- those with a reference to tenants. `references_to`: tables whose rows must go later.
create function tenant_tables() returns table (name text, tenant_column text, references_to text[]) language sql stable
set search_path = plugboard, pg_temp as $$
  with owned as (
    select c.oid, c.relname::text as name, coalesce(
      (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped),
      (select a.attname from pg_constraint k join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]
       where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'plugboard.tenants'::regclass limit 1))::text as tenant_column
    from pg_class c where c.relnamespace = 'plugboard'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition)
  select o.name, o.tenant_column, coalesce((
    select array_agg(distinct r.name) from pg_constraint k join owned r on r.oid = k.confrelid
    where k.conrelid = o.oid and k.contype = 'f' and r.oid <> o.oid and r.tenant_column is not null), '{}')
  from owned o where o.tenant_column is not null order by 1
$$;

-- Deletes at most so many rows of one table. As the owner, because some of them (the audit log) are never deleted otherwise; so
-- only of a tenant that is being erased, and of the one whose transaction this is.
create function erase_rows(target text, most integer) returns integer language plpgsql security definer
set search_path = plugboard, pg_temp as $$
declare
  whose uuid := nullif(current_setting('plugboard.tenant_id', true), '')::uuid;
  of_tenant text;
  gone integer;
begin
  if not exists (select 1 from tenants t where t.id = whose and t.status = 'erasing' and t.deleted_at is null) then
    raise exception 'this tenant is not being erased' using errcode = '42501';
  end if;
  select t.tenant_column into of_tenant from tenant_tables() t where t.name = target;
  if of_tenant is null then
    raise exception 'not a table of tenants: %', target using errcode = '42501';
  end if;
  execute format('delete from %1$I where ctid = any (array(select ctid from %1$I where %2$I = $1 limit $2))', target, of_tenant) using whose, most;
  get diagnostics gone = row_count;
  return gone;
end $$;
revoke execute on function erase_rows(text, integer) from public;
grant execute on function erase_rows(text, integer) to plugboard_app;
