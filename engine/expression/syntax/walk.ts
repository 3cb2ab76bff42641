import { isNode, type Node, type Tree } from "./nodes.ts";

/** The nodes directly below, in the order of the source. */
export const childrenOf = (node: Node): Node[] => node.parts.filter(isNode);

/** Calls `visit` for a node and all below it, outer nodes first; where it returns false, what is below is left out. */
export function walk(root: Node, visit: (node: Node, parents: readonly Node[]) => boolean | void): void {
  const parents: Node[] = [];
  const step = (node: Node): void => {
    if (visit(node, parents) === false) return;
    parents.push(node);
    for (const child of childrenOf(node)) step(child);
    parents.pop();
  };
  step(root);
}

/**
 * The innermost node at a caret position, with the nodes around it, innermost first. At a border between two nodes the one
 * that begins there is meant; at the end of a word, the word.
 */
export function nodesAt(tree: Tree, offset: number): Node[] {
  const found: Node[] = [];
  let node: Node | undefined = tree.root;
  while (node) {
    found.unshift(node);
    const inside: Node[] = childrenOf(node).filter((child) => child.start <= offset && offset <= child.end);
    node = inside.findLast((child) => child.start <= offset && offset < child.end) ?? inside.at(-1);
  }
  return found;
}

export const nodeAt = (tree: Tree, offset: number): Node => nodesAt(tree, offset)[0]!;
