/**
 * The mapping as a graph: the source at the left, what is done in the middle, the target at the right. A view over the text and
 * nothing beside it: what a hand does here is an edit of one field's expression.
 */
import "@xyflow/react/dist/style.css";
import { Box, Menu, useComputedColorScheme } from "@mantine/core";
import { Background, Controls, ReactFlow, type Connection, type ReactFlowInstance } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Tree } from "../../engine/expression/syntax/index.ts";
import { framesAround, writtenAt, type Gesture } from "./gestures.ts";
import { AroundContext, nodeTypes, type Around, type FrameNode, type SourceNode, type SourceSearch, type StepNode, type TargetNode } from "./graph/boxes.tsx";
import { layoutOf, SIDE_WIDTH, type Layout, type Point } from "./graph/layout.ts";
import type { Graph, GraphNode } from "./graph/types.ts";
import { valuesOf, type NodeValue } from "./graph/values.ts";
import { WireLine, type WireEdge } from "./graph/wire.tsx";
import type { FieldState, MappingView } from "./session.ts";
import { flat, type SourceField } from "./trees.ts";

export interface GraphViewProps {
  readonly view: MappingView;
  /** Drawn: these fields only. */
  readonly fields: readonly FieldState[];
  readonly samples: readonly unknown[];
  readonly act: (field: string, gesture: Gesture) => void;
  readonly clear: (field: string) => void;
  readonly readOnly?: boolean;
  readonly selected: string | undefined;
  readonly select: (field: string) => void;
  /** Takes a source field that nobody has seen. */
  readonly name: (path: readonly string[]) => void;
  readonly height?: number | string;
}

const edgeTypes = { wire: WireLine };
const NOTHING: ReadonlySet<string> = new Set();
/** Source fields that are listed at once; of more, those that are read and those that are looked for. */
const MOST_LISTED = 45;
/** Boxes of the source and target are edges of the picture; further steps are rendered when they are in sight. */
const MANY = 120;

export function GraphView({ view, fields, samples, act, clear, readOnly = false, selected, select, name, height = 560 }: GraphViewProps) {
  const scheme = useComputedColorScheme("light");
  const [asked, ask] = useState("");
  const [closed, setClosed] = useState(NOTHING);
  const [pick, setPick] = useState<Readonly<Record<string, number>>>({});
  const [dropped, setDropped] = useState<{ readonly field: string; readonly text: string; readonly at: { x: number; y: number } }>();
  const pointer = useRef({ x: 240, y: 120 });

  const shown = useSame(useMemo(() => listed(view.sources, fields, asked, closed), [view.sources, fields, asked, closed]), isSameList);
  const known = useMemo(() => new Set(flat(view.sources).map(({ path }) => path.join("."))), [view.sources]);
  const layout = useMemo(() => layoutOf(fields, shown, known), [fields, shown, known]);
  const values = useMemo(() => new Map(fields.flatMap(({ target: { field }, tree, graph }) => (tree && graph ? [[field, valuesSeen(tree, graph, view.record, pickOf(pick, field))] as const] : []))), [fields, view.record, pick]);
  const toggle = useCallback((path: string) => setClosed((old) => { const next = new Set(old); if (!next.delete(path)) next.add(path); return next; }), []);
  const search = useMemo((): SourceSearch => ({ asked, ask, closed, toggle, total: known.size, add: readOnly || asked.trim() === "" || known.has(asked.trim()) ? undefined : () => { name(asked.trim().split(".").filter(Boolean)); ask(""); } }), [asked, closed, toggle, known, readOnly, name]);
  const before = useRef<Drawn>({ nodes: [], edges: [] });
  const { nodes, edges } = useMemo(() => (before.current = keptFrom(before.current, drawn({ layout, fields, shown, values, search, selected, pick }))), [layout, fields, shown, values, search, selected, pick]);
  const flow = useRef<ReactFlowInstance>(undefined);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => keepInSight(flow.current, box.current, layout), [layout.target.x, layout.height]);
  const dropOn = useCallback((field: string, text: string) => setDropped({ field, text, at: pointer.current }), []);

  const connect = ({ source, sourceHandle, target, targetHandle }: Connection) => {
    if (source !== "source" || sourceHandle === null || targetHandle === null) return;
    const from = flat(view.sources).find(({ path }) => path.join(".") === sourceHandle);
    if (!from) return;
    if (target === "target") {
      const text = writtenAt(from.path, []);
      if (fields.find((each) => each.target.field === targetHandle)?.text === null) act(targetHandle, { do: "connect", text });
      else dropOn(targetHandle, text);
      return;
    }
    const [field = "", node = ""] = target.split("|");
    const state = fields.find((each) => each.target.field === field);
    if (!state?.graph) return;
    const port = state.graph.nodes.find(({ id }) => id === node)?.ports.find(({ id }) => id === targetHandle);
    act(field, { do: "connect", node, port: targetHandle, text: writtenAt(from.path, framesAround(state.graph, port?.from ?? node)) });
  };
  const root = (field: string): string => fields.find(({ target }) => target.field === field)?.graph?.result ?? "";
  const choose = useCallback((frame: string, index: number) => setPick((old) => ({ ...old, [frame]: index })), []);
  const sources = useRef(view.sources);
  sources.current = view.sources;
  const around = useMemo((): Around => ({ sources: () => sources.current, samples, readOnly, select, choose, act, clear, dropOn }), [samples, readOnly, select, choose, act, clear, dropOn]);
  const over = dropped && fields.find(({ target }) => target.field === dropped.field);
  return (
    <AroundContext.Provider value={around}>
      <Box ref={box} h={height} mih={360} style={{ border: "1px solid var(--mantine-color-default-border)", borderRadius: 8, overflow: "hidden", position: "relative" }} onPointerUpCapture={(event) => { const box = event.currentTarget.getBoundingClientRect(); pointer.current = { x: event.clientX - box.left, y: event.clientY - box.top }; }}>
        <ReactFlow nodes={nodes as BoxNode[]} edges={edges as WireEdge[]} nodeTypes={nodeTypes} edgeTypes={edgeTypes} colorMode={scheme} onConnect={connect} onInit={(instance) => { flow.current = instance as unknown as ReactFlowInstance; }} fitView fitViewOptions={FIT} minZoom={0.2} maxZoom={1.6} nodesDraggable={false} nodesFocusable={false} edgesFocusable={false} elementsSelectable={false} onlyRenderVisibleElements={nodes.length > MANY}
          panOnScroll zoomOnDoubleClick={false} deleteKeyCode={null} selectionKeyCode={null} multiSelectionKeyCode={null} panActivationKeyCode={null} disableKeyboardA11y connectionRadius={26} aria-label="Mapping graph" defaultEdgeOptions={EDGE}>
          <Background gap={18} /><Controls showInteractive={false} position="bottom-center" orientation="horizontal" />
        </ReactFlow>
        {dropped && over && (
          <Menu opened onChange={() => setDropped(undefined)} position="bottom-start" withinPortal={false} trapFocus returnFocus>
            <Menu.Target><Box pos="absolute" left={dropped.at.x} top={dropped.at.y} w={1} h={1} /></Menu.Target>
            <Menu.Dropdown aria-label={`${dropped.field} has a value already`}>
              <Menu.Label>{dropped.field} has a value already</Menu.Label>
              <Menu.Item onClick={() => act(dropped.field, { do: "connect", text: dropped.text })}>Replace it</Menu.Item>
              {over.graph && <>
                <Menu.Item onClick={() => act(dropped.field, { do: "join", node: root(dropped.field), text: dropped.text, between: " " })}>Join as one text</Menu.Item>
                <Menu.Item onClick={() => act(dropped.field, { do: "default", node: root(dropped.field), fallback: dropped.text, empty: true })}>Use it when there is none</Menu.Item>
                <Menu.Item onClick={() => act(dropped.field, { do: "if", node: root(dropped.field), condition: dropped.text })}>Only if it is there</Menu.Item>
              </>}
            </Menu.Dropdown>
          </Menu>
        )}
      </Box>
    </AroundContext.Provider>
  );
}

