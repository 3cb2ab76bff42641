/** Problems as people read them: where, what, the line with a caret, what to do, where it is documented. */
import { hintOf, messageOf, type Location, type Problem } from "./plugboard-error.ts";

export interface RenderOptions {
  /** ANSI colours. @default false */
  readonly colour?: boolean;
  /** Text of a file by its name, for the excerpt. */
  readonly textOf?: (file: string) => string | undefined;
}

/** Characters of a line that are shown; longer lines are cut around the caret. */
const EXCERPT_WIDTH = 100;
const ESCAPE = "\u001b[";
const paint = (code: string, colour: boolean | undefined) => (text: string): string => (colour ? `${ESCAPE}${code}m${text}${ESCAPE}0m` : text);

/** One problem, without a line break at its end. */
export function renderProblem(problem: Problem, options: RenderOptions = {}): string {
  const { colour } = options;
  const severity = paint(problem.severity === "error" ? "31" : "33", colour)(problem.severity);
  const place = problem.at ? `${paint("1", colour)(`${problem.at.file}:${problem.at.line}:${problem.at.col}`)}  ` : "";
  const lines = [`${place}${severity}  ${problem.code}`, `  ${messageOf(problem.code, problem.params).replaceAll("\n", "\n  ")}`];
  const text = problem.at && options.textOf?.(problem.at.file);
  if (problem.at && text !== undefined) lines.push("", ...excerpt(text, problem.at, paint("2", colour), paint("31", colour)), "");
  const hint = hintOf(problem.code, problem.params);
  if (hint !== undefined) lines.push(`  ${paint("36", colour)("hint:")} ${hint.replaceAll("\n", "\n        ")}`);
  lines.push(paint("2", colour)(`  docs: schemas/reference/errors.md#${problem.code.toLowerCase()}`));
  return lines.join("\n");
}

/** Where secrets stand: they are not repeated in an excerpt, whoever's excerpt it is. */
function maskSecrets(problems: readonly Problem[], textOf: RenderOptions["textOf"]): RenderOptions["textOf"] {
  const secrets = problems.flatMap(({ code, at }) => (code === "MANIFEST_SECRET" && at ? [at] : []));
  if (secrets.length === 0 || !textOf) return textOf;
  return (file) => {
    const text = textOf(file);
    if (text === undefined) return undefined;
    const lines = text.split("\n");
    for (const at of secrets) if (at.file === file) {
      const line = lines[at.line - 1] ?? "";
      lines[at.line - 1] = line.slice(0, at.col - 1) + "•".repeat(at.length ?? 1) + line.slice(at.col - 1 + (at.length ?? 1));
    }
    return lines.join("\n");
  };
}

/** All problems, errors and warnings in the order of files and lines, and a line that sums them up. */
export function renderProblems(problems: readonly Problem[], options: RenderOptions & { readonly checked?: number } = {}): string {
  const textOf = maskSecrets(problems, options.textOf);
  return [...sortProblems(problems).map((problem) => `${renderProblem(problem, { ...options, ...(textOf ? { textOf } : {}) })}\n`), summaryOf(problems, options.checked)].join("\n");
}

/** `3 errors and 1 warning in 2 files (18 files checked)`. */
export function summaryOf(problems: readonly Problem[], checked?: number): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  const files = new Set(problems.map(({ at }) => at?.file)).size;
  const looked = checked === undefined ? "" : ` (${count(checked, "file")} checked)`;
  if (problems.length === 0) return `No problems${looked}.`;
  const parts = [errors > 0 ? count(errors, "error") : "", warnings > 0 ? count(warnings, "warning") : ""].filter(Boolean);
  return `${parts.join(" and ")} in ${count(files, "file")}${looked}.`;
}

/** What `--json` prints of a problem. */
export function problemJson(problem: Problem): { code: string; severity: string; message: string; hint?: string; file?: string; line?: number; col?: number; length?: number; pointer?: string; docs: string } {
  const hint = hintOf(problem.code, problem.params);
  return {
    code: problem.code,
    severity: problem.severity,
    message: messageOf(problem.code, problem.params),
    ...(hint === undefined ? {} : { hint }),
    ...(problem.at ? { file: problem.at.file, line: problem.at.line, col: problem.at.col, ...(problem.at.length === undefined ? {} : { length: problem.at.length }) } : {}),
    ...(problem.pointer === undefined ? {} : { pointer: problem.pointer }),
    docs: `schemas/reference/errors.md#${problem.code.toLowerCase()}`,
  };
}

/** By file, line and column; problems without a place come first. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) =>
    compare(a.at?.file ?? "", b.at?.file ?? "") || (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.col ?? 0) - (b.at?.col ?? 0) || compare(a.code, b.code));
}

function excerpt(text: string, at: Location, dim: (text: string) => string, mark: (text: string) => string): string[] {
  const line = (text.split(/\r\n|\n|\r/)[at.line - 1] ?? "").replaceAll("\t", " ");
  const begin = at.col > EXCERPT_WIDTH ? at.col - Math.floor(EXCERPT_WIDTH / 2) : 0;
  const shown = line.slice(begin, begin + EXCERPT_WIDTH);
  const col = at.col - begin;
  const length = Math.max(1, Math.min(at.length ?? 1, shown.length - col + 1));
  const number = String(at.line);
  return [
    `  ${dim(`${number} |`)} ${begin > 0 ? "…" : ""}${shown}${begin + EXCERPT_WIDTH < line.length ? "…" : ""}`,
    `  ${dim(`${" ".repeat(number.length)} |`)} ${" ".repeat(col - 1 + (begin > 0 ? 1 : 0))}${mark("^".repeat(length))}`,
  ];
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
