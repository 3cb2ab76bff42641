/** Waiting inside a run: short enough to keep the worker's place, watched, and never silent. */
import type { Clock, Progress, RunStore } from "./ports.ts";
import { Cancelled, Waiting } from "./stops.ts";

/** A longer wait frees the worker: the run is put aside and goes on later. */
export const LONGEST_PAUSE_SECONDS = 60;
/** How often a waiting run says that it lives, and asks whether it was cancelled. Well under the lease. */
const SLICE_MILLISECONDS = 5_000;

export interface Pause {
  /** @throws Waiting when `milliseconds` is too long to keep the worker; Cancelled; the signal's reason. */
  for(milliseconds: number, reason: string): Promise<void>;
}

export interface PauseContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Absent outside a run (checks). */
  readonly alive?: { readonly store: Pick<RunStore, "heartbeat" | "cancelRequested">; readonly epoch: number };
  show(waiting: Progress["waiting"]): void;
}

export function createPause({ clock, signal, alive, show }: PauseContext): Pause {
  return {
    async for(milliseconds, reason) {
      const until = clock.now() + milliseconds;
      if (milliseconds > LONGEST_PAUSE_SECONDS * 1000) throw new Waiting(until, reason);
      show({ reason, until });
      try {
        for (let left = milliseconds; left > 0; left = until - clock.now()) {
          await clock.sleep(Math.min(left, SLICE_MILLISECONDS), signal);
          if (alive === undefined) continue;
          await alive.store.heartbeat(alive.epoch);
          const cancelled = await alive.store.cancelRequested();
          if (cancelled !== undefined) throw new Cancelled(cancelled.by);
        }
      } finally {
        show(undefined);
      }
    },
  };
}
