/**
 * How a checkpoint moves: pure functions from one checkpoint to the next. A pass is one reading of a frozen window, page by page;
 * while it runs only its page token moves, and `from` moves when it is complete.
 */
import type { PageToken, Window } from "../components/kinds.ts";
import { toIso } from "../components/shared/instant.ts";
import { remember, tokenHash } from "./guards.ts";
import type { Checkpoint, RunMode } from "./ports.ts";

export type Pass = NonNullable<Checkpoint["pass"]>;

export interface ModeQuestion {
  readonly asked: RunMode | undefined;
  /** Whether the stream can be read incrementally at all: it has a cursor, or a door for changes. */
  readonly incremental: boolean;
  readonly sweepSeconds: number | undefined;
  readonly now: number;
}

/** Full when never complete, when asked, when there is no other way, or when a sweep is due. */
export function decideMode(checkpoint: Checkpoint | undefined, { asked, incremental, sweepSeconds, now }: ModeQuestion): RunMode {
  if (!incremental || checkpoint?.from === undefined || asked === "full") return "full";
  if (asked === "incremental" || sweepSeconds === undefined) return "incremental";
  const last = Math.max(instant(checkpoint.swept?.at), instant(checkpoint.swept_in_part?.at));
  return now - last >= sweepSeconds * 1000 ? "full" : "incremental";
}

/**
 * The unfinished pass to go on with: the same door and paging, and not an incremental one where a full one is asked for.
 * A full pass that was asked for and put aside goes on, whoever asks again.
 */
export function resumable(checkpoint: Checkpoint | undefined, asked: RunMode | undefined, doorOf: (mode: RunMode) => string): Pass | undefined {
  const pass = checkpoint?.pass;
  if (pass === undefined || (asked === "full" && pass.mode !== "full") || pass.door !== doorOf(pass.mode)) return undefined;
  return pass;
}

export function beginPass(checkpoint: Checkpoint | undefined, mode: RunMode, window: Window, door: string, first: PageToken, now: number): Pass {
  const sweep = mode === "full" ? { sweep: Math.max(checkpoint?.swept?.number ?? 0, checkpoint?.swept_in_part?.number ?? 0, checkpoint?.pass?.sweep ?? 0) + 1 } : {};
  return { mode, window, door, page: first, ...sweep, complete: true, begun_at: toIso(now), tokens: [], pages: 0 };
}

/** The provider's clock counts where it is behind ours: what it writes from now on is in the next window. */
export function keepToProviderClock(pass: Pass, providerTo: string): Pass {
  const now = pass.next_from ?? pass.window.to;
  return instant(providerTo) < instant(now) ? { ...pass, next_from: providerTo } : pass;
}

export interface PageRead {
  readonly token: PageToken;
  readonly next: PageToken;
  /** Cursor values in the order of the records. */
  readonly cursors: readonly number[];
  readonly first: PageToken;
}

/** After a page that is not the last. `seen`: the highest cursor value of this pass so far. */
export function afterPage(pass: Pass, read: PageRead, ordered: boolean, seen: number | undefined): { readonly pass: Pass; readonly live: Pass; readonly seen: number | undefined } {
  const live: Pass = { ...pass, page: read.next, pages: pass.pages + 1, tokens: remember(pass.tokens, tokenHash(read.token)) };
  if (!ordered || pass.disordered === true) return { pass: live, live, seen };
  let high = seen;
  for (const value of read.cursors) {
    // Out of order: what was skipped lies behind us. The token still knows the way, and `from` stays where it was.
    if (high !== undefined && value < high) return { pass: { ...live, disordered: true }, live: { ...live, disordered: true }, seen: high };
    high = value;
  }
  if (high === undefined) return { pass: live, live, seen };
  const from = toIso(Math.floor(Math.min(high, instant(pass.window.to))));
  // A resumed run asks again from the last value seen: an offset or token of a moving order may be worth nothing by then.
  return { pass: { ...live, window: { ...live.window, from }, page: read.first, tokens: [] }, live, seen: high };
}

/** Begins the pass again, once, after the provider forgot its page token. */
export const restart = (pass: Pass, first: PageToken): Pass => ({ ...pass, page: first, tokens: [], restarted: true });

/** The checkpoint of an unfinished pass. */
export const during = (checkpoint: Checkpoint | undefined, pass: Pass): Checkpoint => ({ ...withoutPass(checkpoint), pass });

/** The checkpoint when the window is complete: the next one begins where it ended. */
export function afterPass(checkpoint: Checkpoint | undefined, pass: Pass, now: number): Checkpoint {
  const kept = withoutPass(checkpoint);
  const ended = { ...kept, from: pass.next_from ?? pass.window.to };
  if (pass.sweep === undefined) return ended;
  const sweep = { number: pass.sweep, at: toIso(now) };
  return pass.complete ? { ...ended, swept: sweep } : { ...ended, swept_in_part: sweep };
}

function withoutPass(checkpoint: Checkpoint | undefined): Checkpoint {
  const { pass: _pass, ...rest } = checkpoint ?? {};
  return rest;
}

const instant = (iso: string | undefined): number => (iso === undefined ? -Infinity : Date.parse(iso));
