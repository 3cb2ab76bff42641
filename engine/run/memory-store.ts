/**
 * A run's store in memory, with the semantics of the one on PostgreSQL: one epoch, one live row per key, older versions never
 * win. `plugboard run --to stdout` uses it; several stores over one `MemoryRows` are several workers on one database.
 */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { JsonObject } from "../manifest/types.ts";
import type { Begun, Checkpoint, MappedRecord, PageCommit, PageOutcome, QuarantinedRecord, ReplayScope, RunStore, SweepOutcome } from "./ports.ts";

export interface MemoryRow {
  readonly key: string;
  readonly data: JsonObject;
  readonly version: string | undefined;
  /** Why it is no longer live. */
  readonly ended?: "left" | "deleted" | "swept";
  /** Number of the last sweep that saw it. */
  readonly sweep?: number;
  /** Number of the commit that changed it last. */
  readonly at: number;
}

/** Of the open ones only: what is resolved is forgotten. */
export interface MemoryQuarantined extends QuarantinedRecord {
  readonly id: string;
  readonly run: string;
  readonly revision: string;
  /** How often it was refused. */
  readonly seen: number;
  /** The sweep it was seen by last. */
  readonly sweep?: number;
  /** Number of the commit with which the provider sent it last. */
  readonly at: number;
}

/** What outlives a run. */
export interface MemoryRows {
  epoch: number;
  checkpoint: Checkpoint | undefined;
  readonly rows: Map<string, MemoryRow>;
  quarantine: MemoryQuarantined[];
  /** Commits so far: the clock of this store. */
  commits: number;
  /** Quarantine entries so far: their ids. */
  entries: number;
}

export interface MemoryStoreOptions {
  /** Shared by the stores of several workers. */
  readonly rows?: MemoryRows;
  /** What the run and its revision are called. @default "" */
  readonly run?: string;
  readonly revision?: string;
  /** Called with each page when it is stored: what a command line prints. */
  readonly onPage?: (page: PageCommit, outcome: PageOutcome) => void | Promise<void>;
  readonly cancelledBy?: () => string | undefined;
  /** False keeps no rows: for streams that only pass through. Versions and deletions are then not compared. @default true */
  readonly keepRows?: boolean;
}

/** Entries that one page out of the quarantine holds. */
const REPLAY_COUNT = 500;

export const memoryRows = (checkpoint?: Checkpoint): MemoryRows => ({ epoch: 0, checkpoint, rows: new Map(), quarantine: [], commits: 0, entries: 0 });

export function createMemoryStore(options: MemoryStoreOptions = {}): RunStore {
  const state = options.rows ?? memoryRows();
  const keepRows = options.keepRows ?? true;
  const { run = "", revision = "" } = options;
  const fence = (epoch: number): void => {
    if (epoch !== state.epoch) throw new PlugboardError("RUN_FENCED", { flow: "", epoch });
  };

  return {
    async begin(): Promise<Begun> {
      state.epoch += 1;
      return { epoch: state.epoch, checkpoint: state.checkpoint };
    },
    async commitPage(page, epoch): Promise<PageOutcome> {
      fence(epoch);
      state.commits += 1;
      const received = receivedAt(page);
      const outcome: PageOutcome = {
        read: page.records.length + page.dropped.length + page.gone.length + page.quarantined.length + page.filtered,
        created: 0, updated: 0, unchanged: 0, superseded: 0, deleted: 0, filtered: page.filtered, quarantined: page.quarantined.length,
      };
      for (const record of page.records) outcome[keepRows ? store(state, record, received.get(record.key)) : "created"] += 1;
      for (const key of page.dropped) outcome[keepRows && !changedSince(state, key, received.get(key)) && end(state, key, "left") ? "deleted" : "filtered"] += 1;
      for (const key of page.gone) outcome[keepRows && end(state, key, "deleted") ? "deleted" : "filtered"] += 1;
      if (keepRows) {
        // A sweep that met the record when it was refused has seen the row that it is now.
        for (const { id, key } of page.replayed ?? []) {
          const [row, seen] = [state.rows.get(key ?? ""), state.quarantine.find((entry) => entry.id === id)?.sweep];
          if (row !== undefined && seen !== undefined) state.rows.set(row.key, { ...row, sweep: seen });
        }
        quarantine(state, page, run, revision);
      }
      for (const key of page.sweep?.seen ?? []) {
        const row = state.rows.get(key);
        if (row !== undefined) state.rows.set(key, { ...row, sweep: page.sweep!.number });
      }
      state.checkpoint = page.checkpoint;
      await options.onPage?.(page, outcome);
      return outcome;
    },
    async quarantineToReplay(asked) {
      return state.quarantine.filter((entry) => entry.revision !== revision || (asked !== undefined && entry.run !== run && isAsked(entry, asked)))
        .toSorted((a, b) => b.at - a.at || Number(b.id) - Number(a.id)).slice(0, REPLAY_COUNT).map(({ id, at, raw }) => ({ id, received_at: String(at), raw }));
    },
    async completePass(checkpoint, sweep, epoch): Promise<SweepOutcome> {
      fence(epoch);
      state.commits += 1;
      state.checkpoint = checkpoint;
      let swept = 0;
      if (sweep !== undefined) state.quarantine = state.quarantine.filter(({ sweep: seen }) => seen === sweep.number);
      if (sweep !== undefined) for (const row of state.rows.values()) if (row.ended === undefined && row.sweep !== sweep.number && end(state, row.key, "swept")) swept += 1;
      return { swept };
    },
    async heartbeat(epoch) { fence(epoch); },
    async cancelRequested() {
      const by = options.cancelledBy?.();
      return by === undefined ? undefined : { by };
    },
  };
}