const FIT = { maxZoom: 1, minZoom: 0.45, padding: 0.05 } as const;
/** A picture that grew past the edge is fitted again; one that is all in sight stays where it is, so that nothing jumps under the hand. */
function keepInSight(flow: ReactFlowInstance | undefined, box: HTMLDivElement | null, { target, height }: Layout): void {
  if (!flow || !box) return;
  const { x, y, zoom } = flow.getViewport();
  const isOut = x + (target.x + SIDE_WIDTH) * zoom > box.clientWidth || y + height * zoom > box.clientHeight || x < 0 || y < 0;
  if (isOut) requestAnimationFrame(() => void flow.fitView(FIT));
}

const EDGE = { type: "wire", style: { strokeWidth: 1.6 } } as const;

const pickOf = (pick: Readonly<Record<string, number>>, field: string): Record<string, number> => Object.fromEntries(Object.entries(pick).flatMap(([key, index]) => (key.startsWith(`${field}|`) ? [[key.slice(field.length + 1), index]] : [])));

interface Drawn { readonly nodes: readonly BoxNode[]; readonly edges: readonly WireEdge[] }
type BoxNode = StepNode | SourceNode | TargetNode | FrameNode;
interface Picture { readonly layout: Layout; readonly fields: readonly FieldState[]; readonly shown: readonly SourceField[]; readonly values: ReadonlyMap<string, ReadonlyMap<string, NodeValue>>; readonly search: SourceSearch; readonly selected: string | undefined; readonly pick: Readonly<Record<string, number>> }

