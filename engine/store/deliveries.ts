/**
 * Deliveries: put into the outbox by the transaction that takes their change away, claimed under a lease and an epoch, marked
 * with what became of them. Whoever sends asks before each request whether the delivery is still theirs.
 */
import { createHash } from "node:crypto";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { JsonObject } from "../manifest/types.ts";
import { askBreaker, type BreakerSays, endProbe } from "./breakers.ts";
import { asScheduler, type Database, inTenant, type TenantTransaction, withTenant } from "./database.ts";
import type { Keyring, Sealer } from "./keyring.ts";
import { attemptPurpose, deliveryPurpose } from "./purposes.ts";
import { live } from "../run/redact.ts";
import { newRowId } from "./row-id.ts";
import type { RowChange } from "./row-changes.ts";
import type { Page } from "./runs.ts";
import {
  type AttemptRow, beginAttempts as beginAttemptsOf, claimAlikeDeliveries, claimDeliveries, countByFlow, countRecent, countReplayable, countUnfinished, decideDelivery, deleteOldDeliveries, deleteOldTokens, type DeliveryQuery, type DeliveryRow, type FlowLoadRow, giveWay, insertDeliveries, insertMinted,
  keepDelivery, markDelivered, markDelivery, parkDeliveries, putOffTarget, recallTarget, recallWaiting, recoverDeliveries, releaseDeliveries, replayDeliveries, selectAttempts, selectDeliveries, selectDelivery, selectDueTenants, selectMinted, selectNextDelivery, selectNewerSent, selectTenantsWithOld,
} from "./sql/deliveries.ts";
import { tryBreaker } from "./sql/breakers.ts";
import { tellDeliverers } from "./sql/row-changes.ts";

/**
 * `waiting` for a reference · `held` for a person · `queued` to be sent at `due_at` · `sending` · `unknown`: nobody knows whether it
 * was carried out, and only a person may say. The others are final.
 */
export type DeliveryStatus = "waiting" | "held" | "queued" | "sending" | "unknown" | "delivered" | "unchanged" | "failed" | "exhausted" | "cancelled" | "rejected" | "superseded";
export type DeliveryKind = "action" | "save" | "webhook";

/** Days that processed events and finished deliveries are kept, where the workspace says nothing else. */
export const KEPT_DAYS = 30;

/** What was frozen when the delivery was made. */
export interface DeliveryPayload {
  readonly before?: JsonObject;
  readonly after?: JsonObject;
  readonly links: Readonly<Record<string, string>>;
  /** The mapped input; absent while a reference is missing, when the mapping failed, and for a row that ended. */
  readonly input?: JsonObject;
  /** Of an outgoing webhook: the body, to the letter. */
  readonly body?: string;
  readonly minted: Readonly<Record<string, string>>;
  /** Whether the flow fires could not be told: an expression failed. */
  readonly undecided?: true;
  /** The provider took it and was not done: what asking again needs. The write is not sent again. */
  readonly accepted?: JsonObject;
}

export interface Delivery {
  readonly id: string; readonly flow: string; readonly entity: string; readonly row: string; readonly cause: string; readonly changed_at: string;
  readonly kind: DeliveryKind;
  /** The connection, or the endpoint's name. */
  readonly target: string;
  /** The action, or of a save the stream; of a webhook the type of the event. */
  readonly operation: string;
  readonly status: DeliveryStatus;
  readonly key: string;
  readonly code?: string; readonly reason?: string;
  readonly revision: string; readonly attempts: number;
  readonly due_at?: string; readonly first_sent_at?: string; readonly last_sent_at?: string;
  /** The role it waits for. */
  readonly hold_role?: string;
  readonly decided_by?: string; readonly decided_at?: string; readonly superseded_by?: string;
  readonly result_key?: string; readonly result_version?: string;
  readonly created_at: string; readonly finished_at?: string;
  /** An earlier one of the same row did not arrive. */
  readonly gap?: boolean;
  /** The one of the same row that has to end first. */
  readonly behind?: string;
}

