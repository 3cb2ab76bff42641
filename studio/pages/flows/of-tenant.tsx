/** Flows of an organisation as they are in force, each with its newest run as it goes. */
import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useLive, type LiveRun } from "../../api/live.ts";
import { useMay } from "../../api/session.ts";
import { Section } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { FlowGraphView, Legend } from "./flow-graph.tsx";
import { FlowList } from "./flow-list.tsx";
import type { FlowGraph, FlowHealth, TenantGraph } from "./types.ts";

export function FlowsOf({ tenant }: { readonly tenant: string }) {
  const [live, setLive] = useState<Readonly<Record<string, LiveRun>>>({});
  const may = useMay();
  useLive(may("runs:read") ? tenant : undefined, (line) => setLive((old) => ({ ...old, [line.flow]: line })));
  const found = useQuery({ queryKey: ["/api/flows/graph", tenant], refetchInterval: 20_000, queryFn: ({ signal }) => api.get<TenantGraph>("/api/flows/graph", { tenant }, signal) });
  return (
    <Loaded query={found} rows={10}>{(graph) => {
      // What is heard is newer than what was asked for, until it is over and asked for again.
      const health = Object.fromEntries(Object.entries(graph.health).map(([flow, each]): [string, FlowHealth] => { const heard = live[flow]; return [flow, heard === undefined || heard.status !== "running" ? each : { ...each, run: heard.run, status: heard.status, read: heard.counters?.["read"] ?? null, error: null }]; }));
      return <Both label={`Flows of ${tenant}`} graph={graph} health={health} tenant={tenant} note={<Text size="sm" c="dimmed">As they are in force{graph.preset === null ? "" : <>, from {graph.preset}</>}. Each shows its newest run as it goes.</Text>} />;
    }}</Loaded>
  );
}

/** Drawn, and in words. */
export function Both({ label, graph, health, tenant, note }: { readonly label: string; readonly graph: FlowGraph; readonly health?: Readonly<Record<string, FlowHealth>>; readonly tenant?: string; readonly note: React.ReactNode }) {
  if (graph.flows.length + graph.changes.length === 0) return <Empty title="Nothing flows here">No flow is configured.</Empty>;
  return (
    <Stack gap="md">
      <Group justify="space-between">{note}<Legend /></Group>
      <FlowGraphView label={label} graph={graph} {...(health === undefined ? {} : { health })} tenant={tenant} />
      <Section title="As a list"><FlowList graph={graph} {...(health === undefined ? {} : { health })} tenant={tenant} /></Section>
    </Stack>
  );
}
