/**
 * A value of a YAML file set or removed by splicing text: comments, quotes, order and layout stay as people wrote them, and
 * a change of one value is a change of one line. The result is read again: it says exactly what was asked, or nothing is done.
 */
import { isMap, isScalar, isSeq, parseDocument, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json, JsonObject } from "./types.ts";
import { blockMap, fitsFlow, flowText, itemText, keyText, memberText, scalarText } from "./write-yaml.ts";

export interface YamlEdit {
  /** JSON pointer into the file: `/flows/learners/from/every`. */
  readonly pointer: string;
  /** Absent: removed, and with it every map and list that has nothing else. */
  readonly value?: Json;
}

/** @throws PlugboardError CHANGE_EDIT for a pointer that leads nowhere, MANIFEST_YAML for a file that is no YAML. */
export function editYaml(text: string, file: string, edits: readonly YamlEdit[]): string {
  let now = text;
  for (const edit of edits) {
    const refuse = (detail: string, suggestion?: string): never => {
      throw new PlugboardError("CHANGE_EDIT", { pointer: edit.pointer, file, detail, ...(suggestion === undefined ? {} : { suggestion }) });
    };
    if (edit.pointer !== "" && !edit.pointer.startsWith("/")) refuse("a pointer begins with '/'", `Write '/${edit.pointer.replaceAll(".", "/")}'.`);
    const keys = edit.pointer.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    if (keys.includes("__proto__")) refuse("'__proto__' cannot be a key");
    const before = valueOf(now, file);
    const after = expected(before, keys, edit.value, refuse);
    if (same(before, after)) continue;
    const next = new Editing(now, file.endsWith(".json"), refuse).made(keys, edit.value);
    if (!same(valueOf(next, file), after)) refuse("the file is laid out so that it cannot be done in place", "Edit the text of the file.");
    now = next;
  }
  return now;
}

const parse = (text: string) => parseDocument(text, { version: "1.2", schema: "core", uniqueKeys: true, logLevel: "silent" });

function valueOf(text: string, file: string): Json {
  const document = parse(text);
  const [error] = document.errors;
  if (error) throw new PlugboardError("MANIFEST_YAML", { detail: error.message.split("\n")[0], cure: "Correct the file first." }, { at: { file, line: error.linePos?.[0].line ?? 1, col: error.linePos?.[0].col ?? 1 } });
  return (document.toJS({ maxAliasCount: 0 }) ?? null) as Json;
}

/** What the file must say afterwards. */
function expected(value: Json, keys: readonly string[], to: Json | undefined, refuse: (detail: string, suggestion?: string) => never, at = 0): Json {
  const key = keys[at];
  if (key === undefined) return to === undefined ? null : to;
  if (Array.isArray(value)) {
    const items = [...(value as readonly Json[])];
    const index = key === "-" ? items.length : Number(key);
    if (!/^(-|0|[1-9]\d*)$/.test(key) || index > items.length) return refuse(`the list there has ${items.length} items`, "Count from 0; `-` adds one.");
    if (index === items.length && to === undefined) return value;
    const member = expected(items[index] ?? null, keys, to, refuse, at + 1);
    if (to === undefined && (at + 1 === keys.length || isEmptied(items[index]!, member))) items.splice(index, 1);
    else items[index] = member;
    return items;
  }
  if (value !== null && typeof value !== "object") return refuse(`${keys.slice(0, at).join(".")} is ${JSON.stringify(value)}, which has no members`, "Write it out as a map first.");
  const map = { ...(value as JsonObject | null) };
  if (to === undefined && !Object.hasOwn(map, key)) return value;
  const member = expected(map[key] ?? null, keys, to, refuse, at + 1);
  if (to === undefined && (at + 1 === keys.length || isEmptied(map[key]!, member))) delete map[key];
  else map[key] = member;
  return map;
}

const size = (value: Json): number => (typeof value === "object" && value !== null ? Object.keys(value).length : -1);
const isEmptied = (before: Json, after: Json): boolean => size(before) > 0 && size(after) === 0;

function same(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same((a as JsonObject)[key]!, (b as JsonObject)[key]!));
}

/** From a collection to the node below it. */
interface Step { readonly parent: YAMLMap | YAMLSeq; readonly index: number; readonly pair: Pair | undefined; readonly node: Node | null }