/** Claimed: to be sent by whoever holds this epoch. */
export interface ClaimedDelivery extends Delivery {
  readonly tenant: string;
  readonly epoch: string;
  readonly payload: DeliveryPayload;
  /** Of a save that was sent before: what it was sent as. */
  readonly chosen?: string;
  readonly chosenKey?: string;
  readonly batch?: string;
  readonly unsure: boolean;
  /** A person let it pass the loop guard. */
  readonly letPass: boolean;
  /** The revision that is in force now; absent: none names the tenant. */
  readonly inForce?: string;
  /** Whether something may be sent to its target. */
  readonly breaker: BreakerSays;
  /** Grows with the order in which they were made. */
  readonly place: number;
  /** Attempts since it was made, or replayed by hand. */
  readonly attemptsOfSchedule: number;
}

export interface NewDelivery {
  readonly id: string;
  readonly flow: string;
  readonly change: RowChange;
  readonly kind: DeliveryKind; readonly target: string; readonly operation: string;
  readonly status: "waiting" | "held" | "queued" | "failed";
  readonly payload: DeliveryPayload;
  readonly revision: string;
  readonly holdRole?: string;
  readonly code?: string; readonly reason?: string;
  readonly inSeconds?: number;
  readonly tokens: readonly MintedToken[];
}

export interface MintedToken { readonly token: string; readonly kind: string; readonly about?: string; readonly validSeconds?: number }

/** The same for every try of this change by this flow, another one for every other change; 32 hexadecimal digits, which the shortest limits take. */
export const deliveryKey = (parts: readonly string[]): string => createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);

export const newDeliveryId = newRowId;

/** False: the flow has made one of this change already. */
export const addDelivery = async (tx: TenantTransaction, sealer: Sealer, made: NewDelivery): Promise<boolean> => await addDeliveries(tx, sealer, [made]) === 1;

/** @returns how many: of the others' changes their flows have made one already. */
export async function addDeliveries(tx: TenantTransaction, sealer: Sealer, all: readonly NewDelivery[]): Promise<number> {
  let count = 0;
  for (const made of withoutRepeats(all)) {
    const rows = made.map(({ id, flow, change, kind, target, operation, status, code, reason, revision, holdRole, inSeconds }, index) => ({
      place: index + 1, id, flow, entity: change.entity, row_id: change.row, change_seq: change.seq, cause: change.cause, changed_at: new Date(change.at).toISOString(), kind, target, operation,
      status, key: deliveryKey([tx.tenantId, flow, target, operation, change.row, change.seq]), code, reason: reason?.slice(0, 2000), revision, hold_role: holdRole, in_seconds: inSeconds,
    }));
    const payloads = made.map(({ id, payload }) => sealer.seal(deliveryPurpose(id), JSON.stringify(payload)));
    const added = new Set((await tx.run<{ id: string }>(insertDeliveries(tx.tenantId, storableText(JSON.stringify(rows)), payloads))).map(({ id }) => id));
    for (const { id, flow, change, tokens } of made) if (added.has(id)) await addTokens(tx, id, flow, change.row, tokens);
    count += added.size;
  }
  return count;
}

/** In their order, cut where a row comes again: a later one of it supersedes an earlier one. */
function withoutRepeats(all: readonly NewDelivery[]): NewDelivery[][] {
  const parts: NewDelivery[][] = [];
  let seen = new Set<string>();
  for (const made of all) {
    const row = `${made.flow} ${made.change.row}`;
    if (parts.length === 0 || seen.has(row)) {
      parts.push([]);
      seen = new Set();
    }
    parts.at(-1)!.push(made);
    seen.add(row);
  }
  return parts;
}

async function addTokens(tx: TenantTransaction, delivery: string, flow: string, row: string, tokens: readonly MintedToken[]): Promise<void> {
  for (const { token, kind, about, validSeconds } of tokens) {
    await tx.run(insertMinted(tx.tenantId, { hash: hashOf(token), kind, about: about ?? null, delivery, flow, row, validSeconds: validSeconds ?? null }));
  }
}

const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

export interface Minted { readonly kind: string; readonly about?: string; readonly delivery: string; readonly flow: string; readonly row: string; /** ISO instant. */ readonly expires_at?: string }

