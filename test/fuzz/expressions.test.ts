import { expect, test } from "vitest";
import { fuzzExpressions } from "./run-expressions.ts";

test("hostile expressions end within their limits with a value or a code, and change nothing shared", { timeout: 120_000 }, async () => {
  const { failures, outcomes } = await fuzzExpressions(400, 20261121);
  expect(failures).toEqual([]);
  // The attacks reach what they are made for.
  for (const outcome of ["value", "LIMIT time", "LIMIT depth", "LIMIT sequence", "LIMIT output", "REGEX", "T0410", "S0211"]) expect(outcomes, outcome).toHaveProperty([outcome]);
});
