/**
 * Runs: queued → running → succeeded | succeeded_with_quarantine | failed | cancelled; running → waiting → running; running →
 * queued again when its worker was lost or stopped; queued → superseded when such a run needs its place. A transition that is
 * not one of these matches no row.
 */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { hintOf, messageOf, PlugboardError } from "../errors/plugboard-error.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { Checkpoint, Counters, LogLine, ReplayScope, RunMode, RunResult, SweepOutcome } from "../run/ports.ts";
import { live } from "../run/redact.ts";
import { asScheduler, type Database, inTenant, type TenantTransaction, withTenant } from "./database.ts";
import { sqlStateOf } from "./failures.ts";
import * as sql from "./sql/runs.ts";
import { listTenants } from "./tenants.ts";

/** Attempts in a row without a page after which a run is not tried again by itself. */
const MAX_CRASHES = 3;

export type RunStatus = "queued" | "running" | "waiting" | "succeeded" | "succeeded_with_quarantine" | "failed" | "cancelled" | "superseded";

export interface Run {
  readonly id: string;
  readonly tenant: string;
  readonly flow: string;
  readonly connection: string;
  /** Why it runs: `schedule`, `manual`, `api`, `start` … */
  readonly trigger: string;
  readonly requested_by?: string;
  readonly requested_mode?: RunMode;
  readonly mode?: RunMode;
  /** Quarantined records that it was asked to try again. */
  readonly replay?: ReplayScope;
  readonly status: RunStatus;
  readonly revision: string;
  readonly attempt: number;
  readonly counters: Counters;
  readonly checkpoint?: Checkpoint;
  readonly sweep?: SweepOutcome;
  readonly error?: NonNullable<RunResult["error"]>;
  readonly cancel_by?: string;
  /** ISO instants. */
  readonly resume_at?: string;
  readonly queued_at: string;
  readonly started_at?: string;
  readonly finished_at?: string;
}

export interface RunRequested {
  readonly tenant: string;
  readonly flow: string;
  readonly connection: string;
  readonly trigger: string;
  readonly revision: string;
  readonly mode?: RunMode;
  readonly replay?: ReplayScope;
  readonly requestedBy?: string;
  /** The schedule's tick (milliseconds since the epoch): a flow gets at most one run per slot. */
  readonly slot?: number;
}

export interface RunCreated {
  readonly run: Run | undefined;
  /** True: a run of the flow was waiting already and stands for this request too, or this slot had its run (`run` is then undefined, or that one). */
  readonly coalesced: boolean;
}

/** @param enqueue does in the same transaction what makes a worker look at the run; not called for a coalesced one. */
export const createRun = (at: Database | TenantTransaction, request: RunRequested, enqueue?: (tx: TenantTransaction, run: Run) => Promise<void>): Promise<RunCreated> =>
  inTenant(at, request.tenant, async (tx) => {
    const { tenant, flow, connection, trigger, revision } = request;
    // The queued one may be claimed between our two looks: then there is room for ours.
    for (let tries = 0; tries < 5; tries++) {
      const id = randomUUID();
      const inserted = await tx.run(sql.insertRun(tx.tenantId, { id, flow, connection, trigger, revision, requestedBy: request.requestedBy ?? null, mode: request.mode ?? null,
        slot: request.slot === undefined ? null : new Date(request.slot), replay: request.replay ?? null }));
      if (inserted.length === 1) {
        const run = (await getRun(tx, tenant, id))!;
        await enqueue?.(tx, run);
        return { run, coalesced: false };
      }
      const [queued] = await tx.run<sql.RunRow>(sql.selectQueuedRun(tx.tenantId, flow));
      if (queued) {
        if (request.mode === "full") await tx.run(sql.widenRun(tx.tenantId, queued.id));
        if (request.replay !== undefined) await tx.run(sql.widenReplay(tx.tenantId, queued.id, widerScope(request.replay, queued.replay as ReplayScope | null)));
        const [renewed] = queued.revision === revision ? [] : await tx.run<sql.RunRow>(sql.renewRun(tx.tenantId, queued.id, revision, connection));
        return { run: runOf(tenant, renewed ?? queued), coalesced: true };
      }
      if (request.slot !== undefined) return { run: undefined, coalesced: true };
    }
    throw new PlugboardError("STORE_BUSY", { detail: `flow '${flow}' is being queued by many at once` });
  });

