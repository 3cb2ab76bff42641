/** Signatures of all functions an expression can call, read into what a call must be given and what it gives. */
import { library } from "../functions/index.ts";
import { ABSENT, BOOLEAN, NUMBER, STRING, SEVERAL, UNKNOWN, listOf, objectOf, union, type Alternative, type Type } from "./type.ts";

export interface Parameter {
  /** Alternatives the argument may have besides absence; all: anything. */
  readonly accepts: readonly Alternative[] | "all";
  /** A single value is taken as a list of one. */
  readonly asList: boolean;
  /** What the list must hold, where the function looks. */
  readonly items?: readonly Alternative[];
  readonly optional: boolean;
  /** Left out, the context is taken. */
  readonly context: boolean;
}

export interface Signature {
  readonly parameters: readonly Parameter[];
  readonly gives: Type;
  /** Gives something else each time. */
  readonly isRandom: boolean;
}

/**
 * The reference's functions. Source: docs.jsonata.org (function library, 2.2) for what they take and give, and embedding-extending
 * (function signature syntax) for the notation.
 */
const REFERENCE: Readonly<Record<string, string>> = {
  sum: "<a<n>:n>", count: "<a:n>", max: "<a<n>:n>", min: "<a<n>:n>", average: "<a<n>:n>", string: "<x-b?:s>", substring: "<s-nn?:s>", substringBefore: "<s-s:s>",
  substringAfter: "<s-s:s>", lowercase: "<s-:s>", uppercase: "<s-:s>", length: "<s-:n>", trim: "<s-:s>", pad: "<s-ns?:s>", match: "<s-fn?:a<o>>", contains: "<s-(sf):b>",
  replace: "<s-(sf)(sf)n?:s>", split: "<s-(sf)n?:a<s>>", join: "<a<s>s?:s>", formatNumber: "<n-so?:s>", formatBase: "<n-n?:s>", formatInteger: "<n-s:s>", parseInteger: "<s-s:n>",
  number: "<(nsb)-:n>", floor: "<n-:n>", ceil: "<n-:n>", round: "<n-n?:n>", abs: "<n-:n>", sqrt: "<n-:n>", power: "<n-n:n>", random: "<:n>", boolean: "<x-:b>", not: "<x-:b>",
  map: "<af:x>", zip: "<a+:x>", filter: "<af:x>", single: "<af?:x>", reduce: "<afj?:x>", sift: "<o-f?:x>", keys: "<x-:a<s>>", lookup: "<x-s:x>", append: "<xx:x>", exists: "<x:b>",
  spread: "<x-:x>", merge: "<a<o>:o>", reverse: "<a:a>", each: "<o-f:x>", error: "<s?:x>", assert: "<bs?:x>", type: "<x:s>", sort: "<af?:a>", shuffle: "<a:a>", distinct: "<x:x>",
  base64encode: "<s-:s>", base64decode: "<s-:s>", encodeUrlComponent: "<s-:s>", encodeUrl: "<s-:s>", decodeUrlComponent: "<s-:s>", decodeUrl: "<s-:s>", eval: "<sx?:x>",
  toMillis: "<s-s?:n>", fromMillis: "<n-s?s?:s>", clone: "<(oa)-:x>", now: "<s?s?:s>", millis: "<:n>",
};
const RANDOM = new Set(["random", "shuffle", "now", "millis"]);

const read = new Map<string, Signature>();

export function signatureOf(name: string): Signature | undefined {
  const known = read.get(name);
  if (known) return known;
  const own = Object.hasOwn(REFERENCE, name) ? REFERENCE[name] : undefined;
  const text = own ?? library[name]?.signature;
  if (text === undefined) return undefined;
  const signature = { ...parseSignature(text), isRandom: own === undefined ? library[name]!.nonDeterministic === true : RANDOM.has(name) };
  read.set(name, signature);
  return signature;
}

const SYMBOLS: Readonly<Record<string, Alternative>> = { s: "string", n: "number", b: "boolean", l: "null", o: "object", a: "array", f: "function" };

/** `<s-n?:s>`. Only the notations that our signatures use. */
function parseSignature(signature: string): Pick<Signature, "parameters" | "gives"> {
  const [, taken = "", given = "x"] = /^<([^:]*)(?::(.*))?>$/.exec(signature)!;
  const parameters: Parameter[] = [];
  for (const [, symbols, items, marks = ""] of taken.matchAll(/(\([a-z]+\)|[a-z])(<[^>]*>)?([-?+]*)/g)) {
    const letters = symbols!.replace(/[()]/g, "");
    const isList = letters === "a";
    parameters.push({
      accepts: letters === "x" ? "all" : letters === "j" ? ["string", "number", "boolean", "null", "object", "array"] : [...letters].map((letter) => SYMBOLS[letter]!),
      asList: isList, ...(items && isList ? { items: [SYMBOLS[items[1]!]!] } : {}), optional: marks.includes("?"), context: marks.includes("-"),
    });
  }
  return { parameters, gives: typeOfSymbol(given) };
}

function typeOfSymbol(symbols: string): Type {
  switch (symbols) {
    case "s": return STRING;
    case "n": return NUMBER;
    case "b": return BOOLEAN;
    case "o": return objectOf([], UNKNOWN);
    case "a": return listOf(UNKNOWN);
    case "a<s>": return union(listOf(STRING, SEVERAL), STRING, ABSENT);
    case "a<o>": return union(listOf(objectOf([], UNKNOWN), SEVERAL), objectOf([], UNKNOWN), ABSENT);
    default: return UNKNOWN;
  }
}
