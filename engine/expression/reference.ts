/** The reference implementation behind our limits: it parses for us, and is what our own evaluator is compared with. */
import jsonata from "jsonata";
import { ExpressionError } from "./expression-error.ts";
import { callLibrary, library } from "./functions/index.ts";
import { RegexEngine } from "./linear-regex.ts";
import type { EvaluationLimits, EvaluationProblem, ExpressionProblem } from "./types.ts";

export const DEFAULT_LIMITS = { milliseconds: 1000, depth: 200, sequence: 100_000, output: 10_000_000 } as const satisfies EvaluationLimits;

/**
 * The reference counts every evaluation that has begun and not ended, and it begins the members of a list or object together:
 * sixty ordinary fields look 300 deep to it. One call of ours is at most this many of its evaluations.
 */
const EVALUATIONS_PER_CALL = 250;

/** A node of the reference's tree; `type` says which members it has. */
export interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly position?: number;
  readonly [member: string]: unknown;
}

/** What the reference throws: a plain object. */
interface Thrown { code?: string; message?: string; position?: number; token?: unknown; value?: unknown; name?: string }

/** Characters an expression may have. Its parser takes time by the square of a path's length, and nothing can interrupt it. */
const LONGEST_TEXT = 20_000;

/** @throws ExpressionError when the text does not parse. */
export function parseReference(text: string): Node {
  if (text.length > LONGEST_TEXT) throw new ExpressionError({ code: "LIMIT", limit: "text", message: `An expression may have ${LONGEST_TEXT} characters; this one has ${text.length}.`, position: LONGEST_TEXT });
  try {
    return jsonata(text).ast() as unknown as Node;
  } catch (thrown) {
    throw new ExpressionError(syntaxProblem(thrown, text), thrown);
  }
}

export function syntaxProblem(thrown: unknown, text: string): ExpressionProblem {
  const { code = "S0500", message = "The expression does not parse.", position = 0, token } = thrown as Thrown;
  // The reference points behind the token it stumbled over.
  const length = typeof token === "string" && token !== "(end)" && text.slice(position - token.length, position) === token ? token.length : 1;
  return { code, message, position: Math.max(0, position - length), length };
}

/** `names`: the library functions it calls. Bindings never reach over the record: both are read by own property only. */
export function referenceEvaluator(text: string, names: readonly string[], limits: EvaluationLimits): (input: unknown, bindings: Readonly<Record<string, unknown>>) => Promise<unknown> {
  const { milliseconds, depth, sequence, openSteps = depth * EVALUATIONS_PER_CALL } = { ...DEFAULT_LIMITS, ...limits };
  const expression = jsonata(text, { timeout: milliseconds, stack: openSteps, sequence, RegexEngine });
  for (const name of names) {
    const fn = library[name];
    if (fn) expression.registerFunction(name, function (this: Focus, ...args) { return callLibrary(fn, { now: nowOf(this) }, args); }, fn.signature);
  }
  expression.registerFunction("millis", function (this: Focus) { return nowOf(this); }, "<:n>");
  expression.registerFunction("now", function (this: Focus, picture?: string, zone?: string) {
    return this.environment.lookup("fromMillis").implementation.call(this, nowOf(this), picture, zone);
  }, "<s?s?:s>");
  return (input, bindings) => {
    const { now, ...rest } = bindings;
    return expression.evaluate(input, typeof now === "number" ? { ...rest, [NOW]: now } : rest).catch((thrown: unknown) => { throw evaluationError(thrown); });
  };
}

/** No variable can be written with a space, so an expression cannot reach it. */
const NOW = "plugboard now";

interface Focus { environment: { lookup(name: string): any; timestamp: Date } }

/** The given instant; without one, the instant the evaluation began. */
const nowOf = (focus: Focus): number => focus.environment.lookup(NOW) ?? focus.environment.timestamp.getTime();

const LIMIT_OF: Readonly<Record<string, string>> = { D1011: "depth", D1012: "time", D2014: "sequence", D2015: "sequence" };

/** Any throw of an evaluation as our error; what was thrown may be a plain object, a RangeError, or already ours. */
export function evaluationError(thrown: unknown): ExpressionError {
  if (thrown instanceof ExpressionError) return thrown;
  const { code, message, position } = (thrown ?? {}) as Thrown;
  if (thrown instanceof RangeError) {
    const limit = /call stack/i.test(thrown.message) ? "depth" : "output";
    return new ExpressionError({ code: "LIMIT", limit, message: `The expression exceeded its ${limit} limit.` }, thrown);
  }
  const limit = code === undefined ? undefined : LIMIT_OF[code];
  const problem: EvaluationProblem = {
    code: limit ? "LIMIT" : code ?? "FAILED",
    message: message ?? String(thrown),
    ...(typeof position === "number" ? { position: Math.max(0, position - 1) } : {}),
    ...(limit ? { limit } : {}),
  };
  return new ExpressionError(problem, thrown);
}

/** Names of the reference's own functions. Source: docs.jsonata.org/string-functions and the pages beside it, 2.2. */
const FUNCTIONS = new Set((
  "sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match contains replace split join "
  + "formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power random boolean map zip filter single reduce sift keys "
  + "lookup append exists not spread merge reverse each error assert type sort shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl "
  + "decodeUrlComponent decodeUrl eval toMillis fromMillis clone now millis"
).split(" "));
export const isReferenceFunction = (name: string): boolean => FUNCTIONS.has(name);
