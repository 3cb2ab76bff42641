/**
 * Tokens → tree, by Pratt's method: each token says how it begins a value (`prefix`) and how it continues one (`infix`), and a
 * binding power decides who takes an operand. Powers, and the moments at which the reference asks for the next token, are the
 * reference's; that is what makes the first problem found here the one the reference throws.
 *
 * Never throws. After a problem it goes on: an operand that is not there becomes an empty error node, a bracket that is not
 * there is taken as read, and what fits nowhere is kept in an error node. One problem is reported per place.
 */
import { Lexer } from "./lexer.ts";
import { isNode, type BinaryOperator, type Node, type NodeKind, type NodeOf, type Pair, type Part, type SortTerm, type Tree } from "./nodes.ts";
import { tokensOf } from "./print.ts";
import { syntaxProblem, type SyntaxProblem } from "./problem.ts";
import { checkSignature } from "./signature.ts";
import type { Token } from "./token.ts";

/** Levels of nesting, and of operators chained to one side. Deeper text is refused, so that no walk over a tree can exhaust the stack. */
export const MAX_DEPTH = 500;
/** Nobody reads more; a page of brackets would have one each. */
const MAX_PROBLEMS = 100;

const POWER: Readonly<Record<string, number>> = {
  "(": 80, "[": 80, "@": 80, "#": 80, ".": 75, "{": 70, "*": 60, "/": 60, "%": 60, "+": 50, "-": 50, "&": 50,
  "=": 40, "!=": 40, "<": 40, "<=": 40, ">": 40, ">=": 40, "^": 40, "~>": 40, "?:": 40, "??": 40, in: 40, and: 30, or: 25, "?": 20, ":=": 10,
};
/** `?` and the defaults take everything to their right; `:=` groups to the right; the negative sign binds closer than `*`. */
const NEGATE_POWER = 70;
const LAMBDA_NAMES = new Set(["function", "λ"]);

export interface SyntaxResult {
  readonly tree: Tree;
  readonly problems: readonly SyntaxProblem[];
}

export function parseSyntax(text: string): SyntaxResult {
  return new Parser(text).parse();
}

class Parser {
  private readonly text: string;
  private readonly lexer: Lexer;
  private readonly problems: SyntaxProblem[] = [];
  private readonly placesWithProblem = new Set<number>();
  /** Closing brackets that are waited for, innermost last. */
  private readonly open: string[] = [];
  private token: Token;
  /** End of the last token taken: where an absent operand stands. */
  private taken = 0;
  private level = 0;
  private gaveUp = false;

  constructor(text: string) {
    this.text = text;
    this.lexer = new Lexer(text, (problem) => this.report(problem));
    this.token = this.lexer.next(false);
  }

  parse(): SyntaxResult {
    let root = this.expression(0);
    if (!this.isAtEnd()) {
      const { end: position, value: token } = this.token;
      this.report(syntaxProblem("S0201", position, this.token, { token }));
      root = this.make("error", position, [root, ...this.rest()], {});
    }
    return { tree: { text: this.text, root, end: this.token }, problems: this.problems };
  }

  private expression(power: number): Node {
    if (this.level >= MAX_DEPTH) return this.giveUp();
    this.level++;
    let left = this.prefix();
    while (power < this.power()) {
      left = this.infix(left);
      if (left.depth >= MAX_DEPTH) left = this.make("error", left.position, [left, this.giveUp()], {});
    }
    this.level--;
    return left;
  }

  private power(): number {
    return this.token.token === "operator" ? (POWER[this.token.text] ?? 0) : 0;
  }

  private prefix(): Node {
    const token = this.token;
    const { end: position } = token;
    switch (token.token) {
      case "name": return this.make("name", position, [this.take(true)], { name: String(token.value), quoted: token.text.startsWith("`") });
      case "variable": return this.make("variable", position, [this.take(true)], { name: String(token.value) });
      case "string": return this.make("string", position, [this.take(true)], { value: String(token.value), quote: token.text.startsWith('"') ? '"' : "'" });
      case "number": return this.make("number", position, [this.take(true)], { value: Number(token.value) });
      case "value": return this.make("constant", position, [this.take(true)], { value: token.value as boolean | null });
      case "regex": {
        const close = token.text.lastIndexOf("/");
        return this.make("regex", position, [this.take(true)], { pattern: token.text.slice(1, close), flags: token.text.slice(close + 1) });
      }
      case "bad": return this.make("error", position, [this.take(true)], {});
      case "end": return this.make("missing", this.text.length, [], {});
      case "operator": return this.prefixOperator(token);
    }
  }

