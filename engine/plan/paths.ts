/**
 * Paths into the effective tree, as a person writes them: `flows.learners.map.fields.custom.division`. Keys may hold dots
 * themselves (`custom.division`), `list` may be left out as it may in a manifest, and a JSON pointer is a path too.
 */
import { nearest, suggest } from "../errors/nearest.ts";
import { membersOf } from "./origins.ts";
import { members, type Shadow, type Sourced } from "./sourced.ts";

export interface Found {
  readonly node: Sourced;
  readonly keys: readonly string[];
  /** What lies below the node. */
  readonly shadows: readonly Shadow[];
}

/** `undefined` when nothing stands there. */
export function findPath(tree: Sourced, path: string): Found | undefined {
  if (path.startsWith("/")) return follow({ node: tree, keys: [], shadows: tree.shadows }, path.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~")), false);
  return follow({ node: tree, keys: [], shadows: tree.shadows }, segments(path), true);
}

/** The path that was perhaps meant: the nearest key where the search ended, with the rest if it leads anywhere; or the keys that are there. */
export function nearestPath(tree: Sourced, path: string): string {
  const steps = segments(path);
  for (let known = steps.length - 1; known >= 0; known--) {
    const found = findPath(tree, steps.slice(0, known).join("."));
    if (!found) continue;
    const here = found.keys.join(".");
    const keys = members(found.node).map(([key]) => key);
    if (keys.length === 0) return `'${here}' is a single value`;
    const near = nearest(steps[known]!, keys);
    if (near === undefined) return here === "" ? suggest("", keys) : `'${here}' has: ${keys.slice(0, 16).join(", ")}${keys.length > 16 ? ", …" : ""}`;
    const whole = [...found.keys, near, ...steps.slice(known + 1)].join(".");
    return `did you mean '${findPath(tree, whole) ? whole : [...found.keys, near].join(".")}'?`;
  }
  return "";
}

export const segments = (path: string): string[] => path.split(".").filter((step) => step !== "");

/** Tries the shortest key first; `joins` allows keys of several steps. */
function follow(from: Found, steps: readonly string[], joins: boolean): Found | undefined {
  if (steps.length === 0) return from;
  for (let length = 1; length <= (joins ? steps.length : 1); length++) {
    const next = step(from, steps.slice(0, length).join("."));
    const found = next && follow(next, steps.slice(length), joins);
    if (found) return found;
  }
  const list = steps[0] === "list" ? undefined : step(from, "list");
  return list && joins ? follow(list, steps, joins) : undefined;
}

function step({ node, keys, shadows }: Found, key: string): Found | undefined {
  if (node.kind === "list") {
    const item = /^\d+$/.test(key) ? node.items[Number(key)] : undefined;
    return item && { node: item, keys: [...keys, key], shadows: item.shadows };
  }
  const member = node.kind === "map" ? node.entries.get(key) : undefined;
  return member && { node: member, keys: [...keys, key], shadows: [...member.shadows, ...membersOf(shadows, key)] };
}
