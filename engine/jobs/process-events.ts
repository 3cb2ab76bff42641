/**
 * One batch of one connection's events, in the order in which they came, in one transaction: what they mean, what is stored,
 * what has to be read, how each ended. The transaction holds the connection's lane, so nobody else is at them, and a worker
 * that was stopped finds its transaction gone.
 */
import type { Variables } from "../components/kinds.ts";
import { hintOf, messageOf, PlugboardError } from "../errors/plugboard-error.ts";
import type { Json } from "../manifest/types.ts";
import type { ConnectorPlan, TenantPlan } from "../plan/types.ts";
import { compileFeed, type Effect, type Feed, type SeenRequest } from "../run/feed.ts";
import { effectiveConfig, withoutSecrets } from "../run/variables.ts";
import {
  announceEvents, askForReads, currentRevision, markRouted, ownersOfAccount, PLATFORM, readConnectionValues, settleEvents, storeArrivals, takeEvents, tenantState, withTenant,
  type Database, type EventEffect, type EventEnd, type Keyring, type PendingEvent, type PushRuns, type ReadAsked, type ReferenceResolver, type TenantTransaction,
} from "../store/index.ts";
import { isDataFailure } from "../store/failures.ts";
import { pushFlows, writePushes, type Push, type PushFlow } from "./push-flows.ts";

export interface ProcessingContext {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly references?: ReferenceResolver;
  readonly plans: { read(tenant: string, revision: string): Promise<TenantPlan> };
  readonly runs: PushRuns;
  /** Kill points of the fault rig. */
  readonly probe?: EventProbe;
}

export type EventPoint = "events_taken" | "events_mapped" | "events_written" | "before_commit" | "after_commit" | "read_claimed" | "read_done" | "read_written" | "queue_answered" | "queue_committed" | "queue_acknowledged";
export type EventProbe = (point: EventPoint) => void | Promise<void>;

const BATCH = 100;
/** A batch that is slower than this ends early: its transaction must not outlive the worker's patience, nor the database's. */
const BATCH_MILLISECONDS = 4000;

/** What stands in the way of a connection's events; undefined: nothing. */
type Obstacle = { readonly code: string; readonly reason: string };

interface Lane {
  readonly revision: string;
  readonly plan: TenantPlan;
  readonly connector: ConnectorPlan;
  readonly variables: Variables;
}

/** @returns how many events were settled; undefined when another worker is at them. */
export async function processLane(context: ProcessingContext, tenant: string, connection: string): Promise<number | undefined> {
  if (connection === "") return routeAgain(context, tenant);
  const lane = await openLane(context, tenant, connection);
  try {
    return await processBatch(context, tenant, connection, lane, BATCH);
  } catch (thrown) {
    if (!isDataFailure(thrown)) throw thrown;
    // One event of the batch carries what PostgreSQL cannot take: alone, it fails alone.
    return processBatch(context, tenant, connection, lane, 1);
  }
}

async function processBatch(context: ProcessingContext, tenant: string, connection: string, lane: Lane | Obstacle, limit: number): Promise<number | undefined> {
  const { db, keyring, probe } = context;
  let first: string | undefined;
  try {
    const settled = await withTenant(db, tenant, async (tx) => {
      const events = await takeEvents(tx, keyring, connection, limit, !("code" in lane));
      if (events === undefined) return undefined;
      if (events.length === 0) return 0;
      first = events[0]!.id;
      await probe?.("events_taken");
      const ends = "code" in lane ? events.map(({ id }): EventEnd => ({ id, status: "held", ...lane })) : await processEvents(context, tx, connection, lane, events);
      await settleEvents(tx, ends);
      await probe?.("before_commit");
      return ends.length;
    });
    await probe?.("after_commit");
    return settled;
  } catch (thrown) {
    if (limit > 1 || first === undefined || !isDataFailure(thrown)) throw thrown;
    const params = { detail: (thrown as Error).message };
    await withTenant(db, tenant, (tx) => settleEvents(tx, [{ id: first!, status: "failed", code: "EVENT_STORE", reason: messageOf("EVENT_STORE", params) }]));
    return 1;
  }
}

/** Whether nothing stands in the way of a connection's events any more. */
export const isOpen = async (context: ProcessingContext, tenant: string, connection: string): Promise<boolean> => !("code" in (await openLane(context, tenant, connection)));