  private prefixOperator(token: Token): Node {
    const { end: position } = token;
    switch (token.text) {
      case "and": case "or": case "in": return this.make("name", position, [this.take(true)], { name: token.text, quoted: false });
      case "*": return this.make("wildcard", position, [this.take(true)], {});
      case "**": return this.make("descendant", position, [this.take(true)], {});
      case "%": return this.make("parent", position, [this.take(true)], {});
      case "-": {
        const sign = this.take(true);
        const operand = this.expression(NEGATE_POWER);
        return this.make("negate", position, [sign, operand], { operand });
      }
      case "(": return this.block();
      case "[": return this.array();
      case "{": {
        const parts: Part[] = [this.take(true)];
        return this.make("object", position, parts, { pairs: this.pairs(parts) });
      }
      case "|": return this.transform();
      default: return this.absent(token);
    }
  }

  /** `= 5`, `(a, )`: nothing that could start a value. The token is left for whoever waits for it. */
  private absent(token: Token): Node {
    if (this.problems.length === 0) {                       // the reference reads one token further before it complains
      this.lexer.next(true);
      this.lexer.offset = token.end;
    }
    this.report(syntaxProblem("S0211", token.end, token, { token: token.value }));
    return this.make("error", token.end, [], {});
  }

  private infix(left: Node): Node {
    const { end: position, text } = this.token;
    const operator = this.take(false);
    switch (text) {
      case ".": return this.pairUp("map", position, left, operator);
      case "~>": return this.pairUp("apply", position, left, operator);
      case "[": return this.filter(left, operator);
      case "{": {
        const parts: Part[] = [left, operator];
        return this.make("group", position, parts, { subject: left, pairs: this.pairs(parts) });
      }
      case "(": return this.call(left, operator);
      case "^": return this.sort(left, operator);
      case "@": case "#": {
        const variable = this.expression(80);
        if (variable.kind !== "variable") this.report(syntaxProblem("S0214", variable.position, spanOr(variable, operator), { token: text }));
        return this.make(text === "@" ? "focus" : "index", position, [left, operator, variable], { subject: left, variable });
      }
      case ":=": {
        if (bare(left).kind !== "variable") this.report(syntaxProblem("S0212", left.position, left, { token: headValue(left) }));
        const value = this.expression(POWER[":="]! - 1);
        return this.make("bind", position, [left, operator, value], { variable: left, value });
      }
      case "?": return this.condition(left, operator);
      case "??": case "?:": {
        const right = this.expression(0);
        return this.make("default", position, [left, operator, right], { operator: text, left, right });
      }
      default: {
        const right = this.expression(POWER[text]!);
        return this.make("binary", position, [left, operator, right], { operator: text as BinaryOperator, left, right });
      }
    }
  }

  private pairUp(kind: "map" | "apply", position: number, left: Node, operator: Token): Node {
    const right = this.expression(POWER[operator.text]!);
    return this.make(kind, position, [left, operator, right], { left, right });
  }

  private condition(condition: Node, operator: Token): Node {
    const parts: Part[] = [condition, operator];
    const whenTrue = this.add(parts, this.expression(0));
    if (!this.is(":")) return this.make("condition", operator.end, parts, { condition, whenTrue });
    parts.push(this.take(false));
    const whenFalse = this.add(parts, this.expression(0));
    return this.make("condition", operator.end, parts, { condition, whenTrue, whenFalse });
  }

  private filter(subject: Node, bracket: Token): Node {
    const parts: Part[] = [subject, bracket];
    if (this.is("]")) {
      parts.push(this.take(false));
      return this.make("keep_array", subject.position, parts, { subject });
    }
    const predicate = this.inside("]", () => this.add(parts, this.expression(0)));
    this.close("]", parts, true);
    return this.make("filter", bracket.end, parts, { subject, predicate });
  }

  private call(callee: Node, bracket: Token): Node {
    const parts: Part[] = [callee, bracket];
    const args: Node[] = [];
    let partial = false;
    this.inside(")", () => {
      if (this.is(")")) return;
      for (;;) {
        if (this.is("?")) {
          partial = true;
          args.push(this.add(parts, this.make("placeholder", this.token.end, [this.take(false)], {})));
        } else args.push(this.add(parts, this.expression(0)));
        if (!this.is(",")) return;
        parts.push(this.take(false));
      }
    });
    this.close(")", parts, true);
    const name = bare(callee);
    if (name.kind !== "name" || !LAMBDA_NAMES.has(name.name)) return this.make("call", bracket.end, parts, { callee, args, partial });
    return this.lambda(bracket, args, parts);
  }

