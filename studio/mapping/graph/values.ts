/**
 * The value at every node for one sample record, worked out in the browser by the evaluator that a run uses. Inside a frame the
 * item is one of the list, the first unless told otherwise. Absent is not null: an absent value has no `value`.
 */
import { compileExpression, type CompiledExpression } from "../../../engine/expression/index.ts";
import type { Node, Tree } from "../../../engine/expression/syntax/index.ts";
import type { Graph, GraphNode } from "./types.ts";

export type NodeValue = { readonly value: unknown } | { readonly absent: true } | { readonly problem: string };

interface Place { /** Of a frame that steps into its items; absent: the record itself. */ readonly item?: { readonly value: unknown }; readonly bindings: Readonly<Record<string, unknown>>; /** The frame's list gave nothing: there is no item to look at. */ readonly empty?: boolean }

/** @param pick frame id → which of its items; absent: the first. */
export function valuesOf(tree: Tree, graph: Graph, record: unknown, variables: Readonly<Record<string, unknown>> = {}, pick: Readonly<Record<string, number>> = {}): ReadonlyMap<string, NodeValue> {
  const values = new Map<string, NodeValue>();
  const places = new Map<string | undefined, Place>([[undefined, { bindings: variables }]]);
  const textOf = (node: Node): string => tree.text.slice(node.start, node.end);
  const nodeOf = new Map(graph.nodes.map((node) => [node.id, node]));

  const placeOf = (frame: string | undefined): Place => {
    const known = places.get(frame);
    if (known) return known;
    const holder = nodeOf.get(frame!)!;
    const around = placeOf(holder.frame);
    const list = holder.ports.find(({ id }) => id === "list")?.at;
    const found = list === undefined || around.empty ? { absent: true as const } : evaluate(textOf(list), around, record);
    const items = "value" in found ? (Array.isArray(found.value) ? found.value as unknown[] : [found.value]) : [];
    const item = items[Math.min(pick[frame!] ?? 0, items.length - 1)];
    const parameters = graph.nodes.filter((node) => node.id.startsWith(`${frame}#`));
    const place: Place = items.length === 0 ? { bindings: around.bindings, empty: true }
      : parameters.length === 0 ? { item: { value: item }, bindings: around.bindings }
        : { ...around, bindings: { ...around.bindings, ...Object.fromEntries(parameters.map(({ root }, index) => [(root as { variable: string }).variable, holder.kind === "reduce" && index === 1 ? items[1] : item])) } };
    places.set(frame, place);
    return place;
  };

  // Bindings first: what uses them needs their values.
  for (const node of graph.nodes) {
    if (node.kind !== "binding" || node.at.kind !== "bind" || node.at.variable.kind !== "variable") continue;
    const place = placeOf(node.frame);
    const found = place.empty ? { absent: true as const } : evaluate(textOf(node.at.value), place, record);
    values.set(node.id, found);
    places.set(node.frame, { ...place, bindings: { ...place.bindings, [node.at.variable.name]: "value" in found ? found.value : undefined } });
  }
  for (const node of graph.nodes) if (!values.has(node.id)) values.set(node.id, valueAt(node, textOf(node.at), placeOf(node.frame), record));
  return values;
}

function valueAt(node: GraphNode, text: string, place: Place, record: unknown): NodeValue {
  if (place.empty) return { absent: true };
  if (node.id.includes("#")) return { value: place.bindings[(node.root as { variable: string }).variable] };
  return evaluate(text, place, record);
}

/** Compiled once per text: the same part of an expression is evaluated again for every sample. */
const compiled = new Map<string, CompiledExpression>();
const MOST_COMPILED = 2000;

/** Inside a frame the item is stepped into, as the expression itself does it; so `$$` is the record wherever one looks. */
function evaluate(text: string, { item, bindings }: Place, record: unknown): NodeValue {
  try {
    const whole = item === undefined ? text : `$plugboard_item.(${text}\n)`;
    let expression = compiled.get(whole);
    if (expression === undefined) {
      expression = compileExpression(whole);
      if (compiled.size >= MOST_COMPILED) compiled.clear();
      compiled.set(whole, expression);
    }
    const value = expression.evaluate(record, item === undefined ? bindings : { ...bindings, plugboard_item: item.value });
    return value === undefined ? { absent: true } : { value };
  } catch (thrown) {
    return { problem: (thrown as Error).message };
  }
}
