-- Revisions of the configuration, the plans compiled from them, and when flows are due.

-- A revision covers all tenants; what it says for one tenant stands in plans.
create table revisions (
  id         text primary key,
  commit     text,
  created_at timestamptz not null default now()
);
revoke update, delete on revisions from plugboard_app;

-- By content: a revision that changes nothing for a tenant adds no plan. json and not jsonb: the order of members counts
-- (error rules are tried in order).
create table plans (
  tenant_id  uuid not null references tenants,
  hash       text not null,
  plan       json not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, hash)
);
select isolate('plans');

create table tenant_revisions (
  tenant_id  uuid not null,
  revision   text not null references revisions,
  plan_hash  text not null,
  applied_at timestamptz not null default now(),
  primary key (tenant_id, revision),
  foreign key (tenant_id, plan_hash) references plans
);
select isolate('tenant_revisions');

create table schedules (
  tenant_id  uuid not null references tenants,
  flow       text not null,
  connection text not null,
  -- As in the plan: {every_seconds} or {cron, time_zone}.
  schedule   jsonb not null,
  -- The tick that was fired last, and when the next one is due. A null due_at is to be worked out by the scheduler.
  slot       timestamptz,
  due_at     timestamptz,
  -- False once the configuration no longer schedules the flow; paused_at is a person's doing and outlives revisions.
  enabled    boolean not null default true,
  paused_at  timestamptz,
  paused_by  text,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, flow)
);
select isolate('schedules');
-- The scheduler looks over all tenants at once, so this index does not begin with the tenant.
create index schedules_due on schedules (due_at nulls first) where enabled and paused_at is null;
create policy scheduler_reads on schedules for select to plugboard_scheduler using (true);
grant select (tenant_id, flow, connection, schedule, slot, due_at, enabled, paused_at) on schedules to plugboard_scheduler;
grant usage on schema plugboard to plugboard_scheduler;
