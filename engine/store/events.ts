/** The inbox: what providers sent, item by item, and what became of it. */
import type { Json } from "../manifest/types.ts";
import { asScheduler, type Database, inTenant, type TenantTransaction, withTenantId } from "./database.ts";
import type { Keyring, Sealer } from "./keyring.ts";
import { itemPurpose, requestPurpose } from "./purposes.ts";
import { newRowId } from "./row-id.ts";
import type { Page } from "./runs.ts";
import * as sql from "./sql/events.ts";
import { askReads } from "./sql/pending-reads.ts";

/** NOTIFY on this channel: something may be there to process. */
export const EVENT_CHANNEL = "plugboard_events";

export type EventStatus = "pending" | "reading" | "held" | "processed" | "ignored" | "echo" | "unrouted" | "failed";

/** A request as it came. */
export interface StoredRequest {
  readonly method: string;
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absent for one customer's part of a request that others share. */
  readonly body?: Uint8Array;
}

export interface ArrivedItem {
  /** Absent: the request's body is the item. */
  readonly item?: Json;
  /** The provider's id: text of one part, or of several joined. */
  readonly eventId?: string;
  readonly account?: string;
  /** ISO instant. */
  readonly at?: string;
  /** What cannot be processed, and why; absent: it waits for a worker. */
  readonly end?: { readonly status: "failed" | "unrouted" | "ignored"; readonly code?: string; readonly reason: string };
}

/** What one request brings one connection (or, with an empty connection, nobody). */
export interface Arrival {
  readonly connector: string;
  readonly connection: string;
  readonly feed: string;
  readonly door: "webhook" | "queue";
  readonly bytes: number;
  readonly request: StoredRequest;
  readonly items: readonly ArrivedItem[];
  /** The request is kept though none of its items is here: they went to their connections. */
  readonly keep?: boolean;
}

export interface Stored { readonly items: number; readonly duplicates: number }

/**
 * Everything of these requests, or nothing. A provider's id that is known for this feed adds to its copies. Items keep the
 * order in which they came, so two transactions that store the same ids in different orders may deadlock: STORE_BUSY, try again.
 * Workers are told by `announceEvents`: a NOTIFY in here would make all who commit some wait for each other's disk.
 */
export async function storeArrivals(tx: TenantTransaction, keyring: Keyring, arrivals: readonly Arrival[]): Promise<Stored[]> {
  const sealer = await keyring.of(tx);
  const parts: Buffer[] = [];
  let from = 1;
  const seal = (purpose: Parameters<Sealer["seal"]>[0], plain: string | Uint8Array): { from: number; length: number } => {
    const sealed = sealer.seal(purpose, plain);
    parts.push(sealed);
    const at = { from, length: sealed.length };
    from += sealed.length;
    return at;
  };
  const requests: object[] = [];
  const items: (Record<string, unknown> & { id: string; status: string })[] = [];
  /** Feed and id → its row among `items`: a second copy in one batch is counted, not written. */
  const known = new Map<string, { copies: number }>();
  const made: { ids: string[]; count: number }[] = [];
  for (const arrival of arrivals) {
    const { connector, connection, feed } = arrival;
    const fresh: { row: Record<string, unknown> & { id: string }; entry: ArrivedItem }[] = [];
    for (const entry of arrival.items) {
      const once = entry.eventId === undefined ? "" : JSON.stringify([connector, connection, feed, entry.eventId]);
      const other = once === "" ? undefined : known.get(once);
      if (other !== undefined) {
        other.copies += 1;
        continue;
      }
      const row = { n: items.length, copies: 0, id: newRowId(), connector, connection, feed, event_id: entry.eventId, account: storable(entry.account), at: entry.at, status: entry.end?.status ?? "pending", code: entry.end?.code, reason: storable(entry.end?.reason) };
      items.push(row);
      fresh.push({ row, entry });
      if (once !== "") known.set(once, row);
    }
    made.push({ ids: fresh.map(({ row }) => row.id), count: arrival.items.length });
    if (fresh.length === 0 && arrival.keep !== true) continue;
    const request = newRowId();
    for (const { row, entry } of fresh) {
      row["request"] = request;
      if (entry.item === undefined) continue;
      const { from: itemFrom, length } = seal(itemPurpose(row.id), JSON.stringify(entry.item) ?? "null");
      Object.assign(row, { item_from: itemFrom, item_length: length });
    }
    requests.push({ id: request, connector, connection, feed, door: arrival.door, bytes: arrival.bytes, keep: arrival.keep === true, ...seal(requestPurpose(request), packRequest(arrival.request)) });
  }
  const stored = new Set((await tx.run<{ id: string }>(sql.storeArrivals(tx.tenantId, JSON.stringify(requests), JSON.stringify(items), Buffer.concat(parts)))).map(({ id }) => id));
  return made.map(({ ids, count }) => {
    const kept = ids.filter((id) => stored.has(id)).length;
    return { items: kept, duplicates: count - kept };
  });
}

