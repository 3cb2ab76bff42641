/**
 * What a run needs from outside. store/ implements these on PostgreSQL, test/support fakes them, and `plugboard run --to
 * stdout` uses a store in memory. The run knows nothing else of the world.
 */
import type { ErrorCode } from "../errors/catalog.ts";
import type { ErrorParams } from "../errors/plugboard-error.ts";
import type { Buckets, PageToken, TokenPort, Transport } from "../components/kinds.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { EntityPlan, TenantPlan } from "../plan/types.ts";

export interface FlowKey { readonly tenant: string; readonly connection: string; readonly flow: string }

export type RunMode = "full" | "incremental";

/**
 * The durable point a flow resumes from. The run owns its shape; the store keeps it as JSON.
 * A checkpoint moves only when its window is complete, unless the stream is `ordered`.
 */
export interface Checkpoint {
  /** Where the last complete window ended (ISO instant): the next one begins here. Absent before the first is complete. */
  readonly from?: string;
  /** An unfinished pass, to be resumed as it was begun. */
  readonly pass?: {
    readonly mode: RunMode;
    /** ISO instants; frozen when the pass began, so that every page asks for the same. Only `ordered` streams move `from`. */
    readonly window: { readonly from?: string; readonly to: string };
    /** Where the next window begins when the provider's clock is behind ours; else that is `window.to`. */
    readonly next_from?: string;
    /** Which door and paging the page token belongs to: after a change of the manifest the pass begins anew. */
    readonly door: string;
    /** An `ordered` stream that came out of order: its pass goes on by page token. */
    readonly disordered?: boolean;
    /** Token of the next page to read. */
    readonly page: PageToken;
    /** Number of the sweep this pass belongs to, when it is one. */
    readonly sweep?: number;
    /** False once any request of the pass was skipped, ignored or capped: it then deletes nothing. */
    readonly complete: boolean;
    readonly begun_at: string;
    /** Restarted once already because the provider had forgotten the page token. */
    readonly restarted?: boolean;
    /** Hashes of the last page tokens, oldest first: a repeated one ends the run. */
    readonly tokens: readonly string[];
    readonly pages: number;
  };
  /** Number and time of the last complete sweep. */
  readonly swept?: { readonly number: number; readonly at: string };
  /** Number and time of the last full pass that ended incomplete: its number is used up, and the next sweep is not due at once. */
  readonly swept_in_part?: { readonly number: number; readonly at: string };
}

export interface Counters {
  read: number; created: number; updated: number; unchanged: number; superseded: number;
  /** Read records that ended a row: deleted at the provider, or no longer matching `where`. */
  deleted: number;
  filtered: number; quarantined: number;
  /** Rows ended because a complete sweep did not see them: not read, so outside the balance. */
  swept: number;
  pages: number; requests: number; retries: number; bytes: number;
}

/** A mapped, valid record. */
export interface MappedRecord {
  readonly key: string;
  /** The entity's fields. */
  readonly data: JsonObject;
  /** Orders versions of one record: a decimal number (an instant is seconds since the epoch with its full fraction). */
  readonly version?: string;
  /** The record as the provider sent it; stored encrypted. */
  readonly raw: Json;
  /** Its quarantine entry's id, when it was read from there. */
  readonly entry?: string;
}

export interface QuarantinedRecord {
  /** Absent when the record has none: that may be the reason. */
  readonly key?: string;
  readonly code: ErrorCode;
  readonly params: ErrorParams;
  /** The finished sentence. */
  readonly reason: string;
  readonly raw: Json;
  /** Its quarantine entry's id, when it was read from there: that entry stays, with this reason. */
  readonly entry?: string;
}

/** An open entry of the quarantine, to be tried again. */
export interface QuarantineEntry {
  readonly id: string;
  /** When the provider last sent the record: decimal seconds since the epoch, of the store's clock. */
  readonly received_at: string;
  readonly raw: Json;
  /** Why the stored record cannot be read any more; `raw` is then null. */
  readonly unreadable?: string;
}

/** What a person asked to be tried again, whatever revision it failed under. An absent member narrows nothing. */
export interface ReplayScope {
  readonly code?: string;
  /** Ids of entries. */
  readonly ids?: readonly string[];
}

/** Everything of one page: committed in one transaction, or nothing of it. */
export interface PageCommit {
  readonly records: readonly MappedRecord[];
  /** Keys of records that `where` dropped: a live row of such a key is ended as `left`, the others are counted as filtered. */
  readonly dropped: readonly string[];
  /** Keys the provider says are deleted. */
  readonly gone: readonly string[];
  readonly quarantined: readonly QuarantinedRecord[];
  /** Records that could not be told apart by key and were dropped by `where`. */
  readonly filtered: number;
  readonly checkpoint: Checkpoint;
  /** Set while sweeping: every key seen on the page, also the quarantined ones. */
  readonly sweep?: { readonly number: number; readonly seen: readonly string[] };
  /**
   * Set when the records come from the quarantine instead of the provider: the entries, with the key that each has now. An entry
   * that no record of `quarantined` names is resolved. A row that changed after the entry was received wins over it, unless the
   * entry's version is higher. Such a page is not counted among `pages`.
   */
  readonly replayed?: readonly { readonly id: string; readonly received_at: string; readonly key?: string }[];
  /** Decimal seconds since the epoch, of the store's clock: when the records were asked for. A row that changed since wins over them, unless their version is higher. */
  readonly as_of?: string;
  /** Key → version of keys in `dropped` and `gone`: what ended them. A row with a higher version goes on. */
  readonly versions?: Readonly<Record<string, string>>;
  readonly requests: number;
  readonly retries: number;
  readonly bytes: number;
}

