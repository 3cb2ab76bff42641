import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jitter, nextTick, scheduleInWords, type Schedule } from "../../../engine/jobs/schedule.ts";

const FLOW = "acme/learners";
const at = (text: string): number => Date.parse(text);

/** The ticks after `from`, without their jitter. */
function ticks(schedule: Schedule, from: string, count: number): string[] {
  const found: string[] = [];
  for (let now = at(from), previous: number | undefined; found.length < count; ) {
    previous = now = nextTick(schedule, FLOW, now, previous)!;
    found.push(new Date(now - jitterOf(schedule)).toISOString().slice(0, 16));
  }
  return found;
}
const jitterOf = (schedule: Schedule): number => jitter(FLOW, "every_seconds" in schedule ? schedule.every_seconds * 1000 : schedule.cron.startsWith("*/15") ? 900_000 : 86_400_000);

describe("a flow that runs every so often", () => {
  test("begins now, and then keeps its own rhythm", () => {
    expect(ticks({ every_seconds: 900 }, "2026-03-01T10:07:00Z", 3)).toEqual(["2026-03-01T10:07", "2026-03-01T10:22", "2026-03-01T10:37"]);
  });

  test("counts all missed ticks as one", () => {
    expect(nextTick({ every_seconds: 3600 }, FLOW, at("2026-03-05T12:30:00Z"), at("2026-03-01T10:00:00Z"))).toBe(at("2026-03-05T13:00:00Z"));
  });

  test("moves on when the clock was set back", () => {
    expect(nextTick({ every_seconds: 60 }, FLOW, at("2026-03-01T09:00:00Z"), at("2026-03-01T10:00:00Z"))).toBe(at("2026-03-01T10:01:00Z"));
  });

  test("is always due in the future, in the rhythm of the tick before", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.nat(2_000_000_000), fc.nat(2_000_000_000), (seconds, previous, ahead) => {
      const now = previous * 1000 + ahead;
      const due = nextTick({ every_seconds: seconds }, FLOW, now, previous * 1000)!;
      expect(due).toBeGreaterThan(now);
      expect(due - now).toBeLessThanOrEqual(seconds * 1000);
      expect((due - previous * 1000) % (seconds * 1000)).toBe(0);
    }));
  });
});

describe("a cron", () => {
  const nightly: Schedule = { cron: "30 1 * * *", time_zone: "Europe/London" };

  test("fires once where the clocks go back and the time exists twice", () => {
    expect(ticks(nightly, "2026-10-24T12:00:00Z", 2)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
  });

  test("fires at the jump where the clocks go forward and the time does not exist", () => {
    expect(ticks(nightly, "2026-03-28T12:00:00Z", 2)).toEqual(["2026-03-29T01:00", "2026-03-30T00:30"]);
  });

  test("every 15 minutes is every 15 minutes in the hour that exists twice", () => {
    expect(ticks({ cron: "*/15 * * * *", time_zone: "Europe/London" }, "2026-10-25T00:40:00Z", 5))
      .toEqual(["2026-10-25T00:45", "2026-10-25T01:00", "2026-10-25T01:15", "2026-10-25T01:30", "2026-10-25T01:45"]);
  });

  test("does not fire a tick twice when the clock was set back", () => {
    const first = nextTick(nightly, FLOW, at("2026-06-01T00:00:00Z"))!;
    expect(nextTick(nightly, FLOW, first - 3_600_000, first)).toBe(first + 86_400_000);
  });

  test("that never fires is never due", () => expect(nextTick({ cron: "0 0 31 2 *", time_zone: "UTC" }, FLOW, 0)).toBeUndefined());
});

describe("jitter", () => {
  test("is the same every time, at most a tenth of the interval, never more than a minute", () => {
    fc.assert(fc.property(fc.string(), fc.integer({ min: 1000, max: 10_000_000 }), (flow, interval) => {
      expect(jitter(flow, interval)).toBe(jitter(flow, interval));
      expect(jitter(flow, interval)).toBeGreaterThanOrEqual(0);
      expect(jitter(flow, interval)).toBeLessThanOrEqual(Math.min(interval / 10, 60_000));
    }));
  });

  test("spreads the flows of one cron", () => {
    const due = new Set(Array.from({ length: 100 }, (_, i) => Math.floor(jitter(`tenant-${i}/learners`, 3_600_000) / 6000)));
    expect(due.size).toBe(10);
  });
});

test.each<[Schedule | undefined, string]>([
  [undefined, "by hand"], [{ every_seconds: 60 }, "every minute"], [{ every_seconds: 900 }, "every 15 minutes"], [{ every_seconds: 86_400 }, "every day"],
  [{ every_seconds: 5400 }, "every 90 minutes"], [{ cron: "0 7 * * 1", time_zone: "Europe/London" }, "at 0 7 * * 1 (Europe/London)"],
])("says %j as '%s'", (schedule, words) => expect(scheduleInWords(schedule)).toBe(words));
