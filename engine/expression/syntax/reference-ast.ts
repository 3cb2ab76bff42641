/**
 * Tree → what the reference's `jsonata(text).ast()` gives for the same text, positions included. There, paths are lists of
 * steps with stages, defaults are conditions, tail calls are thunks, and each `%` has a slot that ties it to the step it names.
 * Follows the parser of jsonata 2.2.2 (MIT, © IBM Corp.), whose rules have no other description: where it shares or marks a
 * node, so does this. A parser problem that only shows here (a literal as a step, a `%` without parent) is given back, not thrown.
 */
// oxlint-disable unicorn/no-thenable -- `then` is the name of a branch in the reference's tree, which is never awaited.
import type { Node, Pair, Tree } from "./nodes.ts";
import { syntaxProblem, type SyntaxCode, type SyntaxProblem } from "./problem.ts";
import type { Span } from "./token.ts";

/** A node of the reference's tree. Which members it has depends on `type`; see the reference's own description of its AST. */
export interface ReferenceNode {
  type: string;
  value?: unknown;
  position?: number;
  name?: string;
  steps?: ReferenceNode[];
  stages?: ReferenceStage[];
  predicate?: ReferenceStage[];
  group?: { lhs: [ReferenceNode, ReferenceNode][]; position: number };
  lhs?: ReferenceNode | [ReferenceNode, ReferenceNode][];
  rhs?: ReferenceNode;
  expression?: ReferenceNode;
  expressions?: ReferenceNode[];
  arguments?: ReferenceNode[];
  procedure?: ReferenceNode;
  body?: ReferenceNode;
  signature?: { definition: string };
  thunk?: boolean;
  condition?: ReferenceNode;
  then?: ReferenceNode;
  else?: ReferenceNode;
  pattern?: ReferenceNode;
  update?: ReferenceNode;
  delete?: ReferenceNode;
  terms?: { descending: boolean; expression: ReferenceNode }[];
  keepArray?: boolean;
  keepSingletonArray?: boolean;
  consarray?: boolean;
  tuple?: boolean;
  focus?: string;
  index?: string;
  slot?: Slot;
  ancestor?: Slot;
  seekingParent?: Slot[];
}

export interface ReferenceStage { type: "filter" | "index"; expr?: ReferenceNode; value?: string; position: number }

/** Ties a `%` to the step it stands for. `level`: steps still to go back. */
interface Slot { label: string; level: number; index: number }

export type ReferenceResult = { readonly ast: ReferenceNode } | { readonly problem: SyntaxProblem };

/** The tree must have no syntax problem; error nodes have no counterpart. */
export function toReferenceAst(tree: Tree): ReferenceResult {
  const builder = new Builder();
  try {
    const ast = builder.build(tree.root, false);
    if (ast.type === "parent" || ast.seekingParent) builder.refuse("S0217", ast.position, tree.root, { token: ast.type });
    return { ast };
  } catch (thrown) {
    if (thrown instanceof Refused) return { problem: thrown.problem };
    throw thrown;
  }
}

class Refused {
  readonly problem: SyntaxProblem;
  constructor(problem: SyntaxProblem) {
    this.problem = problem;
  }
}

class Builder {
  private readonly parents: ReferenceNode[] = [];
  /** The source of each step, for the range of a problem that names the step. */
  private readonly sources = new Map<ReferenceNode, Span>();

  refuse(code: SyntaxCode, position: number | undefined, range: Span, inserts: { token?: unknown; value?: unknown } = {}): never {
    throw new Refused(syntaxProblem(code, position ?? range.end, range, inserts));
  }

  /** `keep`: a `[]` follows, which the reference notes on the innermost value before it. */
  build(node: Node, keep: boolean): ReferenceNode {
    if (node.kind === "keep_array") return this.build(node.subject, true);
    if (node.kind === "filter") return this.filter(this.build(node.subject, keep), node.predicate, node.position, node);
    const result = this.buildBare(node, keep);
    if (keep) result.keepArray = true;
    if (!this.sources.has(result)) this.sources.set(result, node);
    return result;
  }

