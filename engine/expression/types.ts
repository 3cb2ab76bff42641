/** A syntax problem. `position` is a character offset into the expression's text; `length` what is at fault (1 when unknown). */
export interface ExpressionProblem {
  /** The reference's code (S0201 …), or `TEMPLATE`, `EVAL` ($eval is off), `REGEX` (look-around and back-references are not linear). */
  readonly code: string;
  readonly message: string;
  readonly position: number;
  readonly length: number;
}

/** A failure while evaluating: one record's, never the process's. */
export interface EvaluationProblem {
  /** The reference's code (T2001, D1001 …), `LIMIT`, `RESULT` (a function instead of a value), `KEY`, or a library function's own (NOT_JSON …). */
  readonly code: string;
  readonly message: string;
  /** Character offset into the expression's text. */
  readonly position?: number;
  /** Characters at fault from `position`; absent: 1. */
  readonly length?: number;
  /** Which limit was exceeded: `time`, `depth`, `sequence`, `output`, `text` (of the expression itself), `memory` (of its thread). */
  readonly limit?: string;
}

export interface EvaluationLimits {
  /** Milliseconds one evaluation may take. @default 1000 */
  readonly milliseconds?: number;
  /** Depth of calls. @default 200 */
  readonly depth?: number;
  /** Steps that may be open at once, as the reference's interpreter counts them, instead of `depth`; for its own cases, which are written in them. */
  readonly openSteps?: number;
  /** Items a sequence may have. @default 100000 */
  readonly sequence?: number;
  /** Characters the result may have; each value in it counts for ten. @default 10000000 */
  readonly output?: number;
}

/** Variables as JSONata bindings: `{ config: {…} }` is `$config`. */
export type Bindings = Readonly<Record<string, unknown>>;

export interface CompiledExpression {
  readonly text: string;
  /** Paths of the input it reads, as far as static analysis can tell: `["properties", "name"]`. `[]` alone means: all of it. */
  readonly reads: readonly (readonly string[])[];
  /** Names of the bindings it reads, without `$`: `config`, `account`. */
  readonly variables: readonly string[];
  /**
   * The value for one input; `undefined` is JSONata's absent. Results are plain JSON (no sequence flags). Returns a promise
   * only when the expression needs one, so callers write `const v = e.evaluate(x); const value = v instanceof Promise ? await v : v`.
   * @throws ExpressionError on an evaluation problem or an exceeded limit.
   */
  evaluate(input: unknown, bindings?: Bindings): unknown;
}

/** One field's value, or why it has none. */
export type FieldValue = { readonly value: unknown } | { readonly problem: EvaluationProblem };

export interface FieldsResult {
  /** Target object: dotted names nested, absent values left out. */
  readonly value: Record<string, unknown>;
  /** Fields that failed; empty when the record mapped. */
  readonly problems: readonly (EvaluationProblem & { readonly field: string })[];
}

/** All fields of a mapping, compiled together. */
export interface CompiledFields {
  readonly reads: readonly (readonly string[])[];
  evaluate(input: unknown, bindings?: Bindings): FieldsResult | Promise<FieldsResult>;
}

/** Where a template's text goes: it decides how each inserted value is escaped. */
export type TemplateSink = "text" | "path" | "url" | "query" | "header" | "xml" | "sql" | "html";
export type Sink = TemplateSink;

export interface CompiledTemplate {
  readonly text: string;
  /** Paths of the variables it names: `["config", "api_key"]`. */
  readonly reads: readonly (readonly string[])[];
  /**
   * The text, or `undefined` when a value that is inserted is absent or null (the caller leaves the member out, or in a
   * path reports it). Inside `{{#if}}` blocks absence is false.
   * @throws ExpressionError when a value cannot stand in the sink (a line break in a header, `..` in a path).
   */
  render(variables: Readonly<Record<string, unknown>>): string | undefined;
}
