/**
 * When a flow is due. Pure arithmetic: the clock is an argument.
 *
 *   slot   the nominal instant of a tick; a flow runs at most once per slot, however many processes look
 *   due    slot + jitter: when the run is queued
 *
 * `every` counts elapsed time from the flow's first slot, so daylight saving does not touch it. A cron follows the wall clock
 * of its zone: a time that does not exist that day fires at the instant the clocks jump to, one that exists twice fires once.
 */
import { createHash } from "node:crypto";
import { Cron } from "croner";
import type { FlowPlan } from "../plan/types.ts";

export type Schedule = NonNullable<FlowPlan["schedule"]>;

/** A tick to come. Milliseconds since the epoch. */
export interface Tick { readonly slot: number; readonly due: number }

/** Longest jitter; a shorter interval gets a tenth of itself. Seconds. */
const MAX_JITTER_SECONDS = 60;

/**
 * The first tick after `now`. However many ticks were missed, they count as one: the answer is always in the future.
 * @param previousSlot the last slot of the flow, absent for a flow that never ran: `every` then begins now.
 * @returns undefined for a cron that never fires again (30 February).
 */
export function nextTick(schedule: Schedule, flow: string, now: number, previousSlot?: number): Tick | undefined {
  if ("every_seconds" in schedule) {
    const every = schedule.every_seconds * 1000;
    const slot = previousSlot === undefined ? now : previousSlot + Math.max(1, Math.floor((now - previousSlot) / every) + 1) * every;
    return { slot, due: slot + jitter(flow, every) };
  }
  const cron = new Cron(schedule.cron, { timezone: schedule.time_zone, mode: "5-part" });
  // A tick whose jitter is still running out is not passed over: slots are searched from the previous one on.
  const after = previousSlot === undefined ? now : Math.max(previousSlot, now);
  const slot = cron.nextRun(new Date(after))?.getTime();
  if (slot === undefined) return undefined;
  const following = cron.nextRun(new Date(slot))?.getTime() ?? slot + MAX_JITTER_SECONDS * 10_000;
  return { slot, due: slot + jitter(flow, following - slot) };
}

/**
 * Milliseconds between a slot and its run: the same for every process and every tick of a flow, spread evenly over flows,
 * so that the flows of one cron do not all start in the same second.
 */
export function jitter(flow: string, intervalMilliseconds: number): number {
  const most = Math.min(intervalMilliseconds / 10, MAX_JITTER_SECONDS * 1000);
  return Math.floor((createHash("sha256").update(flow).digest().readUInt32BE(0) / 2 ** 32) * most);
}

const UNITS: readonly (readonly [seconds: number, name: string])[] = [[604_800, "week"], [86_400, "day"], [3_600, "hour"], [60, "minute"], [1, "second"]];

/** `every 15 minutes`, `at 0 7 * * 1 (Europe/London)`, `by hand`. */
export function scheduleInWords(schedule: Schedule | undefined): string {
  if (schedule === undefined) return "by hand";
  if ("cron" in schedule) return `at ${schedule.cron} (${schedule.time_zone})`;
  const [seconds, name] = UNITS.find(([unit]) => schedule.every_seconds % unit === 0) ?? [1, "second"];
  const count = schedule.every_seconds / seconds;
  return count === 1 ? `every ${name}` : `every ${count} ${name}s`;
}
