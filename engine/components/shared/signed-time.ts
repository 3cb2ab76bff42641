/** The time that a sender signed: how it is written, and how far it may be off, into the past and into the future. */
import { durationSeconds } from "./duration.ts";
import { parseInstant, toMilliseconds } from "./instant.ts";
import { refuse } from "./refused.ts";

/** @default 5 minutes: what the libraries of the Standard Webhooks allow */
export const TOLERANCE = "5m";
export type TimeUnit = "s" | "ms" | "iso";

/** Milliseconds since the epoch. @throws Refused when it is no time, or too far off */
export function checkTime(text: string, unit: TimeUnit, tolerance: string | undefined, nowMilliseconds: number): number {
  const at = millisecondsOf(text, unit);
  if (at === undefined) return refuse(`the timestamp is not ${unit === "iso" ? "an ISO date-time" : unit === "ms" ? "milliseconds since 1970" : "seconds since 1970"}`);
  const off = (nowMilliseconds - at) / 1000;
  const allowed = durationSeconds(tolerance ?? TOLERANCE);
  if (Math.abs(off) > allowed) return refuse(`the timestamp is ${Math.round(Math.abs(off))} s ${off > 0 ? "old" : "ahead"}, more than ${tolerance ?? TOLERANCE}`);
  return at;
}

function millisecondsOf(text: string, unit: TimeUnit): number | undefined {
  if (unit === "iso") {
    const instant = /^\d{4}-\d\d-\d\d[Tt ]/.test(text) ? parseInstant(text) : undefined;
    return instant && toMilliseconds(instant);
  }
  return /^\d{1,16}(\.\d{1,9})?$/.test(text) ? Number(text) * (unit === "s" ? 1000 : 1) : undefined;
}
