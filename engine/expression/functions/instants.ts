/** Dates and instants as the functions read them: always with a zone that somebody named, never the machine's. */
import { DateTime, Duration, IANAZone } from "luxon";
import { LibraryError } from "./library-error.ts";

/** English month names wherever it runs. */
export const LOCALE = "en-US";

const DATE_ONLY = /^[+-]?\d{4,6}-?(\d\d-?\d\d|W\d\d-?\d|\d{3})$/;
const HAS_YEAR = /^[+-]?\d{4}/;
const HAS_OFFSET = /(Z|[+-]\d\d(:?\d\d)?)$/i;

const known = new Map<string, string>();

/** A zone that Luxon may use. @throws LibraryError TIME_ZONE */
export function zoneOf(name: string): string {
  let zone = known.get(name);
  if (zone === undefined) {
    zone = /^(utc|z)$/i.test(name) ? "utc" : name;
    if (!/^utc([+-]\d{1,2}(:\d\d)?)?$/i.test(zone) && !IANAZone.isValidZone(zone)) throw new LibraryError("TIME_ZONE", `"${name}" is not a time zone; write one like "Europe/London" or "utc".`);
    if (known.size < 1000) known.set(name, zone);
  }
  return zone;
}

export const isDateOnly = (text: string): boolean => DATE_ONLY.test(text);

/**
 * An instant from ISO 8601 text or epoch milliseconds. `zone` is where a text without offset was written; the result is shown
 * in it. @throws LibraryError DATE when it is no instant; TIME_ZONE when neither text nor zone says where.
 */
export function instantOf(value: string | number, zone?: string): DateTime {
  if (typeof value === "number") return valid(DateTime.fromMillis(value, { zone: zone === undefined ? "utc" : zoneOf(zone), locale: LOCALE }), value);
  const text = value.trim();
  if (!HAS_YEAR.test(text)) throw notDate(value);
  const says = !isDateOnly(text) && text.includes("T") && HAS_OFFSET.test(text);
  if (!says && zone === undefined) throw new LibraryError("TIME_ZONE", `"${value}" does not say its time zone; name the zone it was written in, like "Europe/London".`);
  const read = DateTime.fromISO(text, { zone: zone === undefined ? "utc" : zoneOf(zone), locale: LOCALE });
  return valid(read, value);
}

/** A date without time, on which arithmetic needs no zone. */
export function dateOf(text: string): DateTime {
  if (!isDateOnly(text.trim())) throw new LibraryError("DATE", `"${text}" is not a date like 2026-03-31.`);
  return valid(DateTime.fromISO(text.trim(), { zone: "utc", locale: LOCALE }), text);
}

export function valid(date: DateTime, value: unknown): DateTime {
  if (!date.isValid) throw notDate(value, date.invalidExplanation ?? undefined);
  return date;
}

export const isoInstant = (date: DateTime): string => date.toUTC().toISO() as string;
export const isoDate = (date: DateTime): string => date.toISODate() as string;

/** An ISO 8601 duration, with a sign in front if need be: `P1M`, `-PT24H`. @throws LibraryError DURATION */
export function durationOf(text: string): Duration {
  const duration = Duration.fromISO(text.trim(), { locale: LOCALE });
  if (!duration.isValid) throw new LibraryError("DURATION", `"${text}" is not an ISO 8601 duration; write P1D for a day, PT2H for two hours, P1M for a month.`);
  return duration;
}

const UNITS = ["years", "quarters", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"] as const;
export type Unit = (typeof UNITS)[number];

/** @throws LibraryError UNIT */
export function unitOf(text: string): Unit {
  const plural = text.endsWith("s") ? text : `${text}s`;
  if (!(UNITS as readonly string[]).includes(plural)) throw new LibraryError("UNIT", `"${text}" is not a unit of time; write one of ${UNITS.join(", ")}.`);
  return plural as Unit;
}

function notDate(value: unknown, why?: string): LibraryError {
  return new LibraryError("DATE", `${JSON.stringify(value)} is not a date in ISO 8601${why ? `: ${why}` : ""}; give its pattern to $parse_datetime or $parse_date.`);
}
