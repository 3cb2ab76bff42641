/** Binary operators on values. Meaning and codes are the reference's. */
import { fail } from "./failure.ts";
import { numeric } from "./truth.ts";
import { sequenceOf, type Run } from "./values.ts";

export type Operator = (left: unknown, right: unknown, run: Run) => unknown;

const arithmetic = (calculate: (left: number, right: number) => number): Operator => (left, right) => {
  if (left !== undefined && !numeric(left)) throw fail("T2001", { value: left });
  if (right !== undefined && !numeric(right)) throw fail("T2002", { value: right });
  return left === undefined || right === undefined ? undefined : calculate(left, right);
};

const comparison = (compare: (left: string | number, right: string | number) => boolean): Operator => (left, right) => {
  const [leftType, rightType] = [typeof left, typeof right];
  const comparable = (type: string) => type === "string" || type === "number";
  if ((left !== undefined && !comparable(leftType)) || (right !== undefined && !comparable(rightType))) throw fail("T2010", { value: comparable(leftType) ? right : left });
  if (left === undefined || right === undefined) return undefined;
  if (leftType !== rightType) throw fail("T2009", { value: left, value2: right });
  return compare(left as string, right as string);
};

export function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  if (Array.isArray(left)) return left.length === (right as unknown[]).length && left.every((item, index) => isEqual(item, (right as unknown[])[index]));
  const names = Object.getOwnPropertyNames(left);
  if (names.length !== Object.getOwnPropertyNames(right).length) return false;
  return names.every((name) => Object.hasOwn(right, name) && isEqual((left as Record<string, unknown>)[name], (right as Record<string, unknown>)[name]));
}

function range(from: unknown, to: unknown, run: Run): unknown {
  if (from !== undefined && !Number.isInteger(from)) throw fail("T2003", { value: from });
  if (to !== undefined && !Number.isInteger(to)) throw fail("T2004", { value: to });
  if (from === undefined || to === undefined || (from as number) > (to as number)) return undefined;
  const size = (to as number) - (from as number) + 1;
  if (size > 1e7) throw fail("D2014", { value: size });
  run.made(size);
  const items = sequenceOf();
  // Not by counting up to `to`: beyond 2^53 adding one changes nothing, and the end is never passed.
  for (let index = 0; index < size; index++) items.push((from as number) + index);
  return items;
}

/** `and`, `or` and `&` are compiled by themselves: they look at the right side late, or need more than two values. */
export const operators: Readonly<Record<string, Operator>> = {
  "+": arithmetic((left, right) => left + right),
  "-": arithmetic((left, right) => left - right),
  "*": arithmetic((left, right) => left * right),
  "/": arithmetic((left, right) => left / right),
  "%": arithmetic((left, right) => left % right),
  "=": (left, right) => left !== undefined && right !== undefined && isEqual(left, right),
  "!=": (left, right) => left !== undefined && right !== undefined && !isEqual(left, right),
  "<": comparison((left, right) => left < right),
  "<=": comparison((left, right) => left <= right),
  ">": comparison((left, right) => left > right),
  ">=": comparison((left, right) => left >= right),
  "..": range,
  in: (left, right) => left !== undefined && right !== undefined && (Array.isArray(right) ? right.includes(left) && !Number.isNaN(left) : right === left),
};