/** There is something to process. Lost, it is found by the workers' poll. */
export const announceEvents = async (db: Database): Promise<void> => { await db.pool.query(sql.notifyEvents(EVENT_CHANNEL)); };

/** Head as JSON, a line break, the body's bytes. JSON text holds no line break. */
function packRequest({ body, ...head }: StoredRequest): Buffer {
  const text = Buffer.from(`${JSON.stringify({ ...head, has_body: body !== undefined })}\n`);
  return body === undefined ? text : Buffer.concat([text, body]);
}

function unpackRequest(packed: Buffer): StoredRequest {
  const end = packed.indexOf(10);
  const { has_body, ...head } = JSON.parse(packed.toString("utf8", 0, end)) as Omit<StoredRequest, "body"> & { has_body: boolean };
  return { ...head, ...(has_body ? { body: packed.subarray(end + 1) } : {}) };
}

// ── processing ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A stopped worker holds a lane no longer than this; the database then ends its session, and nothing of it is committed. */
const IDLE_SECONDS = 20;

export interface PendingEvent {
  readonly id: string; readonly connector: string; readonly connection: string; readonly feed: string; readonly door: "webhook" | "queue";
  readonly eventId?: string; readonly account?: string;
  /** ISO instants. */
  readonly at?: string; readonly received_at: string;
  readonly attempts: number; readonly replayed: boolean;
  readonly request: StoredRequest;
  /** Absent: the request's body is the item. */
  readonly item?: Json;
  /** Set when what was kept of it cannot be opened. */
  readonly unreadable?: string;
}

export interface EventEffect { readonly event: string; readonly stream: string; readonly key?: string; readonly does: "stored" | "deleted" | "reads" | "ignored" | "quarantined" | "filtered" }

export interface EventEnd {
  readonly id: string;
  readonly status: Exclude<EventStatus, "pending" | "unrouted"> | "unrouted";
  readonly code?: string;
  readonly reason?: string;
  readonly events?: readonly string[];
  readonly effects?: readonly EventEffect[];
}

export interface Lane { readonly tenant: string; readonly connection: string; /** Milliseconds since the epoch. */ readonly due: number }

/** Over all tenants: connections with events to process, the longest due first; not due ones too, so that it is known when to look again. */
export const eventLanes = (db: Database, limit = 200): Promise<Lane[]> => asScheduler(db, async (tx) =>
  (await tx.run<sql.LaneRow>(sql.selectLanes(limit))).map(({ tenant, connection, due_at }) => ({ tenant, connection, due: due_at.getTime() })));

/**
 * The connection's oldest events, for this transaction alone; undefined when another worker is at them. The lock ends with the
 * transaction, and a worker that was stopped loses both.
 * @param isOpen nothing stands in the way any more: those that were held come first, they are older.
 */
