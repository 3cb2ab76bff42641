/**
 * The mapping as a graph: the source at the left, what is done in the middle, the target at the right. All of it, or what one
 * field is made of. Positions are worked out, never stored.
 */
import "@xyflow/react/dist/style.css";
import dagre from "@dagrejs/dagre";
import { Badge, Box, Group, Menu, NumberInput, Paper, Text, TextInput, Tooltip, useComputedColorScheme } from "@mantine/core";
import { Background, Controls, Handle, Position, ReactFlow, type Connection, type Edge, type Node, type NodeProps } from "@xyflow/react";
import { createContext, useContext, useMemo, useState } from "react";
import { framesAround, writtenAt, type Gesture } from "./gestures.ts";
import type { GraphNode, Port } from "./graph/types.ts";
import { valuesOf, type NodeValue } from "./graph/values.ts";
import { NodeMenu } from "./node-menu.tsx";
import type { FieldState, MappingView } from "./session.ts";
import { flat, type SourceField } from "./trees.ts";
import { Value } from "./value.tsx";

export interface GraphViewProps {
  readonly view: MappingView;
  /** Drawn: these fields only. */
  readonly fields: readonly FieldState[];
  readonly samples: readonly unknown[];
  readonly act: (field: string, gesture: Gesture) => void;
  readonly clear: (field: string) => void;
  readonly height?: number | string;
}

interface Around { readonly props: GraphViewProps; readonly values: ReadonlyMap<string, ReadonlyMap<string, NodeValue>> }
const AroundContext = createContext<Around | undefined>(undefined);
const useAround = (): Around => useContext(AroundContext)!;

const SOURCE_WIDTH = 210;
const NODE_WIDTH = 190;
const ROW = 26;
const HEAD = 34;

type ExprNode = Node<{ readonly field: string; readonly node: GraphNode }, "expr">;
type SideNode = Node<{ readonly sources?: readonly SourceField[]; readonly fields?: readonly FieldState[] }, "source" | "target">;
type FrameNode = Node<{ readonly label: string }, "frame">;

const idOf = (field: string, id: string): string => `${field}|${id}`;
const heightOf = (node: GraphNode): number => HEAD + 22 + node.ports.length * ROW + (node.kind === "opaque" ? 30 : 0);

/** A source that begins at the record is a wire from the source's own box; it needs no node of its own. */
const isWireOnly = (node: GraphNode): boolean => node.kind === "source" && node.root === "record" && node.ports.length === 0;
const plainPathOf = (node: GraphNode): string => (node.path ?? []).map((step) => step.replace(/\[-?\d+\]$/, "")).join(".");

