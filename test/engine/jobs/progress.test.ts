import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createProgressBoard, type RunProgress } from "../../../engine/jobs/progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const counters = { read: 0, created: 0, updated: 0, unchanged: 0, superseded: 0, deleted: 0, filtered: 0, quarantined: 0, swept: 0, pages: 0, requests: 0, retries: 0, bytes: 0 };
const report = (read: number): RunProgress => ({ tenant: "acme", run: "r1", flow: "people", progress: { counters: { ...counters, read } } });
const twoProcesses = () => {
  const sent: string[] = [];
  const [there, here] = [createProgressBoard(async () => undefined), createProgressBoard(async (_, payload) => { sent.push(payload); there.hear(payload); here.hear(payload); })];
  const seen = { here: [] as number[], there: [] as number[] };
  here.watch(({ progress }) => seen.here.push(progress?.counters.read ?? -1));
  there.watch(({ progress }) => seen.there.push(progress?.counters.read ?? -1));
  return { here, sent, seen };
};

test("this process sees every report at once and once; the others the newest, twice a second", () => {
  const { here, sent, seen } = twoProcesses();
  for (let read = 1; read <= 100; read++) here.report(report(read));
  expect([seen.here.length, seen.there]).toEqual([100, []]);
  vi.advanceTimersByTime(500);
  expect([seen.here.length, seen.there, sent.length]).toEqual([100, [100], 1]);
  here.report(report(101));
  vi.advanceTimersByTime(499);
  expect(sent.length).toBe(1);
  vi.advanceTimersByTime(1);
  expect(seen.there).toEqual([100, 101]);
});

test("a report says numbers and names, and fits a notification", () => {
  const { here, sent } = twoProcesses();
  here.report({ tenant: "acme", run: "r1", flow: "people", status: "succeeded", counters });
  vi.advanceTimersByTime(500);
  expect(Buffer.byteLength(sent[0]!)).toBeLessThan(8000);   // the most PostgreSQL takes
});

test("a notification that cannot be sent, or says nothing, is no trouble", async () => {
  const board = createProgressBoard(async () => { throw new Error("away"); });
  board.report(report(1));
  await vi.advanceTimersByTimeAsync(500);
  const seen: unknown[] = [];
  board.watch((progress) => seen.push(progress));
  board.hear("not JSON");
  expect(seen).toEqual([]);
});