/** What a minted token was made for, while it is valid. */
export const findMinted = (at: Database | TenantTransaction, tenant: string, token: string): Promise<Minted | undefined> => inTenant(at, tenant, async (tx) => {
  const [row] = await tx.run<{ kind: string; about: string | null; delivery_id: string; flow: string; row_id: string; expires_at: Date | null }>(selectMinted(tx.tenantId, hashOf(token)));
  return row && { kind: row.kind, ...(row.about === null ? {} : { about: row.about }), delivery: row.delivery_id, flow: row.flow, row: row.row_id, ...(row.expires_at === null ? {} : { expires_at: row.expires_at.toISOString() }) };
});

// ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export const tenantsToDeliver = (db: Database): Promise<string[]> => asScheduler(db, async (tx) => (await tx.run<{ tenant: string }>(selectDueTenants())).map(({ tenant }) => tenant));

/** Milliseconds since the epoch of the next one that becomes due. */
export const nextDelivery = (db: Database): Promise<number | undefined> => asScheduler(db, async (tx) => (await tx.run<{ due_at: Date | null }>(selectNextDelivery()))[0]?.due_at?.getTime());

export interface ClaimWanted { readonly owner: string; readonly leaseSeconds: number; readonly limit: number }

/**
 * Takes up to `limit` that are due, each the first of its (flow, row).
 * @param recover puts deliveries of workers that fell silent back before, and those out of sight that stand behind another.
 */
export const claimDue = (db: Database, keyring: Keyring, tenant: string, wanted: ClaimWanted & { readonly recover?: boolean }): Promise<ClaimedDelivery[]> => withTenant(db, tenant, async (tx) => {
  if (wanted.recover !== false) {
    await tx.run(recoverDeliveries(tx.tenantId));
    for (let round = 0; round < PARK_ROUNDS && (await tx.run(parkDeliveries(tx.tenantId, PARK_WINDOW))).length > 0; round++);
  }
  return claimed(tx, keyring, await tx.run<ClaimedRow>(claimDeliveries(tx.tenantId, wanted.owner, wanted.leaseSeconds, wanted.limit)));
});

/** Of those that are due, so many are looked at for whether they stand behind another, so often at most. */
const PARK_WINDOW = 500;
const PARK_ROUNDS = 4;

/** Gives back what this worker claimed and did not begin: nothing of it was sent. */
export const releaseClaims = (db: Database, tenant: string, deliveries: readonly ClaimedDelivery[]): Promise<void> => withTenant(db, tenant, async (tx) => {
  for (const each of deliveries) if (each.breaker.is === "probe") await endProbe(tx, breakerOf(each));
  await tx.run(releaseDeliveries(tx.tenantId, deliveries));
  await tx.run(tellDeliverers());
});

/** Others that may share a request with this one: those it was sent with before, or such as were never sent. */
export const claimAlike = (db: Database, keyring: Keyring, delivery: ClaimedDelivery, wanted: ClaimWanted): Promise<ClaimedDelivery[]> => withTenant(db, delivery.tenant, async (tx) =>
  wanted.limit <= 0 ? [] : claimed(tx, keyring, await tx.run<ClaimedRow>(claimAlikeDeliveries(tx.tenantId, wanted.owner, wanted.leaseSeconds, wanted.limit, delivery.flow, delivery.batch ?? null))));

type ClaimedRow = DeliveryRow & { payload: Buffer; in_force: string | null };

/** What a breaker is about. */
export const breakerOf = ({ kind, target }: Pick<Delivery, "kind" | "target">): string => `${kind === "webhook" ? "endpoint" : "connection"}:${target}`;

