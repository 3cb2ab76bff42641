/** Object constructors `{…}` and grouping `items{…}`: one pass finds the groups, a second gives each its value. */
import type { Node } from "../reference.ts";
import type { Compiler } from "./compiler.ts";
import { fail } from "./failure.ts";
import { sequenceOf, type Frame, type Sequence } from "./values.ts";

export type Pair = readonly [Node, Node];
type Tuple = Record<string, unknown>;

const RESERVED = new Set(["_jsonata_lambda", "_jsonata_function"]);

export function compileGroup(pairs: readonly Pair[], position: number | undefined, compiler: Compiler): (input: unknown, frame: Frame) => unknown {
  const compiled = pairs.map(([key, value]) => ({ key: compiler.compile(key), value: compiler.compile(value) }));
  const general = (input: unknown, frame: Frame): unknown => {
    const tuples = Array.isArray(input) && (input as Sequence).tupleStream === true;
    const list: Sequence = Array.isArray(input) ? input : sequenceOf(input);
    const items = list.length === 0 && !tuples ? [undefined] : list;
    const groups = new Map<string, Group>();
    for (const item of items) {
      const [context, inner] = tuples ? [(item as Tuple)["@"], frame.withTuple(item as Tuple)] : [item, frame];
      compiled.forEach(({ key }, pair) => {
        frame.run.tick();
        const name = key(context, inner);
        if (name === undefined) return;
        if (typeof name !== "string") throw fail("T1003", { position, value: name });
        if (RESERVED.has(name)) throw fail("D1013", { position, value: name });
        const group = groups.get(name);
        if (!group) groups.set(name, { data: item, pair });
        else if (group.pair !== pair) throw fail("D1009", { position, value: name });
        else join(group, item);
      });
    }
    const result: Record<string, unknown> = Object.create(null);
    // Names like numbers come first, as in any object.
    for (const [name, { data, pair }] of inObjectOrder(groups)) {
      const { value } = compiled[pair] as (typeof compiled)[number];
      const made = tuples ? ofTuples(data, value, frame) : value(data, frame);
      if (made !== undefined) result[name] = made;
    }
    return result;
  };
  const names = pairs.map(([key]) => (key.type === "string" && !key.predicate && !key.group ? String(key.value) : undefined));
  const isLiteral = names.every((name) => name !== undefined && !RESERVED.has(name) && name !== "__proto__") && new Set(names).size === names.length;
  if (!isLiteral) return general;
  const members = compiled.map(({ value }, index) => ({ name: names[index] as string, value }));
  return (input, frame) => {
    if (Array.isArray(input)) return general(input, frame);
    const result: Record<string, unknown> = {};
    for (const { name, value } of members) {
      const made = value(input, frame);
      if (made !== undefined) result[name] = made;
    }
    return result;
  };
}

function inObjectOrder<T>(groups: ReadonlyMap<string, T>): [string, T][] {
  return Object.entries(Object.assign(Object.create(null) as Record<string, T>, Object.fromEntries(groups)));
}

interface Group { data: unknown; readonly pair: number; /** `data` when it was made here, and may grow. */ own?: unknown[] }

/** One more item in a group: from the second on, its data is a list of all. */
function join(group: Group, item: unknown) {
  if (group.own === undefined) group.data = group.own = asList(group.data).slice();
  for (const one of asList(item)) group.own.push(one);
}

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

function ofTuples(data: unknown, value: (input: unknown, frame: Frame) => unknown, frame: Frame): unknown {
  const merged: Tuple = Object.create(null);
  const list = Array.isArray(data) ? data as Tuple[] : [data as Tuple];
  Object.assign(merged, list[0]);
  for (const tuple of list.slice(1)) for (const name of Object.keys(tuple)) merged[name] = merged[name] === undefined ? tuple[name] : tuple[name] === undefined ? merged[name] : [...asList(merged[name]), ...asList(tuple[name])];
  const { "@": context, ...variables } = merged;
  return value(context, frame.withTuple(variables));
}
