-- Records: each connection's contribution, the entity rows they join into, and what could not be stored.
--
-- The tables that every page writes have no foreign keys among themselves: the check of each row would cost as much as its
-- write. What they would protect is protected by the page transaction, which writes both sides.

create table contributions (
  tenant_id      uuid not null,
  connection     text not null,
  stream         text not null,
  entity         text not null,
  key            text not null,
  row_id         uuid not null,
  data           jsonb not null,
  labels         jsonb not null,
  -- Orders versions of one record; an older one never overwrites a newer one.
  version        numeric,
  -- Of data and labels: whether the row changes. And of everything, raw record included: whether there is anything to write.
  data_hash      text not null,
  record_hash    text not null,
  -- The last raw record, sealed with the tenant's key.
  raw            bytea,
  run_id         uuid not null,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  deleted_at     timestamptz,
  deleted_reason text check (deleted_reason in ('left', 'deleted', 'swept')),
  primary key (tenant_id, connection, stream, entity, key),
  check ((deleted_at is null) = (deleted_reason is null))
) with (toast_tuple_target = 8160);
-- Ciphertext does not compress; rows of a few KB stay whole instead of going to the side table piece by piece.
alter table contributions alter column raw set storage external;
-- Without the entity: an index that shares two columns with the primary key looks as good to the planner while the table has
-- no statistics, and a first sync would read the whole tenant for each key.
create index contributions_of_row on contributions (tenant_id, row_id);
select isolate('contributions');

create table entity_rows (
  tenant_id  uuid not null,
  entity     text not null,
  id         uuid not null,
  data       jsonb not null,
  labels     jsonb not null,
  -- connection → the row's key there
  links      jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  primary key (tenant_id, entity, id)
) with (toast_tuple_target = 8160);
create index entity_rows_changed on entity_rows (tenant_id, entity, updated_at, id);
select isolate('entity_rows');

-- Ids of rows that were joined into another one stay valid.
create table entity_aliases (
  tenant_id uuid not null,
  entity    text not null,
  alias     uuid not null,
  id        uuid not null,
  joined_at timestamptz not null default now(),
  primary key (tenant_id, entity, alias)
);
select isolate('entity_aliases');

-- What live contributions may be matched by: `domain=acme.com`.
create table match_values (
  tenant_id  uuid not null,
  entity     text not null,
  value      text not null,
  connection text not null,
  stream     text not null,
  key        text not null,
  primary key (tenant_id, entity, value, connection, stream, key)
);
create index match_values_of_key on match_values (tenant_id, key);             -- as above: shares the tenant only
select isolate('match_values');

-- One row per entity, locked by whoever writes rows of it, until they commit. So rows of one entity are written one page at
-- a time (two pages that match the same row must not both make it), and `at` grows in the order of the commits: whoever pages
-- by updated_at misses nothing.
create table entity_clocks (
  tenant_id uuid not null,
  entity    text not null,
  at        timestamptz not null,
  -- Whether contributions of this entity were ever joined. Until then each row is its only contribution.
  joined    boolean not null default false,
  primary key (tenant_id, entity)
) with (fillfactor = 50);
select isolate('entity_clocks');

create table quarantine (
  tenant_id  uuid not null,
  id         uuid not null,
  run_id     uuid not null,
  connection text not null,
  flow       text not null,
  stream     text not null,
  entity     text not null,
  key        text,
  code       text not null,
  params     jsonb not null,
  reason     text not null,
  raw        bytea not null,
  revision   text not null,
  status     text not null default 'open' check (status in ('open', 'resolved', 'replayed', 'discarded')),
  -- How often the record came back with the same fate.
  seen       integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  decided_by text,
  primary key (tenant_id, id)
);
create unique index quarantine_open_key on quarantine (tenant_id, connection, flow, key) where status = 'open' and key is not null;
create index quarantine_newest on quarantine (tenant_id, status, created_at desc, id desc);
select isolate('quarantine');
