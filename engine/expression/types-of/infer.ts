/**
 * Expression → the type of each of its parts, from the type of the source, and the lints that follow from them. Evaluates with types
 * in the place of values, as the reference evaluates: a step over a list gives a list, one value, or nothing; an absent operand
 * makes a comparison false and a sum absent. Where it does not know, it says `unknown` and stays silent: a lint on a correct
 * expression is worse than none.
 */
import { slipOf, suggest } from "../../errors/nearest.ts";
import type { ErrorParams } from "../../errors/plugboard-error.ts";
import { parse, scopesOf, shapeOf, walk, type Node, type NodeOf, type Pair, type Span } from "../syntax/index.ts";
import { Calls } from "./calls.ts";
import { Comparisons, writtenShort } from "./comparisons.ts";
import { Env } from "./env.ts";
import { typeOfValues } from "./from-schema.ts";
import { lint, type Lint, type LintCode } from "./lint.ts";
import { narrow, pathOf } from "./narrow.ts";
import { asList, elementsOf, flattened, isListLiteral, isOrCanBe, manyOf, sequenceOf } from "./sequence.ts";
import {
  ABSENT, NEVER, NULL, PERHAPS_ABSENT, STRING, SEVERAL, UNKNOWN, WHOLE, absenceOf, alternativesOf, describe, falsy, isNever, isOnly, listOf, mayBeAbsent, memberOf, saysNothing, truthy, union, without, text as textType, type ObjectType,
  type Type,
} from "./type.ts";

export interface Inferred {
  readonly type: Type;
  readonly lints: readonly Lint[];
  /** The type of a part, over all the ways it is reached; undefined for a part that is no value (a binding's variable). */
  typeOf(node: Node): Type | undefined;
}

export interface InferOptions {
  /** Types of the variables that come from outside, without `$`: `config`, `account`. Others are unknown. */
  readonly variables?: Readonly<Record<string, Type>>;
  /** What is known to hold of the source wherever the expression is evaluated: a mapping's `where`. */
  readonly given?: Node;
}

/** Calls of functions written in the expression are followed this deep. */
const MOST_CALLS = 4;

/** The type of a parsed expression over a source. Parts that do not parse are unknown. */
export function inferTree(root: Node, source: Type, options: InferOptions = {}): Inferred {
  return new Inference(root).run(source, options);
}

/** The type of an expression over a source. @returns no lints for a text that does not parse; `parse` says what is wrong with it. */
export function inferType(expression: string, source: Type, options: InferOptions = {}): Inferred {
  const { tree, problems } = parse(expression);
  const inferred = inferTree(tree.root, source, options);
  return problems.length > 0 ? { ...inferred, lints: [] } : inferred;
}

export class Inference {
  readonly root: Node;
  private readonly types = new Map<Node, Type>();
  private readonly lints = new Map<string, Lint>();
  private readonly called = new Set<Node>();
  private readonly calls: Calls;
  private readonly comparisons: Comparisons;
  private depth = 0;

  constructor(root: Node) {
    this.root = root;
    this.calls = new Calls(this);
    this.comparisons = new Comparisons(this);
  }

  run(source: Type, { variables = {}, given }: InferOptions): Inferred {
    const outside = Env.of(source, Object.entries(variables));
    const env = given ? narrow(outside, given, true) : outside;
    const type = this.infer(this.root, env);
    this.inferUncalled(env);
    this.findUnusedBindings();
    return { type, lints: [...this.lints.values()].toSorted((left, right) => left.start - right.start), typeOf: (node) => this.types.get(node) };
  }

  infer(node: Node, env: Env): Type {
    const found = this.inferBare(node, env);
    const fact = env.facts.size > 0 && !found.unknown ? env.facts.get(shapeOf(node)) : undefined;
    const type = fact === undefined ? found : fact === "true" ? truthy(found) : fact === "not_null" ? without(found, "absent", "null") : without(found, "absent");
    const before = this.types.get(node);
    this.types.set(node, before ? union(before, type) : type);
    return type;
  }

  report(code: LintCode, span: Span, params: ErrorParams, severity?: Lint["severity"]): void {
    const key = `${code} ${span.start} ${span.end}`;
    if (!this.lints.has(key)) this.lints.set(key, lint(code, span, params, severity));
  }

