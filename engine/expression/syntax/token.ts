/**
 * Tokens of an expression. Every character of the source belongs to exactly one token: to its `text`, or to the spaces and
 * comments in front of it (`trivia`). Concatenating both over all tokens gives the source back.
 */
export interface Span {
  /** Offset of the first character (UTF-16 units, as JavaScript counts). */
  readonly start: number;
  /** Offset after the last character. */
  readonly end: number;
}

export interface Trivia extends Span {
  readonly trivia: "space" | "comment";
  readonly text: string;
}

/** `value` is true, false or null; `bad` is text that is no token at all; `end` is empty and carries what follows the last token. */
export type TokenType = "name" | "variable" | "string" | "number" | "value" | "regex" | "operator" | "bad" | "end";

export interface Token extends Span {
  readonly token: TokenType;
  readonly text: string;
  /** What the text means: the decoded string, the number, a name without backticks, a variable without `$`, the operator itself. */
  readonly value: string | number | boolean | null;
  readonly trivia: readonly Trivia[];
}
