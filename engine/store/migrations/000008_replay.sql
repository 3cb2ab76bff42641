-- Quarantined records that are tried again.

-- What a person asked a run to try again, whatever revision it failed under: {} is all of its flow.
alter table runs add column replay jsonb;
create index quarantine_to_replay on quarantine (tenant_id, connection, flow, updated_at desc, id desc) where status = 'open';
