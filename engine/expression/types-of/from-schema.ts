/** JSON Schema (draft 2020-12) → the type of the values it admits. What is not understood is `unknown`, so that no lint rests on it. */
import { ABSENT, BOOLEAN, NEVER, NULL, UNKNOWN, isNever, listOf, union, without, type ObjectType, type StringType, type Type } from "./type.ts";
import { digitsOf } from "./from-samples.ts";

export type Schema = boolean | { readonly [keyword: string]: unknown };

/** A record may refer to itself (a manager is an employee); below this many references its members are unknown. */
const MOST_REFERENCES = 6;

const known = new WeakMap<object, Type>();

/** Reads each schema once: the records of a stream have one schema, however many flows map them. */
export function typeOfSchema(schema: Schema): Type {
  if (typeof schema !== "object") return new Reader(schema).read(schema, 0);
  const type = known.get(schema) ?? new Reader(schema).read(schema, 0);
  known.set(schema, type);
  return type;
}

class Reader {
  private readonly root: Schema;
  /** Each reference is read once per depth: schemas that refer to each other would else be read exponentially often. */
  private readonly referred = new Map<string, Type>();
  constructor(root: Schema) {
    this.root = root;
  }

  read(schema: unknown, references: number): Type {
    if (schema === false) return NEVER;
    if (typeof schema !== "object" || schema === null) return UNKNOWN;
    const keywords = schema as Readonly<Record<string, unknown>>;
    if (typeof keywords.$ref === "string") {
      const key = `${references} ${keywords.$ref}`;
      const target = this.resolve(keywords.$ref);
      const type = this.referred.get(key) ?? (target === undefined || references >= MOST_REFERENCES ? UNKNOWN : this.read(target, references + 1));
      this.referred.set(key, type);
      return type;
    }
    if (keywords.const !== undefined) return typeOfValues([keywords.const]);
    if (Array.isArray(keywords.enum)) return typeOfValues(keywords.enum);
    const choice = keywords.anyOf ?? keywords.oneOf;
    if (Array.isArray(choice)) return this.both(this.own(keywords, references), union(...choice.map((one) => this.read(one, references))));
    if (Array.isArray(keywords.allOf)) return this.all(keywords, keywords.allOf, references);
    return this.own(keywords, references);
  }

  /** Only what the keywords beside any choice say. */
  private own(keywords: Readonly<Record<string, unknown>>, references: number): Type {
    const declared = keywords.type ?? (keywords.properties ? "object" : keywords.items ? "array" : undefined);
    if (declared === undefined) return UNKNOWN;
    const types = [declared].flat();
    const nullable: Type = keywords.nullable === true ? NULL : NEVER;
    return union(nullable, ...types.map((type): Type => {
      switch (type) {
        case "null": return NULL;
        case "boolean": return BOOLEAN;
        case "integer": return { number: { whole: true } };
        case "number": return { number: { whole: false } };
        case "string": return { string: this.string(keywords) };
        case "array": return listOf(keywords.items === undefined ? UNKNOWN : this.read(keywords.items, references), typeof keywords.minItems === "number" && keywords.minItems > 0 ? { nonEmpty: true } : {});
        case "object": return { object: this.object(keywords, references) };
        default: return UNKNOWN;
      }
    }));
  }

  private string(keywords: Readonly<Record<string, unknown>>): StringType {
    const examples = Array.isArray(keywords.examples) ? keywords.examples.filter((one) => typeof one === "string") : [];
    const digits = digitsOf(examples);
    return { ...(typeof keywords.format === "string" ? { format: keywords.format } : {}), ...(digits ? { digits } : {}) };
  }

  /** An object that lists its properties declares them, unless it says that there are others. */
  private object(keywords: Readonly<Record<string, unknown>>, references: number): ObjectType {
    const required = new Set(Array.isArray(keywords.required) ? keywords.required : []);
    const members = new Map<string, Type>();
    for (const [name, property] of Object.entries((keywords.properties ?? {}) as object)) {
      const type = this.read(property, references);
      members.set(name, required.has(name) ? type : union(type, ABSENT));
    }
    const others = keywords.additionalProperties;
    const isOpen = keywords.patternProperties !== undefined || keywords.propertyNames !== undefined || (others === undefined ? keywords.properties === undefined : others !== false);
    if (!isOpen) return { members };
    return { members, rest: typeof others === "object" && others !== null ? this.read(others, references) : UNKNOWN };
  }

  /** `allOf`: members add up, and what any part requires is required. */
  private all(keywords: Readonly<Record<string, unknown>>, parts: readonly unknown[], references: number): Type {
    const whole = parts.reduce<Type>((sum, part) => this.both(sum, this.read(part, references)), this.own(keywords, references));
    const required = parts.flatMap((part) => (part as { required?: unknown } | null)?.required ?? []);
    if (!whole.object) return whole;
    const members = new Map([...whole.object.members].map(([name, type]) => [name, required.includes(name) ? without(type, "absent") : type]));
    return { ...whole, object: { ...whole.object, members } };
  }

  /** Both at once: objects add up; of two other types the later is taken. */
  private both(left: Type, right: Type): Type {
    if (left.unknown || isNever(left)) return right;
    if (right.unknown || isNever(right)) return left;
    if (!left.object || !right.object) return right;
    const rest = left.object.rest && right.object.rest;
    return { ...right, object: { members: new Map([...left.object.members, ...right.object.members]), ...(rest ? { rest } : {}) } };
  }

  private resolve(reference: string): unknown {
    if (!reference.startsWith("#")) return undefined;
    let target: unknown = this.root;
    for (const part of reference.slice(1).split("/").slice(1)) {
      const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof target !== "object" || target === null || !Object.hasOwn(target, name)) return undefined;
      target = (target as Record<string, unknown>)[name];
    }
    return target;
  }
}

/** The type that has exactly these values. */
export function typeOfValues(values: readonly unknown[]): Type {
  return union(...values.map((value): Type => {
    if (value === null) return NULL;
    if (typeof value === "string") return { string: { values: [value] } };
    if (typeof value === "number") return { number: { values: [value], whole: Number.isInteger(value) } };
    if (typeof value === "boolean") return { boolean: value ? "true" : "false" };
    return UNKNOWN;
  }));
}
