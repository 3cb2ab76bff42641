/** JSONata's sequences: nothing, one value, or a list of several. */
import type { Node } from "../syntax/index.ts";
import { ABSENT, absenceOf, NEVER, SEVERAL, UNKNOWN, alternativesOf, describe, isNever, isOnly, listOf, union, without, type Type } from "./type.ts";

/** The items of a list, or the value itself; never absent. */
export function elementsOf(type: Type, otherwise: Type = NEVER): Type {
  if (type.unknown) return UNKNOWN;
  const singles = without(type, "array", "absent");
  return type.array ? union(singles, without(type.array.items, "absent")) : isNever(singles) ? otherwise : singles;
}

/**
 * What one step gives for each item, as the sequence of them: nothing, one, or a list; lists in it are put together. A list that
 * is the only result stays the list it is, also when it holds one value or none.
 */
export function manyOf(each: Type, nonEmpty: boolean, step?: Node): Type {
  if (each.unknown) return UNKNOWN;
  const items = step && makesLists(step) ? without(each, "absent") : elementsOf(each);
  const empty = nonEmpty && (!each.array || each.array.nonEmpty) ? NEVER : ABSENT;
  const lists = each.array && !each.array.nonEmpty ? listOf(items) : NEVER;
  return union(items, isNever(items) ? NEVER : listOf(items, SEVERAL), lists, isNever(items) ? ABSENT : empty, absenceOf(each));
}

/** A name looked up in each item of a list. */
export const flattened = (array: { readonly nonEmpty?: true }, each: Type): Type => (each.unknown ? UNKNOWN : manyOf(each, array.nonEmpty === true));

/** `[ … ]`, also filtered: inside a list it stays a list of its own. */
export const isListLiteral = (node: Node): boolean => node.kind === "array" || ((node.kind === "filter" || node.kind === "keep_array") && isListLiteral(node.subject));

/** A step that gives one list for each item, which are not put together: `[ … ]`, also in brackets or with steps of its own. */
function makesLists(step: Node): boolean {
  if (step.kind === "block") return step.expressions.some((one) => makesLists(one));
  return isListLiteral(step) || (step.kind === "map" && makesLists(step.left));
}

/** A list as the sequence of its items, which one item leaves as one value. */
export function sequenceOf(type: Type): Type {
  if (type.unknown || !type.array) return type;
  const items = elementsOf(type);
  return union(items, listOf(items, SEVERAL), absenceOf(type), type.array.nonEmpty ? NEVER : ABSENT);
}

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
