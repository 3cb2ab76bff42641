/** Reads an expression's tree as a graph. Total: what has no picture becomes an opaque node with its text. */
import { childrenOf, scopesOf, type Binder, type CallNode, type ConditionNode, type Node, type Tree } from "../../../engine/expression/syntax/index.ts";
import { functionNamed } from "../functions.ts";
import type { Graph, GraphKind, GraphNode, Port } from "./types.ts";

const MATH = new Set(["+", "-", "*", "/", "%"]);
const COMPARE: Readonly<Record<string, string>> = { "=": "is equal to", "!=": "differs from", "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least", in: "is one of" };

/** Functions that do something to each item of a list: their first argument is the list, the second what is done. */
const EACH: Readonly<Record<string, { readonly kind: GraphKind; readonly title: string }>> = {
  map: { kind: "for_each", title: "For each" }, filter: { kind: "filter", title: "Keep those" }, sort: { kind: "sort", title: "Sort" }, single: { kind: "filter", title: "The only one" },
  reduce: { kind: "reduce", title: "Combine all" }, each: { kind: "for_each", title: "For each member" }, sift: { kind: "filter", title: "Keep members" },
};

export function readGraph(tree: Tree): Graph {
  const ids = new Map<Node, string>();
  const name = (node: Node, id: string): void => {
    ids.set(node, id);
    childrenOf(node).forEach((child, index) => name(child, id === "" ? String(index) : `${id}.${index}`));
  };
  name(tree.root, "");
  const scopes = scopesOf(tree.root);
  const nodes: GraphNode[] = [];
  const edges: Graph["edges"][number][] = [];
  /** The variable node that a binding or parameter introduces → the graph node that stands for it. */
  const bound = new Map<Node, string>();
  let opaqueLength = 0;

  const idOf = (node: Node): string => ids.get(node) ?? "";
  const textOf = (node: Node): string => tree.text.slice(node.start, node.end);

  const add = (node: Node, kind: GraphKind, title: string, frame: string | undefined, slots: readonly Slot[], more: Partial<GraphNode> = {}): string => {
    const id = more.id ?? idOf(node);
    const place = nodes.length;
    const ports: Port[] = [];
    // Reserved first, so that a node comes before what feeds it.
    nodes.push({ ...more, id, kind, title, at: node, ports, ...(frame === undefined ? {} : { frame }) });
    for (const slot of slots) ports.push(plug(id, slot, slot.frame ?? frame));
    nodes[place] = { ...nodes[place]!, ports };
    return id;
  };

  const plug = (to: string, { id, label, at, as }: Slot, frame: string | undefined): Port => {
    if (at === undefined) return { id, label };
    const inside = bare(at);
    if (as === undefined && isInline(inside)) return { id, label, at, inline: inside.kind === "string" || inside.kind === "number" || inside.kind === "constant" ? inside.value : null };
    const from = as ?? visit(inside, frame);
    edges.push({ from, to, port: id });
    return { id, label, at, from };
  };

  const opaque = (node: Node, frame: string | undefined): string => {
    opaqueLength += node.end - node.start;
    return add(node, "opaque", "As written", frame, [], { detail: textOf(node) });
  };

  const visit = (written: Node, frame: string | undefined): string => {
    const node = bare(written);
    const path = plainPath(node);
    if (path) return source(node, path, frame);
    switch (node.kind) {
      case "string": return add(node, "constant", JSON.stringify(node.value), frame, []);
      case "number": return add(node, "constant", String(node.value), frame, []);
      case "constant": return add(node, "constant", String(node.value), frame, []);
      case "regex": return add(node, "regex", "Pattern", frame, [], { detail: textOf(node) });
      case "negate": return add(node, "negate", "Minus", frame, [{ id: "value", label: "value", at: node.operand }]);
      case "binary": {
        const { operator } = node;
        if (operator === "&") return add(node, "concat", "Join texts", frame, chain(node, "&").map((at, index) => ({ id: String(index), label: `part ${index + 1}`, at })));
        if (operator === "and" || operator === "or") return add(node, "condition", operator === "and" ? "All of" : "Any of", frame, chain(node, operator).map((at, index) => ({ id: String(index), label: `condition ${index + 1}`, at })), { detail: operator });
        const slots = [{ id: "left", label: MATH.has(operator) ? "first" : "value", at: node.left }, { id: "right", label: MATH.has(operator) ? "second" : COMPARE[operator] ?? operator, at: node.right }];
        return MATH.has(operator) ? add(node, "math", operator, frame, slots, { detail: operator }) : add(node, "condition", COMPARE[operator] ?? operator, frame, slots, { detail: operator });
      }
      case "condition": return add(node, "if", elseOf(node)?.kind === "condition" ? "Cases" : "If", frame, cases(node));
      case "default": return add(node, "default", "Default", frame, [{ id: "value", label: "value", at: node.left }, { id: "fallback", label: node.operator === "??" ? "when absent" : "when absent, empty or false", at: node.right }], { detail: node.operator });
      case "object": return object(node, frame, "object", "Object", []);
      case "array": return add(node, "list", "List", frame, node.items.map((at, index) => ({ id: String(index), label: `item ${index + 1}`, at })));
      case "range": return add(node, "range", "Numbers from … to", frame, [{ id: "left", label: "from", at: node.left }, { id: "right", label: "to", at: node.right }]);
      case "keep_array": return add(node, "list", "Always a list", frame, [{ id: "value", label: "value", at: node.subject }], { detail: "[]" });
      case "map": if (!isPictured(node)) return opaque(node, frame); return add(node, "for_each", "For each", frame, [{ id: "list", label: "each of", at: node.left }, { id: "body", label: "becomes", at: node.right, frame: idOf(node) }]);
      case "filter": return node.predicate.kind === "number"
        ? add(node, "filter", "Item", frame, [{ id: "list", label: "of", at: node.subject }, { id: "body", label: "number", at: node.predicate }])
        : add(node, "filter", "Keep those", frame, [{ id: "list", label: "of", at: node.subject }, { id: "body", label: "where", at: node.predicate, frame: idOf(node) }]);
      case "sort": return add(node, "sort", "Sort", frame, [{ id: "list", label: "list", at: node.subject }, ...node.terms.map(({ expression, descending }, index) => ({ id: `by${index}`, label: descending ? "largest first by" : "by", at: expression, frame: idOf(node) }))]);
      case "group": {
        const pairs = node.pairs.flatMap(({ key, value }, index) => [{ id: `key${index}`, label: "group by", at: key, frame: idOf(node) }, { id: `value${index}`, label: "gives", at: value, frame: idOf(node) }]);
        return add(node, "group", "Group", frame, [{ id: "list", label: "list", at: node.subject }, ...pairs]);
      }
      case "block": return block(node, frame);
      case "variable": return variable(node, frame);
      case "call": return call(node, frame);
      case "apply": return apply(node, frame);
      default: return opaque(node, frame);
    }
  };

  const source = (node: Node, { root, steps }: PlainPath, frame: string | undefined): string => {
    const title = steps.join(".").replaceAll(".[", "[");
    if (root?.kind === "variable" && root.name !== "" && root.name !== "$") {
      const from = binderOf(root);
      return add(node, from === undefined ? "variable" : "source", title === "" ? `$${root.name}` : title, frame, from === undefined ? [] : [{ id: "of", label: `of $${root.name}`, at: root, as: from }], { path: steps, root: { variable: root.name }, ...(title === "" ? {} : { detail: `$${root.name}` }) });
    }
    const fromRecord = root?.kind === "variable" ? root.name === "$" : frame === undefined;
    if (steps.length === 0) return add(node, fromRecord ? "record" : "item", fromRecord ? "Whole record" : "Item", frame, [], { root: fromRecord ? "record" : "item", path: [] });
    return add(node, "source", title, frame, [], { path: steps, root: fromRecord ? "record" : "item" });
  };

  const binderOf = (node: Node): string | undefined => {
    if (node.kind !== "variable") return undefined;
    const binder: Binder | undefined = scopes.uses.get(node)?.at(-1);
    return binder && bound.get(binder.variable);
  };

  const variable = (node: Node, frame: string | undefined): string => source(node, { root: node, steps: [] }, frame);

  const object = (node: Extract<Node, { kind: "object" }>, frame: string | undefined, kind: GraphKind, title: string, before: readonly Slot[]): string => {
    if (node.pairs.some(({ key }) => key.kind !== "string")) return opaque(node, frame);
    return add(node, kind, title, frame, [...before, ...node.pairs.map(({ key, value }, index) => ({ id: String(index), label: key.kind === "string" ? key.value : "", at: value }))]);
  };

  /** Brackets with bindings: each is a node of its own, and uses of its name are wires from it. */
  const block = (node: Extract<Node, { kind: "block" }>, frame: string | undefined): string => {
    const result = node.expressions.at(-1);
    const bindings = node.expressions.slice(0, -1);
    if (result === undefined || bindings.some((each) => each.kind !== "bind" || each.variable.kind !== "variable" || bare(each.value).kind === "lambda")) return opaque(node, frame);
    for (const each of bindings) {
      if (each.kind !== "bind" || each.variable.kind !== "variable") continue;
      const id = add(each, "binding", `$${each.variable.name}`, frame, [{ id: "value", label: "is", at: each.value }]);
      bound.set(each.variable, id);
    }
    return visit(result, frame);
  };

  const call = (node: CallNode, frame: string | undefined, piped?: Node): string => {
    const args = piped === undefined ? node.args : [piped, ...node.args];
    if (node.callee.kind !== "variable" || node.partial || (scopes.uses.get(node.callee)?.length ?? 0) > 0) return opaque(node, frame);
    const { name: called } = node.callee;
    const id = idOf(node);
    const table = args[0] === undefined ? undefined : bare(args[0]);
    if (called === "not" && args.length === 1) return add(node, "condition", "Is not true", frame, [{ id: "0", label: "condition", at: args[0] }], { detail: "$not" });
    if (called === "lookup" && args.length === 2 && table?.kind === "object" && table.pairs.every(({ key }) => key.kind === "string")) {
      return add(node, "lookup", "Table", frame, [{ id: "key", label: "look up", at: args[1] }, ...table.pairs.map(({ key, value }, index) => ({ id: `row${index}`, label: key.kind === "string" ? key.value : "", at: value }))]);
    }
    const each = EACH[called];
    const lambda = args[1] === undefined ? undefined : bare(args[1]);
    if (each !== undefined && lambda?.kind === "lambda" && lambda.parameters.every(({ kind }) => kind === "variable")) {
      for (const parameter of lambda.parameters) bound.set(parameter, `${id}#${parameter.kind === "variable" ? parameter.name : ""}`);
      const made = add(node, each.kind, each.title, frame, [
        { id: "list", label: "of", at: args[0] }, { id: "body", label: each.kind === "for_each" ? "becomes" : each.kind === "reduce" ? "together" : each.kind === "sort" ? "is after" : "where", at: lambda.body, frame: id },
        ...args.slice(2).map((at, index) => ({ id: String(index + 2), label: "beginning with", at })),
      ], { detail: `$${called}` });
      for (const parameter of lambda.parameters) if (parameter.kind === "variable") nodes.push({ id: `${id}#${parameter.name}`, kind: "item", title: `$${parameter.name}`, at: parameter, ports: [], frame: id, root: { variable: parameter.name }, path: [] });
      return made;
    }
    if (args.some((argument) => bare(argument).kind === "lambda")) return opaque(node, frame);
    const known = functionNamed(called);
    const labels = known?.parameters ?? [];
    const count = Math.max(args.length, labels.filter((label) => !label.endsWith("?")).length, Math.min(labels.length, args.length + 1));
    return add(node, "function", `$${called}`, frame, Array.from({ length: count }, (_, index) => ({ id: String(index), label: (labels[index] ?? `argument ${index + 1}`).replace(/\?$/, ""), ...(args[index] === undefined ? {} : { at: args[index] }) })), known === undefined ? {} : { detail: known.doc });
  };

  /** `a ~> $f(b)`: a pipeline, from left to right. */
  const apply = (node: Extract<Node, { kind: "apply" }>, frame: string | undefined): string => {
    const right = bare(node.right);
    if (right.kind === "call") return call(right, frame, node.left);
    if (right.kind === "variable" && functionNamed(right.name)) return add(node, "function", `$${right.name}`, frame, [{ id: "0", label: functionNamed(right.name)!.parameters[0]?.replace(/\?$/, "") ?? "value", at: node.left }], { detail: functionNamed(right.name)!.doc });
    return opaque(node, frame);
  };

  const cases = (node: ConditionNode): Slot[] => {
    const slots: Slot[] = [];
    let at: ConditionNode = node;
    for (let index = 0; ; index++) {
      slots.push({ id: `when${index}`, label: "when", at: at.condition }, { id: `then${index}`, label: "then", at: at.whenTrue });
      const next = elseOf(at);
      if (next?.kind !== "condition") return [...slots, { id: "else", label: "otherwise", ...(at.whenFalse === undefined ? {} : { at: at.whenFalse }) }];
      at = next;
    }
  };

  const result = visit(tree.root, undefined);
  const length = tree.root.end - tree.root.start;
  return { nodes, edges, result, coverage: length === 0 ? 1 : 1 - opaqueLength / length };
}

