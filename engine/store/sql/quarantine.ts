import type { Statement } from "../database.ts";

export interface QuarantineIds { readonly tenantId: string; readonly connection: string; readonly flow: string; readonly stream: string; readonly entity: string }

/** A key that is in quarantine already gets the newest reason and record. `raws` as in storeContributions. */
export const storeQuarantined = (at: QuarantineIds, entries: string, raws: Buffer, run: string, revision: string): Statement => ({
  text: `insert into quarantine as q (tenant_id, id, run_id, connection, flow, stream, entity, key, code, params, reason, raw, revision)
         select $1, id, $8, $2, $3, $4, $5, key, code, params, reason, substring($7::bytea from raw_at for raw_length), $9
         from jsonb_to_recordset($6) as e (id uuid, key text, code text, params jsonb, reason text, raw_at integer, raw_length integer)
         on conflict (tenant_id, connection, flow, key) where status = 'open' and key is not null do update set run_id = excluded.run_id, code = excluded.code,
           params = excluded.params, reason = excluded.reason, raw = excluded.raw, revision = excluded.revision, seen = q.seen + 1, updated_at = now()`,
  values: [at.tenantId, at.connection, at.flow, at.stream, at.entity, entries, raws, run, revision],
});

/** The record was stored, or left: what was wrong with it is history. */
export const resolveQuarantined = (at: QuarantineIds, keys: readonly string[]): Statement => ({
  text: `update quarantine set status = 'resolved', updated_at = now()
         where tenant_id = $1 and connection = $2 and flow = $3 and status = 'open' and key = any($4)`,
  values: [at.tenantId, at.connection, at.flow, keys],
});

/** Tried again, and no longer refused. `updated_at` stays: it is when the provider last sent the record. */
export const resolveEntries = (tenantId: string, ids: readonly string[]): Statement => ({
  text: "update quarantine set status = 'resolved' where tenant_id = $1 and id = any($2) and status = 'open'",
  values: [tenantId, ids],
});

/** Tried again, and refused again: the reason, the revision and the run are the newest; record, key and `updated_at` stay. */
export const keepQuarantined = (tenantId: string, entries: string, run: string, revision: string): Statement => ({
  text: `update quarantine q set code = e.code, params = e.params, reason = e.reason, revision = $4, run_id = $3, seen = q.seen + 1
         from jsonb_to_recordset($2) as e (id uuid, code text, params jsonb, reason text)
         where q.tenant_id = $1 and q.id = e.id and q.status = 'open'`,
  values: [tenantId, entries, run, revision],
});

export interface ReplayRow { id: string; key: string | null; raw: Buffer; received_at: string }

/**
 * Open entries that failed under another revision, and those held by a limit where there is `room` again; with `asked` also those that this run did not try yet. Newest first, at most
 * `count` and about `bytes` of them: the first comes whatever its size.
 */
export const selectToReplay = (flow: { tenantId: string; connection: string; flow: string }, run: string, revision: string,
  asked: { readonly code?: string; readonly ids?: readonly string[] } | undefined, most: { count: number; bytes: number }, room: boolean): Statement => ({
  text: `select id, key, raw, received_at from (
           select id, key, raw, received_at, updated_at, sum(octet_length(raw)) over (order by updated_at desc, id desc) - octet_length(raw) as before from (
             select id, key, raw, updated_at, extract(epoch from updated_at)::text as received_at from quarantine
             where tenant_id = $1 and connection = $2 and flow = $3 and status = 'open'
               and (revision <> $4 or ($11 and code = 'LIMIT_REACHED' and run_id <> $6) or ($5 and run_id <> $6 and ($7::text is null or code = $7) and ($8::uuid[] is null or id = any($8))))
             order by updated_at desc, id desc limit $9) newest) sized
         where before < $10 order by updated_at desc, id desc`,
  values: [flow.tenantId, flow.connection, flow.flow, revision, asked !== undefined, run, asked?.code ?? null, asked?.ids ?? null, most.count, most.bytes, room],
});

/**
 * After a complete sweep: what was there before it and did not come again is no longer at the provider. What did come and was
 * refused again is newer than its beginning; a keyless record comes as a new entry every time.
 */
export const resolveUnseen = (flow: { tenantId: string; connection: string; flow: string }, sweep: number, begunAt: string | null): Statement => ({
  text: `with pages as (select at, keys from sweep_seen where tenant_id = $1 and connection = $2 and flow = $3 and sweep = $4)
         update quarantine q set status = 'resolved'
         where tenant_id = $1 and connection = $2 and flow = $3 and status = 'open' and updated_at < least($5::timestamptz, (select min(at) from pages))
           and (key is null or not exists (select 1 from pages where q.key = any(pages.keys)))`,
  values: [flow.tenantId, flow.connection, flow.flow, sweep, begunAt],
});

export interface QuarantineGroupRow { connection: string; flow: string; code: string; count: number; keys: (string | null)[] }

/** Open entries by flow and code, most first, with the newest keys of each. */
export const groupQuarantine = (tenantId: string, filter: { flow: string | null; connection: string | null; code: string | null }, keys: number): Statement => ({
  text: `select connection, flow, code, count(*)::int as count, (array_agg(key order by updated_at desc, id desc))[1:$5] as keys from quarantine
         where tenant_id = $1 and status = 'open' and ($2::text is null or flow = $2) and ($3::text is null or connection = $3) and ($4::text is null or code = $4)
         group by connection, flow, code order by count(*) desc, flow, code`,
  values: [tenantId, filter.flow, filter.connection, filter.code, keys],
});

export interface QuarantineRow {
  id: string; run_id: string; connection: string; flow: string; stream: string; entity: string; key: string | null; code: string; params: Record<string, string>;
  reason: string; revision: string; status: string; seen: number; created_at: Date; updated_at: Date; decided_by: string | null; created_at_text: string;
}
const COLUMNS = "id, run_id, connection, flow, stream, entity, key, code, params, reason, revision, status, seen, created_at, updated_at, decided_by, created_at::text as created_at_text";

/** Newest first. */
export const selectQuarantine = (tenantId: string, filter: { status: string | null; flow: string | null; run: string | null; code: string | null }, after: readonly [string, string] | undefined, limit: number): Statement => ({
  text: `select ${COLUMNS} from quarantine
         where tenant_id = $1 and ($2::text is null or status = $2) and ($3::text is null or flow = $3) and ($4::uuid is null or run_id = $4) and ($8::text is null or code = $8)
           and ($5::timestamptz is null or (created_at, id) < ($5, $6::uuid))
         order by created_at desc, id desc limit $7`,
  values: [tenantId, filter.status, filter.flow, filter.run, after?.[0] ?? null, after?.[1] ?? null, limit, filter.code],
});

export const selectQuarantined = (tenantId: string, id: string): Statement => ({
  text: `select ${COLUMNS}, raw from quarantine where tenant_id = $1 and id = $2`,
  values: [tenantId, id],
});

export const decideQuarantined = (tenantId: string, ids: readonly string[], status: "replayed" | "discarded", by: string): Statement => ({
  text: `update quarantine set status = $3, decided_by = $4, updated_at = now() where tenant_id = $1 and id = any($2) and status = 'open' returning id`,
  values: [tenantId, ids, status, by],
});
