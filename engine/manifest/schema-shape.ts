/**
 * Schemas as the validator walks them: references followed, `allOf` and what stands beside a `$ref` folded into one shape.
 * Only the part of JSON Schema 2020-12 that our own schemas use; a test holds it against Ajv.
 */
import { schemas } from "../../schemas/bundle.gen.ts";

export interface Placed { readonly schema: RawSchema; readonly base: string }
export type RawSchema = { readonly [keyword: string]: unknown };

export interface Shape {
  readonly title?: string;
  /** The description of the innermost definition: what kind of value it is. */
  readonly meaning?: string;
  readonly example?: unknown;
  readonly types?: readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minProperties?: number;
  readonly items?: Placed;
  readonly properties: ReadonlyMap<string, Placed>;
  /** `false`: no other member; absent: any. */
  readonly others?: Placed | false;
  readonly names?: Placed;
  readonly required: readonly string[];
  readonly dependentRequired: Readonly<Record<string, readonly string[]>>;
  /** Groups of keys of which at most one may be written. */
  readonly choices: readonly (readonly string[])[];
  /** Groups of keys of which exactly one must be written. */
  readonly oneOf: readonly (readonly string[])[];
  readonly branches?: readonly Placed[];
  readonly variables: readonly string[];
  readonly notRunning?: string;
  readonly secret: boolean;
}

const cache = new WeakMap<RawSchema, Map<string, Shape>>();

export function schemaAt(path: string, pointer = ""): Placed {
  let schema: unknown = schemas.get(path);
  for (const part of pointer.split("/").slice(1)) schema = (schema as Record<string, unknown> | undefined)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  if (typeof schema !== "object" || schema === null) throw new Error(`No schema at ${path}#${pointer}`);
  return { schema: schema as RawSchema, base: path };
}

export function shapeOf({ schema, base }: Placed): Shape {
  const byBase = cache.get(schema) ?? new Map<string, Shape>();
  cache.set(schema, byBase);
  let shape = byBase.get(base);
  if (!shape) byBase.set(base, (shape = fold(schema, base)));
  return shape;
}

function fold(schema: RawSchema, base: string): Shape {
  const parents: Shape[] = [];
  if (typeof schema.$ref === "string") parents.push(shapeOf(follow(schema.$ref, base)));
  for (const part of (schema.allOf ?? []) as RawSchema[]) parents.push(shapeOf({ schema: part, base }));
  const of = <T>(key: string): T | undefined => schema[key] as T | undefined;
  const inherit = <K extends keyof Shape>(key: K, own: Shape[K] | undefined): Shape[K] | undefined => own ?? parents.find((parent) => parent[key] !== undefined)?.[key];
  const placed = (part: unknown): Placed | undefined => (typeof part === "object" && part !== null ? { schema: part as RawSchema, base } : undefined);
  const properties = new Map(parents.flatMap((parent) => [...parent.properties]));
  for (const [name, part] of Object.entries(of<Record<string, RawSchema>>("properties") ?? {})) properties.set(name, { schema: part, base });
  const closed = schema.additionalProperties === false || schema.unevaluatedProperties === false ? false : placed(schema.additionalProperties);
  const own = typeof schema.type === "string" ? [schema.type] : of<string[]>("type");
  const branches = of<RawSchema[]>("oneOf") ?? of<RawSchema[]>("anyOf");
  const shape = {
    title: inherit("title", of<string>("title")),
    meaning: inherit("meaning", undefined) ?? of<string>("description"),
    example: of<unknown[]>("examples")?.[0] ?? inherit("example", undefined),
    types: inherit("types", own), const: inherit("const", schema.const), enum: inherit("enum", of("enum")),
    pattern: inherit("pattern", of("pattern")), format: inherit("format", of("format")),
    minimum: inherit("minimum", of("minimum")), maximum: inherit("maximum", of("maximum")),
    minItems: inherit("minItems", of("minItems")), minProperties: inherit("minProperties", of("minProperties")),
    items: inherit("items", placed(schema.items)), others: inherit("others", closed), names: inherit("names", placed(schema.propertyNames)),
    branches: inherit("branches", branches?.map((part) => ({ schema: part, base }))),
    notRunning: inherit("notRunning", of("x-not-running-yet")),
    properties,
    required: [...new Set([...parents.flatMap((parent) => parent.required), ...(of<string[]>("required") ?? [])])],
    dependentRequired: Object.assign({}, ...parents.map((parent) => parent.dependentRequired), of("dependentRequired")) as Record<string, string[]>,
    choices: [...parents.flatMap((parent) => parent.choices), ...(of<string[][]>("x-choice") ?? [])],
    oneOf: [...parents.flatMap((parent) => parent.oneOf), ...(of<string[][]>("x-one-of") ?? [])],
    variables: [...new Set([...parents.flatMap((parent) => parent.variables), ...(of<string[]>("x-expression-variables") ?? [])])],
    secret: schema["x-secret"] === true || parents.some((parent) => parent.secret),
  };
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as unknown as Shape;
}

function follow(ref: string, base: string): Placed {
  const [file = "", pointer = ""] = ref.split("#");
  return schemaAt(file === "" ? base : resolvePath(base, file), pointer);
}

function resolvePath(base: string, relative: string): string {
  const parts = base.split("/").slice(0, -1);
  for (const part of relative.split("/")) if (part === "..") parts.pop(); else if (part !== ".") parts.push(part);
  return parts.join("/");
}