export async function takeEvents(tx: TenantTransaction, keyring: Keyring, connection: string, limit: number, isOpen = false): Promise<PendingEvent[] | undefined> {
  const lane = { tenantId: tx.tenantId, connection };
  const [row] = await tx.run<{ taken: boolean }>(sql.takeLane(lane));
  if (row?.taken !== true) return undefined;
  await tx.run(sql.limitIdle(IDLE_SECONDS));
  const sealer = await keyring.of(tx);
  if (isOpen) await tx.run(sql.releaseHeld(tx.tenantId, connection));
  const rows = await tx.run<sql.PendingRow>(sql.selectPending(lane, limit));
  if (rows.length > 0) await tx.run(sql.noteLastEvent(tx.tenantId, connection, rows.at(-1)!.received_at));
  return Promise.all(rows.map((each) => pendingOf(sealer, each)));
}

export const settleEvents = async (tx: TenantTransaction, ends: readonly EventEnd[]): Promise<void> => {
  if (ends.length > 0) await tx.run(sql.settleEvents(tx.tenantId, JSON.stringify(ends.map((end) => ({ ...end, reason: storable(end.reason) })))));
};

export interface ReadAsked { readonly stream: string; readonly key: string; readonly event: string; readonly fires: boolean }

/** Those that name one record share a read. */
export const askForReads = async (tx: TenantTransaction, connection: string, asks: readonly ReadAsked[]): Promise<void> => {
  if (asks.length > 0) await tx.run(askReads(tx.tenantId, connection, JSON.stringify(asks)));
};

/** An item that was nobody's and has found its connections: their copies say the rest. */
export const markRouted = async (tx: TenantTransaction, id: string, reason: string): Promise<void> => { await tx.run(sql.markRouted(tx.tenantId, id, reason)); };

/** Connections with events that wait for them. */
export const heldConnections = (at: Database | TenantTransaction, tenant: string): Promise<string[]> =>
  inTenant(at, tenant, async (tx) => (await tx.run<{ connection: string }>(sql.selectHeldConnections(tx.tenantId))).map(({ connection }) => connection));

/** @returns how many go on. */
export const releaseHeld = (at: Database | TenantTransaction, tenant: string, connection: string): Promise<number> => inTenant(at, tenant, async (tx) => {
  const released = (await tx.run(sql.releaseHeld(tx.tenantId, connection))).length;
  if (released > 0) await tx.run(sql.notifyEvents(EVENT_CHANNEL));
  return released;
});

async function pendingOf(sealer: Sealer, row: sql.PendingRow): Promise<PendingEvent> {
  const head = { id: row.id, connector: row.connector, connection: row.connection, feed: row.feed, door: (row.door ?? "webhook") as "webhook" | "queue", received_at: row.received_at.toISOString(), attempts: row.attempts, replayed: row.replayed,
    ...(row.event_id === null ? {} : { eventId: row.event_id }), ...(row.account === null ? {} : { account: row.account }), ...(row.at === null ? {} : { at: row.at.toISOString() }) };
  try {
    const request = row.request === null ? { method: "", url: "", headers: {} } : unpackRequest(await sealer.openFresh(requestPurpose(row.request_id), row.request));
    const item = row.item === null ? undefined : JSON.parse((await sealer.openFresh(itemPurpose(row.id), row.item)).toString("utf8")) as Json;
    return { ...head, request, ...(item === undefined ? {} : { item }) };
  } catch (thrown) {
    return { ...head, request: { method: "", url: "", headers: {} }, unreadable: (thrown as Error).message };
  }
}

// ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface EventState {
  readonly id: string; readonly connector: string; readonly connection: string; readonly feed: string; readonly event_id?: string; readonly account?: string; readonly at?: string;
  readonly received_at: string; readonly status: EventStatus; readonly code?: string; readonly reason?: string;
  /** Names of the feed's events that it was. */
  readonly events: readonly string[];
  readonly effects: readonly EventEffect[];
  readonly attempts: number; readonly replayed: boolean;
  /** How often it came again. */
  readonly copies: number; readonly copied_at?: string; readonly finished_at?: string;
}

