import type { Statement } from "../database.ts";

/** Those behind one of these in the same (flow, row) wait. One that is held does not stand in the way: a newer change supersedes it. */
const IN_THE_WAY = "('waiting', 'queued', 'sending', 'unknown')";

const FIRST_OF_ROW = `not exists (select from deliveries e where e.tenant_id = $1 and e.flow = d.flow and e.row_id = d.row_id and e.seq < d.seq and e.status in ${IN_THE_WAY})`;

export interface DeliveryRow {
  id: string; seq: string; flow: string; entity: string; row_id: string; cause: string; changed_at: Date; kind: string; target: string; operation: string; chosen: string | null; chosen_key: string | null;
  status: string; key: string; code: string | null; reason: string | null; unsure: boolean; batch: string | null; revision: string; attempts: number; attempts_base: number; epoch: string;
  due_at: Date | null; first_sent_at: Date | null; last_sent_at: Date | null; hold_role: string | null; let_pass: boolean; decided_by: string | null; decided_at: Date | null; superseded_by: string | null;
  result_key: string | null; result_version: string | null; created_at: Date; finished_at: Date | null;
}

const COLUMNS = `id, seq, flow, entity, row_id, cause, changed_at, kind, target, operation, chosen, chosen_key, status, key, code, reason, unsure, batch, revision, attempts, attempts_base, epoch,
  due_at, first_sent_at, last_sent_at, hold_role, let_pass, decided_by, decided_at, superseded_by, result_key, result_version, created_at, finished_at`;
const columns = (of: string): string => COLUMNS.split(",").map((name) => `${of}.${name.trim()}`).join(", ");

const TAKE = `update deliveries d set status = 'sending', owner = $2, epoch = d.epoch + 1, lease_until = now() + make_interval(secs => $3), due_at = now() + make_interval(secs => $3)
         from ready where d.tenant_id = $1 and d.id = ready.id returning ${columns("d")}, d.payload, (select revision from tenants where id = $1) as in_force`;

/**
 * JSON text of one delivery, and its sealed payload. 0 rows: the flow has made one of this change already. Older ones of the row
 * that still wait for a person give way.
 */
export const insertDelivery = (tenantId: string, delivery: string, payload: Buffer): Statement => ({
  text: `with made as (
           insert into deliveries (tenant_id, id, flow, entity, row_id, change_seq, cause, changed_at, kind, target, operation, status, key, payload, code, reason, revision, due_at, hold_role, finished_at)
           select $1, id, flow, entity, row_id, change_seq, cause, changed_at, kind, target, operation, status, key, $3, code, reason, revision,
             case when status in ('queued', 'waiting') then clock_timestamp() + make_interval(secs => coalesce(in_seconds, 0)) end, hold_role, case when status = 'failed' then clock_timestamp() end
           from jsonb_to_record($2) as d (id uuid, flow text, entity text, row_id uuid, change_seq bigint, cause text, changed_at timestamptz, kind text, target text, operation text, status text,
             key text, code text, reason text, revision text, hold_role text, in_seconds double precision)
           on conflict (tenant_id, flow, change_seq) do nothing returning id, flow, row_id),
         older as (
           update deliveries h set status = 'superseded', superseded_by = made.id, finished_at = clock_timestamp(), reason = 'A newer change of the row came before it was decided.'
           from made where h.tenant_id = $1 and h.flow = made.flow and h.row_id = made.row_id and h.status = 'held' and h.id <> made.id)
         select id from made`,
  values: [tenantId, delivery, payload],
});

/** Those of the same row that still wait for a person: the newer change counts. */
export const supersedeHeld = (tenantId: string, flow: string, row: string, by: string): Statement => ({
  text: `update deliveries set status = 'superseded', superseded_by = $4, finished_at = clock_timestamp(), reason = 'A newer change of the row came before it was decided.'
         where tenant_id = $1 and flow = $2 and row_id = $3 and status = 'held' and id <> $4 returning id`,
  values: [tenantId, flow, row, by],
});

