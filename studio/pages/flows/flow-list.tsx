/** The same flows in words: for the keyboard, for screen readers, and for narrow screens. */
import { Anchor, Badge, Code, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { DataTable } from "../../ui/data-table.tsx";
import { connectionPath, Going, mappingPath } from "./flow-graph.tsx";
import type { FlowGraph, FlowHealth } from "./types.ts";

export function FlowList({ graph, health, tenant }: { readonly graph: FlowGraph; readonly health?: Readonly<Record<string, FlowHealth>>; readonly tenant?: string | undefined }) {
  const connector = (name: string | null): string => graph.connections.find(({ connection }) => connection === name)?.connector ?? name ?? "";
  return (
    <Stack gap="lg">
      {graph.flows.length > 0 && <DataTable label="Flows that read" rows={graph.flows} keyOf={({ flow }) => flow} columns={[
        { label: "Flow", show: ({ flow, title, enabled }) => <Group gap={6}>{tenant === undefined ? <Text size="sm" fw={550}>{title ?? flow}</Text> : <Anchor component={Link} to="/runs" search={{ tenant, flow } as never} size="sm" fw={550}>{title ?? flow}</Anchor>}{!enabled && <Badge size="xs" variant="default" tt="none">disabled</Badge>}</Group> },
        { label: "Reads", show: ({ connection, stream }) => <Anchor component={Link} to={connectionPath(tenant, connector(connection))} size="sm">{connection}.{stream}</Anchor> },
        { label: "Mapping", show: ({ flow, mapping, fields }) => { const to = mappingPath(tenant, flow, mapping); return to === undefined ? <Text size="sm" c="dimmed">as it comes</Text> : <Anchor component={Link} to={to} size="sm">{mapping ?? "own"} ({fields} fields)</Anchor>; } },
        { label: "Makes", show: ({ entity }) => tenant === undefined ? entity : <Anchor component={Link} to="/records" search={{ tenant, entity } as never} size="sm">{entity}</Anchor> },
        { label: "When", show: ({ schedule }) => schedule },
        ...(health === undefined ? [] : [{ label: "How it goes", show: ({ flow }: FlowGraph["flows"][number]) => { const found = health[flow]; return found === undefined ? null : <Going health={found} tenant={tenant} />; } }]),
      ]} />}
      {graph.changes.length > 0 && <DataTable label="Flows from changes" rows={graph.changes} keyOf={({ flow }) => flow} columns={[
        { label: "Flow", show: ({ flow, title, enabled }) => <Group gap={6}><Text size="sm" fw={550}>{title ?? flow}</Text>{!enabled && <Badge size="xs" variant="default" tt="none">disabled</Badge>}</Group> },
        { label: "When a change of", show: ({ entity, when }) => <>{entity}{when !== null && <> has <Code>{when}</Code></>}</> },
        { label: "Mapping", show: ({ mapping }) => mapping === null ? <Text size="sm" c="dimmed">none</Text> : <Anchor component={Link} to={`/mappings/${mapping}`} size="sm">{mapping}</Anchor> },
        { label: "Does", show: ({ to }) => to.kind === "webhook" ? `webhook ${to.name}` : <Anchor component={Link} to={connectionPath(tenant, connector(to.connection))} size="sm">{to.kind === "save" ? `saves to ${to.connection}.${to.name}` : `${to.connection}.${to.name}`}</Anchor> },
        { label: "Approval", show: ({ hold_for }) => hold_for === null ? <Text size="sm" c="dimmed">none</Text> : hold_for.replaceAll("_", " ") },
      ]} />}
    </Stack>
  );
}
