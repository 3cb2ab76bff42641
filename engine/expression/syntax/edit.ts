/**
 * Edits of one node of an expression as patches of its text. An edit says what it intends; the text is patched as little as
 * possible, read again, and given back only if the patched text means exactly what was intended, everywhere. Where an operand
 * would fall apart (`x + y` in the place of `a` in `a * b`) it is put in brackets; where that does not help either the edit is
 * refused. Whatever stands outside the node keeps every byte.
 */
import type { CallNode, Node, Tree, VariableNode } from "./nodes.ts";
import { parse } from "./parse.ts";
import { parseSyntax } from "./parser.ts";
import { scopesOf, variableNames } from "./scope.ts";
import { shapeOf, type Shape } from "./shape.ts";
import type { Span } from "./token.ts";
import { walk } from "./walk.ts";

/** `at` is a node of the tree that is edited. Texts (`text`, `before`, `value` of bind …) are expressions. */
export type Edit =
  | { readonly edit: "replace"; readonly at: Node; readonly text: string }
  | { readonly edit: "set_literal"; readonly at: Node; readonly value: string | number | boolean | null }
  /** A field's name, a text as a key or step, or a variable: that one with all its uses. */
  | { readonly edit: "rename"; readonly at: Node; readonly name: string }
  | { readonly edit: "replace_argument"; readonly at: CallNode; readonly index: number; readonly text: string }
  /** `x` → `$name(before…, x, after…)`. */
  | { readonly edit: "wrap"; readonly at: Node; readonly name: string; readonly before?: readonly string[]; readonly after?: readonly string[] }
  /** `$f(x, y)` → its argument. */
  | { readonly edit: "unwrap"; readonly at: CallNode; readonly index: number }
  /** The operands of a binary operator change places. */
  | { readonly edit: "swap"; readonly at: Node }
  /** `x` → `($name := value; x)`; into the front of a block. */
  | { readonly edit: "insert_binding"; readonly at: Node; readonly name: string; readonly value: string };

export interface Patch extends Span {
  readonly text: string;
}

export type EditResult =
  | { readonly tree: Tree; readonly text: string; /** In order, without overlap. */ readonly patches: readonly Patch[]; /** All patches lie inside. */ readonly within: Span }
  | { readonly refused: Refusal; readonly message: string };

/**
 * `not_parsed`: the expression has problems of its own. `place`: the edit does not fit this node. `text`: the given text is no
 * expression. `name`: not a possible name. `capture`: the name already means something here. `meaning`: the patched text
 * would mean something else.
 */
export type Refusal = "not_parsed" | "place" | "text" | "name" | "capture" | "meaning";

/** How an edit could be written: the patches, and the nodes that would then have another shape. */
interface Attempt {
  readonly patches: readonly Patch[];
  readonly intended: ReadonlyMap<Node, Shape>;
}

interface Intention {
  readonly within: Span;
  /** Tried in order; the first that means what it intends is taken. */
  readonly attempts: readonly Attempt[];
}

