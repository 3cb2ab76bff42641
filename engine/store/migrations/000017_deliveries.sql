-- Deliveries: a change of a row, what it makes leave, and every try of it.
--
-- A page that changes rows of an entity which some change flow names also writes the changes, in its own transaction and in
-- commit order. A worker turns each into at most one delivery per flow, in one transaction that takes the change away; another
-- sends it. So a delivery exists exactly if its change was committed, and it is sent at least once.

-- The change flows in force, and since when: what changed before never fires.
create table change_flows (
  tenant_id  uuid not null references tenants,
  flow       text not null,
  entity     text not null,
  enabled    boolean not null,
  enabled_at timestamptz not null,
  primary key (tenant_id, flow)
);
create index change_flows_of_entity on change_flows (tenant_id, entity) where enabled;
select isolate('change_flows');

create table row_changes (
  tenant_id uuid not null,
  -- Given out during the entity's turn: for one row, a lower one was committed earlier.
  seq       bigint generated always as identity,
  entity    text not null,
  row_id    uuid not null,
  -- Null: the row did not exist, or has ended.
  before    jsonb,
  after     jsonb,
  links     jsonb not null,
  cause     text not null check (cause in ('event', 'poll', 'asked')),
  -- Set when a person asked for it: only this flow sees it.
  flow      text,
  asked_by  text,
  at        timestamptz not null,
  primary key (tenant_id, seq)
);
select isolate('row_changes');
create policy scheduler_reads on row_changes for select to plugboard_scheduler using (true);
grant select (tenant_id) on row_changes to plugboard_scheduler;

-- A trigger, so that no statement that writes rows can forget it. It fires only inside a transaction that said why it writes:
-- for everything else (a first load of a million rows) the price is one look at a setting.
create function note_row_change() returns trigger language plpgsql as $$
begin
  if new.id = any (coalesce(nullif(current_setting('plugboard.remapped', true), ''), '{}')::uuid[]) then
    return null;
  end if;
  insert into row_changes (tenant_id, entity, row_id, before, after, links, cause, at)
  values (new.tenant_id, new.entity, new.id, case when tg_op = 'UPDATE' and old.deleted_at is null then old.data end, case when new.deleted_at is null then new.data end,
    new.links, current_setting('plugboard.cause'), new.updated_at);
  perform pg_notify('plugboard_deliveries', '');
  return null;
end $$;
create trigger entity_rows_made after insert on entity_rows for each row
  when (current_setting('plugboard.cause', true) <> '') execute function note_row_change();
create trigger entity_rows_changed after update on entity_rows for each row
  when (current_setting('plugboard.cause', true) <> '' and (old.data <> new.data or (old.deleted_at is null) <> (new.deleted_at is null))) execute function note_row_change();

-- Changes that fire nothing by themselves are only counted.
create table unfired_changes (
  tenant_id uuid not null references tenants,
  entity    text not null,
  cause     text not null,
  count     bigint not null,
  first_at  timestamptz not null default clock_timestamp(),
  last_at   timestamptz not null default clock_timestamp(),
  primary key (tenant_id, entity, cause)
);
select isolate('unfired_changes');