/**
 * Makes the run this worker's. Undefined: it is not waiting for a worker (done, cancelled, or another has it).
 * @throws PlugboardError RUN_ALREADY_RUNNING when another run of the flow is under way.
 */
export async function claimRun(at: Database | TenantTransaction, { tenant, run, owner, leaseSeconds }: { tenant: string; run: string; owner: string; leaseSeconds: number }): Promise<Run | undefined> {
  return inTenant(at, tenant, async (tx) => {
    const asked = await getRun(tx, tenant, run);
    if (!asked) return undefined;
    const [active] = await tx.run<sql.RunRow>(sql.selectActiveRun(tx.tenantId, asked.flow));
    if (active && active.id !== run) throw new PlugboardError("RUN_ALREADY_RUNNING", { flow: asked.flow, run: active.id });
    const [row] = await tx.run<sql.RunRow>(sql.claimRun(tx.tenantId, run, owner, leaseSeconds)).catch((error: unknown) => {
      if (sqlStateOf(error) !== "23505") throw error;
      throw new PlugboardError("RUN_ALREADY_RUNNING", { flow: asked.flow, run: "claimed just now" }, { cause: error });
    });
    return row && runOf(tenant, row);
  });
}

/** At least what both ask for: all of the flow, where they name different things. */
function widerScope(scope: ReplayScope, other: ReplayScope | null): ReplayScope {
  if (other === null || isDeepStrictEqual(scope, other)) return scope;
  return scope.ids && other.ids && scope.code === other.code ? { ...scope, ids: [...new Set([...scope.ids, ...other.ids])] } : {};
}

export interface RunEnd extends Pick<RunResult, "status" | "error" | "sweep" | "checkpoint" | "resume_at"> {
  readonly tenant: string;
  readonly run: string;
  readonly attempt: number;
  readonly mode?: RunMode;
  /** Of this attempt. What pages counted stands already; requests made since the last page are added. */
  readonly counters?: Counters;
}

/**
 * Says how an attempt ended. `interrupted` puts the run back into the queue, `waiting` keeps the flow's place until
 * `resume_at`. Undefined: the attempt was no longer the one that counts, nothing was changed.
 * @param enqueue as for createRun; called for `interrupted` and `waiting`.
 */
export const finishRun = (at: Database | TenantTransaction, end: RunEnd, enqueue?: (tx: TenantTransaction, run: Run) => Promise<void>): Promise<Run | undefined> =>
  inTenant(at, end.tenant, async (tx) => {
    const [now] = await tx.run<sql.RunRow>(sql.lockAttempt(tx.tenantId, end.run, end.attempt));
    return now && endAttempt(tx, now, end, enqueue, false);
  });

async function endAttempt(tx: TenantTransaction, now: sql.RunRow, end: RunEnd, enqueue: ((tx: TenantTransaction, run: Run) => Promise<void>) | undefined, wasLost: boolean): Promise<Run | undefined> {
  // What was asked to stop does not start again.
  const status = now.cancel_by !== null && (end.status === "interrupted" || end.status === "waiting") ? "cancelled" : end.status === "interrupted" ? "queued" : end.status;
  if (status === "queued") {
    // At most one run of a flow is queued: the one that has begun keeps the place, and does what the other was asked for.
    const [other] = await tx.run<{ requested_mode: RunMode | null; replay: ReplayScope | null }>(sql.supersedeQueued(tx.tenantId, now.flow));
    if (other?.requested_mode === "full") await tx.run(sql.widenRun(tx.tenantId, now.id));
    if (other?.replay) await tx.run(sql.widenReplay(tx.tenantId, now.id, widerScope(other.replay, now.replay as ReplayScope | null)));
  }
  const [row] = await tx.run<sql.RunRow>(sql.finishRun(tx.tenantId, now.id, now.attempt, {
    status, mode: end.mode ?? null, error: live.data(end.error ?? null, tx.tenant), sweep: end.sweep ?? null, checkpoint: end.checkpoint ?? null,
    resumeAt: end.resume_at === undefined ? null : new Date(end.resume_at), counters: end.counters, keepCrashes: wasLost,
  }));
  const run = runOf(tx.tenant, row!);
  if (status === "queued" || status === "waiting") await enqueue?.(tx, run);
  return run;
}

