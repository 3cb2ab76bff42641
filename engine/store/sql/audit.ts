import type { Statement } from "../database.ts";
import type { Json } from "../../manifest/types.ts";

export interface AuditRow {
  id: string; at: Date; actor_kind: string; actor_id: string; actor_name: string; impersonator: string | null; action: string;
  subject_kind: string; subject_id: string; before: Json; after: Json; reason: string | null; ip: string | null; request_id: string | null;
}

const json = (value: Json | undefined): string | null => (value === undefined ? null : JSON.stringify(value));

/** To the millisecond: what a page ends at is said in text, and nothing must lie between the text and the row. */
export const insertAudit = (tenantId: string, row: { id: string; actor: { kind: string; id: string; name: string; impersonator?: string; ip?: string; request?: string }; action: string; subject: { kind: string; id: string }; before?: Json; after?: Json; reason?: string }): Statement => ({
  text: `insert into audit_log (tenant_id, id, actor_kind, actor_id, actor_name, impersonator, action, subject_kind, subject_id, before, after, reason, ip, request_id, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, date_trunc('milliseconds', clock_timestamp()))`,
  values: [tenantId, row.id, row.actor.kind, row.actor.id, row.actor.name, row.actor.impersonator ?? null, row.action, row.subject.kind, row.subject.id, json(row.before), json(row.after), row.reason ?? null, row.actor.ip ?? null, row.actor.request ?? null],
});

/** Newest first. `after`: the time and id of the last row of the page before. */
export const selectAudit = (tenantId: string, filter: { actor?: string; action?: string; subject?: string; since?: string; until?: string; after?: readonly [at: string, id: string]; limit: number }): Statement => ({
  text: `select id, at, actor_kind, actor_id, actor_name, impersonator, action, subject_kind, subject_id, before, after, reason, ip, request_id
         from audit_log
         where tenant_id = $1
           and ($2::text is null or actor_id = $2) and ($3::text is null or action = $3) and ($4::text is null or subject_id = $4)
           and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
           and ($7::timestamptz is null or (at, id) < ($7, $8::uuid))
         order by at desc, id desc limit $9`,
  values: [tenantId, filter.actor ?? null, filter.action ?? null, filter.subject ?? null, filter.since ?? null, filter.until ?? null, filter.after?.[0] ?? null, filter.after?.[1] ?? null, filter.limit],
});