/** Over all tenants, as the scheduler: who has something to do now. */
export const selectDueTenants = (): Statement => ({
  text: `select t.slug as tenant from tenants t where t.deleted_at is null and t.status = 'active'
           and exists (select from deliveries d where d.tenant_id = t.id and d.status in ('queued', 'waiting', 'sending') and d.due_at <= now())`,
  values: [],
});

/** Over all tenants, as the scheduler. */
export const selectNextDelivery = (): Statement => ({
  text: "select min(due_at) as due_at from deliveries where status in ('queued', 'waiting', 'sending') and due_at > now()",
  values: [],
});

/** Over all tenants, as the scheduler: numbers for metrics. */
export const countUnfinished = (): Statement => ({
  text: `select status, count(*)::int as count, coalesce(extract(epoch from now() - min(due_at)), 0)::float8 as seconds
         from deliveries where finished_at is null group by status`,
  values: [],
});

/**
 * Takes deliveries that are due and first of their (flow, row). While one is being sent, `due_at` is the end of its lease. Of those
 * that were sent together the first stands for all: who takes it takes the others by `claimAlike`.
 */
export const claimDeliveries = (tenantId: string, owner: string, leaseSeconds: number, limit: number): Statement => ({
  text: `with ready as (
           select d.id from deliveries d
           where d.tenant_id = $1 and d.status in ('queued', 'waiting') and d.due_at <= clock_timestamp() and ${FIRST_OF_ROW}
             and (d.batch is null or not exists (select from deliveries b where b.tenant_id = $1 and b.flow = d.flow and b.batch = d.batch and b.seq < d.seq and b.status in ('queued', 'sending')))
           order by d.due_at, d.seq limit $4 for update skip locked)
         ${TAKE}`,
  values: [tenantId, owner, leaseSeconds, limit],
});

/** Those that may share a request with one that was taken: the others of its batch, due or not; or such as were never sent. */
export const claimAlikeDeliveries = (tenantId: string, owner: string, leaseSeconds: number, limit: number, flow: string, batch: string | null): Statement => ({
  text: `with ready as (
           select d.id from deliveries d
           where d.tenant_id = $1 and d.flow = $5 and d.status = 'queued' and ${batch === null ? "d.batch is null and not d.unsure and d.due_at <= clock_timestamp()" : "d.batch = $6::uuid"} and ${FIRST_OF_ROW}
           order by d.seq limit $4 for update skip locked)
         ${TAKE}`,
  values: [tenantId, owner, leaseSeconds, limit, flow, ...(batch === null ? [] : [batch])],
});

/** Those whose worker fell silent. What was begun may have arrived; what was not, did not. Leases of those that are sent together end together. */
export const recoverDeliveries = (tenantId: string): Statement => ({
  text: `with lost as (select d.id from deliveries d where d.tenant_id = $1 and d.status = 'sending' and d.lease_until < now() for update skip locked),
         ended as (update delivery_attempts a set outcome = 'unknown', ended_at = clock_timestamp(), code = 'DELIVERY_LOST', reason = 'Its worker was lost before it said how this ended.'
                   from lost where a.tenant_id = $1 and a.delivery_id = lost.id and a.outcome is null returning a.delivery_id)
         update deliveries d set status = 'queued', owner = null, lease_until = null, epoch = d.epoch + 1, due_at = clock_timestamp(), unsure = d.unsure or exists (select from ended where ended.delivery_id = d.id),
           reason = case when exists (select from ended where ended.delivery_id = d.id) then 'Its worker was lost while it was being sent.' else d.reason end
         from lost where d.tenant_id = $1 and d.id = lost.id returning d.id`,
  values: [tenantId],
});

/**
 * The fence before every first request: whoever lost the delivery gets 0 rows and sends nothing. Counts the attempt, freezes what
 * is sent together and which action it is.
 */
