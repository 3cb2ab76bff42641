import type { Counters, RunResult } from "../../engine/run/ports.ts";
import { count } from "./progress.ts";

/** `2 pages, 153 read = 150 created + 2 filtered + 1 quarantined, checkpoint 2026-03-01T09:00:00Z, 1.4 s`. */
export function describeResult(result: Pick<RunResult, "status" | "counters" | "sweep" | "checkpoint"> & { mode?: string }, seconds: number): string {
  const parts = [count(result.counters.pages, "page"), balance(result.counters)];
  if (result.counters.swept > 0) parts.push(`${result.counters.swept} swept`);
  if (result.sweep?.held) parts.push(`${result.sweep.held.missing} missing rows wait for approval`);
  if (result.checkpoint?.from) parts.push(`checkpoint ${result.checkpoint.from}`);
  parts.push(`${seconds.toFixed(1)} s`);
  return `${result.mode ? `${result.mode}: ` : ""}${parts.join(", ")}`;
}

const OUTCOMES = ["created", "updated", "unchanged", "superseded", "deleted", "filtered", "quarantined"] as const satisfies readonly (keyof Counters)[];

function balance(counters: Counters): string {
  const terms = OUTCOMES.filter((outcome) => counters[outcome] > 0).map((outcome) => `${counters[outcome].toLocaleString("en")} ${outcome}`);
  return `${counters.read.toLocaleString("en")} read${terms.length > 0 ? ` = ${terms.join(" + ")}` : ""}`;
}
