/** ISO 8601 durations. Months and days are the calendar's, in a zone: a day is 23 hours when the clocks go forward. */
import { dateOf, durationOf, instantOf, isDateOnly, isoDate, isoInstant, unitOf, zoneOf } from "./instants.ts";
import { LibraryError } from "./library-error.ts";
import type { FunctionGroup } from "./types.ts";

export const durations: FunctionGroup = {
  title: "Durations",
  functions: {
    add_duration: {
      doc: "An instant or a date plus an ISO duration (`P1M`, `-PT24H`). A date stays a date. Days and months are the zone's; UTC when none is named.",
      signature: "<(sn)-ss?:s>",
      parameters: ["when", "duration", "zone?"],
      examples: [
        { args: ["2026-01-31", "P1M"], result: "2026-02-28" },
        { args: ["2026-03-28T12:00:00Z", "P1D", "Europe/London"], result: "2026-03-29T11:00:00.000Z" },
        { args: ["2026-03-28T12:00:00Z", "-PT24H"], result: "2026-03-27T12:00:00.000Z" },
        { args: ["2026-01-31", "1 month"], error: "DURATION" },
        { args: ["2026-01-31", "PT1H"], error: "DURATION" },
      ],
      call: (_context, when: string | number, duration: string, zone?: string) => shift(when, duration, 1, zone),
    },
    subtract_duration: {
      doc: "An instant or a date minus an ISO duration; otherwise as $add_duration.",
      signature: "<(sn)-ss?:s>",
      parameters: ["when", "duration", "zone?"],
      examples: [{ args: ["2026-03-31", "P1M"], result: "2026-02-28" }, { args: [86_400_000, "PT1H"], result: "1970-01-01T23:00:00.000Z" }],
      call: (_context, when: string | number, duration: string, zone?: string) => shift(when, duration, -1, zone),
    },
    time_between: {
      doc: "How many whole units lie between two instants or two dates; negative when the second is earlier. Days and longer are the zone's; UTC when none is named.",
      signature: "<(sn)-(sn)ss?:n>",
      parameters: ["from", "to", "unit", "zone?"],
      examples: [
        { args: ["2026-01-31", "2026-03-01", "months"], result: 1 },
        { args: ["2026-03-28T12:00:00Z", "2026-03-29T11:00:00Z", "days", "Europe/London"], result: 1 },
        { args: ["2026-03-02", "2026-03-01", "days"], result: -1 },
        { args: ["2026-03-02", "2026-03-01", "moons"], error: "UNIT" },
      ],
      call: (_context, from: string | number, to: string | number | undefined, unit: string, zone = "utc" as string) => {
        if (to === undefined) return undefined;
        const of = unitOf(unit);
        const [start, end] = [from, to].map((when) => (typeof when === "string" && isDateOnly(when.trim()) ? dateOf(when).setZone(zoneOf(zone), { keepLocalTime: true }) : instantOf(when).setZone(zoneOf(zone))));
        const count = Math.trunc(end!.diff(start!, of).get(of));
        return count === 0 ? 0 : count;
      },
    },
    duration_seconds: {
      doc: "An ISO duration in seconds. Months and years have no fixed length and fail; a day counts as 24 hours.",
      signature: "<s-:n>",
      parameters: ["duration"],
      examples: [{ args: ["PT1H30M"], result: 5400 }, { args: ["P1DT0.5S"], result: 86_400.5 }, { args: ["P1M"], error: "DURATION" }],
      call: (_context, text: string) => {
        const duration = durationOf(text);
        if (duration.years || duration.quarters || duration.months) throw new LibraryError("DURATION", `"${text}" has no fixed length: months and years differ.`);
        return duration.as("seconds");
      },
    },
    format_duration: {
      doc: "Seconds as an ISO duration.",
      signature: "<n-:s>",
      parameters: ["seconds"],
      examples: [{ args: [5400], result: "PT1H30M" }, { args: [0], result: "PT0S" }, { args: [90_061.5], result: "P1DT1H1M1.5S" }],
      call: (_context, seconds: number) => {
        const [days, rest] = [Math.trunc(seconds / 86_400), seconds % 86_400];
        const parts = [[Math.trunc(rest / 3600), "H"], [Math.trunc((rest % 3600) / 60), "M"], [Number((rest % 60).toFixed(3)), "S"]] as const;
        const time = parts.filter(([count]) => count !== 0).map(([count, unit]) => `${count}${unit}`).join("");
        return days === 0 && time === "" ? "PT0S" : `P${days === 0 ? "" : `${days}D`}${time === "" ? "" : `T${time}`}`;
      },
    },
  },
};

function shift(when: string | number, text: string, sign: 1 | -1, zone?: string): string {
  const duration = sign === 1 ? durationOf(text) : durationOf(text).negate();
  if (typeof when !== "string" || !isDateOnly(when.trim())) return isoInstant(instantOf(when).setZone(zoneOf(zone ?? "utc")).plus(duration));
  if (duration.hours || duration.minutes || duration.seconds || duration.milliseconds) throw new LibraryError("DURATION", `"${when}" is a date: it has no hours to add "${text}" to.`);
  return isoDate(dateOf(when).plus(duration));
}
