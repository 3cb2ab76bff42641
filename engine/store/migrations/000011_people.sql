-- People, how they sign in, and what they may do where.
--
-- A person is one row, known by their e-mail address in one normal form; what they may do is a membership: person × tenant ×
-- role. The operator's own staff are members of the tenant `platform`. Secrets that let somebody in (session, invitation,
-- reset) are kept as SHA-256, so a copy of the database opens no door.
--
-- Who somebody is, is asked before a tenant is known, so these tables carry no tenant_id. Those with a column `tenant` show,
-- inside a tenant's transaction, that tenant's rows only.

create function isolate_within(target regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format($policy$create policy inside_a_tenant on %s
    using ((select nullif(current_setting('plugboard.tenant_id', true), '')::uuid) is null or tenant = (select nullif(current_setting('plugboard.tenant_id', true), '')::uuid))
    with check ((select nullif(current_setting('plugboard.tenant_id', true), '')::uuid) is null or tenant = (select nullif(current_setting('plugboard.tenant_id', true), '')::uuid))$policy$, target);
end $$;
revoke execute on function isolate_within(regclass) from public;

create table users (
  id         uuid primary key,
  -- In its normal form: that is what makes it unique.
  email      text not null unique,
  name       text not null,
  -- argon2id in PHC form; null: this person signs in elsewhere only.
  password   text,
  created_at timestamptz not null default now()
);

create table memberships (
  user_id    uuid not null references users on delete cascade,
  tenant     uuid not null references tenants,
  role       text not null check (role in ('super_admin', 'integration_engineer', 'tenant_admin', 'employer_admin', 'recruiter', 'interviewer')),
  -- The sign-in provider whose groups gave the role; it takes it away again too. Null: a person gave it.
  source     text,
  created_at timestamptz not null default now(),
  primary key (user_id, tenant)
);
create index memberships_of_tenant on memberships (tenant);
select isolate_within('memberships');

-- The tenants that an integration engineer works for.
create table assignments (
  user_id    uuid not null references users on delete cascade,
  tenant     uuid not null references tenants,
  created_at timestamptz not null default now(),
  primary key (user_id, tenant)
);

create table invitations (
  id          uuid primary key,
  tenant      uuid not null references tenants,
  email       text not null,
  role        text not null,
  token_hash  bytea not null unique,
  invited_by  text not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  accepted_at timestamptz,
  revoked_at  timestamptz
);
create unique index invitations_open on invitations (tenant, email) where accepted_at is null and revoked_at is null;
select isolate_within('invitations');

create table password_resets (
  user_id    uuid primary key references users on delete cascade,
  token_hash bytea not null unique,
  expires_at timestamptz not null
);

-- Who somebody is at a sign-in provider: (issuer, subject), never an e-mail address, which people and providers change.
create table identities (
  issuer       text not null,
  subject      text not null,
  user_id      uuid not null references users on delete cascade,
  created_at   timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  primary key (issuer, subject)
);

create table sessions (
  id            uuid primary key,
  hash          bytea not null unique,
  user_id       uuid not null references users on delete cascade,
  created_at    timestamptz not null default now(),
  seen_at       timestamptz not null default now(),
  expires_at    timestamptz not null,
  ip            text,
  agent         text,
  -- While a super admin acts in a tenant: as which role, as which of its people, why, until when.
  acting_tenant uuid references tenants,
  acting_role   text,
  acting_user   uuid references users on delete set null,
  acting_reason text,
  acting_until  timestamptz,
  check (num_nulls(acting_tenant, acting_role, acting_reason, acting_until) in (0, 4))
);
create index sessions_of_user on sessions (user_id);
create index sessions_acting on sessions (acting_tenant) where acting_tenant is not null;

-- Failed tries per account and per address, hashed: shared by all servers, so that asking another one does not help.
create table sign_in_tries (
  key           bytea primary key,
  tries         integer not null,
  blocked_until timestamptz,
  -- Whether the last one came too early.
  refused       boolean,
  expires_at    timestamptz not null
);

-- Sign-ins under way at a provider: named by the hash of what only that browser holds.
create table provider_sign_ins (
  hash       bytea primary key,
  provider   text not null,
  return_to  text not null,
  invitation bytea,
  expires_at timestamptz not null
);

create table sign_in_providers (
  tenant_id   uuid not null references tenants,
  id          text not null,
  title       text not null,
  issuer      text not null,
  client_id   text not null,
  sealed      bytea not null,
  fingerprint text not null,
  scopes      text[] not null,
  -- Which claim names groups, and what each group gives: { "<group>": { "role": "…", "tenant": "…" } }
  claim       text,
  roles       jsonb not null default '{}',
  enabled     boolean not null default true,
  updated_at  timestamptz not null default now(),
  primary key (tenant_id, id)
);
select isolate('sign_in_providers');

-- Who may sign service tokens: the host product.
create table token_issuers (
  tenant_id    uuid not null references tenants,
  id           text not null,
  issuer       text not null,
  audience     text not null,
  algorithms   text[] not null,
  jwks_url     text,
  public_keys  jsonb,
  tenant_claim text not null,
  role_claim   text not null,
  -- What the product calls them → what we call them; null: as they stand in the claim.
  tenants      jsonb,
  roles        jsonb,
  enabled      boolean not null default true,
  updated_at   timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, issuer),
  check (num_nonnulls(jwks_url, public_keys) = 1)
);
select isolate('token_issuers');

-- A key that a person made never does more than that person's role; null: the operator's own, made on the command line.
alter table api_keys add column within text, add column made_by text, add column networks cidr[];
select isolate_within('api_keys');
