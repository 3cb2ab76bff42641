/** Both sides of a mapping as trees: what the source record holds, by schema and by the sample; what the target asks for. */
import type { Json, JsonObject } from "../../engine/manifest/types.ts";

export interface SourceField {
  /** Steps from the record. A list on the way is a step like any other. */
  readonly path: readonly string[];
  readonly name: string;
  /** text, number, yes/no, date …; `list` and `object` have children. */
  readonly type: string;
  readonly isList: boolean;
  readonly sample: unknown;
  readonly description?: string;
  readonly children: readonly SourceField[];
}

export interface TargetField {
  /** Dotted: `custom.division`. */
  readonly field: string;
  readonly label: string;
  readonly type: string;
  readonly required: boolean;
  readonly description?: string;
  readonly enum?: readonly Json[];
  /** Of a list of objects: what each item asks for. */
  readonly items?: readonly string[];
}

const MAX_DEPTH = 6;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const typesOf = (schema: JsonObject | undefined): string[] => { const type = schema?.["type"]; return Array.isArray(type) ? type.filter((each) => each !== "null").map(String) : typeof type === "string" ? [type] : []; };

const WORDS: Readonly<Record<string, string>> = { string: "text", integer: "whole number", number: "number", boolean: "yes/no", array: "list", object: "object" };

export function typeInWords(schema: JsonObject | undefined, sample?: unknown): string {
  const [type] = typesOf(schema);
  if (type === "string" && typeof schema?.["format"] === "string") return schema["format"] === "date-time" ? "date and time" : String(schema["format"]);
  if (type !== undefined) return WORDS[type] ?? type;
  if (Array.isArray(schema?.["enum"])) return "choice";
  if (sample === undefined || sample === null) return "unknown";
  return Array.isArray(sample) ? "list" : WORDS[typeof sample] ?? "object";
}

export function sourceTree(schema: JsonObject | null, sample: unknown, path: readonly string[] = [], depth = 0): SourceField[] {
  const properties = isObject(schema?.["properties"]) ? (schema["properties"] as Readonly<Record<string, JsonObject>>) : {};
  const seen = isObject(sample) ? sample : {};
  return [...new Set([...Object.keys(properties), ...Object.keys(seen)])].map((name): SourceField => {
    const own = properties[name];
    const value = seen[name];
    const here = [...path, name];
    const isList = typesOf(own)[0] === "array" || Array.isArray(value);
    const inner = isList ? ((own?.["items"] as JsonObject | undefined) ?? null) : own ?? null;
    const innerValue = Array.isArray(value) ? value.find((each) => each !== null) : value;
    const nested = depth < MAX_DEPTH && (isObject(innerValue) || isObject(inner?.["properties"]));
    return {
      path: here, name, type: typeInWords(own, value), isList, sample: value, children: nested ? sourceTree(inner, innerValue, here, depth + 1) : [],
      ...(typeof own?.["description"] === "string" ? { description: own["description"] } : {}),
    };
  });
}

/** The tree with fields that neither schema nor sample shows: what an expression reads all the same, and what somebody added by name. */
export function withUnseen(tree: readonly SourceField[], paths: Iterable<readonly string[]>): readonly SourceField[] {
  let now = tree;
  for (const path of paths) now = withPath(now, path, []);
  return now;
}

function withPath(tree: readonly SourceField[], path: readonly string[], above: readonly string[]): readonly SourceField[] {
  const [name, ...rest] = path;
  if (name === undefined) return tree;
  const found = tree.find((each) => each.name === name);
  const here = [...above, name];
  if (found === undefined) return [...tree, { path: here, name, type: rest.length > 0 ? "object" : "not seen", isList: false, sample: undefined, children: rest.length > 0 ? [...withPath([], rest, here)] : [] }];
  const children = withPath(found.children, rest, here);
  return children === found.children ? tree : tree.map((each) => (each === found ? { ...found, children } : each));
}

/** Fields of the entity in its order, then those that the mapping makes beyond it (`custom.…`). */
export function targetTree(schema: JsonObject | null, mapped: readonly string[]): TargetField[] {
  const properties = isObject(schema?.["properties"]) ? (schema["properties"] as Readonly<Record<string, JsonObject>>) : {};
  const required = new Set(Array.isArray(schema?.["required"]) ? (schema["required"] as string[]) : []);
  const declared = Object.entries(properties).filter(([name]) => name !== "custom").map(([name, own]): TargetField => {
    const items = (own["items"] as JsonObject | undefined)?.["properties"];
    return {
      field: name, label: typeof own["x-label"] === "string" ? own["x-label"] : name, type: typeInWords(own), required: required.has(name),
      ...(typeof own["description"] === "string" ? { description: own["description"] } : {}), ...(Array.isArray(own["enum"]) ? { enum: own["enum"] as Json[] } : {}), ...(isObject(items) ? { items: Object.keys(items) } : {}),
    };
  });
  const known = new Set(declared.map(({ field }) => field));
  return [...declared, ...mapped.filter((field) => !known.has(field)).map((field): TargetField => ({ field, label: field, type: "unknown", required: false }))];
}

const flattened = new WeakMap<readonly SourceField[], readonly SourceField[]>();

/** Each field with those below it, for lists and search. */
export function flat(fields: readonly SourceField[]): readonly SourceField[] {
  const known = flattened.get(fields);
  if (known !== undefined) return known;
  const made = fields.flatMap((field) => [field, ...(field.children.length === 0 ? [] : flat(field.children))]);
  flattened.set(fields, made);
  return made;
}

/** How alike two names are, from 0 to 1: by their words, whatever the spelling between them. */
export function likeness(a: string, b: string): number {
  const words = (text: string) => new Set(text.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[^a-z0-9]+/).filter((word) => word.length > 1));
  const [left, right] = [words(a), words(b)];
  if (left.size === 0 || right.size === 0) return 0;
  const shared = [...left].filter((word) => right.has(word) || [...right].some((other) => other.length > 3 && word.length > 3 && (other.startsWith(word) || word.startsWith(other)))).length;
  return (2 * shared) / (left.size + right.size);
}

/** Source fields that could fill a target field, best first; never applied unasked. */
export function suggestions(target: TargetField, sources: readonly SourceField[], count = 4): SourceField[] {
  return flat(sources).filter(({ children }) => children.length === 0 || target.items !== undefined)
    .map((source) => ({ source, score: likeness(target.field, source.path.at(-1)!) + likeness(target.field, source.path.join(" ")) / 2 + likeness(target.label, source.name) / 2 + (source.type === target.type ? 0.15 : 0) }))
    .filter(({ score }) => score > 0.45).toSorted((a, b) => b.score - a.score).slice(0, count).map(({ source }) => source);
}