  private inferBare(node: Node, env: Env): Type {
    switch (node.kind) {
      case "name": return this.step(env.context, node.name, node);
      case "variable": return this.variable(node, env);
      case "string": return textType(node.value);
      case "number": return this.number(node);
      case "constant": return node.value === null ? NULL : { boolean: node.value ? "true" : "false" };
      case "regex": case "transform": return { function: {} };
      case "negate": {
        const operand = this.operand(node.operand, env, "-");
        return { ...absenceOf(operand), number: operand.number?.whole === undefined ? {} : { whole: operand.number.whole } };
      }
      case "binary": return this.binary(node, env);
      case "map": return this.map(node, env);
      case "filter": return this.filter(node, env);
      case "keep_array": {
        const subject = this.infer(node.subject, env);
        return keepsArray(node) ? asList(subject) : subject;
      }
      case "group": {
        const subject = this.infer(node.subject, env);
        this.pairs(node.pairs, env.with({ context: union(without(subject, "absent"), listOf(elementsOf(subject), SEVERAL)), contextIsRoot: false }));
        return { object: { members: new Map(), rest: UNKNOWN } };
      }
      case "sort": {
        const subject = this.infer(node.subject, env);
        const inside = this.eachOf(subject, env);
        for (const { expression } of node.terms) this.infer(expression, inside);
        return keepsArray(node.subject) ? asList(subject) : sequenceOf(subject);
      }
      case "index": {
        const subject = this.infer(node.subject, env);
        if (node.variable.kind === "variable") env.bind(node.variable.name, WHOLE);
        return subject;
      }
      case "focus": {
        const subject = this.infer(node.subject, env);
        if (node.variable.kind === "variable") env.bind(node.variable.name, elementsOf(subject));
        return UNKNOWN;
      }
      case "array": return this.array(node, env);
      case "range": {
        this.operand(node.left, env, "..");
        this.operand(node.right, env, "..");
        return listOf(WHOLE);
      }
      case "object": return { object: this.pairs(node.pairs, env) };
      case "block": return this.block(node.expressions, env.with({ variables: [] }));
      case "bind": {
        const name = node.variable.kind === "variable" ? node.variable.name : "";
        if (node.value.kind === "lambda") env.bind(name, UNKNOWN);
        const type = this.infer(node.value, env);
        env.bind(name, type);
        return type;
      }
      case "condition": return this.condition(node, env);
      case "default": return this.default(node, env);
      case "call": return this.calls.call(node, env);
      case "apply": return this.calls.apply(node, env);
      case "lambda": return this.lambda(node, env);
      case "wildcard": case "descendant": case "parent": case "placeholder": case "missing": case "error": return UNKNOWN;
    }
  }

  /** A name looked up in the context; in a list, in each of its items. */
  private step(context: Type, name: string, at: Span): Type {
    if (context.unknown) return UNKNOWN;
    if (isNever(context)) return NEVER;
    const found: Type[] = [];
    if (context.object) {
      const member = memberOf(context.object, name);
      if (!member) this.report("LINT_UNKNOWN_FIELD", at, { name, where: "The source", suggestion: `${suggest(name, context.object.members.keys())}` });
      // A source that is open may have fields that nobody listed: only a slip of the pen is told.
      const slip = context.object.rest && !context.object.members.has(name) ? slipOf(name, context.object.members.keys()) : undefined;
      if (slip !== undefined) this.report("LINT_UNKNOWN_FIELD", at, { name, where: "The source, as far as it is known,", suggestion: `did you mean '${slip}'?` });
      found.push(member ?? ABSENT);
    }
    if (context.array) found.push(flattened(context.array, this.step(context.array.items, name, at)));
    if (found.length === 0 && isOnly(context, "string", "number", "boolean") && !isNever(context)) this.report("LINT_UNKNOWN_FIELD", at, { name, where: `A value that is ${describe(context)}` });
    if (found.length === 0 || alternativesOf(context).some((one) => one !== "object" && one !== "array")) found.push(ABSENT);
    return union(...found);
  }

  private variable(node: NodeOf<"variable">, env: Env): Type {
    if (node.name === "") return env.context;
    if (node.name === "$") return env.root;
    return env.lookup(node.name) ?? (this.calls.isFunction(node.name) ? { function: {} } : UNKNOWN);
  }

