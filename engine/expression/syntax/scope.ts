/**
 * Which variables an expression binds, where they can be seen, and which it takes from outside. A block and a function open a
 * scope; a binding is seen from where it is made to the end of its scope.
 */
import type { Node, VariableNode } from "./nodes.ts";
import { walk } from "./walk.ts";

export interface Binder {
  readonly name: string;
  /** The variable node that is bound: of `:=`, `@`, `#`, or a parameter. */
  readonly variable: VariableNode;
  readonly by: "bind" | "focus" | "index" | "parameter";
  /** The block, function or whole expression in which it is seen. */
  readonly scope: Node;
  /** From this offset on it is seen: a function can call itself, any other value does not see its own name. */
  readonly visibleFrom: number;
}

export interface Scopes {
  readonly binders: readonly Binder[];
  /** Every use of a variable, with the binders it may mean, innermost last; none: it comes from outside (a built-in, an input). */
  readonly uses: ReadonlyMap<VariableNode, readonly Binder[]>;
}

export function scopesOf(root: Node): Scopes {
  const binders: Binder[] = [];
  const bound = new Set<Node>();
  const scopesAround = new Map<VariableNode, Node[]>();
  walk(root, (node, parents) => {
    const scopes = [root, ...parents.filter((parent) => parent !== root && opensScope(parent))];
    const bind = (variable: Node, by: Binder["by"], scope: Node, visibleFrom: number): void => {
      const bare = bareVariable(variable);
      if (!bare) return;
      bound.add(bare);
      binders.push({ name: bare.name, variable: bare, by, scope, visibleFrom });
    };
    if (node.kind === "bind") bind(node.variable, "bind", scopes.at(-1)!, node.value.kind === "lambda" ? node.start : node.end);
    else if (node.kind === "focus" || node.kind === "index") bind(node.variable, node.kind, scopes.at(-1)!, node.end);
    else if (node.kind === "lambda") for (const parameter of node.parameters) bind(parameter, "parameter", node, node.start);
    else if (node.kind === "variable") scopesAround.set(node, scopes);
  });
  const uses = new Map<VariableNode, Binder[]>();
  for (const [variable, scopes] of scopesAround) {
    if (bound.has(variable) || variable.name === "" || variable.name === "$") continue;
    uses.set(variable, binders.filter((binder) => binder.name === variable.name && binder.visibleFrom <= variable.start && scopes.includes(binder.scope)));
  }
  return { binders, uses };
}

/** Every variable written below a node, bound or used, without `$` and `$$`. */
export function variableNames(root: Node): Set<string> {
  const names = new Set<string>();
  walk(root, (node) => void (node.kind === "variable" && node.name !== "" && node.name !== "$" && names.add(node.name)));
  return names;
}

const opensScope = (node: Node): boolean => node.kind === "block" || node.kind === "lambda";

function bareVariable(node: Node): VariableNode | undefined {
  if (node.kind === "keep_array") return bareVariable(node.subject);
  return node.kind === "variable" ? node : undefined;
}
