/** How much one address may send: a bucket of tokens each, in this process. Others are not touched by one that overflows. */

export interface FloodLimit {
  /** Requests a second, for long. @default 500 */
  readonly perSecond?: number;
  /** Requests at once, before that counts. @default 2000 */
  readonly burst?: number;
}

export interface Flood {
  /** Undefined: it may pass. Else in how many seconds it may. */
  admit(address: string, nowMilliseconds: number): number | undefined;
}

const MOST_ADDRESSES = 50_000;

export function createFlood({ perSecond = 500, burst = 2000 }: FloodLimit = {}): Flood {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    admit(address, now) {
      const bucket = buckets.get(address) ?? { tokens: burst, at: now };
      bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, (now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      if (buckets.size >= MOST_ADDRESSES && !buckets.has(address)) buckets.delete(buckets.keys().next().value!);
      buckets.set(address, bucket);
      if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
      bucket.tokens -= 1;
      return undefined;
    },
  };
}
