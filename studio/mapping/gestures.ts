/**
 * What a hand does in the graph, as an edit of the field's text. Every gesture is one patch of one node: `applyEdit` refuses
 * what would mean something else, and everything outside the node keeps every byte. A field without an expression is the
 * gesture's text alone.
 */
import { applyEdit, literal, parse, type CallNode, type Edit, type Node, type Tree } from "../../engine/expression/syntax/index.ts";
import { bare } from "./graph/read-graph.ts";
import type { Graph, GraphNode } from "./graph/types.ts";

export type Gesture =
  /** A source, or any expression, dropped on a port; on the field itself without `port`. */
  | { readonly do: "connect"; readonly node?: string; readonly port?: string; readonly text: string }
  | { readonly do: "type_value"; readonly node: string; readonly port?: string; readonly value: string | number | boolean | null }
  /** One more part of a text: `a` → `a & " " & b`. */
  | { readonly do: "join"; readonly node: string; readonly text: string; readonly between?: string }
  | { readonly do: "wrap"; readonly node: string; readonly name: string; readonly after?: readonly string[] }
  | { readonly do: "default"; readonly node: string; readonly fallback: string; /** Also for null, empty and false. */ readonly empty?: boolean }
  | { readonly do: "if"; readonly node: string; readonly condition: string; readonly otherwise?: string }
  /** Another case in front of `otherwise`. */
  | { readonly do: "add_case"; readonly node: string; readonly condition: string; readonly result: string }
  | { readonly do: "look_up"; readonly node: string; readonly rows: readonly (readonly [key: string, text: string])[] }
  | { readonly do: "add_row"; readonly node: string; readonly key: string; readonly text: string }
  | { readonly do: "rename_row"; readonly node: string; readonly port: string; readonly key: string }
  | { readonly do: "remove_row"; readonly node: string; readonly port: string }
  /** `items` → `items.{ "name": title }` */
  | { readonly do: "for_each"; readonly node: string; readonly rows: readonly (readonly [key: string, text: string])[] }
  | { readonly do: "keep_where"; readonly node: string; readonly condition: string }
  /** The node goes, what it stood around stays: of a function its first argument, of a default its value. */
  | { readonly do: "unwrap"; readonly node: string }
  | { readonly do: "swap"; readonly node: string }
  | { readonly do: "rewrite"; readonly node: string; readonly text: string };

export type GestureResult = { readonly text: string } | { readonly refused: string; readonly message: string };

/** @param graph of `tree`; both absent for a field without an expression. */
export function perform(gesture: Gesture, tree: Tree | undefined, graph: Graph | undefined): GestureResult {
  if (tree === undefined || graph === undefined) {
    if (gesture.do === "connect" || gesture.do === "rewrite") return parse(gesture.text).problems.length === 0 ? { text: gesture.text } : { refused: "text", message: "The text is no expression." };
    return { refused: "place", message: "The field has no expression yet." };
  }
  const edit = editOf(gesture, tree, graph);
  if ("refused" in edit) return edit;
  const result = applyEdit(tree, edit);
  return "refused" in result ? { refused: result.refused, message: result.message } : { text: result.text };
}

type Planned = Edit | { readonly refused: string; readonly message: string };

function editOf(gesture: Gesture, tree: Tree, graph: Graph): Planned {
  const textOf = (node: Node): string => tree.text.slice(node.start, node.end);
  const replace = (at: Node, text: string): Edit => ({ edit: "replace", at, text });
  const found = gesture.node === undefined ? graph.nodes.find(({ id }) => id === graph.result) : graph.nodes.find(({ id }) => id === gesture.node);
  if (found === undefined) return { refused: "place", message: "This node is not part of the expression any more." };
  const { at } = found;
  switch (gesture.do) {
    case "connect": return gesture.node === undefined || gesture.port === undefined ? replace(gesture.node === undefined ? tree.root : at, gesture.text) : intoPort(found, gesture.port, gesture.text, textOf);
    case "type_value": return gesture.port === undefined ? { edit: "set_literal", at, value: gesture.value } : intoPort(found, gesture.port, literal(gesture.value), textOf);
    case "join": return replace(at, [textOf(at), ...(gesture.between === undefined ? [] : [literal(gesture.between)]), gesture.text].join(" & "));
    case "wrap": return { edit: "wrap", at, name: gesture.name, ...(gesture.after === undefined ? {} : { after: gesture.after }) };
    case "default": return replace(at, `${textOf(at)} ${gesture.empty ? "?:" : "??"} ${gesture.fallback}`);
    case "if": return replace(at, `${gesture.condition} ? ${textOf(at)}${gesture.otherwise === undefined ? "" : ` : ${gesture.otherwise}`}`);
    case "add_case": {
      const last = lastCondition(at);
      if (last === undefined) return { refused: "place", message: "Only an if can have another case." };
      const branch = `${gesture.condition} ? ${gesture.result}`;
      return last.whenFalse === undefined ? replace(last, `${textOf(last)} : ${branch}`) : replace(last.whenFalse, `${branch} : ${textOf(last.whenFalse)}`);
    }
    case "look_up": return { edit: "wrap", at, name: "lookup", before: [table(gesture.rows)] };
    case "for_each": return replace(at, `${textOf(at)}.${table(gesture.rows)}`);
    case "keep_where": return replace(at, `${textOf(at)}[${gesture.condition}]`);
    case "add_row": case "rename_row": case "remove_row": return rowEdit(gesture, found, textOf);
    case "unwrap": {
      const stays = whatStays(found);
      return stays === undefined ? { refused: "place", message: "Nothing would stay of it; remove the whole." } : replace(at, textOf(stays));
    }
    case "swap": return { edit: "swap", at };
    case "rewrite": return replace(at, gesture.text);
  }
}