  /** The word `function` stays as tokens of the lambda: it names no field. */
  private lambda(bracket: Token, parameters: Node[], parts: Part[]): Node {
    parts.splice(0, 1, ...tokensOf(parts[0] as Node));
    for (const [index, parameter] of parameters.entries()) {
      if (bare(parameter).kind !== "variable") this.report(syntaxProblem("S0208", parameter.position, spanOr(parameter, bracket), { token: headValue(parameter), value: index + 1 }));
    }
    const signature = this.is("<") ? this.signature(parts) : undefined;
    this.expect("{", parts, false);
    const body = this.inside("}", () => this.add(parts, this.expression(0)));
    this.close("}", parts, false);
    return this.make("lambda", bracket.end, parts, { parameters, body, ...(signature === undefined ? {} : { signature }) });
  }

  /** The signature has no grammar of its own: tokens up to the bracket that closes it, their values joined. */
  private signature(parts: Part[]): string {
    const start = this.token;
    let signature = "";
    let depth = 0;
    while (!this.is("{") && !this.isAtEnd()) {
      if (this.is("<")) depth++;
      else if (this.is(">")) depth--;
      signature += this.token.token === "regex" ? `${this.token.text}g` : String(this.token.value);
      if (depth === 0) break;
      parts.push(this.take(false));
    }
    if (depth > 0) signature += this.is("{") ? "{" : "(end)";
    this.expect(">", parts, false);
    const problem = checkSignature(signature);
    if (problem) this.report(syntaxProblem(problem.code, start.end + problem.offset, { start: start.start, end: this.taken }, { value: problem.value }));
    return signature;
  }

  private block(): Node {
    const { end: position } = this.token;
    const parts: Part[] = [this.take(true)];
    const expressions: Node[] = [];
    this.inside(")", () => {
      while (!this.is(")")) {
        expressions.push(this.add(parts, this.expression(0)));
        if (!this.is(";")) break;
        parts.push(this.take(false));
      }
    });
    this.close(")", parts, true);
    return this.make("block", position, parts, { expressions });
  }

  private array(): Node {
    const { end: position } = this.token;
    const parts: Part[] = [this.take(true)];
    const items: Node[] = [];
    this.inside("]", () => {
      if (this.is("]")) return;
      for (;;) {
        const item = this.expression(0);
        if (this.is("..")) {
          const dots = this.take(false);
          const right = this.expression(0);
          items.push(this.add(parts, this.make("range", dots.end, [item, dots, right], { left: item, right })));
        } else items.push(this.add(parts, item));
        if (!this.is(",")) return;
        parts.push(this.take(false));
      }
    });
    this.close("]", parts, true);
    return this.make("array", position, parts, { items });
  }

  private pairs(parts: Part[]): Pair[] {
    const pairs: Pair[] = [];
    this.inside("}", () => {
      if (this.is("}")) return;
      for (;;) {
        const key = this.add(parts, this.expression(0));
        this.expect(":", parts, false);
        const value = this.add(parts, this.expression(0));
        pairs.push({ key, value });
        if (!this.is(",")) return;
        parts.push(this.take(false));
      }
    });
    this.close("}", parts, true);
    return pairs;
  }

  private sort(subject: Node, operator: Token): Node {
    const parts: Part[] = [subject, operator];
    const terms: SortTerm[] = [];
    this.expect("(", parts, false);
    this.inside(")", () => {
      for (;;) {
        const descending = this.is(">");
        if (descending || this.is("<")) parts.push(this.take(false));
        terms.push({ descending, expression: this.add(parts, this.expression(0)) });
        if (!this.is(",")) return;
        parts.push(this.take(false));
      }
    });
    this.close(")", parts, false);
    return this.make("sort", operator.end, parts, { subject, terms });
  }

  private transform(): Node {
    const { end: position } = this.token;
    const parts: Part[] = [this.take(true)];
    const pattern = this.inside("|", () => this.add(parts, this.expression(0)));
    this.expect("|", parts, false);
    const update = this.inside("|", () => this.add(parts, this.expression(0)));
    let remove: Node | undefined;
    if (this.is(",")) {
      parts.push(this.take(false));
      remove = this.inside("|", () => this.add(parts, this.expression(0)));
    }
    this.close("|", parts, false);
    return this.make("transform", position, parts, { pattern, update, ...(remove === undefined ? {} : { remove }) });
  }