export interface EventFilter {
  readonly status?: EventStatus; readonly connection?: string; readonly feed?: string;
  /** Name of an event of the feed, or the provider's id of one. */
  readonly event?: string;
  /** ISO instants: from the first, before the second. */
  readonly since?: string; readonly until?: string;
  readonly ids?: readonly string[];
}

/** Newest first. */
export const listEvents = (at: Database | TenantTransaction, tenant: string, filter: EventFilter & { readonly limit?: number; readonly after?: readonly string[] } = {}): Promise<Page<EventState>> => inTenant(at, tenant, async (tx) => {
  const limit = filter.limit ?? 50;
  const rows = await tx.run<sql.EventRow>(sql.selectEvents(tx.tenantId, valuesOf(filter), filter.after?.[0], filter.since === undefined ? undefined : idAt(Date.parse(filter.since) - SKEW_MILLISECONDS), limit + 1));
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(stateOf), ...(rows.length > limit && last ? { next: [last.id] } : {}) };
});

export const getEvent = (at: Database | TenantTransaction, tenant: string, id: string): Promise<EventState | undefined> => inTenant(at, tenant, async (tx) => {
  const [row] = await tx.run<sql.EventRow>(sql.selectEvent(tx.tenantId, id));
  return row && stateOf(row);
});

/** What was sent, opened: for someone who may see it. `body` is absent where others share the request. */
export const readEventRaw = (at: Database | TenantTransaction, keyring: Keyring, tenant: string, id: string): Promise<{ readonly request: StoredRequest; readonly item?: Json } | undefined> => inTenant(at, tenant, async (tx) => {
  const sealer = await keyring.of(tx);
  const [row] = await tx.run<sql.PendingRow>(sql.selectEvent(tx.tenantId, id));
  if (!row) return undefined;
  const { request, item } = await pendingOf(sealer, row);
  return { request, ...(item === undefined ? {} : { item }) };
});

/** Replays of one asking, a second: the rest of a backlog must not stand still meanwhile. */
const REPLAYS_PER_SECOND = 100;
const MOST_REPLAYS = 10_000;

/** The same events, another attempt. What is under way is left alone. @returns how many. */
export const replayEvents = (at: Database | TenantTransaction, tenant: string, filter: EventFilter, limit = MOST_REPLAYS): Promise<number> => inTenant(at, tenant, async (tx) => {
  const replayed = (await tx.run(sql.replayEvents(tx.tenantId, valuesOf(filter), REPLAYS_PER_SECOND, Math.min(limit, MOST_REPLAYS)))).length;
  if (replayed > 0) await tx.run(sql.notifyEvents(EVENT_CHANNEL));
  return replayed;
});

/** How many a replay would take now; changes nothing. */
export const countReplayableEvents = (at: Database | TenantTransaction, tenant: string, filter: EventFilter, limit = MOST_REPLAYS): Promise<number> => inTenant(at, tenant, async (tx) =>
  (await tx.run<{ count: number }>(sql.countReplayable(tx.tenantId, valuesOf(filter), Math.min(limit, MOST_REPLAYS))))[0]!.count);

/** Connection → when its provider last sent something (ISO instant). */
export const lastEvents = (at: Database | TenantTransaction, tenant: string, connections: readonly string[]): Promise<ReadonlyMap<string, string>> => inTenant(at, tenant, async (tx) =>
  new Map((await tx.run<{ connection: string; received_at: Date }>(sql.selectLastEvents(tx.tenantId, connections))).map(({ connection, received_at }) => [connection, received_at.toISOString()])));

export interface EventLoad { readonly pending: number; readonly oldestSeconds: number; readonly reads: number }

export const eventLoad = (db: Database): Promise<EventLoad> => asScheduler(db, async (tx) => {
  const [row] = await tx.run<{ pending: number; oldest_seconds: number; reads: number }>(sql.selectEventLoad());
  return { pending: row!.pending, oldestSeconds: row!.oldest_seconds, reads: row!.reads };
});

