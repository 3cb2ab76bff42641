/** Failures of an evaluation: the reference's codes, our sentences. */
import { ExpressionError } from "../expression-error.ts";

export interface FailureDetails {
  /** The reference counts to behind the token; problems count to its beginning. */
  position?: number | undefined;
  token?: string | undefined;
  value?: unknown;
  value2?: unknown;
  index?: number | undefined;
  type?: string | undefined;
  message?: string | undefined;
  [more: string]: unknown;
}

/** What the reference's functions throw, and we throw on their behalf until the place is known. */
export interface Failure extends FailureDetails { code: string }

export const fail = (code: string, details: FailureDetails = {}): Failure => ({ code, ...details });

/** Adds the place to a failure that has none: the innermost call is where the reader should look. */
export function locate(thrown: unknown, position: number | undefined, token: string): unknown {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && !(thrown instanceof Error)) {
    const failure = thrown as Failure;
    failure.position ??= position;
    failure.token ??= token;
  } else if (thrown instanceof Error && !(thrown instanceof ExpressionError)) {
    const { code } = thrown as { code?: unknown };
    if (typeof code === "string" && thrown.name === "LibraryError") return fail(code, { message: thrown.message, position, token });
  }
  return thrown;
}

const LIMIT_OF: Readonly<Record<string, string>> = { D1011: "depth", D1012: "time", D2014: "sequence", D2015: "sequence", D2016: "output" };

/** Any throw as our error; `cause` keeps the reference's code. */
export function errorOf(thrown: unknown): ExpressionError {
  if (thrown instanceof ExpressionError) return thrown;
  if (thrown instanceof RangeError) {
    const limit = /call stack/i.test(thrown.message) ? "depth" : "output";
    return new ExpressionError({ code: "LIMIT", limit, message: `The expression exceeded its ${limit} limit.` }, { code: limit === "depth" ? "D1011" : "D2016" });
  }
  if (typeof thrown !== "object" || thrown === null || typeof (thrown as Failure).code !== "string") {
    return new ExpressionError({ code: "FAILED", message: thrown instanceof Error ? thrown.message : String(thrown) }, thrown);
  }
  const failure = thrown as Failure;
  const limit = LIMIT_OF[failure.code];
  return new ExpressionError({
    code: limit ? "LIMIT" : failure.code,
    message: failure.message && !(failure.code in MESSAGES) ? failure.message : sentence(failure),
    ...(typeof failure.position === "number" ? { position: Math.max(0, failure.position - 1) } : {}),
    ...(limit ? { limit } : {}),
  }, thrown);
}

function sentence(failure: Failure): string {
  const message = MESSAGES[failure.code];
  if (message === undefined) return failure.message ?? `The evaluation failed with ${failure.code}.`;
  return message.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const part = failure[name];
    return name === "token" || name === "message" || name === "type" ? String(part ?? "the function") : show(part);
  });
}

/** A value in a sentence: short, and never a whole record. */
function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? `a list of ${value.length}` : "_jsonata_function" in value ? "a function" : "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

const MESSAGES: Readonly<Record<string, string>> = {
  D1001: "The number {value} is out of range.",
  D1002: "Only a number can be negated, not {value}.",
  D1004: "The regular expression matches an empty text, so it would match for ever.",
  D1009: "Two keys of the object give the same name {value}.",
  D1011: "The functions call each other deeper than {value} calls; the recursion does not end.",
  D1012: "The expression took longer than {value} ms.",
  D1013: "The name {value} is reserved.",
  D2014: "The range has {value} items; it may have at most ten million.",
  D2015: "A list grew beyond {value} items.",
  D2016: "A text grew beyond {value} characters.",
  D3001: "{token} cannot write this number as text: it is out of range.",
  D3010: "The pattern of $replace is empty.",
  D3011: "The limit of $replace is negative.",
  D3012: "The replacement of $replace must be text, not {value}.",
  D3020: "The limit of $split is negative.",
  D3030: "{value} cannot be read as a number.",
  D3040: "The limit of $match is negative.",
  D3050: "The function of $reduce needs at least two arguments.",
  D3060: "The square root of {value} is no number.",
  D3061: "The power of {value} is out of range.",
  D3070: "$sort needs a function to compare anything but numbers or texts.",
  D3100: "The base of $formatBase must lie between 2 and 36, not {value}.",
  D3110: "{value} is not a date in ISO 8601.",
  D3120: "The text given to $eval does not parse: {value}",
  D3121: "The text given to $eval failed: {value}",
  D3138: "$single found more than one match.",
  D3139: "$single found no match.",
  D3140: "{value} is not an address that can be decoded.",
  T0410: "Argument {index} of ${token} has the wrong type: it is {value}.",
  T0411: "The context is not what ${token} takes as its argument {index}.",
  T0412: "Argument {index} of ${token} must be a list of {type}s.",
  T0413: "An argument of ${token} is missing, or not what it takes.",
  T1003: "A key of an object must be text, not {value}.",
  T1005: "{token} is not a function; did you mean ${token}?",
  T1006: "This is not a function.",
  T1007: "{token} is not a function to apply; did you mean ${token}?",
  T1008: "Only a function can be applied.",
  T1010: "The matcher must give an object of match, start, end, groups and next.",
  T2001: "The left side of {token} must be a number, not {value}.",
  T2002: "The right side of {token} must be a number, not {value}.",
  T2003: "The left side of .. must be a whole number, not {value}.",
  T2004: "The right side of .. must be a whole number, not {value}.",
  T2006: "The right side of ~> must be a function, not {value}.",
  T2007: "Texts and numbers cannot be sorted together: {value} and {value2}.",
  T2008: "Only texts and numbers can be sorted, not {value}.",
  T2009: "{value} and {value2} are of different types, so {token} cannot compare them.",
  T2010: "{token} compares numbers or texts, not {value}.",
  T2011: "The update of a transform must be an object, not {value}.",
  T2012: "The deletion of a transform must be a name or a list of names, not {value}.",
  T2015: "The parser lost this regular expression; put it into a variable first.",
  T2014: "A transform changes objects, and its pattern found {value}.",
  T2013: "A transform needs $clone to be a function.",
};
