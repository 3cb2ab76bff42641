import type { Node } from "./nodes.ts";

/** What a tree says, without where it stands and how it is spelt: two texts with equal shapes parse to the same meaning. */
export type Shape = string;

/** Members that are place or spelling, or follow from others. */
const NOT_MEANT = new Set(["start", "end", "position", "depth", "parts", "quoted", "quote", "partial"]);

/** The shape of a tree, with other shapes put in the place of some of its nodes: what an edit intends. */
export function shapeOf(root: Node, instead: ReadonlyMap<Node, Shape> = new Map()): Shape {
  const shape = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(shape).join(",")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
    const replaced = instead.get(value as Node);
    if (replaced !== undefined) return replaced;
    const members = Object.entries(value).filter(([key, member]) => !NOT_MEANT.has(key) && member !== undefined);
    return `{${members.map(([key, member]) => `${key}:${shape(member)}`).join(",")}}`;
  };
  return shape(root);
}
