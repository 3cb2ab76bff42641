/** A wire that goes level where it passes steps, and changes its height only between them. */
import { BaseEdge, type Edge, type EdgeProps } from "@xyflow/react";
import type { Point } from "./layout.ts";

export type WireEdge = Edge<{ readonly points: readonly Point[] }, "wire">;

export function WireLine({ sourceX, sourceY, targetX, targetY, data, style, markerEnd }: EdgeProps<WireEdge>) {
  return <BaseEdge path={pathThrough([{ x: sourceX, y: sourceY }, ...(data?.points ?? []), { x: targetX, y: targetY }])} interactionWidth={0} {...(style === undefined ? {} : { style })} {...(markerEnd === undefined ? {} : { markerEnd })} />;
}

export function pathThrough(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let path = `M${first.x},${first.y}`;
  let at = first;
  for (const to of rest) {
    const reach = Math.max(18, Math.abs(to.x - at.x) / 2);
    path += Math.abs(to.y - at.y) < 0.5 ? ` L${to.x},${to.y}` : ` C${at.x + reach},${at.y} ${to.x - reach},${to.y} ${to.x},${to.y}`;
    at = to;
  }
  return path;
}