function drawn({ layout: { steps, frames, wires, rows, height, source, target }, fields, shown, values, search, selected, pick }: Picture): Drawn {
  const states = new Map(fields.map((field) => [field.target.field, field]));
  const wired = [...new Set(wires.filter(({ from }) => from === "source").map(({ handle }) => handle))].toSorted().join("\n");
  const listOf = ({ ports }: GraphNode): string => ports.find(({ id }) => id === "list")?.from ?? "";
  return {
    nodes: [
      ...frames.map(({ id, field, node, at }): FrameNode => ({ ...FIXED, id, type: "frame", position: { x: at.x, y: at.y }, width: at.width, height: at.height, data: { field, node, list: values.get(field)?.get(listOf(node)), at: pick[`${field}|${node.id}`] ?? 0 }, zIndex: 0 })),
      { ...LIVE, id: "source", type: "source", position: source, data: { sources: shown, wired, search }, ariaLabel: "Source" },
      { ...LIVE, id: "target", type: "target", position: target, width: SIDE_WIDTH, data: { fields: fields.map((state) => ({ state, values: values.get(state.target.field), ...rows[state.target.field]! })), selected, height }, ariaLabel: "Target" },
      ...steps.map(({ id, field, node, at }): StepNode => ({ ...LIVE, id, type: "step", position: { x: at.x, y: at.y }, data: { state: states.get(field)!, node, values: values.get(field) }, ariaLabel: `${node.title}, for ${field}`, zIndex: 2 })),
    ],
    edges: wires.map(({ id, from, handle, to, port, points }): WireEdge => ({ id, type: "wire", source: from, sourceHandle: handle, target: to, targetHandle: port, data: { points }, focusable: false, zIndex: 1 })),
  };
}

const FIXED = { draggable: false, selectable: false, focusable: false } as const;
// What can neither be dragged nor selected is dead to the mouse otherwise, with all that is in it.
const LIVE = { ...FIXED, style: { pointerEvents: "all" } } as const;

/** What is as it was stays the same object: React Flow draws again what is another one. */
function keptFrom(old: Drawn, now: Drawn): Drawn {
  const [nodes, edges] = [new Map(old.nodes.map((node) => [node.id, node])), new Map(old.edges.map((edge) => [edge.id, edge]))];
  return {
    nodes: now.nodes.map((node) => { const known = nodes.get(node.id); return known !== undefined && known.type === node.type && known.position.x === node.position.x && known.position.y === node.position.y && known.width === node.width && known.height === node.height && isSameData(known.data, node.data) ? known : node; }),
    edges: now.edges.map((edge) => { const known = edges.get(edge.id); return known !== undefined && known.source === edge.source && known.sourceHandle === edge.sourceHandle && known.target === edge.target && known.targetHandle === edge.targetHandle && isSamePath(known.data!.points, edge.data!.points) ? known : edge; }),
  };
}

const isSameData = (a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean => Object.keys(b).every((key) => a[key] === b[key]);
const isSamePath = (a: readonly Point[], b: readonly Point[]): boolean => a.length === b.length && a.every(({ x, y }, index) => x === b[index]!.x && y === b[index]!.y);
const isSameList = <Item,>(a: readonly Item[], b: readonly Item[]): boolean => a.length === b.length && a.every((item, index) => item === b[index]);

/** The value of before as long as it says the same. */
function useSame<Value>(value: Value, isSame: (a: Value, b: Value) => boolean): Value {
  const before = useRef(value);
  if (before.current !== value && !isSame(before.current, value)) before.current = value;
  return before.current;
}

/** Worked out once for an expression, a record and the items that are looked at. */
const seen = new WeakMap<Graph, { readonly record: unknown; readonly pick: string; readonly values: ReadonlyMap<string, NodeValue> }>();
function valuesSeen(tree: Tree, graph: Graph, record: unknown, pick: Readonly<Record<string, number>>): ReadonlyMap<string, NodeValue> {
  const key = JSON.stringify(pick);
  const known = seen.get(graph);
  if (known !== undefined && known.record === record && known.pick === key) return known.values;
  const values = valuesOf(tree, graph, record, {}, pick);
  seen.set(graph, { record, pick: key, values });
  return values;
}

/** Everything where it is little; of much, what is read by the fields that are drawn, with its parents, and what is looked for. */
function listed(sources: readonly SourceField[], fields: readonly FieldState[], asked: string, closed: ReadonlySet<string>): readonly SourceField[] {
  const all = flat(sources);
  const wanted = asked.trim().toLowerCase();
  const reads = new Set(fields.flatMap((field) => field.reads));
  const few = all.length <= MOST_LISTED;
  const isWanted = ({ path }: SourceField): boolean => { const key = path.join("."); return wanted === "" ? few || reads.has(key) : key.toLowerCase().includes(wanted); };
  const kept = all.filter(isWanted).slice(0, few ? undefined : MOST_LISTED);
  const withParents = new Set(kept.flatMap(({ path }) => path.map((_, index) => path.slice(0, index + 1).join("."))));
  if (kept.length === 0 && wanted === "") return all.slice(0, MOST_LISTED).filter(({ path }) => isOpen(path, closed));
  return all.filter(({ path }) => withParents.has(path.join(".")) && (wanted !== "" || isOpen(path, closed)));
}

const isOpen = (path: readonly string[], closed: ReadonlySet<string>): boolean => path.every((_, index) => index === path.length - 1 || !closed.has(path.slice(0, index + 1).join(".")));
