/** Shapes and values in words, for "must be …, not …". */
import type { Json } from "./types.ts";
import type { Shape } from "./schema-shape.ts";

const WORDS: Readonly<Record<string, string>> = { string: "text", integer: "a whole number", number: "a number", boolean: "true or false", array: "a list", object: "a map", null: "null" };
/** What well-known credentials look like, wherever they stand. */
const TOKENS = /\b(sk_live_[A-Za-z0-9]{10,}|pat-[a-z]{2}\d-[0-9a-f-]{30,}|gh[pousr]_[A-Za-z0-9]{30,}|xox[abpr]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}|eyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,})\b|-----BEGIN [A-Z ]*PRIVATE KEY-----/;
/** Characters of a value that are shown. */
const SHOWN = 60;
/** Characters of an example. */
const EXAMPLE = 120;

/** `one of account, app, connection`; `a duration with its unit …`; `a map`. */
export function describe(shape: Shape): string {
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum) return shape.enum.length === 1 ? String(shape.enum[0]) : `one of ${shape.enum.map(String).join(", ")}`;
  if (shape.format === "jsonata") return "a JSONata expression";
  if (shape.others && shape.properties.size === 0 && shape.types?.[0] === "object") return "a map by name";
  if (shape.pattern !== undefined && shape.meaning !== undefined) return firstSentence(shape.meaning);
  if (shape.branches && !shape.types) return "a map with its 'type'";
  const types = (shape.types ?? []).map((type) => WORDS[type] ?? type);
  const range = shape.minimum !== undefined ? ` of ${shape.minimum}${shape.maximum === undefined ? " or more" : ` to ${shape.maximum}`}` : "";
  return types.length === 0 ? "a value" : `${types.slice(0, -1).join(", ")}${types.length > 1 ? " or " : ""}${types.at(-1)}${range}`;
}

/** The example of a shape, as flow YAML; nothing where it would be long. */
export function exampleOf(shape: Shape): string {
  const text = shape.example === undefined ? "" : flow(shape.example as Json, true);
  return text.length > EXAMPLE ? "" : text;
}

/** `{ type: offset, size: 100 }`. */
export function flow(value: Json, outermost = false): string {
  if (Array.isArray(value)) return `[${value.map((item) => flow(item as Json)).join(", ")}]`;
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "{}" : `{ ${Object.entries(value).map(([key, member]) => `${flow(key)}: ${flow(member as Json)}`).join(", ")} }`;
  return typeof value === "string" && !outermost && !/^[A-Za-z/][\w./-]*$/.test(value) ? JSON.stringify(value) : String(value);
}

/** The value as it was written, short; a secret is never shown. */
export function show(value: Json, secret = false): string {
  if (typeof value === "string" && (secret || looksSecret(value))) return "this text";
  if (value === null) return "empty";
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "a map";
  const text = JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}

export const looksSecret = (text: string): boolean => TOKENS.test(text);

/** JSON Schema's name of a value's type. */
export function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? (Number.isInteger(value) ? "integer" : "number") : typeof value;
}

const firstSentence = (text: string): string => {
  const sentence = text.split(/\.(?: |$)|; /)[0]!;
  return `${sentence[0]!.toLowerCase()}${sentence.slice(1)}`;
};
