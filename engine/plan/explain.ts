/** Says of an effective value where it was written and what it hides. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json, Workspace } from "../manifest/types.ts";
import { effectiveTree } from "./effective.ts";
import { membersOf, originOf } from "./origins.ts";
import { findPath, nearestPath, type Found } from "./paths.ts";
import { child, isRemoval, plain, type Sourced } from "./sourced.ts";
import type { Origin } from "./types.ts";

export interface Explained {
  /** `flows.learners.from.every` */
  readonly path: string;
  /** JSON pointer into the effective tree: `/flows/learners/from/every`. */
  readonly pointer: string;
  /** As it is written: `15m`. */
  readonly value: Json;
  readonly origin: Origin;
}

/**
 * One entry for a value or a list of plain values; for a subtree one entry for each of its leaves, in order. Without a path: everything.
 * @throws PlugboardError PLAN_UNKNOWN_TENANT, PLAN_UNKNOWN_PATH
 */
export function explain(workspace: Workspace, tenantId: string, path = ""): Explained[] {
  const { tree, untrimmed } = effectiveTree(workspace, tenantId);
  const found = findPath(tree, path);
  if (!found) throw new PlugboardError("PLAN_UNKNOWN_PATH", { path, tenant: tenantId, suggestion: removalAt(untrimmed, path) ?? nearestPath(tree, path) });
  const explained: Explained[] = [];
  const add = ({ node, keys, shadows }: Found) => explained.push({ path: keys.join("."), pointer: keys.reduce<string>(child, ""), value: plain(node), origin: originOf(node, shadows) });
  const visit = (here: Found): void => {
    const below = children(here.node);
    if (below.length === 0) add(here);
    for (const [key, node] of below) visit({ node, keys: [...here.keys, key], shadows: [...node.shadows, ...membersOf(here.shadows, key)] });
  };
  visit(found);
  return explained;
}

/** A list of plain values is one value; a list of maps is looked into. */
function children(node: Sourced): readonly (readonly [string, Sourced])[] {
  if (node.kind === "map") return [...node.entries];
  if (node.kind === "list" && node.items.some((item) => item.kind !== "scalar")) return node.items.map((item, index) => [String(index), item] as const);
  return [];
}

function removalAt(untrimmed: Sourced, path: string): string | undefined {
  const found = findPath(untrimmed, path);
  const hidden = found?.shadows[0];
  if (!found || !hidden || !isRemoval(found.node)) return undefined;
  const { file, line, col } = originOf(found.node);
  return `${file}:${line}:${col} removes it; it was ${JSON.stringify(hidden.value)}`;
}
