/**
 * One limit of a connector, shared by all workers: so many requests in a time (`max`, `every`), so many at once (`at_once`), and
 * what the provider's own headers say (`from_headers`). Any of the three, or all.
 */
import type { Answer, Buckets } from "../kinds.ts";
import { defineLimiter } from "../kinds.ts";
import { glob } from "../shared/glob.ts";
import { parseInstant, toMilliseconds } from "../shared/instant.ts";
import { LONGEST_WAIT_SECONDS, httpDate } from "../shared/retry-after.ts";

/** A bucket without a number of its own still stops while it is blocked: it is asked for more than anyone takes. */
const UNLIMITED = { max: 1_000_000, every_seconds: 1 };

export default defineLimiter("bucket", (spec) => {
  const matches = spec.path === undefined ? () => true : glob(spec.path);
  const rate = spec.max === undefined || spec.every_seconds === undefined ? UNLIMITED : { max: spec.max, every_seconds: spec.every_seconds };
  return {
    applies: (request) => matches(request.url.pathname),
    take: (bucket, buckets) => buckets.take(bucket, rate),
    ...(spec.at_once === undefined ? {} : { enter: (bucket: string, buckets: Buckets, seconds: number) => buckets.enter(bucket, spec.at_once!, seconds) }),
    async observe(answer, bucket, buckets, now) {
      const until = spec.from_headers === undefined ? undefined : blockedUntil(answer, spec.from_headers, now);
      if (until !== undefined) await buckets.block(bucket, until);
    },
  };
});

/** Milliseconds since the epoch until which nothing is left; `undefined` while something is. */
function blockedUntil(answer: Answer, names: { readonly remaining: string; readonly reset: string }, now: number): number | undefined {
  const remaining = answer.headers[names.remaining.toLowerCase()];
  const reset = answer.headers[names.reset.toLowerCase()];
  if (remaining === undefined || reset === undefined || remaining.trim() === "" || !(Number(remaining) <= 0)) return undefined;
  const until = resetAt(reset.trim(), now);
  return until === undefined || until <= now ? undefined : Math.min(until, now + LONGEST_WAIT_SECONDS * 1000);
}

/** Seconds from now, or an instant: providers mean epoch seconds by a number too large for a wait. */
function resetAt(reset: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(reset) && Number(reset) < 1e9) return now + Number(reset) * 1000;
  const instant = parseInstant(reset);
  return instant === undefined ? httpDate(reset) : toMilliseconds(instant);
}