export const beginAttempt = (tenantId: string, id: string, epoch: string, attempt: { readonly id: string; readonly worker: string; readonly leaseSeconds: number; readonly batch: string | null; readonly chosen: string | null; readonly chosenKey: string | null }): Statement => ({
  text: `with mine as (
           update deliveries set attempts = attempts + 1, first_sent_at = case when unsure and first_sent_at is not null then first_sent_at else clock_timestamp() end, last_sent_at = clock_timestamp(), batch = $7::uuid, chosen = $8, chosen_key = $9,
             lease_until = now() + make_interval(secs => $6), due_at = now() + make_interval(secs => $6)
           where tenant_id = $1 and id = $2 and epoch = $3 and status = 'sending' and lease_until > clock_timestamp() returning attempts)
         insert into delivery_attempts (tenant_id, id, delivery_id, number, worker) select $1, $4, $2, attempts, $5 from mine returning number`,
  values: [tenantId, id, epoch, attempt.id, attempt.worker, attempt.leaseSeconds, attempt.batch, attempt.chosen, attempt.chosenKey],
});

/** The fence before every further request of an attempt, and what keeps its lease. */
export const keepDelivery = (tenantId: string, id: string, epoch: string, leaseSeconds: number): Statement => ({
  text: `update deliveries set lease_until = now() + make_interval(secs => $4), due_at = now() + make_interval(secs => $4)
         where tenant_id = $1 and id = $2 and epoch = $3 and status = 'sending' and lease_until > clock_timestamp() returning id`,
  values: [tenantId, id, epoch, leaseSeconds],
});

export interface Marked {
  readonly status: string; readonly code: string | null; readonly reason: string | null; readonly unsure: boolean; readonly inSeconds: number | null; readonly batch: string | null;
  readonly key: string | null; readonly version: string | null; readonly payload: Buffer | null; readonly restart: boolean;
}

/** How it stands now. 0 rows: it belongs to somebody else. `payload` when it was mapped only now. */
export const markDelivery = (tenantId: string, id: string, epoch: string, marked: Marked): Statement => ({
  text: `update deliveries set status = $4, code = $5, reason = $6, unsure = $7, due_at = case when $8::float8 is not null then clock_timestamp() + make_interval(secs => $8) end, batch = $9::uuid,
           result_key = coalesce($10, result_key), result_version = coalesce($11, result_version), payload = coalesce($12, payload), owner = null, lease_until = null, attempts_base = case when $13 then attempts else attempts_base end,
           finished_at = case when $4 in ('delivered', 'unchanged', 'failed', 'exhausted', 'cancelled', 'superseded') then clock_timestamp() end
         where tenant_id = $1 and id = $2 and epoch = $3 and status = 'sending' returning id`,
  values: [tenantId, id, epoch, marked.status, marked.code, marked.reason, marked.unsure, marked.inSeconds, marked.batch, marked.key, marked.version, marked.payload, marked.restart],
});

export const endAttempt = (tenantId: string, id: string, outcome: string, code: string | null, reason: string | null, httpStatus: number | null, exchange: Buffer | null): Statement => ({
  text: "update delivery_attempts set ended_at = clock_timestamp(), outcome = $3, code = $4, reason = $5, http_status = $6, exchange = $7 where tenant_id = $1 and id = $2",
  values: [tenantId, id, outcome, code, reason, httpStatus, exchange],
});

/** Deliveries of a row in the last hour that arrived: what the loop guard counts. */
export const countRecent = (tenantId: string, flow: string, row: string): Statement => ({
  text: `select count(*)::int as count from deliveries where tenant_id = $1 and flow = $2 and row_id = $3 and status = 'delivered' and finished_at > clock_timestamp() - interval '1 hour'`,
  values: [tenantId, flow, row],
});

export interface DeliveryQuery { readonly status: readonly string[] | null; readonly flow: string | null; readonly target: string | null; readonly row: string | null; readonly code: string | null; /** The role that held ones wait for. */ readonly role: string | null }

