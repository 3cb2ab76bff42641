-- Of deliveries that are no longer kept, which change of a row a flow made something of: or a row that was sent a month ago
-- would count as one that never was, and be sent again by whoever asks for those.
create table fired_rows (
  tenant_id  uuid not null references tenants,
  flow       text not null,
  row_id     uuid not null,
  -- The newest.
  changed_at timestamptz not null,
  primary key (tenant_id, flow, row_id)
);
select isolate('fired_rows');
