/** Finds the records in an answer. What is not the declared shape is an error: an empty list would delete rows in a sweep. */
import type { Answer, Variables } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { CompiledExpression } from "../expression/index.ts";

export interface Selected {
  readonly records: readonly unknown[];
  /** The expression found nothing, where it may: whether that means "none" is the provider's secret, so it proves no deletion. */
  readonly unproven: boolean;
}

/** @throws PlugboardError RUN_SHAPE */
export async function selectRecords(answer: Answer, expression: CompiledExpression, variables: Variables, request: string): Promise<Selected> {
  const { body } = answer;
  if (body === undefined || body === null) throw shape(expression, body === null ? "null" : "no body", request, "If this means that there are no records, say so: `empty: status = " + answer.status + "`.");
  let value: unknown;
  try {
    value = await expression.evaluate(body, { ...variables, status: answer.status, headers: answer.headers });
  } catch (thrown) {
    throw shape(expression, `an error (${(thrown as Error).message})`, request, keysOf(body));
  }
  if (Array.isArray(value)) return { records: value, unproven: false };
  if (typeof value === "object" && value !== null) return { records: [value], unproven: false };
  // A plain path names a place that must be there; a computed one may well find nothing on the last page.
  if (value === undefined && !isPlainPath(expression.text)) return { records: [], unproven: true };
  if (value === undefined && throughEmptyList(body, expression.reads[0] ?? [])) return { records: [], unproven: false };
  throw shape(expression, value === undefined ? "nothing" : value === null ? "null" : `${typeof value} ${JSON.stringify(value).slice(0, 60)}`, request, keysOf(body));
}

const isPlainPath = (text: string): boolean => /^(?:\$\.?)?(?:[\w-]+|`[^`]*`|"[^"]*"|'[^']*')?(?:\.(?:[\w-]+|`[^`]*`|"[^"]*"|'[^']*'))*$/.test(text.trim());

/** `rows.doc` of `{ rows: [] }`: the list is there, and has nothing to look into. */
function throughEmptyList(body: unknown, path: readonly string[]): boolean {
  let values: unknown[] = [body];
  for (const name of path) {
    const items = values.flat();
    if (items.length === 0) return true;
    values = items.flatMap((item) => (typeof item === "object" && item !== null && Object.hasOwn(item, name) ? [(item as Record<string, unknown>)[name]] : []));
    if (values.length === 0) return false;
  }
  return false;
}

function keysOf(body: unknown): string {
  if (typeof body !== "object" || body === null) return `The answer is ${typeof body}.`;
  if (Array.isArray(body)) return "The answer is itself a list: `records: $`.";
  const keys = Object.keys(body);
  return keys.length === 0 ? "The answer is an empty object." : `The answer has: ${keys.slice(0, 20).join(", ")}${keys.length > 20 ? ", …" : ""}.`;
}

const shape = (expression: CompiledExpression, actual: string, request: string, suggestion: string): PlugboardError =>
  new PlugboardError("RUN_SHAPE", { expression: expression.text, actual, request, suggestion });
