/**
 * Regular expressions in linear time for JSONata, in place of the native engine: a time limit cannot interrupt a native
 * match, and `(a+)+b` on forty characters takes longer than a day. Given up: look-around and back-references.
 */
import { RE2JS } from "re2js";

/** Compiled once per literal: JSONata makes a new engine object each time it meets the literal. */
const compiled = new WeakMap<RegExp, RE2JS>();

/** @throws RE2JSException when the pattern needs more than linear time (look-around, back-reference). */
export function compileLinear(literal: RegExp): RE2JS {
  let pattern = compiled.get(literal);
  if (pattern === undefined) {
    let flags = 0;
    if (literal.ignoreCase) flags |= RE2JS.CASE_INSENSITIVE;
    if (literal.multiline) flags |= RE2JS.MULTILINE;
    pattern = RE2JS.compile(RE2JS.translateRegExp(literal.source), flags);
    compiled.set(literal, pattern);
  }
  return pattern;
}

/** The part of RegExp that JSONata uses: `exec` with `lastIndex`. */
class LinearRegex {
  lastIndex = 0;
  readonly #pattern: RE2JS;

  constructor(literal: RegExp) {
    this.#pattern = compileLinear(literal);
  }

  exec(given: unknown): (string[] & { index: number }) | null {
    // As the native engine: the reference hands over whatever it was given.
    const text = String(given);
    if (this.lastIndex > text.length) return null;
    const matcher = this.#pattern.matcher(text);
    if (!matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    const match: (string | undefined)[] = [];
    for (let group = 0; group <= matcher.groupCount(); group++) match.push(matcher.group(group) ?? undefined);
    this.lastIndex = matcher.end();
    return Object.assign(match as string[], { index: matcher.start() });
  }
}

/** What `jsonata(text, { RegexEngine })` takes. */
export const RegexEngine = LinearRegex as unknown as RegExpConstructor;
