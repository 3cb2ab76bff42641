import type { Tree } from "./nodes.ts";
import { parseSyntax } from "./parser.ts";
import type { SyntaxProblem } from "./problem.ts";
import { toReferenceAst } from "./reference-ast.ts";

export interface ParseResult {
  /** Always there, and always prints back to the text; after a problem it has error nodes. */
  readonly tree: Tree;
  /** Empty when the reference accepts the text; else the first is the one the reference throws. */
  readonly problems: readonly SyntaxProblem[];
}

/** Parses one JSONata expression. Never throws; see problem.ts for what a problem says. */
export function parse(text: string): ParseResult {
  const { tree, problems } = parseSyntax(text);
  if (problems.length > 0) return { tree, problems };
  const meaning = toReferenceAst(tree);
  return { tree, problems: "problem" in meaning ? [meaning.problem] : [] };
}