/** Plan and values of the connection, or why its events wait. */
async function openLane({ db, keyring, references, plans }: ProcessingContext, tenant: string, connection: string): Promise<Lane | Obstacle> {
  if ((await tenantState(db, tenant)) === "suspended") return { code: "TENANT_SUSPENDED", reason: messageOf("TENANT_SUSPENDED", { tenant }) };
  const revision = await currentRevision(db, tenant);
  const plan = revision === undefined ? undefined : await plans.read(tenant, revision);
  const planned = plan?.connections[connection];
  const connector = planned && plan?.connectors[planned.connector];
  if (revision === undefined || plan === undefined || planned === undefined || connector === undefined) return waits(connection, "not part of the configuration", "Put it back; its events are kept.");
  if (!planned.enabled) return waits(connection, "disabled in the configuration", "Enable it; its events are kept.");
  const read = (purpose: "use" | "verify") => readConnectionValues(db, keyring, tenant, connection, connector, planned, references, purpose);
  try {
    const values = await read("use").catch((thrown: unknown) => {
      // What a request would need is no matter where nothing is requested.
      if (thrown instanceof PlugboardError && thrown.code === "AUTH_MISSING_CREDENTIAL") return read("verify");
      throw thrown;
    });
    const base: Variables = { config: effectiveConfig(connector, planned, values.config), account: values.account, tenant: plan.tenant, inputs: plan.inputs, connection: { id: connection } };
    return { revision, plan, connector, variables: withoutSecrets(connector, base) };
  } catch (thrown) {
    if (thrown instanceof PlugboardError && (thrown.code === "AUTH_NOT_CONNECTED" || thrown.code === "AUTH_ACCOUNT_CHANGED")) return { code: thrown.code, reason: `${thrown.message} ${thrown.hint ?? ""}`.trim() };
    throw thrown;
  }
}

function waits(connection: string, state: string, suggestion: string): Obstacle {
  const params = { connection, state, suggestion };
  return { code: "AUTH_NOT_CONNECTED", reason: `${messageOf("AUTH_NOT_CONNECTED", params)} ${hintOf("AUTH_NOT_CONNECTED", params) ?? ""}`.trim() };
}

const feeds = new WeakMap<ConnectorPlan, Map<string, Feed | undefined>>();

function feedOf(connector: ConnectorPlan, { door, feed }: PendingEvent): { feed: Feed; with: unknown } | undefined {
  const plan = (door === "queue" ? connector.queues : connector.webhooks)?.[feed];
  if (plan === undefined) return undefined;
  const ofConnector = feeds.get(connector) ?? new Map<string, Feed | undefined>();
  feeds.set(connector, ofConnector);
  const name = `${door}.${feed}`;
  if (!ofConnector.has(name)) ofConnector.set(name, compileFeed(plan, door === "queue" ? `queues.${feed}` : `webhooks.${feed}`));
  return { feed: ofConnector.get(name)!, with: plan.with };
}

interface Understood { readonly event: PendingEvent; readonly effects: readonly Effect[] }
/** Pushes of one flow, each with the effect it belongs to. */
interface Line { readonly flow: PushFlow; readonly cause: "event" | "replay"; readonly pushes: { readonly push: Push; readonly tell: (does: EventEffect["does"]) => void }[] }

async function processEvents(context: ProcessingContext, tx: TenantTransaction, connection: string, lane: Lane, events: readonly PendingEvent[]): Promise<EventEnd[]> {
  const began = performance.now();
  const ends = new Map<string, EventEnd>();
  const understood: Understood[] = [];
  for (const event of events) {
    if (performance.now() - began > BATCH_MILLISECONDS) break;                 // the rest is the next batch's
    const made = await understand(lane, event);
    if ("status" in made) ends.set(event.id, made);
    else understood.push({ event, ...made });
  }

  // Runs of one cause: what a person asks for again fires no change flow, what came by itself does.
  const lines: Line[] = [];
  const asks: ReadAsked[] = [];
  const told = new Map<string, EventEffect[]>();
  for (const { event, effects } of understood) {
    const cause = event.replayed ? "replay" : "event";
    const of: EventEffect[] = [];
    told.set(event.id, of);
    for (const effect of effects) {
      const head = { event: effect.event, stream: effect.stream, ...(effect.key === undefined ? {} : { key: effect.key }) };
      const flows = pushFlows(lane.plan, connection, effect.stream);
      if (flows.length === 0) {
        of.push({ ...head, does: "ignored" });
        continue;
      }
      if (effect.record === undefined && !effect.deleted) {
        of.push({ ...head, does: "reads" });
        asks.push({ stream: effect.stream, key: effect.key!, event: event.id, fires: !event.replayed });
        continue;
      }
      const push: Push = { deleted: effect.deleted, ...(effect.key === undefined ? {} : { key: effect.key }), ...(effect.record === undefined ? {} : { record: effect.record }), ...(event.at === undefined ? {} : { at: event.at }) };
      for (const flow of flows) {
        const slot = of.push({ ...head, does: "filtered" }) - 1;
        lineOf(lines, flow, cause).pushes.push({ push, tell: (does) => { of[slot] = { ...head, does }; } });
      }
    }
  }
  await context.probe?.("events_mapped");
  // First, as whoever reads a record does: its pending read, then its rows. The other way round the two would wait for each other.
  await askForReads(tx, connection, asks);
  for (const { flow, cause, pushes } of lines) {
    const written = await writePushes(tx, context.keyring, context.runs, flow, pushes.map(({ push }) => push), { revision: lane.revision, cause, variables: { ...lane.variables, now: Date.now() } });
    pushes.forEach(({ tell }, index) => tell(written[index]!));
  }
  await context.probe?.("events_written");
  for (const { event } of understood) ends.set(event.id, endOf(event, told.get(event.id)!, lane));
  return events.flatMap(({ id }) => ends.get(id) ?? []);
}

