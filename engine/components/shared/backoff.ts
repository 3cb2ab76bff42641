/** Tries of one request, the first included. */
export const MAX_TRIES = 8;
const BASE_SECONDS = 1;
const CAP_SECONDS = 60;

/**
 * Seconds to wait before try `tries + 1`: exponential with full jitter, so that workers that failed together do not come
 * back together. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 * @param tries how many tries have failed, from 1
 */
export function backoffSeconds(tries: number, random: () => number = Math.random): number {
  return random() * Math.min(CAP_SECONDS, BASE_SECONDS * 2 ** (tries - 1));
}