class Refused {
  readonly reason: Refusal;
  readonly message: string;
  constructor(reason: Refusal, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

const PLAIN_NAME = /^[^\s.[\]{}(),@#;:?+\-*/%|=<>^&!~$"'`0-9][^\s.[\]{}(),@#;:?+\-*/%|=<>^&!~]*$/;
const WORDS = new Set(["and", "or", "in", "true", "false", "null"]);

/** Applies one edit. Never throws; gives a refusal instead. */
export function applyEdit(tree: Tree, edit: Edit): EditResult {
  if (parse(tree.text).problems.length > 0) return refusal("not_parsed", "This expression does not parse; edit its text.");
  if (!isBelow(tree.root, edit.at)) return refusal("place", "This node is not part of the expression.");
  try {
    const { within, attempts } = intend(tree, edit);
    for (const { patches, intended } of attempts) {
      const text = patched(tree.text, patches);
      const result = parse(text);
      if (result.problems.length === 0 && shapeOf(result.tree.root) === shapeOf(tree.root, intended)) return { tree: result.tree, text, patches, within };
    }
    return refusal("meaning", "The expression would mean something else than intended.");
  } catch (thrown) {
    if (thrown instanceof Refused) return refusal(thrown.reason, thrown.message);
    throw thrown;
  }
}

function intend(tree: Tree, edit: Edit): Intention {
  const { at } = edit;
  switch (edit.edit) {
    case "replace": return replacement(tree, at, edit.text);
    case "set_literal": return replacement(tree, at, literal(edit.value, at.kind === "string" ? at.quote : '"'));
    case "rename": return rename(tree, at, edit.name);
    case "replace_argument": {
      const argument = edit.at.args[edit.index];
      if (argument) return replacement(tree, argument, edit.text);
      if (edit.index !== edit.at.args.length) throw new Refused("place", `The call has ${edit.at.args.length} arguments.`);
      const shape = shapeOfText(edit.text);
      const close = { start: at.end - 1, end: at.end - 1 };
      const args = [...edit.at.args.map((one) => shapeOf(one)), shape];
      return {
        within: at,
        attempts: [{ patches: [{ ...close, text: `${edit.index > 0 ? ", " : ""}${edit.text.trim()}` }], intended: new Map([[at, callShape(shapeOf(edit.at.callee), args)]]) }],
      };
    }
    case "wrap": {
      checkReplaceable(tree, at);
      const before = edit.before ?? [];
      const after = edit.after ?? [];
      const args = [...before.map(shapeOfText), shapeOf(at), ...after.map(shapeOfText)];
      const shape = callShape(memberShape({ kind: "variable", name: edit.name }), args);
      const open = `$${variableName(edit.name)}(${before.map((text) => `${text.trim()}, `).join("")}`;
      const close = `${after.map((text) => `, ${text.trim()}`).join("")})`;
      return around(tree, at, open, close, shape);
    }
    case "unwrap": {
      if (at.kind !== "call" || !at.args[edit.index]) throw new Refused("place", "Only a call can be replaced by one of its arguments.");
      const argument = at.args[edit.index]!;
      return replacement(tree, at, sourceOf(tree, argument));
    }
    case "swap": {
      if (at.kind !== "binary") throw new Refused("place", "Only the operands of an operator can be swapped.");
      return swap(tree, at.left, at.right);
    }
    case "insert_binding": return insertBinding(tree, at, edit.name, edit.value);
  }
}

function replacement(tree: Tree, at: Node, text: string): Intention {
  checkReplaceable(tree, at);
  const shape = shapeOfText(text);
  const step = parseSyntax(text).tree.root.kind === "string" && isStep(tree, at) && at.kind !== "string";
  const plain: Attempt = { patches: [{ start: at.start, end: at.end, text }], intended: new Map([[at, shape]]) };
  const bracketed: Attempt = { patches: [{ start: at.start, end: at.end, text: `(${text})` }], intended: new Map([[at, blockShape([shape])]]) };
  // A text as a step of a path is a name; in brackets it stays a text.
  return { within: at, attempts: step ? [bracketed] : [plain, bracketed] };
}

function around(tree: Tree, at: Node, open: string, close: string, shape: Shape): Intention {
  const attempt = (before: string, after: string, intended: Shape): Attempt => ({
    patches: [{ start: at.start, end: at.start, text: before }, { start: at.end, end: at.end, text: after }], intended: new Map([[at, intended]]),
  });
  const plain = attempt(open, close, shape);
  return { within: at, attempts: bindsOutwards(tree, at) ? [plain] : [plain, attempt(`(${open}`, `${close})`, blockShape([shape]))] };
}

/** Whether a variable bound in a node is seen around it: in a block of its own the node would hide it. */
function bindsOutwards(tree: Tree, at: Node): boolean {
  return scopesOf(tree.root).binders.some(({ variable, scope }) => isInside(variable, at) && !isInside(scope, at));
}

const isInside = (inner: Span, outer: Span): boolean => inner.start >= outer.start && inner.end <= outer.end;

function swap(tree: Tree, left: Node, right: Node): Intention {
  const attempts = [[false, false], [true, false], [false, true], [true, true]].map(([first, second]): Attempt => ({
    patches: [
      { start: left.start, end: left.end, text: bracketsIf(first!, sourceOf(tree, right)) },
      { start: right.start, end: right.end, text: bracketsIf(second!, sourceOf(tree, left)) },
    ],
    intended: new Map([[left, first ? blockShape([shapeOf(right)]) : shapeOf(right)], [right, second ? blockShape([shapeOf(left)]) : shapeOf(left)]]),
  }));
  return { within: { start: left.start, end: right.end }, attempts };
}

function rename(tree: Tree, at: Node, name: string): Intention {
  if (at.kind === "variable") return renameVariable(tree, at, variableName(name));
  if (at.kind === "string") return replacement(tree, at, literal(name, at.quote));
  if (at.kind !== "name") throw new Refused("place", "Only a name, a text or a variable can be renamed.");
  if (name.includes("`")) throw new Refused("name", "A name cannot contain a backtick.");
  const plain = PLAIN_NAME.test(name) && !WORDS.has(name) && !at.quoted;
  const intended = new Map([[at as Node, memberShape({ kind: "name", name })]]);
  const texts = plain ? [name, `\`${name}\``] : [`\`${name}\``];
  return { within: at, attempts: texts.map((text) => ({ patches: [{ start: at.start, end: at.end, text }], intended })) };
}

/** All of its uses are renamed with it, in the whole scope: what was one variable stays one. */
function renameVariable(tree: Tree, at: VariableNode, name: string): Intention {
  const { binders, uses } = scopesOf(tree.root);
  const binder = binders.find(({ variable }) => variable === at) ?? uses.get(at)?.at(-1);
  if (!binder) throw new Refused("place", `$${at.name} is not bound in this expression.`);
  const same: VariableNode[] = [];
  walk(binder.scope, (node) => void (node.kind === "variable" && node.name === at.name && same.push(node)));
  const inside = (scope: Node): boolean => isInside(scope, binder.scope);
  const bound = new Set(binders.filter(({ scope }) => inside(scope)).map(({ variable }) => variable));
  if (same.some((node) => !bound.has(node) && !uses.get(node)?.some(({ scope }) => inside(scope)))) throw new Refused("capture", `$${at.name} is also used here before it is bound.`);
  if (variableNames(binder.scope).has(name)) throw new Refused("capture", `$${name} already means something here.`);
  return {
    within: binder.scope,
    attempts: [{
      patches: same.map((node) => ({ start: node.start, end: node.end, text: `$${name}` })),
      intended: new Map(same.map((node) => [node, memberShape({ kind: "variable", name })])),
    }],
  };
}

function insertBinding(tree: Tree, at: Node, name: string, value: string): Intention {
  variableName(name);
  checkReplaceable(tree, at);
  if (variableNames(at).has(name)) throw new Refused("capture", `$${name} already means something here.`);
  const bind = `{kind:"bind",variable:${memberShape({ kind: "variable", name })},value:${shapeOfText(value)}}`;
  const text = `$${name} := ${value.trim()}; `;
  if (at.kind !== "block") {
    if (bindsOutwards(tree, at)) throw new Refused("capture", "A variable bound here is used around it, and would be hidden.");
    if (meansListAround(tree, at)) throw new Refused("meaning", "In a block this would no longer be kept as a list; bind around it.");
    return around(tree, at, `(${text}`, ")", blockShape([bind, shapeOf(at)]));
  }
  const start = at.start + 1;
  return {
    within: at,
    attempts: [{ patches: [{ start, end: start, text }], intended: new Map([[at, blockShape([bind, ...at.expressions.map((one) => shapeOf(one))])]]) }],
  };
}

/** The variable of a binding and the parameters of a function can be renamed, not replaced. */
function checkReplaceable(tree: Tree, at: Node): void {
  if (at.kind === "variable" && scopesOf(tree.root).binders.some(({ variable }) => variable === at)) throw new Refused("place", `$${at.name} is bound here; rename it instead.`);
}

function shapeOfText(text: string): Shape {
  const { tree, problems } = parseSyntax(text);
  if (problems[0]) throw new Refused("text", problems[0].message);
  walk(tree.root, (node) => {
    if (node.kind === "missing") throw new Refused("text", "The text ends where a value is expected.");
  });
  return shapeOf(tree.root);
}

/** A constant as it is written. A quote inside is written as its code, because JSONata knows no `\'`. */
export function literal(value: string | number | boolean | null, quote: '"' | "'" = '"'): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Refused("text", `${value} cannot be written as a number.`);
  if (typeof value !== "string") return JSON.stringify(value);
  if (quote === '"') return JSON.stringify(value);
  const inside = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
  return value.includes("'") && !value.includes('"') ? JSON.stringify(value) : `'${inside.replaceAll("'", "\\u0027")}'`;
}

function variableName(name: string): string {
  if (!/^[^\s.[\]{}(),@#;:?+\-*/%|=<>^&!~$]+$/.test(name)) throw new Refused("name", `'${name}' cannot be the name of a variable.`);
  return name;
}

/** Whether a node is a step of a path, also below the filters and marks of the step. */
function isStep(tree: Tree, at: Node): boolean {
  let found = false;
  walk(tree.root, (node, parents) => {
    if (node !== at) return;
    const path = parents.findLastIndex((parent) => !isMarked(parent));
    const top = parents[path + 1] ?? at;
    const above = parents[path];
    found = subjectsOf(top, at) && above?.kind === "map" && (above.left === top || above.right === top);
  });
  return found;
}

const isMarked = (node: Node): node is Node & { subject: Node } => "subject" in node;

/** Whether `at` is what `node` filters, sorts, groups or marks, at any depth. */
function subjectsOf(node: Node, at: Node): boolean {
  return node === at || (isMarked(node) && subjectsOf(node.subject, at));
}

/**
 * A block hides from the path or list around it that a list is meant: `a.b[]` is a list and `a.(b[])` is not, `[[x]]` holds a list
 * and `[([x])]` does not.
 */
function meansListAround(tree: Tree, at: Node): boolean {
  let around: Node | undefined;
  walk(tree.root, (node, parents) => void (node === at && (around = parents.at(-1))));
  if (!around) return false;
  if (at.kind === "array" && (around.kind === "array" || around.kind === "range")) return true;
  return (around.kind === "map" || isMarked(around)) && (at.kind === "array" || keepsArray(at));
}

function keepsArray(node: Node): boolean {
  if (node.kind === "map") return keepsArray(node.left) || keepsArray(node.right);
  return node.kind === "keep_array" || (isMarked(node) && keepsArray(node.subject));
}

function isBelow(root: Node, at: Node): boolean {
  let found = false;
  walk(root, (node) => {
    if (node === at) found = true;
    return !found;
  });
  return found;
}

const sourceOf = (tree: Tree, node: Node): string => tree.text.slice(node.start, node.end);
const bracketsIf = (needed: boolean, text: string): string => (needed ? `(${text})` : text);
const blockShape = (expressions: readonly Shape[]): Shape => `{kind:"block",expressions:[${expressions.join(",")}]}`;
const callShape = (callee: Shape, args: readonly Shape[]): Shape => `{kind:"call",callee:${callee},args:[${args.join(",")}]}`;
const memberShape = (members: Readonly<Record<string, string>>): Shape => `{${Object.entries(members).map(([key, value]) => `${key}:${JSON.stringify(value)}`).join(",")}}`;

const refusal = (refused: Refusal, message: string): EditResult => ({ refused, message });

function patched(text: string, patches: readonly Patch[]): string {
  let result = "";
  let at = 0;
  for (const patch of patches.toSorted((left, right) => left.start - right.start)) {
    result += text.slice(at, patch.start) + patch.text;
    at = patch.end;
  }
  return result + text.slice(at);
}
