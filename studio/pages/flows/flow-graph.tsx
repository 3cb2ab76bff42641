/**
 * Flows as a graph, left to right: what a provider has, the mapping, our own entity, and what a change of it sets off. Of an
 * organisation it shows how each goes. What it says stands in the list beside it too.
 */
import "@xyflow/react/dist/style.css";
import dagre from "@dagrejs/dagre";
import { Anchor, Badge, Box, Group, Paper, Stack, Text, useComputedColorScheme } from "@mantine/core";
import { Background, Controls, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import { useMediaQuery } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { Status } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { whole } from "../operate/types.ts";
import type { FlowGraph, FlowHealth } from "./types.ts";

interface Shown extends Record<string, unknown> {
  readonly kind: "stream" | "mapping" | "entity" | "change" | "target";
  readonly title: string; readonly over: string; readonly note?: string | undefined; readonly to?: string | undefined; readonly off?: boolean;
  readonly health?: FlowHealth | undefined; readonly tenant?: string | undefined;
}
type Drawn = Node<Shown, "box">;

const WIDTH = 212;
const ACCENT: Readonly<Record<Shown["kind"], string>> = { stream: "plug", mapping: "gray", entity: "teal", change: "orange", target: "plug" };
const EDGE: Readonly<Record<string, string>> = { succeeded: "teal", succeeded_with_quarantine: "yellow", failed: "red", running: "blue", queued: "blue", waiting: "yellow" };
const heightOf = ({ note, health }: Shown): number => 52 + (note === undefined ? 0 : 18) + (health === undefined ? 0 : 46);

/** Where a click leads. */
export const mappingPath = (tenant: string | undefined, flow: string, mapping: string | null): string | undefined => tenant !== undefined ? `/super-admin/organizations/${tenant}/mappings/${flow}` : mapping === null ? undefined : `/mappings/${mapping}`;
export const connectionPath = (tenant: string | undefined, connector: string): string => tenant === undefined ? `/connectors/${connector}` : tenant === "platform" ? "/platform" : `/super-admin/organizations/${tenant}`;

function draw({ connections, flows, changes, entities }: FlowGraph, health: Readonly<Record<string, FlowHealth>> | undefined, tenant: string | undefined): { nodes: Drawn[]; edges: Edge[]; height: number } {
  const nodes = new Map<string, Shown>();
  const edges: Edge[] = [];
  const titleOf = (name: string | null): string => { const found = connections.find(({ connection }) => connection === name); return found === undefined ? name ?? "" : found.title.toLowerCase() === name?.toLowerCase() ? found.title : `${found.title} (${name})`; };
  const connectorOf = (name: string | null): string => connections.find(({ connection }) => connection === name)?.connector ?? name ?? "";
  const entity = (name: string): string => {
    const found = entities.find((each) => each.entity === name);
    nodes.set(`e:${name}`, { kind: "entity", over: "Entity", title: found?.title ?? name, ...(found && found.match.length > 0 ? { note: `joined by ${found.match.join(", ")}` } : {}), ...(tenant === undefined ? {} : { to: `/records?tenant=${tenant}&entity=${name}` }) });
    return `e:${name}`;
  };
  for (const flow of flows) {
    const from = `s:${flow.connection}.${flow.stream}`;
    const state = health?.[flow.flow];
    nodes.set(from, { kind: "stream", over: titleOf(flow.connection), title: flow.stream, to: connectionPath(tenant, connectorOf(flow.connection)) });
    nodes.set(`m:${flow.flow}`, { kind: "mapping", over: `${flow.flow}, ${flow.enabled ? flow.schedule : "disabled"}`, title: flow.mapping ?? "as it comes", note: flow.where === null ? `${flow.fields} fields` : `${flow.fields} fields, where …`, to: mappingPath(tenant, flow.flow, flow.mapping), off: !flow.enabled, ...(health === undefined ? {} : { health: state, tenant }) });
    const colour = state?.status == null ? undefined : EDGE[state.status];
    const line = { style: { strokeWidth: 1.8, ...(colour === undefined ? {} : { stroke: `var(--mantine-color-${colour}-6)` }), ...(flow.enabled ? {} : { strokeDasharray: "4 4" }) }, animated: state?.status === "running", focusable: false };
    edges.push({ id: `${from}>${flow.flow}`, source: from, target: `m:${flow.flow}`, ...line }, { id: `${flow.flow}>e`, source: `m:${flow.flow}`, target: entity(flow.entity), ...line });
  }
  for (const change of changes) {
    const to = `t:${change.to.kind}:${change.to.connection}.${change.to.name}`;
    nodes.set(`c:${change.flow}`, { kind: "change", over: `${change.flow}${change.enabled ? "" : ", disabled"}`, title: change.when === null ? "every change" : change.when, note: change.hold_for === null ? undefined : `waits for ${change.hold_for.replaceAll("_", " ")}`, off: !change.enabled, to: change.mapping === null ? undefined : mappingPath(undefined, change.flow, change.mapping) });
    nodes.set(to, { kind: "target", over: change.to.kind === "webhook" ? "Outgoing webhook" : titleOf(change.to.connection), title: change.to.kind === "save" ? `save ${change.to.name}` : change.to.name, to: change.to.connection === null ? undefined : connectionPath(tenant, connectorOf(change.to.connection)) });
    const line = { style: { strokeWidth: 1.8, ...(change.enabled ? {} : { strokeDasharray: "4 4" }) }, focusable: false };
    edges.push({ id: `e>${change.flow}`, source: entity(change.entity), target: `c:${change.flow}`, ...line }, { id: `${change.flow}>${to}`, source: `c:${change.flow}`, target: to, ...line });
  }
  const graph = new dagre.graphlib.Graph().setGraph({ rankdir: "LR", nodesep: 22, ranksep: 72, ranker: "longest-path" }).setDefaultEdgeLabel(() => ({}));
  for (const [id, shown] of nodes) graph.setNode(id, { width: WIDTH, height: heightOf(shown) });
  for (const { source, target } of edges) graph.setEdge(source, target);
  dagre.layout(graph);
  return {
    // With a size from the start: a box of unknown size is hidden until it was measured, at every look for what is new, and takes the focus with it.
    nodes: [...nodes].map(([id, data]) => { const { x, y, width, height } = graph.node(id); return { id, type: "box" as const, position: { x: x - width / 2, y: y - height / 2 }, initialWidth: width, initialHeight: height, data, draggable: false, focusable: false, selectable: false }; }),
    edges, height: Math.min(640, Math.max(260, Number(graph.graph().height ?? 0) + 90)),
  };
}

function FlowBox({ data: { kind, title, over, note, to, off, health, tenant } }: NodeProps<Drawn>) {
  return (
    <Paper withBorder w={WIDTH} px="sm" py={8} shadow="xs" style={{ borderLeft: `3px solid var(--mantine-color-${ACCENT[kind]}-6)`, opacity: off ? 0.65 : 1 }} data-kind={kind}>
      <Handle type="target" position={Position.Left} isConnectable={false} style={HANDLE} />
      <Text size="xs" c="dimmed" truncate>{over}</Text>
      {to === undefined ? <Text size="sm" fw={600} truncate title={title}>{title}</Text> : <Anchor className="nodrag nopan" component={Link} to={to} size="sm" fw={600} display="block" truncate title={title}>{title}</Anchor>}
      {note !== undefined && <Text size="xs" c="dimmed" truncate>{note}</Text>}
      {health !== undefined && <Stack gap={2} mt={4}><Going health={health} tenant={tenant} /></Stack>}
      <Handle type="source" position={Position.Right} isConnectable={false} style={HANDLE} />
    </Paper>
  );
}

/** How a flow goes: its newest run, and when the next one is due. */
export function Going({ health, tenant }: { readonly health: FlowHealth; readonly tenant?: string | undefined }) {
  return (
    <>
      <Group gap={6} wrap="nowrap">
        {health.run === null ? <Text size="xs" c="dimmed">has not run</Text> : <Anchor className="nodrag nopan" component={Link} to={`/runs/${health.run}`} search={{ tenant } as never} aria-label={`Run: ${health.status ?? ""}`} underline="never"><Status value={health.status ?? ""} reason={health.error} /></Anchor>}
        {health.read !== null && <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>{whole(health.read)} read</Text>}
      </Group>
      <Text size="xs" c="dimmed">{health.paused ? "paused" : <>next <When at={health.next_run_at} empty="not scheduled" /></>}</Text>
    </>
  );
}

const HANDLE = { width: 6, height: 6, opacity: 0 } as const;
const NODE_TYPES = { box: FlowBox };

export function FlowGraphView({ graph, health, tenant, label }: { readonly graph: FlowGraph; readonly health?: Readonly<Record<string, FlowHealth>>; readonly tenant?: string | undefined; readonly label: string }) {
  const scheme = useComputedColorScheme("light");
  const narrow = useMediaQuery("(max-width: 48em)");
  const { nodes, edges, height } = useMemo(() => draw(graph, health, tenant), [graph, health, tenant]);
  return (
    <Box h={narrow ? Math.min(height, 340) : height} style={{ border: "1px solid var(--mantine-color-default-border)", borderRadius: 8, overflow: "hidden" }}>
      <ReactFlow nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} colorMode={scheme} fitView fitViewOptions={{ maxZoom: 1, padding: { x: "20px", top: "20px", bottom: "52px" } }} minZoom={0.2} maxZoom={1.5} nodesDraggable={false} nodesConnectable={false} nodesFocusable={false} edgesFocusable={false} elementsSelectable={false} deleteKeyCode={null} zoomOnScroll={false} preventScrolling={false} aria-label={label}>
        <Background gap={18} /><Controls showInteractive={false} orientation="horizontal" />
      </ReactFlow>
    </Box>
  );
}

export function Legend() {
  return <Group gap="xs">{([["stream", "read"], ["mapping", "mapped"], ["entity", "our entity"], ["change", "a change of it"], ["target", "done elsewhere"]] as const).map(([kind, words]) => <Badge key={kind} variant="dot" color={ACCENT[kind]} tt="none" fw={500}>{words}</Badge>)}</Group>;
}
