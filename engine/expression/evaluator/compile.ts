/**
 * Compiles the reference's tree into closures: one function per node, no generated code, so it also runs where a page's
 * policy forbids `eval`. Nothing is asynchronous. Meaning and codes are the reference's; `npm run conformance` holds it to that.
 */
import { readPath } from "../plain-path.ts";
import type { Node } from "../reference.ts";
import { apply } from "./apply.ts";
import { booleanOf, numeric } from "./truth.ts";
import { builtin, textOf } from "./builtins.ts";
import type { Code, Compiler } from "./compiler.ts";
import { fail, locate } from "./failure.ts";
import { compileFilter } from "./filters.ts";
import { operators } from "./operators.ts";
import { compilePath, isNames } from "./paths.ts";
import { compileGroup, type Pair } from "./groups.ts";
import { compileSignature } from "./reference-signature.ts";
import { regexFunction } from "./regex.ts";
import { compileTransform } from "./transform.ts";
import { Fn, Frame, isSequence, sequenced, sequenceOf, settle, TailCall, UNBOUND, type Sequence, type Signature } from "./values.ts";

export function compileTree(tree: Node, { dynamic = false, evaluateText }: { dynamic?: boolean; evaluateText?: (text: string, focus: unknown, frame: Frame) => unknown } = {}): Code {
  const bound = namesBound(tree);
  const patterns = patternsOf(tree);
  const compiler: Compiler = { compile: (node) => compileNode(node), bound };

  function compileNode(node: Node): Code {
    let code = compileType(node);
    for (const { expr } of (node.predicate ?? []) as { expr: Node }[]) {
      const [inner, test] = [code, compileFilter(expr, compiler)];
      code = (input, frame) => test(inner(input, frame), frame);
    }
    if (node.group && node.type !== "path") {
      const [inner, group] = [code, compileGroup((node.group as Node).lhs as Pair[], (node.group as Node).position, compiler)];
      code = (input, frame) => group(inner(input, frame), frame);
    }
    const keepArray = node.keepArray === true;
    if (!node.predicate && !node.group && !keepArray && isSettled(node)) return code;
    const inner = code;
    return (input, frame) => settle(inner(input, frame), keepArray);
  }

  function compileType(node: Node): Code {
    switch (node.type) {
      case "string": case "number": case "value": { const { value } = node; return () => value; }
      case "name": { const names = [String(node.value)]; return (input) => readPath(Array.isArray(input) ? [input] : input, names, sequenced); }
      case "path": return compilePath(node, compiler);
      case "variable": return compileVariable(node);
      case "binary": return compileBinary(node);
      case "unary": return compileUnary(node);
      case "wildcard": return wildcard;
      case "descendant": return descendants;
      case "parent": { const { label } = node.slot as { label: string }; return (_input, frame) => frame.lookup(label); }
      case "condition": return compileCondition(node);
      case "block": return compileBlock(node);
      case "bind": {
        const [name, value] = [String((node.lhs as Node).value), compileNode(node.rhs as Node)];
        return (input, frame) => { const result = value(input, frame); frame.bind(name, result); return result; };
      }
      case "regex": {
        const { position } = node;
        const literal = node.value instanceof RegExp ? node.value : patterns.get(position);
        return () => { if (literal === undefined) throw fail("T2015", { position }); return regexFunction(literal, position); };
      }
      case "function": { const call = compileCall(node); return (input, frame) => call(input, frame); }
      // A tail call whose result is still filtered is no tail call.
      case "lambda": return node.thunk === true ? compileNode(node.body as Node) : compileLambda(node);
      case "partial": return compilePartial(node);
      case "apply": return compileApply(node);
      case "transform": return compileTransform(node, compiler);
      default: throw fail("S0500", { message: `The expression has a part that cannot be evaluated (${node.type}).`, position: node.position });
    }
  }

  function compileVariable(node: Node): Code {
    const name = String(node.value);
    if (name === "") return (input) => (Array.isArray(input) && (input as Sequence).outerWrapper ? input[0] : input);
    if (name === "$") return (_input, frame) => frame.run.input;
    if (dynamic || bound.has(name)) return (_input, frame) => { const value = frame.find(name); return value === UNBOUND ? free(name, frame) : value; };
    return (_input, frame) => free(name, frame);
  }

  function compileBinary(node: Node): Code {
    const [left, right, operator, { position }] = [compileNode(node.lhs as Node), compileNode(node.rhs as Node), String(node.value), node];
    if (operator === "and") return (input, frame) => truth(left(input, frame)) && truth(right(input, frame));
    if (operator === "or") return (input, frame) => truth(left(input, frame)) || truth(right(input, frame));
    if (operator === "&") {
      return (input, frame) => {
        const [a, b] = [left(input, frame), right(input, frame)];
        try {
          const text = (a === undefined ? "" : textOf(a, frame)) + (b === undefined ? "" : textOf(b, frame));
          frame.run.checkText(text.length);
          return text;
        } catch (thrown) {
          throw locate(thrown, position, operator);
        }
      };
    }
    const operate = operators[operator];
    if (!operate) throw fail("S0500", { message: `There is no operator ${operator}.`, position });
    return (input, frame) => {
      const [a, b] = [left(input, frame), right(input, frame)];
      try {
        return operate(a, b, frame.run);
      } catch (thrown) {
        throw locate(thrown, position, operator);
      }
    };
  }

  function compileUnary(node: Node): Code {
    if (node.value === "[") return compileList(node);
    if (node.value === "{") return asCode(compileGroup(node.lhs as Pair[], node.position, compiler));
    const operand = compileNode(node.expression as Node);
    return (input, frame) => {
      const value = operand(input, frame);
      if (value === undefined) return undefined;
      if (numeric(value)) return -value;
      throw fail("D1002", { value, position: node.position, token: "-" });
    };
  }

  function compileList(node: Node): Code {
    const items = (node.expressions as Node[]).map((item) => ({ code: compileNode(item), isList: item.value === "[" }));
    const constructed = node.consarray === true;
    return (input, frame) => {
      const list: Sequence = [];
      for (const { code, isList } of items) {
        const value = code(input, frame);
        if (value === undefined) continue;
        if (isList || !Array.isArray(value)) list.push(value);
        else for (const item of value) list.push(item);
      }
      frame.run.made(list.length);
      if (constructed) Object.defineProperty(list, "cons", { value: true, enumerable: false, configurable: true });
      return list;
    };
  }

  function compileCondition(node: Node): Code {
    const [condition, then] = [compileNode(node.condition as Node), compileNode(node.then as Node)];
    const otherwise = node.else ? compileNode(node.else as Node) : undefined;
    return (input, frame) => (booleanOf(condition(input, frame)) ? then(input, frame) : otherwise?.(input, frame));
  }

  function compileBlock(node: Node): Code {
    const nodes = node.expressions as Node[];
    const codes = nodes.map(compileNode);
    const [only] = codes;
    if (codes.length === 1 && only && !nodes.some(bindsHere)) return only;
    return (input, frame) => {
      const inner = new Frame(frame.run, frame);
      let result: unknown;
      for (const code of codes) result = code(input, inner);
      return result;
    };
  }

  function compileLambda(node: Node): Code {
    const parameters = ((node.arguments ?? []) as Node[]).map((parameter) => String(parameter.value));
    const written = node.signature as Signature | undefined;
    // Copied like patterns are: its text is left.
    const signature = written && typeof written.validate !== "function" ? compileSignature(written.definition) : written;
    const body = compileBody(node.body as Node);
    return (input, frame) => new Fn("function", parameters.length, signature, (args, _context, caller) => {
      const { run } = caller;
      if (run.depth >= run.limits.depth) throw fail("D1011", { value: run.limits.depth });
      const inner = new Frame(run, frame);
      for (let index = 0; index < parameters.length; index++) inner.bind(parameters[index] as string, args[index]);
      run.depth++;
      try {
        return body(input, inner);
      } finally {
        run.depth--;
      }
    });
  }

  /** The parser marks calls in tail position: they are handed back instead of made. */
  function compileBody(node: Node): Code {
    if (node.type === "lambda" && node.thunk === true) {
      const call = compileCall(node.body as Node, true);
      return (input, frame) => call(input, frame);
    }
    if (node.type === "condition") {
      const [condition, then] = [compileNode(node.condition as Node), compileBody(node.then as Node)];
      const otherwise = node.else ? compileBody(node.else as Node) : undefined;
      return (input, frame) => (booleanOf(condition(input, frame)) ? then(input, frame) : otherwise?.(input, frame));
    }
    if (node.type === "block" && !node.predicate && !node.group) {
      const nodes = node.expressions as Node[];
      const codes = nodes.map((expression, index) => (index === nodes.length - 1 ? compileBody(expression) : compileNode(expression)));
      return (input, frame) => {
        const inner = new Frame(frame.run, frame);
        let result: unknown;
        for (const code of codes) result = code(input, inner);
        return settle(result, node.keepArray === true);
      };
    }
    return compileNode(node);
  }

  function compileCall(node: Node, tail = false): (input: unknown, frame: Frame, piped?: { readonly value: unknown }) => unknown {
    const procedure = node.procedure as Node;
    const callee = compileNode(procedure);
    const args = ((node.arguments ?? []) as Node[]).map(compileNode);
    const name = String(procedure.type === "path" ? (procedure.steps as Node[])[0]?.value : procedure.value);
    const { position } = node;
    const isEval = name === "eval" && procedure.type === "variable" && evaluateText !== undefined;
    return (input, frame, piped) => {
      let fn = callee(input, frame);
      if (fn === undefined && procedure.type === "path" && builtinOrBound(name, frame)) throw fail("T1005", { position, token: name });
      const values: unknown[] = piped ? [piped.value] : [];
      for (const arg of args) values.push(arg(input, frame));
      if (isEval && fn === undefined) fn = evalFunction(evaluateText, input, frame);
      if (tail) return new TailCall(fn, values, position, name);
      try {
        return apply(fn, values, input, frame);
      } catch (thrown) {
        throw locate(thrown, position, name);
      }
    };
  }

  function compileApply(node: Node): Code {
    const left = compileNode(node.lhs as Node);
    const rightNode = node.rhs as Node;
    if (rightNode.type === "function") {
      const call = compileCall(rightNode);
      return (input, frame) => call(input, frame, { value: left(input, frame) });
    }
    const right = compileNode(rightNode);
    const { position } = node;
    return (input, frame) => {
      const value = left(input, frame);
      const fn = right(input, frame);
      if (!(fn instanceof Fn)) throw fail("T2006", { position, value: fn });
      if (value instanceof Fn) return new Fn("function", 1, undefined, ([argument], _input, caller) => apply(fn, [apply(value, [argument], null, caller)], null, caller));
      try {
        return apply(fn, [value], null, frame);
      } catch (thrown) {
        throw locate(thrown, position, fn.name);
      }
    };
  }

  function compilePartial(node: Node): Code {
    const procedure = node.procedure as Node;
    const callee = compileNode(procedure);
    const name = String(procedure.type === "path" ? (procedure.steps as Node[])[0]?.value : procedure.value);
    const args = (node.arguments as Node[]).map((arg) => (arg.type === "operator" && arg.value === "?" ? undefined : compileNode(arg)));
    const open = args.flatMap((arg, index) => (arg ? [] : [index]));
    return (input, frame) => {
      const values = args.map((arg) => arg?.(input, frame));
      const fn = callee(input, frame);
      if (fn === undefined && procedure.type === "path" && builtinOrBound(name, frame)) throw fail("T1007", { position: node.position, token: name });
      if (!(fn instanceof Fn)) throw fail("T1008", { position: node.position, token: name });
      return new Fn(fn.name, open.length, undefined, (given, context, caller) => {
        const all = [...values];
        open.forEach((place, index) => { all[place] = given[index]; });
        return fn.invoke(all, context, caller);
      });
    };
  }

  const builtinOrBound = (name: string, frame: Frame): boolean => Boolean(frame.lookup(name) ?? free(name, frame));

  return compileNode(tree);
}

