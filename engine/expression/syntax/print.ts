import { isNode, type Node, type Part, type Tree } from "./nodes.ts";
import type { Token } from "./token.ts";

/** Every token below a node, in the order of the source. Without recursion: a tree may be deep. */
export function* tokensOf(node: Node): Generator<Token> {
  const waiting: Part[] = [node];
  for (let part = waiting.pop(); part; part = waiting.pop()) {
    if (!isNode(part)) yield part;
    else for (let at = part.parts.length - 1; at >= 0; at--) waiting.push(part.parts[at]!);
  }
}

/** The source, rebuilt from the tokens of the tree: `print(parse(text).tree) === text` for every text. */
export function print(tree: Tree): string {
  let text = "";
  for (const token of tokensOf(tree.root)) text += printToken(token);
  return text + printToken(tree.end);
}

const printToken = (token: Token): string => token.trivia.map((trivia) => trivia.text).join("") + token.text;
