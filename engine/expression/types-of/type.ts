/**
 * What an expression can give. A type is a set of alternatives: `{ string: {}, null: true }` is text or null; no alternative at
 * all is what never happens. `unknown` stands for everything, absence included, and no lint is made from it.
 */
export interface Type {
  readonly unknown?: true;
  /** JSONata's undefined: no value at all. `perhaps`: only because something it is made from is unknown; no lint claims it. */
  readonly absent?: true | "perhaps";
  readonly null?: true;
  readonly boolean?: "true" | "false" | "any";
  readonly number?: NumberType;
  readonly string?: StringType;
  readonly object?: ObjectType;
  readonly array?: ArrayType;
  readonly function?: FunctionType;
}

export interface NumberType {
  /** true: whole; false: may have decimals; absent: nobody said. */
  readonly whole?: boolean;
  readonly values?: readonly number[];
}

export interface StringType {
  /** JSON Schema's formats, and `local-date-time` for a date and time without offset. */
  readonly format?: string;
  /** All texts it can be, when they are known: an enum or constants. */
  readonly values?: readonly string[];
  /** Texts of digits that a number cannot hold: `01234` and `12345678901234567890`. */
  readonly digits?: "leading_zero" | "long";
}

export interface ObjectType {
  readonly members: ReadonlyMap<string, Type>;
  /** Members not listed; without it there are none. */
  readonly rest?: Type;
}

export interface ArrayType {
  readonly items: Type;
  readonly nonEmpty?: true;
  /** The list appears only where there are several values: one value comes alone. */
  readonly loose?: true;
}

/** A function known by its body or by its name; `infer` gives the type of a call. */
export interface FunctionType {
  readonly call?: (args: readonly Type[]) => Type;
}

export const UNKNOWN: Type = { unknown: true };
export const NEVER: Type = {};
export const ABSENT: Type = { absent: true };
export const PERHAPS_ABSENT: Type = { absent: "perhaps" };
export const NULL: Type = { null: true };
export const BOOLEAN: Type = { boolean: "any" };
export const NUMBER: Type = { number: {} };
export const WHOLE: Type = { number: { whole: true } };
export const STRING: Type = { string: {} };

export const text = (...values: string[]): Type => ({ string: { values } });
export const textAs = (format: string): Type => ({ string: { format } });
export const listOf = (items: Type, more: { nonEmpty?: true; loose?: true } = {}): Type => ({ array: { items, ...more } });
/** A list that is one only because there are at least two values. */
export const SEVERAL = { loose: true, nonEmpty: true } as const;
export const objectOf = (members: Iterable<readonly [string, Type]>, rest?: Type): Type => ({ object: { members: new Map(members), ...(rest ? { rest } : {}) } });

/** Above this many known texts a type is just text. */
const MOST_VALUES = 200;
const ALTERNATIVES = ["absent", "null", "boolean", "number", "string", "object", "array", "function"] as const;
export type Alternative = (typeof ALTERNATIVES)[number];

export const isNever = (type: Type): boolean => !type.unknown && ALTERNATIVES.every((one) => type[one] === undefined);
/** Nothing is known, so nothing is wrong: unknown, or a branch that cannot be reached. */
export const saysNothing = (type: Type): boolean => type.unknown === true || isNever(type);
export const alternativesOf = (type: Type): Alternative[] => ALTERNATIVES.filter((one) => type[one] !== undefined);
export const mayBeAbsent = (type: Type): boolean => type.unknown === true || type.absent !== undefined;
/** The absence that what is made from a value inherits from it. */
export const absenceOf = (type: Type): Type => (type.unknown ? PERHAPS_ABSENT : type.absent ? { absent: type.absent } : NEVER);
export const isOnly = (type: Type, ...allowed: Alternative[]): boolean => !type.unknown && alternativesOf(type).every((one) => allowed.includes(one));

export function without(type: Type, ...removed: Alternative[]): Type {
  if (type.unknown) return type;
  return Object.fromEntries(Object.entries(type).filter(([key]) => !removed.includes(key as Alternative)));
}

export function only(type: Type, ...kept: Alternative[]): Type {
  if (type.unknown) return type;
  return Object.fromEntries(Object.entries(type).filter(([key]) => kept.includes(key as Alternative)));
}

export function union(...types: readonly Type[]): Type {
  return types.reduce(unite, NEVER);
}

function unite(left: Type, right: Type): Type {
  if (left.unknown || right.unknown) return UNKNOWN;
  return {
    ...left, ...right,
    ...(left.absent && right.absent ? { absent: left.absent === true || right.absent === true ? true as const : "perhaps" as const } : {}),
    ...(left.boolean && right.boolean ? { boolean: left.boolean === right.boolean ? left.boolean : "any" as const } : {}),
    ...(left.number && right.number ? { number: uniteNumbers(left.number, right.number) } : {}),
    ...(left.string && right.string ? { string: uniteStrings(left.string, right.string) } : {}),
    ...(left.object && right.object ? { object: uniteObjects(left.object, right.object) } : {}),
    ...(left.array && right.array ? { array: uniteArrays(left.array, right.array) } : {}),
    ...(left.function && right.function ? { function: {} } : {}),
  };
}