  private buildBare(node: Exclude<Node, { kind: "keep_array" | "filter" }>, keep: boolean): ReferenceNode {
    const { position } = node;
    switch (node.kind) {
      case "name": {
        const step: ReferenceNode = { value: node.name, type: "name", position, ...(keep ? { keepArray: true } : {}) };
        this.sources.set(step, node);
        return { type: "path", steps: [step], ...(keep ? { keepSingletonArray: true } : {}) };
      }
      case "variable": return { value: node.name, type: "variable", position };
      case "string": return { value: node.value, type: "string", position };
      case "number": return { value: node.value, type: "number", position };
      case "constant": return { value: node.value, type: "value", position };
      case "regex": return { value: new RegExp(node.pattern, `${node.flags}g`), type: "regex", position };
      case "wildcard": return { value: "*", type: "wildcard", position };
      case "descendant": return { value: "**", type: "descendant", position };
      case "placeholder": return { value: "?", type: "operator", position };
      case "parent": {
        const index = this.parents.length;
        const parent: ReferenceNode = { type: "parent", slot: { label: `!${index}`, level: 1, index } };
        this.parents.push(parent);
        return parent;
      }
      case "negate": {
        const expression = this.build(node.operand, false);
        if (expression.type === "number") {
          expression.value = -(expression.value as number);
          return expression;
        }
        return this.seeking({ type: "unary", value: "-", position, expression }, expression);
      }
      case "binary": case "range": return this.binary(node.kind === "range" ? ".." : node.operator, node.left, node.right, position);
      case "map": return this.path(this.build(node.left, false), this.build(node.right, false));
      case "group": {
        const result = this.build(node.subject, false);
        if (result.group) this.refuse("S0210", position, node);
        result.group = { lhs: node.pairs.map(({ key, value }) => [this.build(key, false), this.build(value, false)]), position };
        return result;
      }
      case "sort": {
        const subject = this.build(node.subject, false);
        const path: ReferenceNode = subject.type === "path" ? subject : { type: "path", steps: [subject] };
        const sort: ReferenceNode = { type: "sort", position };
        sort.terms = node.terms.map((term) => {
          const expression = this.build(term.expression, false);
          this.seeking(sort, expression);
          return { descending: term.descending, expression };
        });
        path.steps!.push(sort);
        this.resolveParents(path);
        return path;
      }
      case "focus": {
        const result = this.build(node.subject, false);
        const step = result.type === "path" ? result.steps!.at(-1)! : result;
        if (step.stages || step.predicate) this.refuse("S0215", position, node);
        if (step.type === "sort") this.refuse("S0216", position, node);
        if (keep) step.keepArray = true;
        step.focus = nameOf(node.variable);
        step.tuple = true;
        return result;
      }
      case "index": return this.index(this.build(node.subject, false), nameOf(node.variable), position);
      case "array": {
        const array: ReferenceNode = { type: "unary", value: "[", position };
        array.expressions = this.parts(array, node.items);
        return array;
      }
      case "object": return this.object(node.pairs, position);
      case "block": {
        const block: ReferenceNode = { type: "block", position };
        block.expressions = this.parts(block, node.expressions);
        if (block.expressions.some((part) => part.consarray || (part.type === "path" && part.steps![0]!.consarray))) block.consarray = true;
        return block;
      }
      case "bind": {
        const lhs = this.build(node.variable, false);
        const rhs = this.build(node.value, false);
        return this.seeking({ type: "bind", value: ":=", position, lhs, rhs }, rhs);
      }
      case "condition": {
        const result: ReferenceNode = { type: "condition", position };
        result.condition = this.part(result, node.condition);
        result.then = this.part(result, node.whenTrue);
        if (node.whenFalse) result.else = this.part(result, node.whenFalse);
        return result;
      }
      case "default": {
        const result: ReferenceNode = { type: "condition", position };
        result.condition = this.seek(result, node.operator === "?:" ? this.build(node.left, false) : this.exists(node.left));
        result.then = this.part(result, node.left);
        result.else = this.part(result, node.right);
        return result;
      }
      case "call": {
        const result: ReferenceNode = { type: node.partial ? "partial" : "function", value: "(", position };
        result.arguments = this.parts(result, node.args);
        result.procedure = this.build(node.callee, false);
        return result;
      }
      case "lambda": {
        const { signature } = node;
        return {
          type: "lambda", position, arguments: node.parameters.map((parameter) => this.build(parameter, false)),
          ...(signature === undefined ? {} : { signature: { definition: signature } }),
          body: withThunks(this.build(node.body, false)),
        };
      }
      case "apply": {
        const lhs = this.build(node.left, false);
        const rhs = this.build(node.right, false);
        const keepArray = lhs.keepArray || rhs.keepArray;
        return { type: "apply", value: "~>", position, lhs, rhs, ...(keepArray === undefined ? {} : { keepArray }) };
      }
      case "transform": {
        const pattern = this.build(node.pattern, false);
        const update = this.build(node.update, false);
        return { type: "transform", position, pattern, update, ...(node.remove ? { delete: this.build(node.remove, false) } : {}) };
      }
      case "missing": return this.refuse("S0207", position, node, { token: "(end)" });
      case "error": return this.refuse("S0206", position, node);
    }
  }

