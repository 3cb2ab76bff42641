-- The connectors of the configuration in force, as a registry shows them: the operator's catalogue, nothing of a tenant.
create table connectors (
  id         text primary key,
  -- json and not jsonb: the order of fields is the order of the form.
  connector  json not null,
  updated_at timestamptz not null default now()
);

-- Disconnected: the credential is gone, the account is remembered, so that whoever connects again does not mix two of them.
alter table connections drop constraint connections_status_check;
alter table connections add constraint connections_status_check check (status in ('untested', 'ok', 'broken', 'disconnected'));
