/**
 * Changes of rows, from the transaction that makes them to the worker that looks what they fire. Which causes fire by
 * themselves is decided here and nowhere else; the others are counted, and a person may ask for what they would have sent.
 */
import type { JsonObject } from "../manifest/types.ts";
import type { ChangeFlowPlan } from "../plan/types.ts";
import { type Database, asScheduler, inTenant, type TenantTransaction } from "./database.ts";
import type { Sealer } from "./keyring.ts";
import { rawPurpose } from "./purposes.ts";
import type { StreamIds } from "./sql/contributions.ts";
import { tickEntity } from "./sql/checkpoints.ts";
import {
  announceCause, askChanges, type ChangeFlowRow, countUnfired, deleteChanges, endCause, type LiveRow, lockChanges, pauseChangeFlow, replaceChangeFlows, type RowChangeRow, selectChangedTenants, selectChangeFlows,
  selectChanges, selectNotFired, selectRaws, selectUnfired, selectWatched, tellDeliverers, type UnfiredRow,
} from "./sql/row-changes.ts";

/** NOTIFY on this channel, in the transaction that wrote a change or made a delivery due: look now. */
export const DELIVERY_CHANNEL = "plugboard_deliveries";

/**
 * Why rows are written. `event` and `poll` fire change flows by themselves; `poll` is the ordinary reading of what changed. A
 * `delivery` is the echo of what we sent, and fires nothing.
 */
export type ChangeCause = "event" | "poll" | "first_load" | "sweep" | "resync" | "replay" | "mapping" | "delivery";

const fires = (cause: ChangeCause): cause is "event" | "poll" => cause === "event" || cause === "poll";

/** What a page is about to change of rows that were there. */
export interface AboutToChange { readonly key: string; readonly rowId: string; readonly rawText: string }

/**
 * In the transaction of a page, before its rows are written: from here to `settleChanges`, changes of rows are noted. A record
 * that came as it came before changed by its mapping only, and its row is left out: `updates` are opened to tell.
 * @param watched whether some enabled change flow names the entity; absent: looked up.
 * @returns how many changed by their mapping only; undefined when nobody watches the entity.
 */
export async function noteChanges(tx: TenantTransaction, stream: StreamIds, watched: boolean | undefined, cause: ChangeCause, sealer: Sealer, updates: readonly AboutToChange[]): Promise<{ remapped: number } | undefined> {
  if (!(watched ?? (await tx.run(selectWatched(tx.tenantId, stream.entity))).length > 0)) return undefined;
  if (!fires(cause)) return { remapped: 0 };
  const remapped = updates.length === 0 ? [] : await remappedOnly(tx, stream, sealer, updates);
  await tx.run(announceCause(tx.tenantId, stream.entity, cause, remapped));
  return { remapped: remapped.length };
}

/** After the page's rows are written. `changed`: rows that its cause changed. */
export async function settleChanges(tx: TenantTransaction, entity: string, cause: ChangeCause, noted: { readonly remapped: number } | undefined, changed: number): Promise<void> {
  if (noted === undefined) return;
  if (fires(cause)) await tx.run(endCause());
  await countQuiet(tx, entity, fires(cause) ? "mapping" : cause, fires(cause) ? noted.remapped : changed);
}

/** Changes that fire nothing, counted where somebody watches the entity. */
export async function countQuiet(tx: TenantTransaction, entity: string, cause: ChangeCause, count: number): Promise<void> {
  if (count > 0) await tx.run(countUnfired(tx.tenantId, entity, cause, count));
}

async function remappedOnly(tx: TenantTransaction, stream: StreamIds, sealer: Sealer, updates: readonly AboutToChange[]): Promise<string[]> {
  const raws = new Map((await tx.run<{ key: string; raw: Buffer }>(selectRaws(stream, updates.map(({ key }) => key)))).map(({ key, raw }) => [key, raw]));
  return updates.filter(({ key, rawText }) => {
    const raw = raws.get(key);
    return raw !== undefined && sealer.open(rawPurpose(stream.connection, stream.stream, stream.entity, key), raw).equals(Buffer.from(rawText));
  }).map(({ rowId }) => rowId);
}

// ── flows ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Puts the change flows of a plan in force; one that was enabled before keeps its instant. */
export async function putChangeFlows(tx: TenantTransaction, flows: readonly Pick<ChangeFlowPlan, "name" | "entity" | "enabled">[]): Promise<void> {
  await tx.run(replaceChangeFlows(tx.tenantId, JSON.stringify(flows.map(({ name, entity, enabled }) => ({ flow: name, entity, enabled })))));
}

export interface ChangeFlowState { readonly flow: string; readonly entity: string; readonly enabled: boolean; /** Milliseconds since the epoch. */ readonly enabledAt: number; readonly paused?: { readonly at: string; readonly by: string } }

