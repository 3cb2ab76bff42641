import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jitter, nextTick, scheduleInWords, type Schedule } from "../../../engine/jobs/schedule.ts";

const at = (text: string): number => Date.parse(text);
const slots = (schedule: Schedule, from: string, count: number): string[] => {
  const found: string[] = [];
  for (let now = at(from), previous: number | undefined; found.length < count; ) {
    const tick = nextTick(schedule, "acme/learners", now, previous)!;
    found.push(new Date(tick.slot).toISOString().slice(0, 16));
    [previous, now] = [tick.slot, tick.due];
  }
  return found;
};

describe("a flow that runs every so often", () => {
  test("begins now, and then keeps its own rhythm", () => {
    expect(slots({ every_seconds: 900 }, "2026-03-01T10:07:00Z", 3)).toEqual(["2026-03-01T10:07", "2026-03-01T10:22", "2026-03-01T10:37"]);
  });

  test("counts all missed ticks as one", () => {
    const tick = nextTick({ every_seconds: 3600 }, "f", at("2026-03-05T12:30:00Z"), at("2026-03-01T10:00:00Z"))!;
    expect(new Date(tick.slot).toISOString()).toBe("2026-03-05T13:00:00.000Z");
  });

  test("moves on when the clock was set back", () => {
    const tick = nextTick({ every_seconds: 60 }, "f", at("2026-03-01T09:00:00Z"), at("2026-03-01T10:00:00Z"))!;
    expect(new Date(tick.slot).toISOString()).toBe("2026-03-01T10:01:00.000Z");
  });

  test("always has its next slot in the future, on the grid of the slot before", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.nat(2_000_000_000), fc.nat(2_000_000_000), (seconds, previous, ahead) => {
      const now = previous * 1000 + ahead;
      const { slot, due } = nextTick({ every_seconds: seconds }, "f", now, previous * 1000)!;
      expect(slot).toBeGreaterThan(now);
      expect(slot - now).toBeLessThanOrEqual(seconds * 1000);
      expect((slot - previous * 1000) % (seconds * 1000)).toBe(0);
      expect(due).toBeGreaterThanOrEqual(slot);
    }));
  });
});

describe("a cron", () => {
  const nightly: Schedule = { cron: "30 1 * * *", time_zone: "Europe/London" };

  test("fires once where the clocks go back and the time exists twice", () => {
    expect(slots(nightly, "2026-10-24T12:00:00Z", 2)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
  });

  test("fires at the jump where the clocks go forward and the time does not exist", () => {
    expect(slots(nightly, "2026-03-28T12:00:00Z", 2)).toEqual(["2026-03-29T01:00", "2026-03-30T00:30"]);
  });

  test("every 15 minutes is every 15 minutes in the hour that exists twice", () => {
    expect(slots({ cron: "*/15 * * * *", time_zone: "Europe/London" }, "2026-10-25T00:40:00Z", 5))
      .toEqual(["2026-10-25T00:45", "2026-10-25T01:00", "2026-10-25T01:15", "2026-10-25T01:30", "2026-10-25T01:45"]);
  });

  test("that never fires has no next tick", () => {
    expect(nextTick({ cron: "0 0 31 2 *", time_zone: "UTC" }, "f", 0)).toBeUndefined();
  });
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
