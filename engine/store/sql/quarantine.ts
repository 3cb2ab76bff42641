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

export interface QuarantineRow {
  id: string; run_id: string; connection: string; flow: string; stream: string; entity: string; key: string | null; code: string; params: Record<string, string>;
  reason: string; revision: string; status: string; seen: number; created_at: Date; updated_at: Date; decided_by: string | null; created_at_text: string;
}
const COLUMNS = "id, run_id, connection, flow, stream, entity, key, code, params, reason, revision, status, seen, created_at, updated_at, decided_by, created_at::text as created_at_text";

/** Newest first. */
export const selectQuarantine = (tenantId: string, filter: { status: string | null; flow: string | null; run: string | null }, after: readonly [string, string] | undefined, limit: number): Statement => ({
  text: `select ${COLUMNS} from quarantine
         where tenant_id = $1 and ($2::text is null or status = $2) and ($3::text is null or flow = $3) and ($4::uuid is null or run_id = $4)
           and ($5::timestamptz is null or (created_at, id) < ($5, $6::uuid))
         order by created_at desc, id desc limit $7`,
  values: [tenantId, filter.status, filter.flow, filter.run, after?.[0] ?? null, after?.[1] ?? null, limit],
});

export const selectQuarantined = (tenantId: string, id: string): Statement => ({
  text: `select ${COLUMNS}, raw from quarantine where tenant_id = $1 and id = $2`,
  values: [tenantId, id],
});

export const decideQuarantined = (tenantId: string, ids: readonly string[], status: "replayed" | "discarded", by: string): Statement => ({
  text: `update quarantine set status = $3, decided_by = $4, updated_at = now() where tenant_id = $1 and id = any($2) and status = 'open' returning id`,
  values: [tenantId, ids, status, by],
});
