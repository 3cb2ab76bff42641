import type { Statement } from "../database.ts";

/** Where a flow's records are stored. */
export interface StreamIds { readonly tenantId: string; readonly connection: string; readonly stream: string; readonly entity: string }

const OF_STREAM = "tenant_id = $1 and connection = $2 and stream = $3 and entity = $4";
const ids = (stream: StreamIds): unknown[] => [stream.tenantId, stream.connection, stream.stream, stream.entity];

export interface ExistingRow { key: string; row_id: string; version: string | null; data_hash: string; record_hash: string; live: boolean; /** Written by us and acknowledged, not read. */ acknowledged: boolean; /** Decimal seconds since the epoch. */ changed_at: string }

/**
 * Hashes first: what did not change is neither sealed nor sent. No row lock: the entity's turn is ours.
 * Here and below, `lateral … offset 0` looks up one key at a time by index, whatever the planner believes: during a first sync
 * its statistics are those of an empty table, and it would rather read the whole table for every page.
 */
export const selectExisting = (stream: StreamIds, keys: readonly string[]): Statement => ({
  text: `select c.* from unnest($5::text[]) as k (key) cross join lateral (
           select key, row_id, version, data_hash, record_hash, deleted_at is null as live, acknowledged, extract(epoch from updated_at)::text as changed_at from contributions where ${OF_STREAM} and key = k.key offset 0) c`,
  values: [...ids(stream), keys],
});

/**
 * The page's contributions, and the rows that are their only contribution (`alone`), in one statement that is sent once.
 * `page` is JSON text, an array of objects with the columns below; `raws` holds all sealed raw records one after the other
 * (raw_at counts from 1): bytes go over the wire as they are, not as text.
 */
export const storeContributions = (stream: StreamIds, page: string, raws: Buffer, labels: string, run: string, at: string): Statement => ({
  text: `with page as (select * from jsonb_to_recordset($5) as p (key text, row_id uuid, version numeric, data_hash text, record_hash text, data jsonb, alone boolean, raw_at integer, raw_length integer)),
         rows as (
           insert into entity_rows as r (tenant_id, entity, id, data, labels, links, created_at, updated_at)
           select $1, $4, row_id, data, $7, jsonb_build_object($2::text, key), $9, $9 from page where alone
           on conflict (tenant_id, entity, id) do update set data = excluded.data, labels = excluded.labels, links = excluded.links, updated_at = excluded.updated_at, deleted_at = null)
         insert into contributions as c (tenant_id, connection, stream, entity, key, row_id, data, labels, version, data_hash, record_hash, raw, run_id, created_at, updated_at)
         select $1, $2, $3, $4, key, row_id, data, $7, version, data_hash, record_hash, substring($6::bytea from raw_at for raw_length), $8, $9, $9 from page
         on conflict (tenant_id, connection, stream, entity, key) do update set row_id = excluded.row_id, data = excluded.data, labels = excluded.labels,
           version = excluded.version, data_hash = excluded.data_hash, record_hash = excluded.record_hash, raw = excluded.raw, run_id = excluded.run_id,
           updated_at = case when c.data_hash = excluded.data_hash and c.deleted_at is null then c.updated_at else excluded.updated_at end,
           deleted_at = null, deleted_reason = null, acknowledged = false`,
  values: [...ids(stream), page, raws, labels, run, at],
});

/** Ends live contributions; gives the rows they belonged to. */
export const endContributions = (stream: StreamIds, keys: readonly string[], reason: "left" | "deleted" | "swept", at: string): Statement => ({
  text: `update contributions set deleted_at = $6, deleted_reason = $7, updated_at = $6 where ${OF_STREAM} and key = any($5) and deleted_at is null returning row_id`,
  values: [...ids(stream), keys, at, reason],
});

/**
 * Live contributions that a complete sweep did not see, and how many there are in all. What another door wrote since the
 * sweep began is not missing, only newer.
 */
export const selectUnseen = (stream: StreamIds, flow: string, sweep: number, begunAt: string | null): Statement => ({
  text: `with seen as (select unnest(keys) as key from sweep_seen where tenant_id = $1 and connection = $2 and flow = $5 and sweep = $6),
         begun as (select least($7::timestamptz, (select min(at) from sweep_seen where tenant_id = $1 and connection = $2 and flow = $5 and sweep = $6)) as at),
         live as (select key, updated_at from contributions where ${OF_STREAM} and deleted_at is null)
         select (select count(*)::int from live) as live,
           coalesce((select array_agg(key order by key) from live where (updated_at < (select at from begun) or (select at from begun) is null)
             and not exists (select 1 from seen where seen.key = live.key)), '{}') as missing`,
  values: [...ids(stream), flow, sweep, begunAt],
});

export interface RowContribution { row_id: string; connection: string; stream: string; key: string; data: object; labels: Record<string, string>; version: string | null; created_at: Date }

/** Live contributions of rows. */
export const selectOfRows = (tenantId: string, entity: string, rows: readonly string[]): Statement => ({
  text: `select c.* from unnest($3::uuid[]) as r (id) cross join lateral (
           select row_id, connection, stream, key, data, labels, version, created_at from contributions
           where tenant_id = $1 and entity = $2 and row_id = r.id and deleted_at is null offset 0) c`,
  values: [tenantId, entity, rows],
});

/** Which of the rows have a live contribution besides those of these keys. */
export const selectShared = (stream: StreamIds, rows: readonly string[], keys: readonly string[]): Statement => ({
  text: `select r.id as row_id from unnest($5::uuid[]) as r (id) cross join lateral (
           select 1 from contributions where tenant_id = $1 and entity = $4 and row_id = r.id and deleted_at is null
             and not (connection = $2 and stream = $3 and key = any($6)) limit 1) other`,
  values: [...ids(stream), rows, keys],
});

export const selectRaw = (stream: StreamIds, key: string): Statement => ({
  text: `select raw from contributions where ${OF_STREAM} and key = $5`,
  values: [...ids(stream), key],
});

/** Rows that were joined into another one: everything of theirs, ended contributions too, belongs to that one now. */
export const moveContributions = (tenantId: string, entity: string, moves: readonly { from: string; to: string }[]): Statement => ({
  text: `update contributions c set row_id = m.to_id from unnest($3::uuid[], $4::uuid[]) as m (from_id, to_id)
         where c.tenant_id = $1 and c.entity = $2 and c.row_id = m.from_id`,
  values: [tenantId, entity, moves.map(({ from }) => from), moves.map(({ to }) => to)],
});
