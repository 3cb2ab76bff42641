-- Limits of providers, shared by all workers. A bucket's name is hashed: these tables hold nothing of a tenant.

create table rate_buckets (
  bucket        bytea primary key,
  -- Grants per slice of the window; slices[1] belongs to slice number `slice`, slices[2] to the one before.
  slice         bigint not null default 0,
  slices        integer[] not null default '{}',
  slice_ms      bigint not null default 0,
  blocked_until timestamptz,
  updated_at    timestamptz not null default now()
) with (fillfactor = 50);

create table bucket_places (
  bucket bytea not null,
  place  uuid not null,
  until  timestamptz not null,
  primary key (bucket, place)
);

-- Takes one, or says in how many milliseconds to ask again. The window is cut into 20 slices plus the running one, and the
-- grants of all 21 together stay below the limit: no rolling window of the provider ever sees more than `most`, at the price
-- of at most a twentieth of the rate.
create function take_from_bucket(name bytea, most integer, window_ms bigint) returns bigint language plpgsql as $$
declare
  slices_per_window constant integer := 20;
  width bigint := greatest(1, ceil(window_ms::numeric / slices_per_window));
  now_ms bigint;
  this_slice bigint;
  found rate_buckets;
  counts integer[];
  shift bigint;
  taken bigint;
begin
  -- A grant that is lost in a crash was used by a worker that is lost too: no need to wait for the disk.
  perform set_config('synchronous_commit', 'off', true);
  insert into rate_buckets (bucket) values (name) on conflict do nothing;
  select * into found from rate_buckets where bucket = name for update;
  now_ms := floor(extract(epoch from clock_timestamp()) * 1000);
  if found.blocked_until > clock_timestamp() then
    return greatest(1, ceil(extract(epoch from found.blocked_until) * 1000) - now_ms);
  end if;
  this_slice := now_ms / width;
  shift := this_slice - found.slice;
  if found.slice_ms <> width or shift > slices_per_window then
    counts := array_fill(0, array[slices_per_window + 1]);
  elsif shift > 0 then
    counts := array_fill(0, array[shift::integer]) || found.slices[1 : slices_per_window + 1 - shift::integer];
  else
    counts := found.slices;
    this_slice := found.slice;                       -- the clock went back
  end if;
  select coalesce(sum(n), 0) into taken from unnest(counts) as n;
  if taken < most then
    counts[1] := counts[1] + 1;
    update rate_buckets set slice = this_slice, slices = counts, slice_ms = width, updated_at = clock_timestamp() where bucket = name;
    return 0;
  end if;
  -- The oldest slices leave first: wait until enough of them have.
  for back in reverse slices_per_window + 1 .. 1 loop
    taken := taken - counts[back];
    if taken < most then
      return greatest(1, (this_slice - back + 1 + slices_per_window + 1) * width - now_ms);
    end if;
  end loop;
  return width;
end $$;

-- Takes one of `most` places until it is left or its time is up; null when all are taken.
create function enter_bucket(name bytea, most integer, seconds double precision) returns uuid language plpgsql as $$
declare
  taken integer;
  mine uuid := gen_random_uuid();
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into rate_buckets (bucket) values (name) on conflict do nothing;
  perform 1 from rate_buckets where bucket = name for update;
  delete from bucket_places where bucket = name and until < clock_timestamp();
  select count(*) into taken from bucket_places where bucket = name;
  if taken >= most then
    return null;
  end if;
  insert into bucket_places (bucket, place, until) values (name, mine, clock_timestamp() + make_interval(secs => seconds));
  return mine;
end $$;
