/** Instants: how long ago, with the exact time in the chosen zone on hover and for screen readers. */
import { Tooltip } from "@mantine/core";
import { useInterval, useLocalStorage } from "@mantine/hooks";
import { useEffect, useState } from "react";

/** `local`: the browser's; otherwise an IANA name. */
export const useZone = () => useLocalStorage<string>({ key: "plugboard-zone", defaultValue: "local" });

export function exactTime(instant: string | number | Date, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", ...(zone === "local" ? {} : { timeZone: zone }) }).format(new Date(instant)) + (zone === "local" ? "" : ` ${zone}`);
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function ago(instant: string | number | Date, now: number): string {
  const seconds = (new Date(instant).getTime() - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return seconds <= 0 ? "just now" : "in a moment";
  for (const [unit, length] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
    if (size >= length * (unit === "minute" ? 0.75 : 1)) return relative.format(Math.round(seconds / length), unit);
  }
  return relative.format(Math.round(seconds), "second");
}

export function When({ at, empty = "never" }: { readonly at: string | null | undefined; readonly empty?: string }) {
  const [zone] = useZone();
  const [, setShown] = useState(0);
  const { start, stop } = useInterval(() => setShown(Date.now()), 20_000);
  useEffect(() => { start(); return stop; }, [start, stop]);
  if (!at) return <span style={{ opacity: 0.65 }}>{empty}</span>;
  const exact = exactTime(at, zone);
  return <Tooltip label={exact}><time dateTime={at} aria-label={exact} style={{ whiteSpace: "nowrap" }}>{ago(at, Date.now())}</time></Tooltip>;
}

/** Milliseconds in words of at most two units. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
