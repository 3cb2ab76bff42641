/**
 * `npm run fuzz:types [-- COUNT SEED]`: whether types tell the truth. Made expressions over records made from a schema are run by the reference, and every value must be
 * one that the inferred type admits.
 */
import jsonata from "jsonata";
import { parse } from "../../../../engine/expression/syntax/index.ts";
import { describe, inferTree, typeOfSchema, type Schema, type Type } from "../../../../engine/expression/types-of/index.ts";
import { random } from "../syntax/made-expressions.ts";

export interface TruthResult {
  readonly checked: number;
  /** Values of types that say something. */
  readonly known: number;
  readonly failures: readonly string[];
}

export async function tryTypes(count: number, seed: number, schema: Schema): Promise<TruthResult> {
  const next = random(seed);
  const source = typeOfSchema(schema);
  const failures: string[] = [];
  let checked = 0;
  let known = 0;
  while (checked < count) {
    const text = madeExpression(next);
    const { tree, problems } = parse(text);
    if (problems.length > 0) continue;
    const { type } = inferTree(tree.root, source);
    for (let times = 0; times < 3; times++) {
      const record = madeValue(schema, next);
      let value: unknown;
      try {
        value = await jsonata(text, { timeout: 2000, stack: 2000 }).evaluate(structuredClone(record));
      } catch {
        continue;
      }
      checked++;
      if (!type.unknown) known++;
      if (!admits(type, value)) failures.push(`${text} is inferred as ${describe(type)} and gives ${JSON.stringify(value)} for ${JSON.stringify(record)}`);
    }
  }
  return { checked, known, failures };
}

/** Comparisons that are said never to hold, over records on which they might. Gives those that did hold. */
export async function tryNeverTrue(count: number, seed: number, schema: Schema): Promise<string[]> {
  const next = random(seed);
  const pick = (from: readonly string[]): string => from[Math.floor(next() * from.length)]!;
  const source = typeOfSchema(schema);
  const failures: string[] = [];
  for (let checked = 0; checked < count;) {
    const left = next() < 0.5 ? madeExpression(next) : pick(["status", "priority", "id", "name", "tags", "emails.type", "active", "nickname", "lines.sku", "owner.name"]);
    const right = next() < 0.5 ? madeExpression(next) : pick(["'open'", "'x'", "null", "1", "true", "'work'", "'low'"]);
    const text = `(${left}) ${pick(["=", "in"])} (${right})`;
    const { tree, problems } = parse(text);
    if (problems.length > 0 || inferTree(tree.root, source).type.boolean !== "false") continue;
    checked++;
    for (let times = 0; times < 10; times++) {
      const record = madeValue(schema, next);
      const holds: unknown = await jsonata(text, { timeout: 2000, stack: 2000 }).evaluate(structuredClone(record)).catch(() => false);
      if (holds === true) failures.push(`${text} holds for ${JSON.stringify(record)}`);
    }
  }
  return failures;
}

function madeExpression(next: () => number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
  const atoms = ["id", "name", "nickname", "email", "status", "priority", "total", "discount", "active", "born_on", "tags", "emails", "lines", "address", "owner", "products", "emails.value", "lines.price", "lines.sku", "address.country", "owner.name", "1", "0", "'open'", "''", "null", "true", "custom", "custom.x", "$", "[]"];
  const made = (depth: number): string => {
    if (depth <= 0) return pick(atoms);
    const sub = () => made(depth - 1 - Math.floor(next() * 2));
    switch (Math.floor(next() * 23)) {
      case 0: return `${sub()} ${pick(["+", "-", "*", "/"])} ${sub()}`;
      case 1: return `${sub()} & ${sub()}`;
      case 2: return `(${sub()} ${pick(["=", "!=", "<", "in", "and", "or"])} ${sub()})`;
      case 3: return `(${sub()} ? ${sub()} : ${sub()})`;
      case 4: return `(${sub()} ? ${sub()})`;
      case 5: return `(${sub()} ${pick(["??", "?:"])} ${sub()})`;
      case 6: return `${pick(["emails", "lines", "products", "tags", "address", "(" + sub() + ")"])}[${pick(["0", "-1", "type = 'work'", "price > 2", "$ != ''", sub()])}]`;
      case 7: return `${pick(["emails", "lines", "products", "address", "owner"])}.(${sub()})`;
      case 8: return `${pick(["emails", "lines"])}.{ 'a': ${pick(["value", "sku", "price", sub()])} }`;
      case 9: return `[${sub()}, ${sub()}]`;
      case 10: return `{ 'a': ${sub()}, 'b': ${sub()} }.${pick(["a", "b"])}`;
      case 11: return `$${pick(["string", "boolean", "not", "exists", "count", "type", "lowercase", "sum", "max", "average", "length", "number", "trim", "keys", "distinct", "reverse", "round", "floor", "sort", "abs", "merge"])}(${sub()})`;
      case 12: return `$map(${sub()}, function($v, $i){ ${pick(["$v", "$i", "$string($v)", "[$v]", "$v.value"])} })`;
      case 13: return `$filter(${sub()}, function($v){ ${pick(["$v", "$v != 'x'", "true"])} })`;
      case 14: return `(${sub()})[]`;
      case 15: return `(${sub()})^($string($))`;
      case 16: return `$append(${sub()}, ${sub()})`;
      case 17: return `$lookup(${pick(["{ 'open': 1, 'won': 'w' }", "address", "emails", sub()])}, ${pick(["status", "'city'", "'value'", sub()])})`;
      case 18: return `($x := ${sub()}; ${pick(["$x", "[$x]", "$x ? $x", "$x.a"])})`;
      case 19: return `${pick(["nickname", "discount", "email", "owner", "priority"])} ${pick(["?", "!= null ?", "= null ?"])} ${pick(["nickname", "discount", "email", "owner", "priority"])} : 1`;
      case 20: {
        const x = pick(["nickname", "discount", "email", "owner", "priority", "status", "tags", "active", "address.country", "emails[0].value", "custom.x"]);
        const y = pick(["nickname", "email", "active", "tags", "id"]);
        const asked = pick([`$exists(${x})`, `$not(${x})`, `$type(${x}) = 'string'`, `$type(${x}) != 'string'`, `${x} and ${y}`, `(${x} or ${y})`, `${x} = 'open'`, `${x} != 'open'`, `${x} in ['open', 'a', null]`, `$count(${x}) > 0`, `$boolean(${x}) = true`, `$exists(${x}) = false`, `$not($exists(${x}))`, `$not(${x} = null)`, `$length(${x}) > 0`, `${x} > 1`]);
        return `(${asked} ? ${pick([x, `${x}[0]`, y])} : ${pick([x, y, "1"])})`;
      }
      case 21: return `[${pick(["1..3", "0..id", "id..3"])}]${pick(["", ".($ * 2)", "[$ > 1]", "[0]"])}`;
      default: return `$${pick(["substring", "split", "join", "formatNumber", "contains"])}(${sub()}, ${pick(["'a'", "0", "','"])})`;
    }
  };
  return made(1 + Math.floor(next() * 3));
}