function store(state: MemoryRows, record: MappedRecord, received: number | undefined): "created" | "updated" | "unchanged" | "superseded" {
  const row = state.rows.get(record.key);
  const order = record.version !== undefined && row?.version !== undefined ? compareDecimals(record.version, row.version) : undefined;
  if (order !== undefined && order < 0) return "superseded";
  const live = row !== undefined && row.ended === undefined;
  const same = live && JSON.stringify(row.data) === JSON.stringify(record.data);
  // Out of the quarantine comes what was sent long ago: where versions do not say more, the later of both counts.
  if (!same && changedSince(state, record.key, received) && !(live && order !== undefined && order > 0)) return "superseded";
  state.rows.set(record.key, { key: record.key, data: record.data, version: record.version ?? row?.version, at: same ? row.at : state.commits, ...(row?.sweep === undefined ? {} : { sweep: row.sweep }) });
  return same ? "unchanged" : live ? "updated" : "created";
}

function end(state: MemoryRows, key: string, why: NonNullable<MemoryRow["ended"]>): boolean {
  const row = state.rows.get(key);
  if (row === undefined || row.ended !== undefined) return false;
  state.rows.set(key, { ...row, ended: why, at: state.commits });
  return true;
}

/** A key that is in quarantine already gets the newest reason and record; one that is stored or left is there no more. */
function quarantine(state: MemoryRows, page: PageCommit, run: string, revision: string): void {
  const { replayed, sweep } = page;
  const refused = new Map(page.quarantined.flatMap((record) => (record.entry === undefined ? [] : [[record.entry, record] as const])));
  const settled = new Set(replayed === undefined ? [...page.records.map(({ key }) => key), ...page.dropped, ...page.gone] : []);
  const taken = new Set(replayed?.map(({ id }) => id));
  state.quarantine = state.quarantine.flatMap((entry) => {
    const again = refused.get(entry.id);
    if (again !== undefined) return [{ ...entry, code: again.code, params: again.params, reason: again.reason, run, revision, seen: entry.seen + 1 }];
    return taken.has(entry.id) || (entry.key !== undefined && settled.has(entry.key)) ? [] : [entry];
  });
  for (const record of page.quarantined) {
    if (record.entry !== undefined) continue;
    const at = record.key === undefined ? -1 : state.quarantine.findIndex(({ key }) => key === record.key);
    const newest = { ...record, run, revision, at: state.commits, ...(sweep === undefined ? {} : { sweep: sweep.number }) };
    if (at < 0) state.quarantine.push({ ...newest, id: String(state.entries += 1), seen: 1 });
    else state.quarantine[at] = { ...newest, id: state.quarantine[at]!.id, seen: state.quarantine[at]!.seen + 1 };
  }
}

const isAsked = ({ id, code }: MemoryQuarantined, asked: ReplayScope): boolean => (asked.code === undefined || asked.code === code) && (asked.ids === undefined || asked.ids.includes(id));

/** Key → the commit with which the newest of the page's records of it came; empty for a page of the provider. */
function receivedAt({ replayed = [] }: PageCommit): Map<string, number> {
  const received = new Map<string, number>();
  for (const { key, received_at } of replayed) if (key !== undefined) received.set(key, Math.max(received.get(key) ?? 0, Number(received_at)));
  return received;
}

/** Whether a commit before this one changed the row after the record came. */
function changedSince(state: MemoryRows, key: string, received: number | undefined): boolean {
  const at = state.rows.get(key)?.at;
  return at !== undefined && received !== undefined && at >= received && at < state.commits;
}

/** Compares decimal numbers digit by digit: a double would make versions 0.1 µs apart equal. */
export function compareDecimals(left: string, right: string): number {
  const [a, b] = [left, right].map((text) => {
    const [whole = "0", fraction = ""] = text.replace(/^-/, "").split(".");
    return { negative: text.startsWith("-"), whole: BigInt(whole), fraction };
  }) as [Decimal, Decimal];
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  const width = Math.max(a.fraction.length, b.fraction.length);
  const [x, y] = [a, b].map(({ whole, fraction }) => whole * 10n ** BigInt(width) + BigInt(fraction.padEnd(width, "0") || "0")) as [bigint, bigint];
  const order = x < y ? -1 : x > y ? 1 : 0;
  return a.negative ? -order : order;
}

interface Decimal { readonly negative: boolean; readonly whole: bigint; readonly fraction: string }