/** A variable that the expression did not bind: a binding of the caller, else a function. */
function free(name: string, frame: Frame): unknown {
  const { bindings } = frame.run;
  return Object.hasOwn(bindings, name) && name !== "now" ? bindings[name] : builtin(name);
}

function evalFunction(evaluateText: (text: string, focus: unknown, frame: Frame) => unknown, input: unknown, frame: Frame): Fn {
  return new Fn("eval", 2, undefined, ([text, focus]) => {
    if (text === undefined) return undefined;
    const wrapped = Array.isArray(focus) && !isSequence(focus) ? Object.assign(sequenceOf(focus), { outerWrapper: true }) : focus;
    return evaluateText(String(text), focus === undefined ? input : wrapped, frame);
  });
}

const truth = (value: unknown): boolean => booleanOf(value) ?? false;

const asCode = (group: (input: unknown, frame: Frame) => unknown): Code => group;

function wildcard(input: unknown, { run }: Frame): unknown {
  const results: Sequence = sequenceOf();
  const from = Array.isArray(input) && (input as Sequence).outerWrapper && input.length > 0 ? input[0] : input;
  if (typeof from !== "object" || from === null || from instanceof Fn) return results;
  for (const value of Array.isArray(from) ? from as unknown[] : Object.values(from)) {
    run.tick();
    if (!Array.isArray(value)) results.push(value);
    else {
      flattenInto(value, results);
      // A list among the members makes the whole a list: one item stays a list of one.
      delete results.sequence;
    }
    run.checkLength(results.length);
  }
  return results;
}

