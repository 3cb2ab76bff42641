/**
 * Made expressions: every construct of the grammar, with odd spelling, spaces and comments; some broken on purpose, and some
 * that are only tokens in a row. The same seed makes the same expressions.
 */

/** mulberry32: small, seedable, good enough to choose branches. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const NAMES = ["a", "b", "Account", "Order", "and", "or", "in", "`odd name`", "naïve", "日本", "function", "x_1", "nullish", "trueish", "``"];
const VARIABLES = ["$", "$$", "$x", "$y", "$sum", "$map", "$string", "$exists", "$é"];
const STRINGS = ['""', "''", '"text"', "'it is'", '"\\u00e9\\n\\""', "'\\\\'", '"/*no comment*/"', '"🙂"'];
const NUMBERS = ["0", "1", "42", "3.14", "1e3", "2E-2", "10.50"];
const REGEXES = ["/a/", "/[a-z]+/i", "/a\\/b/m", "/(x|y){2}/im"];
const OPERATORS = ["+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "&", "and", "or", "in", "??", "?:", "~>"];
const SPACES = ["", "", "", " ", " ", "  ", "\t", "\n", "\r\n", "/*c*/", " /* two\nlines */ ", "\v"];
const SIGNATURES = ["", "", "", "<s:s>", "<a<n>-n?:s>", "<(sn)+>", "<s<n>>", "<f<s:o>>"];
const SOUP = [...OPERATORS, ".", "..", "[", "]", "{", "}", "(", ")", ",", ";", ":", ":=", "?", "@", "#", "^", "|", "**", "!", "~", "`", '"', "'", "\\", "/", "//", "/*", "*/", "1e999", '"\\q"', '"\\u12"', "true", "null", "λ", "function"];

export function* madeExpressions(seed: number): Generator<string, never> {
  const next = random(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
  const chance = (share: number): boolean => next() < share;
  const gap = (): string => pick(SPACES);
  const list = (least: number, most: number, make: () => string, between: string): string =>
    Array.from({ length: least + Math.floor(next() * (most - least + 1)) }, make).join(`${gap()}${between}${gap()}`);

  const simple = (): string => pick([NAMES, NAMES, VARIABLES, STRINGS, NUMBERS, ["true", "false", "null", "*", "**", "%"]].map(pick));
  const variable = (): string => pick(VARIABLES);
  const pairs = (depth: number): string => list(0, 3, () => `${made(depth)}${gap()}:${gap()}${chance(0.05) ? pick(REGEXES) : made(depth)}`, ",");

  const made = (depth: number): string => {
    if (depth <= 0) return simple();
    const sub = (): string => made(depth - 1 - Math.floor(next() * 2));
    const step = (): string => chance(0.6) ? pick(NAMES) : sub();
    const g = gap;
    switch (Math.floor(next() * 22)) {
      case 0: case 1: case 2: return list(2, 4, step, ".");
      case 3: case 4: return `${sub()}${g()} ${pick(OPERATORS)} ${g()}${sub()}`;
      case 5: return `${sub()}${g()}[${g()}${sub()}${g()}]`;
      case 6: return `${sub()}${g()}[${g()}]`;
      case 7: return `${sub()}${g()}{${g()}${pairs(depth - 2)}${g()}}`;
      case 8: return `{${g()}${pairs(depth - 1)}${g()}}`;
      case 9: return `[${g()}${list(0, 3, () => chance(0.2) ? `${sub()}${g()}..${g()}${sub()}` : sub(), ",")}${g()}]`;
      case 10: return `(${g()}${list(0, 3, sub, ";")}${chance(0.2) ? ";" : ""}${g()})`;
      case 11: return `${variable()}${g()}:=${g()}${sub()}`;
      case 12: return `${sub()}${g()}?${g()}${sub()}${chance(0.7) ? `${g()}:${g()}${sub()}` : ""}`;
      case 13: case 14: return `${chance(0.8) ? variable() : sub()}${g()}(${g()}${list(0, 3, () => chance(0.1) ? "?" : chance(0.05) ? pick(REGEXES) : sub(), ",")}${g()})`;
      case 15: return `${pick(["function", "λ"])}${g()}(${list(0, 2, variable, ",")})${g()}${pick(SIGNATURES)}${g()}{${g()}${sub()}${g()}}`;
      case 16: return `${sub()}${g()}^${g()}(${list(1, 3, () => `${pick(["", "<", ">"])}${g()}${sub()}`, ",")})`;
      case 17: return `${sub()}${g()}@${g()}${variable()}${chance(0.5) ? `.${sub()}` : ""}`;
      case 18: return `${sub()}${g()}#${g()}${variable()}${chance(0.5) ? `[${sub()}]` : ""}`;
      case 19: return `|${g()}${sub()}${g()}|${g()}${sub()}${g()}${chance(0.3) ? `,${g()}${sub()}` : ""}|`;
      case 20: return `-${g()}${sub()}`;
      default: return `${pick(NAMES)}${g()}.${g()}${pick(NAMES)}${g()}.%${g()}.${pick(NAMES)}`;
    }
  };

  const broken = (text: string): string => {
    const characters = [...text];
    for (let times = 1 + Math.floor(next() * 2); times > 0; times--) {
      const at = Math.floor(next() * (characters.length + 1));
      characters.splice(at, chance(0.5) ? 1 : 0, ...(chance(0.6) ? [pick(SOUP)] : []));
    }
    return characters.join("");
  };

  for (;;) {
    const kind = next();
    if (kind < 0.1) yield list(1, 12, () => chance(0.5) ? pick(SOUP) : simple(), "");
    else {
      const text = `${gap()}${made(1 + Math.floor(next() * 5))}${gap()}`;
      yield kind < 0.4 ? broken(text) : text;
    }
  }
}
