-- Changes of the configuration on their way through review, and which revision is in force.
--
-- A change may touch many tenants, so all of this stands under the tenant `platform`, as the audit of what concerns no
-- customer does: inside a customer's transaction there is nothing to see. `only_tenant` names the one it touches alone.

create table changes (
  tenant_id     uuid not null references tenants,
  id            uuid not null,
  title         text not null,
  description   text not null default '',
  status        text not null check (status in ('draft', 'proposed', 'approved', 'applied', 'rejected', 'rolled_back')),
  only_tenant   text,
  author_kind   text not null,
  author_id     text not null,
  author_name   text not null,
  -- Files and values, as they were entered; made anew on top of main when the change is brought up to date.
  edits         json not null,
  -- Counts what was saved: two windows do not write over each other.
  version       integer not null default 1,
  -- Main's commit that the change begins at; the branch with its own commit, once proposed.
  base_commit   text not null,
  branch        text,
  commit        text,
  -- As it was reviewed. An approval is of this hash.
  plan          json,
  plan_hash     text,
  approved_hash text,
  decided_by    text,
  decided_at    timestamptz,
  reason        text,
  -- Main after the merge, and what then was in force; the revision before it is what a rollback goes back to.
  merged_commit text,
  revision      text references revisions,
  before        text references revisions,
  applied_by    text,
  applied_at    timestamptz,
  created_at    timestamptz not null default clock_timestamp(),
  updated_at    timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
select isolate('changes');
create index changes_newest on changes (tenant_id, created_at desc, id desc);

-- One row: what is in force, and what is wrong with what Git says now.
create table configuration (
  tenant_id  uuid primary key references tenants,
  revision   text references revisions,
  commit     text,
  alarm      json,
  updated_at timestamptz not null default clock_timestamp()
);
select isolate('configuration');

-- Every time a revision was put in force, newest last: what a rollback may name.
create table applications (
  tenant_id uuid not null references tenants,
  id        uuid not null,
  revision  text not null references revisions,
  change    uuid,
  -- apply (a reviewed change), rollback, sync (commits made outside), command (start, serve, apply on the command line)
  how       text not null check (how in ('apply', 'rollback', 'sync', 'command')),
  by        text not null,
  changed   text[] not null default '{}',
  at        timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
select isolate('applications');
create index applications_newest on applications (tenant_id, at desc, id desc);
revoke update, delete on applications from plugboard_app;
