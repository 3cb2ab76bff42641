import type { Statement } from "../database.ts";

/** A connection's lane; `connection` is empty for items that are nobody's yet. */
export interface LaneIds { readonly tenantId: string; readonly connection: string }

/**
 * Requests and their items, all or nothing. `requests` and `items` are JSON texts; `bytes` holds what they sealed, one after
 * the other (`*_from` counts from 1). An item whose id is known adds to its copies; a request is kept when any of its items is
 * new, or when it says so itself. Gives the ids of the items that are new.
 */
export const storeArrivals = (tenantId: string, requests: string, items: string, bytes: Buffer): Statement => ({
  name: "store_arrivals",
  text: `with item as (select * from jsonb_to_recordset($3) as i (id uuid, request uuid, connector text, connection text, feed text, event_id text, account text, at timestamptz,
                         status text, code text, reason text, copies integer, item_from integer, item_length integer, n integer)),
         stored as (
           insert into events as e (tenant_id, id, request_id, connector, connection, feed, event_id, account, at, status, code, reason, copies, item, finished_at)
           select $1, id, request, connector, connection, feed, event_id, account, at, status, code, reason, coalesce(copies, 0),
             case when item_from is not null then substring($4::bytea from item_from for item_length) end, case when status <> 'pending' then clock_timestamp() end
           from item order by n
           on conflict (tenant_id, connector, connection, feed, event_id) where event_id is not null do update set copies = e.copies + 1 + excluded.copies, copied_at = clock_timestamp()
           returning id, request_id),
         made as (
           insert into inbound_requests (tenant_id, id, connector, connection, feed, door, bytes, request)
           select $1, r.id, r.connector, r.connection, r.feed, r.door, r.bytes, substring($4::bytea from r.from for r.length)
           from jsonb_to_recordset($2) as r (id uuid, connector text, connection text, feed text, door text, bytes integer, "from" integer, length integer, keep boolean)
           where r.keep or exists (select 1 from stored s where s.request_id = r.id))
         select i.id from item i join stored s on s.id = i.id`,
  values: [tenantId, requests, items, bytes],
});

export const notifyEvents = (channel: string): Statement => ({ text: "select pg_notify($1, '')", values: [channel] });

export interface LaneRow { tenant: string; connection: string; due_at: Date }

/**
 * Over all tenants, as the scheduler: connections with something to process, the longest due first. The index is skipped
 * through from lane to lane: a backlog of a million events of one connection costs the others nothing.
 */
export const selectLanes = (limit: number): Statement => ({
  text: `with recursive lanes as (
           (select tenant_id, connection from events where status = 'pending' order by tenant_id, connection limit 1)
           union all
           select next.tenant_id, next.connection from lanes l cross join lateral (
             select tenant_id, connection from events where status = 'pending' and (tenant_id, connection) > (l.tenant_id, l.connection) order by tenant_id, connection limit 1) next)
         select t.slug as tenant, l.connection, d.due_at from lanes l join tenants t on t.id = l.tenant_id and t.deleted_at is null
           cross join lateral (select min(due_at) as due_at from events e where e.status = 'pending' and e.tenant_id = l.tenant_id and e.connection = l.connection) d
         order by d.due_at limit $1`,
  values: [limit],
});

/** False: another worker has the lane. Held until the transaction ends, however it ends. */
export const takeLane = (lane: LaneIds): Statement => ({
  text: "select pg_try_advisory_xact_lock(hashtextextended('plugboard/events/' || $1 || '/' || $2, 0)) as taken",
  values: [lane.tenantId, lane.connection],
});

/** A stopped worker keeps its lane no longer than this. */
export const limitIdle = (seconds: number): Statement => ({ text: "select set_config('idle_in_transaction_session_timeout', $1, true)", values: [`${seconds}s`] });

export interface EventRow {
  id: string; request_id: string; connector: string; connection: string; feed: string; event_id: string | null; account: string | null; at: Date | null; received_at: Date;
  status: string; code: string | null; reason: string | null; events: string[] | null; effects: object[] | null; attempts: number; replayed: boolean; copies: number; copied_at: Date | null; due_at: Date; finished_at: Date | null;
}
const COLUMNS = `e.id, e.request_id, e.connector, e.connection, e.feed, e.event_id, e.account, e.at, e.received_at, e.status, e.code, e.reason, e.events, e.effects, e.attempts, e.replayed, e.copies, e.copied_at,
  e.due_at, e.finished_at`;

