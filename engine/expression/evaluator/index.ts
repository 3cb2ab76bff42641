/** The evaluator's door: a tree in, a synchronous function out. */
import { plainJson } from "../plain-json.ts";
import { DEFAULT_LIMITS, parseReference, type Node } from "../reference.ts";
import type { Bindings, EvaluationLimits } from "../types.ts";
import { compileTree } from "./compile.ts";
import type { Code } from "./compiler.ts";
import { errorOf, fail } from "./failure.ts";
import { Frame, isSequence, Run, sequenceOf, type Limits } from "./values.ts";

export interface EvaluatorOptions {
  readonly limits?: EvaluationLimits | undefined;
  readonly evalAllowed?: boolean | undefined;
}

/** A call of ours is at least three of the reference's open steps: the call, its condition, its operator. */
const STEPS_PER_CALL = 3;

function limitsOf(limits: EvaluationLimits = {}): Limits {
  const depth = limits.openSteps === undefined ? limits.depth : Math.floor(limits.openSteps / STEPS_PER_CALL);
  return { ...DEFAULT_LIMITS, ...limits, ...(depth === undefined ? {} : { depth }) };
}

/** @returns a function from input and variables to plain JSON. @throws ExpressionError */
export function compileEvaluator(tree: Node, options: EvaluatorOptions = {}): (input: unknown, bindings: Bindings) => unknown {
  const limits = limitsOf(options.limits);
  const evalAllowed = options.evalAllowed === true;
  const evaluateText = (text: string, focus: unknown, frame: Frame): unknown => {
    let code: Code;
    try {
      code = compileTree(parseReference(text), { dynamic: true, evaluateText });
    } catch (thrown) {
      throw fail("D3120", { value: errorOf(thrown).message });
    }
    try {
      return code(focus, frame);
    } catch (thrown) {
      throw fail("D3121", { value: errorOf(thrown).message });
    }
  };
  let code: Code | undefined;
  return (input, bindings) => {
    try {
      code ??= compileTree(tree, evalAllowed ? { dynamic: true, evaluateText } : {});
      const run = new Run(input, bindings, limits);
      const wrapped = Array.isArray(input) && !isSequence(input) ? Object.assign(sequenceOf(input), { outerWrapper: true }) : input;
      const value = code(wrapped, new Frame(run, undefined));
      return typeof value === "object" || typeof value === "function" ? plainJson(value, limits.output, () => { run.tick(); }) : value;
    } catch (thrown) {
      throw errorOf(thrown);
    }
  };
}
