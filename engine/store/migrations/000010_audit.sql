-- Who did what, when, from where, before and after. Written in the transaction that does it, and never changed.
--
-- What concerns no customer (presets, people of the operator, keys) stands under the tenant `platform`, which holds the
-- operator's own connections and is always there.

insert into tenants (slug, title) select 'platform', 'Platform' where not exists (select from tenants where slug = 'platform' and deleted_at is null);

create table audit_log (
  tenant_id    uuid not null references tenants,
  id           uuid not null,
  at           timestamptz not null default clock_timestamp(),
  -- user, key, service_token, connect_link, system (the product itself) or command (the command line)
  actor_kind   text not null,
  actor_id     text not null,
  actor_name   text not null,
  -- Of a person who acts as another one: who it really is.
  impersonator text,
  -- A stable word: connection.entered, tenant.suspended
  action       text not null,
  subject_kind text not null,
  subject_id   text not null,
  -- What changed, secrets as fingerprints.
  before       jsonb,
  after        jsonb,
  reason       text,
  -- Address and request, where it came over HTTP.
  ip           text,
  request_id   text,
  primary key (tenant_id, id)
);
select isolate('audit_log');
create index audit_log_newest on audit_log (tenant_id, at desc, id desc);
revoke update, delete on audit_log from plugboard_app;
