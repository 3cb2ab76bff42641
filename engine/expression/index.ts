/**
 * The one door to expressions and templates. Everything else in Plugboard knows these functions, not the library behind them.
 * Pure: no I/O and no clock of its own (`now` is given), so that Studio previews exactly what a run does.
 */
export type { Bindings, CompiledExpression, CompiledFields, CompiledTemplate, EvaluationLimits, EvaluationProblem, ExpressionProblem, FieldValue, FieldsResult, Sink, TemplateSink } from "./types.ts";
export { ExpressionError } from "./expression-error.ts";
export { checkExpression, compileExpression, compileFields, pathsOf, type CompileOptions, type FieldSource } from "./expression.ts";
export { functionCatalogue, type FunctionEntry } from "./functions/index.ts";
export type { FunctionExample } from "./functions/types.ts";
export { checkTemplate, compileTemplate } from "./template.ts";