export const changeFlowStates = (at: Database | TenantTransaction, tenant: string): Promise<ChangeFlowState[]> => inTenant(at, tenant, async (tx) =>
  (await tx.run<ChangeFlowRow>(selectChangeFlows(tx.tenantId))).map(({ flow, entity, enabled, enabled_at, paused_at, paused_by }) => ({
    flow, entity, enabled, enabledAt: enabled_at.getTime(), ...(paused_at === null ? {} : { paused: { at: paused_at.toISOString(), by: paused_by ?? "" } }),
  })));

/** `by` undefined resumes. Its changes become deliveries all the same; they are sent, in their order, once it is resumed. False: there is no such flow. */
export const pauseChanges = (at: Database | TenantTransaction, tenant: string, flow: string, by: string | undefined): Promise<boolean> => inTenant(at, tenant, async (tx) => {
  const known = (await tx.run(pauseChangeFlow(tx.tenantId, flow, by ?? null))).length === 1;
  await tx.run(tellDeliverers());
  return known;
});

// ── taking them ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface RowChange {
  readonly seq: string;
  readonly entity: string;
  readonly row: string;
  /** Absent: the row did not exist, or has ended. */
  readonly before?: JsonObject;
  readonly after?: JsonObject;
  /** Connection → the row's key there. */
  readonly links: Readonly<Record<string, string>>;
  readonly cause: "event" | "poll" | "asked";
  /** Set when a person asked for it: only this flow sees it. */
  readonly flow?: string;
  readonly askedBy?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export const changedTenants = (db: Database): Promise<string[]> => asScheduler(db, async (tx) => (await tx.run<{ tenant: string }>(selectChangedTenants())).map(({ tenant }) => tenant));

/** The next changes in commit order; undefined while another process is at this tenant's. They go with `doneWithChanges` in the same transaction. */
export async function takeChanges(tx: TenantTransaction, limit: number): Promise<RowChange[] | undefined> {
  const [lock] = await tx.run<{ locked: boolean }>(lockChanges(tx.tenantId));
  if (lock?.locked !== true) return undefined;
  return (await tx.run<RowChangeRow>(selectChanges(tx.tenantId, limit))).map(({ seq, entity, row_id, before, after, links, cause, flow, asked_by, at }) => ({
    seq, entity, row: row_id, links, cause: cause as RowChange["cause"], at: at.getTime(),
    ...(before === null ? {} : { before: before as JsonObject }), ...(after === null ? {} : { after: after as JsonObject }),
    ...(flow === null ? {} : { flow }), ...(asked_by === null ? {} : { askedBy: asked_by }),
  }));
}

export const doneWithChanges = (tx: TenantTransaction, changes: readonly RowChange[]): Promise<unknown> => tx.run(deleteChanges(tx.tenantId, changes.map(({ seq }) => seq)));

// ── what did not fire ───────────────────────────────────────────────────────────────────────────────────────────────

export interface Unfired { readonly cause: ChangeCause; readonly count: number; readonly first_at: string; readonly last_at: string }

/** Changes of the entity that fired nothing, by cause, since somebody watches it. */
export const unfiredChanges = (at: Database | TenantTransaction, tenant: string, entity: string): Promise<Unfired[]> => inTenant(at, tenant, async (tx) =>
  (await tx.run<UnfiredRow>(selectUnfired(tx.tenantId, entity))).map(({ cause, count, first_at, last_at }) => ({ cause: cause as ChangeCause, count: Number(count), first_at: first_at.toISOString(), last_at: last_at.toISOString() })));

export interface NotFired { readonly id: string; readonly data: JsonObject; readonly links: Readonly<Record<string, string>>; readonly position: readonly [at: string, id: string] }

/** Live rows of which the flow made nothing since they last changed; oldest change first, as many as `limit`. */
export const rowsNotFired = (tx: TenantTransaction, entity: string, flow: string, after: readonly [string, string] | undefined, limit: number): Promise<NotFired[]> =>
  tx.run<LiveRow>(selectNotFired(tx.tenantId, entity, flow, after, limit)).then((rows) => rows.map(({ id, data, links, at }) => ({ id, data: data as JsonObject, links, position: [at, id] as const })));

/** Makes rows changes of one flow, because a person asks for it. In the entity's turn: what changes meanwhile comes after. @returns how many. */
export async function askForRows(tx: TenantTransaction, entity: string, flow: string, rows: readonly string[], by: string): Promise<number> {
  if (rows.length === 0) return 0;
  await tx.run(tickEntity(tx.tenantId, entity));
  const asked = await tx.run(askChanges(tx.tenantId, entity, flow, rows, by));
  await tx.run(tellDeliverers());
  return asked.length;
}