/** Undefined: the run is over, or does not exist. A run nobody works on is `cancelled` at once. */
export const requestCancel = (at: Database | TenantTransaction, tenant: string, run: string, by: string): Promise<Run | undefined> => inTenant(at, tenant, async (tx) => {
  if (!isUuid(run)) return undefined;
  const [row] = await tx.run<sql.RunRow>(sql.requestCancel(tx.tenantId, run, by));
  return row && runOf(tenant, row);
});

export const getRun = (at: Database | TenantTransaction, tenant: string, run: string): Promise<Run | undefined> => inTenant(at, tenant, async (tx) => {
  if (!isUuid(run)) return undefined;
  const [row] = await tx.run<sql.RunRow>(sql.selectRun(tx.tenantId, run));
  return row && runOf(tenant, row);
});

export interface Page<Item> {
  readonly items: Item[];
  /** Where the next page begins; absent on the last one. */
  readonly next?: readonly string[];
}

export interface RunFilter { readonly flow?: string; readonly connection?: string; readonly status?: RunStatus; readonly limit?: number; readonly after?: readonly string[] }

/** Newest first. */
export const listRuns = (at: Database | TenantTransaction, tenant: string, filter: RunFilter = {}): Promise<Page<Run>> => inTenant(at, tenant, async (tx) => {
  const limit = filter.limit ?? 50;
  const rows = await tx.run<sql.RunRow>(sql.selectRuns(tx.tenantId, { flow: filter.flow ?? null, connection: filter.connection ?? null, status: filter.status ?? null },
    filter.after as [string, string] | undefined, limit + 1));
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map((row) => runOf(tenant, row)), ...(rows.length > limit && last ? { next: [last.queued_at_text, last.id] } : {}) };
});

export interface LastRun { readonly run: Run; readonly succeeded_at?: string }

/** The newest run of every flow. */
export const lastRuns = (at: Database | TenantTransaction, tenant: string, connection?: string): Promise<LastRun[]> => inTenant(at, tenant, async (tx) => {
  const rows = await tx.run<sql.RunRow & { succeeded_at: Date | null }>(sql.selectLastRuns(tx.tenantId, connection ?? null));
  return rows.map((row) => ({ run: runOf(tenant, row), ...(row.succeeded_at === null ? {} : { succeeded_at: row.succeeded_at.toISOString() }) }));
});

/** Flow → how many records its newest poll found changed. Where events bring them, none of these did. A first load is none. */
export const changedByPolls = (at: Database | TenantTransaction, tenant: string, connection?: string): Promise<ReadonlyMap<string, number>> => inTenant(at, tenant, async (tx) =>
  new Map((await tx.run<{ flow: string; changed: number }>(sql.selectPolls(tx.tenantId, connection ?? null))).map(({ flow, changed }) => [flow, changed])));

// ── log ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface StoredLogLine extends LogLine { readonly seq: string; readonly at: string }

/** `at`: milliseconds since the epoch; now when absent. */
export const appendRunLog = (at: Database | TenantTransaction, tenant: string, run: string, lines: readonly (LogLine & { readonly at?: number })[]): Promise<void> => inTenant(at, tenant, async (tx) => {
  if (lines.length === 0) return;
  await tx.run(sql.insertLog(tx.tenantId, run, JSON.stringify(plain(lines.map((line) => ({ ...live.data(line, tenant), ...(line.at === undefined ? {} : { at: new Date(line.at).toISOString() }) })) as unknown as Json))));
});

/** Oldest first. */
export const readRunLog = (at: Database | TenantTransaction, tenant: string, run: string, { limit = 200, after }: { limit?: number; after?: readonly string[] } = {}): Promise<Page<StoredLogLine>> => inTenant(at, tenant, async (tx) => {
  if (!isUuid(run)) return { items: [] };
  const rows = await tx.run<{ seq: string; at: Date; level: LogLine["level"]; event: string; message: string; data: JsonObject | null }>(sql.selectLog(tx.tenantId, run, after?.[0] ?? "0", limit + 1));
  const items = rows.slice(0, limit).map(({ at, data, ...line }) => ({ ...line, at: at.toISOString(), ...(data === null ? {} : { data }) }));
  const last = items.at(-1);
  return { items, ...(rows.length > limit && last ? { next: [last.seq] } : {}) };
});

// ── the reaper ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Reaped { readonly tenant: string; readonly run: Run }

