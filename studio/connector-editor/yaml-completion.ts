/**
 * What may be written at a place of a manifest: keys and values, from the same JSON Schemas that the validator walks. Where one
 * is comes from the text's indentation and open braces, because a file that is being written seldom parses.
 */
import { schemaAt, shapeOf, type Placed } from "../../engine/manifest/schema-shape.ts";

export interface Suggestion { readonly label: string; readonly detail: string; readonly info: string; readonly apply: string; readonly kind: "key" | "value" }
export interface Suggestions { /** Offset where what is replaced begins. */ readonly from: number; readonly options: readonly Suggestion[] }

/** A step is a key, or `[]` for an item of a list. */
interface Place { readonly path: readonly string[]; readonly at: "key" | "value"; readonly word: string; /** Keys of the same map that are written already, with plain values. */ readonly beside: ReadonlyMap<string, string> }

/** @param schema file name of the root's schema: `connector.schema.json` */
export function suggestionsAt(text: string, offset: number, schema: string): Suggestions {
  const place = placeAt(text, offset);
  const from = offset - place.word.length;
  let found = expand([schemaAt(schema)]);
  for (const step of place.path) found = expand(found.flatMap((each) => within(each, step)));
  if (place.at === "value") return { from, options: unique(found.flatMap(valuesOf)) };
  const fitting = found.filter((each) => fits(each, place.beside));
  return { from, options: unique(fitting.flatMap((each) => [...shapeOf(each).properties].filter(([key]) => !place.beside.has(key)).map(([key, part]): Suggestion => ({ label: key, kind: "key", detail: typeOf(part), info: describe(part), apply: opens(part) ? `${key}:` : `${key}: ` })))) };
}

// ── the schema ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A choice stands for each of what it allows. */
function expand(placed: readonly Placed[], depth = 0): Placed[] {
  return placed.flatMap((each) => {
    const { branches } = shapeOf(each);
    return branches === undefined || depth > 6 ? [each] : [each, ...expand(branches, depth + 1)];
  });
}

function within(placed: Placed, step: string): Placed[] {
  const { properties, others, items } = shapeOf(placed);
  if (step === "[]") return items === undefined ? [] : [items];
  const known = properties.get(step);
  return known !== undefined ? [known] : others === undefined || others === false ? [] : [others];
}

/** What says `type: x` and is another type's is no choice any more. */
function fits(placed: Placed, beside: ReadonlyMap<string, string>): boolean {
  const { properties } = shapeOf(placed);
  for (const [key, value] of beside) {
    const wanted = properties.get(key) && shapeOf(properties.get(key)!);
    if (wanted?.const !== undefined && value !== "" && String(wanted.const) !== value) return false;
  }
  return true;
}

function valuesOf(placed: Placed): Suggestion[] {
  const shape = shapeOf(placed);
  const values = shape.const !== undefined ? [shape.const] : shape.enum ?? (shape.types?.length === 1 && shape.types[0] === "boolean" ? [true, false] : []);
  return values.map((value) => ({ label: String(value), kind: "value", detail: "", info: describe(placed), apply: String(value) }));
}

const typeOf = (placed: Placed): string => expand([placed]).flatMap((each) => shapeOf(each).types ?? []).filter((type, index, all) => all.indexOf(type) === index).join(" | ");
const opens = (placed: Placed): boolean => { const types = expand([placed]).flatMap((each) => shapeOf(each).types ?? []); return types.length > 0 && types.every((type) => type === "object" || type === "array" || type === "null"); };
const describe = (placed: Placed): string => {
  const own = placed.schema["description"];
  const { meaning = "", example } = shapeOf(placed);
  return [typeof own === "string" ? own : meaning, example === undefined ? "" : `For example ${JSON.stringify(example)}.`].filter(Boolean).join(" ");
};
const unique = (all: readonly Suggestion[]): Suggestion[] => [...new Map(all.map((each) => [each.label, each])).values()];

// ── the text ────────────────────────────────────────────────────────────────────────────────────────────────────────

