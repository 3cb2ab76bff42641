import type { Command } from "commander";
import pc from "picocolors";
import { compileExpression, ExpressionError, type EvaluationProblem } from "../../../engine/expression/index.ts";
import { describe, inferType, typeOfSamples } from "../../../engine/expression/types-of/index.ts";
import { print, printJson, say } from "../output.ts";
import { readInput, readVariable } from "../read-input.ts";

/** What one evaluation gave, and what can be said about the expression. */
export interface Evaluated {
  /** Absent when the expression gives nothing, or failed. */
  readonly value?: unknown;
  readonly problem?: EvaluationProblem;
  /** For people: `text or nothing`. Inferred over the given input. */
  readonly type: string;
  /** Paths of the input it reads, dotted; `$` for all of it. */
  readonly reads: readonly string[];
  readonly variables: readonly string[];
  readonly milliseconds: { readonly compile: number; readonly evaluate: number };
}

export function registerEval(program: Command): void {
  program.command("eval")
    .description("evaluate a JSONata expression over a JSON file")
    .argument("<expression>", "JSONata, as in a mapping; a leading = is accepted")
    .option("--input <file>", "JSON (or .jsonl, a list of its lines); - reads from a pipe", undefined)
    .option("--var <name=value...>", "a variable, $name in the expression; JSON or text")
    .option("--explain", "also print the type, the paths read and the time taken")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExamples:\n  plugboard eval '$slug(name)' --input company.json\n  plugboard eval 'lines.(qty * price) ~> $sum' --input invoice.json --explain\nExit codes: 0 done (also when the result is nothing), 1 the expression is wrong or failed, 2 wrong usage")
    .action((written: string, options: { input?: string; var?: string[]; explain?: boolean; json?: boolean }) => {
      const input = options.input === undefined ? undefined : readInput(options.input);
      const text = written.replace(/^\s*=(?!=)/, "");
      const evaluated = evalExpression(text, input, Object.fromEntries((options.var ?? []).map(readVariable)));
      if (evaluated.problem) process.exitCode = 1;
      if (options.json) printJson({ ok: !evaluated.problem, ...evaluated });
      else show(text, evaluated, options.explain === true);
    });
}

export function evalExpression(text: string, input: unknown, bindings: Readonly<Record<string, unknown>>): Evaluated {
  const type = describe(inferType(text, typeOfSamples([input]), { variables: Object.fromEntries(Object.entries(bindings).map(([name, value]) => [name, typeOfSamples([value])])) }).type);
  const begun = performance.now();
  let compiled = begun;
  let about: Pick<Evaluated, "reads" | "variables"> = { reads: [], variables: [] };
  let outcome: Pick<Evaluated, "value" | "problem">;
  try {
    const expression = compileExpression(text);
    about = { reads: expression.reads.map((path) => (path.length === 0 ? "$" : path.join("."))), variables: expression.variables };
    compiled = performance.now();
    const value = expression.evaluate(input, { now: Date.now(), ...bindings });
    outcome = value === undefined ? {} : { value };
  } catch (thrown) {
    if (!(thrown instanceof ExpressionError)) throw thrown;
    if (compiled === begun) compiled = performance.now();
    outcome = { problem: thrown.problem };
  }
  const done = performance.now();
  const rounded = (milliseconds: number) => Math.round(milliseconds * 1000) / 1000;
  return { ...outcome, type, ...about, milliseconds: { compile: rounded(compiled - begun), evaluate: rounded(done - compiled) } };
}

function show(text: string, { value, problem, type, reads, variables, milliseconds }: Evaluated, explain: boolean) {
  if (problem) showProblem(text, problem);
  else if (value === undefined) say(pc.dim("nothing (the expression gives no value for this input)"));
  else print(JSON.stringify(value, undefined, 2));
  if (!explain) return;
  say();
  say(`type   ${type}`);
  say(`reads  ${reads.join(", ") || "nothing of the input"}`);
  if (variables.length > 0) say(`needs  ${variables.map((name) => `$${name}`).join(", ")}`);
  say(`time   ${milliseconds.evaluate} ms (compiled in ${milliseconds.compile} ms)`);
}

/** The sentence, then the line of the expression with a mark under what is at fault. */
export function showProblem(text: string, { code, message, position, length = 1 }: EvaluationProblem) {
  say(`${pc.red("error")}  ${pc.bold(code)}  ${message}`);
  if (position === undefined) return;
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const end = text.indexOf("\n", position);
  const line = text.slice(start, end < 0 ? undefined : end);
  say(`  ${line}`);
  say(`  ${" ".repeat(position - start)}${pc.red("^".repeat(Math.max(1, Math.min(length, line.length - (position - start)))))}`);
}
