import type { Node } from "../reference.ts";
import type { Frame } from "./values.ts";

export type Code = (input: unknown, frame: Frame) => unknown;

/** What the parts of the compiler share while one expression is compiled. */
export interface Compiler {
  /** A node with its filters, grouping and unwrapping. */
  compile(node: Node): Code;
  /** Names bound anywhere in the expression: all others are bindings or functions. */
  readonly bound: ReadonlySet<string>;
}
