import { ExpressionError } from "./expression-error.ts";

/** Characters and members a result may have; far above any record, far below memory. */
export const OUTPUT_LIMIT = 10_000_000;

/**
 * A result as plain JSON: lists without the reference's flags and methods, objects without a prototype, no functions.
 * Counts while it copies, so that a small expression cannot make a huge value out of shared parts.
 * @throws ExpressionError LIMIT (output) beyond `limit`; RESULT for a function.
 */
export function plainJson(value: unknown, limit: number = OUTPUT_LIMIT): unknown {
  return copy(value, { left: limit }, 0);
}

function copy(value: unknown, budget: { left: number }, depth: number): unknown {
  if (typeof value === "string") budget.left -= value.length;
  if (--budget.left < 0) throw new ExpressionError({ code: "LIMIT", limit: "output", message: "The result is larger than an expression may give." });
  if (typeof value === "function") throw notJson();
  if (typeof value !== "object" || value === null) return value;
  if (depth > 500) throw new ExpressionError({ code: "LIMIT", limit: "output", message: "The result is nested deeper than an expression may give." });
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const item of value) list.push(copy(item ?? null, budget, depth + 1));
    return list;
  }
  const source = value as Record<string, unknown>;
  if (source._jsonata_lambda === true || source._jsonata_function === true) throw notJson();
  const object: Record<string, unknown> = {};
  for (const name of Object.keys(source)) {
    budget.left -= name.length;
    const member = copy(source[name], budget, depth + 1);
    if (member === undefined) continue;
    if (name === "__proto__") Object.defineProperty(object, name, { value: member, enumerable: true, configurable: true, writable: true });
    else object[name] = member;
  }
  return object;
}

const notJson = () => new ExpressionError({ code: "RESULT", message: "The result is a function, not a value; call it: `$name(…)`." });
