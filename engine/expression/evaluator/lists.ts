/** Functions of lists that take time by the square of the length in the reference, where nothing can interrupt them. */
import { isEqual } from "./operators.ts";
import { Fn, isSequence, sequenceOf, type Frame, type Sequence } from "./values.ts";

type Invoke = (args: readonly unknown[], input: unknown, frame: Frame) => unknown;

/** Texts, numbers and booleans by a set; only lists and objects are compared with each other. */
const distinct: Invoke = ([list], _input, { run }) => {
  if (!Array.isArray(list) || list.length <= 1) return list;
  const seen = new Set<unknown>();
  const objects: unknown[] = [];
  const result: Sequence = isSequence(list) ? sequenceOf() : [];
  for (const item of list) {
    if (typeof item !== "object" || item === null) {
      if (seen.has(item)) continue;
      seen.add(item);
    } else {
      if (objects.some((other) => { run.tick(); return isEqual(item, other); })) continue;
      objects.push(item);
    }
    result.push(item);
  }
  return result;
};

/** An object as a list of objects of one member each; of a list, all of theirs. */
const spread: Invoke = ([value], _input, frame) => {
  if (!Array.isArray(value)) return spreadOne(value);
  const result: unknown[] = [];
  for (const item of value) spreadInto(item, result, frame);
  frame.run.made(result.length);
  // Joining lists leaves no sequence behind; nothing joined is an empty one.
  return value.length === 0 ? sequenceOf() : result;
};

function spreadInto(value: unknown, result: unknown[], frame: Frame) {
  frame.run.tick();
  const made = Array.isArray(value) ? spread([value], undefined, frame) : spreadOne(value);
  if (Array.isArray(made)) for (const item of made) result.push(item);
  else if (made !== undefined) result.push(made);
}

function spreadOne(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Fn) return value;
  return sequenceOf(...Object.entries(value).map(([name, member]) => Object.assign(Object.create(null) as object, { [name]: member })));
}

export const lists: Readonly<Record<string, { readonly arity: number; readonly invoke: Invoke }>> = Object.assign(Object.create(null), {
  distinct: { arity: 1, invoke: distinct }, spread: { arity: 1, invoke: spread },
});
