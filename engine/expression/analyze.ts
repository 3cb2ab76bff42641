/**
 * What an expression reads, without running it. Walks the reference's tree with the input paths that the context may be;
 * where it cannot tell, the shortest path it is certain of is read as a whole. So it may report too much, never too little.
 */
import { library } from "./functions/index.ts";
import type { Node } from "./reference.ts";

type Path = readonly string[];

export interface Analysis {
  /** Sorted, unique. `[]` among them: the input as a whole. */
  readonly reads: readonly Path[];
  /** Names that the expression does not bind itself, without `$`. */
  readonly variables: readonly string[];
  /** Names it calls and does not bind itself, with the position of each call's name. */
  readonly calls: ReadonlyMap<string, number>;
  readonly regexes: readonly { readonly literal: RegExp; readonly position: number }[];
}

/** What a variable or a step stands for: paths of the input, and perhaps a function written in the expression. */
interface Value { readonly paths: readonly Path[]; readonly lambda?: { readonly node: Node; readonly scope: Scope; readonly context: readonly Path[] } }
type Scope = { readonly names: Map<string, Value>; readonly outer?: Scope };

/** Deeper, a recursive function is taken to read its arguments whole. */
const INLINE_DEPTH = 4;
const NOTHING: Value = { paths: [] };
const ROOT: readonly Path[] = [[]];

/** Functions whose first argument defaults to the context, and how many arguments leave no room for it. */
const CONTEXT_ARGUMENT: Readonly<Record<string, number>> = {
  string: 1, boolean: 1, not: 1, keys: 1, spread: 1, clone: 1, lookup: 2, each: 2, sift: 2,
};
/** The same, for functions that fail on an object: a record as a whole is never what they read. */
const CONTEXT_TEXT: Readonly<Record<string, number>> = {
  substring: 3, substringBefore: 2, substringAfter: 2, lowercase: 1, uppercase: 1, length: 1, trim: 1, pad: 3, match: 3, contains: 2,
  replace: 4, split: 3, formatNumber: 3, formatBase: 2, formatInteger: 2, parseInteger: 2, number: 1, floor: 1, ceil: 1, round: 2, abs: 1,
  sqrt: 1, power: 2, base64encode: 1, base64decode: 1, encodeUrlComponent: 1, encodeUrl: 1, decodeUrlComponent: 1, decodeUrl: 1,
  toMillis: 2, fromMillis: 3,
};