async function claimed(tx: TenantTransaction, keyring: Keyring, rows: readonly ClaimedRow[]): Promise<ClaimedDelivery[]> {
  if (rows.length === 0) return [];
  const sealer = await keyring.of(tx);
  const breakers = new Map<string, BreakerSays>();
  for (const row of rows) {
    const name = breakerOf(row as { kind: DeliveryKind; target: string });
    // Where it was open, the first of them tries and the others wait for what it finds.
    if (breakers.get(name)?.is !== "closed") breakers.set(row.id, await askBreaker(tx, name));
    if (breakers.get(row.id)?.is === "closed") breakers.set(name, breakers.get(row.id)!);
  }
  const all: ClaimedDelivery[] = [];
  for (const row of rows) {
    const payload = await opened(sealer, row);
    if (payload instanceof PlugboardError) {
      // One that was damaged must not keep the others.
      await tx.run(markDelivery(tx.tenantId, row.id, row.epoch, { status: "failed", code: payload.code, reason: payload.message, unsure: row.unsure, inSeconds: null, batch: null, key: null, version: null, payload: null, restart: false, supersededBy: null }));
      continue;
    }
    all.push({
      ...deliveryOf(row), breaker: breakers.get(row.id) ?? { is: "closed" }, ...(row.in_force === null ? {} : { inForce: row.in_force }), tenant: tx.tenant, place: Number(row.seq), epoch: row.epoch, unsure: row.unsure, letPass: row.let_pass,
      attemptsOfSchedule: row.attempts - row.attempts_base, payload, ...(row.chosen === null ? {} : { chosen: row.chosen }), ...(row.chosen_key === null ? {} : { chosenKey: row.chosen_key }), ...(row.batch === null ? {} : { batch: row.batch }),
    });
  }
  return all.sort((a, b) => a.place - b.place);
}

async function opened(sealer: Sealer, row: ClaimedRow): Promise<DeliveryPayload | PlugboardError> {
  try {
    return JSON.parse((await sealer.openFresh(deliveryPurpose(row.id), row.payload)).toString("utf8")) as DeliveryPayload;
  } catch (thrown) {
    if (thrown instanceof PlugboardError && thrown.code === "STORE_DECRYPT") return thrown;
    throw thrown;
  }
}

export interface AttemptBegun { readonly id: string; readonly number: number }

/** What an attempt is begun with. */
export interface Beginning { readonly delivery: ClaimedDelivery; readonly batch?: string; readonly chosen?: string; readonly chosenKey?: string }

/** Begins attempts. @returns for each what was begun; undefined where it is not ours any more: nothing of it may be sent. */
export async function beginAttempts(tx: TenantTransaction, all: readonly Beginning[], by: { readonly worker: string; readonly leaseSeconds: number }): Promise<(AttemptBegun | undefined)[]> {
  const begun = all.map(({ delivery: { id, epoch }, batch, chosen, chosenKey }) => ({ id, epoch, attempt: newRowId(), batch: batch ?? null, chosen: chosen ?? null, chosenKey: chosenKey ?? null }));
  const numbers = new Map((await tx.run<{ id: string; number: number }>(beginAttemptsOf(tx.tenantId, by.worker, by.leaseSeconds, begun))).map(({ id, number }) => [id, number]));
  return begun.map(({ id, attempt }) => { const number = numbers.get(id); return number === undefined ? undefined : { id: attempt, number }; });
}

/** Those that are sent together: of all of them, or of none. @returns undefined when one of them is not ours any more. */
export async function beginBatch(db: Database, all: readonly Beginning[], by: { readonly worker: string; readonly leaseSeconds: number }): Promise<AttemptBegun[] | undefined> {
  const lost = new Error("not ours any more");
  try {
    return await withTenant(db, all[0]!.delivery.tenant, async (tx) => (await beginAttempts(tx, all, by)).map((each) => { if (each === undefined) throw lost; return each; }));
  } catch (thrown) {
    if (thrown === lost) return undefined;
    throw thrown;
  }
}

/** Whether all of them are still ours; lengthens their leases. */
export const keepClaims = (db: Database, deliveries: readonly ClaimedDelivery[], leaseSeconds: number): Promise<boolean> => withTenant(db, deliveries[0]!.tenant, async (tx) => {
  for (const { id, epoch } of deliveries) if ((await tx.run(keepDelivery(tx.tenantId, id, epoch, leaseSeconds))).length === 0) return false;
  return true;
});

export interface Outcome {
  readonly status: "queued" | "held" | "waiting" | "unknown" | "delivered" | "unchanged" | "failed" | "exhausted" | "cancelled" | "superseded";
  readonly code?: string; readonly reason?: string;
  readonly unsure?: boolean;
  /** For `queued` and `waiting`. */
  readonly inSeconds?: number;
  /** Kept when what was sent together has to be sent together again. */
  readonly batch?: string;
  readonly key?: string; readonly version?: string;
  /** When something was added to it. */
  readonly payload?: DeliveryPayload;
  /** The attempt was no failure: the schedule begins anew. */
  readonly restart?: boolean;
  readonly tokens?: readonly MintedToken[];
  /** Of `superseded`: the newer one. */
  readonly supersededBy?: string;
}

