/**
 * YAML's own errors in the words of who writes a manifest. Most of them come from an expression or template that YAML reads
 * as something else: `? :` and `{ }` as maps, `&` as an anchor, `@` and a backtick as reserved.
 */
import type { ErrorCode } from "../errors/catalog.ts";
import type { ErrorParams } from "../errors/plugboard-error.ts";

export interface YamlExplanation {
  readonly code: ErrorCode;
  readonly params: ErrorParams;
  /** Where it is, when not where the parser stopped. */
  readonly at?: number;
  readonly end?: number;
  /** The parser lost its way here: what it says of later lines follows from this. */
  readonly derails?: boolean;
}

const DERAILING = new Set(["BAD_INDENT", "MISSING_CHAR", "TAB_AS_INDENT", "MULTIPLE_DOCS", "MULTILINE_IMPLICIT_KEY", "KEY_OVER_1024_CHARS"]);

/** The same text where YAML reads nothing into it. */
function inBlock({ key, text, inFlow }: WrittenValue): string {
  return inFlow ? "Write the map over several lines, and the expression in a block: |" : `Write the expression in a block:\n  ${key}: |\n    ${text}`;
}

export function explainYaml(code: string, message: string, text: string, position: number): YamlExplanation {
  const lineStart = text.lastIndexOf("\n", position - 1) + 1;
  const lineEnd = text.indexOf("\n", position) === -1 ? text.length : text.indexOf("\n", position);
  const line = text.slice(lineStart, lineEnd);
  const value = valueOf(line);
  const trap = (detail: string, cure: string, at?: number, end?: number): YamlExplanation => ({ code: "MANIFEST_TRAP", params: { detail, cure }, ...(at === undefined ? {} : { at, end: end ?? at + 1 }) });
  const valueStart = lineStart + value.start;
  const valueEnd = lineStart + line.trimEnd().length;

  if (code === "NON_STRING_KEY" && text.startsWith("{", position) && text[position - 1] === "{") {
    const close = text.indexOf("}}", position);
    const template = text.slice(position - 1, close === -1 ? lineEnd : close + 2);
    return trap(`YAML reads ${template} as a map, not as a template.`, `Quote the template: "${quotedTemplate(line, position - 1 - lineStart)}"`, position - 1, position - 1 + template.length);
  }
  if (code === "BLOCK_AS_IMPLICIT_KEY" || code === "MULTILINE_IMPLICIT_KEY" && / \? .* : /.test(value.text)) {
    if (/\?.*:/.test(value.text)) return trap("YAML reads the ':' of this '? :' as the start of a nested map.", inBlock(value), valueStart, valueEnd);
    if (value.text.includes("{")) return trap("YAML reads this '{ … : … }' as the start of a nested map.", inBlock(value), valueStart, valueEnd);
    return { code: "MANIFEST_YAML", params: { detail: "a second ': ' on one line would start a nested map.", cure: `Quote the text: ${value.key}: ${JSON.stringify(value.text)}` }, at: valueStart, end: valueEnd };
  }
  if (code === "BAD_SCALAR_START") {
    const character = text[position] ?? "";
    return trap(`YAML reserves '${character}' at the start of a value.`, `Quote it: ${value.key}: '${value.text.replaceAll("'", "''")}'`, position, valueEnd);
  }
  const doubled = /^(''|"")([^'"]+)(''|"")$/.exec(value.text);
  if (code === "UNEXPECTED_TOKEN" && doubled) return trap("YAML reads two quotes as an empty text.", `A constant text has quotes of its own inside YAML's: ${value.key}: '"${doubled[2]!}"'`, valueStart, valueEnd);
  if (code === "UNEXPECTED_TOKEN" && /^(["']).*?\1\s*[&~<>=+\-*/?]/.test(value.text)) {
    return trap("YAML ends the text at its closing quote; the rest of this expression is left over.", `Quote the whole expression: ${value.key}: '${value.text.replaceAll("'", "''")}', or write it in a block: |`, valueStart, valueEnd);
  }
  if (code === "UNEXPECTED_TOKEN" && /\bflow-(seq|map)-start\b|double-quoted-scalar|single-quoted-scalar/.test(message) && /[[{("]/.test(line)) {
    return { ...trap("Inside { … } on one line, an expression cannot hold , [ ] { } or quotes.", "Quote the expression with single quotes, or write the map over several lines.", position), derails: true };
  }
  if (code === "UNEXPECTED_TOKEN" && /^[{[].*[}\]]/.test(value.text) && !value.text.startsWith("{{")) {
    return trap("YAML reads the { } or [ ] at the start of this expression as a map or list of its own.", inBlock(value), valueStart, valueEnd);
  }
  const plain = PLAIN[code];
  return { ...(DERAILING.has(code) ? { derails: true } : {}), code: "MANIFEST_YAML", params: plain ? { detail: plain[0], cure: plain[1] } : { detail: `${message[0]!.toLowerCase()}${message.slice(1)}.`, cure: "" } };
}

/** Parser code → what it means, what to do. */
const PLAIN: Readonly<Record<string, readonly [string, string]>> = {
  TAB_AS_INDENT: ["a tab is used for indentation.", "Indent with spaces."],
  DUPLICATE_KEY: ["this key is written twice in one map.", "Remove one of them."],
  BAD_INDENT: ["this line is indented unlike its neighbours.", "Keys of one map start in the same column; a { or [ ends with its } or ]."],
  MISSING_CHAR: ["a quote or bracket is opened and not closed.", "Close it on the same line, or escape the quote."],
  MULTIPLE_DOCS: ["'---' starts a second document; a manifest is one.", "Put it into a file of its own."],
  MULTILINE_IMPLICIT_KEY: ["a key and its ':' must stand on one line.", "Is a space missing after the ':'?"],
  NON_STRING_KEY: ["a key must be text.", "Quote it."],
  TAG_RESOLVE_FAILED: ["'!' starts a tag, and manifests have none.", "Quote the text."],
  UNEXPECTED_TOKEN: ["something is left over on this line.", "Quote the whole value, or write it in a block: |"],
  BAD_DQ_ESCAPE: ["\\ starts an escape in double quotes, and this one is not known.", "Use single quotes: '…'."],
  KEY_OVER_1024_CHARS: ["a key is longer than 1024 characters.", "Is a quote missing?"],
  BLOCK_IN_FLOW: ["a comma or a closing bracket is missing before this.", "Add it; inside { } and [ ], members are separated by commas."],
  BAD_ALIAS: ["'*' starts an alias, and manifests have none.", "Quote the expression: '*.id'."],
};

interface WrittenValue { readonly key: string; readonly text: string; readonly start: number; readonly inFlow: boolean }

/** The `key: value` of a line. */
function valueOf(line: string): WrittenValue {
  const match = /^(\s*(?:- )*)([^\s:#{}[\],"'][^:#{}[\],]*?):\s+(.*?)\s*$/.exec(line);
  if (!match) return { key: "key", text: line.trim(), start: line.length - line.trimStart().length, inFlow: /[{[]/.test(line) };
  return { key: match[2]!.trim(), text: match[3]!, start: line.indexOf(match[3]!, match[1]!.length + match[2]!.length + 1), inFlow: false };
}

/** The template and what follows it up to the end of the value. */
function quotedTemplate(line: string, start: number): string {
  const rest = line.slice(start);
  const inFlow = /[{[,]\s*[\w$.-]+:\s*$/.test(line.slice(0, start));
  const end = inFlow ? rest.indexOf("}}") + 2 : rest.search(/\s+#|\s*$/);
  return rest.slice(0, end <= 0 ? rest.length : end);
}
