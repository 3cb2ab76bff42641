/** Compares our parse of a text with the reference's: the same meaning, or the same first problem. */
import jsonata from "jsonata";
import { parse, print, toReferenceAst } from "../../../../engine/expression/syntax/index.ts";

/** What differs, or undefined. */
export function differenceFromReference(text: string): string | undefined {
  const { tree, problems } = parse(text);
  if (print(tree) !== text) return `prints as ${JSON.stringify(print(tree))}`;
  let ast: unknown;
  try {
    ast = jsonata(text).ast();
  } catch (thrown) {
    return differentProblem(thrown as { code?: string; position?: number; message?: string }, problems[0]);
  }
  if (problems[0]) return `only we refuse it: ${problems[0].code} at ${problems[0].position}`;
  const ours = toReferenceAst(tree);
  if ("problem" in ours) return `only its meaning is refused: ${ours.problem.code}`;
  const [expected, actual] = [normalised(ast), normalised(ours.ast)].map((node) => JSON.stringify(node));
  return expected === actual ? undefined : `means\n  ${actual}\nand not\n  ${expected}`;
}

/** Problems the reference throws without a code of its own: a regular expression or signature that JavaScript's RegExp refuses. */
const WITHOUT_CODE = new Set(["P0301", "P0401"]);

function differentProblem(theirs: { code?: string; position?: number; message?: string }, ours: { code: string; position: number } | undefined): string | undefined {
  if (!ours) return `only the reference refuses it: ${theirs.code} at ${theirs.position} (${theirs.message})`;
  if (theirs.code === undefined) return WITHOUT_CODE.has(ours.code) ? undefined : `${ours.code}, and the reference throws ${theirs.message}`;
  // Where the reference knows no position (a `%` without parent), ours adds one.
  return theirs.code === ours.code && (theirs.position === undefined || theirs.position === ours.position) ? undefined
    : `${ours.code} at ${ours.position}, and not ${theirs.code} at ${theirs.position}`;
}

/**
 * Members in order, without functions and absent ones. A regular expression is left out: to the left of `??` the reference
 * loses its own in a copy through JSON. That ours is right shows in the tests of the lexer.
 */
function normalised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalised);
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
  const node = value as Record<string, unknown>;
  const members = Object.keys(node).filter((key) => node[key] !== undefined && typeof node[key] !== "function" && !(node.type === "regex" && key === "value"));
  return Object.fromEntries(members.sort().map((key) => [key, normalised(node[key])]));
}