/** The attempt it ends, if one was begun. */
export interface AttemptEnd { readonly id: string; readonly outcome: "done" | "refused" | "retry" | "unknown" | "auth" | "accepted"; readonly httpStatus?: number; /** JSON, secrets masked. */ readonly exchange?: JsonObject }

/** One that arrived, and nothing more is to be noted about its row. */
export interface ArrivedDelivery { readonly delivery: ClaimedDelivery; readonly attempt: AttemptEnd; readonly key?: string; readonly version?: string }

/** Says of many that they arrived; their targets are well. Those that are not ours any more are left as they are. */
export async function markArrived(tx: TenantTransaction, keyring: Keyring, all: readonly ArrivedDelivery[]): Promise<void> {
  const sealer = await sealerIn(tx, keyring);
  const arrived = all.map(({ delivery: { id, epoch }, attempt, key, version }) => ({
    id, epoch, attempt: attempt.id, httpStatus: attempt.httpStatus ?? null, exchange: exchangeOf(tx, sealer, attempt), key: key?.slice(0, 1000) ?? null, version: version?.slice(0, 200) ?? null,
  }));
  const targets = new Map(all.map(({ delivery }) => [breakerOf(delivery), delivery]));
  const marked = await tx.run<{ opened: boolean }>(markDelivered(tx.tenantId, arrived, [...targets.keys()]));
  if (marked[0]?.opened === true) for (const { kind, target } of targets.values()) await recall(tx, kind, target);
}

const exchangeOf = (tx: TenantTransaction, sealer: Sealer, { id, exchange }: AttemptEnd): Buffer | null => (exchange === undefined ? null : sealer.seal(attemptPurpose(id), JSON.stringify(live.data(exchange, tx.tenant))));

/** Says what became of a delivery. False: it is not ours any more, and nothing was said. */
export async function markOutcome(tx: TenantTransaction, keyring: Keyring, delivery: ClaimedDelivery, outcome: Outcome, attempt?: AttemptEnd): Promise<boolean> {
  const sealer = await sealerIn(tx, keyring);
  // Whatever masked them before: what a provider says back may hold a secret that its own connection does not know.
  const reason = outcome.reason === undefined ? null : storableText(live.text(outcome.reason, tx.tenant).slice(0, 2000));
  const ended = attempt && { id: attempt.id, outcome: attempt.outcome, httpStatus: attempt.httpStatus ?? null, exchange: exchangeOf(tx, sealer, attempt) };
  const marked = await tx.run(markDelivery(tx.tenantId, delivery.id, delivery.epoch, {
    status: outcome.status, code: outcome.code ?? null, reason, unsure: outcome.unsure === true, inSeconds: outcome.inSeconds ?? null, batch: outcome.batch ?? null, key: outcome.key?.slice(0, 1000) ?? null, version: outcome.version?.slice(0, 200) ?? null,
    restart: outcome.restart === true, supersededBy: outcome.supersededBy ?? null, payload: outcome.payload === undefined ? null : sealer.seal(deliveryPurpose(delivery.id), JSON.stringify(outcome.payload)),
  }, ended));
  if (marked.length === 0) return false;
  if (outcome.tokens !== undefined) await addTokens(tx, delivery.id, delivery.flow, delivery.row, outcome.tokens);
  if (outcome.status === "held") await tx.run(giveWay(tx.tenantId, delivery.flow, delivery.row, delivery.id));
  return true;
}

const sealers = new WeakMap<TenantTransaction, Promise<Sealer>>();

/** One for all marks of a transaction. */
function sealerIn(tx: TenantTransaction, keyring: Keyring): Promise<Sealer> {
  let sealer = sealers.get(tx);
  if (sealer === undefined) sealers.set(tx, sealer = keyring.of(tx));
  return sealer;
}

/** How many deliveries of the row arrived in the last hour. */
export const recentDeliveries = (tx: TenantTransaction, flow: string, row: string): Promise<number> =>
  tx.run<{ count: number }>(countRecent(tx.tenantId, flow, row)).then(([found]) => found!.count);

