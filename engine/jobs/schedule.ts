/**
 * When a flow is due. Pure arithmetic: the clock is an argument.
 *
 * `every` counts elapsed time from the flow's first tick, so daylight saving does not touch it. A cron follows the wall clock
 * of its zone: a time that does not exist that day fires at the instant the clocks jump to, one that exists twice fires once.
 */
import { createHash } from "node:crypto";
import { Cron } from "croner";
import type { FlowPlan } from "../plan/types.ts";

export type Schedule = NonNullable<FlowPlan["schedule"]>;

/** Longest jitter; a shorter interval gets a tenth of itself. Seconds. */
const MAX_JITTER_SECONDS = 60;

/**
 * The flow's next tick after `now`, jitter included: milliseconds since the epoch, always in the future (a first tick of
 * `every` may be now). However many ticks were missed, they count as one.
 * @param previous the flow's last tick; absent for a flow that never had one: `every` then begins now.
 * @returns undefined for a cron that never fires again.
 */
export function nextTick(schedule: Schedule, flow: string, now: number, previous?: number): number | undefined {
  if ("every_seconds" in schedule) {
    const every = schedule.every_seconds * 1000;
    return previous === undefined ? now + jitter(flow, every) : previous + Math.max(1, Math.floor((now - previous) / every) + 1) * every;
  }
  const cron = new Cron(schedule.cron, { timezone: schedule.time_zone, mode: "5-part" });
  // A clock that was set back must not fire a tick twice.
  const tick = cron.nextRun(new Date(Math.max(previous ?? now, now)));
  if (!tick) return undefined;
  const following = cron.nextRun(tick)?.getTime() ?? Infinity;
  return tick.getTime() + jitter(flow, following - tick.getTime());
}

/**
 * Milliseconds between a tick and its run: the same for every process and every tick of a flow, spread evenly over flows,
 * so that flows with one cron do not all start in the same second.
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