class Editing {
  private readonly text: string;
  private readonly json: boolean;
  private readonly newline: string;
  private readonly refuse: (detail: string, suggestion?: string) => never;

  constructor(text: string, json: boolean, refuse: (detail: string, suggestion?: string) => never) {
    this.text = text;
    this.json = json;
    this.refuse = refuse;
    this.newline = text.includes("\r\n") ? "\r\n" : "\n";
  }

  made(keys: readonly string[], value: Json | undefined): string {
    const { contents } = parse(this.text);
    if (keys.length === 0 || contents === null || (isScalar(contents) && contents.value === null)) return this.anew(keys, value);
    const steps: Step[] = [];
    let node: Node | null = contents;
    for (const key of keys) {
      const step = stepTo(node, key);
      if (!step) return value === undefined ? this.text : this.added(node, steps, keys.slice(steps.length), value);
      steps.push(step);
      node = step.node;
    }
    return value === undefined ? this.removed(steps) : this.replaced(steps.at(-1)!, value, keys);
  }

  /** A whole file; comments before it stay. */
  private anew(keys: readonly string[], value: Json | undefined, old?: Node | null): string {
    if (value === undefined) return this.text;
    const whole = nested(keys, value);
    if (typeof whole !== "object" || whole === null) return this.refuse("a file is a map or a list");
    if (this.json) return `${JSON.stringify(whole, null, 2)}\n`;
    const kept = old?.range ? this.text.slice(0, old.range[0]) : this.text;
    const before = keys.length === 0 || kept.trim() === "" ? "" : `${kept.trimEnd()}${this.newline}`;
    const lines = Array.isArray(whole) ? (whole as readonly Json[]).map((item) => `-${itemText(item, "")}`) : blockMap(whole as JsonObject, "");
    return before + this.lines(lines.join("\n")) + this.newline;
  }

  // ── adding ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `keys`: those that are not there yet, below `node`. */
  private added(node: Node | null, steps: readonly Step[], keys: readonly string[], value: Json): string {
    const [key = "", ...rest] = keys;
    const last = steps.at(-1);
    if (node === null || isEmpty(node)) return last ? this.replaced(last, nested(keys, value), []) : this.anew(keys, value, node);
    const member = nested(rest, value);
    if (isSeq(node)) return node.flow === true ? this.addedInFlow(node, this.flow(member)) : this.addedLines(node, `-${itemText(member, this.indentOf(node))}`);
    if (!isMap(node)) return this.refuse("what is there has no members");
    if (node.flow === true) return this.addedInFlow(node, `${keyText(key, this.json)}: ${this.flow(member)}`);
    return this.addedLines(node, `${keyText(key)}:${memberText(member, this.indentOf(node))}`);
  }

  private addedLines(node: YAMLMap | YAMLSeq, text: string): string {
    const at = this.lineEnd(this.endOf(node));
    return this.spliced(at, at, this.newline + this.lines(this.indentOf(node) + text));
  }

  private addedInFlow(node: YAMLMap | YAMLSeq, text: string): string {
    const last = node.items.at(-1) as Pair | Node;
    const start = startOf(last);
    const lineStart = this.lineStart(start);
    const isOwnLine = this.text.slice(lineStart, start).trim() === "" && this.lineStart(node.range![0]) !== lineStart;
    const at = this.endOf(last);
    return this.spliced(at, at, `,${isOwnLine ? this.newline + this.text.slice(lineStart, start) : " "}${text}`);
  }

  // ── replacing ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param path of the step */
  private replaced(step: Step, value: Json, path: readonly string[]): string {
    const { node, parent } = step;
    const inFlow = parent.flow === true;
    if (node !== null && isMap(node) && size(value) > 0 && !Array.isArray(value) && node.items.length > 0) return this.mergedInto(node, value as JsonObject, path);
    const isScalarNow = typeof value !== "object" || value === null;
    const isOneLine = isScalarNow ? !(typeof value === "string" && value.includes("\n")) : inFlow || size(value) === 0 || fitsFlow(value, this.columnOf(step));
    if (inFlow || this.json) return this.inPlace(step, isScalarNow && !this.json ? this.scalar(node, value, true) : this.flow(value));
    const isBlockNow = node !== null && isCollection(node) && node.flow !== true;
    if (isOneLine && !(isBlockNow && !isScalarNow && size(value) > 0)) return this.inPlace(step, isScalarNow ? this.scalar(node, value, false) : flowText(value));
    return this.blockBelow(step, value);
  }

