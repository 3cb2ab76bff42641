import type { Node } from "../reference.ts";
import type { Compiler } from "./compiler.ts";
import { fail } from "./failure.ts";
import { sorted } from "./higher-order.ts";
import type { Frame, Sequence } from "./values.ts";

/** `^(…)`: by several terms; absent comes last, and only texts or only numbers compare. */
export function compileSort(node: Node, compiler: Compiler): (list: Sequence, frame: Frame) => Sequence {
  const terms = (node.terms as { expression: Node; descending?: boolean }[]).map(({ expression, descending }) => ({ code: compiler.compile(expression), sign: descending === true ? -1 : 1 }));
  const { position } = node;
  return (list, frame) => {
    const valueOf = ({ code }: (typeof terms)[number], item: unknown): unknown =>
      (list.tupleStream ? code((item as Record<string, unknown>)["@"], frame.withTuple(item as Record<string, unknown>)) : code(item, frame));
    const swap = (a: unknown, b: unknown): boolean => {
      for (const term of terms) {
        const [left, right] = [valueOf(term, a), valueOf(term, b)];
        if (left === undefined && right === undefined) continue;
        if (left === undefined) return true;
        if (right === undefined) return false;
        if (!isSortable(left) || !isSortable(right)) throw fail("T2008", { position, value: isSortable(left) ? right : left });
        if (typeof left !== typeof right) throw fail("T2007", { position, value: left, value2: right });
        if (left !== right) return (left < right ? -1 : 1) * term.sign === 1;
      }
      return false;
    };
    const result = sorted(list, swap, frame) as Sequence;
    if (list.tupleStream && result !== list) result.tupleStream = true;
    return result;
  };
}

const isSortable = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number";
