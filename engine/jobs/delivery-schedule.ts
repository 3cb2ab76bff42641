/** When a delivery is tried again. Pure: chance is an argument. */

/**
 * Seconds before each attempt, counted from the one before: about three days in all, as the Standard Webhooks specification
 * suggests (https://github.com/standard-webhooks/standard-webhooks, "Retry schedule", read 2026-11).
 */
export const SCHEDULE_SECONDS = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;
/** Share by which each wait is shorter or longer, so that what failed together does not come back together. */
const JITTER = 0.2;

/**
 * Seconds until the next attempt. What the receiver asked for (`Retry-After`) counts before the schedule, and is never cut short.
 * @param attempts made so far. @returns undefined when that was the last one.
 */
export function retryInSeconds(attempts: number, after?: number, random: () => number = Math.random): number | undefined {
  const wait = SCHEDULE_SECONDS[attempts];
  if (wait === undefined) return undefined;
  return after !== undefined && after > 0 ? after * (1 + JITTER * random()) : wait * (1 - JITTER + 2 * JITTER * random());
}