  /** Member by member, so that what stays keeps its lines and comments. */
  private mergedInto(old: YAMLMap, value: JsonObject, path: readonly string[]): string {
    const gone = old.items.map(nameOf).filter((name) => !Object.hasOwn(value, name));
    let text = this.text;
    for (const [key, member] of Object.entries(value)) text = new Editing(text, this.json, this.refuse).made([...path, key], member);
    for (const key of gone) text = new Editing(text, this.json, this.refuse).made([...path, key], undefined);
    return text;
  }

  private inPlace(step: Step, text: string): string {
    const { node, pair } = step;
    if (node !== null && isCollection(node) && node.flow !== true) {
      // From the lines below its key to the key's own line, before that line's comment.
      const from = pair ? this.colonOf(pair) : this.dashOf(step);
      const comment = /^[ \t]+#[^\r\n]*/.exec(this.text.slice(from))?.[0] ?? "";
      return this.spliced(from, this.lineEnd(this.endOf(node)), ` ${text}${comment}`);
    }
    if (node === null || isEmptyText(node)) {
      const from = pair ? this.colonOf(pair) : this.dashOf(step);
      return this.spliced(from, from, ` ${text}`);
    }
    if (isBlockScalar(node)) return this.spliced(node.range![0], this.endOf(node), text);
    return this.spliced(node.range![0], node.range![1], text);
  }

  /** On the lines below the key; a comment of the key's line stays there. */
  private blockBelow(step: Step, value: Json): string {
    const { node, pair } = step;
    const from = pair ? this.colonOf(pair) : this.dashOf(step);
    const indent = this.indentOf(step.parent);
    const end = node === null || isEmptyText(node) ? from : isCollection(node) && node.flow !== true ? this.endWithComments(node, indent) : this.endOf(node);
    if (!pair) return this.spliced(from, end, this.lines(itemText(value, indent)));
    // A comment behind the key, or behind a value that goes from its line, stays on that line.
    const comment = /^[ \t]+#[^\r\n]*/;
    const isBelow = node === null || isEmptyText(node) || (isCollection(node) && node.flow !== true);
    const behindKey = isBelow ? comment.exec(this.text.slice(from))?.[0] ?? "" : "";
    const behindValue = !isBelow && !isBlockScalar(node) ? comment.exec(this.text.slice(end))?.[0] ?? "" : "";
    const [first = "", ...rest] = memberText(value, indent).split("\n");
    return this.spliced(from, Math.max(end, from + behindKey.length) + behindValue.length, this.lines([first + behindKey + behindValue, ...rest].join("\n")));
  }

  private scalar(node: Node | null, value: Json, inFlow: boolean): string {
    const old = isScalar(node) ? node.type : undefined;
    // A text keeps the quotes it had where it still needs them; a date or number in quotes would otherwise become one.
    const plain = scalarText(value, inFlow);
    if (typeof value !== "string" || (old !== "QUOTE_DOUBLE" && old !== "QUOTE_SINGLE")) return plain;
    return scalarText(value, inFlow, old === "QUOTE_DOUBLE" ? '"' : "'");
  }

  private readonly flow = (value: Json): string => flowText(value, this.json);

  // ── removing ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** With every collection above it that has nothing else. */
  private removed(steps: readonly Step[]): string {
    let depth = steps.length - 1;
    while (depth > 0 && steps[depth]!.parent.items.length === 1) depth--;
    const { parent, index } = steps[depth]!;
    const item = parent.items[index] as Pair | Node;
    const [start, end] = [startOf(item), this.endOf(item)];
    if (parent.items.length === 1) return this.spliced(parent.range![0], this.endOf(parent), isSeq(parent) ? "[]" : "{}");
    if (parent.flow === true) {
      const next = parent.items[index + 1] as Pair | Node | undefined;
      if (index === 0 && next) return this.spliced(start, startOf(next), "");
      return this.spliced(this.endOf(parent.items[index - 1] as Pair | Node), end, "");
    }
    const from = isSeq(parent) ? this.text.lastIndexOf("-", start) : start;
    const [lineStart, lineEnd] = [this.lineStart(from), this.lineEnd(end)];
    const after = Math.min(this.text.length, lineEnd + this.newline.length);
    if (this.text.slice(lineStart, from).trim() === "") return this.spliced(lineStart, after, "");
    // The first member of a list's item stands behind its dash: the next one takes that place.
    return this.spliced(from, after + (/^[ \t]*/.exec(this.text.slice(after))?.[0].length ?? 0), "");
  }