interface Slot { readonly id: string; readonly label: string; readonly at?: Node | undefined; /** Its content lies in this frame. */ readonly frame?: string; /** The node the wire comes from is there already. */ readonly as?: string }

/** Without brackets that only hold together. */
export function bare(node: Node): Node {
  return node.kind === "block" && node.expressions.length === 1 && node.expressions[0]!.kind !== "bind" ? bare(node.expressions[0]!) : node;
}

const elseOf = (node: ConditionNode): Node | undefined => node.whenFalse && bare(node.whenFalse);

const isInline = (node: Node): boolean => node.kind === "string" || node.kind === "number" || node.kind === "constant";

/** Steps that have no picture (`*`, `**`, `%`, `@`, `#`) make the whole path one text. */
const isPictured = (node: Node): boolean => node.kind === "map" ? isPictured(node.left) && isPictured(node.right) : "subject" in node && node.kind !== "focus" && node.kind !== "index" ? isPictured(node.subject) : !["wildcard", "descendant", "parent", "focus", "index"].includes(node.kind);

/** Operands of a chain of one operator, from left to right. */
function chain(node: Node, operator: string): Node[] {
  return node.kind === "binary" && node.operator === operator ? [...chain(node.left, operator), node.right] : [node];
}

export interface PlainPath { readonly root: Node | undefined; readonly steps: readonly string[] }

/** `a.b[0].c`, `$x.a`, `$`: names and positions only. */
export function plainPath(node: Node): PlainPath | undefined {
  if (node.kind === "name") return { root: undefined, steps: [node.name] };
  if (node.kind === "variable") return { root: node, steps: [] };
  if (node.kind === "map") {
    const left = plainPath(node.left);
    const right = node.right.kind === "variable" ? undefined : plainPath(node.right);
    return left && right && right.root === undefined ? { root: left.root, steps: [...left.steps, ...right.steps] } : undefined;
  }
  if (node.kind === "filter" && (node.predicate.kind === "number" || (node.predicate.kind === "negate" && node.predicate.operand.kind === "number"))) {
    const subject = plainPath(node.subject);
    const number = node.predicate.kind === "number" ? node.predicate.value : -(node.predicate.operand as Extract<Node, { kind: "number" }>).value;
    return subject && subject.steps.length > 0 ? { root: subject.root, steps: [...subject.steps.slice(0, -1), `${subject.steps.at(-1)}[${number}]`] } : undefined;
  }
  return undefined;
}

