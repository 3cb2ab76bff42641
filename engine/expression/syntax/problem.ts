import type { Span } from "./token.ts";

/**
 * What keeps an expression from being one. The first problem of a parse is the one the reference throws: same `code`, same
 * `position` (the end of the offending token, as the reference counts). `start` and `end` are the range to underline.
 */
export interface SyntaxProblem extends Span {
  readonly code: SyntaxCode;
  readonly message: string;
  readonly position: number;
  /** The offending token's value, where the reference names one. */
  readonly token?: unknown;
  /** What was expected instead, or what the code's message inserts. */
  readonly value?: unknown;
}

/** Codes that start with S are the reference's. P codes are ours, for what the reference leaves to a bare JavaScript exception. */
const sentences = {
  S0101: "This text has no closing quote.",
  S0102: "{token} is too large for a number.",
  S0103: "'\\{token}' is no escape of a text; known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX.",
  S0104: "'\\u' needs four hexadecimal digits.",
  S0105: "This quoted name has no closing backtick.",
  S0106: "This comment has no closing '*/'.",
  S0201: "{token} is not expected here: the expression was complete before it.",
  S0202: "Expected {value}, not {token}.",
  S0203: "Expected {value} before the end.",
  S0204: "{token} is no operator.",
  S0206: "{token} is not an expression.",
  S0207: "The expression ends where a value is expected.",
  S0208: "Parameter {value} of a function must be a variable ($name), not {token}.",
  S0209: "A filter cannot follow a grouping.",
  S0210: "An expression can be grouped once.",
  S0211: "{token} cannot start a value.",
  S0212: "Only a variable ($name) can be assigned to, not {token}.",
  S0213: "The literal {value} cannot be a step of a path.",
  S0214: "'{token}' must be followed by a variable ($name).",
  S0215: "'@' must stand before the filters of its step.",
  S0216: "'@' must stand before the sort of its step.",
  S0217: "'%' has no parent here.",
  S0301: "An empty regular expression.",
  S0302: "This regular expression has no closing '/'.",
  S0401: "Only array (a) and function (f) types take a type parameter, not {value}.",
  S0402: "A choice with a parametrised type ({value}) is not supported in a signature.",
  P0001: "This expression is nested deeper than {value} levels.",
  P0301: "This is not a regular expression: {value}",
  P0401: "This signature cannot be checked: {value}",
} as const;

export type SyntaxCode = keyof typeof sentences;

export function syntaxProblem(code: SyntaxCode, position: number, range: Span, inserts: { token?: unknown; value?: unknown } = {}): SyntaxProblem {
  const message = sentences[code].replace(/\{(token|value)\}/g, (_, name: "token" | "value") => shown(code, name, inserts[name]));
  return { code, message, position, start: range.start, end: range.end, ...inserts };
}

const shown = (code: SyntaxCode, name: "token" | "value", value: unknown): string => {
  if (value === "(end)") return "the end";
  const bare = code === "S0103" || code === "S0214" || code === "S0102" || typeof value === "number" || code.startsWith("P") || (name === "value" && code === "S0402");
  return bare ? String(value) : `'${String(value)}'`;
};
