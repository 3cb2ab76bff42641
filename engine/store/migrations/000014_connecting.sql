-- Connecting: what a person's consent at a provider gave, sign-ins under way, links for people without an account.

-- What a consent gave: access and refresh token, sealed together. Connections made from one consent share it.
create table consents (
  tenant_id      uuid not null references tenants,
  id             uuid not null,
  connector      text not null,
  -- Which of the connector's authenticators it belongs to.
  authenticator  text not null,
  -- Grows with every renewal; the ciphertext is bound to it.
  version        integer not null default 1,
  sealed         bytea not null,
  -- Of the access token.
  expires_at     timestamptz,
  -- What the provider added to the callback's address (`realmId`), without code and state: no secret.
  callback       jsonb not null default '{}',
  -- Who renews it right now, and until when nobody else does: a row and not a lock, because an HTTP request takes its time.
  renewing       uuid,
  renewing_until timestamptz,
  -- A refresh token was sent and no answer to it is known.
  asked_at       timestamptz,
  -- The provider took it back: a person has to sign in again.
  refused_at     timestamptz,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  primary key (tenant_id, id)
);
select isolate('consents');

alter table connections
  add column consent_id uuid,
  -- When the status last became another one.
  add column since timestamptz not null default now(),
  -- By a person; the configuration can disable a connection, too.
  add column paused_at timestamptz,
  add column paused_by text,
  add foreign key (tenant_id, consent_id) references consents on delete set null (consent_id);
update connections set since = coalesce(status_at, updated_at);
create index connections_consent on connections (tenant_id, consent_id) where consent_id is not null;

-- Which connectors work, over all tenants, for the registry.
create policy registry_reads on connections for select to plugboard_scheduler using (true);
grant select (tenant_id, connector, status, status_detail, status_at) on connections to plugboard_scheduler;

-- A person who was sent to a provider and has not come back yet, or has to pick an account.
create table sign_ins (
  tenant_id     uuid not null references tenants,
  id            uuid not null,
  -- Of the `state` in the address; used once.
  state_hash    bytea not null,
  -- The PKCE verifier.
  sealed        bytea not null,
  -- Of the cookie of the browser that began it; null where a program did.
  browser_hash  bytea,
  connection    text not null,
  connector     text not null,
  authenticator text not null,
  redirect_uri  text not null,
  -- Where the browser goes afterwards.
  return_to     text,
  start_over    boolean not null,
  -- Who began it, for the audit log; and the link, where it came from one.
  actor         jsonb not null,
  link_id       uuid,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null,
  answered_at   timestamptz,
  -- connected, choose, account_changed, refused, failed
  outcome       text,
  detail        jsonb,
  accounts      jsonb,
  -- What it gave, until it is a connection's.
  consent_id    uuid,
  primary key (tenant_id, id),
  unique (tenant_id, state_hash),
  foreign key (tenant_id, consent_id) references consents on delete set null (consent_id)
);
select isolate('sign_ins');
create index sign_ins_of_connection on sign_ins (tenant_id, connection, created_at desc);

-- A link with which somebody without an account connects one connection. Its token is shown once; only the hash is stored.
create table connect_links (
  tenant_id    uuid not null references tenants,
  id           uuid not null,
  hash         bytea not null,
  connection   text not null,
  return_url   text,
  created_by   text not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  connected_at timestamptz,
  revoked_at   timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, hash)
);
select isolate('connect_links');