/**
 * Runs whose worker fell silent go back to the queue; one that lost its worker three times in a row without storing a page
 * fails with RUN_CRASH_LOOP. Safe to call from every process.
 */
export async function reapRuns(db: Database, enqueue?: (tx: TenantTransaction, run: Run) => Promise<void>): Promise<Reaped[]> {
  const lost = await asScheduler(db, (tx) => tx.run<{ tenant: string; run: string }>(sql.selectLostRuns(100)));
  const reaped: Reaped[] = [];
  for (const { tenant, run } of lost) {
    const ended = await withTenant(db, tenant, async (tx) => {
      const [row] = await tx.run<sql.RunRow>(sql.lockLostRun(tx.tenantId, run));
      if (!row) return undefined;                                  // another reaper was first, or its worker is back
      const crashed = row.crashes >= MAX_CRASHES;
      const params = { count: row.crashes };
      await appendRunLog(tx, tenant, run, [{ level: "warn", event: "interrupted", message: `worker ${row.owner ?? "?"} fell silent; attempt ${row.attempt} is over` }]);
      return endAttempt(tx, row, {
        tenant, run, attempt: row.attempt, status: crashed ? "failed" : "interrupted", checkpoint: undefined,
        ...(crashed ? { error: { code: "RUN_CRASH_LOOP", message: messageOf("RUN_CRASH_LOOP", params), hint: hintOf("RUN_CRASH_LOOP", params)! } } : {}),
      }, enqueue, true);
    });
    if (ended) reaped.push({ tenant, run: ended });
  }
  return reaped;
}

/** Runs that should have a job: for a queue that lost some. */
export const claimableRuns = (db: Database, limit = 1000): Promise<{ tenant: string; run: string }[]> =>
  asScheduler(db, (tx) => tx.run<{ tenant: string; run: string }>(sql.selectClaimableRuns(limit)));

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Texts of a provider may hold what no column may. */
const plain = (value: Json): Json => JSON.parse(JSON.stringify(value).replace(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g, "$1\u{FFFD}")) as Json;

const runOf = (tenant: string, row: sql.RunRow): Run => ({
  id: row.id, tenant, flow: row.flow, connection: row.connection, trigger: row.trigger, status: row.status as RunStatus, revision: row.revision, attempt: row.attempt,
  ...(row.requested_by === null ? {} : { requested_by: row.requested_by }),
  ...(row.requested_mode === null ? {} : { requested_mode: row.requested_mode }),
  ...(row.mode === null ? {} : { mode: row.mode }),
  ...(row.replay === null ? {} : { replay: row.replay as ReplayScope }),
  counters: {
    read: row.read, created: row.created, updated: row.updated, unchanged: row.unchanged, superseded: row.superseded, deleted: row.deleted, filtered: row.filtered,
    quarantined: row.quarantined, swept: row.swept, pages: row.pages, requests: row.requests, retries: row.retries, bytes: row.bytes,
  },
  ...(row.checkpoint === null ? {} : { checkpoint: row.checkpoint as Checkpoint }),
  ...(row.sweep === null ? {} : { sweep: row.sweep as SweepOutcome }),
  ...(row.error === null ? {} : { error: row.error as NonNullable<RunResult["error"]> }),
  ...(row.cancel_by === null ? {} : { cancel_by: row.cancel_by }),
  ...(row.resume_at === null ? {} : { resume_at: row.resume_at.toISOString() }),
  queued_at: row.queued_at.toISOString(),
  ...(row.started_at === null ? {} : { started_at: row.started_at.toISOString() }),
  ...(row.finished_at === null ? {} : { finished_at: row.finished_at.toISOString() }),
});

/**
 * Ends the leases of workers that are known to be gone (killed on this machine, say), so that their runs go on at once.
 * @returns how many runs.
 */
export async function endLeasesOf(db: Database, isGone: (owner: string) => boolean): Promise<number> {
  let ended = 0;
  for (const { slug } of await listTenants(db)) {
    ended += await withTenant(db, slug, async (tx) => {
      const gone = (await tx.run<{ owner: string }>(sql.selectOwners(tx.tenantId))).map(({ owner }) => owner).filter(isGone);
      return gone.length === 0 ? 0 : (await tx.run(sql.endLeases(tx.tenantId, gone))).length;
    });
  }
  return ended;
}
