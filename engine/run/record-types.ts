/** `types:` of a stream: how to read fields whose text is not what it means. Works on a copy; what is stored as raw stays as it came. */
import { parseInstant, toIso, toMilliseconds } from "../components/shared/instant.ts";
import type { Variables } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import { templateAt } from "./build-context.ts";

export type Convert = (record: unknown, variables: Variables) => unknown;

type Read = (value: unknown, variables: Variables) => unknown;

export function compileTypes(types: Readonly<Record<string, string>>, where: string): Convert {
  const fields = Object.entries(types).map(([path, type]) => ({ path: path.split("."), read: readerOf(type, `${where}.types.${path}`) }));
  if (fields.length === 0) return (record) => record;
  return (record, variables) => fields.reduce((value, { path, read }) => changed(value, path, (old) => read(old, variables)), record);
}

function readerOf(type: string, where: string): Read {
  switch (type) {
    case "integer": return (value) => number(value, true);
    case "number": return (value) => number(value, false);
    case "boolean": return boolean;
    case "ms_date": return (value) => instant(value, "UTC");
  }
  const match = /^datetime\(([^,]+)(?:,\s*(.+))?\)$/.exec(type);
  if (match === null) throw new PlugboardError("MANIFEST_WRONG_VALUE", { field: where, expected: "integer, number, boolean, ms_date or datetime(pattern, zone)", actual: `'${type}'`, suggestion: "" });
  const zone = templateAt((match[2] ?? "UTC").trim(), "text", where);
  return (value, variables) => instant(value, zone.render(variables) ?? "UTC", match[1]!.trim());
}

// A value that cannot be read stays as it is: the entity's schema then says what is wrong with it, by name.
const number = (value: unknown, whole: boolean): unknown => {
  if (typeof value !== "string" || value.trim() === "") return value;
  const read = Number(value);
  return Number.isFinite(read) && (!whole || Number.isSafeInteger(read)) ? read : value;
};

const WORDS: Readonly<Record<string, boolean>> = { true: true, yes: true, y: true, "1": true, false: false, no: false, n: false, "0": false };
const boolean = (value: unknown): unknown => (typeof value === "string" || typeof value === "number" ? (WORDS[String(value).trim().toLowerCase()] ?? value) : value);

const instant = (value: unknown, zone: string, pattern?: string): unknown => {
  const parsed = parseInstant(value, zone, pattern);
  return parsed === undefined ? value : toIso(toMilliseconds(parsed));
};

function changed(value: unknown, path: readonly string[], change: (old: unknown) => unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item) => changed(item, path, change));
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return value;
  return { ...value, [name]: changed((value as Record<string, unknown>)[name], rest, change) };
}
