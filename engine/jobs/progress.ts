/**
 * What runs are doing right now, for whoever watches: in memory within a process, and by NOTIFY to the other processes, at
 * most twice a second per run. Nothing depends on it; what counts is in the run's row.
 */
import { randomUUID } from "node:crypto";
import type { Counters, Progress } from "../run/ports.ts";
import type { RunStatus } from "../store/index.ts";

export const PROGRESS_CHANNEL = "plugboard_progress";

/** Counters and instants only: a notification is not protected by row-level security. */
export interface RunProgress {
  readonly tenant: string;
  readonly run: string;
  readonly flow: string;
  readonly progress?: Progress;
  /** Set once the run has left its worker: what became of it (`queued` when another attempt follows), and all it counted. */
  readonly status?: RunStatus;
  readonly counters?: Readonly<Counters>;
}

export interface ProgressBoard {
  report(progress: RunProgress): void;
  /** Calls back on every report, of this process at once and of others as they are heard. @returns unsubscribe */
  watch(watcher: (progress: RunProgress) => void): () => void;
  /** A payload of PROGRESS_CHANNEL. */
  hear(payload: string): void;
  close(): void;
}

const NOTIFY_MILLISECONDS = 500;

export function createProgressBoard(notify: (channel: string, payload: string) => Promise<unknown>): ProgressBoard {
  const self = randomUUID();
  const watchers = new Set<(progress: RunProgress) => void>();
  const unsent = new Map<string, RunProgress>();
  let timer: NodeJS.Timeout | undefined;

  const show = (progress: RunProgress): void => {
    for (const watcher of watchers) watcher(progress);
  };
  const send = (): void => {
    timer = undefined;
    for (const progress of unsent.values()) void notify(PROGRESS_CHANNEL, JSON.stringify({ self, ...progress })).catch(() => {});       // the next one comes soon
    unsent.clear();
  };

  return {
    report(progress) {
      show(progress);
      unsent.set(progress.run, progress);
      timer ??= setTimeout(send, NOTIFY_MILLISECONDS);
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    hear(payload) {
      const { self: sender, ...progress } = parsed(payload);
      if (sender !== undefined && sender !== self) show(progress);
    },
    close() {
      clearTimeout(timer);
      watchers.clear();
    },
  };
}

/** Whoever may connect to the database may notify: what is not ours is dropped. */
function parsed(payload: string): RunProgress & { readonly self?: string } {
  try {
    return JSON.parse(payload) as RunProgress & { self?: string };
  } catch {
    return {} as RunProgress;
  }
}