function layout({ view, fields }: GraphViewProps): { nodes: Node[]; edges: Edge[] } {
  const shown = shownSources(view, fields);
  const handles = new Set(shown.map(({ path }) => path.join(".")));
  const graph = new dagre.graphlib.Graph({ multigraph: true }).setGraph({ rankdir: "LR", nodesep: 18, ranksep: 70 }).setDefaultEdgeLabel(() => ({}));
  const edges: Edge[] = [];
  const drawn: { field: string; node: GraphNode }[] = [];
  for (const { target: { field }, graph: read } of fields) {
    if (!read) continue;
    const wires = new Map(read.nodes.filter(isWireOnly).filter((node) => handles.has(plainPathOf(node))).map((node) => [node.id, node]));
    for (const node of read.nodes) if (!wires.has(node.id)) { drawn.push({ field, node }); graph.setNode(idOf(field, node.id), { width: NODE_WIDTH, height: heightOf(node) }); }
    for (const { from, to, port } of read.edges) {
      const wire = wires.get(from);
      edges.push({ id: `${field}|${from}>${to}:${port}`, source: wire ? "source" : idOf(field, from), sourceHandle: wire ? plainPathOf(wire) : "out", target: idOf(field, to), targetHandle: port });
      if (!wire) graph.setEdge(idOf(field, from), idOf(field, to), {}, port);
    }
    const result = wires.get(read.result);
    edges.push({ id: `${field}|result`, source: result ? "source" : idOf(field, read.result), sourceHandle: result ? plainPathOf(result) : "out", target: "target", targetHandle: field });
  }
  dagre.layout(graph);
  const size = graph.graph();
  const left = SOURCE_WIDTH + 90;
  const width = drawn.length === 0 ? 40 : Number(size.width ?? 0);
  const nodes: Node[] = [
    { id: "source", type: "source", position: { x: 0, y: 0 }, data: { sources: shown }, draggable: false },
    { id: "target", type: "target", position: { x: left + width + 90, y: 0 }, data: { fields }, draggable: false },
  ];
  const places = new Map<string, { x: number; y: number; width: number; height: number }>();
  for (const { field, node } of drawn) {
    const { x, y, width: wide, height } = graph.node(idOf(field, node.id));
    const place = { x: left + x - wide / 2, y: y - height / 2, width: wide, height };
    places.set(idOf(field, node.id), place);
    nodes.push({ id: idOf(field, node.id), type: "expr", position: { x: place.x, y: place.y }, data: { field, node }, draggable: false, ariaLabel: `${node.title}, for ${field}` } satisfies ExprNode);
  }
  // A frame is drawn around what lies in it, behind everything.
  for (const { field, node } of drawn) {
    const inside = drawn.filter((each) => each.field === field && each.node.frame === node.id).map((each) => places.get(idOf(field, each.node.id))!);
    if (inside.length === 0) continue;
    const [x, y] = [Math.min(...inside.map((place) => place.x)) - 14, Math.min(...inside.map((place) => place.y)) - 30];
    const [right, bottom] = [Math.max(...inside.map((place) => place.x + place.width)) + 14, Math.max(...inside.map((place) => place.y + place.height)) + 14];
    nodes.unshift({ id: `${idOf(field, node.id)}|frame`, type: "frame", position: { x, y }, data: { label: `${node.title}: per item` }, width: right - x, height: bottom - y, selectable: false, focusable: false, draggable: false, zIndex: -1 } satisfies FrameNode);
  }
  return { nodes, edges: edges.map((edge) => ({ ...edge, focusable: false })) };
}

/** A large source is drawn around what is used: what the shown fields read, and everything where it is small. */
function shownSources({ sources }: MappingView, fields: readonly FieldState[]): SourceField[] {
  const all = flat(sources);
  if (all.length <= 40) return all;
  const reads = new Set(fields.flatMap((field) => field.reads));
  const near = all.filter(({ path }) => reads.has(path.join(".")));
  return near.length > 0 ? near : all.slice(0, 40);
}

function SourceBox({ data }: NodeProps<SideNode>) {
  return (
    <Paper withBorder w={SOURCE_WIDTH} p={0} shadow="xs">
      <Text size="xs" fw={600} c="dimmed" px="xs" py={6}>Source</Text>
      {data.sources!.map(({ path, name, type }) => (
        <Box key={path.join(".")} pos="relative" px="xs" h={ROW} pl={8 + (path.length - 1) * 12} style={{ display: "flex", alignItems: "center", borderTop: "1px solid var(--mantine-color-default-border)" }}>
          <Text size="xs" truncate flex={1}>{name}</Text><Text size="xs" c="dimmed">{type}</Text>
          <Handle type="source" position={Position.Right} id={path.join(".")} title={`Drag ${path.join(".")}`} style={HANDLE} />
        </Box>
      ))}
    </Paper>
  );
}

function TargetBox({ data }: NodeProps<SideNode>) {
  return (
    <Paper withBorder w={SOURCE_WIDTH} p={0} shadow="xs">
      <Text size="xs" fw={600} c="dimmed" px="xs" py={6}>Target</Text>
      {data.fields!.map(({ target: { field, required, type }, value, problems }) => (
        <Box key={field} pos="relative" px="xs" mih={ROW} py={3} data-target={field} style={{ borderTop: "1px solid var(--mantine-color-default-border)" }}>
          <Handle type="target" position={Position.Left} id={field} style={HANDLE} />
          <Group gap={4} wrap="nowrap"><Text size="xs" fw={550} truncate flex={1}>{field}{required ? " *" : ""}</Text><Text size="xs" c={problems.some(({ severity }) => severity === "error") ? "red" : "dimmed"}>{type}</Text></Group>
          <Value of={value} width={180} />
        </Box>
      ))}
    </Paper>
  );
}

const HANDLE = { width: 12, height: 12, background: "var(--mantine-primary-color-filled)", border: "2px solid var(--mantine-color-body)" } as const;
const ACCENTS: Readonly<Record<string, string>> = { source: "gray", item: "gray", variable: "gray", constant: "teal", regex: "teal", function: "violet", concat: "blue", math: "orange", negate: "orange", condition: "grape", if: "pink", default: "cyan", lookup: "indigo", object: "blue", list: "blue", for_each: "lime", filter: "lime", sort: "lime", group: "lime", reduce: "lime", binding: "yellow", opaque: "red" };

