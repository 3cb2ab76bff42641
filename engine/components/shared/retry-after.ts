/** Longest wait a provider can ask for; a larger one is cut, so that one wrong header does not stop a flow for a year. */
export const LONGEST_WAIT_SECONDS = 86_400;

/**
 * Seconds a `Retry-After` header asks to wait: a number of seconds or an HTTP date (RFC 9110 §10.2.3), at most a day.
 * `undefined` when it is absent, unreadable, negative or in the past: then our own backoff decides.
 */
export function retryAfterSeconds(value: string | undefined, nowMilliseconds: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (httpDate(text) ?? Number.NaN) / 1000 - nowMilliseconds / 1000;
  return seconds > 0 ? Math.min(seconds, LONGEST_WAIT_SECONDS) : undefined;
}

/** Milliseconds since the epoch of an HTTP date (RFC 9110 §5.6.7); `undefined` when it is none. */
export function httpDate(value: string | undefined): number | undefined {
  if (value === undefined || !/^[A-Za-z]{3,9},? /.test(value)) return undefined;
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? undefined : parsed;
}