/** A record that the schema admits. */
function madeValue(schema: unknown, next: () => number): unknown {
  const { type, enum: values, properties, required, items, minItems, format } = schema as Record<string, any>;
  if (values) return values[Math.floor(next() * values.length)];
  const one = Array.isArray(type) ? type[Math.floor(next() * type.length)] : type;
  switch (one) {
    case "null": return null;
    case "boolean": return next() < 0.5;
    case "integer": return Math.floor(next() * 4);
    case "number": return next() < 0.5 ? Math.floor(next() * 5) : next() * 10;
    case "string": return format === "date" ? "2026-03-01" : format === "date-time" ? "2026-03-01T10:00:00Z" : ["", "a", "open", "12", "b c"][Math.floor(next() * 5)];
    case "array": return Array.from({ length: (minItems ?? 0) + Math.floor(next() * 3) }, () => madeValue(items, next));
    default: return Object.fromEntries(Object.entries(properties ?? { x: { type: "string" } }).filter(([name]) => (required ?? []).includes(name) || next() < 0.6).map(([name, property]) => [name, madeValue(property, next)]));
  }
}

function admits(type: Type, value: unknown): boolean {
  if (type.unknown) return true;
  if (value === undefined) return type.absent !== undefined;
  if (value === null) return type.null !== undefined;
  if (typeof value === "function") return type.function !== undefined;
  if (typeof value === "boolean") return type.boolean === "any" || type.boolean === String(value);
  if (typeof value === "number") return type.number !== undefined && (type.number.whole !== true || Number.isInteger(value)) && (type.number.values?.includes(value) ?? true);
  if (typeof value === "string") return type.string !== undefined && (type.string.values?.includes(value) ?? true);
  if (Array.isArray(value)) {
    const { array } = type;
    return array !== undefined && !(value.length === 0 && array.nonEmpty) && value.every((item) => admits(array.items, item));
  }
  const { object } = type;
  if ((value as { _jsonata_lambda?: boolean })._jsonata_lambda || (value as { _jsonata_function?: boolean })._jsonata_function) return type.function !== undefined;
  if (!object) return false;
  const names = new Set([...object.members.keys(), ...Object.keys(value as object)]);
  return [...names].every((name) => {
    const member = object.members.get(name) ?? object.rest;
    const held = Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined;
    return member === undefined ? held === undefined : held === undefined && !object.members.has(name) ? true : admits(member, held);
  });
}

if (import.meta.main) {
  const { SOURCE } = await import("./source-and-target.ts");
  const [count = 50_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
  const { checked, known, failures: untrue } = await tryTypes(count, seed, SOURCE);
  const failures = [...untrue, ...await tryNeverTrue(Math.ceil(count / 20), seed, SOURCE)];
  for (const failure of failures.slice(0, 20)) console.error(`${failure}\n`);
  console.log(`fuzz:types seed ${seed}: ${checked} values, ${known} of a known type, ${failures.length} wrong`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}