/** A newer delivery of the row that was sent, or is being. It happens when an older one is replayed, or approved late. */
export const newerSent = (tx: TenantTransaction, { flow, row, place }: Pick<ClaimedDelivery, "flow" | "row" | "place">): Promise<string | undefined> =>
  tx.run<{ id: string }>(selectNewerSent(tx.tenantId, flow, row, place)).then(([found]) => found?.id);

/** Nothing is sent to the target before: the others need not find out one by one. */
export const putOff = (tx: TenantTransaction, kind: DeliveryKind, target: string, seconds: number, reason: string): Promise<unknown> =>
  tx.run(putOffTarget(tx.tenantId, sharing(kind), target, seconds, reason));

/** The target is well again. */
export const recall = (tx: TenantTransaction, kind: DeliveryKind, target: string): Promise<unknown> => tx.run(recallTarget(tx.tenantId, sharing(kind), target));

/** A person did something about the connection (entered, resumed or checked it): what waited for it is due, and one that is left alone is tried. */
export async function recallConnection(tx: TenantTransaction, connection: string): Promise<void> {
  await tx.run(tryBreaker(tx.tenantId, breakerOf({ kind: "action", target: connection })));
  await recall(tx, "action", connection);
  await tx.run(tellDeliverers());
}

/** Another configuration is in force: whatever waited for its target asks it anew. */
export const recallAll = (tx: TenantTransaction): Promise<unknown> => tx.run(recallWaiting(tx.tenantId));

/** Kinds that go to the same targets. */
const sharing = (kind: DeliveryKind): readonly DeliveryKind[] => (kind === "webhook" ? ["webhook"] : ["action", "save"]);

// ── looking at them ─────────────────────────────────────────────────────────────────────────────────────────────────

export interface DeliveryFilter {
  readonly status?: readonly DeliveryStatus[];
  readonly flow?: string;
  readonly target?: string;
  readonly row?: string;
  readonly code?: string;
}

const queryOf = (filter: DeliveryFilter): DeliveryQuery => ({ status: filter.status ?? null, flow: filter.flow ?? null, target: filter.target ?? null, row: filter.row ?? null, code: filter.code ?? null, role: null });

/** Newest first, without what they hold. */
export const listDeliveries = (at: Database | TenantTransaction, tenant: string, filter: DeliveryFilter & { readonly limit?: number; readonly after?: readonly string[] } = {}): Promise<Page<Delivery>> => inTenant(at, tenant, async (tx) => {
  const limit = filter.limit ?? 50;
  const rows = await tx.run<DeliveryRow>(selectDeliveries(tx.tenantId, queryOf(filter), filter.after?.[0], limit + 1));
  const last = rows[limit - 1];
  return { items: rows.slice(0, limit).map(deliveryOf), ...(rows.length > limit && last ? { next: [last.seq] } : {}) };
});

export const getDelivery = (at: Database | TenantTransaction, tenant: string, id: string): Promise<Delivery | undefined> => inTenant(at, tenant, async (tx) => {
  const [row] = await tx.run<DeliveryRow>(selectDelivery(tx.tenantId, id));
  return row && deliveryOf(row);
});

/** What it holds, decrypted: for someone who may see it. */
export const readDeliveryPayload = (at: Database | TenantTransaction, keyring: Keyring, tenant: string, id: string): Promise<DeliveryPayload | undefined> => inTenant(at, tenant, async (tx) => {
  const sealer = await keyring.of(tx);
  const [row] = await tx.run<DeliveryRow & { payload: Buffer }>(selectDelivery(tx.tenantId, id));
  return row && JSON.parse((await sealer.openFresh(deliveryPurpose(id), row.payload)).toString("utf8")) as DeliveryPayload;
});

export interface DeliveryAttempt {
  readonly id: string; readonly number: number; readonly worker: string; readonly started_at: string; readonly ended_at?: string;
  /** Absent while it is under way. */
  readonly outcome?: string; readonly code?: string; readonly reason?: string; readonly http_status?: number;
  /** Requests and answers, secrets masked; only when asked for. */
  readonly exchange?: JsonObject;
}