export interface PendingRow extends EventRow { item: Buffer | null; request: Buffer | null; door: string | null }

export const selectPending = (lane: LaneIds, limit: number): Statement => ({
  text: `select ${COLUMNS}, e.item, r.request, r.door from events e left join inbound_requests r on r.tenant_id = e.tenant_id and r.id = e.request_id
         where e.tenant_id = $1 and e.connection = $2 and e.status = 'pending' and e.due_at <= clock_timestamp() order by e.due_at, e.seq limit $3`,
  values: [lane.tenantId, lane.connection, limit],
});

/** `ends` is JSON text: [{id, status, code, reason, events, effects}]. Only what is still pending changes. */
export const settleEvents = (tenantId: string, ends: string): Statement => ({
  text: `update events e set status = d.status, code = d.code, reason = d.reason, events = d.events, effects = d.effects, attempts = e.attempts + 1,
           finished_at = case when d.status in ('reading', 'held') then null else clock_timestamp() end
         from jsonb_to_recordset($2) as d (id uuid, status text, code text, reason text, events text[], effects jsonb)
         where e.tenant_id = $1 and e.id = d.id and e.status = 'pending' returning e.id`,
  values: [tenantId, ends],
});

/** What waits for its connection goes on. */
/** In the order in which they came, before whatever came since. */
export const releaseHeld = (tenantId: string, connection: string): Statement => ({
  name: "release_held",
  text: "update events set status = 'pending', reason = null, code = null, due_at = received_at where tenant_id = $1 and connection = $2 and status = 'held' returning id",
  values: [tenantId, connection],
});

export const selectHeldConnections = (tenantId: string): Statement => ({
  text: "select distinct connection from events where tenant_id = $1 and status = 'held'",
  values: [tenantId],
});

export interface EventFilterValues {
  readonly status: string | null; readonly connection: string | null; readonly feed: string | null; readonly event: string | null;
  readonly since: string | null; readonly until: string | null; readonly ids: readonly string[] | null;
}
const MATCHES = `($2::text is null or e.status = $2) and ($3::text is null or e.connection = $3) and ($4::text is null or e.feed = $4) and ($5::text is null or $5 = any (e.events) or e.event_id = $5)
  and ($6::timestamptz is null or e.received_at >= $6) and ($7::timestamptz is null or e.received_at < $7) and ($8::uuid[] is null or e.id = any ($8))`;
const filterValues = (filter: EventFilterValues): unknown[] => [filter.status, filter.connection, filter.feed, filter.event, filter.since, filter.until, filter.ids];

/** Newest first: ids grow with time. */
export const selectEvents = (tenantId: string, filter: EventFilterValues, after: string | undefined, from: string | undefined, limit: number): Statement => ({
  text: `select ${COLUMNS} from events e where e.tenant_id = $1 and ${MATCHES} and ($9::uuid is null or e.id < $9) and ($10::uuid is null or e.id >= $10) order by e.id desc limit $11`,
  values: [tenantId, ...filterValues(filter), after ?? null, from ?? null, limit],
});

export const selectEvent = (tenantId: string, id: string): Statement => ({
  text: `select ${COLUMNS}, e.item, r.request, r.door from events e left join inbound_requests r on r.tenant_id = e.tenant_id and r.id = e.request_id where e.tenant_id = $1 and e.id = $2`,
  values: [tenantId, id],
});

/** How many of them `replayEvents` would take. */
export const countReplayable = (tenantId: string, filter: EventFilterValues, most: number): Statement => ({
  text: `select count(*)::int as count from (select from events e where e.tenant_id = $1 and ${MATCHES} and e.status not in ('pending', 'reading') limit $9) found`,
  values: [tenantId, ...filterValues(filter), most],
});

