-- Events: what providers pushed or queued, before and after it became records.
--
-- A request is committed as it came before it is answered; its items are events. A worker takes a connection's events in the
-- order in which they came, alone (a transaction lock, so a worker that was stopped can never commit after another took
-- over). An event that names a record without carrying it asks for a read; all that ask for one key share it.

-- Addresses that providers send to. Looked up by the token's hash before the tenant is known, like a key; only hashes are stored.
create table webhook_endpoints (
  id         uuid primary key,
  hash       bytea not null unique,
  tenant     uuid not null references tenants,
  connector  text not null,
  -- Null: for all customers of the connector; each item finds its connection by its account.
  connection text,
  feed       text not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  -- Set when another address replaces it.
  expires_at timestamptz,
  revoked_at timestamptz
);
create index webhook_endpoints_of on webhook_endpoints (tenant, connector);

-- Paths of a product in use that lead to a feed: `aliases` of workspace.yaml.
create table webhook_aliases (
  path      text primary key,
  connector text not null,
  feed      text not null
);

-- What an address for all customers needs of its connector, whoever uses it: config fields and webhooks.
alter table connectors add column feeds json;

-- The two tables that every request writes have no foreign keys, and no index that something else can serve: ids grow with time,
-- so the primary key lists the newest and finds what is old.
create table inbound_requests (
  tenant_id   uuid not null,
  id          uuid not null,
  received_at timestamptz not null default clock_timestamp(),
  connector   text not null,
  -- Empty: it was sent to an address for all customers.
  connection  text not null,
  feed        text not null,
  door        text not null check (door in ('webhook', 'queue')),
  -- Of the body, as it came.
  bytes       integer not null,
  -- Method, address, headers and body, sealed. Customers who share an address each have their own items, and no body.
  request     bytea not null,
  primary key (tenant_id, id)
);
alter table inbound_requests alter column request set storage external;
select isolate('inbound_requests');

create table events (
  tenant_id    uuid not null,
  id           uuid not null,
  -- The order in which they came.
  seq          bigint generated always as identity,
  request_id   uuid not null,
  connector    text not null,
  -- Empty: nobody's, its account belongs to no connection.
  connection   text not null,
  feed         text not null,
  -- The provider's. Null: thin, never a duplicate.
  event_id     text,
  account      text,
  -- When it happened, where the provider says so.
  at           timestamptz,
  received_at  timestamptz not null default clock_timestamp(),
  -- pending, reading (waits for reads) are under way; held waits for its connection; the others are final.
  status       text not null check (status in ('pending', 'reading', 'held', 'processed', 'ignored', 'echo', 'unrouted', 'failed')),
  code         text,
  reason       text,
  -- Names of the feed's events that it was.
  events       text[],
  -- What became of each: [{event, stream, key, does}].
  effects      jsonb,
  attempts     integer not null default 0,
  -- Asked for again by a person: what it changes fires no change flow.
  replayed     boolean not null default false,
  -- How often it came again.
  copies       integer not null default 0,
  copied_at    timestamptz,
  due_at       timestamptz not null default clock_timestamp(),
  finished_at  timestamptz,
  -- The item, sealed JSON. Null: the request's body is the item.
  item         bytea,
  primary key (tenant_id, id)
) with (fillfactor = 70);
alter table events alter column item set storage external;
create unique index events_once on events (tenant_id, connector, connection, feed, event_id) where event_id is not null;
create index events_waiting on events (tenant_id, connection, due_at, seq) where status = 'pending';
create index events_held on events (tenant_id, connection) where status = 'held';
select isolate('events');
create policy scheduler_reads on events for select to plugboard_scheduler using (true);
grant select (tenant_id, connection, status, due_at, received_at) on events to plugboard_scheduler;

-- One read for all events that name a record without carrying it.
create table pending_reads (
  tenant_id   uuid not null references tenants,
  connection  text not null,
  stream      text not null,
  key         text not null,
  -- Grows with every event that asks. A read answers those that asked before it began; the others get another one.
  asked       bigint not null default 1,
  taken       bigint,
  -- Whether an event of the provider asked, and not only a replay.
  fires       boolean not null,
  epoch       bigint not null default 0,
  owner       text,
  lease_until timestamptz,
  due_at      timestamptz not null default clock_timestamp(),
  attempts    integer not null default 0,
  reason      text,
  created_at  timestamptz not null default now(),
  primary key (tenant_id, connection, stream, key)
);
select isolate('pending_reads');
create index pending_reads_due on pending_reads (due_at);
create policy scheduler_reads on pending_reads for select to plugboard_scheduler using (true);
grant select (tenant_id, connection, stream, key, due_at, lease_until) on pending_reads to plugboard_scheduler;

-- Which events wait for a read, and which asking of it answers them.
create table event_reads (
  tenant_id  uuid not null,
  connection text not null,
  stream     text not null,
  key        text not null,
  event_id   uuid not null,
  asked      bigint not null,
  primary key (tenant_id, connection, stream, key, event_id)
);
create index event_reads_of_event on event_reads (tenant_id, event_id);
select isolate('event_reads');

-- Requests that were refused, by reason and hour: an attacker writes one row, not a million.
create table refused_requests (
  tenant_id  uuid not null references tenants,
  connector  text not null,
  connection text not null,
  feed       text not null,
  reason     text not null,
  hour       timestamptz not null,
  count      bigint not null,
  last_at    timestamptz not null,
  primary key (tenant_id, connector, connection, feed, reason, hour)
);
select isolate('refused_requests');

-- When queues are asked next.
create table queue_polls (
  tenant_id     uuid not null references tenants,
  connection    text not null,
  queue         text not null,
  every_seconds integer not null,
  enabled       boolean not null default true,
  due_at        timestamptz not null default now(),
  epoch         bigint not null default 0,
  owner         text,
  lease_until   timestamptz,
  cursor        jsonb,
  failures      integer not null default 0,
  error         jsonb,
  polled_at     timestamptz,
  primary key (tenant_id, connection, queue)
);
select isolate('queue_polls');
create policy scheduler_reads on queue_polls for select to plugboard_scheduler using (true);
grant select (tenant_id, connection, queue, enabled, due_at, lease_until) on queue_polls to plugboard_scheduler;

-- An item that came for all customers finds its connections by account, whoever's they are.
create index connections_of_account on connections (connector, account_id) where account_id is not null;
grant select (tenant_id, connection, connector, account_id) on connections to plugboard_scheduler;
-- When its provider last sent something: written by whoever works on its events.
alter table connections add column last_event_at timestamptz;

-- Counters of pushed events stand in runs of their own, one a minute and flow; found by their trigger.
create index runs_of_pushes on runs (tenant_id, flow, queued_at desc) where trigger = 'webhook';

-- A secret that was replaced still proves where a webhook comes from, for a while: providers switch in their own time.
alter table secrets add column previous_sealed bytea;
alter table secrets add column previous_version integer;
alter table secrets add column previous_until timestamptz;
