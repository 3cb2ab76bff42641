import { analyze, type Analysis } from "./analyze.ts";
import { compileDirect } from "./direct.ts";
import { compileEvaluator } from "./evaluator/index.ts";
import { ExpressionError } from "./expression-error.ts";
import { library } from "./functions/index.ts";
import { compileLinear } from "./linear-regex.ts";
import { plainJson } from "./plain-json.ts";
import { evaluationError, isReferenceFunction, parseReference, referenceEvaluator, type Node } from "./reference.ts";
import { parse as parseTree } from "./syntax/index.ts";
import type { Bindings, CompiledExpression, CompiledFields, EvaluationLimits, EvaluationProblem, ExpressionProblem, FieldsResult } from "./types.ts";

export interface CompileOptions {
  readonly limits?: EvaluationLimits;
  /** Lets `$eval` run text as an expression. Off: data must never become code. @default false */
  readonly evalAllowed?: boolean;
  /** `reference` evaluates with the `jsonata` package, in promises: what our own evaluator is measured and compared with. @default "own" */
  readonly evaluator?: "own" | "reference";
}

/** How one target field is made; the plan's FieldPlan has this shape. */
export type FieldSource = { readonly expression: string } | { readonly constant: number | boolean } | { readonly ref: string; readonly key: string };

const NO_BINDINGS: Bindings = {};

/**
 * Compiles JSONata, without a leading `=`. Evaluating gives a promise only with the reference as evaluator.
 * @throws ExpressionError when it does not parse, uses `$eval`, or a regular expression that needs more than linear time.
 */
export function compileExpression(text: string, options: CompileOptions = {}): CompiledExpression {
  const { tree, analysis } = parse(text, options);
  return { text, reads: analysis.reads, variables: analysis.variables, evaluate: evaluatorOf(text, tree, analysis, options) };
}

function evaluatorOf(text: string, tree: Node, analysis: Analysis, options: CompileOptions): CompiledExpression["evaluate"] {
  if (options.evaluator === "reference") {
    const run = reference(text, analysis, options);
    return async (input, bindings = NO_BINDINGS) => plainJson(await run(input, bindings), options.limits?.output);
  }
  const direct = compileDirect(tree, isFunction);
  if (direct) return (input, bindings = NO_BINDINGS) => direct(input, bindings);
  const run = compileEvaluator(tree, options);
  return (input, bindings = NO_BINDINGS) => run(input, bindings);
}

/** Everything wrong with an expression that can be known without data. Never throws. */
export function checkExpression(text: string, options: CompileOptions = {}): ExpressionProblem[] {
  try {
    const tree = parseReference(text);
    return problemsOf(analyzed(tree), options);
  } catch (thrown) {
    const { code, message, position = 0, length = 1 } = evaluationError(thrown).problem;
    return rangesOf(text, code) ?? [{ code, message, position, length }];
  }
}

/**
 * Every problem of a text that the reference refuses with this code, each with its range: our parser goes on after the first.
 * Undefined where it stumbles over something else, so that the reference has the last word.
 */
function rangesOf(text: string, code: string): ExpressionProblem[] | undefined {
  if (code === "LIMIT") return undefined;
  const { problems } = parseTree(text);
  if (problems[0]?.code !== code) return undefined;
  // What touches the problem before it follows from that one. What is missing at the end is shown at the last thing that is there.
  return problems.filter(({ start }, index) => index === 0 || start > problems[index - 1]!.end)
    .map(({ code: each, message, start, end }) => ({ code: each, message, position: start < text.length ? start : Math.max(0, text.trimEnd().length - 1), length: Math.max(1, end - start) }));
}

/** Paths of the input that an expression reads: the record fields to ask a provider for. @throws ExpressionError when it does not parse. */
export function pathsOf(text: string): readonly (readonly string[])[] {
  return analyzed(parseReference(text)).reads;
}

/**
 * Compiles all fields of a mapping: one pass per record, each field by itself, so that one that fails takes no other with it
 * and is named with the place in its own text.
 * @throws ExpressionError of the first field that does not compile.
 */