/** @param keyring given: with requests and answers. */
export const listAttempts = (at: Database | TenantTransaction, tenant: string, delivery: string, keyring?: Keyring): Promise<DeliveryAttempt[]> => inTenant(at, tenant, async (tx) => {
  const sealer = keyring && await keyring.of(tx);
  const rows = await tx.run<AttemptRow>(selectAttempts(tx.tenantId, delivery));
  return Promise.all(rows.map(async (row) => ({
    id: row.id, number: row.number, worker: row.worker, started_at: row.started_at.toISOString(), ...(row.ended_at === null ? {} : { ended_at: row.ended_at.toISOString() }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }), ...(row.code === null ? {} : { code: row.code }), ...(row.reason === null ? {} : { reason: row.reason }), ...(row.http_status === null ? {} : { http_status: row.http_status }),
    ...(sealer === undefined || row.exchange === null ? {} : { exchange: JSON.parse((await sealer.openFresh(attemptPurpose(row.id), row.exchange)).toString("utf8")) as JsonObject }),
  })));
});

// ── deciding about them ─────────────────────────────────────────────────────────────────────────────────────────────

export const REPLAYABLE: readonly DeliveryStatus[] = ["failed", "exhausted", "cancelled", "delivered", "unchanged"];
/** Replays begin no faster, of all flows of a call together: a provider that was down is not met by all of them at once. */
export const REPLAYS_PER_SECOND = 10;
const MOST_REPLAYS = 10_000;

type ReplayWanted = DeliveryFilter & { readonly ids?: readonly string[] };

/** Of those that are named all that are over, of others those that did not arrive. */
const replayQuery = (wanted: ReplayWanted): DeliveryQuery =>
  queryOf({ ...wanted, status: (wanted.status ?? (wanted.ids === undefined ? ["failed", "exhausted"] : REPLAYABLE)).filter((one) => REPLAYABLE.includes(one)) });

/** How many would be sent again now; changes nothing. */
export const countReplayableDeliveries = (at: Database | TenantTransaction, tenant: string, wanted: ReplayWanted): Promise<number> => inTenant(at, tenant, async (tx) =>
  (await tx.run<{ count: number }>(countReplayable(tx.tenantId, wanted.ids ?? null, replayQuery(wanted), MOST_REPLAYS)))[0]!.count);

/** Sends finished ones again, under their id, in their order, at a limited rate. @returns their ids. */
export const replayDelivered = (at: Database | TenantTransaction, tenant: string, wanted: ReplayWanted): Promise<string[]> => inTenant(at, tenant, async (tx) => {
  const rows = await tx.run<{ id: string }>(replayDeliveries(tx.tenantId, wanted.ids ?? null, replayQuery(wanted), REPLAYS_PER_SECOND, MOST_REPLAYS));
  await tx.run(tellDeliverers());
  return rows.map(({ id }) => id);
});

/** A person knows how an unknown one ended. `sent`: it arrived; else it is sent again. False: it is not unknown. */
export const resolveUnknown = (at: Database | TenantTransaction, tenant: string, id: string, sent: boolean, by: string): Promise<boolean> => inTenant(at, tenant, async (tx) => {
  const done = await tx.run(decideDelivery(tx.tenantId, id, ["unknown"], { status: sent ? "delivered" : "queued", by, reason: sent ? "A person found that it had arrived." : "A person found that it had not arrived." }));
  await tx.run(tellDeliverers());
  return done.length === 1;
});

/** False: it is over, or being sent. */
export const cancelDelivery = (at: Database | TenantTransaction, tenant: string, id: string, by: string): Promise<boolean> => inTenant(at, tenant, async (tx) => {
  const done = await tx.run(decideDelivery(tx.tenantId, id, ["waiting", "held", "queued", "unknown"], { status: "cancelled", by, reason: "A person cancelled it." }));
  await tx.run(tellDeliverers());
  return done.length === 1;
});

/** What waits for a person, of one role or of all, newest first. */
export const listHolds = (at: Database | TenantTransaction, tenant: string, filter: { readonly role?: string; readonly limit?: number; readonly after?: readonly string[] } = {}): Promise<Page<Delivery>> => inTenant(at, tenant, async (tx) => {
  const limit = filter.limit ?? 50;
  const rows = await tx.run<DeliveryRow>(selectDeliveries(tx.tenantId, { ...queryOf({ status: ["held"] }), role: filter.role ?? null }, filter.after?.[0], limit + 1));
  const last = rows[limit - 1];
  return { items: rows.slice(0, limit).map(deliveryOf), ...(rows.length > limit && last ? { next: [last.seq] } : {}) };
});

