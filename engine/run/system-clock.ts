/** Time as the machine has it. The only clock and the only sleep of a run outside tests. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "./ports.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    signal.throwIfAborted();
    await delay(milliseconds, undefined, { signal }).catch((thrown: unknown) => { throw signal.aborted ? signal.reason : thrown; });
  },
};