export function compileFields(fields: Readonly<Record<string, FieldSource>>, options: Omit<CompileOptions, "evaluator"> = {}): CompiledFields {
  const compiled = Object.entries(fields).map(([name, source]) => compileField(name, source, options));
  return {
    reads: distinct(compiled.flatMap((field) => field.expression.reads)),
    evaluate: (input, bindings = NO_BINDINGS): FieldsResult => {
      const value: Record<string, unknown> = {};
      const problems: FieldProblem[] = [];
      for (const field of compiled) {
        try {
          const result = field.expression.evaluate(input, bindings);
          if (result !== undefined) place(value, field.path, field.isRef ? keyOf(result) : result);
        } catch (thrown) {
          if (!(thrown instanceof ExpressionError)) throw thrown;
          problems.push({ ...thrown.problem, field: field.name });
        }
      }
      return { value, problems };
    },
  };
}

type FieldProblem = EvaluationProblem & { readonly field: string };

interface Field {
  readonly name: string;
  readonly path: readonly string[];
  readonly expression: CompiledExpression;
  readonly isRef: boolean;
}

function compileField(name: string, source: FieldSource, options: CompileOptions): Field {
  const path = name.split(".");
  if (path.some((part) => part === "" || part === "__proto__")) throw new ExpressionError({ code: "FIELD", message: `'${name}' is not a field name.` });
  const isRef = "ref" in source;
  const text = "constant" in source ? JSON.stringify(source.constant) : isRef ? source.key : source.expression;
  return { name, path, expression: compileExpression(text, options), isRef };
}

/** A reference holds the other row's key, as text. */
function keyOf(key: unknown): string | null {
  if (key === null || typeof key === "string") return key;
  if (typeof key === "number") return String(key);
  throw new ExpressionError({ code: "KEY", message: `A reference needs a key of text or a number, not ${Array.isArray(key) ? "a list" : `a ${typeof key}`}.` });
}

/** Puts a value at a dotted name. An object on the way may be the record's own: it is copied, not changed. */
function place(target: Record<string, unknown>, path: readonly string[], value: unknown) {
  let at = target;
  for (let index = 0; index < path.length - 1; index++) {
    const part = path[index] as string;
    const inner = Object.hasOwn(at, part) ? at[part] : undefined;
    const next: Record<string, unknown> = typeof inner === "object" && inner !== null && !Array.isArray(inner) ? { ...inner } : {};
    at[part] = next;
    at = next;
  }
  at[path[path.length - 1] as string] = value;
}

function parse(text: string, options: CompileOptions): { tree: Node; analysis: Analysis } {
  const tree = parseReference(text);
  const analysis = analyzed(tree);
  const [problem] = problemsOf(analysis, options).filter(({ code }) => code !== "T1006");
  if (problem) throw new ExpressionError(problem);
  return { tree, analysis };
}

/** @throws ExpressionError LIMIT when the tree is too deep to walk. */
function analyzed(tree: Node): Analysis {
  try {
    return analyze(tree);
  } catch (thrown) {
    throw evaluationError(thrown);
  }
}

function problemsOf(analysis: Analysis, options: CompileOptions): ExpressionProblem[] {
  const problems: ExpressionProblem[] = [];
  for (const [name, position] of analysis.calls) {
    const length = name.length + 1;
    if (name === "eval" && !options.evalAllowed) problems.push({ code: "EVAL", message: "$eval is off: data never becomes an expression. Use $parse_json for JSON in text.", position, length });
    else if (!isFunction(name)) problems.push({ code: "T1006", message: `There is no function $${name}.`, position, length });
  }
  for (const { literal, position } of analysis.regexes) {
    try {
      compileLinear(literal);
    } catch (thrown) {
      const length = literal.source.length + 2;
      problems.push({ code: "REGEX", message: `This regular expression cannot run in linear time: ${(thrown as Error).message}`, position: Math.max(0, position - length), length });
    }
  }
  return problems;
}

function reference(text: string, analysis: Analysis, options: CompileOptions) {
  const names = options.evalAllowed ? Object.keys(library) : [...analysis.calls.keys(), ...analysis.variables].filter((name) => Object.hasOwn(library, name));
  return referenceEvaluator(text, names, options.limits ?? {});
}

const isFunction = (name: string): boolean => isReferenceFunction(name) || library[name] !== undefined;

const distinct = (paths: readonly (readonly string[])[]) =>
  [...new Map(paths.map((path) => [JSON.stringify(path), path]))].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