  private binary(value: string, left: Node, right: Node, position: number): ReferenceNode {
    const lhs = this.build(left, false);
    const rhs = this.build(right, false);
    return this.seek2({ type: "binary", value, position, lhs, rhs }, lhs, rhs);
  }

  /** `a ?? b` asks `$exists(a)` about a copy of `a`. */
  private exists(node: Node): ReferenceNode {
    const result: ReferenceNode = { type: "function", value: "(" };
    result.arguments = [this.part(result, node)];
    result.procedure = { type: "variable", value: "exists" };
    return result;
  }

  private object(pairs: readonly Pair[], position: number): ReferenceNode {
    const object: ReferenceNode = { type: "unary", value: "{", position };
    object.lhs = pairs.map(({ key, value }) => [this.part(object, key), this.part(object, value)]);
    return object;
  }

  private path(left: ReferenceNode, right: ReferenceNode): ReferenceNode {
    const path: ReferenceNode = left.type === "path" ? left : { type: "path", steps: [left] };
    if (left.type === "parent") path.seekingParent = [left.slot!];
    const steps = path.steps!;
    if (right.type === "path") steps.push(...right.steps!);
    else {
      if (right.predicate) {
        right.stages = right.predicate;
        delete right.predicate;
      }
      steps.push(right);
    }
    for (const step of steps) {
      if (step.type === "number" || step.type === "value") this.refuse("S0213", step.position, this.sources.get(step)!, { value: step.value });
    }
    for (const step of steps) if (step.type === "string") step.type = "name";
    if (steps.some((step) => step.keepArray)) path.keepSingletonArray = true;
    for (const step of [steps[0]!, steps.at(-1)!]) if (step.type === "unary" && step.value === "[") step.consarray = true;
    this.resolveParents(path);
    return path;
  }

  private filter(subject: ReferenceNode, predicate: Node, position: number, source: Span): ReferenceNode {
    const step = subject.type === "path" ? subject.steps!.at(-1)! : subject;
    if (step.group) this.refuse("S0209", position, source);
    const stages = subject.type === "path" ? (step.stages ??= []) : (step.predicate ??= []);
    const expr = this.build(predicate, false);
    if (expr.seekingParent) {
      for (const slot of expr.seekingParent) {
        if (slot.level === 1) this.seekParent(step, slot);
        else slot.level--;
      }
      this.seeking(step, expr);
    }
    stages.push({ type: "filter", expr, position });
    return subject;
  }

