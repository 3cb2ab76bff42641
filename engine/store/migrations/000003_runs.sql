-- Runs, and the row that says who may write for a flow.

create table runs (
  tenant_id        uuid not null references tenants,
  id               uuid not null,
  flow             text not null,
  connection       text not null,
  trigger          text not null,
  requested_by     text,
  requested_mode   text check (requested_mode in ('full', 'incremental')),
  mode             text check (mode in ('full', 'incremental')),
  status           text not null default 'queued' check (status in
                     ('queued', 'running', 'waiting', 'succeeded', 'succeeded_with_quarantine', 'failed', 'cancelled', 'superseded')),
  revision         text not null references revisions,
  -- The schedule's tick: a flow runs at most once per slot.
  slot             timestamptz,
  attempt          integer not null default 0,
  -- Attempts in a row that stored no page. Counted when an attempt is claimed, back to 0 with every page.
  crashes          integer not null default 0,
  owner            text,
  lease_until      timestamptz,
  read             bigint not null default 0,
  created          bigint not null default 0,
  updated          bigint not null default 0,
  unchanged        bigint not null default 0,
  superseded       bigint not null default 0,
  deleted          bigint not null default 0,
  filtered         bigint not null default 0,
  quarantined      bigint not null default 0,
  swept            bigint not null default 0,
  pages            bigint not null default 0,
  requests         bigint not null default 0,
  retries          bigint not null default 0,
  bytes            bigint not null default 0,
  -- requests, retries and bytes when the attempt was claimed: those after its last page are added when it ends.
  claimed_counters jsonb,
  checkpoint       jsonb,
  sweep            jsonb,
  error            jsonb,
  cancel_by        text,
  cancel_at        timestamptz,
  resume_at        timestamptz,
  queued_at        timestamptz not null default now(),
  started_at       timestamptz,
  finished_at      timestamptz,
  primary key (tenant_id, id)
) with (fillfactor = 50);
select isolate('runs');
create unique index runs_one_queued on runs (tenant_id, flow) where status = 'queued';
create unique index runs_one_active on runs (tenant_id, flow) where status in ('running', 'waiting');
create unique index runs_one_per_slot on runs (tenant_id, flow, slot) where slot is not null;
create index runs_newest on runs (tenant_id, queued_at desc, id desc);
create index runs_of_flow on runs (tenant_id, flow, queued_at desc);
-- The reaper and the queue's repair look over all tenants at once, and see ids and times only.
create index runs_unfinished on runs (status, lease_until) where status in ('queued', 'running', 'waiting');
create policy scheduler_reads on runs for select to plugboard_scheduler using (true);
grant select (tenant_id, id, flow, status, lease_until, resume_at, queued_at) on runs to plugboard_scheduler;

create table run_log (
  tenant_id uuid not null,
  run_id    uuid not null,
  seq       bigint generated always as identity,
  at        timestamptz not null default clock_timestamp(),
  level     text not null,
  event     text not null,
  message   text not null,
  data      jsonb,
  primary key (tenant_id, run_id, seq),
  foreign key (tenant_id, run_id) references runs on delete cascade
);
select isolate('run_log');

-- One row per flow. Every page updates it first: the row lock and the epoch together are the fence.
create table checkpoints (
  tenant_id   uuid not null references tenants,
  connection  text not null,
  flow        text not null,
  epoch       bigint not null,
  owner       text not null,
  lease_until timestamptz not null,
  checkpoint  jsonb,
  revision    text,
  updated_at  timestamptz not null default now(),
  primary key (tenant_id, connection, flow)
) with (fillfactor = 50);
select isolate('checkpoints');

-- Keys that a sweep has seen, one row per page.
create table sweep_seen (
  tenant_id  uuid not null,
  connection text not null,
  flow       text not null,
  sweep      bigint not null,
  seq        bigint generated always as identity,
  at         timestamptz not null default clock_timestamp(),
  keys       text[] not null,
  primary key (tenant_id, connection, flow, sweep, seq)
);
select isolate('sweep_seen');

-- Sweeps in which so much was missing that a person decides.
create table sweep_holds (
  tenant_id  uuid not null,
  run_id     uuid not null,
  connection text not null,
  flow       text not null,
  stream     text not null,
  entity     text not null,
  keys       text[] not null,
  live       bigint not null,
  status     text not null default 'held' check (status in ('held', 'approved', 'rejected', 'superseded')),
  held_at    timestamptz not null default clock_timestamp(),
  decided_by text,
  decided_at timestamptz,
  primary key (tenant_id, run_id),
  foreign key (tenant_id, run_id) references runs on delete cascade
);
select isolate('sweep_holds');
