/** Origins of an effective tree, by JSON pointer into it. */
import { at, child, isJsonMap, locationOf, members, type Shadow, type Sourced } from "./sourced.ts";
import type { Origin } from "./types.ts";

/** Every leaf, list and empty map has one; a map of more has one when it hides something. */
export function originsOf(tree: Sourced): Record<string, Origin> {
  const origins: Record<string, Origin> = {};
  const shared = new Set(members(at(tree, "connectors")).map(([, connector]) => connector));
  walk(tree, (node, pointer, shadows) => {
    if (shared.has(node) && shadows.length === 0) {
      for (const [below, origin] of originsOnce(node)) origins[pointer + below] = origin;
      return false;
    }
    if (node.kind !== "map" || node.entries.size === 0 || shadows.length > 0) origins[pointer] = originOf(node, shadows);
    return true;
  });
  return origins;
}

/** Tenants share a connector's tree, so they share where it is written. */
function originsOnce(node: Sourced): readonly (readonly [string, Origin])[] {
  const known = originsBelow.get(node) ?? Object.entries(originsOf(node));
  originsBelow.set(node, known);
  return known;
}
const originsBelow = new WeakMap<Sourced, readonly (readonly [string, Origin])[]>();

/** Visits every node below `from`, as far as `visit` says true. `shadows` are the node's own and, where a map replaced another whole, that one's member of the same key. */
function walk(from: Sourced, visit: (node: Sourced, pointer: string, shadows: readonly Shadow[]) => boolean, pointer = "", inherited: readonly Shadow[] = []): void {
  const shadows = [...from.shadows, ...inherited];
  if (!visit(from, pointer, shadows)) return;
  if (from.kind === "list") from.items.forEach((item, index) => walk(item, visit, child(pointer, index), []));
  if (from.kind === "map") for (const [key, member] of from.entries) walk(member, visit, child(pointer, key), membersOf(shadows, key));
}

export function membersOf(shadows: readonly Shadow[], key: string): Shadow[] {
  return shadows.flatMap(({ source, value }) => {
    const member = isJsonMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return member === undefined ? [] : [{ source: { ...source, pointer: child(source.pointer, key) }, value: member }];
  });
}

export function originOf(node: Sourced, shadows: readonly Shadow[] = node.shadows): Origin {
  const hidden = shadows.map(({ source, value }) => ({ ...place(source), value }));
  return { ...place(node.source), ...(hidden.length > 0 ? { shadows: hidden } : {}) };
}

function place(source: Sourced["source"]): { layer: Origin["layer"]; file: string; line: number; col: number } {
  const { file, line, col } = locationOf(source);
  return { layer: source.layer, file, line, col };
}
