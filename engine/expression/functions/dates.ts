/** Dates and instants. Patterns are Luxon's tokens. Source: moment.github.io/luxon/#/parsing (table of tokens), read 2026-11. */
import { DateTime, type DateTimeUnit } from "luxon";
import { dateOf, instantOf, isDateOnly, isoDate, isoInstant, LOCALE, unitOf, valid, zoneOf } from "./instants.ts";
import { LibraryError } from "./library-error.ts";
import type { FunctionGroup } from "./types.ts";

const INSTANT = "2026-03-29T00:30:00.000Z";

export const dates: FunctionGroup = {
  title: "Dates and times",
  functions: {
    parse_datetime: {
      doc: "Text to an ISO instant in UTC. Without a pattern the text is ISO 8601. The zone is where a text without offset was written; without either it fails.",
      signature: "<s-s?s?:s>",
      parameters: ["text", "pattern?", "zone?"],
      examples: [
        { args: ["31/03/2026 09:15", "dd/MM/yyyy HH:mm", "Europe/London"], result: "2026-03-31T08:15:00.000Z" },
        { args: ["2026-03-31T09:15:00+02:00"], result: "2026-03-31T07:15:00.000Z" },
        { args: ["Mar 5, 2026 3:07 PM +0000", "MMM d, yyyy h:mm a ZZZ"], result: "2026-03-05T15:07:00.000Z" },
        { args: ["2026-03-31T09:15:00"], error: "TIME_ZONE" },
        { args: ["31.03.2026", "dd/MM/yyyy", "utc"], error: "DATE" },
      ],
      call: (_context, text: string, pattern?: string, zone?: string) => isoInstant(pattern === undefined || pattern === "" ? instantOf(text, zone) : parsed(text, pattern, zone)),
    },
    parse_date: {
      doc: "Text to a date without time, yyyy-MM-dd. Without a pattern the text is ISO 8601; a time in it is left out as written.",
      signature: "<s-s?:s>",
      parameters: ["text", "pattern?"],
      examples: [
        { args: ["31/03/2026", "dd/MM/yyyy"], result: "2026-03-31" },
        { args: ["2026-03-31T23:30:00-05:00"], result: "2026-03-31" },
        { args: ["5 March 26", "d MMMM yy"], result: "2026-03-05" },
        { args: ["30/02/2026", "dd/MM/yyyy"], error: "DATE" },
      ],
      call: (_context, text: string, pattern?: string) => {
        if (pattern !== undefined) return isoDate(parsed(text, pattern, "utc", true));
        const [date = ""] = text.trim().split(/[T ]/);
        return isoDate(dateOf(date));
      },
    },
    format_datetime: {
      doc: "An instant (ISO text or epoch milliseconds) by a pattern, as the clock shows it in the zone; UTC when none is named.",
      signature: "<(sn)-ss?:s>",
      parameters: ["instant", "pattern", "zone?"],
      examples: [
        { args: [INSTANT, "dd/MM/yyyy HH:mm", "Europe/Paris"], result: "29/03/2026 01:30" },
        { args: [0, "yyyy-MM-dd'T'HH:mm:ss"], result: "1970-01-01T00:00:00" },
        { args: ["yesterday", "yyyy"], error: "DATE" },
      ],
      call: (_context, instant: string | number, pattern: string, zone?: string) => instantOf(instant).setZone(zoneOf(zone ?? "utc")).toFormat(pattern, { locale: LOCALE }),
    },
    format_date: {
      doc: "A date (yyyy-MM-dd) by a pattern.",
      signature: "<s-s:s>",
      parameters: ["date", "pattern"],
      examples: [{ args: ["2026-03-05", "d MMMM yyyy"], result: "5 March 2026" }, { args: ["2026-03-05T10:00:00Z", "yyyy"], error: "DATE" }],
      call: (_context, date: string, pattern: string) => dateOf(date).toFormat(pattern, { locale: LOCALE }),
    },
    to_zone: {
      doc: "The same instant as the clock shows it in a zone, ISO text with that zone's offset.",
      signature: "<(sn)-s:s>",
      parameters: ["instant", "zone"],
      examples: [
        { args: [INSTANT, "Europe/London"], result: "2026-03-29T00:30:00.000+00:00" },
        { args: ["2026-03-29T01:30:00Z", "Europe/London"], result: "2026-03-29T02:30:00.000+01:00" },
        { args: [INSTANT, "London"], error: "TIME_ZONE" },
      ],
      call: (_context, instant: string | number, zone: string) => instantOf(instant).setZone(zoneOf(zone)).toISO({ includeOffset: true })?.replace(/Z$/, "+00:00"),
    },
    date_in: {
      doc: "The date an instant falls on in a zone, yyyy-MM-dd.",
      signature: "<(sn)-s:s>",
      parameters: ["instant", "zone"],
      examples: [{ args: ["2026-03-31T23:30:00Z", "Europe/Paris"], result: "2026-04-01" }, { args: ["2026-03-31T23:30:00Z", "utc"], result: "2026-03-31" }],
      call: (_context, instant: string | number, zone: string) => isoDate(instantOf(instant).setZone(zoneOf(zone))),
    },
    start_of: {
      doc: "The beginning of the day, week (Monday), month, quarter, year, hour or minute that an instant or a date falls in. For an instant, of the zone; UTC when none is named.",
      signature: "<(sn)-ss?:s>",
      parameters: ["when", "unit", "zone?"],
      examples: [
        { args: ["2026-05-17", "quarter"], result: "2026-04-01" },
        { args: ["2026-07-01T22:30:00Z", "day", "Europe/Paris"], result: "2026-07-01T22:00:00.000Z" },
        { args: ["2026-05-17", "fortnight"], error: "UNIT" },
      ],
      call: (_context, when: string | number, unit: string, zone?: string) => {
        const of = unitOf(unit).slice(0, -1) as DateTimeUnit;
        return typeof when === "string" && isDateOnly(when.trim()) ? isoDate(dateOf(when).startOf(of)) : isoInstant(instantOf(when).setZone(zoneOf(zone ?? "utc")).startOf(of));
      },
    },
    next_day: {
      doc: "The next midnight, as an ISO instant; of UTC unless a zone is named. For rules that wait until a daily limit is over.",
      signature: "<s?:s>",
      parameters: ["zone?"],
      examples: [
        { args: [], now: 1_773_500_000_000, result: "2026-03-15T00:00:00.000Z" },
        { args: ["America/New_York"], now: 1_773_500_000_000, result: "2026-03-15T04:00:00.000Z" },
      ],
      call: ({ now }, zone?: string) => isoInstant(DateTime.fromMillis(now, { zone: zoneOf(zone ?? "utc") }).plus({ days: 1 }).startOf("day")),
    },
    epoch_seconds: {
      doc: "An instant as seconds since 1970, rounded down.",
      signature: "<(sn)-:n>",
      parameters: ["instant"],
      examples: [{ args: ["2026-03-01T00:00:00.999Z"], result: 1_772_323_200 }],
      call: (_context, instant: string | number) => Math.floor(instantOf(instant).toMillis() / 1000),
    },
    epoch_millis: {
      doc: "An instant as milliseconds since 1970.",
      signature: "<(sn)-:n>",
      parameters: ["instant"],
      examples: [{ args: ["2026-03-01T01:00:00.5+01:00"], result: 1_772_323_200_500 }],
      call: (_context, instant: string | number) => instantOf(instant).toMillis(),
    },
    from_epoch: {
      doc: "Seconds (or with \"ms\" milliseconds) since 1970, as a number or digits, to an ISO instant.",
      signature: "<(ns)-s?:s>",
      parameters: ["number", "unit?"],
      examples: [
        { args: [1_772_323_200], result: "2026-03-01T00:00:00.000Z" },
        { args: ["1772323200500", "ms"], result: "2026-03-01T00:00:00.500Z" },
        { args: ["soon"], error: "DATE" },
      ],
      call: (_context, number: number | string, unit = "s" as string) => {
        const count = typeof number === "number" ? number : /^-?\d+(\.\d+)?$/.test(number.trim()) ? Number(number) : Number.NaN;
        if (unit !== "s" && unit !== "ms") throw new LibraryError("UNIT", `"${unit}" is not a unit of $from_epoch; write "s" or "ms".`);
        return isoInstant(valid(DateTime.fromMillis(Math.round(unit === "s" ? count * 1000 : count), { zone: "utc" }), number));
      },
    },
    parse_ms_date: {
      doc: "Microsoft's /Date(…)/ (milliseconds since 1970, the offset says nothing about the instant) to an ISO instant.",
      signature: "<s-:s>",
      parameters: ["text"],
      examples: [{ args: ["/Date(1573755038314+0000)/"], result: "2019-11-14T18:10:38.314Z" }, { args: ["2019-11-14"], error: "DATE" }],
      call: (_context, text: string) => {
        const milliseconds = /^\/Date\((-?\d+)(?:[+-]\d{4})?\)\/$/.exec(text.trim())?.[1];
        if (milliseconds === undefined) throw new LibraryError("DATE", `"${text}" is not a date like /Date(1573755038314)/.`);
        return isoInstant(valid(DateTime.fromMillis(Number(milliseconds), { zone: "utc" }), text));
      },
    },
  },
};

/** `dateOnly`: a time zone would be meaningless. A pattern without year would borrow it from the clock. */
function parsed(text: string, pattern: string, zone: string | undefined, dateOnly = false): DateTime {
  const tokens = pattern.replace(/'[^']*'/g, "");
  if (!/[ykoXxDf]/i.test(tokens) || /^[^yYkXxDF]*$/.test(tokens)) throw new LibraryError("DATE_PATTERN", `The pattern "${pattern}" has no year (yyyy).`);
  const says = /[zZXx]/.test(tokens);
  if (!says && zone === undefined) throw new LibraryError("TIME_ZONE", `The pattern "${pattern}" has no offset: name the zone the text was written in, like "Europe/London".`);
  const read = DateTime.fromFormat(text.trim(), pattern, { zone: zone === undefined ? "utc" : zoneOf(zone), locale: LOCALE, setZone: dateOnly });
  if (!read.isValid) throw new LibraryError("DATE", `"${text}" is not a date written as ${pattern}${read.invalidExplanation ? `: ${read.invalidExplanation}` : ""}.`);
  return read;
}
