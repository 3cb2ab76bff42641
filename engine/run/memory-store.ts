/**
 * A run's store in memory, with the semantics of the one on PostgreSQL: one epoch, one live row per key, older versions never
 * win. `plugboard run --to stdout` uses it; several stores over one `MemoryRows` are several workers on one database.
 */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { JsonObject } from "../manifest/types.ts";
import type { Begun, Checkpoint, MappedRecord, PageCommit, PageOutcome, QuarantinedRecord, RunStore, SweepOutcome } from "./ports.ts";

export interface MemoryRow {
  readonly key: string;
  readonly data: JsonObject;
  readonly version: string | undefined;
  /** Why it is no longer live. */
  readonly ended?: "left" | "deleted" | "swept";
  /** Number of the last sweep that saw it. */
  readonly sweep?: number;
}

/** What outlives a run. */
export interface MemoryRows {
  epoch: number;
  checkpoint: Checkpoint | undefined;
  readonly rows: Map<string, MemoryRow>;
  readonly quarantine: QuarantinedRecord[];
}

export interface MemoryStoreOptions {
  /** Shared by the stores of several workers. */
  readonly rows?: MemoryRows;
  /** Called with each page when it is stored: what a command line prints. */
  readonly onPage?: (page: PageCommit, outcome: PageOutcome) => void | Promise<void>;
  readonly cancelledBy?: () => string | undefined;
  /** False keeps no rows: for streams that only pass through. Versions and deletions are then not compared. @default true */
  readonly keepRows?: boolean;
}

export const memoryRows = (checkpoint?: Checkpoint): MemoryRows => ({ epoch: 0, checkpoint, rows: new Map(), quarantine: [] });

export function createMemoryStore(options: MemoryStoreOptions = {}): RunStore {
  const state = options.rows ?? memoryRows();
  const keepRows = options.keepRows ?? true;
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
      const outcome: PageOutcome = {
        read: page.records.length + page.dropped.length + page.gone.length + page.quarantined.length + page.filtered,
        created: 0, updated: 0, unchanged: 0, superseded: 0, deleted: 0, filtered: page.filtered, quarantined: page.quarantined.length,
      };
      for (const record of page.records) outcome[keepRows ? store(state, record) : "created"] += 1;
      for (const key of page.dropped) outcome[keepRows && end(state, key, "left") ? "deleted" : "filtered"] += 1;
      for (const key of page.gone) outcome[keepRows && end(state, key, "deleted") ? "deleted" : "filtered"] += 1;
      if (keepRows) state.quarantine.push(...page.quarantined);
      for (const key of page.sweep?.seen ?? []) {
        const row = state.rows.get(key);
        if (row !== undefined) state.rows.set(key, { ...row, sweep: page.sweep!.number });
      }
      state.checkpoint = page.checkpoint;
      await options.onPage?.(page, outcome);
      return outcome;
    },
    async completePass(checkpoint, sweep, epoch): Promise<SweepOutcome> {
      fence(epoch);
      state.checkpoint = checkpoint;
      let swept = 0;
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

function store(state: MemoryRows, record: MappedRecord): "created" | "updated" | "unchanged" | "superseded" {
  const row = state.rows.get(record.key);
  if (row !== undefined && record.version !== undefined && row.version !== undefined && compareDecimals(record.version, row.version) < 0) return "superseded";
  const live = row !== undefined && row.ended === undefined;
  const same = live && JSON.stringify(row.data) === JSON.stringify(record.data);
  state.rows.set(record.key, { key: record.key, data: record.data, version: record.version ?? row?.version, ...(row?.sweep === undefined ? {} : { sweep: row.sweep }) });
  return same ? "unchanged" : live ? "updated" : "created";
}

function end(state: MemoryRows, key: string, why: NonNullable<MemoryRow["ended"]>): boolean {
  const row = state.rows.get(key);
  if (row === undefined || row.ended !== undefined) return false;
  state.rows.set(key, { ...row, ended: why });
  return true;
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