  private index(subject: ReferenceNode, variable: string, position: number): ReferenceNode {
    let result = subject;
    let step = subject;
    if (subject.type === "path") step = subject.steps!.at(-1)!;
    else {
      result = { type: "path", steps: [subject] };
      if (step.predicate) {
        step.stages = step.predicate;
        delete step.predicate;
      }
    }
    if (step.stages) step.stages.push({ type: "index", value: variable, position });
    else step.index = variable;
    step.tuple = true;
    return result;
  }

  private parts(owner: ReferenceNode, nodes: readonly Node[]): ReferenceNode[] {
    return nodes.map((node) => this.part(owner, node));
  }

  private part(owner: ReferenceNode, node: Node): ReferenceNode {
    return this.seek(owner, this.build(node, false));
  }

  private seek(owner: ReferenceNode, part: ReferenceNode): ReferenceNode {
    this.seeking(owner, part);
    return part;
  }

  private seek2(owner: ReferenceNode, left: ReferenceNode, right: ReferenceNode): ReferenceNode {
    return this.seeking(this.seeking(owner, left), right);
  }

  /** What a part still looks for (its `%`), its owner looks for. The list is shared, not copied, as in the reference. */
  private seeking(owner: ReferenceNode, part: ReferenceNode): ReferenceNode {
    if (!part.seekingParent && part.type !== "parent") return owner;
    const slots = part.seekingParent ?? [];
    if (part.type === "parent") slots.push(part.slot!);
    if (owner.seekingParent) owner.seekingParent.push(...slots);
    else owner.seekingParent = slots;
    return owner;
  }

  private resolveParents(path: ReferenceNode): void {
    const steps = path.steps!;
    const last = steps.at(-1)!;
    const slots = last.seekingParent ?? [];
    if (last.type === "parent") slots.push(last.slot!);
    for (let next = 0; next < slots.length; next++) {
      let slot = slots[next]!;
      let at = steps.length - 2;
      while (slot.level > 0) {
        if (at < 0) {
          if (path.seekingParent) path.seekingParent.push(slot);
          else path.seekingParent = [slot];
          break;
        }
        let step = steps[at--]!;
        while (at >= 0 && step.focus && steps[at]!.focus) step = steps[at--]!;      // steps that bind the focus in a row count as one
        slot = this.seekParent(step, slot);
      }
    }
  }

  private seekParent(node: ReferenceNode, slot: Slot): Slot {
    switch (node.type) {
      case "name": case "wildcard":
        slot.level--;
        if (slot.level === 0) {
          if (node.ancestor) this.parents[slot.index]!.slot!.label = node.ancestor.label;
          node.ancestor = slot;
          node.tuple = true;
        }
        return slot;
      case "parent":
        slot.level++;
        return slot;
      case "block": {
        const last = node.expressions!.at(-1);
        if (!last) return slot;
        node.tuple = true;
        return this.seekParent(last, slot);
      }
      case "path": {
        node.tuple = true;
        let at = node.steps!.length - 1;
        let found = this.seekParent(node.steps![at--]!, slot);
        while (found.level > 0 && at >= 0) found = this.seekParent(node.steps![at--]!, found);
        return found;
      }
      default: return this.refuse("S0217", node.position, this.sources.get(node) ?? { start: 0, end: 0 }, { token: node.type });
    }
  }
}

/** Marks calls in tail position: the reference runs them without growing its stack. */
function withThunks(body: ReferenceNode): ReferenceNode {
  if (body.type === "function" && !body.predicate) return { type: "lambda", thunk: true, arguments: [], position: body.position!, body };
  if (body.type === "condition") {
    body.then = withThunks(body.then!);
    if (body.else) body.else = withThunks(body.else);
  } else if (body.type === "block" && body.expressions!.length > 0) {
    body.expressions!.push(withThunks(body.expressions!.pop()!));
  }
  return body;
}

function nameOf(variable: Node): string {
  return variable.kind === "variable" ? variable.name : "";
}
