import { analyze, type Analysis } from "./analyze.ts";
import { compileDirect } from "./direct.ts";
import { ExpressionError } from "./expression-error.ts";
import { library } from "./functions/index.ts";
import { compileLinear } from "./linear-regex.ts";
import { plainJson } from "./plain-json.ts";
import { isReferenceFunction, parseReference, referenceEvaluator, syntaxProblem, type Node } from "./reference.ts";
import type { Bindings, CompiledExpression, CompiledFields, EvaluationLimits, EvaluationProblem, ExpressionProblem, FieldsResult } from "./types.ts";

export interface CompileOptions {
  readonly limits?: EvaluationLimits;
  /** Lets `$eval` run text as an expression. Off: data must never become code. @default false */
  readonly evalAllowed?: boolean;
}

/** How one target field is made; the plan's FieldPlan has this shape. */
export type FieldSource = { readonly expression: string } | { readonly constant: number | boolean } | { readonly ref: string; readonly key: string };

const NO_BINDINGS: Bindings = {};

/**
 * Compiles JSONata, without a leading `=`.
 * @throws ExpressionError when it does not parse, uses `$eval`, or a regular expression that needs more than linear time.
 */
export function compileExpression(text: string, options: CompileOptions = {}): CompiledExpression {
  const { tree, analysis } = parse(text, options);
  const direct = compileDirect(tree, isFunction);
  const run = direct ?? reference(text, analysis, options);
  return {
    text,
    reads: analysis.reads,
    variables: analysis.variables,
    evaluate: (input, bindings = NO_BINDINGS) => {
      const value = run(input, bindings);
      return value instanceof Promise ? value.then((result) => plainJson(result, options.limits?.output)) : value;
    },
  };
}

/** Everything wrong with an expression that can be known without data. Never throws. */
export function checkExpression(text: string, options: CompileOptions = {}): ExpressionProblem[] {
  let tree: Node;
  try {
    tree = parseReference(text);
  } catch (thrown) {
    return [thrown instanceof ExpressionError ? syntaxProblem(thrown.cause, text) : { code: "S0500", message: String(thrown), position: 0, length: 1 }];
  }
  return problemsOf(tree, options);
}

/** Paths of the input that an expression reads: the record fields to ask a provider for. @throws ExpressionError when it does not parse. */
export function pathsOf(text: string): readonly (readonly string[])[] {
  return analyze(parseReference(text)).reads;
}

/**
 * Compiles all fields of a mapping. Plain paths are read directly; all others are evaluated together, once per record. When
 * that fails, they are evaluated one by one, to tell which field failed and where in its own text.
 * @throws ExpressionError of the first field that does not compile, with `field` in its problem.
 */
export function compileFields(fields: Readonly<Record<string, FieldSource>>, options: CompileOptions = {}): CompiledFields {
  const all = Object.entries(fields).map(([name, source]) => compileField(name, source, options));
  const direct = all.filter((field) => field.direct);
  const others = all.filter((field) => !field.direct);
  const together = others.length > 1 ? evaluateTogether(others, options) : undefined;

  const evaluateEach = async (input: unknown, bindings: Bindings, result: Collected) => {
    for (const field of others) await collect(result, field, () => field.expression.evaluate(input, bindings));
  };

  const evaluateOthers = async (input: unknown, bindings: Bindings, result: Collected): Promise<FieldsResult> => {
    let values: readonly unknown[] | undefined;
    // A list as a record would be unwrapped by the combined expression.
    if (together && !Array.isArray(input)) values = await together(input, bindings).catch(() => undefined);
    if (values) others.forEach((field, index) => place(result, field, values[index]));
    else await evaluateEach(input, bindings, result);
    return inOrder(result, all);
  };

  return {
    reads: distinct(all.flatMap((field) => field.expression.reads)),
    evaluate: (input, bindings = NO_BINDINGS) => {
      const result: Collected = { values: new Map(), problems: [] };
      for (const field of direct) place(result, field, field.expression.evaluate(input, bindings));
      return others.length === 0 ? inOrder(result, all) : evaluateOthers(input, bindings, result);
    },
  };
}

interface Field {
  readonly name: string;
  readonly path: readonly string[];
  readonly expression: CompiledExpression;
  readonly direct: boolean;
  readonly isRef: boolean;
}

interface Collected { readonly values: Map<string, unknown>; readonly problems: (EvaluationProblem & { field: string })[] }

function compileField(name: string, source: FieldSource, options: CompileOptions): Field {
  const path = name.split(".");
  if (path.some((part) => part === "" || part === "__proto__")) throw new ExpressionError({ code: "FIELD", message: `'${name}' is not a field name.` });
  const isRef = "ref" in source;
  const text = "constant" in source ? JSON.stringify(source.constant) : isRef ? source.key : source.expression;
  const { tree } = parse(text, options);
  return { name, path, expression: compileExpression(text, options), direct: compileDirect(tree, isFunction) !== undefined, isRef };
}

/** One object of all expressions, each in a scope of its own. */
function evaluateTogether(fields: readonly Field[], options: CompileOptions) {
  const text = `{${fields.map((field, index) => `"${index}":(${field.expression.text}\n)`).join(",")}}`;
  const run = reference(text, analyze(parseReference(text)), options);
  return async (input: unknown, bindings: Bindings): Promise<readonly unknown[]> => {
    const object = plainJson(await run(input, bindings), options.limits?.output) as Record<string, unknown>;
    return fields.map((_field, index) => object[index]);
  };
}

async function collect(result: Collected, field: Field, evaluate: () => unknown) {
  try {
    place(result, field, await evaluate());
  } catch (thrown) {
    if (!(thrown instanceof ExpressionError)) throw thrown;
    result.problems.push({ ...thrown.problem, field: field.name });
  }
}

function place(result: Collected, field: Field, value: unknown) {
  if (value === undefined) return;
  if (!field.isRef || value === null || typeof value === "string") result.values.set(field.name, value);
  else if (typeof value === "number") result.values.set(field.name, String(value));
  else result.problems.push({ field: field.name, code: "KEY", message: `A reference needs a key of text or a number, not ${Array.isArray(value) ? "a list" : `a ${typeof value}`}.` });
}

/** The target object in the order the fields were written, whatever order they were evaluated in. */
function inOrder(result: Collected, fields: readonly Field[]): FieldsResult {
  const value: Record<string, unknown> = {};
  for (const { name, path } of fields) {
    if (!result.values.has(name)) continue;
    let target = value;
    for (const part of path.slice(0, -1)) {
      const inner = Object.hasOwn(target, part) ? target[part] : undefined;
      const next = typeof inner === "object" && inner !== null && !Array.isArray(inner) ? { ...inner } : {};
      target[part] = next;
      target = next as Record<string, unknown>;
    }
    target[path.at(-1) as string] = result.values.get(name);
  }
  return { value, problems: result.problems };
}

function parse(text: string, options: CompileOptions): { tree: Node; analysis: Analysis } {
  const tree = parseReference(text);
  const analysis = analyze(tree);
  const [problem] = problemsOf(tree, options, analysis).filter(({ code }) => code !== "T1006");
  if (problem) throw new ExpressionError(problem);
  return { tree, analysis };
}

function problemsOf(tree: Node, options: CompileOptions, analysis: Analysis = analyze(tree)): ExpressionProblem[] {
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
