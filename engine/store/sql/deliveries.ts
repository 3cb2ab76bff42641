import type { Statement } from "../database.ts";

/** Those behind one of these in the same (flow, row) wait. One that is held does not stand in the way: a newer change supersedes it. */
const IN_THE_WAY = "('waiting', 'queued', 'sending', 'unknown')";

/** What arrived, or may have. */
const SENT = "('sending', 'unknown', 'delivered', 'unchanged')";

/** One that waits for a person is out of date when one of these is newer. */
const COUNTS = "('held', 'queued', 'sending', 'unknown', 'delivered', 'unchanged')";

/** Not one of a flow that a person paused. */
const GOES = "(d.flow <> all(array(select flow from change_flows where tenant_id = $1 and paused_at is not null)))";

/** How long one that stands behind another is not looked at, unless it is called. */
const PARKED = "10 minutes";

/** A look at the index for each, whatever the planner believes of the table: `not exists` becomes a join, which before the first `analyze` reads all of them for each. */
const FIRST_OF_ROW = `(select true from deliveries e where e.tenant_id = $1 and e.flow = d.flow and e.row_id = d.row_id and e.seq < d.seq and e.status in ${IN_THE_WAY} limit 1) is null`;

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
 * JSON text of a list of deliveries, no two of them of one (flow, row), and their sealed payloads. Those that are missing in the
 * answer were made of their change already. Older ones of the row that still wait for a person give way.
 */
export const insertDeliveries = (tenantId: string, deliveries: string, payloads: readonly Buffer[]): Statement => ({
  text: `with made as (
           insert into deliveries (tenant_id, id, flow, entity, row_id, change_seq, cause, changed_at, kind, target, operation, status, key, payload, code, reason, revision, due_at, hold_role, finished_at)
           select $1, id, flow, entity, row_id, change_seq, cause, changed_at, kind, target, operation, status, key, ($3::bytea[])[place], code, reason, revision,
             case when status in ('queued', 'waiting') then clock_timestamp() + make_interval(secs => coalesce(in_seconds, 0)) end, hold_role, case when status = 'failed' then clock_timestamp() end
           from jsonb_to_recordset($2) as d (place int, id uuid, flow text, entity text, row_id uuid, change_seq bigint, cause text, changed_at timestamptz, kind text, target text, operation text, status text,
             key text, code text, reason text, revision text, hold_role text, in_seconds double precision) order by place
           on conflict (tenant_id, flow, change_seq) do nothing returning id, flow, row_id),
         older as (
           update deliveries h set status = 'superseded', superseded_by = made.id, finished_at = clock_timestamp(), reason = 'A newer change of the row came before it was decided.'
           from made where h.tenant_id = $1 and h.flow = made.flow and h.row_id = made.row_id and h.status = 'held' and h.id <> made.id)
         select id from made`,
  values: [tenantId, deliveries, payloads],
});

/** One waits for a person now: older ones of its row that do give way, and it gives way itself where a newer one came meanwhile. */
export const giveWay = (tenantId: string, flow: string, row: string, held: string): Statement => ({
  text: `with own as (select seq from deliveries where tenant_id = $1 and id = $4),
         newest as (select e.id from deliveries e, own where e.tenant_id = $1 and e.flow = $2 and e.row_id = $3 and e.seq > own.seq and e.status in ${COUNTS} order by e.seq desc limit 1)
         update deliveries h set status = 'superseded', superseded_by = coalesce((select id from newest), $4), finished_at = clock_timestamp(), reason = 'A newer change of the row came before it was decided.'
         from own where h.tenant_id = $1 and h.flow = $2 and h.row_id = $3 and h.status = 'held' and h.seq <= own.seq and h.id <> coalesce((select id from newest), $4) returning h.id`,
  values: [tenantId, flow, row, held],
});

