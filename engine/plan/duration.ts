const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** What a duration looks like, for messages. */
export const DURATION_FORM = "a duration such as 30s, 15m, 1h, 7d or 2w";

/** Seconds of `500ms`, `15m`, `1h`, `1.5h`, `7d`, `2w`; `undefined` when it is no duration. One number and one unit, as in schemas/common.schema.json. */
export function parseDuration(written: unknown): number | undefined {
  const [, amount, unit] = (typeof written === "string" && /^(\d+(?:\.\d+)?)(ms|[smhdw])$/.exec(written)) || [];
  return amount === undefined ? undefined : Math.round(Number(amount) * SECONDS[unit as keyof typeof SECONDS] * 1000) / 1000;
}