function flattenInto(list: readonly unknown[], results: unknown[]) {
  for (const item of list) if (Array.isArray(item)) flattenInto(item, results); else results.push(item);
}

function descendants(input: unknown, { run }: Frame): unknown {
  if (input === undefined) return undefined;
  const results = sequenceOf();
  const collect = (value: unknown) => {
    if (!Array.isArray(value)) results.push(value);
    if (typeof value !== "object" || value === null || value instanceof Fn) return;
    run.tick();
    run.checkLength(results.length);
    for (const member of Array.isArray(value) ? value as unknown[] : Object.values(value)) collect(member);
  };
  collect(input);
  return results.length === 1 ? results[0] : results;
}

/** Nodes that give no sequence, or one that is unwrapped already. */
function isSettled(node: Node): boolean {
  switch (node.type) {
    case "binary": return node.value !== "..";
    case "path": return isNames(node);
    case "string": case "number": case "value": case "regex": case "lambda": case "partial": case "transform": case "unary": case "condition": case "block": case "bind": case "name": return true;
    default: return false;
  }
}

/** Whether evaluating the node itself, not a block or function inside it, binds a variable in the current frame. */
function bindsHere(node: Node): boolean {
  if (node.type === "bind") return true;
  if (node.type === "block" || node.type === "lambda") return false;
  return Object.values(node).some((member) => anyNode(member, bindsHere));
}

