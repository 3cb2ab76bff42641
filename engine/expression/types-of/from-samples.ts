/**
 * Observed records → their type. A sample shows what there can be, not what there cannot: objects stay open, and a text is an enum
 * to nobody. What was absent or null in one sample may be so again.
 */
import { ABSENT, BOOLEAN, NEVER, NULL, PERHAPS_ABSENT, UNKNOWN, isNever, listOf, union, type ObjectType, type StringType, type Type } from "./type.ts";

export function typeOfSamples(samples: readonly unknown[]): Type {
  return union(...alike(samples, ABSENT));
}

/** Records cut down to what a test needs: what one of them leaves out may be there all the same. */
export function typeOfExcerpts(excerpts: readonly unknown[]): Type {
  return union(...alike(excerpts, PERHAPS_ABSENT));
}

/**
 * What a schema says, widened by what was seen: a null where none is declared, a member of an object that the schema leaves open.
 * Members that it does not declare are added: the provider sends them. Where it says nothing, what was seen is all that is known.
 */
export function withSamples(declared: Type, samples: readonly unknown[]): Type {
  return widen(declared, typeOfSamples(samples));
}

export function withExcerpts(declared: Type, excerpts: readonly unknown[]): Type {
  return widen(declared, typeOfExcerpts(excerpts));
}

function alike(samples: readonly unknown[], missing: Type): Type[] {
  const texts = samples.filter((one) => typeof one === "string");
  const numbers = samples.filter((one) => typeof one === "number");
  const lists = samples.filter(Array.isArray) as unknown[][];
  const objects = samples.filter((one) => typeof one === "object" && one !== null && !Array.isArray(one)) as Record<string, unknown>[];
  return [
    samples.includes(undefined) ? missing : NEVER,
    samples.includes(null) ? NULL : NEVER,
    samples.some((one) => typeof one === "boolean") ? BOOLEAN : NEVER,
    texts.length > 0 ? { string: typeOfTexts(texts) } : NEVER,
    // Whole numbers in samples do not make the next one whole.
    numbers.length > 0 ? { number: numbers.every(Number.isInteger) ? {} : { whole: false } } : NEVER,
    lists.length > 0 ? listOf(lists.flat().length > 0 ? union(...alike(lists.flat(), missing)) : UNKNOWN) : NEVER,
    objects.length > 0 ? { object: typeOfObjects(objects, missing) } : NEVER,
  ];
}

function typeOfObjects(samples: readonly Record<string, unknown>[], missing: Type): ObjectType {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)));
  const members = [...names].map((name) => [name, union(...alike(samples.map((sample) => (Object.hasOwn(sample, name) ? sample[name] : undefined)), missing))] as const);
  return { members: new Map(members), rest: UNKNOWN };
}

const FORMATS: readonly (readonly [string, RegExp])[] = [
  ["date", /^\d{4}-\d\d-\d\d$/],
  ["date-time", /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/i],
  ["local-date-time", /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/],
  ["email", /^[^\s@]+@[^\s@]+\.[^\s@]+$/],
  ["uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i],
];

function typeOfTexts(texts: readonly string[]): StringType {
  const filled = texts.filter((one) => one !== "");
  // An empty text has no format, and what has been empty may be so again.
  const format = filled.length === texts.length ? FORMATS.find(([, pattern]) => filled.every((one) => pattern.test(one)))?.[0] : undefined;
  const digits = digitsOf(filled);
  return { ...(format ? { format } : {}), ...(digits ? { digits } : {}) };
}

/** Whether texts are all digits and some would lose digits as numbers. */
export function digitsOf(texts: readonly string[]): StringType["digits"] {
  if (texts.length === 0 || !texts.every((one) => /^\d+$/.test(one))) return undefined;
  if (texts.some((one) => /^0\d/.test(one))) return "leading_zero";
  return texts.some((one) => !Number.isSafeInteger(Number(one))) ? "long" : undefined;
}

function widen(declared: Type, seen: Type): Type {
  if (isNever(seen)) return declared;
  if (declared.unknown) return seen;
  const { object, array, string, absent: _absent, ...rest } = seen;
  const widened = union(declared, rest, string && !declared.string ? { string } : NEVER, object && !declared.object ? { object } : NEVER, array && !declared.array ? { array } : NEVER);
  return {
    ...widened,
    ...(object && declared.object ? { object: widenObject(declared.object, object) } : {}),
    ...(array && declared.array ? { array: { ...declared.array, items: widen(declared.array.items, array.items) } } : {}),
    ...(declared.string && string?.digits ? { string: { ...declared.string, digits: string.digits } } : {}),
  };
}

function widenObject(declared: ObjectType, seen: ObjectType): ObjectType {
  const members = new Map(declared.members);
  for (const [name, type] of seen.members) {
    const known = members.get(name);
    members.set(name, known ? widen(known, type) : union(type, PERHAPS_ABSENT));
  }
  return { ...declared, members };
}
