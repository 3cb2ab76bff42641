/** Limits of one process, with the semantics of the shared ones: for `plugboard run` without a database, checks and tests. */
import type { Buckets } from "../components/kinds.ts";

interface Bucket { tokens: number; filledAt: number; blockedUntil: number; readonly places: Map<string, number> }

export function createMemoryBuckets(now: () => number): Buckets {
  const buckets = new Map<string, Bucket>();
  let places = 0;
  const bucketOf = (name: string): Bucket => {
    let bucket = buckets.get(name);
    if (bucket === undefined) buckets.set(name, bucket = { tokens: Number.NaN, filledAt: now(), blockedUntil: 0, places: new Map() });
    return bucket;
  };
  return {
    async take(name, { max, every_seconds }) {
      const bucket = bucketOf(name);
      const at = now();
      if (bucket.blockedUntil > at) return bucket.blockedUntil - at;
      const perMillisecond = max / (every_seconds * 1000);
      bucket.tokens = Number.isNaN(bucket.tokens) ? max : Math.min(max, bucket.tokens + (at - bucket.filledAt) * perMillisecond);
      bucket.filledAt = at;
      // A hair below one is one: the wait was computed from the same division.
      if (bucket.tokens < 1 - 1e-9) return Math.max(1, Math.ceil((1 - bucket.tokens) / perMillisecond));
      bucket.tokens -= 1;
      return 0;
    },
    async enter(name, atOnce, seconds) {
      const bucket = bucketOf(name);
      for (const [place, until] of bucket.places) if (until <= now()) bucket.places.delete(place);
      if (bucket.places.size >= atOnce) return undefined;
      const place = String(++places);
      bucket.places.set(place, now() + seconds * 1000);
      return place;
    },
    async leave(name, place) { bucketOf(name).places.delete(place); },
    async block(name, until) {
      const bucket = bucketOf(name);
      bucket.blockedUntil = Math.max(bucket.blockedUntil, until);
    },
  };
}
