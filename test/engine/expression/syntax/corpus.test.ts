import { describe, expect, test } from "vitest";
import { parse } from "../../../../engine/expression/syntax/index.ts";
import { corpusBesideCheckout, readCorpus } from "../../../conformance/corpus.ts";
import { differenceFromReference } from "./against-reference.ts";

const folder = corpusBesideCheckout();
if (!folder) console.warn("SKIPPED: the JSONata corpus is not beside this checkout, so the parser is only checked against made expressions.");

describe.skipIf(!folder)("the reference's own cases", () => {
  const cases = folder ? readCorpus(folder) : [];

  test("all print back byte for byte and mean what the reference says, or fail with its code at its position", () => {
    expect(cases.length).toBeGreaterThanOrEqual(1_686);
    const differences = cases.flatMap(({ name, expression }) => {
      const difference = differenceFromReference(expression);
      return difference === undefined ? [] : [`${name}: ${difference}`];
    });
    expect(differences).toEqual([]);
  });

  test("every case that expects a syntax error gets its code, and the token where the case names one", () => {
    const wrong = cases.flatMap(({ name, expression, expected }) => {
      if (expected.kind !== "error" || !/^S0[2-4]|^S01/.test(expected.code)) return [];
      const [problem] = parse(expression).problems;
      const token = expected.token === undefined || problem?.token === expected.token;
      return problem?.code === expected.code && token ? [] : [`${name}: ${expected.code} ${String(expected.token)}, not ${problem?.code} ${String(problem?.token)}`];
    });
    expect(wrong).toEqual([]);
  });
});