function ExprBox({ data: { field, node } }: NodeProps<ExprNode>) {
  const { props: { view, fields, samples, act, clear }, values } = useAround();
  const state = fields.find(({ target }) => target.field === field)!;
  const value = values.get(field)?.get(node.id);
  const seen = useMemo(() => (node.path && node.root === "record" ? samples.map((sample) => plainPathOf(node).split(".").reduce<unknown>((at, step) => (at as Record<string, unknown> | null | undefined)?.[step], sample)) : value !== undefined && "value" in value ? [value.value] : []), [node, samples, value]);
  return (
    <Paper withBorder w={NODE_WIDTH} shadow="xs" style={{ borderLeft: `3px solid var(--mantine-color-${ACCENTS[node.kind] ?? "gray"}-6)` }} data-node={node.kind}>
      <Group justify="space-between" wrap="nowrap" px={8} h={HEAD} gap={4}>
        <Tooltip label={node.detail ?? node.title} disabled={node.detail === undefined} multiline maw={320}><Text size="xs" fw={600} truncate>{node.title}</Text></Tooltip>
        <NodeMenu node={node} text={state.text!.slice(node.at.start, node.at.end)} value={value} target={state.target} sources={view.sources} frames={state.graph ? framesAround(state.graph, node.id) : []} seen={seen} act={(gesture) => act(field, gesture)} clear={() => clear(field)} />
      </Group>
      {node.kind === "opaque" && <Text size="xs" ff="monospace" c="dimmed" px={8} lineClamp={2}>{node.detail}</Text>}
      {node.ports.map((port) => (
        <Box key={port.id} pos="relative" px={8} h={ROW} style={{ display: "flex", alignItems: "center", gap: 6 }} data-port={port.id}>
          <Handle type="target" position={Position.Left} id={port.id} style={HANDLE} />
          <Text size="xs" c="dimmed" truncate style={{ flexShrink: 0, maxWidth: 96 }}>{port.label}</Text>
          {port.inline !== undefined && <Inline field={field} node={node} port={port} />}
        </Box>
      ))}
      <Box px={8} pb={4}>{node.kind === "constant" ? <Inline field={field} node={node} /> : value && <Value of={value} width={NODE_WIDTH - 20} />}</Box>
      <Handle type="source" position={Position.Right} id="out" style={HANDLE} />
    </Paper>
  );
}

/** A constant is typed over where it stands. */
function Inline({ field, node, port }: { readonly field: string; readonly node: GraphNode; readonly port?: Port }) {
  const { props: { act } } = useAround();
  const at = port?.at ?? node.at;
  const is = at.kind === "string" || at.kind === "number" || at.kind === "constant" ? at.value : port?.inline ?? null;
  const [text, setText] = useState(String(is));
  const [known, setKnown] = useState(is);
  if (known !== is) { setKnown(is); setText(String(is)); }
  const tell = (value: string | number | boolean | null) => act(field, { do: "type_value", node: node.id, ...(port === undefined ? {} : { port: port.id }), value });
  const label = `${port?.label ?? "Value"} of ${node.title}`;
  if (typeof is === "number") return <NumberInput className="nodrag" size="xs" hideControls aria-label={label} value={text} onChange={(next) => setText(String(next))} onBlur={() => { if (text !== "" && Number(text) !== is) tell(Number(text)); }} onKeyDown={(event) => { if (event.key === "Enter") event.currentTarget.blur(); }} styles={{ input: { height: 22, minHeight: 22 } }} />;
  if (typeof is === "string") return <TextInput className="nodrag" size="xs" aria-label={label} value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={() => { if (text !== is) tell(text); }} onKeyDown={(event) => { if (event.key === "Enter") event.currentTarget.blur(); }} styles={{ input: { height: 22, minHeight: 22 } }} flex={1} />;
  return (
    <Menu withinPortal><Menu.Target><Badge component="button" variant="default" radius="sm" tt="none" className="nodrag" aria-label={label}>{String(is)} ▾</Badge></Menu.Target>
      <Menu.Dropdown>{[true, false, null].map((each) => <Menu.Item key={String(each)} onClick={() => tell(each)}>{String(each)}</Menu.Item>)}</Menu.Dropdown></Menu>
  );
}