create table deliveries (
  tenant_id     uuid not null references tenants,
  -- Stable over all attempts: what receivers tell duplicates by.
  id            uuid not null,
  -- In commit order of the changes; deliveries of one (flow, row) are sent in this order.
  seq           bigint generated always as identity,
  flow          text not null,
  entity        text not null,
  row_id        uuid not null,
  change_seq    bigint not null,
  cause         text not null,
  changed_at    timestamptz not null,
  kind          text not null check (kind in ('action', 'save', 'webhook')),
  -- The connection, or the endpoint's name.
  target        text not null,
  -- The action, or of a save the stream.
  operation     text not null,
  -- Of a save: the action that was chosen when it was first sent, and the record's key there.
  chosen        text,
  chosen_key    text,
  status        text not null check (status in
                  ('waiting', 'held', 'queued', 'sending', 'unknown', 'delivered', 'unchanged', 'failed', 'exhausted', 'cancelled', 'rejected', 'superseded')),
  -- The idempotency key.
  key           text not null,
  -- What was frozen when it was made: the change, the mapped input, minted values. Sealed.
  payload       bytea not null,
  code          text,
  reason        text,
  -- The last attempt ended without anyone knowing whether it was carried out.
  unsure        boolean not null default false,
  -- Sent together, and again only together.
  batch         uuid,
  revision      text not null,
  attempts      integer not null default 0,
  -- Attempts when it was last replayed by hand: the schedule begins there.
  attempts_base integer not null default 0,
  owner         text,
  epoch         bigint not null default 0,
  lease_until   timestamptz,
  due_at        timestamptz,
  first_sent_at timestamptz,
  last_sent_at  timestamptz,
  hold_role     text,
  -- A person let it pass: the loop guard does not hold it again.
  let_pass      boolean not null default false,
  decided_by    text,
  decided_at    timestamptz,
  superseded_by uuid,
  -- What the provider called the record.
  result_key    text,
  result_version text,
  created_at    timestamptz not null default clock_timestamp(),
  finished_at   timestamptz,
  primary key (tenant_id, id)
) with (fillfactor = 70);
alter table deliveries alter column payload set storage external;
-- One per flow and change, whatever happens.
create unique index deliveries_of_change on deliveries (tenant_id, flow, change_seq);
create index deliveries_of_row on deliveries (tenant_id, flow, row_id, seq);
-- What stands in the way of the next of its row: few, however long the row's history is.
create index deliveries_in_the_way on deliveries (tenant_id, flow, row_id, seq) where status in ('waiting', 'queued', 'sending', 'unknown');
create index deliveries_newest on deliveries (tenant_id, seq desc);
create index deliveries_ready on deliveries (tenant_id, due_at, seq) where status in ('queued', 'waiting', 'sending');
create index deliveries_held on deliveries (tenant_id, seq) where status = 'held';
create index deliveries_over on deliveries (tenant_id, finished_at) where finished_at is not null;
select isolate('deliveries');
create index deliveries_due on deliveries (due_at) where status in ('queued', 'waiting', 'sending');
create policy scheduler_reads on deliveries for select to plugboard_scheduler using (true);
grant select (tenant_id, status, due_at, finished_at) on deliveries to plugboard_scheduler;

create table delivery_attempts (
  tenant_id   uuid not null,
  id          uuid not null,
  delivery_id uuid not null,
  number      integer not null,
  worker      text not null,
  started_at  timestamptz not null default clock_timestamp(),
  ended_at    timestamptz,
  -- Null while it is under way, or when its worker was lost.
  outcome     text,
  code        text,
  reason      text,
  http_status integer,
  -- Requests and answers, secrets masked. Sealed: they hold what was delivered.
  exchange    bytea,
  primary key (tenant_id, id),
  foreign key (tenant_id, delivery_id) references deliveries on delete cascade
);
create index delivery_attempts_of on delivery_attempts (tenant_id, delivery_id, number);
select isolate('delivery_attempts');

-- What each connection was last given for a row, and what it calls the row.
create table links (
  tenant_id  uuid not null references tenants,
  connection text not null,
  stream     text not null,
  entity     text not null,
  row_id     uuid not null,
  key        text,
  version    text,
  -- Of the input that was acknowledged last; null once the record was deleted there.
  input_hash text,
  delivery_id uuid not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, connection, stream, entity, row_id)
);
select isolate('links');
create index links_of_row on links (tenant_id, row_id);
create index entity_aliases_of on entity_aliases (tenant_id, id);
-- What it says was written by us and acknowledged: a record that is not newer changes nothing.
alter table contributions add column acknowledged boolean not null default false;

-- A target that fails again and again is left alone for a while, by all workers; then one delivery tries.
create table breakers (
  tenant_id     uuid not null references tenants,
  target        text not null,
  failures      integer not null default 0,
  opened_until  timestamptz,
  probing_until timestamptz,
  reason        text,
  updated_at    timestamptz not null default clock_timestamp(),
  primary key (tenant_id, target)
) with (fillfactor = 50);
select isolate('breakers');

create table outgoing_endpoints (
  tenant_id       uuid not null references tenants,
  name            text not null,
  url             text not null,
  enabled         boolean not null default true,
  disabled_reason text,
  disabled_at     timestamptz,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (tenant_id, name)
);
select isolate('outgoing_endpoints');

-- The newest signs, and so do those before it until they expire.
create table endpoint_secrets (
  tenant_id   uuid not null,
  id          uuid not null,
  endpoint    text not null,
  sealed      bytea not null,
  fingerprint text not null,
  created_at  timestamptz not null default clock_timestamp(),
  expires_at  timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, endpoint) references outgoing_endpoints on delete cascade
);
create index endpoint_secrets_of on endpoint_secrets (tenant_id, endpoint, created_at desc);
select isolate('endpoint_secrets');

-- Values that were made for one delivery: only their hash is kept.
create table minted_tokens (
  tenant_id   uuid not null references tenants,
  hash        bytea not null,
  kind        text not null,
  about       text,
  delivery_id uuid not null,
  flow        text not null,
  row_id      uuid not null,
  created_at  timestamptz not null default clock_timestamp(),
  expires_at  timestamptz,
  primary key (tenant_id, hash)
);
select isolate('minted_tokens');
