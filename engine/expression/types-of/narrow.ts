/**
 * What a condition that holds (or does not) says about the values it asks: after `x ? …` x is there and true, after
 * `x != null and …` it is not null. Only plain paths are narrowed, from the context, the root or a variable.
 */
import { shapeOf, type Node, type NodeOf } from "../syntax/index.ts";
import type { Env, Fact } from "./env.ts";
import { signatureOf } from "./signatures.ts";
import { ABSENT, falsy, isNever, memberOf, only, truthy, union, without, withMember, type Alternative, type Type } from "./type.ts";
import { typeOfValues } from "./from-schema.ts";

export function narrow(env: Env, condition: Node, holds: boolean): Env {
  switch (condition.kind) {
    case "block": return condition.expressions.length === 1 ? narrow(env, condition.expressions[0]!, holds) : env;
    case "binary": return narrowBinary(env, condition, holds);
    case "call": return narrowCall(env, condition, holds);
    default:
      if (pathOf(condition)) return refine(env, condition, holds ? truthy : falsy, holds);
      return holds ? known(present(env, condition), condition, "true") : env;
  }
}

function known(env: Env, node: Node, as: Fact): Env {
  return env.with({ facts: new Map(env.facts).set(shapeOf(node), as) });
}

function narrowBinary(env: Env, node: NodeOf<"binary">, holds: boolean): Env {
  const { operator, left, right } = node;
  switch (operator) {
    case "and": return holds ? narrow(narrow(env, left, true), right, true) : env;
    case "or": return holds ? env : narrow(narrow(env, left, false), right, false);
    case "=": case "!=": {
      const equal = (operator === "=") === holds;
      const there = holds ? present(present(env, left), right) : env;      // an absent side makes either false
      return equalTo(equalTo(there, left, right, equal, holds), right, left, equal, holds);
    }
    case "in": {
      const values = right.kind === "array" ? constantsOf(right.items) : undefined;
      if (!values) return holds ? present(env, left) : env;
      return refine(env, left, (type) => (holds ? intersect(without(type, "absent"), typeOfValues(values)) : withoutValues(type, values)), holds);
    }
    case "<": case "<=": case ">": case ">=": {
      if (!holds) return env;
      const counted = countedBy(left, right, operator);
      return counted ? refine(present(env, counted), counted, nonEmpty, true) : present(present(env, left), right);
    }
    default: return holds ? present(env, node) : env;
  }
}

/** `x = "a"`: x is "a", or is not. `x = null` that fails says that x is something else, or absent. */
function equalTo(env: Env, asked: Node, other: Node, equal: boolean, holds: boolean): Env {
  const constant = constantsOf([other]);
  if (!constant) return env;
  const typed = typeCall(asked);
  if (typed) {
    const named = NAMED.filter((one) => one === constant[0]);
    return refine(env, typed, (type) => (equal ? only(type, ...named, ...(holds ? [] : ["absent" as const])) : without(type, ...named)), holds);
  }
  if (!pathOf(asked)) {
    if (typeof constant[0] === "boolean" && (equal || holds || neverAbsent(asked))) return narrow(env, asked, constant[0] === equal);
    return !equal && holds && constant[0] === null ? known(env, asked, "not_null") : env;
  }
  return refine(env, asked, (type) => {
    if (!equal) return withoutValues(type, constant);
    const same = intersect(without(type, "absent"), typeOfValues(constant));
    return holds || type.unknown ? same : union(same, only(type, "absent"));
  }, holds);
}

/** `$type(x)` → x. */
function typeCall(node: Node): Node | undefined {
  return node.kind === "call" && node.callee.kind === "variable" && node.callee.name === "type" ? node.args[0] : undefined;
}

/** What `$type` answers. */
const NAMED: readonly Alternative[] = ["null", "number", "string", "boolean", "array", "object", "function"];

/** `$count(x) > 0` and `$length(x) > 0`: the asked list is there and holds something. */
function countedBy(left: Node, right: Node, operator: string): Node | undefined {
  const [call, number] = operator.startsWith(">") ? [left, right] : [right, left];
  if (call.kind !== "call" || call.callee.kind !== "variable" || call.callee.name !== "count" || number.kind !== "number") return undefined;
  return number.value > 0 || (number.value === 0 && operator.length === 1) ? call.args[0] : undefined;
}

const nonEmpty = (type: Type): Type => (type.unknown ? type : { ...without(type, "absent"), ...(type.array ? { array: { ...type.array, nonEmpty: true as const } } : {}) });

function narrowCall(env: Env, call: NodeOf<"call">, holds: boolean): Env {
  const [argument] = call.args;
  if (call.callee.kind !== "variable" || !argument) return env;
  switch (call.callee.name) {
    case "boolean": return narrow(env, argument, holds);
    case "not":
      if (holds || neverAbsent(argument)) return narrow(env, argument, !holds);
      return refine(env, argument, (type) => union(truthy(type), only(type, "absent")), false);      // $not of absent is absent, and so not true
    case "exists": return pathOf(argument) ? refine(env, argument, (type) => (holds ? without(type, "absent") : only(type, "absent")), holds) : holds ? present(env, argument) : env;
    default: return holds ? known(present(env, call), call, "true") : env;
  }
}

/** Conditions that are true or false, whatever they ask. */
function neverAbsent(node: Node): boolean {
  if (node.kind === "block") return node.expressions.length === 1 && neverAbsent(node.expressions[0]!);
  if (node.kind === "binary") return ["and", "or", "=", "!=", "in"].includes(node.operator);
  return node.kind === "call" && node.callee.kind === "variable" && node.callee.name === "exists";
}

