/** JSONata's sequences: nothing, one value, or a list of several. */
import type { Node } from "../syntax/index.ts";
import { ABSENT, absenceOf, NEVER, UNKNOWN, alternativesOf, describe, isNever, isOnly, listOf, union, without, type Type } from "./type.ts";

/** The items of a list, or the value itself; never absent. */
export function elementsOf(type: Type, otherwise: Type = NEVER): Type {
  if (type.unknown) return UNKNOWN;
  const singles = without(type, "array", "absent");
  return type.array ? union(singles, without(type.array.items, "absent")) : isNever(singles) ? otherwise : singles;
}

/** What one step gives for each item, as the sequence of them: nothing, one, or a list; lists in it are put together. */
export function manyOf(each: Type, nonEmpty: boolean, step: Node): Type {
  if (each.unknown) return UNKNOWN;
  const items = step.kind === "array" ? without(each, "absent") : elementsOf(each);
  if (isNever(items)) return ABSENT;
  const empty = nonEmpty && (!each.array || each.array.nonEmpty) ? NEVER : ABSENT;
  return union(items, listOf(items, { loose: true }), empty, absenceOf(each));
}

export const flattened = (array: { readonly nonEmpty?: true }, each: Type): Type => (each.unknown ? UNKNOWN : manyOf(each, array.nonEmpty === true, { kind: "name" } as Node));

/** `x[]`: a list whenever it is there. */
export function asList(type: Type): Type {
  if (type.unknown) return UNKNOWN;
  const items = elementsOf(type);
  return union(absenceOf(type), isNever(items) && !type.array ? NEVER : { array: { items, ...(type.array && !type.array.nonEmpty && isOnly(type, "array", "absent") ? {} : { nonEmpty: true as const }) } });
}

/** How a message says what is wrong about a type. */
export function isOrCanBe(type: Type, wrong: Type): { is: string; actual: string } {
  return { is: isNever(without(type, ...alternativesOf(wrong), "absent")) ? "is" : "can be", actual: describe(wrong) };
}
