/**
 * An expression as nodes and wires. A view over the syntax tree and nothing beside it: a node knows which part of the text it is,
 * and where it stands in the tree is its name, so that no layout and no identity is stored anywhere.
 */
import type { Node } from "../../../engine/expression/syntax/index.ts";

export type GraphKind =
  /** A path of the record, or of what a frame gives. */
  | "source"
  | "constant" | "regex"
  /** `a & b & c` */
  | "concat" | "math" | "negate"
  /** Comparisons, `and`, `or`, `$not`: gives true or false. */
  | "condition"
  /** `c ? a : b`; a chain in the else is one table of cases. */
  | "if"
  /** `a ?? b`, `a ?: b` */
  | "default"
  | "function"
  /** `$lookup({ … }, key)`: a table. */
  | "lookup"
  | "object" | "list" | "range"
  /** `list.{ … }`, `$map(list, function($x) { … })`: what happens to each item. */
  | "for_each" | "filter" | "sort" | "group" | "reduce"
  /** `$x := …` in brackets: a wire with a name. */
  | "binding"
  /** The item of a frame, the whole record, or a variable from outside. */
  | "item" | "record" | "variable"
  /** What has no picture: kept as it is written. */
  | "opaque";

/** A place of a node that a wire ends in. */
export interface Port {
  readonly id: string;
  readonly label: string;
  /** What stands there; absent: nothing yet. */
  readonly at?: Node;
  /** The node that a wire comes from; absent where `at` is shown in the port itself. */
  readonly from?: string;
  /** A plain constant in the port: shown as a value to type over. */
  readonly inline?: string | number | boolean | null;
}

export interface GraphNode {
  /** Positions of the children from the root: `0.2.1`; `` is the root. */
  readonly id: string;
  readonly kind: GraphKind;
  readonly title: string;
  /** A second line: the operator, the key of a table, an opaque text. */
  readonly detail?: string;
  readonly at: Node;
  readonly ports: readonly Port[];
  /** The frame it lies in. */
  readonly frame?: string;
  /** Of a source: its steps below where it begins. */
  readonly path?: readonly string[];
  /** Of a source, item or variable: what it begins at. */
  readonly root?: "record" | "item" | { readonly variable: string };
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly port: string }[];
  /** The node whose value is the field's. */
  readonly result: string;
  /** Share of the text that is not opaque: 1 is all. */
  readonly coverage: number;
}