  private number(node: NodeOf<"number">): Type {
    if (Number.isInteger(node.value) && !Number.isSafeInteger(node.value)) this.report("LINT_LOSSY_NUMBER", node, { detail: `A number holds 15 digits exactly; this becomes ${node.value}.`, suggestion: "Write it as text." });
    return typeOfValues([node.value]);
  }

  /** An operand of arithmetic. */
  private operand(node: Node, env: Env, operator: string): Type {
    const type = this.infer(node, env);
    if (saysNothing(type)) return type;
    const wrong = without(type, "number", "absent");
    if (wrong.array) this.report("LINT_LIST_TRAP", node, { detail: `'${operator}' takes one number; this ${type.array?.loose ? "is a list when there are several" : "is a list"}.`, suggestion: "Take one with [0], or add up with $sum(…)." });
    else if (!isNever(wrong)) {
      this.report("LINT_WRONG_TYPE", node, {
        what: `An operand of '${operator}'`, expected: "a number", ...isOrCanBe(type, wrong),
        suggestion: wrong.string ? (operator === "+" ? "Texts are joined with &; text becomes a number with $number(…)." : "Text becomes a number with $number(…).") : wrong.null ? "Ask first: x ? … or x != null and …" : "",
      }, isNever(without(type, ...alternativesOf(wrong), "absent")) ? "error" : "warning");
    }
    return type;
  }

  private binary(node: NodeOf<"binary">, env: Env): Type {
    const { operator, left, right } = node;
    switch (operator) {
      case "and": case "or": {
        const first = this.infer(left, env);
        const second = this.infer(right, narrow(env, left, operator === "and"));
        const [a, b] = [neverTrue(first), neverTrue(second)];
        return { boolean: (operator === "and" ? a || b : a && b) ? "false" : "any" };
      }
      case "&": {
        const parts = [left, right].map((part) => this.joined(part, this.infer(part, env)));
        const [first, second] = parts.map((type) => type.string?.values);
        return first && second && first.length * second.length <= 20 ? textType(...first.flatMap((a) => second.map((b) => a + b))) : STRING;
      }
      case "=": case "!=": return this.comparisons.equality(node, env);
      case "in": return this.comparisons.membership(node, env);
      case "<": case "<=": case ">": case ">=": return this.comparisons.order(node, env);
      default: {
        const types = [this.operand(left, env, operator), this.operand(right, env, operator)];
        const whole = operator === "/" || types.some((type) => type.number?.whole === false) ? false : types.every((type) => type.number?.whole) ? true : undefined;
        return { number: whole === undefined ? {} : { whole }, ...union(...types.map(absenceOf)) };
      }
    }
  }

  /** A part of a text made with `&`: absent is nothing, but null becomes the word and a list its JSON. */
  private joined(node: Node, type: Type): Type {
    if (type.unknown) return STRING;
    if (type.null) this.report("LINT_WRONG_TYPE", node, { what: "A part of a text", expected: "text or a number", is: "can be", actual: "null, which becomes the word null", suggestion: "Ask first: x ? x" });
    if (type.array) this.report("LINT_LIST_TRAP", node, { detail: `A part of a text is one value; this ${type.array.loose ? "is a list when there are several" : "is a list"}, and becomes JSON.`, suggestion: "Join it: $join(…, \", \"), or take one with [0]." });
    const { string, absent } = type;
    return isOnly(type, "string", "absent") && string?.values ? textType(...string.values, ...(absent ? [""] : [])) : STRING;
  }

  private map(node: NodeOf<"map">, env: Env): Type {
    const left = this.infer(node.left, env);
    const isRoot = node.left.kind === "variable" && (node.left.name === "$" || (node.left.name === "" && env.contextIsRoot));
    if (isOnly(left, "absent")) return left;
    const singles = without(left, "array", "absent");
    const context = left.unknown ? UNKNOWN : union(singles, left.array ? elementsOf(left.array.items, left.array.items) : NEVER);
    const inside = env.with({ context, contextIsRoot: isRoot && !left.array, inLoop: env.inLoop || left.array !== undefined, variables: [] });
    const right = node.right.kind === "string" ? this.step(context, node.right.value, node.right) : this.infer(node.right, inside);
    if (node.right.kind === "filter" && env.inLoop && pathOf(node.left)?.from === "root") this.findRootScan(node, node.right);
    const result = left.unknown ? union(without(manyOf(right, false, node.right), "absent"), PERHAPS_ABSENT)
      : union(isNever(singles) ? NEVER : right, left.array ? manyOf(right, left.array.nonEmpty === true, node.right) : NEVER, absenceOf(left));
    // A path over `[ ]` gives the empty list, and over any other empty list nothing.
    const empty = isListLiteral(node.left) && !left.array?.nonEmpty ? listOf(elementsOf(result)) : NEVER;
    return keepsArray(node) ? asList(result) : union(result, empty);
  }

