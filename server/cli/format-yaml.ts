/**
 * Quotes what YAML would read as something else: expressions with `? :`, `{ }`, `[ ]` or a leading quote, templates without quotes,
 * texts that a comma cuts in two. Only quotes are put around values (and escapes into them): every other byte, comments and
 * layout included, stays. A change is kept only when YAML then reads the value exactly as it was written.
 */
import { isScalar, LineCounter, parseDocument, visit } from "yaml";
import { parse, walk } from "../../engine/expression/syntax/index.ts";

export interface FormatChange {
  /** From 1, in the text as it was. */
  readonly line: number;
  /** The value as it was written, and as it is written now. */
  readonly from: string;
  readonly to: string;
}

export interface Formatted {
  readonly text: string;
  readonly changes: readonly FormatChange[];
}

/** A value that YAML would not read as it stands. */
interface Hidden {
  readonly start: number;
  readonly end: number;
  /** What YAML must read once it is rewritten. */
  readonly value: string;
  /** How it is written, where quotes are not it. */
  readonly to?: string;
}

export function formatYaml(text: string): Formatted {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  const found = new Scanner(text).hidden().map((hidden) => ({ ...hidden, to: hidden.to ?? quoted(hidden.value) }));
  const kept = confirmed(text, found);
  return {
    text: spliced(text, kept),
    changes: kept.map(({ start, end, to }) => ({ line: lines.linePos(start).line, from: text.slice(start, end), to })),
  };
}

/** In single quotes nothing but the quote itself is special; in double quotes a text without quotes and backslashes reads better. */
export function quoted(value: string): string {
  return /'|\{\{/.test(value) && !/["\\]/.test(value) ? `"${value}"` : `'${value.replaceAll("'", "''")}'`;
}

interface Splice extends Hidden {
  readonly to: string;
}

/** Those that, all made together, YAML reads as the values they are meant to be. */
function confirmed(text: string, splices: readonly Splice[]): Splice[] {
  let kept = [...splices];
  for (;;) {
    const result = spliced(text, kept);
    const scalars = new Map<number, unknown>();
    const document = parseDocument(result, { logLevel: "silent", uniqueKeys: false });
    visit(document, { Scalar: (_key, node) => void (isScalar(node) && node.range && scalars.set(node.range[0], node.value)) });
    let grown = 0;
    const good = kept.filter(({ start, end, to, value }) => {
      const isRead = scalars.get(start + grown) === value;
      grown += to.length - (end - start);
      return isRead;
    });
    if (good.length === kept.length) return kept;
    kept = good;
  }
}

function spliced(text: string, splices: readonly Splice[]): string {
  let result = "";
  let at = 0;
  for (const { start, end, to } of splices) {
    result += text.slice(at, start) + to;
    at = end;
  }
  return result + text.slice(at);
}