/** All paths that must have a value for the expression to have one. */
function present(env: Env, node: Node): Env {
  if (pathOf(node)) return refine(env, node, (type) => without(type, "absent"), true);
  switch (node.kind) {
    case "block": return node.expressions.length === 1 ? present(env, node.expressions[0]!) : env;
    case "filter": return known(present(env, node.subject), node, "present");
    case "keep_array": case "sort": return present(env, node.subject);
    case "map": return known(present(env, node.left), node, "present");
    case "negate": return present(env, node.operand);
    case "binary": return "+-*/%".includes(node.operator) ? present(present(env, node.left), node.right) : env;
    case "call": {
      const [argument] = node.args;
      const name = node.callee.kind === "variable" ? node.callee.name : "";
      const first = signatureOf(name)?.parameters[0];
      if (!argument || !first || first.optional || NOT_STRICT.has(name)) return env;
      return known(present(env, argument), node, "present");
    }
    default: return env;
  }
}

/** Functions that give a value for an absent argument. */
export const NOT_STRICT: ReadonlySet<string> = new Set(["exists", "count", "append", "error", "assert", "translate", "zip", "map", "filter", "reduce", "each", "sift"]);

interface Path {
  /** Where it begins: the context, the root, or a variable by name. */
  readonly from: "context" | "root" | { readonly variable: string };
  readonly steps: readonly string[];
}

export function pathOf(node: Node): Path | undefined {
  switch (node.kind) {
    case "name": return { from: "context", steps: [node.name] };
    case "variable": return { from: node.name === "" ? "context" : node.name === "$" ? "root" : { variable: node.name }, steps: [] };
    case "block": return node.expressions.length === 1 ? pathOf(node.expressions[0]!) : undefined;
    case "map": {
      const left = pathOf(node.left);
      const name = node.right.kind === "name" ? node.right.name : node.right.kind === "string" ? node.right.value : undefined;
      return left && name !== undefined ? { from: left.from, steps: [...left.steps, name] } : undefined;
    }
    default: return undefined;
  }
}

/** `positive`: the path has a value, so what lies above it is an object or list. */
function refine(env: Env, node: Node, change: (type: Type) => Type, positive: boolean): Env {
  const path = pathOf(node);
  if (!path) return env;
  const changed = (type: Type): Type => refined(type, path.steps, change, positive);
  if (typeof path.from === "object") {
    const { variable } = path.from;
    const type = env.lookup(variable);
    return type === undefined ? env : env.with({ variables: [[variable, changed(type)]] });
  }
  const isRoot = path.from === "root" || env.contextIsRoot;
  return env.with({
    ...(path.from === "context" || env.contextIsRoot ? { context: changed(env.context) } : {}),
    ...(isRoot ? { root: changed(env.root) } : {}),
  });
}

function refined(type: Type, steps: readonly string[], change: (type: Type) => Type, positive: boolean): Type {
  const [name, ...rest] = steps;
  if (name === undefined) return change(type);
  if (type.unknown || !type.object) return type;
  const member = memberOf(type.object, name) ?? ABSENT;
  const narrowed = refined(member, rest, change, positive);
  if (positive && isNever(narrowed)) return only(type, "array");        // no such object has what was asked
  return { ...(positive ? only(type, "array") : type), object: withMember(type.object, name, narrowed) };
}

export function constantsOf(nodes: readonly Node[]): unknown[] | undefined {
  const values: unknown[] = [];
  for (const node of nodes) {
    if (node.kind === "string" || node.kind === "number" || node.kind === "constant") values.push(node.value);
    else if (node.kind === "block" && node.expressions.length === 1) {
      const inner = constantsOf(node.expressions);
      if (!inner) return undefined;
      values.push(...inner);
    } else return undefined;
  }
  return values;
}

function withoutValues(type: Type, values: readonly unknown[]): Type {
  if (type.unknown) return type;
  const { string, boolean, null: isNull, ...rest } = type;
  const left = string?.values?.filter((value) => !values.includes(value));
  const leftBoolean = boolean === "any" ? (values.includes(true) && values.includes(false) ? undefined : values.includes(true) ? "false" as const : values.includes(false) ? "true" as const : boolean)
    : boolean && values.includes(boolean === "true") ? undefined : boolean;
  return {
    ...rest,
    ...(isNull && !values.includes(null) ? { null: true as const } : {}),
    ...(leftBoolean ? { boolean: leftBoolean } : {}),
    ...(string && left?.length !== 0 ? { string: { ...string, ...(left ? { values: left } : {}) } } : {}),
  };
}

/** What both can be; an unknown type is whatever the other says. */
export function intersect(left: Type, right: Type): Type {
  if (left.unknown) return right;
  if (right.unknown) return left;
  const { string, number, boolean } = right;
  const texts = string?.values && left.string?.values ? string.values.filter((value) => left.string!.values!.includes(value)) : (string?.values ?? left.string?.values);
  return {
    ...(left.null && right.null ? { null: true as const } : {}),
    ...(left.boolean && boolean && !(left.boolean !== boolean && left.boolean !== "any" && boolean !== "any") ? { boolean: left.boolean === "any" ? boolean : left.boolean } : {}),
    ...(left.number && number ? { number: { ...left.number, ...number } } : {}),
    ...(left.string && string && texts?.length !== 0 ? { string: { ...left.string, ...string, ...(texts ? { values: texts } : {}) } } : {}),
    ...(left.object && right.object ? { object: left.object } : {}),
    ...(left.array && right.array ? { array: left.array } : {}),
    ...(left.function && right.function ? { function: left.function } : {}),
  };
}
