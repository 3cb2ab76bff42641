/** A clock that tests set. Sleeping moves it, at once: a wait of a day takes no time, and is seen in `slept`. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../engine/run/ports.ts";

export interface TestClock extends Clock {
  readonly slept: number[];
  advance(milliseconds: number): void;
}

export function testClock(start = "2026-03-01T09:00:00Z"): TestClock {
  let now = Date.parse(start);
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    advance: (milliseconds) => { now += milliseconds; },
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      // The event loop gets its turn, or two loops that wait for each other would starve the test.
      await setImmediate();
      slept.push(milliseconds);
      now += milliseconds;
    },
  };
}
