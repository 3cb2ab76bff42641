/**
 * Instants as providers write them. A version must order records exactly, so the fraction is kept as digits: a double holds
 * milliseconds since the epoch only to about 0.2 µs, and providers send 7 and 9 digits.
 */
import { DateTime } from "luxon";

export interface Instant {
  /** Whole seconds since the epoch, rounded down. */
  readonly seconds: number;
  /** Digits after the decimal point of the seconds, without trailing zeros; "" for none. */
  readonly fraction: string;
}

const ISO = /^([+-]?\d{4,6})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/;
/** Numbers from here on count milliseconds: as seconds this is the year 5138, as milliseconds 1973. */
const MILLISECONDS_FROM = 1e11;

/**
 * The instant in a record's value: an ISO date or date-time (without offset: in `zone`), seconds or milliseconds since the
 * epoch as number or digits, `/Date(ms)/`, or text in `pattern` (luxon). `undefined` when it is none of these.
 */
export function parseInstant(value: unknown, zone = "UTC", pattern?: string): Instant | undefined {
  if (typeof value === "number") return fromNumber(value);
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (pattern !== undefined) {
    const parsed = DateTime.fromFormat(text, pattern, { zone });
    if (parsed.isValid) return fromMilliseconds(parsed.toMillis());
  }
  const iso = ISO.exec(text);
  if (iso !== null) return fromIso(iso, zone);
  if (/^-?\d{9,}(\.\d+)?$/.test(text)) return fromDigits(text);
  const wrapped = /^\/Date\((-?\d+)(?:[+-]\d{4})?\)\/$/.exec(text);
  if (wrapped !== null) return fromMilliseconds(Number(wrapped[1]));
  return undefined;
}

export function fromMilliseconds(milliseconds: number): Instant {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = milliseconds - seconds * 1000;
  return { seconds, fraction: rest === 0 ? "" : trimmed((rest / 1000).toFixed(6).slice(2)) };
}

/** Milliseconds since the epoch with their fraction, as exactly as a double can. */
export const toMilliseconds = ({ seconds, fraction }: Instant): number => seconds * 1000 + (fraction === "" ? 0 : Number(`0.${fraction}`) * 1000);

/** `1764068272.6880167`: seconds since the epoch with every digit of the fraction. */
export function toDecimalSeconds({ seconds, fraction }: Instant): string {
  if (fraction === "") return String(seconds);
  if (seconds >= 0) return `${seconds}.${fraction}`;
  // Before 1970 `seconds` is rounded down: -1 with fraction 25 is -0.75.
  const rest = trimmed(String(10n ** BigInt(fraction.length) - BigInt(fraction)).padStart(fraction.length, "0"));
  return `-${-(seconds + 1)}.${rest}`;
}

/** `2026-03-01T09:00:00Z`, with milliseconds only when there are any. */
export const toIso = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(".000Z", "Z");

/**
 * Prints an instant as a request wants it: `iso`, `iso_ms`, `iso_date`, `epoch_s`, `epoch_ms`, or a luxon pattern, in `zone`.
 * Numbers stay numbers, so that JSON bodies and templates both get what they need.
 */
export function printInstant(milliseconds: number, format: string, zone = "UTC"): string | number {
  switch (format) {
    // Whole seconds: some providers refuse a fraction, none refuses its absence. Both ends of every window are cut down alike,
    // so what falls between is read by the next one.
    case "iso": return toIso(Math.floor(milliseconds / 1000) * 1000);
    case "iso_ms": return new Date(Math.floor(milliseconds)).toISOString();
    case "iso_date": return DateTime.fromMillis(Math.floor(milliseconds), { zone }).toFormat("yyyy-MM-dd");
    case "epoch_s": return Math.floor(milliseconds / 1000);
    case "epoch_ms": return Math.floor(milliseconds);
    default: return DateTime.fromMillis(Math.floor(milliseconds), { zone }).toFormat(format);
  }
}

function fromNumber(value: number): Instant | undefined {
  if (!Number.isFinite(value)) return undefined;
  return fromMilliseconds(Math.abs(value) >= MILLISECONDS_FROM ? value : value * 1000);
}

function fromDigits(text: string): Instant | undefined {
  const [whole, fraction = ""] = text.split(".") as [string, string?];
  if (Math.abs(Number(whole)) < MILLISECONDS_FROM && !text.startsWith("-")) return { seconds: Number(whole), fraction: trimmed(fraction) };
  return fromNumber(Number(text));
}

function fromIso(iso: RegExpExecArray, zone: string): Instant | undefined {
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", offset] = iso;
  // Date.UTC would turn 31 February into 3 March: what a provider never meant is no instant.
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()) return undefined;
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60) return undefined;
  let milliseconds: number;
  if (offset === undefined && zone !== "UTC") {
    const local = DateTime.fromObject({ year: Number(year), month: Number(month), day: Number(day), hour: Number(hour), minute: Number(minute), second: Number(second) }, { zone });
    if (!local.isValid) return undefined;
    milliseconds = local.toMillis();
  } else {
    milliseconds = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) - offsetMilliseconds(offset);
  }
  return { seconds: milliseconds / 1000, fraction: trimmed(fraction) };
}

function offsetMilliseconds(offset: string | undefined): number {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(offset ?? "");
  if (match === null) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0)) * 60_000;
}

const trimmed = (digits: string): string => digits.replace(/0+$/, "");