  private is(operator: string): boolean {
    return this.token.token === "operator" && this.token.text === operator;
  }

  private isAtEnd(): boolean {
    return this.token.token === "end";
  }

  private take(infix: boolean): Token {
    const token = this.token;
    this.taken = token.end;
    this.token = this.lexer.next(infix);
    return token;
  }

  private add<N extends Node>(parts: Part[], node: N): N {
    parts.push(node);
    return node;
  }

  /** Takes `operator`, or says that it is not there and goes on as if it were. */
  private expect(operator: string, parts: Part[], infix: boolean): boolean {
    if (this.is(operator)) {
      parts.push(this.take(infix));
      return true;
    }
    const { token, end: position, value } = this.token;
    this.report(syntaxProblem(token === "end" ? "S0203" : "S0202", token === "end" ? this.text.length : position, this.token, { token: value, value: operator }));
    return false;
  }

  /** Takes a closing bracket. When something else stands there, that is kept as an error node up to a bracket that somebody waits for. */
  private close(bracket: string, parts: Part[], infix: boolean): void {
    if (this.expect(bracket, parts, infix)) return;
    const skipped = this.inside(bracket, () => this.rest());
    if (skipped.length > 0) parts.push(this.make("error", this.taken, skipped, {}));
    if (this.is(bracket)) parts.push(this.take(infix));
  }

  private inside<T>(bracket: string, read: () => T): T {
    this.open.push(bracket);
    const result = read();
    this.open.pop();
    return result;
  }

  /** Everything up to the end, or to a bracket that is waited for. Takes at least one token or nothing is left to take. */
  private rest(): Part[] {
    const parts: Part[] = [];
    while (!this.isAtEnd() && !(this.token.token === "operator" && this.open.includes(this.token.text))) {
      const before = this.token.start;
      const node = this.expression(0);
      if (node.parts.length > 0) parts.push(node);
      if (this.token.start === before && !this.isAtEnd()) parts.push(this.take(false));
    }
    return parts;
  }

  /** Too deep: the remaining text is kept, token by token. */
  private giveUp(): Node {
    this.report(syntaxProblem("P0001", this.token.end, this.token, { value: MAX_DEPTH }));
    this.gaveUp = true;
    const parts: Part[] = [];
    while (!this.isAtEnd()) parts.push(this.take(true));
    return this.make("error", this.taken, parts, {});
  }

  private report(problem: SyntaxProblem): void {
    if (this.gaveUp || this.problems.length >= MAX_PROBLEMS || this.placesWithProblem.has(problem.start)) return;
    this.placesWithProblem.add(problem.start);
    this.problems.push(problem);
  }

  private make<K extends NodeKind>(kind: K, position: number, parts: Part[], fields: Omit<NodeOf<K>, "kind" | "start" | "end" | "position" | "depth" | "parts">): NodeOf<K> {
    let depth = 0;
    for (const part of parts) if (isNode(part)) depth = Math.max(depth, part.depth + 1);
    const start = parts[0]?.start ?? this.taken;
    const end = parts.at(-1)?.end ?? this.taken;
    return { kind, start, end, position, depth, parts, ...fields } as unknown as NodeOf<K>;
  }
}

/** `a[]` is, to the reference, `a` with a mark on it. */
function bare(node: Node): Node {
  return node.kind === "keep_array" ? bare(node.subject) : node;
}

const spanOr = (node: Node, token: Token) => (node.parts.length > 0 ? node : token);

/** What the reference calls the node's value: the head token's. */
function headValue(node: Node): unknown {
  switch (node.kind) {
    case "name": case "variable": return node.name;
    case "string": case "number": case "constant": return node.value;
    case "wildcard": return "*";
    case "descendant": return "**";
    case "parent": return "%";
    case "placeholder": case "condition": return "?";
    case "negate": return "-";
    case "binary": case "default": return node.operator;
    case "map": return ".";
    case "filter": case "array": return "[";
    case "keep_array": return headValue(bare(node));
    case "group": case "object": return "{";
    case "sort": return "^";
    case "focus": return "@";
    case "index": return "#";
    case "range": return "..";
    case "block": case "call": case "lambda": return "(";
    case "bind": return ":=";
    case "apply": return "~>";
    case "transform": return "|";
    case "missing": return "(end)";
    case "regex": case "error": return undefined;
  }
}