function uniteNumbers(left: NumberType, right: NumberType): NumberType {
  const whole = left.whole === false || right.whole === false ? false : left.whole === right.whole ? left.whole : undefined;
  const values = uniteValues(left.values, right.values);
  return { ...(whole === undefined ? {} : { whole }), ...(values ? { values } : {}) };
}

function uniteStrings(left: StringType, right: StringType): StringType {
  const values = uniteValues(left.values, right.values);
  const digits = left.digits ?? right.digits;
  return { ...(left.format !== undefined && left.format === right.format ? { format: left.format } : {}), ...(values ? { values } : {}), ...(digits ? { digits } : {}) };
}

function uniteValues<T>(left: readonly T[] | undefined, right: readonly T[] | undefined): T[] | undefined {
  if (!left || !right) return undefined;
  const values = [...new Set([...left, ...right])];
  return values.length > MOST_VALUES ? undefined : values;
}

function uniteObjects(left: ObjectType, right: ObjectType): ObjectType {
  if (left === right) return left;
  const members = new Map<string, Type>();
  for (const name of new Set([...left.members.keys(), ...right.members.keys()])) members.set(name, union(memberOf(left, name) ?? ABSENT, memberOf(right, name) ?? ABSENT));
  const rest = left.rest && right.rest ? union(left.rest, right.rest) : (left.rest ?? right.rest);
  return { members, ...(rest ? { rest } : {}) };
}

function uniteArrays(left: ArrayType, right: ArrayType): ArrayType {
  return {
    items: union(left.items, right.items),
    ...(left.nonEmpty && right.nonEmpty ? { nonEmpty: true as const } : {}),
    ...(left.loose || right.loose ? { loose: true as const } : {}),
  };
}

/** A member's type; undefined: the object declares its members and this is none of them. */
export function memberOf(object: ObjectType, name: string): Type | undefined {
  const member = object.members.get(name);
  if (member) return member;
  return object.rest ? union(object.rest, ABSENT) : undefined;
}

export function withMember(object: ObjectType, name: string, type: Type): ObjectType {
  return { ...object, members: new Map(object.members).set(name, type) };
}

/** What remains when JSONata's `$boolean` of the value is true. */
export function truthy(type: Type): Type {
  if (type.unknown) return type;
  const { absent: _absent, null: _null, function: _function, boolean, string, number, array, ...rest } = type;
  return {
    ...rest,
    ...(array ? { array: { ...array, nonEmpty: true as const } } : {}),
    ...(boolean && boolean !== "false" ? { boolean: "true" as const } : {}),
    ...kept("string", string && { ...string, ...(string.values ? { values: string.values.filter((value) => value !== "") } : {}) }),
    ...kept("number", number && { ...number, ...(number.values ? { values: number.values.filter((value) => value !== 0) } : {}) }),
  };
}

/** What remains when it is not. Lists and objects may be empty, or hold nothing that is true. */
export function falsy(type: Type): Type {
  if (type.unknown) return type;
  const { boolean, string, number, ...rest } = type;
  return {
    ...rest,
    ...(boolean && boolean !== "true" ? { boolean: "false" as const } : {}),
    ...(string && (!string.values || string.values.includes("")) ? { string: { values: [""] } } : {}),
    ...(number && (!number.values || number.values.includes(0)) ? { number: { values: [0], whole: true } } : {}),
  };
}

const kept = <K extends "string" | "number", V extends { readonly values?: readonly unknown[] }>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  (value === undefined || value.values?.length === 0 ? {} : { [key]: value } as Record<K, V>);

/** The type in words: `text, or nothing`. */
export function describe(type: Type): string {
  if (type.unknown) return "anything";
  if (isNever(type)) return "nothing that can be reached";
  const words: string[] = [];
  const { string, number, boolean, object, array } = type;
  if (string) words.push(string.values && string.values.length <= 6 ? string.values.map((value) => JSON.stringify(value)).join(" or ") : string.format ? `text (${string.format})` : "text");
  if (number) words.push(number.values && number.values.length <= 3 ? number.values.join(" or ") : number.whole ? "a whole number" : "a number");
  if (boolean) words.push(boolean === "any" ? "true or false" : boolean);
  if (object) words.push(`an object${object.members.size > 0 ? ` with ${[...object.members.keys()].slice(0, 5).join(", ")}${object.members.size > 5 ? ", …" : ""}` : ""}`);
  if (array) words.push(isNever(array.items) ? "an empty list" : array.items.unknown ? "a list" : `a list of ${plural(array.items)}`);
  if (type.function) words.push("a function");
  if (type.null) words.push("null");
  if (type.absent === true) words.push("nothing");
  if (words.length === 0) return "nothing";
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : words[0]!;
}

const PLURALS: Readonly<Record<string, string>> = { string: "texts", number: "numbers", object: "objects", array: "lists", boolean: "booleans", null: "nulls", function: "functions", absent: "nothing" };
const plural = (type: Type): string => alternativesOf(type).map((one) => PLURALS[one]).join(" or ");