  private filter({ subject, predicate, start, end }: NodeOf<"filter">, env: Env): Type {
    const type = this.infer(subject, env);
    const item = elementsOf(type);
    const inside = this.eachOf(type, env);
    const asked = this.infer(predicate, inside);
    if (type.unknown) return UNKNOWN;
    const isIndex = isOnly(asked, "number") && !isNever(asked);
    if (!isIndex && env.inLoop && type.array && pathOf(subject)?.from === "root") this.report("LINT_ROOT_SCAN", { start, end }, { list: writtenShort(subject) });
    if (isIndex) return union(item, isFirstOrLast(predicate) && !type.absent && (!type.array || type.array.nonEmpty) ? NEVER : ABSENT);
    const kept = narrow(inside, predicate, true).context;
    const remains = asked.unknown || asked.number || asked.array ? item : kept;
    const list = keepsArray(subject) ? NEVER : remains;
    return union(list, ABSENT, type.array ? listOf(remains, SEVERAL) : NEVER);
  }

  /** `$$.a[…]` for every item of a list: every item looks through all of `$$.a`. */
  private findRootScan(path: NodeOf<"map">, { subject, predicate }: NodeOf<"filter">): void {
    const asked = this.types.get(predicate) ?? UNKNOWN;
    if (!this.types.get(subject)?.array || (isOnly(asked, "number") && !isNever(asked))) return;
    this.report("LINT_ROOT_SCAN", path, { list: [...(pathOf(path.left)?.steps ?? []), writtenShort(subject)].join(".") });
  }

  /** Where the items of a value are asked one by one. */
  private eachOf(type: Type, env: Env): Env {
    return env.with({ context: elementsOf(type), contextIsRoot: false, inLoop: env.inLoop || type.array !== undefined, variables: [] });
  }

  private array(node: NodeOf<"array">, env: Env): Type {
    const items = node.items.map((item) => {
      const type = this.infer(item, env);
      return isListLiteral(item) ? { type: without(type, "absent"), nonEmpty: !mayBeAbsent(type) } : { type: elementsOf(type), nonEmpty: !mayBeAbsent(type) && (!type.array || type.array.nonEmpty === true) };
    });
    return listOf(union(...items.map(({ type }) => type)), items.some(({ nonEmpty }) => nonEmpty) ? { nonEmpty: true } : {});
  }

  private pairs(pairs: readonly Pair[], env: Env): ObjectType {
    const members = new Map<string, Type>();
    let rest: Type | undefined;
    for (const { key, value } of pairs) {
      const name = this.infer(key, env);
      if (!saysNothing(name) && !name.string) this.report("LINT_WRONG_TYPE", key, { what: "The name of a member", expected: "text", is: "is", actual: describe(name), suggestion: "Write it in quotes, or make it text with $string(…)." }, "error");
      const type = this.infer(value, env);
      const names = name.string?.values;
      if (names?.length === 1 && isOnly(name, "string")) members.set(names[0]!, type);
      else rest = union(rest ?? NEVER, type, ABSENT);
    }
    return { members, ...(rest ? { rest } : {}) };
  }

  private block(expressions: readonly Node[], env: Env): Type {
    return expressions.reduce<Type>((_, expression) => this.infer(expression, env), ABSENT);
  }

  private condition(node: NodeOf<"condition">, env: Env): Type {
    const asked = this.infer(node.condition, env);
    const whenTrue = this.infer(node.whenTrue, narrow(env, node.condition, true));
    const whenFalse = node.whenFalse ? this.infer(node.whenFalse, narrow(env, node.condition, false)) : this.isKnown(node.condition) ? ABSENT : PERHAPS_ABSENT;
    return union(neverTrue(asked) ? NEVER : whenTrue, !asked.unknown && !isNever(asked) && isNever(falsyAlternatives(asked)) ? NEVER : whenFalse);
  }

