-- Putting a change of one customer in force costs what one customer costs, however many there are: a revision writes a line for
-- those whose plan it changes and for nobody else. What it says about a tenant is the newest line up to it, in the order in
-- which revisions were made; a line without a plan says that it no longer names the tenant.

alter table revisions
  add column seq  bigint,
  -- Those about whom it has a line: who may differ between two revisions is found without looking at everybody.
  add column says uuid[] not null default '{}';
update revisions r set seq = n.seq from (select id, row_number() over (order by created_at, id) as seq from revisions) n where n.id = r.id;
alter table revisions alter column seq set not null;
create unique index revisions_seq on revisions (seq);

-- The lines there are: seen over all tenants this once.
alter table tenant_revisions no force row level security;
alter table tenant_revisions
  add column seq bigint,
  alter column plan_hash drop not null,
  add foreign key (tenant_id) references tenants;
update tenant_revisions t set seq = r.seq from revisions r where r.id = t.revision;
insert into tenant_revisions (tenant_id, revision, seq)
  select t.tenant_id, r.id, r.seq from (select tenant_id, min(seq) as first from tenant_revisions group by tenant_id) t
  join revisions r on r.seq > t.first and not exists (select 1 from tenant_revisions known where known.tenant_id = t.tenant_id and known.revision = r.id);
alter table tenant_revisions alter column seq set not null;
create unique index tenant_revisions_newest on tenant_revisions (tenant_id, seq);
update revisions r set says = t.tenants from (select revision, array_agg(tenant_id) as tenants from tenant_revisions group by revision) t where t.revision = r.id;

-- Read before a tenant is known: whose plan is another one is told by its hash alone. `revision` is the line its plan stands in.
alter table tenants
  add column plan_hash   text,
  -- Of its newest line, which is not in force after a rollback.
  add column newest_hash text;
update tenants t set plan_hash = r.plan_hash from tenant_revisions r where r.tenant_id = t.id and r.revision = t.revision;
update tenants t set newest_hash = r.plan_hash from (select distinct on (tenant_id) tenant_id, plan_hash from tenant_revisions order by tenant_id, seq desc) r where r.tenant_id = t.id;
alter table tenant_revisions force row level security;