/** Final ones, and those that were held, become pending again: oldest first, so many a second. What is under way stays. */
export const replayEvents = (tenantId: string, filter: EventFilterValues, perSecond: number, most: number): Statement => ({
  text: `with locked as (select e.id, e.seq from events e where e.tenant_id = $1 and ${MATCHES} and e.status not in ('pending', 'reading') order by e.seq limit $10 for update),
         chosen as (select id, row_number() over (order by seq) - 1 as n from locked),
         waits as (delete from event_reads w using chosen c where w.tenant_id = $1 and w.event_id = c.id)
         update events e set status = 'pending', replayed = true, code = null, reason = null, effects = null, finished_at = null, due_at = clock_timestamp() + make_interval(secs => c.n / $9::float8)
         from chosen c where e.tenant_id = $1 and e.id = c.id returning e.id`,
  values: [tenantId, ...filterValues(filter), perSecond, most],
});

/** Moves an unrouted item's row out of the way: it was stored where it belongs. */
export const markRouted = (tenantId: string, id: string, reason: string): Statement => ({
  text: "update events set status = 'processed', reason = $3, attempts = attempts + 1, finished_at = clock_timestamp() where tenant_id = $1 and id = $2 and status = 'pending'",
  values: [tenantId, id, reason],
});

/** By whoever has the lane. */
export const noteLastEvent = (tenantId: string, connection: string, at: Date): Statement => ({
  text: "update connections set last_event_at = $3 where tenant_id = $1 and connection = $2 and (last_event_at is null or last_event_at < $3)",
  values: [tenantId, connection, at],
});

export const selectLastEvents = (tenantId: string, connections: readonly string[]): Statement => ({
  text: "select connection, last_event_at as received_at from connections where tenant_id = $1 and connection = any($2) and last_event_at is not null",
  values: [tenantId, connections],
});

/** Over all tenants, as the scheduler. */
export const selectEventLoad = (): Statement => ({
  text: `select (select count(*)::int from (select 1 from events where status = 'pending' limit 100000) p) as pending,
           coalesce(extract(epoch from clock_timestamp() - (select min(due_at) from events where status = 'pending')), 0)::float8 as oldest_seconds,
           (select count(*)::int from pending_reads) as reads`,
  values: [],
});

/** What is over and came before `until`, an id of that time; its request goes when its last event has. */
export const pruneEvents = (tenantId: string, until: string, limit: number): Statement => ({
  text: `delete from events where tenant_id = $1 and id in (
           select id from events where tenant_id = $1 and id < $2 and status in ('processed', 'ignored', 'echo') order by id limit $3) returning id`,
  values: [tenantId, until, limit],
});

export const pruneRequests = (tenantId: string, until: string, limit: number): Statement => ({
  text: `delete from inbound_requests where tenant_id = $1 and id in (
           select r.id from inbound_requests r where r.tenant_id = $1 and r.id < $2
             and not exists (select 1 from events e where e.tenant_id = $1 and e.id < $2 and e.request_id = r.id) order by r.id limit $3) returning id`,
  values: [tenantId, until, limit],
});

export const addRefusals = (tenantId: string, refusals: string): Statement => ({
  text: `insert into refused_requests as r (tenant_id, connector, connection, feed, reason, hour, count, last_at)
         select $1, connector, connection, feed, reason, date_trunc('hour', last_at), count, last_at from jsonb_to_recordset($2) as n (connector text, connection text, feed text, reason text, count bigint, last_at timestamptz)
         on conflict (tenant_id, connector, connection, feed, reason, hour) do update set count = r.count + excluded.count, last_at = greatest(r.last_at, excluded.last_at)`,
  values: [tenantId, refusals],
});

export const pruneRefusals = (tenantId: string, days: number): Statement => ({ text: "delete from refused_requests where tenant_id = $1 and hour < now() - make_interval(days => $2)", values: [tenantId, days] });

export const selectRefusals = (tenantId: string, connection: string | null, limit: number): Statement => ({
  text: "select connector, connection, feed, reason, hour, count::float8 as count, last_at from refused_requests where tenant_id = $1 and ($2::text is null or connection = $2) order by last_at desc limit $3",
  values: [tenantId, connection, limit],
});
