import type { Statement } from "../database.ts";

/** One row at one connection: of which stream, of which entity, whose row. */
export interface LinkIds { readonly tenantId: string; readonly connection: string; readonly stream: string; readonly entity: string; readonly row: string }

const ids = (link: LinkIds): unknown[] => [link.tenantId, link.connection, link.stream, link.entity, link.row];

export interface LinkRow { key: string | null; version: string | null; input_hash: string | null; contribution: { key: string; data: object; version: string | null } | null }

/** What the connection has of the row: what we gave it last (under any id the row had), and what it says itself. A record that was deleted there is none. */
export const selectLink = (link: LinkIds): Statement => ({
  text: `select l.key, l.version, l.input_hash, (
           select jsonb_build_object('key', c.key, 'data', c.data, 'version', c.version::text) from contributions c
           where c.tenant_id = $1 and c.row_id = $5 and c.entity = $4 and c.connection = $2 and c.stream = $3 and c.deleted_at is null order by c.created_at, c.key limit 1) as contribution
         from (select 1) as one left join lateral (
           select key, version, input_hash from links where tenant_id = $1 and connection = $2 and stream = $3 and entity = $4
             and (row_id = $5 or row_id in (select alias from entity_aliases where tenant_id = $1 and entity = $4 and id = $5))
             and not exists (select from contributions c where c.tenant_id = $1 and c.connection = $2 and c.stream = $3 and c.entity = $4 and c.key = links.key and c.deleted_at is not null)
           order by updated_at desc limit 1) l on true`,
  values: ids(link),
});

/** The keys that connections gave to rows which only we have written there; links of rows that were joined into these, too. */
export const selectLinkedKeys = (tenantId: string, rows: readonly string[]): Statement => ({
  text: `with wanted as (select r as row, r as id from unnest($2::uuid[]) as r union select id, alias from entity_aliases where tenant_id = $1 and id = any($2))
         select distinct on (w.row, l.connection) w.row, l.connection, l.key from wanted w join links l on l.tenant_id = $1 and l.row_id = w.id
         where l.key is not null order by w.row, l.connection, l.updated_at desc`,
  values: [tenantId, rows],
});

export const upsertLink = (link: LinkIds, given: { readonly key: string | null; readonly version: string | null; readonly inputHash: string | null; readonly delivery: string }): Statement => ({
  text: `insert into links as l (tenant_id, connection, stream, entity, row_id, key, version, input_hash, delivery_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (tenant_id, connection, stream, entity, row_id) do update set key = excluded.key, version = coalesce(excluded.version, l.version), input_hash = excluded.input_hash,
           delivery_id = excluded.delivery_id, updated_at = clock_timestamp()`,
  values: [...ids(link), given.key, given.version, given.inputHash, given.delivery],
});

/** The keys mean nothing at another account. */
export const deleteLinks = (tenantId: string, connection: string): Statement => ({ text: "delete from links where tenant_id = $1 and connection = $2", values: [tenantId, connection] });

/** What waits to be sent there begins anew: what it was sent as before was meant for another account. */
export const resetSent = (tenantId: string, connection: string): Statement => ({
  text: `update deliveries set chosen = null, chosen_key = null, unsure = false, first_sent_at = null, batch = null
         where tenant_id = $1 and target = $2 and kind in ('action', 'save') and status in ('queued', 'held', 'unknown')`,
  values: [tenantId, connection],
});

/** The row that an id stands for now: its own, or the one it was joined into. */
export const selectCurrentRow = (tenantId: string, entity: string, row: string): Statement => ({
  text: "select coalesce((select id from entity_aliases where tenant_id = $1 and entity = $2 and alias = $3), $3) as id",
  values: [tenantId, entity, row],
});

export interface ContributionRow { row_id: string; data: object; version: string | null; live: boolean; labels: Record<string, string> }

export const selectContribution = (link: Omit<LinkIds, "row">, key: string): Statement => ({
  text: "select row_id, data, version, deleted_at is null as live, labels from contributions where tenant_id = $1 and connection = $2 and stream = $3 and entity = $4 and key = $5",
  values: [link.tenantId, link.connection, link.stream, link.entity, key],
});

/** What the connection acknowledged, as its own view of the row. `joined`: from now on rows of the entity have several contributions. */
export const storeAcknowledged = (link: LinkIds, key: string, given: { readonly data: string; readonly labels: string; readonly version: string | null; readonly hash: string; readonly delivery: string; readonly at: string }): Statement => ({
  text: `with joined as (update entity_clocks set joined = true where tenant_id = $1 and entity = $4 and not joined)
         insert into contributions as c (tenant_id, connection, stream, entity, key, row_id, data, labels, version, data_hash, record_hash, run_id, created_at, updated_at, acknowledged)
         values ($1, $2, $3, $4, $6, $5, $7, $8, $9::numeric, $10, $10, $11, $12, $12, true)
         on conflict (tenant_id, connection, stream, entity, key) do update set row_id = excluded.row_id, data = excluded.data, version = coalesce(excluded.version, c.version), data_hash = excluded.data_hash,
           record_hash = excluded.record_hash, raw = null, run_id = excluded.run_id, updated_at = excluded.updated_at, deleted_at = null, deleted_reason = null, acknowledged = true`,
  values: [...ids(link), key, given.data, given.labels, given.version, given.hash, given.delivery, given.at],
});

/** The row that a reference means: the live record of that key at one of the connections the referring row comes from. */
export const selectReferenced = (tenantId: string, entity: string, key: string, connections: readonly string[]): Statement => ({
  text: `select r.id, r.data, r.links from contributions c join entity_rows r on r.tenant_id = c.tenant_id and r.entity = c.entity and r.id = c.row_id
         where c.tenant_id = $1 and c.entity = $2 and c.key = $3 and c.connection = any($4) and c.deleted_at is null and r.deleted_at is null
         order by array_position($4::text[], c.connection) limit 1`,
  values: [tenantId, entity, key, connections],
});

export const selectRow = (tenantId: string, entity: string, row: string): Statement => ({
  text: `select id, data, links, updated_at, deleted_at is null as live from entity_rows where tenant_id = $1 and entity = $2
         and id = coalesce((select id from entity_aliases where tenant_id = $1 and entity = $2 and alias = $3), $3)`,
  values: [tenantId, entity, row],
});