/** What the store made of a page: read = created + updated + unchanged + superseded + deleted + filtered + quarantined. */
export type PageOutcome = Pick<Counters, "read" | "created" | "updated" | "unchanged" | "superseded" | "deleted" | "filtered" | "quarantined"> & {
  /** Of the quarantined: those beyond what the contract covers. Nothing is wrong with them, so they do not count towards a run's threshold. */
  readonly held?: number;
};

export interface Begun {
  /** Grows with every take-over. Every commit carries it; a commit under an older one is refused. */
  readonly epoch: number;
  readonly checkpoint: Checkpoint | undefined;
}

export interface SweepOutcome {
  /** Rows ended. */
  readonly swept: number;
  /** Set when so many rows were missing that the sweep waits for a person: nothing was ended. */
  readonly held?: { readonly missing: number; readonly live: number };
}

/** Stores what a run produces. Bound to one tenant, flow, run and revision when it is made. */
export interface RunStore {
  /** Takes over the flow: issues the next epoch, starts the lease, gives the checkpoint to resume from. */
  begin(): Promise<Begun>;
  /** @throws PlugboardError RUN_FENCED when a later epoch was issued: this worker stops, nothing of the page is stored. */
  commitPage(page: PageCommit, epoch: number): Promise<PageOutcome>;
  /**
   * The flow's open quarantine entries to try again, newest first, as many as one page should hold; none when all were tried. Those
   * that failed under another revision than this run's, and with `asked` also those it names that this run did not try yet.
   * Committing them as `replayed` takes them off this list, whatever became of them.
   */
  quarantineToReplay(asked: ReplayScope | undefined): Promise<readonly QuarantineEntry[]>;
  /**
   * Ends a complete pass: moves the checkpoint and, for a sweep, ends the rows that were not seen, in one transaction. Quarantine
   * entries that came before the sweep and were not seen by it are resolved: the provider has those records no more.
   * @throws PlugboardError RUN_FENCED
   */
  completePass(checkpoint: Checkpoint, sweep: { readonly number: number } | undefined, epoch: number): Promise<SweepOutcome>;
  /** Lengthens the lease. @throws PlugboardError RUN_FENCED */
  heartbeat(epoch: number): Promise<void>;
  /** Whether someone asked to cancel the run. */
  cancelRequested(): Promise<{ by: string } | undefined>;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** @throws the signal's reason when aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  /** A stable word for machines: `request`, `retry`, `wait`, `page`, `checkpoint`, `sweep`, `skipped`, `replay`. */
  readonly event: string;
  readonly message: string;
  readonly data?: JsonObject;
}

/** What a watcher sees while a run works. */
export interface Progress {
  readonly counters: Readonly<Counters>;
  /** ISO instant the checkpoint would resume from. */
  readonly checkpoint?: string;
  /** Why nothing happens right now, and until when (milliseconds since the epoch). */
  readonly waiting?: { readonly reason: string; readonly until: number };
}

export interface RunPorts {
  readonly store: RunStore;
  readonly transport: Transport;
  readonly buckets: Buckets;
  readonly clock: Clock;
  /** Per connection and authenticator. */
  token(authenticator: string): TokenPort;
  log(line: LogLine): void;
  progress(progress: Progress): void;
}

/** What was entered when connecting: config and secrets, decrypted, for this run only. */
export interface ConnectionValues {
  readonly config: JsonObject;
  readonly account?: { readonly id: string; readonly label?: string };
  /** It was entered anew, and nobody has asked yet whether it still reaches this account. */
  readonly unproved?: boolean;
  /** What the provider added to the address when the person came back from its sign-in: the variable `callback` of checks. */
  readonly callback?: JsonObject;
}

export interface RunRequest {
  readonly run: string;
  readonly attempt: number;
  readonly plan: TenantPlan;
  readonly flow: string;
  readonly connection: ConnectionValues;
  /** `full` re-reads everything and is a sweep; absent: full when never complete or when a sweep is due, else incremental. */
  readonly mode?: RunMode;
  /** Quarantined records to try again whatever revision they failed under; those of other revisions are tried anyway. */
  readonly replay?: ReplayScope;
  readonly signal: AbortSignal;
  /** Kill points of the fault rig; absent outside it. */
  readonly probe?: (point: ProbePoint) => void | Promise<void>;
}

export type ProbePoint = "claimed" | "begun" | "before_request" | "after_response" | "mapped" | "before_commit" | "after_fence" | "after_write" | "after_commit" | "before_complete" | "after_complete";

export interface RunResult {
  readonly status: "succeeded" | "succeeded_with_quarantine" | "failed" | "cancelled" | "waiting" | "interrupted";
  readonly mode: RunMode;
  readonly counters: Counters;
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly hint?: string; readonly next?: string };
  readonly sweep?: SweepOutcome;
  /** Why the stream was left out: an error rule `do: skip_stream` decided it. The run succeeded, the checkpoint stays. */
  readonly skipped?: string;
  /** For `waiting`: when to go on, milliseconds since the epoch. */
  readonly resume_at?: number;
  readonly checkpoint: Checkpoint | undefined;
}

export type { EntityPlan };