const KEY = /^(\s*)((?:- +)*)(?:"([^"]*)"|'([^']*)'|([^\s:#'"{[][^:#]*?)) *:(?:\s+(.*)|)$/;

export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lines = before.split("\n");
  const line = lines.at(-1)!;
  const rest = text.split("\n").slice(lines.length);
  const [, blank = "", dashes = ""] = /^(\s*)((?:- +)*)/.exec(line)!;
  const indent = blank.length + dashes.length;
  const written = KEY.exec(line);
  const above = pathAbove(lines.slice(0, -1), dashes === "" ? indent : blank.length, dashes !== "");
  if (written === null) {
    const word = /[\w$.-]*$/.exec(line)![0];
    return { path: above, at: "key", word, beside: siblings(lines.slice(0, -1), rest, indent) };
  }
  const [, , , quoted, single, plain, value = ""] = written;
  return flowPlace([...above, quoted ?? single ?? plain ?? ""], value);
}

/** From the outside in, by less and less indentation. A list's item may begin where its key does. */
function pathAbove(lines: readonly string[], indent: number, isItem: boolean): string[] {
  const path: string[] = isItem ? ["[]"] : [];
  let [limit, item] = [indent, isItem];
  for (const line of lines.toReversed()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const blank = /^\s*/.exec(line)![0].length;
    const [, dashes = ""] = /^\s*((?:- +)*)/.exec(line)!;
    const found = KEY.exec(line);
    if (dashes !== "" && blank < limit && blank + dashes.length <= limit && !item) {
      // A line of the same item, or the one that opens it.
      if (found !== null && blank + dashes.length < limit) path.unshift(found[3] ?? found[4] ?? found[5] ?? "");
      path.unshift("[]");
      [limit, item] = [blank, true];
      continue;
    }
    if (found === null || dashes !== "") continue;
    if (blank < limit || (item && blank === limit)) {
      if ((found[6] ?? "").replace(/#.*$/, "").trim() !== "" && !item) { limit = blank; continue; }
      path.unshift(found[3] ?? found[4] ?? found[5] ?? "");
      [limit, item] = [blank, false];
    }
    if (limit === 0 && !item) break;
  }
  return path;
}

/** Keys beside the one that is written, above and below it. */
function siblings(above: readonly string[], below: readonly string[], indent: number): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const lines of [above.toReversed(), below]) {
    for (const line of lines) {
      if (/^\s*(#|$)/.test(line)) continue;
      const [, blank = "", dashes = ""] = /^(\s*)((?:- +)*)/.exec(line)!;
      const at = blank.length + dashes.length;
      if (at < indent) break;
      const key = at === indent ? KEY.exec(line) : null;
      if (key !== null) found.set(key[3] ?? key[4] ?? key[5] ?? "", (key[6] ?? "").replace(/\s+#.*$/, "").trim());
      if (dashes !== "" && lines !== below) break;
    }
  }
  return found;
}

/** Inside `{ … }` and `[ … ]` on the line. */
function flowPlace(path: readonly string[], value: string): Place {
  type Level = { readonly list: boolean; key: string | undefined; readonly beside: Map<string, string>; text: string };
  const levels: Level[] = [];
  let quote = "";
  let word = "";
  const keep = (level: Level): void => { if (level.key !== undefined) level.beside.set(level.key, level.text.trim()); };
  for (const char of value) {
    const level = levels.at(-1);
    if (quote !== "") { if (char === quote) quote = ""; else word += char; continue; }
    if ((char === '"' || char === "'") && word.trim() === "") { quote = char; word = ""; continue; }
    if (char === "{" || char === "[") { levels.push({ list: char === "[", key: undefined, beside: new Map(), text: "" }); word = ""; }
    else if (level !== undefined && (char === "}" || char === "]")) { levels.pop(); word = ""; }
    else if (level !== undefined && char === ",") { level.text = word; keep(level); level.key = undefined; word = ""; }
    else if (level !== undefined && !level.list && char === ":" && level.key === undefined) { level.key = word.trim(); word = ""; }
    else word += char;
  }
  const inner = levels.flatMap(({ list, key }) => (list ? ["[]"] : key === undefined ? [] : [key]));
  const last = levels.at(-1);
  const at = last !== undefined && !last.list && last.key === undefined ? "key" : "value";
  return { path: [...path, ...inner], at, word: /[\w$.-]*$/.exec(word)![0], beside: last?.beside ?? new Map() };
}
