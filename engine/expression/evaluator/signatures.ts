/**
 * Arguments against a signature. Nearly every call is right and simple, so the common shapes are checked here directly; all
 * else (wrapping one value as a list, taking the context, every error) is the reference's own validation.
 */
import { Fn, type Signature } from "./values.ts";

type Check = (value: unknown) => boolean;
interface Quick { readonly checks: readonly Check[]; readonly required: number }

const CHECKS: Readonly<Record<string, Check>> = {
  s: (value) => typeof value === "string",
  n: (value) => typeof value === "number",
  b: (value) => typeof value === "boolean",
  a: Array.isArray,
  f: (value) => value instanceof Fn,
  o: (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Fn),
  x: (value) => value !== undefined,
  j: (value) => value !== undefined && !(value instanceof Fn),
};
const ITEMS: Readonly<Record<string, Check>> = {
  "a<n>": (value) => Array.isArray(value) && value.every((item) => typeof item === "number"),
  "a<s>": (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};

const quick = new WeakMap<Signature, Quick | null>();

/** The arguments as the function takes them. @throws the reference's T0410, T0411, T0412 */
export function validated(signature: Signature, args: readonly unknown[], context: unknown): readonly unknown[] {
  let shape = quick.get(signature);
  if (shape === undefined) quick.set(signature, shape = shapeOf(signature.definition) ?? null);
  if (shape && args.length >= shape.required && args.length <= shape.checks.length && args.every((arg, index) => (shape.checks[index] as Check)(arg))) return args;
  return signature.validate(args, context);
}

/** One of several types: `(sn)`. */
const either = (types: string): Check => {
  const checks = [...types].map((type) => CHECKS[type] as Check);
  return (value) => checks.some((check) => check(value));
};

/** Undefined for signatures with more than plain types and choices of them: `+`, lists in choices. */
function shapeOf(definition: string): Quick | undefined {
  const types = definition?.slice(1, definition.lastIndexOf(":"));
  if (!types || !/^((a<[ns]>|\([snbafo]+\)|[snbafoxj])[-?]?)+$/.test(types)) return undefined;
  const parts = [...types.matchAll(/(a<[ns]>|\([snbafo]+\)|[snbafoxj])([-?]?)/g)];
  // With the context as a default, fewer arguments than that mean something else.
  const required = parts.some(([, , mark]) => mark === "-") ? parts.filter(([, , mark]) => mark !== "?").length : parts.findIndex(([, , mark]) => mark === "?");
  return { checks: parts.map(([, type = ""]) => ITEMS[type] ?? CHECKS[type] ?? either(type.slice(1, -1))), required: required < 0 ? parts.length : required };
}
