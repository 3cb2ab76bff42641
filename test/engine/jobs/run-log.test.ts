import { expect, test } from "vitest";
import { createRunLog, type TimedLine } from "../../../engine/jobs/run-log.ts";

const line = (message: string) => ({ level: "info", event: "page", message }) as const;
const recorder = (failures = 0) => {
  const written: TimedLine[][] = [];
  const errors: Error[] = [];
  const log = createRunLog({
    async append(lines) { if (failures-- > 0) throw new Error("away"); written.push([...lines]); },
    onError: (cause) => errors.push(cause), now: () => Date.parse("2026-03-01T09:00:00Z"),
  });
  return { log, written, errors };
};

test("writes lines in order and in batches", async () => {
  const { log, written } = recorder();
  for (let i = 0; i < 450; i++) log.write(line(String(i)));
  await log.close();
  expect(written.length).toBeLessThanOrEqual(4);
  expect(written.flat().map(({ message }) => Number(message))).toEqual(Array.from({ length: 450 }, (_, i) => i));
  expect(written[0]![0]!.at).toBe(Date.parse("2026-03-01T09:00:00Z"));
});

test("keeps what could not be written, and tries again", async () => {
  const { log, written, errors } = recorder(1);
  log.write(line("a"));
  await log.close();
  expect([written, errors.length]).toEqual([[], 1]);
  log.write(line("b"));
  await log.close();
  expect(written.flat().map(({ message }) => message)).toEqual(["a", "b"]);
});

test("says how many lines were dropped while the database was away", async () => {
  const { log, written } = recorder();
  for (let i = 0; i < 5010; i++) log.write(line(String(i)));
  await log.close();
  const lines = written.flat();
  expect(lines.length).toBe(5001);
  expect(lines.at(-1)!.message).toContain("10 lines were dropped");
});