function namesBound(node: Node, names = new Set<string>()): Set<string> {
  if (node.type === "bind") names.add(String((node.lhs as Node).value));
  if (node.type === "lambda") for (const parameter of (node.arguments ?? []) as Node[]) names.add(String(parameter.value));
  if (typeof node.focus === "string") names.add(node.focus);
  if (typeof node.index === "string") names.add(node.index);
  if (node.type === "index") names.add(String(node.value));
  for (const member of Object.values(node)) anyNode(member, (inner) => { namesBound(inner, names); return false; });
  return names;
}

/** The parser copies what stands left of `??` as JSON, which no pattern survives: it is found again by its place. */
function patternsOf(node: Node, patterns = new Map<number | undefined, RegExp>()): Map<number | undefined, RegExp> {
  if (node.type === "regex" && node.value instanceof RegExp) patterns.set(node.position, node.value);
  for (const member of Object.values(node)) anyNode(member, (inner) => { patternsOf(inner, patterns); return false; });
  return patterns;
}

function anyNode(member: unknown, test: (node: Node) => boolean): boolean {
  if (Array.isArray(member)) return member.some((item) => anyNode(item, test));
  if (typeof member !== "object" || member === null || member instanceof RegExp) return false;
  return "type" in member || "expression" in member || "lhs" in member ? test(member as Node) : false;
}
