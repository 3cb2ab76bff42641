/**
 * Text → tokens, one at a time, because what `/` begins depends on the parser: a regular expression where a value may start
 * (`infix` false), division after one. The flag, and with it every oddity of where a regular expression is allowed, follows
 * the reference exactly: an expression must not mean one thing here and another when it runs.
 *
 * Never throws: a problem is reported and the text at fault becomes a `bad` token, or a string with what could be decoded.
 */
import { syntaxProblem, type SyntaxProblem } from "./problem.ts";
import type { Token, TokenType, Trivia } from "./token.ts";

const SPACE = " \t\n\r\v";
const OPERATORS_OF_TWO = new Set(["..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??"]);
const OPERATORS_OF_ONE = new Set(".[]{}(),@#;:?+-*/%|=<>^&!~");
const KEYWORDS: Readonly<Record<string, { token: TokenType; value: string | boolean | null }>> = {
  and: { token: "operator", value: "and" }, or: { token: "operator", value: "or" }, in: { token: "operator", value: "in" },
  true: { token: "value", value: true }, false: { token: "value", value: false }, null: { token: "value", value: null },
};
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const NUMBER = /(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?/y;
const NAME_END = /[ \t\n\r\v.[\]{}(),@#;:?+\-*/%|=<>^&!~]/g;

export class Lexer {
  /** Where the next token is looked for. Set it back to read a token again under another `infix`. */
  offset = 0;
  private readonly text: string;
  private readonly report: (problem: SyntaxProblem) => void;

  constructor(text: string, report: (problem: SyntaxProblem) => void) {
    this.text = text;
    this.report = report;
  }

  next(infix: boolean): Token {
    const trivia = this.readTrivia();
    const start = this.offset;
    const [token, value] = this.readToken(infix);
    return { token, value, trivia, start, end: this.offset, text: this.text.slice(start, this.offset) };
  }

  private readTrivia(): Trivia[] {
    const { text } = this;
    const found: Trivia[] = [];
    for (;;) {
      const start = this.offset;
      if (text.startsWith("/*", start)) {
        const close = text.indexOf("*/", start + 2);
        this.offset = close < 0 ? text.length : close + 2;
        if (close < 0) this.report(syntaxProblem("S0106", start, { start, end: text.length }));
      } else {
        while (this.offset < text.length && SPACE.includes(text[this.offset]!)) this.offset++;
        if (this.offset === start) return found;
      }
      found.push({ trivia: text[start] === "/" ? "comment" : "space", text: text.slice(start, this.offset), start, end: this.offset });
    }
  }

  private readToken(infix: boolean): [TokenType, Token["value"]] {
    const { text, offset: start } = this;
    if (start >= text.length) return ["end", "(end)"];
    const first = text[start]!;
    if (first === "/" && !infix) return this.readRegex();
    const two = text.slice(start, start + 2);
    if (OPERATORS_OF_TWO.has(two)) {
      this.offset += 2;
      return ["operator", two];
    }
    if (OPERATORS_OF_ONE.has(first)) {
      this.offset += 1;
      if (first !== "!" && first !== "~") return ["operator", first];
      this.report(syntaxProblem("S0204", this.offset, { start, end: this.offset }, { token: first }));
      return ["bad", first];
    }
    if (first === '"' || first === "'") return ["string", this.readString(first)];
    if (first >= "0" && first <= "9") return this.readNumber();
    if (first === "`") return this.readQuotedName();
    NAME_END.lastIndex = start;
    this.offset = NAME_END.exec(text)?.index ?? text.length;
    const word = text.slice(start, this.offset);
    if (first === "$") return ["variable", word.slice(1)];
    const keyword = Object.hasOwn(KEYWORDS, word) ? KEYWORDS[word] : undefined;
    return keyword ? [keyword.token, keyword.value] : ["name", word];
  }

  /** After a wrong escape the rest of the text is still read, so that what follows the string can be parsed. */
  private readString(quote: string): string {
    const { text, offset: start } = this;
    let value = "";
    let at = start + 1;
    for (; at < text.length; at++) {
      const char = text[at]!;
      if (char === quote) {
        this.offset = at + 1;
        return value;
      }
      if (char !== "\\") {
        value += char;
        continue;
      }
      const escape = text[++at] ?? "";
      if (Object.hasOwn(ESCAPES, escape)) value += ESCAPES[escape];
      else if (escape === "u") {
        const digits = text.slice(at + 1, at + 5);
        if (/^[0-9a-fA-F]+$/.test(digits)) {
          value += String.fromCharCode(Number.parseInt(digits, 16));
          at += 4;
        } else this.report(syntaxProblem("S0104", at, { start: at - 1, end: Math.min(at + 1, text.length) }));
      } else this.report(syntaxProblem("S0103", at, { start: at - 1, end: Math.min(at + 1, text.length) }, { token: escape }));
    }
    this.offset = text.length;
    this.report(syntaxProblem("S0101", at, { start, end: text.length }));
    return value;
  }

  private readNumber(): [TokenType, Token["value"]] {
    const start = this.offset;
    NUMBER.lastIndex = start;
    const digits = NUMBER.exec(this.text)![0];
    this.offset += digits.length;
    const value = Number.parseFloat(digits);
    if (Number.isFinite(value)) return ["number", value];
    this.report(syntaxProblem("S0102", start, { start, end: this.offset }, { token: digits }));
    return ["bad", digits];
  }

  private readQuotedName(): [TokenType, Token["value"]] {
    const { text, offset: start } = this;
    const close = text.indexOf("`", start + 1);
    this.offset = close < 0 ? text.length : close + 1;
    if (close >= 0) return ["name", text.slice(start + 1, close)];
    this.report(syntaxProblem("S0105", text.length, { start, end: text.length }));
    return ["bad", text.slice(start + 1)];
  }

  /** The closing slash is one outside of all brackets and not escaped; brackets count even inside a character class, as in the reference. */
  private readRegex(): [TokenType, Token["value"]] {
    const { text, offset: start } = this;
    let depth = 0;
    for (let at = start + 1; at < text.length; at++) {
      const char = text[at]!;
      if (char === "/" && depth === 0 && !this.isEscaped(at)) return this.endRegex(start, at);
      if (text[at - 1] === "\\") continue;
      if ("([{".includes(char)) depth++;
      else if (")]}".includes(char)) depth--;
    }
    this.offset = text.length;
    this.report(syntaxProblem("S0302", text.length, { start, end: text.length }));
    return ["bad", text.slice(start)];
  }

  private endRegex(start: number, close: number): [TokenType, Token["value"]] {
    const { text } = this;
    const pattern = text.slice(start + 1, close);
    let end = close + 1;
    while (text[end] === "i" || text[end] === "m") end++;
    this.offset = end;
    if (pattern === "") {
      this.report(syntaxProblem("S0301", close, { start, end }));
      return ["bad", text.slice(start, end)];
    }
    try {
      return ["regex", String(new RegExp(pattern, text.slice(close + 1, end)))];
    } catch (thrown) {
      this.report(syntaxProblem("P0301", end, { start, end }, { value: (thrown as Error).message }));
      return ["bad", text.slice(start, end)];
    }
  }

  private isEscaped(at: number): boolean {
    let backslashes = 0;
    while (this.text[at - 1 - backslashes] === "\\") backslashes++;
    return backslashes % 2 === 1;
  }
}
