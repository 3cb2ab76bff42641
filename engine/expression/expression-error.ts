import type { EvaluationProblem } from "./types.ts";

/** An expression or template that does not parse, or failed on one input. The caller adds file, line and field. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
  readonly problem: EvaluationProblem;

  constructor(problem: EvaluationProblem, cause?: unknown) {
    super(problem.message, cause === undefined ? undefined : { cause });
    this.problem = problem;
  }
}
