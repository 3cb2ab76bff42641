/** One preset: its defaults, its flows, its releases, and who is on which. */
import { Badge, Group, Select, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Loaded } from "../../ui/states.tsx";
import { FlowGraphView, Legend } from "../flows/flow-graph.tsx";
import { FlowList } from "../flows/flow-list.tsx";
import { Defaults } from "./defaults.tsx";
import { Releases } from "./releases.tsx";
import { behind, type WholePreset } from "./types.ts";
import { Users } from "./users.tsx";

export default function PresetPage() {
  const { preset } = useParams({ strict: false }) as { preset: string };
  const { tab = "defaults", release = "head" } = useSearch({ strict: false }) as { tab?: string; release?: string | number };
  const navigate = useNavigate();
  const narrow = (change: Record<string, unknown>) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }), replace: true } as never);
  const found = useQuery({ queryKey: ["/api/presets", preset, String(release)], queryFn: ({ signal }) => api.get<WholePreset>(`/api/presets/${preset}`, { release: String(release) }, signal) });
  return (
    <Page title={found.data?.title ?? preset} crumbs={[{ label: "Integration defaults", to: "/super-admin/integration-defaults" }, { label: preset }]} lead={found.data && <Group gap="sm" component="span">{found.data.recommended && <Badge variant="light" tt="none">Recommended</Badge>}<span>{found.data.description ?? found.data.connections.map(({ title }) => title).join(" and ")}</span></Group>}
      actions={found.data && found.data.releases.length > 0 && <Select aria-label="Release" w={190} allowDeselect={false} value={String(release)} data={[{ value: "head", label: "Head, not released" }, ...found.data.releases.toReversed().map((number) => ({ value: String(number), label: `Release ${number}` }))]} onChange={(value) => narrow({ release: value === "head" ? undefined : value })} />}>
      <Loaded query={found} rows={10}>{(whole) => (
        <Tabs value={tab} onChange={(value) => narrow({ tab: value === "defaults" ? undefined : value })} keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="defaults">Defaults</Tabs.Tab><Tabs.Tab value="flows">Flows</Tabs.Tab><Tabs.Tab value="releases">Releases</Tabs.Tab>
            <Tabs.Tab value="organisations">Organisations ({whole.tenants.length}{behind(whole) > 0 ? `, ${behind(whole)} behind` : ""})</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="defaults"><Defaults of={whole} /></Tabs.Panel>
          <Tabs.Panel value="flows"><Section title="Flows" actions={<Legend />}><FlowGraphView graph={whole.graph} label={`Flows of ${whole.title}`} /><FlowList graph={whole.graph} /></Section></Tabs.Panel>
          <Tabs.Panel value="releases"><Releases of={whole} /></Tabs.Panel>
          <Tabs.Panel value="organisations"><Users of={whole} /></Tabs.Panel>
        </Tabs>
      )}</Loaded>
    </Page>
  );
}
