/** Writes the log of one run in batches, off the run's path. A log that cannot be written never costs the run anything. */
import type { LogLine } from "../run/ports.ts";

/** `at`: milliseconds since the epoch. */
export interface TimedLine extends LogLine { readonly at: number }

export interface RunLog {
  write(line: LogLine): void;
  /** Writes what is left. */
  close(): Promise<void>;
}

export interface RunLogOptions {
  append(lines: readonly TimedLine[]): Promise<void>;
  onError(cause: Error): void;
  now(): number;
}

const FLUSH_MILLISECONDS = 500;
const BATCH_LINES = 200;
/** Lines that may wait while the database is away; beyond it the newest are counted instead of kept. */
const MAX_WAITING_LINES = 5000;

export function createRunLog({ append, onError, now }: RunLogOptions): RunLog {
  let waiting: TimedLine[] = [];
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(async () => {
      while (waiting.length > 0) {
        const lines = waiting.slice(0, BATCH_LINES);
        try {
          await append(lines);
        } catch (thrown) {
          onError(thrown as Error);
          return;                                          // kept; the next line tries again
        }
        waiting = waiting.slice(lines.length);
        if (dropped > 0) [waiting, dropped] = [[...waiting, { at: now(), level: "warn", event: "log", message: `${dropped} lines were dropped: the log could not be written` }], 0];
      }
    });
    return writing;
  };

  return {
    write(line) {
      if (waiting.length >= MAX_WAITING_LINES) dropped++;
      else waiting.push({ ...line, at: now() });
      if (waiting.length >= BATCH_LINES && timer !== undefined) void flush();
      else timer ??= setTimeout(() => void flush(), FLUSH_MILLISECONDS);
    },
    close: flush,
  };
}
