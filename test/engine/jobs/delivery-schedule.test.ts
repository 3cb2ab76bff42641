import { expect, test } from "vitest";
import { retryInSeconds } from "../../../engine/jobs/delivery-schedule.ts";

test("a delivery is tried ten times over three days, each wait a fifth shorter or longer by chance", () => {
  const at = (chance: number) => Array.from({ length: 11 }, (_, attempts) => retryInSeconds(attempts, undefined, () => chance));
  const schedule = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
  expect(at(0.5)).toEqual([...schedule, undefined]);
  expect([at(0), at(1)].map((waits) => waits.slice(0, 10).map((wait) => Math.round(wait!)))).toEqual([schedule.map((wait) => Math.round(wait * 0.8)), schedule.map((wait) => Math.round(wait * 1.2))]);
});

test("what the receiver asks for counts before the schedule, is never cut short, and does not go on for ever", () => {
  expect([retryInSeconds(1, 3600, () => 0), retryInSeconds(1, 3600, () => 1), retryInSeconds(9, 1, () => 0), retryInSeconds(10, 3600)]).toEqual([3600, 4320, 1, undefined]);
});