/** Newest first. `gap`: an earlier one of the row did not arrive. */
export const selectDeliveries = (tenantId: string, filter: DeliveryQuery, after: string | undefined, limit: number): Statement => ({
  text: `select ${columns("d")}, exists (select from deliveries e where e.tenant_id = $1 and e.flow = d.flow and e.row_id = d.row_id and e.seq < d.seq and e.status in ('failed', 'exhausted', 'cancelled')) as gap,
           (select e.id from deliveries e where e.tenant_id = $1 and e.flow = d.flow and e.row_id = d.row_id and e.seq < d.seq and e.status in ${IN_THE_WAY} and d.status in ('queued', 'waiting') order by e.seq limit 1) as behind
         from deliveries d where d.tenant_id = $1 and ($2::text[] is null or d.status = any($2)) and ($3::text is null or d.flow = $3) and ($4::text is null or d.target = $4) and ($5::uuid is null or d.row_id = $5)
           and ($6::text is null or d.code = $6) and ($8::text is null or d.hold_role = $8) ${after === undefined ? "" : "and d.seq < $9::bigint"}
         order by d.seq desc limit $7`,
  values: [tenantId, filter.status, filter.flow, filter.target, filter.row, filter.code, limit, filter.role, ...(after === undefined ? [] : [after])],
});

export const selectDelivery = (tenantId: string, id: string, lock = false): Statement => ({
  text: `select ${columns("d")}, d.payload, exists (select from deliveries e where e.tenant_id = $1 and e.flow = d.flow and e.row_id = d.row_id and e.seq < d.seq and e.status in ('failed', 'exhausted', 'cancelled')) as gap,
           (select e.id from deliveries e where e.tenant_id = $1 and e.flow = d.flow and e.row_id = d.row_id and e.seq < d.seq and e.status in ${IN_THE_WAY} and d.status in ('queued', 'waiting') order by e.seq limit 1) as behind
         from deliveries d where d.tenant_id = $1 and d.id = $2 ${lock ? "for update of d" : ""}`,
  values: [tenantId, id],
});

export interface AttemptRow { id: string; number: number; worker: string; started_at: Date; ended_at: Date | null; outcome: string | null; code: string | null; reason: string | null; http_status: number | null; exchange: Buffer | null }

export const selectAttempts = (tenantId: string, delivery: string): Statement => ({
  text: "select id, number, worker, started_at, ended_at, outcome, code, reason, http_status, exchange from delivery_attempts where tenant_id = $1 and delivery_id = $2 order by number, started_at",
  values: [tenantId, delivery],
});

/**
 * Sends finished ones again, under their id: in their order, so many a second. One whose row was saved anew since stays: it would
 * put an older state in a newer one's place.
 */
export const replayDeliveries = (tenantId: string, ids: readonly string[] | null, filter: DeliveryQuery, perSecond: number, limit: number): Statement => ({
  text: `with chosen as (
           select d.id, d.seq from deliveries d where d.tenant_id = $1 and ($2::uuid[] is null or d.id = any($2)) and d.status = any($3)
             and ($4::text is null or d.flow = $4) and ($5::text is null or d.target = $5) and ($6::uuid is null or d.row_id = $6) and ($9::text is null or d.code = $9)
             and not (d.kind = 'save' and exists (select from deliveries e where e.tenant_id = $1 and e.flow = d.flow and e.row_id = d.row_id and e.seq > d.seq and e.status in ('delivered', 'unchanged')))
           order by d.seq limit $8 for update),
         numbered as (select id, row_number() over (order by seq) - 1 as place from chosen)
         update deliveries d set status = case when d.code like 'MAPPING\\_%' or d.code = 'DELIVERY_REFERENCE' then 'waiting' else 'queued' end, due_at = clock_timestamp() + make_interval(secs => place / $7::float8),
           attempts_base = d.attempts, code = null, reason = null, unsure = d.unsure and d.status = 'exhausted', first_sent_at = case when d.unsure and d.status = 'exhausted' then d.first_sent_at end, batch = null, chosen = null, chosen_key = null, finished_at = null
         from numbered where d.tenant_id = $1 and d.id = numbered.id returning d.id`,
  values: [tenantId, ids, filter.status, filter.flow, filter.target, filter.row, perSecond, limit, filter.code],
});

