import { compileLinear } from "../linear-regex.ts";
import { fail } from "./failure.ts";
import { Fn } from "./values.ts";

/** A regular expression as a function from text to its first match; the match's `next` gives the one after it. */
export function regexFunction(literal: RegExp, position: number | undefined): Fn {
  const pattern = compileLinear(literal);
  const from = (text: string, index: number): unknown => {
    if (index > text.length) return undefined;
    const matcher = pattern.matcher(text);
    if (!matcher.find(index)) return undefined;
    const [start, end] = [matcher.start(), matcher.end()];
    const groups: (string | undefined)[] = [];
    for (let group = 1; group <= matcher.groupCount(); group++) groups.push(matcher.group(group) ?? undefined);
    const next = new Fn("next", 0, undefined, () => {
      if (end >= text.length) return undefined;
      const found = from(text, end) as { match: string } | undefined;
      if (found?.match === "") throw fail("D1004", { position, value: literal.source });
      return found;
    });
    return { match: text.slice(start, end), start, end, groups, next };
  };
  return new Fn("regex", 2, undefined, ([text, index]) => (text === undefined ? undefined : from(String(text), (index as number | undefined) ?? 0)));
}