  /** Whether all that a condition asks is known: only then is it known that it may fail. */
  private isKnown(condition: Node): boolean {
    let known = true;
    walk(condition, (node) => void (this.types.get(node)?.unknown && (known = false)));
    return known;
  }

  private default({ operator, left, right }: NodeOf<"default">, env: Env): Type {
    const first = this.infer(left, env);
    const second = this.infer(right, env);
    if (operator === "??") return mayBeAbsent(first) ? union(without(first, "absent"), second) : first;
    return !saysNothing(first) && isNever(falsyAlternatives(first)) ? first : union(truthy(first), second);
  }

  private lambda(node: NodeOf<"lambda">, env: Env): Type {
    const call = (args: readonly Type[]): Type => {
      this.called.add(node);
      if (this.depth >= MOST_CALLS) return UNKNOWN;
      this.depth++;
      const parameters = node.parameters.flatMap((parameter, index) => (parameter.kind === "variable" ? [[parameter.name, args[index] ?? ABSENT] as const] : []));
      const type = this.infer(node.body, env.with({ variables: parameters }));
      this.depth--;
      return type;
    };
    return { function: { call } };
  }

  /** The body of a function that nobody is seen to call may still name a field that is not there. */
  private inferUncalled(env: Env): void {
    walk(this.root, (node) => {
      if (node.kind !== "lambda" || this.called.has(node)) return;
      const parameters = node.parameters.flatMap((parameter) => (parameter.kind === "variable" ? [[parameter.name, UNKNOWN] as const] : []));
      this.infer(node.body, env.with({ context: UNKNOWN, contextIsRoot: false, variables: parameters }));
    });
  }

  private findUnusedBindings(): void {
    const { binders, uses } = scopesOf(this.root);
    const used = new Set([...uses.values()].flat());
    const last = new Set<Node>([this.root]);
    const inBlock = new Set<Node>();
    walk(this.root, (node) => {
      if (node.kind !== "block") return;
      for (const expression of node.expressions) inBlock.add(expression);
      if (node.expressions.length > 0) last.add(node.expressions.at(-1)!);
    });
    walk(this.root, (node) => {
      if (node.kind !== "bind" || last.has(node) || !inBlock.has(node)) return;
      const binder = binders.find(({ variable }) => variable === node.variable);
      if (!binder || used.has(binder) || binder.name.startsWith("_")) return;
      const unbound = [...uses].filter(([variable, found]) => found.length === 0 && !this.calls.isFunction(variable.name)).map(([variable]) => variable.name);
      this.report("LINT_UNUSED_BINDING", node.variable, { name: binder.name, suggestion: unbound.length > 0 ? suggest(binder.name, unbound) : "Remove it, or use it." });
    });
  }

}

/** Whether a `[]` in a path keeps its result a list. Behind brackets or a constant it keeps nothing: only sequences can be kept. */
function keepsArray(node: Node): boolean {
  if (node.kind === "map") return keepsArray(node.left) || keepsArray(node.right);
  if (node.kind === "keep_array") return keepsArray(node.subject) || givesSequence(node.subject);
  return (node.kind === "filter" || node.kind === "sort" || node.kind === "index") && keepsArray(node.subject);
}

const SEQUENCES = new Set(["map", "filter", "keys", "match", "each", "spread"]);

function givesSequence(node: Node): boolean {
  if (node.kind === "call") return node.callee.kind === "variable" && SEQUENCES.has(node.callee.name);
  return ["name", "map", "filter", "sort", "index", "wildcard", "descendant"].includes(node.kind);
}

/** Whether the value is certainly not true: only then is a branch not reached. */
export const neverTrue = (type: Type): boolean => !type.unknown && !isNever(type) && isNever(truthy(type));
const falsyAlternatives = (type: Type): Type => (type.array || type.object ? UNKNOWN : falsy(type));

/** `[0]` and `[-1]`: there wherever the list is not empty. */
const isFirstOrLast = (index: Node): boolean => (index.kind === "number" && index.value === 0) || (index.kind === "negate" && index.operand.kind === "number" && index.operand.value === 1);
