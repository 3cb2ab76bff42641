-- Rotation of data keys, and secrets that are only named.

-- A key that was rotated out is destroyed: its row stays, so that its number is never used again. `fingerprint_key` is the
-- tenant's, sealed with this data key; null for a tenant's first data key, which it is derived from.
alter table tenant_keys alter column wrapped drop not null;
alter table tenant_keys add column fingerprint_key bytea;
alter table tenant_keys add constraint tenant_keys_destroyed check ((wrapped is null) = (retired_at is not null));

-- A canary says under which key-encryption keys data keys may still stand; the last one of an old key goes with it.
grant delete on key_canaries to plugboard_app;

-- `env:NAME`, `file:PATH`: read where a run needs it, never stored.
alter table secrets alter column sealed drop not null;
alter table secrets add column ref text;
alter table secrets add constraint secrets_value_or_ref check ((sealed is null) <> (ref is null));

-- The data key that a value was sealed with; reads five bytes of it, wherever it is kept.
create function sealed_version(sealed bytea) returns integer language sql immutable parallel safe
return ('x' || encode(substring(sealed from 2 for 4), 'hex'))::bit(32)::integer;

-- Until the transaction ends, the others know that it may write with this version of the tenant's data key. Gives the newest
-- version: looked up after the lock is held, or a rotation could slip in between.
create function hold_tenant_key(tenant uuid, version integer) returns integer language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('plugboard/dek/' || tenant || '/' || version, 0));
  return (select max(dek_version) from tenant_keys where tenant_id = tenant);
end $$;

-- Whether no transaction is under way that may write with this version. Does not wait: who waited would make others wait.
create function is_tenant_key_idle(tenant uuid, version integer) returns boolean language sql volatile
return pg_try_advisory_xact_lock(hashtextextended('plugboard/dek/' || tenant || '/' || version, 0));
