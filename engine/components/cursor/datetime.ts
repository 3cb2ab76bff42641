/**
 * Reads by an instant in the record. Windows are `[from, to)`; values are compared as instants, never as text. Without a field,
 * the next window begins where this one ended.
 */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import { defineCursor } from "../kinds.ts";
import { durationSeconds } from "../shared/duration.ts";
import { parseInstant, printInstant, toDecimalSeconds, toIso, toMilliseconds } from "../shared/instant.ts";

export interface DatetimeSpec {
  /** Over the record. */
  readonly field?: string;
  /** `iso` (whole seconds), `iso_ms`, `iso_date`, `epoch_s`, `epoch_ms`, or a luxon pattern (UTC): how a request prints the window. @default "iso" */
  readonly format?: string;
  /** Over the variables: where the first window begins; absent: everything. */
  readonly start?: string;
  readonly ordered?: boolean;
  /** Kept free between the clock and the end of the window, for providers whose index lags. */
  readonly lag?: string | number;
  /** Read again before `from`, for records that appear late. */
  readonly lookback?: string | number;
}

const NAMED_FORMATS = new Set(["iso", "iso_ms", "iso_date", "epoch_s", "epoch_ms"]);

export default defineCursor<DatetimeSpec>("datetime", (spec, { compile, where }) => {
  const field = spec.field === undefined ? undefined : compile(String(spec.field), "field");
  const start = spec.start === undefined ? undefined : compile(String(spec.start), "start");
  const format = spec.format ?? "iso";
  const pattern = NAMED_FORMATS.has(format) ? undefined : format;
  const lag = durationSeconds(spec.lag ?? 0) * 1000;
  const lookback = durationSeconds(spec.lookback ?? 0) * 1000;

  return {
    ordered: spec.ordered === true && field !== undefined,
    async valueOf(record, variables) {
      const instant = parseInstant(await field?.evaluate(record, variables), "UTC", pattern);
      return instant && { milliseconds: toMilliseconds(instant), version: toDecimalSeconds(instant) };
    },
    async window(from, now, variables) {
      const to = now - lag;
      const begun = from === undefined ? await startOf() : Date.parse(from) - lookback;
      // A `from` in the future would read nothing for ever: it becomes `to`.
      return { ...(begun === undefined ? {} : { from: toIso(Math.min(begun, to)) }), to: toIso(to) };

      async function startOf(): Promise<number | undefined> {
        const value = await start?.evaluate(variables, variables);
        if (value === undefined || value === null || value === "") return undefined;
        const instant = parseInstant(value);
        if (instant === undefined) throw new PlugboardError("RUN_REQUEST", { where, detail: `'start: ${spec.start}' gave ${JSON.stringify(value)}, which is no date` });
        return toMilliseconds(instant);
      }
    },
    print: ({ from, to }) => ({ ...(from === undefined ? {} : { from: printInstant(Date.parse(from), format) }), to: printInstant(Date.parse(to), format) }),
  };
});
