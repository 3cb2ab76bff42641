/**
 * Laying one tree over another. Every layer is normalised first (shorthands expanded, the alternatives of a choice set to
 * `null`), then merging is by key only, which keeps it associative; removals are dropped when all layers are merged.
 */
import { removeAlternatives, shapeOf, type Shape } from "./shape.ts";
import { isRemoval, plain, text, type Sourced, type SourcedMap } from "./sourced.ts";

/** One layer's tree with its shorthands written out. */
export function normalise(node: Sourced, shape: Shape): Sourced {
  const full = shape.expand?.(node) ?? node;
  if (full.kind !== "map") return full;
  const entries = new Map([...full.entries].map(([key, member]) => [key, normalise(member, shapeOf(shape, key))]));
  return removeAlternatives({ ...full, entries }, shape.choices ?? []);
}

/** `upper` over `lower`, both normalised. */
export function merge(lower: Sourced | undefined, upper: Sourced | undefined, shape: Shape): Sourced | undefined {
  if (!lower || !upper) return upper ?? lower;
  if (lower.kind !== "map" || upper.kind !== "map" || upper.opaque || (shape.component && isAnotherType(lower, upper))) return over(lower, upper);
  return { ...upper, entries: mergeEntries(lower, upper, shape), shadows: [...upper.shadows, ...lower.shadows], ...(lower.opaque ? { opaque: true } : {}) };
}

/** Lowest first; each normalised here. */
export function layered(nodes: readonly (Sourced | undefined)[], shape: Shape): Sourced | undefined {
  return nodes.reduce<Sourced | undefined>((below, node) => merge(below, node && normalise(node, shape), shape), undefined);
}

/** Drops what was removed. A tree without removals is given back itself, so that what is known about it can be kept. */
export function prune(node: Sourced, shape: Shape): Sourced | undefined {
  if (isRemoval(node)) return shape.free && node.shadows.length === 0 ? node : undefined;
  if (node.kind !== "map") return node;
  const kept = new Map<string, Sourced>();
  let isWhole = true;
  for (const [key, member] of node.entries) {
    const pruned = prune(member, shapeOf(shape, key));
    if (pruned) kept.set(key, pruned);
    isWhole &&= pruned === member;
  }
  return isWhole ? node : { ...node, entries: kept };
}

function mergeEntries(lower: SourcedMap, upper: SourcedMap, shape: Shape): Map<string, Sourced> {
  const [first, second] = shape.laterFirst ? [upper, lower] : [lower, upper];
  const keys = new Set([...first.entries.keys(), ...second.entries.keys()]);
  return new Map([...keys].map((key) => [key, merge(lower.entries.get(key), upper.entries.get(key), shapeOf(shape, key))!]));
}

/** A component of another type shares no options with the one below; `by` (several named ones) and `type` (one) are types in this sense too. */
function isAnotherType(lower: SourcedMap, upper: SourcedMap): boolean {
  const [below, above] = [kindOf(lower), kindOf(upper)];
  return above !== undefined && below !== undefined && above !== below;
}

function kindOf(component: SourcedMap): string | undefined {
  const by = component.entries.get("by");
  return by && !isRemoval(by) ? "by" : text(component.entries.get("type"));
}

function over(lower: Sourced, upper: Sourced): Sourced {
  // A removal that removed nothing (the unused half of a choice) is not worth telling.
  const hidden = isRemoval(lower) && lower.shadows.length === 0 ? [] : [{ source: lower.source, value: plain(lower) }];
  const shadows = [...upper.shadows, ...hidden, ...lower.shadows];
  return upper.kind === "map" ? { ...upper, shadows, opaque: true } : { ...upper, shadows };
}
