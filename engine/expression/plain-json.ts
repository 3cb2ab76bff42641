import { Fn } from "./evaluator/values.ts";
import { ExpressionError } from "./expression-error.ts";

/** Characters a result may have; far above any record, far below memory. */
export const OUTPUT_LIMIT = 10_000_000;
/** What a value costs beside its text: it takes longer to copy than a character. */
const VALUE_COST = 10;

/**
 * A result as plain JSON: lists without the reference's flags and methods, ordinary objects, no functions as
 * members (the reference's matches carry one). Counts while it copies: shared parts make a huge value out of few bytes.
 * `tick` is called for each list and object: it may end the copying when the evaluation's time is over.
 * @throws ExpressionError LIMIT (output) beyond `limit` characters; RESULT when the value itself is a function.
 */
export function plainJson(value: unknown, limit: number = OUTPUT_LIMIT, tick: () => void = noTick): unknown {
  return copy(value, { left: limit, tick }, 0);
}

const noTick = () => {};

interface Budget { left: number; readonly tick: () => void }

function copy(value: unknown, budget: Budget, depth: number): unknown {
  if (typeof value === "string") budget.left -= value.length;
  budget.left -= VALUE_COST;
  if (budget.left < 0) throw new ExpressionError({ code: "LIMIT", limit: "output", message: "The result is larger than an expression may give." });
  if (isFunction(value)) throw new ExpressionError({ code: "RESULT", message: "The result is a function, not a value; call it: `$name(…)`." });
  if (typeof value !== "object" || value === null) return value;
  budget.tick();
  if (depth > 500) throw new ExpressionError({ code: "LIMIT", limit: "output", message: "The result is nested deeper than an expression may give." });
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    // The reference puts an absent item into an empty list that it groups.
    for (const item of value) if (item !== undefined) list.push(copy(item, budget, depth + 1));
    return list;
  }
  const source = value as Record<string, unknown>;
  const object: Record<string, unknown> = {};
  for (const name of Object.keys(source)) {
    budget.left -= name.length;
    if (isFunction(source[name])) continue;
    const member = copy(source[name], budget, depth + 1);
    if (member === undefined) continue;
    if (name === "__proto__") Object.defineProperty(object, name, { value: member, enumerable: true, configurable: true, writable: true });
    else object[name] = member;
  }
  return object;
}

/** One of ours, or of the reference's. Data that only looks like one holds no JavaScript function. */
function isFunction(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value === "function";
  if (value instanceof Fn) return true;
  const marked = value as { _jsonata_lambda?: unknown; _jsonata_function?: unknown; apply?: unknown; implementation?: unknown };
  return (marked._jsonata_lambda === true && typeof marked.apply === "function") || (marked._jsonata_function === true && typeof marked.implementation === "function");
}
