/** Origins of an effective tree, by JSON pointer. */
import { child, originOf, type Sourced } from "./sourced.ts";
import type { Origin } from "./types.ts";

/** Every leaf, list and empty map has one; a map of more has one when it hides something. */
export function originsOf(tree: Sourced): Record<string, Origin> {
  const origins: Record<string, Origin> = {};
  const visit = (node: Sourced, pointer: string): void => {
    if (node.kind !== "map" || node.entries.size === 0 || node.shadows.length > 0) origins[pointer] = originOf(node);
    if (node.kind === "list") node.items.forEach((item, index) => visit(item, child(pointer, index)));
    if (node.kind === "map") for (const [key, member] of node.entries) visit(member, child(pointer, key));
  };
  visit(tree, "");
  return origins;
}
