import { isDeepStrictEqual } from "node:util";
import { compileExpression } from "../../engine/expression/index.ts";
import type { EvaluationLimits } from "../../engine/expression/index.ts";
import { parse, print } from "../../engine/expression/syntax/index.ts";
import type { CorpusCase } from "./corpus.ts";

export interface Outcome {
  readonly name: string;
  readonly group: string;
  readonly expression: string;
  /** What was wrong; absent: it passed. */
  readonly failure?: string;
}

/** What our LIMIT is called in the cases. U1001 is what the reference's own runner calls its limits of time and depth. */
const LIMIT_CODES: Readonly<Record<string, readonly string[]>> = { depth: ["D1011", "U1001"], time: ["D1012", "U1001"], sequence: ["D2014", "D2015"] };

/** Cases that say nothing may take ten seconds; the longest sequence in them is the longest the language allows. */
const LIMITS: EvaluationLimits = { milliseconds: 10_000, sequence: 10_000_000, output: 1_000_000_000 };

export async function runCase(one: CorpusCase, options: { readonly evalAllowed: boolean }): Promise<Outcome> {
  const { name, group, expression } = one;
  const failure = roundTrip(expression) ?? await evaluation(one, options);
  return { name, group, expression, ...(failure === undefined ? {} : { failure }) };
}

function roundTrip(expression: string): string | undefined {
  return print(parse(expression).tree) === expression ? undefined : "does not print back as it was";
}

async function evaluation({ expression, input, bindings, expected, unordered, timelimit, depth }: CorpusCase, { evalAllowed }: { readonly evalAllowed: boolean }): Promise<string | undefined> {
  const limits: EvaluationLimits = { ...LIMITS, ...(timelimit === undefined ? {} : { milliseconds: timelimit }), ...(depth === undefined ? {} : { openSteps: depth }) };
  let value: unknown;
  try {
    value = await compileExpression(expression, { evalAllowed, limits }).evaluate(input(), bindings);
  } catch (thrown) {
    const { code, limit } = (thrown as { problem?: { code: string; limit?: string } }).problem ?? { code: String(thrown) };
    const codes = code === "LIMIT" && limit !== undefined ? (LIMIT_CODES[limit] ?? []) : [code];
    if (expected.kind === "error" && codes.includes(expected.code)) return undefined;
    return `failed with ${codes.join("/")}, and ${sayExpected(expected)} was expected`;
  }
  if (expected.kind === "absent" && value === undefined) return undefined;
  if (expected.kind === "value" && (unordered ? sameItems(value, expected.value) : isDeepStrictEqual(value, expected.value))) return undefined;
  return `gave ${shown(value)}, and ${sayExpected(expected)} was expected`;
}

function sayExpected(expected: CorpusCase["expected"]): string {
  if (expected.kind === "absent") return "nothing";
  return expected.kind === "error" ? expected.code : shown(expected.value);
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 200);

function sameItems(actual: unknown, expected: unknown): boolean {
  if (!Array.isArray(actual) || !Array.isArray(expected)) return false;
  const sorted = (items: readonly unknown[]): string[] => items.map((item) => JSON.stringify(item)).sort();
  return isDeepStrictEqual(sorted(actual), sorted(expected));
}
