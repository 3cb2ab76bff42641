import { fail } from "./failure.ts";
import { Fn } from "./values.ts";

/** JSONata's notion of true; absent for absent. */
export function booleanOf(value: unknown): boolean | undefined {
  switch (typeof value) {
    case "undefined": return undefined;
    case "boolean": return value;
    case "string": return value.length > 0;
    case "number": return numeric(value) && value !== 0;
    case "object": {
      if (value === null) return false;
      if (!Array.isArray(value)) return !(value instanceof Fn) && Object.keys(value).length > 0;
      return value.length === 1 ? booleanOf(value[0]) : value.some((item) => booleanOf(item));
    }
    default: return false;
  }
}

/** @throws D1001 for a number that is out of range. */
export function numeric(value: unknown): value is number {
  if (typeof value !== "number" || Number.isNaN(value)) return false;
  if (!Number.isFinite(value)) throw fail("D1001", { value: String(value) });
  return true;
}
