/** Expressions that need no interpreter: constants, plain paths of names, variables and plain paths below them. */
import { readPath } from "./plain-path.ts";
import type { Node } from "./reference.ts";
import type { Bindings } from "./types.ts";

export type Direct = (input: unknown, bindings: Bindings) => unknown;

/** Undefined when the expression is anything more. `isFunction`: variables that are functions belong to the reference. */
export function compileDirect(tree: Node, isFunction: (name: string) => boolean): Direct | undefined {
  if (isBare(tree) && (tree.type === "string" || tree.type === "number" || tree.type === "value")) return () => tree.value;
  if (isBare(tree) && tree.type === "variable") return variable(tree, isFunction);
  if (tree.type !== "path" || !isBare(tree)) return undefined;
  const [first, ...rest] = tree.steps as Node[];
  if (first === undefined || !rest.every(isName)) return undefined;
  const names = rest.map((step) => String(step.value));
  if (isName(first)) {
    const path = [String(first.value), ...names];
    // The reference takes a list as input for one thing, not for its items.
    return (input) => readPath(Array.isArray(input) ? [input] : input, path);
  }
  if (first.type !== "variable" || !isBare(first)) return undefined;
  const start = variable(first, isFunction);
  return start && ((input, bindings) => readPath(start(input, bindings), names));
}

function variable({ value }: Node, isFunction: (name: string) => boolean): Direct | undefined {
  const name = String(value);
  if (name === "" || name === "$") return (input) => input;
  if (isFunction(name) || name === "now") return undefined;
  return (_input, bindings) => (Object.hasOwn(bindings, name) ? bindings[name] : undefined);
}

const isName = (step: Node): boolean => step.type === "name" && isBare(step);

/** No filter, no index, no `[]`, no grouping: nothing but what its type says. */
const isBare = (node: Node): boolean => Object.keys(node).every((member) => PLAIN_MEMBERS.has(member));
const PLAIN_MEMBERS: ReadonlySet<string> = new Set(["type", "value", "position", "steps"]);