/** A new line when the cause changes, so that the order of what came is that of what is written. */
function lineOf(lines: Line[], flow: PushFlow, cause: Line["cause"]): Line {
  const last = lines.findLast((line) => line.flow === flow);
  if (last?.cause === cause) return last;
  const line: Line = { flow, cause, pushes: [] };
  lines.push(line);
  return line;
}

/** What an event means, or how it ends without meaning anything. */
async function understand(lane: Lane, event: PendingEvent): Promise<{ readonly effects: readonly Effect[] } | EventEnd> {
  const failed = (error: PlugboardError): EventEnd => ({ id: event.id, status: "failed", code: error.code, reason: `${error.message} ${error.hint ?? ""}`.trim() });
  if (event.unreadable !== undefined) return failed(new PlugboardError("EVENT_UNREADABLE", { detail: event.unreadable }));
  const found = feedOf(lane.connector, event);
  if (found === undefined) return failed(new PlugboardError("EVENT_NO_FEED", { connector: lane.connector.id, feed: event.feed }));
  try {
    const { echo, effects } = await found.feed.meaning(event.item, seenOf(event), { ...lane.variables, with: found.with, now: Date.now() });
    if (echo) return { id: event.id, status: "echo", reason: "Our own write caused it." };
    if (effects.length === 0) return { id: event.id, status: "ignored", reason: `None of the feed's events is like it: no \`when\` holds.` };
    const unread = effects.find(({ record, deleted, stream }) => record === undefined && !deleted && lane.connector.streams[stream]?.one === undefined);
    if (unread !== undefined) return failed(new PlugboardError("EVENT_NO_READ", { stream: unread.stream }));
    return { effects };
  } catch (thrown) {
    return failed(thrown instanceof PlugboardError ? thrown : new PlugboardError("EVENT_UNREADABLE", { detail: (thrown as Error).message }, { cause: thrown }));
  }
}

function seenOf({ request: { method, url, headers, body }, item }: PendingEvent): SeenRequest {
  const text = (): string => Buffer.from(body ?? []).toString("utf8");
  // Without `each` the item is the body; with it the body is what the item was cut from.
  const decoded = (): Json | undefined => (body === undefined || body.length === 0 ? undefined : (JSON.parse(text()) as Json));
  return { method, url, headers, body: item ?? decoded(), text };
}

function endOf(event: PendingEvent, effects: readonly EventEffect[], lane: Lane): EventEnd {
  const common = { id: event.id, events: [...new Set(effects.map(({ event: name }) => name))], effects };
  if (effects.some(({ does }) => does === "reads")) return { ...common, status: "reading" };
  if (effects.every(({ does }) => does === "ignored")) {
    const streams = [...new Set(effects.map(({ stream }) => stream))].join("', '");
    return { ...common, status: "ignored", reason: `No enabled flow of tenant '${lane.plan.tenant.id}' stores '${streams}' of this connection.` };
  }
  return { ...common, status: "processed" };
}

// ── nobody's ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Items whose account belonged to no connection, asked for again: their connection may be there by now. */
async function routeAgain({ db, keyring }: ProcessingContext, tenant: string): Promise<number | undefined> {
  if (tenant !== PLATFORM) return 0;
  const routed = await withTenant(db, tenant, async (tx) => {
    const events = await takeEvents(tx, keyring, "", BATCH);
    if (events === undefined) return undefined;
    for (const event of events) {
      const owners = event.account === undefined || event.unreadable !== undefined ? [] : await ownersOfAccount(db, event.connector, event.account);
      if (owners.length === 0) {
        const params = { account: event.account ?? "(none)", connector: event.connector };
        await settleEvents(tx, [{ id: event.id, status: "unrouted", code: "EVENT_UNROUTED", reason: messageOf("EVENT_UNROUTED", params) }]);
        continue;
      }
      const { body, ...request } = event.request;
      for (const owner of owners) {
        // Committed before ours: done twice, it is once by its id, or one more read of the same record.
        await withTenant(db, owner.tenant, (its) => storeArrivals(its, keyring, [{ connector: event.connector, connection: owner.connection, feed: event.feed, door: event.door, bytes: body?.length ?? 0, request, items: [{
          item: event.item ?? null, ...(event.eventId === undefined ? {} : { eventId: event.eventId }), ...(event.account === undefined ? {} : { account: event.account }), ...(event.at === undefined ? {} : { at: event.at }) }] }]));
      }
      await markRouted(tx, event.id, `Routed to ${owners.length} connection${owners.length === 1 ? "" : "s"}.`);
    }
    return events.length;
  });
  if (routed !== undefined && routed > 0) await announceEvents(db);
  return routed;
}