function FrameBox({ data }: NodeProps<FrameNode>) {
  return <Box w="100%" h="100%" style={{ border: "1.5px dashed var(--mantine-color-lime-6)", borderRadius: 8, background: "color-mix(in srgb, var(--mantine-color-lime-6) 5%, transparent)" }}><Text size="xs" c="dimmed" px={8} py={4}>{data.label}</Text></Box>;
}

const NODE_TYPES = { source: SourceBox, target: TargetBox, expr: ExprBox, frame: FrameBox };

export function GraphView(props: GraphViewProps) {
  const { view, fields, act, height = 560 } = props;
  const scheme = useComputedColorScheme("light");
  const { nodes, edges } = useMemo(() => layout(props), [view, fields]);
  const values = useMemo(() => new Map(fields.flatMap(({ target: { field }, tree, graph }) => (tree && graph ? [[field, valuesOf(tree, graph, view.record)] as const] : []))), [fields, view.record]);
  const [dropped, setDropped] = useState<{ readonly field: string; readonly text: string; readonly at: { x: number; y: number } }>();
  const [pointer, setPointer] = useState({ x: 0, y: 0 });

  const connect = ({ source, sourceHandle, target, targetHandle }: Connection) => {
    if (source !== "source" || sourceHandle === null || targetHandle === null) return;
    const from = flat(view.sources).find(({ path }) => path.join(".") === sourceHandle);
    if (!from) return;
    if (target === "target") {
      const state = fields.find((each) => each.target.field === targetHandle);
      const text = writtenAt(from.path, []);
      if (state?.text === null) act(targetHandle, { do: "connect", text });
      else setDropped({ field: targetHandle, text, at: pointer });
      return;
    }
    const [field = "", node = ""] = target.split("|");
    const state = fields.find((each) => each.target.field === field);
    if (!state?.graph) return;
    const port = state.graph.nodes.find(({ id }) => id === node)?.ports.find(({ id }) => id === targetHandle);
    // What a frame runs over is read outside of it; what is done to each item, inside.
    const frames = framesAround(state.graph, port?.from ?? node);
    act(field, { do: "connect", node, port: targetHandle, text: writtenAt(from.path, frames) });
  };
  const root = (field: string): string => fields.find(({ target }) => target.field === field)?.graph?.result ?? "";
  return (
    <AroundContext.Provider value={{ props, values }}>
      <Box h={height} style={{ border: "1px solid var(--mantine-color-default-border)", borderRadius: 8, overflow: "hidden", position: "relative" }} onPointerUpCapture={(event) => { const box = event.currentTarget.getBoundingClientRect(); setPointer({ x: event.clientX - box.left, y: event.clientY - box.top }); }}>
        <ReactFlow nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} colorMode={scheme} onConnect={connect} fitView fitViewOptions={{ maxZoom: 1, minZoom: 0.55, padding: 0.08 }} minZoom={0.2} maxZoom={1.6} nodesDraggable={false} elementsSelectable onlyRenderVisibleElements={nodes.length > 150}
          proOptions={{ hideAttribution: false }} connectionRadius={28} deleteKeyCode={null} aria-label="Mapping graph" defaultEdgeOptions={{ type: "default", style: { strokeWidth: 1.6 } }}>
          <Background gap={18} /><Controls showInteractive={false} />
        </ReactFlow>
        {dropped && (
          <Menu opened onChange={() => setDropped(undefined)} position="bottom-start" withinPortal={false} trapFocus>
            <Menu.Target><Box pos="absolute" left={dropped.at.x} top={dropped.at.y} w={1} h={1} /></Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>{dropped.field} has a value already</Menu.Label>
              <Menu.Item onClick={() => act(dropped.field, { do: "connect", text: dropped.text })}>Replace it</Menu.Item>
              <Menu.Item onClick={() => act(dropped.field, { do: "join", node: root(dropped.field), text: dropped.text, between: " " })}>Join as one text</Menu.Item>
              <Menu.Item onClick={() => act(dropped.field, { do: "default", node: root(dropped.field), fallback: dropped.text, empty: true })}>Use it when there is none</Menu.Item>
              <Menu.Item onClick={() => act(dropped.field, { do: "if", node: root(dropped.field), condition: dropped.text })}>Only if it is there</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </Box>
    </AroundContext.Provider>
  );
}

