import type { Node } from "../reference.ts";
import type { Compiler } from "./compiler.ts";
import { booleanOf, numeric } from "./truth.ts";
import { sequenceOf, type Frame, type Sequence } from "./values.ts";

/** A filter on a value: a number picks by place, all else by truth. */
export function compileFilter(test: Node, compiler: Compiler): (value: unknown, frame: Frame) => unknown {
  if (test.type === "number") {
    const wanted = Math.floor(test.value as number);
    return (value) => {
      const list: Sequence = Array.isArray(value) ? value : sequenceOf(value);
      const item = list[wanted < 0 ? list.length + wanted : wanted];
      if (Array.isArray(item)) return item;
      const results = item === undefined ? sequenceOf() : sequenceOf(item);
      if (list.tupleStream) results.tupleStream = true;
      return results;
    };
  }
  const code = compiler.compile(test);
  return (value, frame) => {
    const list: Sequence = Array.isArray(value) ? value : sequenceOf(value);
    const results = sequenceOf();
    if (list.tupleStream) results.tupleStream = true;
    for (let index = 0; index < list.length; index++) {
      const item = list[index];
      frame.run.tick();
      const tuple = list.tupleStream ? item as Record<string, unknown> : undefined;
      const found = tuple ? code(tuple["@"], frame.withTuple(tuple)) : code(item, frame);
      if (picksByPlace(found)) {
        for (const place of Array.isArray(found) ? found as number[] : [found as number]) {
          const at = Math.floor(place);
          if ((at < 0 ? list.length + at : at) === index) results.push(item);
        }
      } else if (booleanOf(found)) results.push(item);
    }
    return results;
  };
}

const picksByPlace = (value: unknown): boolean => numeric(value) || (Array.isArray(value) && value.every((item) => numeric(item)));