  // ── places ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Where what is written of a node ends, without the comment that follows it. */
  private endOf(item: Pair | Node): number {
    if ("key" in item) {
      const value = item.value as Node | null;
      return value === null || isEmptyText(value) ? this.colonOf(item) : this.endOf(value);
    }
    if (isCollection(item) && item.flow !== true) {
      const last = item.items.at(-1) as Pair | Node | undefined;
      return last === undefined || last === null ? item.range![1] : isScalar(last) && isEmptyText(last) ? this.dashBefore(last.range![0]) : this.endOf(last);
    }
    // A block's text goes to the end of its last line, line break included.
    const end = item.range![1];
    return isBlockScalar(item) && this.text[end - 1] === "\n" ? end - (this.text[end - 2] === "\r" ? 2 : 1) : end;
  }

  /** With the comments inside it: left there, they would become part of a text. */
  private endWithComments(node: YAMLMap | YAMLSeq, indent: string): number {
    let end = this.lineEnd(this.endOf(node));
    for (;;) {
      const next = /^\r?\n(?:[ \t]*\r?\n)*( *)#[^\r\n]*/.exec(this.text.slice(end));
      if (!next || next[1]!.length <= indent.length) return end;
      end += next[0].length;
    }
  }

  /** Behind the colon of `key:`. */
  private colonOf(pair: Pair): number {
    const end = (pair.key as Node).range![1];
    const colon = this.text.indexOf(":", end);
    return colon === -1 ? end : colon + 1;
  }

  private dashOf({ node, parent, index }: Step): number {
    const start = node?.range?.[0] ?? startOf(parent.items[index] as Node);
    return this.dashBefore(start);
  }
  private dashBefore(start: number): number {
    return this.text.lastIndexOf("-", start) + 1;
  }

  private indentOf(node: YAMLMap | YAMLSeq): string {
    const start = startOf(node.items[0] as Pair | Node);
    const at = isSeq(node) ? this.text.lastIndexOf("-", start) : start;
    return " ".repeat(at - this.lineStart(at));
  }

  private columnOf({ node, pair, parent }: Step): number {
    const at = pair ? this.colonOf(pair) : node?.range?.[0] ?? parent.range![0];
    return at - this.lineStart(at);
  }

  private lineStart(at: number): number {
    return this.text.lastIndexOf("\n", at - 1) + 1;
  }

  private lineEnd(at: number): number {
    const end = this.text.indexOf("\n", at);
    return end === -1 ? this.text.length : this.text[end - 1] === "\r" ? end - 1 : end;
  }

  private lines(text: string): string {
    return this.newline === "\n" ? text : text.replaceAll("\n", this.newline);
  }

  private spliced(start: number, end: number, text: string): string {
    return this.text.slice(0, start) + text + this.text.slice(end);
  }
}

function stepTo(node: Node | null, key: string): Step | undefined {
  if (isMap(node)) {
    const index = node.items.findIndex((pair) => nameOf(pair) === key);
    const pair = node.items[index];
    return pair && { parent: node, index, pair, node: pair.value as Node | null };
  }
  if (isSeq(node) && /^\d+$/.test(key) && Number(key) < node.items.length) return { parent: node, index: Number(key), pair: undefined, node: node.items[Number(key)] as Node };
  return undefined;
}

const nested = (keys: readonly string[], value: Json): Json => keys.reduceRight<Json>((inner, key) => (key === "-" ? [inner] : { [key]: inner }), value);
const nameOf = (pair: Pair): string => String(isScalar(pair.key) ? pair.key.value : pair.key);
const startOf = (item: Pair | Node): number => ("key" in item ? (item.key as Node).range![0] : item.range![0]);
const isCollection = (node: unknown): node is YAMLMap | YAMLSeq => isMap(node) || isSeq(node);
const isBlockScalar = (node: unknown): node is Scalar => isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
/** `key:` with nothing behind it. */
const isEmptyText = (node: Node): boolean => isScalar(node) && node.range![0] === node.range![1];
/** What gets its first member. */
const isEmpty = (node: Node): boolean => (isScalar(node) && node.value === null) || (isCollection(node) && node.items.length === 0);
