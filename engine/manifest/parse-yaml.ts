/**
 * One YAML file: its plain value, where each part of it stands, and what is wrong with it. Never throws on input. Aliases,
 * anchors, tags and merge keys are refused: a manifest is read by people, and means what stands there.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair, type Scalar, type YAMLError } from "yaml";
import type { ErrorParams, Location, Problem } from "../errors/plugboard-error.ts";
import type { ErrorCode } from "../errors/catalog.ts";
import type { Json } from "./types.ts";
import { explainJson } from "./explain-json.ts";
import { explainYaml } from "./explain-yaml.ts";

/** Characters of one file; a manifest is written by people. */
const MAX_LENGTH = 1024 * 1024;
/** Levels of nesting. */
const MAX_DEPTH = 64;
/** Control characters, and what stands for bytes that are not UTF-8. */
const NOT_TEXT = /(?![\t\n\r])[\p{Cc}\uFFFD]/u;
/** Problems of syntax told per file. */
const MAX_SYNTAX_PROBLEMS = 5;

export interface ParsedYaml {
  readonly value: Json | undefined;
  readonly problems: readonly Problem[];
  locate(pointer: string, part?: "key" | "value", offset?: number): Location;
  /** The comment that directly follows a scalar on its line, without `#`. */
  commentAfter(pointer: string): string | undefined;
  /** Whether the value is a text written without quotes or block, on one line. */
  isPlain(pointer: string): boolean;
  /** Whether the value is a text in quotes. */
  isQuoted(pointer: string): boolean;
}