/** A person's word on one that nobody knows about, that waits, or that is not wanted any more. 0 rows: it is not in one of these states. */
export const decideDelivery = (tenantId: string, id: string, from: readonly string[], to: { readonly status: string; readonly by: string; readonly reason: string | null; readonly letPass?: boolean }): Statement => ({
  text: `update deliveries set status = $4, decided_by = $5, decided_at = clock_timestamp(), reason = $6, let_pass = let_pass or $7, unsure = false, epoch = epoch + 1, code = null,
           batch = case when $4 = 'queued' then null else batch end, first_sent_at = case when $4 = 'queued' then null else first_sent_at end,
           due_at = case when $4 = 'queued' then clock_timestamp() end, finished_at = case when $4 <> 'queued' then clock_timestamp() end
         where tenant_id = $1 and id = $2 and status = any($3) returning id`,
  values: [tenantId, id, from, to.status, to.by, to.reason, to.letPass === true],
});

/** Everything unfinished that goes to a target: it is gone from the configuration, or was disabled. */
export const putOffTarget = (tenantId: string, kinds: readonly string[], target: string, seconds: number, reason: string): Statement => ({
  text: `update deliveries set due_at = greatest(due_at, clock_timestamp() + make_interval(secs => $4)), reason = $5, code = 'DELIVERY_WAITS'
         where tenant_id = $1 and kind = any($2) and target = $3 and status = 'queued' and due_at < clock_timestamp() + make_interval(secs => $4)`,
  values: [tenantId, kinds, target, seconds, reason],
});

/** What waited for the target alone is due now. */
export const recallTarget = (tenantId: string, kinds: readonly string[], target: string): Statement => ({
  text: "update deliveries set due_at = clock_timestamp() where tenant_id = $1 and kind = any($2) and target = $3 and status in ('queued', 'waiting') and code = 'DELIVERY_WAITS' and due_at > clock_timestamp()",
  values: [tenantId, kinds, target],
});

export const recallWaiting = (tenantId: string): Statement => ({
  text: "update deliveries set due_at = clock_timestamp() where tenant_id = $1 and status in ('queued', 'waiting') and code = 'DELIVERY_WAITS' and due_at > clock_timestamp()",
  values: [tenantId],
});

/** Bounded, oldest first. */
export const deleteOldDeliveries = (tenantId: string, days: number, limit: number): Statement => ({
  text: `delete from deliveries where tenant_id = $1 and id in (
           select id from deliveries where tenant_id = $1 and finished_at < now() - make_interval(days => $2) order by finished_at limit $3) returning id`,
  values: [tenantId, days, limit],
});

/** Over all tenants, as the scheduler. */
export const selectTenantsWithOld = (days: number): Statement => ({
  text: `select t.slug as tenant from tenants t where t.deleted_at is null
           and exists (select from deliveries d where d.tenant_id = t.id and d.finished_at < now() - make_interval(days => $1))`,
  values: [days],
});

export const deleteOldTokens = (tenantId: string, days: number): Statement => ({
  text: "delete from minted_tokens where tenant_id = $1 and expires_at < now() - make_interval(days => $2)",
  values: [tenantId, days],
});

export const insertMinted = (tenantId: string, token: { readonly hash: Buffer; readonly kind: string; readonly about: string | null; readonly delivery: string; readonly flow: string; readonly row: string; readonly validSeconds: number | null }): Statement => ({
  text: `insert into minted_tokens (tenant_id, hash, kind, about, delivery_id, flow, row_id, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, case when $8::float8 is not null then clock_timestamp() + make_interval(secs => $8) end)`,
  values: [tenantId, token.hash, token.kind, token.about, token.delivery, token.flow, token.row, token.validSeconds],
});

export const selectMinted = (tenantId: string, hash: Buffer): Statement => ({
  text: "select kind, about, delivery_id, flow, row_id, expires_at from minted_tokens where tenant_id = $1 and hash = $2 and (expires_at is null or expires_at > now())",
  values: [tenantId, hash],
});
