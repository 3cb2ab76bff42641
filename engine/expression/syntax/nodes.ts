/**
 * The concrete syntax tree. Every node knows its span, and in `parts` all its tokens and children in the order of the source,
 * so that nothing is lost; the named fields say what the parts are. Words follow the language: a path `a.b` is a `map`
 * of `b` over `a`, `a[x]` a `filter`, `a{k: v}` a `group`, `a^(x)` a `sort`.
 */
import type { Span, Token } from "./token.ts";

export type Part = Token | Node;

interface NodeBase extends Span {
  /** Where the reference reports this node: the end of its head token (the operator of a binary, the bracket of a call). */
  readonly position: number;
  /** Nodes below this one, counted along the longest way. */
  readonly depth: number;
  readonly parts: readonly Part[];
}

/** A field's name; also `and`, `or`, `in` where a value stands. `quoted`: written in backticks. */
export interface NameNode extends NodeBase { readonly kind: "name"; readonly name: string; readonly quoted: boolean }
/** `$x`; an empty name is the context `$`, and `$` the root `$$`. */
export interface VariableNode extends NodeBase { readonly kind: "variable"; readonly name: string }
export interface StringNode extends NodeBase { readonly kind: "string"; readonly value: string; readonly quote: '"' | "'" }
export interface NumberNode extends NodeBase { readonly kind: "number"; readonly value: number }
export interface ConstantNode extends NodeBase { readonly kind: "constant"; readonly value: boolean | null }
export interface RegexNode extends NodeBase { readonly kind: "regex"; readonly pattern: string; readonly flags: string }
export interface WildcardNode extends NodeBase { readonly kind: "wildcard" }
export interface DescendantNode extends NodeBase { readonly kind: "descendant" }
export interface ParentNode extends NodeBase { readonly kind: "parent" }
/** `?` as an argument: the call is a partial application. */
export interface PlaceholderNode extends NodeBase { readonly kind: "placeholder" }
export interface NegateNode extends NodeBase { readonly kind: "negate"; readonly operand: Node }
export type BinaryOperator = "+" | "-" | "*" | "/" | "%" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "&" | "and" | "or" | "in";
export interface BinaryNode extends NodeBase { readonly kind: "binary"; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
export interface MapNode extends NodeBase { readonly kind: "map"; readonly left: Node; readonly right: Node }
export interface FilterNode extends NodeBase { readonly kind: "filter"; readonly subject: Node; readonly predicate: Node }
/** `a[]`: one value stays a list of one. */
export interface KeepArrayNode extends NodeBase { readonly kind: "keep_array"; readonly subject: Node }
export interface GroupNode extends NodeBase { readonly kind: "group"; readonly subject: Node; readonly pairs: readonly Pair[] }
export interface SortNode extends NodeBase { readonly kind: "sort"; readonly subject: Node; readonly terms: readonly SortTerm[] }
/** `a@$x`. */
export interface FocusNode extends NodeBase { readonly kind: "focus"; readonly subject: Node; readonly variable: Node }
/** `a#$i`. */
export interface IndexNode extends NodeBase { readonly kind: "index"; readonly subject: Node; readonly variable: Node }
export interface ArrayNode extends NodeBase { readonly kind: "array"; readonly items: readonly Node[] }
export interface RangeNode extends NodeBase { readonly kind: "range"; readonly left: Node; readonly right: Node }
export interface ObjectNode extends NodeBase { readonly kind: "object"; readonly pairs: readonly Pair[] }
export interface BlockNode extends NodeBase { readonly kind: "block"; readonly expressions: readonly Node[] }
export interface BindNode extends NodeBase { readonly kind: "bind"; readonly variable: Node; readonly value: Node }
export interface ConditionNode extends NodeBase { readonly kind: "condition"; readonly condition: Node; readonly whenTrue: Node; readonly whenFalse?: Node }
/** `a ?? b` (b when a is absent) and `a ?: b` (b when a is not true). */
export interface DefaultNode extends NodeBase { readonly kind: "default"; readonly operator: "??" | "?:"; readonly left: Node; readonly right: Node }
export interface CallNode extends NodeBase { readonly kind: "call"; readonly callee: Node; readonly args: readonly Node[]; readonly partial: boolean }
export interface LambdaNode extends NodeBase { readonly kind: "lambda"; readonly parameters: readonly Node[]; readonly signature?: string; readonly body: Node }
export interface ApplyNode extends NodeBase { readonly kind: "apply"; readonly left: Node; readonly right: Node }
export interface TransformNode extends NodeBase { readonly kind: "transform"; readonly pattern: Node; readonly update: Node; readonly remove?: Node }
/** Nothing where the text ends and a value is expected. */
export interface MissingNode extends NodeBase { readonly kind: "missing" }
/** What could not be read, kept as it stands; what could be read inside it is in `parts`. */
export interface ErrorNode extends NodeBase { readonly kind: "error" }

export type Node =
  | NameNode | VariableNode | StringNode | NumberNode | ConstantNode | RegexNode | WildcardNode | DescendantNode | ParentNode | PlaceholderNode
  | NegateNode | BinaryNode | MapNode | FilterNode | KeepArrayNode | GroupNode | SortNode | FocusNode | IndexNode
  | ArrayNode | RangeNode | ObjectNode | BlockNode | BindNode | ConditionNode | DefaultNode | CallNode | LambdaNode | ApplyNode | TransformNode
  | MissingNode | ErrorNode;

export type NodeKind = Node["kind"];
export type NodeOf<K extends NodeKind> = Extract<Node, { readonly kind: K }>;

export interface Pair { readonly key: Node; readonly value: Node }
export interface SortTerm { readonly descending: boolean; readonly expression: Node }

/** A whole expression: its text, the one root node, and the end token that carries trailing space and comments. */
export interface Tree {
  readonly text: string;
  readonly root: Node;
  readonly end: Token;
}

export const isNode = (part: Part): part is Node => "kind" in part;
