const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** What a duration looks like, for messages. */
export const DURATION_FORM = "a duration such as 30s, 15m, 1h, 7d or 2w";

/** Seconds of `15m`, `1h`, `7d`, `1h30m`; `undefined` when the text is no duration. Units: ms s m h d w. */
export function parseDuration(written: unknown): number | undefined {
  if (typeof written !== "string" || !/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(written)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of written.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) seconds += Number(amount) * SECONDS[unit as keyof typeof SECONDS];
  return Math.round(seconds * 1000) / 1000;
}