export function parseYaml(text: string, file: string): ParsedYaml {
  const lines = new LineCounter();
  const place = (start: number, end = start + 1): Location => {
    const { line, col } = lines.linePos(Math.min(start, text.length));
    const lineEnd = text.indexOf("\n", start);
    return { file, line: Math.max(1, line), col: Math.max(1, col), length: Math.max(1, Math.min(end, lineEnd === -1 ? text.length : lineEnd) - start) };
  };
  const problems: Problem[] = [];
  const problem = (code: ErrorCode, params: ErrorParams, at: Location) => void problems.push({ code, severity: "error", params, at });
  const refuse = (detail: string, cure: string, at: Location) => problem("MANIFEST_YAML", { detail, cure }, at);
  const nothing = (): ParsedYaml => ({ value: undefined, problems, locate: () => ({ file, line: 1, col: 1 }), commentAfter: () => undefined, isPlain: () => false, isQuoted: () => false });

  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  if (text.length > MAX_LENGTH) { refuse(`the file is larger than ${MAX_LENGTH / 1024} KiB.`, "Split it, or keep data elsewhere.", { file, line: 1, col: 1 }); return nothing(); }
  const odd = NOT_TEXT.exec(text);
  if (odd) { refuse(`it holds a character that is not text (U+${odd[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}).`, "Save the file as UTF-8, and remove the character.", place(odd.index)); return nothing(); }

  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, { version: "1.2", schema: "core", merge: false, uniqueKeys: true, stringKeys: true, prettyErrors: false, logLevel: "error", keepSourceTokens: true });
  } catch (thrown) {
    refuse(thrown instanceof RangeError ? `it is nested deeper than ${MAX_DEPTH} levels.` : String(thrown), "Write it flatter.", { file, line: 1, col: 1 });
    return nothing();
  }

  const told = new Set<number>();
  for (const error of ([...document.errors, ...document.warnings] as YAMLError[]).toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const at = place(error.pos[0], error.pos[1]);
    if (told.has(at.line) || told.size >= MAX_SYNTAX_PROBLEMS) continue;
    told.add(at.line);
    const json = file.endsWith(".json") && error.code !== "DUPLICATE_KEY" ? explainJson(text, error.pos[0]) : undefined;
    if (json) { problem("MANIFEST_JSON", json.params, place(json.at)); break; }
    const found = explainYaml(error.code, error.message, text, error.pos[0]);
    problem(found.code, found.params, found.at === undefined ? at : place(found.at, found.end));
    if (found.derails) break;
  }

  const anchors = new Set<string>();
  const value = toJson(document.contents, 0);
  return {
    value: problems.length > 0 ? undefined : value,
    problems,
    locate,
    commentAfter: (pointer) => commentOf(find(pointer).node),
    isPlain: (pointer) => typeOf(pointer) === "PLAIN",
    isQuoted: (pointer) => typeOf(pointer)?.startsWith("QUOTE") === true,
  };

  function typeOf(pointer: string): string | undefined {
    const { node, exact } = find(pointer);
    return exact && isScalar(node) ? node.type : undefined;
  }

  function toJson(node: unknown, depth: number): Json {
    if (depth > MAX_DEPTH) { refuse(`it is nested deeper than ${MAX_DEPTH} levels.`, "Write it flatter.", placeOf(node)); return null; }
    if (isAlias(node)) {
      // Told at its anchor.
      if (anchors.has(node.source)) return null;
      refuse(`'*${node.source}' would be an alias, and manifests have none.`, "If it is an expression, quote it ('*.id'), or write it in a block: |; to reuse a part, use a fragment.", placeOf(node));
      return null;
    }
    if (isMap(node)) {
      refuseAnchor(node, "To reuse a part, use a fragment; if it is text, quote it.");
      const entries = node.items.map(({ key, value: member }) => {
        const name = isScalar(key) ? String(key.value) : String(key);
        if (isAlias(key)) refuse("a key cannot be an alias.", "Quote the key.", placeOf(key));
        if (name === "__proto__") refuse("'__proto__' cannot be a key.", "Rename it.", placeOf(key));
        if (name === "<<" && !(isAlias(member) && anchors.has(member.source))) refuse("'<<' (merge) is not part of YAML 1.2.", "Use a fragment: `use: name`.", placeOf(key));
        return [name, toJson(member, depth + 1)] as const;
      });
      return Object.fromEntries(entries.filter(([name]) => name !== "__proto__"));
    }
    if (isSeq(node)) refuseAnchor(node, "Write the list where it is needed; if it is text, quote it.");
    if (isSeq(node)) return node.items.map((item) => toJson(isPair(item) ? item.value : item, depth + 1));
    if (!isScalar(node)) return null;
    refuseAnchor(node, "If it is part of an expression, quote the whole expression or write it in a block: |.");
    if (node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:")) refuse(`the tag '${node.tag}' is not known.`, "Remove it.", placeOf(node));
    const scalar = node.value;
    if (typeof scalar === "bigint") return String(scalar);
    if (typeof scalar === "number" && !Number.isFinite(scalar)) { refuse(`${node.source ?? String(scalar)} is not a number that JSON has.`, "Quote it if it is text.", placeOf(node)); return null; }
    if (typeof scalar === "number" && Number.isInteger(scalar) && !Number.isSafeInteger(scalar)) { refuse(`${node.source ?? String(scalar)} has more digits than a number can keep.`, "Quote it: ids are text.", placeOf(node)); return null; }
    return scalar === undefined ? null : (scalar as Json);
  }

  function refuseAnchor(node: Node & { readonly anchor?: string }, cure: string): void {
    if (node.anchor === undefined) return;
    anchors.add(node.anchor);
    // It stands before the node, often on the line of its key.
    const start = text.lastIndexOf(`&${node.anchor}`, node.range![0]);
    refuse(`'&${node.anchor}' is an anchor, and manifests have none.`, cure, start === -1 ? placeOf(node) : place(start, start + node.anchor.length + 1));
  }

  function placeOf(node: unknown): Location {
    const range = (node as Node | null | undefined)?.range;
    return range ? place(range[0], range[1]) : { file, line: 1, col: 1 };
  }

  /** The node a pointer names, or its nearest parent, with the pair that holds it. */
  function find(pointer: string): { node: unknown; pair: Pair | undefined; exact: boolean } {
    let node: unknown = document.contents;
    let pair: Pair | undefined;
    for (const part of pointer.split("/").slice(1).map((each) => each.replaceAll("~1", "/").replaceAll("~0", "~"))) {
      if (isMap(node)) {
        const found: Pair | undefined = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === part);
        if (!found) return { node, pair, exact: false };
        pair = found;
        node = found.value;
      } else if (isSeq(node) && node.items[Number(part)] !== undefined) {
        pair = undefined;
        node = node.items[Number(part)];
      } else return { node, pair, exact: false };
    }
    return { node, pair, exact: true };
  }

  function locate(pointer: string, part: "key" | "value" = "value", offset?: number): Location {
    const { node, pair, exact } = find(pointer);
    const key = pair?.key as Node | undefined;
    // A whole map or list is shown by its key; so is an absent value.
    const range = (node as Node | null)?.range;
    const showKey = key?.range && (part === "key" || !exact || !range || (range[0] === range[1] && !isScalar(node)) || (!isScalar(node) && !isFlow(node)) || range[0] === range[1]);
    if (showKey) return place(key.range![0], key.range![1]);
    if (!range) return { file, line: 1, col: 1 };
    if (exact && offset !== undefined && isScalar(node)) return inside(node, offset);
    return isScalar(node) ? place(range[0], range[1]) : place(range[0], Math.min(range[1], range[0] + 1));
  }

  /** A position inside a scalar, where its text stands in the file as it is. */
  function inside(scalar: Scalar, offset: number): Location {
    const [start, end] = scalar.range!;
    const value = String(scalar.value);
    if (scalar.type === "BLOCK_LITERAL") return insideBlock(scalar, value, offset) ?? place(start, end);
    const skip = scalar.type === "QUOTE_DOUBLE" || scalar.type === "QUOTE_SINGLE" ? 1 : 0;
    const same = text.slice(start + skip, end - skip) === value;
    return same ? place(start + skip + Math.min(offset, value.length)) : place(start, end);
  }

  function insideBlock(scalar: Scalar, value: string, offset: number): Location | undefined {
    const before = value.slice(0, Math.min(offset, value.length)).split("\n");
    const header = lines.linePos(scalar.range![0]).line;
    const source = text.split("\n");
    // The block's indent is that of its first line that is not empty, as far as its text tells.
    const first = value.split("\n").findIndex((each) => each.trim() !== "");
    const firstSource = source[header + Math.max(0, first)];
    if (first === -1 || firstSource === undefined) return undefined;
    const indent = firstSource.length - firstSource.trimStart().length - (value.split("\n")[first]!.length - value.split("\n")[first]!.trimStart().length);
    return { file, line: header + before.length, col: indent + before.at(-1)!.length + 1, length: 1 };
  }

  function commentOf(node: unknown): string | undefined {
    if (!isScalar(node) || node.type !== "PLAIN" || !node.range) return undefined;
    const rest = text.slice(node.range[1], text.indexOf("\n", node.range[1]) === -1 ? text.length : text.indexOf("\n", node.range[1]));
    return /^ #(.*)$/.exec(rest)?.[1];
  }
}

const isFlow = (node: unknown): boolean => (isMap(node) || isSeq(node)) && node.flow === true;
