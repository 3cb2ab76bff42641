/**
 * Expressions as text that can be read, shown and edited without loss: `print(parse(text).tree) === text`, always.
 * What an expression evaluates to is not decided here; `toReferenceAst` says what the reference makes of it.
 */
export type { Span, Token, TokenType, Trivia } from "./token.ts";
export type {
  Part, NameNode, VariableNode, StringNode, NumberNode, ConstantNode, RegexNode, WildcardNode, DescendantNode, ParentNode, PlaceholderNode,
  NegateNode, BinaryOperator, BinaryNode, MapNode, FilterNode, KeepArrayNode, GroupNode, SortNode, FocusNode, IndexNode, ArrayNode,
  RangeNode, ObjectNode, BlockNode, BindNode, ConditionNode, DefaultNode, CallNode, LambdaNode, ApplyNode, TransformNode, MissingNode,
  ErrorNode, Node, NodeKind, NodeOf, Pair, SortTerm, Tree,
} from "./nodes.ts";
export { isNode } from "./nodes.ts";
export type { SyntaxCode, SyntaxProblem } from "./problem.ts";
export { parse, type ParseResult } from "./parse.ts";
export { MAX_DEPTH } from "./parser.ts";
export { print, tokensOf } from "./print.ts";
export { childrenOf, nodeAt, nodesAt, walk } from "./walk.ts";
export { toReferenceAst, type ReferenceNode, type ReferenceResult, type ReferenceStage } from "./reference-ast.ts";
export { applyEdit, literal, type Edit, type EditResult, type Patch, type Refusal } from "./edit.ts";
export { scopesOf, variableNames, type Binder, type Scopes } from "./scope.ts";
export { shapeOf, type Shape } from "./shape.ts";