export function analyze(tree: Node): Analysis {
  const reads = new Map<string, Path>();
  const variables = new Set<string>();
  const calls = new Map<string, number>();
  const regexes: { literal: RegExp; position: number }[] = [];
  let inlined = 0;

  const read = (value: Value) => {
    for (const path of value.paths) reads.set(JSON.stringify(path), path);
    if (value.lambda && inlined < INLINE_DEPTH) { inlined++; call(value.lambda, []); inlined--; }
  };

  function visit(node: Node | undefined, context: readonly Path[], scope: Scope): Value {
    if (node === undefined) return NOTHING;
    let value = visitType(node, context, scope);
    for (const stage of list(node.predicate)) value = filtered(stage, value, scope);
    if (node.group && node.type !== "path") { visitGroup(node.group as Node, value.paths, scope); return NOTHING; }
    return value;
  }

  function visitType(node: Node, context: readonly Path[], scope: Scope): Value {
    switch (node.type) {
      case "name": return { paths: context.map((path) => [...path, String(node.value)]) };
      case "path": return visitPath(node, context, scope);
      case "variable": return visitVariable(node, context, scope);
      case "wildcard": case "descendant": read({ paths: context }); return NOTHING;
      case "parent": return { paths: context.map((path) => path.slice(0, -1)) };
      case "regex": if (node.value instanceof RegExp) regexes.push({ literal: node.value, position: node.position ?? 0 }); return NOTHING;
      case "binary": case "binary_operator": readAll([node.lhs, node.rhs], context, scope); return NOTHING;
      case "unary": return visitUnary(node, context, scope);
      case "condition": {
        read(visit(node.condition as Node, context, scope));
        return union([visit(node.then as Node, context, scope), visit(node.else as Node | undefined, context, scope)]);
      }
      case "block": {
        const inner: Scope = { names: new Map(), outer: scope };
        const values = list(node.expressions).map((expression) => visit(expression, context, inner));
        values.slice(0, -1).forEach((value, index) => { if (list(node.expressions)[index]?.type !== "bind") read(value); });
        return values.at(-1) ?? NOTHING;
      }
      case "bind": {
        const name = String((node.lhs as Node).value);
        const value = visit(node.rhs as Node, context, scope);
        // Bound again, it may be either.
        scope.names.set(name, scope.names.has(name) ? union([scope.names.get(name) as Value, value]) : value);
        return value;
      }
      case "lambda": return { paths: [], lambda: { node, scope, context } };
      case "function": return visitCall(node, context, scope);
      case "partial": readAll([...list(node.arguments)], context, scope); read(visitProcedure(node, context, scope)); return NOTHING;
      case "apply": return visitApply(node, context, scope);
      case "transform": {
        read({ paths: context });
        readAll([node.pattern, node.update, node.delete], context, scope);
        return NOTHING;
      }
      case "sort": readTerms(node, context, scope); return { paths: context };
      default: return NOTHING;
    }
  }

  function visitPath(node: Node, context: readonly Path[], outer: Scope): Value {
    const scope: Scope = { names: new Map(), outer };
    let current: Value = { paths: context };
    list(node.steps).forEach((step) => {
      const before = current;
      let value = visit(step, before.paths, scope);
      for (const stage of list(step.stages)) value = filtered(stage, value, scope);
      if (typeof step.focus === "string") { scope.names.set(step.focus, value); read(value); }
      if (typeof step.index === "string") scope.names.set(step.index, NOTHING);
      current = typeof step.focus === "string" ? before : value;
    });
    if (node.group) { visitGroup(node.group as Node, current.paths, scope); return NOTHING; }
    return current;
  }

  function filtered(stage: Node, value: Value, scope: Scope): Value {
    if (stage.type === "index") scope.names.set(String(stage.value), NOTHING);
    else read(visit(stage.expr as Node, value.paths, scope));
    return { paths: value.paths };
  }

  function visitVariable(node: Node, context: readonly Path[], scope: Scope): Value {
    const name = String(node.value);
    if (name === "") return { paths: context };
    if (name === "$") return { paths: ROOT };
    const bound = find(scope, name);
    if (bound) return bound;
    variables.add(name);
    return NOTHING;
  }

  function visitUnary(node: Node, context: readonly Path[], scope: Scope): Value {
    if (node.value === "[") return union(list(node.expressions).map((item) => visit(item, context, scope)));
    if (node.value === "{") { visitGroup(node, context, scope); return NOTHING; }
    read(visit(node.expression as Node, context, scope));
    return NOTHING;
  }

  function visitGroup(group: Node, context: readonly Path[], scope: Scope) {
    for (const pair of (group.lhs ?? []) as Node[][]) readAll(pair, context, scope);
  }

  function visitProcedure(node: Node, context: readonly Path[], scope: Scope): Value {
    const procedure = node.procedure as Node;
    if (procedure.type === "variable" && !find(scope, String(procedure.value)) && procedure.value !== "" && procedure.value !== "$") {
      const name = String(procedure.value);
      if (!calls.has(name)) calls.set(name, Math.max(0, (procedure.position ?? 0) - name.length - 1));
      return NOTHING;
    }
    return visit(procedure, context, scope);
  }

  function visitCall(node: Node, context: readonly Path[], scope: Scope, piped: readonly Value[] = []): Value {
    const target = visitProcedure(node, context, scope);
    const args = [...piped, ...list(node.arguments).map((argument) => visit(argument, context, scope))];
    if (target.lambda) {
      if (inlined >= INLINE_DEPTH) { args.forEach(read); return NOTHING; }
      inlined++;
      const value = call(target.lambda, args);
      inlined--;
      args.filter((arg) => arg.lambda).forEach(read);
      return value;
    }
    const name = String((node.procedure as Node).value);
    const key = list(node.arguments).at(-1);
    if (name === "lookup" && key?.type === "string" && args.length <= 2) {
      const base = args.length === 2 ? (args[0] as Value).paths : context;
      return { paths: base.map((path) => [...path, String(key.value)]) };
    }
    args.forEach(read);
    if (args.length < (CONTEXT_ARGUMENT[name] ?? 0)) read({ paths: context });
    if (args.length < (CONTEXT_TEXT[name] ?? library[name]?.parameters.length ?? 0)) read({ paths: context.filter((path) => path.length > 0) });
    return NOTHING;
  }

  function visitApply(node: Node, context: readonly Path[], scope: Scope): Value {
    const left = visit(node.lhs as Node, context, scope);
    const right = node.rhs as Node;
    if (right.type === "function") return visitCall(right, context, scope, [left]);
    read(left);
    if (right.type === "variable") visitProcedure({ type: "function", procedure: right }, context, scope);
    if (right.type === "transform") { read(visit(right, left.paths, scope)); return NOTHING; }
    read(visit(right, context, scope));
    return NOTHING;
  }

  function call(lambda: NonNullable<Value["lambda"]>, args: readonly Value[]): Value {
    const scope: Scope = { names: new Map(), outer: lambda.scope };
    list(lambda.node.arguments).forEach((parameter, index) => scope.names.set(String(parameter.value), args[index] ?? NOTHING));
    const body = lambda.node.body as Node;
    const value = visit(body.type === "lambda" && body.thunk === true ? body.body as Node : body, lambda.context, scope);
    if (value.lambda) read(value);
    return value;
  }

  function readTerms(node: Node, context: readonly Path[], scope: Scope) {
    for (const term of list(node.terms)) read(visit(term.expression as Node, context, scope));
  }

  function readAll(nodes: readonly unknown[], context: readonly Path[], scope: Scope) {
    for (const node of nodes) if (node) read(visit(node as Node, context, scope));
  }

  read(visit(tree, ROOT, { names: new Map() }));
  const sorted = [...reads].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  return { reads: sorted, variables: [...variables].toSorted(), calls, regexes };
}

const list = (value: unknown): readonly Node[] => (Array.isArray(value) ? (value as Node[]) : []);

const union = (values: readonly Value[]): Value => {
  const lambda = values.find((value) => value.lambda)?.lambda;
  return { paths: values.flatMap((value) => value.paths), ...(lambda ? { lambda } : {}) };
};

function find(scope: Scope | undefined, name: string): Value | undefined {
  for (let at = scope; at; at = at.outer) if (at.names.has(name)) return at.names.get(name);
  return undefined;
}
