-- Tenants, and what every tenant table has in common.
--
-- A tenant is a slug (`acme`) in Git, URLs and logs, and a surrogate uuid in tables: a slug that is used again never meets
-- the rows of the tenant before. Every tenant table begins its keys with tenant_id and is reached only inside a tenant
-- transaction, which sets plugboard.tenant_id for its duration.

alter default privileges in schema plugboard grant select, insert, update, delete on tables to plugboard_app;
alter default privileges in schema plugboard grant usage on sequences to plugboard_app;

-- Row-level security with one wording everywhere. The cast stands inside the subselect, so that it is evaluated once per
-- statement and not once per row. Unset or empty gives NULL: no rows, and no write.
create function isolate(target regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format($policy$create policy tenant_isolation on %s
    using (tenant_id = (select nullif(current_setting('plugboard.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('plugboard.tenant_id', true), '')::uuid))$policy$, target);
end $$;
revoke execute on function isolate(regclass) from public;

-- Read before a tenant is known: it is how a slug becomes a tenant.
create table tenants (
  id         uuid primary key default gen_random_uuid(),
  slug       text not null,
  title      text not null,
  subdomain  text,
  revision   text,
  created_at timestamptz not null default now(),
  deleted_at timestamptz
);
create unique index tenants_slug on tenants (slug) where deleted_at is null;
create unique index tenants_subdomain on tenants (subdomain) where deleted_at is null;
revoke delete on tenants from plugboard_app;
grant select (id, slug, deleted_at) on tenants to plugboard_scheduler;

-- Data keys, wrapped by the key-encryption key that kek_id names.
create table tenant_keys (
  tenant_id   uuid not null references tenants,
  dek_version integer not null,
  wrapped     bytea not null,
  kek_id      text not null,
  created_at  timestamptz not null default now(),
  retired_at  timestamptz,
  primary key (tenant_id, dek_version)
);
select isolate('tenant_keys');

-- One value sealed with each key-encryption key: a wrong key is refused at start, not at the first credential.
create table key_canaries (
  kek_id     text primary key,
  sealed     bytea not null,
  created_at timestamptz not null default now()
);
revoke update, delete on key_canaries from plugboard_app;

create table connections (
  tenant_id     uuid not null references tenants,
  connection    text not null,
  connector     text not null,
  config        jsonb not null default '{}',
  account_id    text,
  account_label text,
  status        text not null default 'untested' check (status in ('untested', 'ok', 'broken')),
  status_detail jsonb,
  status_at     timestamptz,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  primary key (tenant_id, connection)
);
select isolate('connections');

create table secrets (
  tenant_id   uuid not null,
  connection  text not null,
  field       text not null,
  version     integer not null,
  dek_version integer not null,
  sealed      bytea not null,
  -- Tells whether a value changed. Keyed per tenant: not comparable across tenants, useless offline.
  fingerprint text not null,
  updated_at  timestamptz not null default now(),
  updated_by  text,
  primary key (tenant_id, connection, field),
  foreign key (tenant_id, connection) references connections on delete cascade
);
select isolate('secrets');

-- Short-lived tokens that a login or token request gave: shared by all workers.
create table tokens (
  tenant_id     uuid not null,
  connection    text not null,
  authenticator text not null,
  sealed        bytea not null,
  expires_at    timestamptz,
  updated_at    timestamptz not null default now(),
  primary key (tenant_id, connection, authenticator),
  foreign key (tenant_id, connection) references connections on delete cascade
);
select isolate('tokens');

-- Looked up by hash before the tenant is known; `tenant` is null for the operator's own keys. Only the hash is stored.
create table api_keys (
  id           uuid primary key default gen_random_uuid(),
  hash         bytea not null unique,
  tenant       uuid references tenants,
  name         text not null,
  scopes       text[] not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz
);