/** `key:` at the start of a line, after any `- `. A key in quotes is one too. */
const KEY = /^([ ]*(?:- +)*)((?:"[^"\n]*"|'[^'\n]*'|[^\s:#{}[\],"'&*!|>%@`][^:#{}[\],\n]*?)):(?=\s|$|\{\{)/;

/** Reads lines as people write them, not as YAML does: a value goes from its key to the end of the line, or of its comma. */
class Scanner {
  private readonly text: string;
  private readonly found: Hidden[] = [];

  constructor(text: string) {
    this.text = text;
  }

  hidden(): Hidden[] {
    const { text } = this;
    for (let at = 0; at < text.length;) at = this.line(at);
    return this.found.toSorted((left, right) => left.start - right.start);
  }

  /** One line, or all lines of a block or of a flow map; gives where the next one starts. */
  private line(start: number): number {
    const end = this.lineEnd(start);
    const next = Math.min(end + 1, this.text.length);
    const line = this.text.slice(start, end);
    const key = KEY.exec(line);
    const isKey = key !== null && !/\s\?\s/.test(key[2]!);        // `- a ? b : c` has no key
    const before = isKey ? key[0].length : /^[ ]*(?:- +|(?=[{[]))/.exec(line)?.[0].length;
    if (before === undefined) return Math.max(next, start + 1);
    const valueStart = start + before + line.slice(before).search(/\S|$/);
    const first = this.text[valueStart];
    if (valueStart >= end || first === "#") return Math.max(next, start + 1);
    if (/^[|>][-+\d]*\s*(#.*)?$/.test(this.text.slice(valueStart, end))) return this.afterBlock(end, indentOf(line));
    if ((first === "{" && this.text[valueStart + 1] !== "{") || first === "[") {
      const close = this.flow(valueStart);
      if (close !== undefined && /^[ \t]*(#.*)?$/.test(this.text.slice(close, this.lineEnd(close)))) return Math.max(this.lineEnd(close) + 1, start + 1);
    }
    this.block(valueStart, end, isKey ? indentOf(line) : undefined);
    return Math.max(next, start + 1);
  }

  /** The value of a line in block style. `indent`: of its key; a value with both kinds of quotes is then written below it, as it is. */
  private block(start: number, lineEnd: number, indent: number | undefined): void {
    const raw = this.text.slice(start, lineEnd);
    const quotedEnd = closingQuote(raw);
    if (quotedEnd !== undefined && /^\s*(#.*)?$/.test(raw.slice(quotedEnd))) return;
    if (quotedEnd === undefined && /^["']/.test(raw) && !/["']/.test(raw.slice(1))) return;      // goes on in the next line
    const value = withoutComment(raw);
    if (value === "" || !isHidden(value)) return;
    if (indent === undefined || !/'/.test(value) || !/["\\]/.test(value)) this.found.push({ start, end: start + value.length, value });
    else {
      const newline = this.text[lineEnd] === "\r" ? "\r\n" : "\n";
      const isLast = lineEnd >= this.text.length;
      this.found.push({ start, end: lineEnd, value: isLast ? value : `${value}\n`, to: `|${raw.slice(value.length)}${newline}${" ".repeat(indent + 2)}${value}` });
    }
  }

  /** A map or list in braces. Gives where it ends; undefined: it does not, or is none. */
  private flow(start: number): number | undefined {
    const { text } = this;
    const close = text[start] === "{" ? "}" : "]";
    const found = this.found.length;
    let at = start + 1;
    let last: { start: number; end: number } | undefined;        // the plain value before a comma
    for (;;) {
      at = this.skipSpace(at);
      if (at >= text.length) break;
      if (text[at] === close) return at + 1;
      if (text[at] === ",") {
        at++;
        continue;
      }
      let valueStart = at;
      if (close === "}") {
        const key = /^(?:"[^"\n]*"|'[^'\n]*'|[^\s:#{}[\],"'][^:#{}[\],\n]*?)\s*:(?=[\s{["'])\s*/.exec(text.slice(at, at + 400));
        const orphan = key ? undefined : /^[^\s:#{}[\],"'][^:{}[\],\n]*(?=[,}])/.exec(text.slice(at, at + 400))?.[0].trimEnd();
        if (orphan !== undefined && last && isProse(orphan, text.slice(last.start, last.end))) {        // `{ say: No scope, ask an admin. }`
          last.end = at + orphan.length;
          this.replaceLast(last);
          at = last.end;
          continue;
        }
        if (!key) break;
        valueStart = at + key[0].length;
      }
      if ((text[valueStart] === "{" && text[valueStart + 1] !== "{") || text[valueStart] === "[") {
        const before = this.found.length;
        const inner = this.flow(valueStart);
        if (inner !== undefined && /^\s*([,\]}#]|$)/.test(text.slice(inner, inner + 400))) {
          at = inner;
          last = undefined;
          continue;
        }
        this.found.length = before;                                // `{ k: { "a": b }.a }` is no map
        const whole = this.flowValueEnd(valueStart);
        if (whole === undefined || !isExpression(text.slice(valueStart, whole))) break;
      }
      const end = this.flowValueEnd(valueStart);
      if (end === undefined) break;
      const value = withoutComment(text.slice(valueStart, end));
      const quotedEnd = closingQuote(value);
      last = undefined;
      if (quotedEnd === undefined || quotedEnd < value.length) {
        last = { start: valueStart, end: valueStart + value.length };
        if (value !== "" && isHiddenInFlow(value)) this.found.push({ ...last, value });
      }
      at = valueStart + value.length;
    }
    this.found.length = found;
    return undefined;
  }

  private replaceLast(value: { start: number; end: number }): void {
    if (this.found.at(-1)?.start === value.start) this.found.pop();
    this.found.push({ ...value, value: this.text.slice(value.start, value.end) });
  }

  /** Where a value in braces ends: at the comma or bracket that is outside its own brackets and quotes. */
  private flowValueEnd(start: number): number | undefined {
    const { text } = this;
    const open: string[] = [];
    for (let at = start; at < text.length; at++) {
      const char = text[at]!;
      if (char === "\n" && open.length === 0) return at;
      if ((char === '"' || char === "'" || char === "`") && !/[\w]/.test(text[at - 1] ?? "")) {
        const close = text.indexOf(char, at + 1);
        if (close < 0 || text.slice(at, close).includes("\n")) return undefined;
        at = close;
      } else if ("([{".includes(char)) open.push(char);
      else if (")]}".includes(char)) {
        if (open.length === 0) return char === ")" ? undefined : at;
        open.pop();
      } else if (char === "," && open.length === 0) return at;
    }
    return undefined;
  }

  private skipSpace(start: number): number {
    const { text } = this;
    let at = start;
    for (;;) {
      while (at < text.length && /\s/.test(text[at]!)) at++;
      if (text[at] !== "#" || !/\s/.test(text[at - 1] ?? " ")) return at;
      at = this.lineEnd(at);
    }
  }

  /** After `key: |`: the lines that are deeper than the key are its text. */
  private afterBlock(headerEnd: number, indent: number): number {
    let at = Math.min(headerEnd + 1, this.text.length);
    while (at < this.text.length) {
      const end = this.lineEnd(at);
      const line = this.text.slice(at, end);
      if (line.trim() !== "" && indentOf(line) <= indent) break;
      at = Math.min(end + 1, this.text.length);
      if (end >= this.text.length) break;
    }
    return Math.max(at, headerEnd + 1);
  }

  private lineEnd(start: number): number {
    const end = this.text.indexOf("\n", start);
    if (end < 0) return this.text.length;
    return this.text[end - 1] === "\r" && end > start ? end - 1 : end;
  }
}

/** Whether a value and what follows its comma are one sentence: no key has spaces, and an expression before it would be whole. */
const isProse = (orphan: string, before: string): boolean => orphan.includes(" ") || (before.includes(" ") && !isExpression(before));

/** The indent of a key, of which the dashes before it are a part. */
const indentOf = (line: string): number => /^[ ]*(?:- +)*/.exec(line)![0].length;

/** Where a text in quotes ends; undefined: it is not in quotes, or they do not close. */
function closingQuote(raw: string): number | undefined {
  const match = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(raw);
  return match?.[0].length;
}

/** Up to a comment: ` # words`. ` #$i` belongs to the expression before it, if the two make one, and so does a hash in its quotes. */
function withoutComment(raw: string): string {
  let firstInQuotes: number | undefined;
  for (const { index } of [...raw.matchAll(/\s#/g), { index: raw.length }]) {
    if (/^\s#\$[A-Za-z_]\w*/.test(raw.slice(index)) && bindsPosition(withoutComment(`${raw.slice(0, index)}  ${raw.slice(index + 2)}`), raw, index)) continue;
    if (isInsideQuotes(raw, index)) {
      firstInQuotes ??= index;
      continue;
    }
    const value = raw.slice(0, index).trimEnd();
    return firstInQuotes === undefined || isExpression(value) ? value : raw.slice(0, firstInQuotes).trimEnd();
  }
  return raw.slice(0, firstInQuotes).trimEnd();
}

/** Whether the text with `#$i` in it is an expression that binds a position there. */
function bindsPosition(masked: string, raw: string, at: number): boolean {
  const text = raw.slice(0, masked.length).trimEnd();
  const { tree, problems } = parse(text);
  let binds = false;
  walk(tree.root, (node) => void (node.kind === "index" && node.position === at + 2 && (binds = true)));
  return problems.length === 0 && binds;
}

function isInsideQuotes(raw: string, at: number): boolean {
  let open: string | undefined;
  for (const char of raw.slice(0, at)) {
    if (open === undefined && (char === '"' || char === "'")) open = char;
    else if (char === open) open = undefined;
  }
  return open !== undefined;
}

const isExpression = (text: string): boolean => parse(text.replace(/^=/, "")).problems.length === 0;

/** Whether YAML reads such a value of a line as something else than the text it is. */
function isHidden(value: string): boolean {
  if (value.startsWith("{{")) return true;
  if (/^["']/.test(value)) return isExpression(value);
  if (/^[`@%]/.test(value) || /^\*\*?[.[]/.test(value)) return true;
  if (/^[{[]/.test(value)) return isExpression(value) && parseDocument(value, { logLevel: "silent" }).errors.length > 0;
  if (/^[&!|>]/.test(value)) return false;
  if (/:(\s|$)/.test(value)) return !/^[\w.-]+:(\s|$)/.test(value) || isExpression(value);
  return /\s#/.test(value);
}

/** Whether YAML reads such a value inside braces as something else. */
function isHiddenInFlow(value: string): boolean {
  if (/^["']/.test(value)) return isExpression(value);
  if (/^[{[]/.test(value)) return true;
  return /[[\]{},]/.test(value) || /:(\s|$)/.test(value) || /\s#/.test(value) || /^[`@%*&!|>]/.test(value);
}