/** A newer one of the row that was sent, or is being: what is older must not take its place. */
export const selectNewerSent = (tenantId: string, flow: string, row: string, place: number): Statement => ({
  text: `select id from deliveries where tenant_id = $1 and flow = $2 and row_id = $3 and seq > $4 and status in ${SENT} order by seq desc limit 1`,
  values: [tenantId, flow, row, place],
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
 * Of the oldest that are due, those of a paused flow, and those that stand behind another one of their (flow, row), are put off:
 * ten thousand of them must not be looked at by every claim. It waits for nobody, so that nobody waits in a circle. Whatever ends calls the next of its row (`markDelivery`), and touches
 * it whenever it is due: one that is called while this statement looks is a newer version, and stays.
 */
export const parkDeliveries = (tenantId: string, window: number): Statement => ({
  text: `with oldest as materialized (
           select d.id, d.due_at, d.flow, d.row_id, d.seq from deliveries d
           where d.tenant_id = $1 and d.status in ('queued', 'waiting') and d.due_at <= clock_timestamp() order by d.due_at, d.seq limit $2),
         behind as materialized (select d.id, d.due_at from oldest d where not ${FIRST_OF_ROW} or not ${GOES}),
         free as (
           select d.id from deliveries d where d.tenant_id = $1 and d.id = any(array(select id from behind)) and (d.id, d.due_at) in (select id, due_at from behind) and d.status in ('queued', 'waiting') for update of d skip locked)
         update deliveries d set due_at = clock_timestamp() + interval '${PARKED}' from free where d.tenant_id = $1 and d.id = free.id returning d.id`,
  values: [tenantId, window],
});

/** Gives back what was claimed and not begun. Of this claim: whoever lost it may have claimed it anew, and be sending it. */
export const releaseDeliveries = (tenantId: string, claims: readonly { readonly id: string; readonly epoch: string }[]): Statement => ({
  text: `update deliveries d set status = 'queued', owner = null, lease_until = null, epoch = d.epoch + 1, due_at = clock_timestamp()
         from unnest($2::uuid[], $3::bigint[]) as c (id, epoch) where d.tenant_id = $1 and d.id = c.id and d.epoch = c.epoch and d.status = 'sending' returning d.id`,
  values: [tenantId, claims.map(({ id }) => id), claims.map(({ epoch }) => epoch)],
});

/**
 * Takes deliveries that are due and first of their (flow, row). While one is being sent, `due_at` is the end of its lease. Of those
 * that were sent together the first stands for all: who takes it takes the others by `claimAlike`.
 */
export const claimDeliveries = (tenantId: string, owner: string, leaseSeconds: number, limit: number): Statement => ({
  text: `with ready as (
           select d.id from deliveries d
           where d.tenant_id = $1 and d.status in ('queued', 'waiting') and d.due_at <= clock_timestamp() and ${GOES} and ${FIRST_OF_ROW}
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
export const beginAttempts = (tenantId: string, worker: string, leaseSeconds: number, begun: readonly Begun[]): Statement => ({
  text: `with asked as (select * from unnest($4::uuid[], $5::bigint[], $6::uuid[], $7::uuid[], $8::text[], $9::text[]) as a (id, epoch, attempt, batch, chosen, chosen_key)),
         mine as (
           update deliveries d set attempts = d.attempts + 1, first_sent_at = case when d.unsure and d.first_sent_at is not null then d.first_sent_at else clock_timestamp() end, last_sent_at = clock_timestamp(),
             batch = a.batch, chosen = a.chosen, chosen_key = a.chosen_key, lease_until = now() + make_interval(secs => $3), due_at = now() + make_interval(secs => $3)
           from asked a where d.tenant_id = $1 and d.id = a.id and d.epoch = a.epoch and d.status = 'sending' and d.lease_until > clock_timestamp() returning d.id, d.attempts, a.attempt)
         insert into delivery_attempts (tenant_id, id, delivery_id, number, worker) select $1, attempt, id, attempts, $2 from mine returning delivery_id as id, number`,
  values: [tenantId, worker, leaseSeconds, begun.map(({ id }) => id), begun.map(({ epoch }) => epoch), begun.map(({ attempt }) => attempt), begun.map(({ batch }) => batch), begun.map(({ chosen }) => chosen), begun.map(({ chosenKey }) => chosenKey)],
});

export interface Begun { readonly id: string; readonly epoch: string; /** Id of the attempt. */ readonly attempt: string; readonly batch: string | null; readonly chosen: string | null; readonly chosenKey: string | null }

/** The fence before every further request of an attempt, and what keeps its lease. */
export const keepDelivery = (tenantId: string, id: string, epoch: string, leaseSeconds: number): Statement => ({
  text: `update deliveries set lease_until = now() + make_interval(secs => $4), due_at = now() + make_interval(secs => $4)
         where tenant_id = $1 and id = $2 and epoch = $3 and status = 'sending' and lease_until > clock_timestamp() returning id`,
  values: [tenantId, id, epoch, leaseSeconds],
});

export interface Marked {
  readonly status: string; readonly code: string | null; readonly reason: string | null; readonly unsure: boolean; readonly inSeconds: number | null; readonly batch: string | null;
  readonly key: string | null; readonly version: string | null; readonly payload: Buffer | null; readonly restart: boolean;
  /** Of one that is superseded. */
  readonly supersededBy: string | null;
}

/** Calls the next of the row of what `over` says is over: `due_at` is touched also when it was due (see parkDeliveries). One that was tried itself keeps its time. */
const callNext = (over: string): string => `next as materialized (
           select (select e.id from deliveries e where e.tenant_id = $1 and e.flow = o.flow and e.row_id = o.row_id and e.seq > o.seq and e.status in ${IN_THE_WAY} order by e.seq limit 1) as id from ${over} o),
         called as (
           update deliveries n set due_at = clock_timestamp() from next where n.tenant_id = $1 and n.id = next.id and n.status in ('queued', 'waiting') and n.attempts = n.attempts_base)`;

/** Those that arrived. The others are not in the answer: they belong to somebody else. `opened`: their targets' breakers were open. */
export const markDelivered = (tenantId: string, arrived: readonly Arrived[], targets: readonly string[]): Statement => ({
  text: `with asked as (select * from unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::int[], $6::bytea[], $7::text[], $8::text[]) as a (id, epoch, attempt, http_status, exchange, key, version)),
         ended as (update delivery_attempts t set ended_at = clock_timestamp(), outcome = 'done', code = null, reason = null, http_status = a.http_status, exchange = a.exchange from asked a where t.tenant_id = $1 and t.id = a.attempt),
         closed as (delete from breakers where tenant_id = $1 and target = any($9::text[]) returning opened_until is not null as opened),
         marked as materialized (
           update deliveries d set status = 'delivered', code = null, reason = null, unsure = false, due_at = null, batch = null, result_key = coalesce(a.key, d.result_key), result_version = coalesce(a.version, d.result_version), owner = null, lease_until = null, finished_at = clock_timestamp()
           from asked a where d.tenant_id = $1 and d.id = a.id and d.epoch = a.epoch and d.status = 'sending' returning d.id, d.flow, d.row_id, d.seq),
         ${callNext("marked")}
         select id, exists (select from closed where opened) as opened from marked
         union all select null, true from closed where opened and not exists (select from marked)`,
  values: [tenantId, arrived.map(({ id }) => id), arrived.map(({ epoch }) => epoch), arrived.map(({ attempt }) => attempt), arrived.map(({ httpStatus }) => httpStatus), arrived.map(({ exchange }) => exchange), arrived.map(({ key }) => key), arrived.map(({ version }) => version), targets],
});

export interface Arrived { readonly id: string; readonly epoch: string; readonly attempt: string; readonly httpStatus: number | null; readonly exchange: Buffer | null; readonly key: string | null; readonly version: string | null }

/**
 * How it stands now, and how its attempt ended, if one was begun. 0 rows: it belongs to somebody else. `payload` when it was mapped
 * only now.
 */
export const markDelivery = (tenantId: string, id: string, epoch: string, marked: Marked, attempt?: { readonly id: string; readonly outcome: string; readonly httpStatus: number | null; readonly exchange: Buffer | null }): Statement => ({
  text: `with ended as (update delivery_attempts set ended_at = clock_timestamp(), outcome = $15, code = $5, reason = $6, http_status = $16, exchange = $17 where tenant_id = $1 and id = $14),
         marked as materialized (
         update deliveries set status = $4, code = $5, reason = $6, unsure = $7, due_at = case when $8::float8 is not null then clock_timestamp() + make_interval(secs => $8) end, batch = $9::uuid,
           result_key = coalesce($10, result_key), result_version = coalesce($11, result_version), payload = coalesce($12, payload), owner = null, lease_until = null, attempts_base = case when $13 then attempts else attempts_base end, superseded_by = coalesce($18::uuid, superseded_by),
           finished_at = case when $4 in ('delivered', 'unchanged', 'failed', 'exhausted', 'cancelled', 'superseded') then clock_timestamp() end
         where tenant_id = $1 and id = $2 and epoch = $3 and status = 'sending' returning id, flow, row_id, seq, finished_at is not null or status = 'held' as over),
         passed as materialized (select flow, row_id, seq from marked where over),
         ${callNext("passed")}
         select id from marked`,
  values: [tenantId, id, epoch, marked.status, marked.code, marked.reason, marked.unsure, marked.inSeconds, marked.batch, marked.key, marked.version, marked.payload, marked.restart, attempt?.id ?? null, attempt?.outcome ?? null, attempt?.httpStatus ?? null, attempt?.exchange ?? null, marked.supersededBy],
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

export interface FlowLoadRow { flow: string; last_at: Date | null; waiting: number; held: number; unknown: number; failed: number }

/** By flow: the last one that arrived, and how many are not over, or did not arrive. */
export const countByFlow = (tenantId: string): Statement => ({
  text: `select flow, max(finished_at) filter (where status in ('delivered', 'unchanged')) as last_at, count(*) filter (where status in ('waiting', 'queued', 'sending'))::int as waiting,
           count(*) filter (where status = 'held')::int as held, count(*) filter (where status = 'unknown')::int as unknown, count(*) filter (where status in ('failed', 'exhausted'))::int as failed
         from deliveries where tenant_id = $1 group by flow`,
  values: [tenantId],
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

/** $2 ids, $3 states, $4 flow, $5 target, $6 row, $7 code. */
const REPLAYABLE_ONES = `d.tenant_id = $1 and ($2::uuid[] is null or d.id = any($2)) and d.status = any($3)
             and ($4::text is null or d.flow = $4) and ($5::text is null or d.target = $5) and ($6::uuid is null or d.row_id = $6) and ($7::text is null or d.code = $7)
             and not (d.kind = 'save' and exists (select from deliveries e where e.tenant_id = $1 and e.flow = d.flow and e.row_id = d.row_id and e.seq > d.seq and e.status in ${SENT}))`;

/** How many of them `replayDeliveries` would take. */
export const countReplayable = (tenantId: string, ids: readonly string[] | null, filter: DeliveryQuery, limit: number): Statement => ({
  text: `select count(*)::int as count from (select from deliveries d where ${REPLAYABLE_ONES} limit $8) found`,
  values: [tenantId, ids, filter.status, filter.flow, filter.target, filter.row, filter.code, limit],
});

/**
 * Sends finished ones again, under their id: in their order, so many a second. One whose row was saved anew since stays: it would
 * put an older state in a newer one's place.
 */
export const replayDeliveries = (tenantId: string, ids: readonly string[] | null, filter: DeliveryQuery, perSecond: number, limit: number): Statement => ({
  text: `with chosen as (
           select d.id, d.seq from deliveries d where ${REPLAYABLE_ONES}
           order by d.seq limit $9 for update),
         numbered as (select id, row_number() over (order by seq) - 1 as place from chosen)
         update deliveries d set status = case when d.code like 'MAPPING\\_%' or d.code = 'DELIVERY_REFERENCE' then 'waiting' else 'queued' end, due_at = clock_timestamp() + make_interval(secs => place / $8::float8),
           attempts_base = d.attempts, code = null, reason = null, unsure = d.unsure and d.status = 'exhausted', first_sent_at = case when d.unsure and d.status = 'exhausted' then d.first_sent_at end, batch = null, chosen = null, chosen_key = null, finished_at = null
         from numbered where d.tenant_id = $1 and d.id = numbered.id returning d.id`,
  values: [tenantId, ids, filter.status, filter.flow, filter.target, filter.row, filter.code, perSecond, limit],
});

/** A person's word on one that nobody knows about, that waits, or that is not wanted any more. 0 rows: it is not in one of these states. */
export const decideDelivery = (tenantId: string, id: string, from: readonly string[], to: { readonly status: string; readonly by: string; readonly reason: string | null; readonly letPass?: boolean }): Statement => ({
  text: `with passed as (
         update deliveries set status = $4, decided_by = $5, decided_at = clock_timestamp(), reason = $6, let_pass = let_pass or $7, unsure = false, epoch = epoch + 1, code = null,
           batch = case when $4 = 'queued' then null else batch end, first_sent_at = case when $4 = 'queued' then null else first_sent_at end,
           due_at = case when $4 = 'queued' then clock_timestamp() end, finished_at = case when $4 <> 'queued' then clock_timestamp() end
         where tenant_id = $1 and id = $2 and status = any($3) returning id, flow, row_id, seq),
         ${callNext("passed")}
         select id from passed`,
  values: [tenantId, id, from, to.status, to.by, to.reason, to.letPass === true],
});

/** Everything that is due at a target which is left alone. Several find that out at once: whoever comes second leaves to the first what that one has. */
export const putOffTarget = (tenantId: string, kinds: readonly string[], target: string, seconds: number, reason: string): Statement => ({
  text: `with free as (select id from deliveries where tenant_id = $1 and kind = any($2) and target = $3 and status = 'queued' and due_at < clock_timestamp() + make_interval(secs => $4) for update skip locked)
         update deliveries d set due_at = greatest(d.due_at, clock_timestamp() + make_interval(secs => $4)), reason = $5, code = 'DELIVERY_WAITS' from free where d.tenant_id = $1 and d.id = free.id`,
  values: [tenantId, kinds, target, seconds, reason],
});

/** One order for all who wait for each other's rows. */
export const dueNow = (which: string): string => `with late as (select id from deliveries where tenant_id = $1 and status in ('queued', 'waiting') and ${which} order by id for update)
         update deliveries d set due_at = clock_timestamp() from late where d.tenant_id = $1 and d.id = late.id`;

/** What waited for the target alone is due now. */
export const recallTarget = (tenantId: string, kinds: readonly string[], target: string): Statement => ({
  text: dueNow("kind = any($2) and target = $3 and code = 'DELIVERY_WAITS' and due_at > clock_timestamp()"),
  values: [tenantId, kinds, target],
});

export const recallWaiting = (tenantId: string): Statement => ({
  text: dueNow("code = 'DELIVERY_WAITS' and due_at > clock_timestamp()"),
  values: [tenantId],
});

/** Bounded, oldest first. That they were made stays known. */
export const deleteOldDeliveries = (tenantId: string, days: number, limit: number): Statement => ({
  text: `with gone as (delete from deliveries where tenant_id = $1 and id in (
             select id from deliveries where tenant_id = $1 and finished_at < now() - make_interval(days => $2) order by finished_at limit $3) returning id, flow, row_id, changed_at),
           kept as (insert into fired_rows as f (tenant_id, flow, row_id, changed_at) select $1, flow, row_id, max(changed_at) from gone group by flow, row_id
             on conflict (tenant_id, flow, row_id) do update set changed_at = greatest(f.changed_at, excluded.changed_at))
         select id from gone`,
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
