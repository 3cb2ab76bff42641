import type { Statement } from "../database.ts";

export interface RequestRow {
  id: string; provider: string; note: string; status: "open" | "planned" | "declined" | "done"; requested_by: string; requested_at: Date; requested_at_text: string;
  answer: string | null; answered_by: string | null; answered_at: Date | null;
}
const COLUMNS = "id, provider, note, status, requested_by, requested_at, requested_at::text as requested_at_text, answer, answered_by, answered_at";

export const insertRequest = (tenantId: string, id: string, provider: string, note: string, by: string): Statement => ({
  text: `insert into integration_requests (tenant_id, id, provider, note, requested_by) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
  values: [tenantId, id, provider, note, by],
});

/** Newest first. */
export const selectRequests = (tenantId: string, status: string | undefined, after: readonly string[] | undefined, limit: number): Statement => ({
  text: `select ${COLUMNS} from integration_requests
         where tenant_id = $1 and ($2::text is null or status = $2) and ($3::timestamptz is null or (requested_at, id) < ($3, $4::uuid))
         order by requested_at desc, id desc limit $5`,
  values: [tenantId, status ?? null, after?.[0] ?? null, after?.[1] ?? null, limit],
});

export const selectRequest = (tenantId: string, id: string): Statement => ({
  text: `select ${COLUMNS} from integration_requests where tenant_id = $1 and id = $2`,
  values: [tenantId, id],
});

/** Over all tenants, as the scheduler: which, and of whom. */
export const selectRequestIds = (status: string | undefined, tenants: readonly string[] | undefined, after: readonly string[] | undefined, limit: number): Statement => ({
  text: `select t.slug as tenant, r.id, r.requested_at::text as requested_at_text from integration_requests r join tenants t on t.id = r.tenant_id
         where t.deleted_at is null and ($1::text is null or r.status = $1) and ($2::text[] is null or t.slug = any($2))
           and ($3::timestamptz is null or (r.requested_at, r.id) < ($3, $4::uuid))
         order by r.requested_at desc, r.id desc limit $5`,
  values: [status ?? null, tenants ?? null, after?.[0] ?? null, after?.[1] ?? null, limit],
});

export const answerRequest = (tenantId: string, id: string, status: string, answer: string, by: string): Statement => ({
  text: `update integration_requests set status = $3, answer = $4, answered_by = $5, answered_at = now() where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
  values: [tenantId, id, status, answer, by],
});