// ── refused requests, and what is old ───────────────────────────────────────────────────────────────────────────────

export interface Refusal { readonly connector: string; readonly connection: string; readonly feed: string; readonly reason: string; readonly count: number; /** ISO instant. */ readonly last_at: string }

export const addRefusals = (db: Database, tenant: string, tenantId: string, refusals: readonly Refusal[]): Promise<void> =>
  withTenantId(db, tenant, tenantId, async (tx) => { await tx.run(sql.addRefusals(tx.tenantId, JSON.stringify(refusals.map((each) => ({ ...each, reason: storable(each.reason) }))))); });

/** Newest first. */
export const listRefusals = (at: Database | TenantTransaction, tenant: string, filter: { readonly connection?: string; readonly limit?: number } = {}): Promise<(Refusal & { readonly hour: string })[]> => inTenant(at, tenant, async (tx) =>
  (await tx.run<{ connector: string; connection: string; feed: string; reason: string; hour: Date; count: number; last_at: Date }>(sql.selectRefusals(tx.tenantId, filter.connection ?? null, filter.limit ?? 100)))
    .map((row) => ({ ...row, hour: row.hour.toISOString(), last_at: row.last_at.toISOString() })));

export interface Pruned { readonly events: number; readonly requests: number }

/** Deletes what was processed so many days ago, in batches; failed, held and unrouted ones stay. */
export async function pruneEvents(at: Database, tenant: string, days: number, batch = 5000): Promise<Pruned> {
  const total = { events: 0, requests: 0 };
  const until = idAt(Date.now() - days * 86_400_000);
  for (;;) {
    const { events, requests } = await inTenant(at, tenant, async (tx) => ({
      events: (await tx.run(sql.pruneEvents(tx.tenantId, until, batch))).length, requests: (await tx.run(sql.pruneRequests(tx.tenantId, until, batch))).length,
    }));
    total.events += events;
    total.requests += requests;
    if (events < batch && requests < batch) break;
  }
  await inTenant(at, tenant, (tx) => tx.run(sql.pruneRefusals(tx.tenantId, days)));
  return total;
}

/** The smallest id of an instant. */
const idAt = (milliseconds: number): string => {
  const hex = Math.max(0, milliseconds).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
};
/** How far the clocks of our processes may be from the database's. */
const SKEW_MILLISECONDS = 600_000;

// ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reasons and accounts quote what a provider sent: shortened, and without what no text may hold. */
function storable(text: string): string;
function storable(text: string | undefined): string | undefined;
function storable(text: string | undefined): string | undefined {
  return text?.slice(0, 1000).replaceAll("\0", "\u{FFFD}").toWellFormed();
}

const valuesOf = (filter: EventFilter): sql.EventFilterValues => ({
  status: filter.status ?? null, connection: filter.connection ?? null, feed: filter.feed ?? null, event: filter.event ?? null, since: filter.since ?? null, until: filter.until ?? null, ids: filter.ids ?? null,
});

const stateOf = (row: sql.EventRow): EventState => ({
  id: row.id, connector: row.connector, connection: row.connection, feed: row.feed, received_at: row.received_at.toISOString(), status: row.status as EventStatus,
  ...(row.event_id === null ? {} : { event_id: row.event_id }), ...(row.account === null ? {} : { account: row.account }), ...(row.at === null ? {} : { at: row.at.toISOString() }),
  ...(row.code === null ? {} : { code: row.code }), ...(row.reason === null ? {} : { reason: row.reason }),
  events: row.events ?? [], effects: (row.effects ?? []) as EventEffect[], attempts: row.attempts, replayed: row.replayed, copies: row.copies,
  ...(row.copied_at === null ? {} : { copied_at: row.copied_at.toISOString() }), ...(row.finished_at === null ? {} : { finished_at: row.finished_at.toISOString() }),
});

