const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** Seconds of a manifest's duration (`500ms`, `15m`, `14d`); a number is seconds already. The schema has checked the form. */
export function durationSeconds(value: unknown): number {
  if (typeof value === "number") return value;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(String(value));
  if (match === null) throw new TypeError(`'${String(value)}' is no duration`);
  return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
}

/** For people: `45 s`, `3 min`, `2 h`. */
export function showSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
