/** Values as YAML text, as a person of this house writes them: blocks outside, `[a, b]` for short lists, quotes where YAML needs them. */
import { parseDocument } from "yaml";
import type { Json } from "./types.ts";

const isMap = (value: Json): value is { readonly [key: string]: Json } => typeof value === "object" && value !== null && !Array.isArray(value);
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** How much one step goes in. */
const STEP = "  ";
/** Characters a line in braces may have; beyond that a block reads better. */
const MAX_FLOW = 110;

/** On one line, inside braces or outside of them. `json`: as a JSON file needs it. */
export function flowText(value: Json, json = false): string {
  if (json) return JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");
  if (isList(value)) return `[${value.map((item) => flowText(item)).join(", ")}]`;
  if (isMap(value)) {
    const members = Object.entries(value).map(([key, member]) => `${keyText(key)}: ${flowText(member)}`);
    return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  }
  return scalarText(value, true);
}

/** What follows `key:`, on its line and the lines below it, which go in by `indent`. */
export function memberText(value: Json, indent: string): string {
  if (typeof value === "string" && value.includes("\n")) return ` ${blockScalar(value, indent + STEP) ?? JSON.stringify(value)}`;
  const isShort = isList(value) && value.every((item) => typeof item !== "object" || item === null) && indent.length + flowText(value).length <= MAX_FLOW && !value.some((item) => typeof item === "string" && item.includes("\n"));
  if (typeof value !== "object" || value === null || isShort || Object.keys(value).length === 0) return ` ${typeof value === "object" && value !== null ? flowText(value) : scalarText(value, false)}`;
  return isList(value) ? value.map((item) => `\n${indent}${STEP}-${itemText(item, indent + STEP)}`).join("") : blockMap(value, indent + STEP).map((line) => `\n${line}`).join("");
}

/** `key: value` for each member, each a text of one or more lines. */
export const blockMap = (value: { readonly [key: string]: Json }, indent: string): string[] =>
  Object.entries(value).map(([key, member]) => `${indent}${keyText(key)}:${memberText(member, indent)}`);

/** What follows `-`; its lines go in by one step more than the dash. */
export function itemText(item: Json, indent: string): string {
  if (!isMap(item) || Object.keys(item).length === 0) return memberText(item, indent);
  return ` ${blockMap(item, indent + STEP).join("\n").slice(indent.length + STEP.length)}`;
}

export const fitsFlow = (value: Json, column: number): boolean => !hasLines(value) && column + flowText(value).length <= MAX_FLOW;

export const keyText = (key: string, json = false): string => (json ? JSON.stringify(key) : isPlain(key, true) && !/^\s|\s$/.test(key) ? key : quoted(key));

/** In single quotes nothing but the quote itself is special; in double quotes a text without quotes and backslashes reads better. */
export function quoted(text: string): string {
  if (/[\p{Cc}\u2028\u2029\ufeff]/u.test(text)) return JSON.stringify(text);
  return /'|\{\{/.test(text) && !/["\\]/.test(text) ? `"${text}"` : `'${text.replaceAll("'", "''")}'`;
}

/** @param like the quote of the value that stood there */
export function scalarText(value: Json, inFlow: boolean, like?: "'" | '"'): string {
  if (typeof value !== "string") return JSON.stringify(value);
  if (like === '"') return JSON.stringify(value);
  if (like === "'" && !/\p{Cc}/u.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return isPlain(value, inFlow) ? value : quoted(value);
}

/** A block in which the text stands as it is; undefined where YAML would read another one. */
export function blockScalar(value: string, indent: string): string | undefined {
  const body = value.endsWith("\n") ? value.slice(0, -1) : value;
  const text = `|${value.endsWith("\n") ? "" : "-"}${body.split("\n").map((line) => (line === "" ? "\n" : `\n${indent}${line}`)).join("")}`;
  return readsAs(`k: ${text}\n`, value) ? text : undefined;
}

const isPlain = (text: string, inFlow: boolean): boolean =>
  text.length < 10_000 && !/[\n\r\t]/.test(text) && readsAs(inFlow ? `{ k: ${text}, z: 1 }` : `k: ${text} # z`, text);

function readsAs(yaml: string, expected: string): boolean {
  const document = parseDocument(yaml, { version: "1.2", schema: "core", logLevel: "silent" });
  if (document.errors.length + document.warnings.length > 0) return false;
  const value = document.toJS() as { readonly k?: unknown; readonly z?: unknown };
  return value.k === expected && (yaml.startsWith("{") ? Object.keys(value).length === 2 : Object.keys(value).length === 1) && !document.contents?.toString().includes("&");
}

const hasLines = (value: Json): boolean =>
  typeof value === "string" ? value.includes("\n") : typeof value === "object" && value !== null && Object.values(value).some((member) => hasLines(member as Json));
