/**
 * Where everything stands. Each target field has a lane of its own, in the target's order; in a lane the steps go from left to
 * right, and what comes straight from the source is led around them. Nothing lies over anything; positions are worked out, never stored.
 */
import type { FieldState } from "../session.ts";
import type { SourceField } from "../trees.ts";
import type { Graph, GraphNode } from "./types.ts";

export interface Place { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
export interface Point { readonly x: number; readonly y: number }
export interface Wire { readonly id: string; /** `source`, or the step's id. */ readonly from: string; readonly handle: string; /** `target`, or the step's id. */ readonly to: string; readonly port: string; readonly field: string; /** On the way. */ readonly points: readonly Point[] }
export interface Layout {
  readonly steps: readonly { readonly id: string; readonly field: string; readonly node: GraphNode; readonly at: Place }[];
  readonly frames: readonly { readonly id: string; readonly field: string; readonly node: GraphNode; readonly at: Place }[];
  readonly wires: readonly Wire[];
  readonly source: Point;
  readonly target: Point;
  /** Where each field's row stands in the target's box: as high as its lane. */
  readonly rows: Readonly<Record<string, { readonly top: number; readonly height: number }>>;
  readonly height: number;
}

export const SIDE_WIDTH = 220;
export const STEP_WIDTH = 190;
export const ROW = 26;
export const HEAD = 34;
/** Between the source and the first step: wires change lanes here and nowhere else. */
const GUTTER = 110;
const LANE_GAP = 16;
const COLUMN_GAP = 56;
const STEP_GAP = 14;
/** Room for two steps, so that the first ones that are drawn move nothing. */
const LEAST_WIDTH = 2 * STEP_WIDTH + COLUMN_GAP;
/** Of a wire that passes. */
const STRIP = 18;
const FRAME_HEAD = 30;
const TARGET_ROW = 46;
const SEARCH = 34;

export const idOf = (field: string, id: string): string => `${field}|${id}`;
export const heightOf = (node: GraphNode): number => HEAD + 26 + node.ports.length * ROW + (node.kind === "opaque" ? 34 : 0);
export const plainPathOf = (node: GraphNode): string => (node.path ?? []).map((step) => step.replace(/\[-?\d+\]$/, "")).join(".");

/** A source that begins at the record is a wire from the source's own box; it needs no step of its own. */
export const isWireOnly = (node: GraphNode): boolean => node.kind === "source" && node.root === "record" && node.ports.length === 0 && !(node.path ?? []).some((step) => /\[-?\d+\]$/.test(step));

export const sourceHeight = (rows: number): number => HEAD + SEARCH + rows * ROW + 6;

/**
 * @param shown what the source's box lists.
 * @param known every field of the source: a wire from one that is folded away begins at the nearest parent; what nobody knows is a step.
 */
export function layoutOf(fields: readonly FieldState[], shown: readonly SourceField[], known: ReadonlySet<string>): Layout {
  const listed = new Set(shown.map(({ path }) => path.join(".")));
  const handleOf = (path: string): string | undefined => (known.has(path) ? nearest(path, listed) : undefined);
  const laneOf = (field: string, graph: Graph): Lane => {
    const wired = wiredOf(graph, handleOf);
    const key = [field, ...wired.values()].join("\n");
    const lanes = remembered.get(graph) ?? new Map<string, Lane>();
    remembered.set(graph, lanes);
    const lane = lanes.get(key) ?? makeLane(field, graph, wired);
    lanes.set(key, lane);
    return lane;
  };
  const steps: Layout["steps"][number][] = [];
  const frames: Layout["frames"][number][] = [];
  const wires: Wire[] = [];
  const rows: Record<string, { top: number; height: number }> = {};
  const lanes = fields.map(({ target: { field }, graph }) => ({ field, ...(graph ? laneOf(field, graph) : EMPTY_LANE) }));
  const width = Math.max(LEAST_WIDTH, ...lanes.map((lane) => lane.width));
  const left = SIDE_WIDTH + GUTTER;
  const right = left + width + 80;
  let y = HEAD + LANE_GAP / 2;
  for (const lane of lanes) {
    const height = Math.max(TARGET_ROW, lane.height);
    const middle = y + height / 2;
    const shift = { x: left, y: middle - lane.height / 2 };
    rows[lane.field] = { top: y - LANE_GAP / 2, height: height + LANE_GAP };
    const moved = ({ x, y: top, width: wide, height: tall }: Place): Place => ({ x: x + shift.x, y: top + shift.y, width: wide, height: tall });
    for (const step of lane.steps) steps.push({ ...step, at: moved(step.at) });
    for (const frame of lane.frames) frames.push({ ...frame, at: moved(frame.at) });
    for (const wire of lane.wires) wires.push({ ...wire, points: wire.to === "target" ? (wire.from === "source" ? [{ x: left - 20, y: middle }] : [{ x: right - 60, y: wire.points[0]!.y + shift.y }]) : wire.points.map((point) => ({ x: point.x + shift.x, y: point.y + shift.y })) });
    y += height + LANE_GAP;
  }
  const height = y - LANE_GAP / 2;
  return { steps, frames, wires, rows, height, source: { x: 0, y: Math.max(0, (height - sourceHeight(shown.length)) / 2) }, target: { x: right, y: -1 } };
}

interface Lane { readonly width: number; readonly height: number; readonly steps: Layout["steps"]; readonly frames: Layout["frames"]; readonly wires: readonly Wire[] }
/** Of an expression, as long as its wires begin at the same places: an edit of one field lays out one lane. */
const remembered = new WeakMap<Graph, Map<string, Lane>>();
const EMPTY_LANE: Lane = { width: 0, height: 0, steps: [], frames: [], wires: [] };

/**
 * An expression is a tree, or nearly: what feeds a step stands to its left, from top to bottom in the order of its places. What
 * comes straight from the source takes a strip of its own, so that it is led past everything at one height. A step that feeds
 * several (a binding) stands with the first of them.
 */
function makeLane(field: string, read: Graph, wired: ReadonlyMap<string, string>): Lane {
  const straight = wired.get(read.result);
  if (straight !== undefined) return { ...EMPTY_LANE, wires: [{ id: `${field}|result`, field, from: "source", handle: straight, to: "target", port: field, points: [] }] };
  const nodes = new Map(read.nodes.filter(({ id }) => !wired.has(id)).map((node) => [node.id, node]));
  const depths = depthsOf(read, nodes);
  const deepest = Math.max(0, ...depths.values());
  const xOf = (id: string): number => (deepest - depths.get(id)!) * (STEP_WIDTH + COLUMN_GAP);

  const places = new Map<string, Place>();
  const frames: Lane["frames"][number][] = [];
  const wires: Wire[] = [];
  /** Places the step and what feeds it from `top` on. @returns where it ends. */
  const place = (id: string, top: number): number => {
    const node = nodes.get(id)!;
    const [x, height] = [xOf(id), heightOf(node)];
    places.set(id, { x, y: top, width: STEP_WIDTH, height });      // so that nobody places it again
    let end = top;
    const middles: number[] = [];
    for (const port of node.ports) {
      if (port.from === undefined) continue;
      const handle = wired.get(port.from);
      const wire = { id: `${field}|${port.from}>${id}:${port.id}`, field, to: idOf(field, id), port: port.id };
      if (handle !== undefined) {
        wires.push({ ...wire, from: "source", handle, points: x === 0 ? [] : [{ x: -20, y: end + STRIP / 2 }, { x: x - COLUMN_GAP + 12, y: end + STRIP / 2 }] });
        middles.push(end + STRIP / 2);
        end += STRIP;
        continue;
      }
      wires.push({ ...wire, from: idOf(field, port.from), handle: "out", points: [] });
      if (places.has(port.from)) continue;
      const isBody = [...nodes.values()].some(({ frame }) => frame === id) && nodes.get(port.from)?.frame === id;
      const from = end + (isBody ? FRAME_HEAD : 0);
      const before = new Set(places.keys());
      const to = place(port.from, from);
      const fed = places.get(port.from)!;
      middles.push(fed.y + fed.height / 2);
      if (isBody) {
        const inside = [...places].filter(([each]) => !before.has(each)).map(([, at]) => at);
        const left = Math.min(...inside.map((at) => at.x)) - 12;
        frames.push({ id: `${idOf(field, id)}|frame`, field, node, at: { x: left, y: from - FRAME_HEAD, width: Math.max(...inside.map((at) => at.x + at.width)) + 12 - left, height: to - from + FRAME_HEAD + 10 } });
      }
      end = to + (isBody ? 10 : 0) + STEP_GAP;
    }
    const middle = middles.length === 0 ? top + height / 2 : (middles[0]! + middles.at(-1)!) / 2;
    const y = Math.max(top, middle - height / 2);
    places.set(id, { x, y, width: STEP_WIDTH, height });
    return Math.max(end - (end > top ? STEP_GAP : 0), y + height);
  };
  let height = place(read.result, 0);
  // What is written and not used stands below.
  for (const id of nodes.keys()) if (!places.has(id)) height = place(id, height + STEP_GAP);
  const result = places.get(read.result)!;
  return {
    width: (deepest + 1) * STEP_WIDTH + deepest * COLUMN_GAP, height,
    steps: [...places].map(([id, at]) => ({ id: idOf(field, id), field, node: nodes.get(id)!, at })),
    frames: frames.toReversed(),
    wires: [...wires, { id: `${field}|result`, field, from: idOf(field, read.result), handle: "out", to: "target", port: field, points: [{ x: 0, y: result.y + result.height / 2 }] }],
  };
}

/** Nodes that are wires from the source's box: node → where the wire begins. */
const wiredOf = (graph: Graph, handleOf: (path: string) => string | undefined): Map<string, string> => new Map(graph.nodes.filter(isWireOnly).flatMap((node) => { const handle = handleOf(plainPathOf(node)); return handle === undefined ? [] : [[node.id, handle] as const]; }));

/** How many steps a step is away from the result, along the longest way. */
function depthsOf({ result, edges }: Graph, nodes: ReadonlyMap<string, GraphNode>): Map<string, number> {
  const depths = new Map<string, number>();
  const feeds = Map.groupBy(edges, ({ to }) => to);
  const visit = (id: string, depth: number): void => {
    if (!nodes.has(id) || (depths.get(id) ?? -1) >= depth) return;
    depths.set(id, depth);
    for (const { from } of feeds.get(id) ?? []) visit(from, depth + 1);
  };
  visit(result, 0);
  for (const id of nodes.keys()) if (!depths.has(id)) visit(id, 1);
  return depths;
}

/** The field itself, or the nearest parent that is listed. */
function nearest(path: string, handles: ReadonlySet<string>): string | undefined {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) if (handles.has(at)) return at;
  return undefined;
}