const table = (rows: readonly (readonly [key: string, text: string])[]): string => rows.length === 0 ? "{}" : `{ ${rows.map(([key, text]) => `${literal(key)}: ${text}`).join(", ")} }`;

/** What is dropped on a port takes the place of what stands there; an empty one is opened first. */
function intoPort(node: GraphNode, port: string, text: string, textOf: (node: Node) => string): Planned {
  const slot = node.ports.find(({ id }) => id === port);
  if (slot === undefined) return { refused: "place", message: "The node has no such place." };
  if (slot.at !== undefined) return { edit: "replace", at: slot.at, text };
  const at = bare(node.at);
  if (at.kind === "call") return { edit: "replace_argument", at: at as CallNode, index: at.args.length, text };
  const last = port === "else" ? lastCondition(node.at) : undefined;
  if (last !== undefined) return { edit: "replace", at: last, text: `${textOf(last)} : ${text}` };
  return { refused: "place", message: "Nothing can be put there." };
}

function lastCondition(node: Node): Extract<Node, { kind: "condition" }> | undefined {
  const at = bare(node);
  if (at.kind !== "condition") return undefined;
  return (at.whenFalse && lastCondition(at.whenFalse)) ?? at;
}

/** Rows of an object, whether it is the node itself, a table's, or what a for-each makes. */
function rowEdit(gesture: Extract<Gesture, { do: "add_row" | "rename_row" | "remove_row" }>, node: GraphNode, textOf: (node: Node) => string): Planned {
  const at = bare(node.at);
  const object = at.kind === "object" ? at : at.kind === "call" && at.args[0] !== undefined ? bare(at.args[0]) : undefined;
  if (object?.kind !== "object") return { refused: "place", message: "Only an object or a table has rows." };
  const index = Number(("port" in gesture ? gesture.port : "").replace("row", ""));
  const pair = "port" in gesture ? object.pairs[index] : undefined;
  if (gesture.do === "rename_row") return pair === undefined ? { refused: "place", message: "There is no such row." } : { edit: "rename", at: pair.key, name: gesture.key };
  if (gesture.do === "remove_row") return pair === undefined ? { refused: "place", message: "There is no such row." } : { edit: "replace", at: object, text: without(object, index, textOf) };
  if (object.pairs.some(({ key }) => key.kind === "string" && key.value === gesture.key)) return { refused: "name", message: `There is a row '${gesture.key}' already.` };
  const inside = textOf(object).slice(1, -1).trimEnd();
  const padded = textOf(object).endsWith(" }") || object.pairs.length === 0 ? " }" : "}";
  return { edit: "replace", at: object, text: `{${object.pairs.length === 0 ? " " : `${inside}, `}${literal(gesture.key)}: ${gesture.text}${padded}` };
}

function without(object: Extract<Node, { kind: "object" }>, index: number, textOf: (node: Node) => string): string {
  const kept = object.pairs.filter((_, position) => position !== index);
  return kept.length === 0 ? "{}" : `{ ${kept.map(({ key, value }) => `${textOf(key)}: ${textOf(value)}`).join(", ")} }`;
}

function whatStays({ kind, ports }: GraphNode): Node | undefined {
  const named = { if: "then0", default: "value", lookup: "key", for_each: "list", filter: "list", sort: "list", group: "list", binding: "value" }[kind as string];
  return (named === undefined ? ports[0] : ports.find(({ id }) => id === named))?.at;
}

/**
 * How a field of the record is written where it is dropped: inside a frame over `items`, `items[].name` is `name`; what does not lie
 * in it is read from the record, `$$.company`.
 * @param path steps from the record; a list on the way is a step like any other.
 * @param frames what the frames around the place run over, outermost first, each as steps from the record; `undefined` for one whose list is computed.
 */
export function writtenAt(path: readonly string[], frames: readonly (readonly string[] | undefined)[]): string {
  const inner = frames.at(-1);
  if (frames.length === 0) return path.map(step).join(".");
  if (inner !== undefined && path.length > inner.length && inner.every((each, index) => each === path[index])) return path.slice(inner.length).map(step).join(".");
  return ["$$", ...path.map(step)].join(".");
}

const PLAIN = /^[^\s.[\]{}(),@#;:?+\-*/%|=<>^&!~$"'`0-9][^\s.[\]{}(),@#;:?+\-*/%|=<>^&!~]*$/;
const step = (name: string): string => (PLAIN.test(name) && !["and", "or", "in", "true", "false", "null"].includes(name) ? name : `\`${name}\``);

/** What the frames around a node run over: for `writtenAt`. */
export function framesAround(graph: Graph, id: string | undefined): (readonly string[] | undefined)[] {
  const frames: (readonly string[] | undefined)[] = [];
  for (let frame = graph.nodes.find((node) => node.id === id)?.frame; frame !== undefined; ) {
    const holder = graph.nodes.find((node) => node.id === frame);
    const list = graph.nodes.find((node) => node.id === holder?.ports.find((port) => port.id === "list")?.from);
    frames.unshift(list?.kind === "source" && list.root === "record" ? list.path : undefined);
    frame = holder?.frame;
  }
  return frames;
}