/** Approved is sent as it was frozen; rejected is over. False: it is not held any more. */
export const decideHeld = (at: Database | TenantTransaction, tenant: string, id: string, approved: boolean, by: string, reason?: string): Promise<boolean> => inTenant(at, tenant, async (tx) => {
  const done = await tx.run(decideDelivery(tx.tenantId, id, ["held"], { status: approved ? "queued" : "rejected", by, reason: reason ?? null, letPass: approved }));
  await tx.run(tellDeliverers());
  return done.length === 1;
});

// ── keeping house ───────────────────────────────────────────────────────────────────────────────────────────────────

const OLD_PER_BATCH = 1000;

/** Deletes finished deliveries that were kept long enough, and minted tokens long expired. @returns how many deliveries. */
export async function forgetDeliveries(db: Database, days = KEPT_DAYS): Promise<number> {
  let deleted = 0;
  const tenants = await asScheduler(db, (tx) => tx.run<{ tenant: string }>(selectTenantsWithOld(days)));
  for (const { tenant } of tenants) {
    for (let batch = OLD_PER_BATCH; batch === OLD_PER_BATCH; deleted += batch) {
      batch = await withTenant(db, tenant, async (tx) => {
        await tx.run(deleteOldTokens(tx.tenantId, days));
        return (await tx.run(deleteOldDeliveries(tx.tenantId, days, OLD_PER_BATCH))).length;
      });
    }
  }
  return deleted;
}

export interface DeliveryLoad { readonly status: DeliveryStatus; readonly count: number; /** Since the oldest of them was due. */ readonly seconds: number }

/** Unfinished deliveries over all tenants, in numbers. */
export const deliveryLoad = (db: Database): Promise<DeliveryLoad[]> => asScheduler(db, (tx) => tx.run<{ status: DeliveryStatus; count: number; seconds: number }>(countUnfinished()));

export interface FlowLoad { readonly flow: string; /** ISO instant. */ readonly last_at?: string; readonly waiting: number; readonly held: number; readonly unknown: number; readonly failed: number }

/** Deliveries of each change flow in numbers: those that are still kept. */
export const flowLoads = (at: Database | TenantTransaction, tenant: string): Promise<FlowLoad[]> => inTenant(at, tenant, async (tx) =>
  (await tx.run<FlowLoadRow>(countByFlow(tx.tenantId))).map(({ last_at, ...counts }) => ({ ...counts, ...(last_at === null ? {} : { last_at: last_at.toISOString() }) })));

/** jsonb holds no NUL and no half of a surrogate pair. */
const storableText = (text: string): string => text.replaceAll("\\u0000", "\u{FFFD}").replaceAll("\0", "\u{FFFD}").toWellFormed();

const deliveryOf = (row: DeliveryRow & { gap?: boolean; behind?: string | null }): Delivery => ({
  id: row.id, flow: row.flow, entity: row.entity, row: row.row_id, cause: row.cause, changed_at: row.changed_at.toISOString(), kind: row.kind as DeliveryKind, target: row.target, operation: row.chosen ?? row.operation,
  status: row.status as DeliveryStatus, key: row.key, revision: row.revision, attempts: row.attempts, created_at: row.created_at.toISOString(),
  ...present("code", row.code), ...present("reason", row.reason), ...present("due_at", row.due_at), ...present("first_sent_at", row.first_sent_at), ...present("last_sent_at", row.last_sent_at),
  ...present("hold_role", row.hold_role), ...present("decided_by", row.decided_by), ...present("decided_at", row.decided_at), ...present("superseded_by", row.superseded_by),
  ...present("result_key", row.result_key), ...present("result_version", row.result_version), ...present("finished_at", row.finished_at),
  ...(row.gap === true ? { gap: true } : {}), ...present("behind", row.behind ?? null),
});

const present = <Name extends string>(name: Name, value: string | Date | null): { readonly [name in Name]?: string } =>
  (value === null ? {} : { [name]: value instanceof Date ? value.toISOString() : value }) as { readonly [name in Name]?: string };
