-- Typed SQL views per entity, for BI tools: entities.learner (joined rows) and entities.learner_by_origin (contributions).
-- They are security_invoker: who reads them sees what row-level security lets them see, and nothing without a tenant.

grant usage on schema entities to plugboard_app;

create table entity_views (
  entity     text primary key,
  columns    jsonb not null,
  updated_at timestamptz not null default now()
);
revoke insert, update, delete on entity_views from plugboard_app;

-- Values were checked when they were stored, but a schema may have become stricter since: what does not read as its type is
-- null here, and never an error of the whole report.
create function as_timestamptz(value text) returns timestamptz language plpgsql stable strict as $$
begin
  return value::timestamptz;
exception when others then
  return null;
end $$;
create function as_date(value text) returns date language plpgsql stable strict as $$
begin
  return left(value, 10)::date;
exception when others then
  return null;
end $$;

-- Makes or remakes both views of an entity. `columns`: [{name, kind, path, comment}], where kind is text, numeric, boolean,
-- timestamptz, date or jsonb, and path is the way from the row's jsonb (`data` or `labels`). It runs as the owner, because
-- the runtime role may create nothing; every name is quoted, every kind is from the list here.
create function sync_entity_views(entity_name text, columns jsonb) returns void language plpgsql security definer
set search_path = plugboard, pg_temp as $$
declare
  fields text := '';
  item jsonb;
  source text;
  as_text text;
  as_json text;
  expression text;
  target text;
  body text;
begin
  if entity_name !~ '^[a-z][a-z0-9_]*$' or length(entity_name) > 50 then
    raise exception 'not the name of an entity: %', entity_name using errcode = '22023';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('plugboard/entity_views/' || entity_name, 0));
  if exists (select 1 from entity_views v where v.entity = entity_name and v.columns = sync_entity_views.columns) then
    return;
  end if;
  for item in select * from jsonb_array_elements(columns) loop
    source := case item ->> 'from' when 'labels' then 'r.labels' else 'r.data' end;
    as_json := format('%s #> %L::text[]', source, array(select jsonb_array_elements_text(item -> 'path'))::text);
    as_text := format('%s #>> %L::text[]', source, array(select jsonb_array_elements_text(item -> 'path'))::text);
    expression := case item ->> 'kind'
      when 'text' then as_text
      when 'numeric' then format('case when jsonb_typeof(%s) = ''number'' then (%s)::numeric end', as_json, as_text)
      when 'boolean' then format('case when jsonb_typeof(%s) = ''boolean'' then (%s)::boolean end', as_json, as_text)
      when 'timestamptz' then format('plugboard.as_timestamptz(%s)', as_text)
      when 'date' then format('plugboard.as_date(%s)', as_text)
      else as_json
    end;
    fields := fields || format(', %s as %I', expression, item ->> 'name');
  end loop;
  for target, body in select * from (values
    (entity_name, format('select r.id%s, r.links, r.created_at, r.updated_at from plugboard.entity_rows r where r.entity = %L and r.deleted_at is null', fields, entity_name)),
    (entity_name || '_by_origin', format('select r.row_id as id, r.connection, r.stream, r.key%s, r.version, r.created_at, r.updated_at from plugboard.contributions r where r.entity = %L and r.deleted_at is null', fields, entity_name))) as views
  loop
    begin
      execute format('create or replace view entities.%I with (security_invoker = true) as %s', target, body);
    exception when invalid_table_definition then
      -- A column went, moved or changed its type. Views that somebody built on it make this fail, by name.
      execute format('drop view entities.%I', target);
      execute format('create view entities.%I with (security_invoker = true) as %s', target, body);
    end;
    execute format('grant select on entities.%I to plugboard_app', target);
    for item in select * from jsonb_array_elements(columns) loop
      execute format('comment on column entities.%I.%I is %L', target, item ->> 'name', item ->> 'comment');
    end loop;
  end loop;
  insert into entity_views (entity, columns) values (entity_name, columns)
  on conflict (entity) do update set columns = excluded.columns, updated_at = now();
end $$;
revoke execute on function sync_entity_views(text, jsonb) from public;
grant execute on function sync_entity_views(text, jsonb) to plugboard_app;
