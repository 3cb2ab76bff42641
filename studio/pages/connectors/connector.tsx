/** One connector: what it offers, its files, and trying it. */
import { Alert, Anchor, Group, Tabs, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { Page } from "../../ui/page.tsx";
import { Loaded } from "../../ui/states.tsx";
import { Health } from "./gallery.tsx";
import { Offers } from "./offers.tsx";
import { Source } from "./source.tsx";
import { TryIt } from "./try-it.tsx";
import { categoryName, type Connector, type Workbench } from "./types.ts";

/** Files as they are being written, by path: trying takes them along. */
export type Drafts = Readonly<Record<string, string>>;

export default function ConnectorPage() {
  const { connector: name } = useParams({ strict: false }) as { connector: string };
  const { tab = "offers" } = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  const [drafts, setDrafts] = useState<Drafts>({});
  const connector = useQuery({ queryKey: ["/api/connectors", name], queryFn: ({ signal }) => api.get<Connector>(`/api/connectors/${name}`, {}, signal) });
  const bench = useQuery({ queryKey: [`/api/connectors/${name}/workbench`], queryFn: ({ signal }) => api.get<Workbench>(`/api/connectors/${name}/workbench`, {}, signal) });
  return (
    <Page wide title={connector.data?.title ?? name} crumbs={[{ label: "Connectors", to: "/connectors" }, { label: name }]}
      lead={connector.data && <Group gap="sm" component="span"><span>{categoryName(connector.data.category)}</span><Health connections={connector.data.health.connections} working={connector.data.health.working} />{connector.data.docs && <Anchor href={connector.data.docs} target="_blank" rel="noreferrer" size="sm">The provider's documentation</Anchor>}</Group>}>
      {connector.data && connector.data.missing.length > 0 && <Alert color="yellow" variant="light" title="Something is left to the operator">{connector.data.missing.join(", ")} {connector.data.missing.length === 1 ? "is" : "are"} set once for all customers, on the operator's own connection of it: <Anchor component={Link} to="/platform" inherit c="inherit" underline="always">Platform connections</Anchor>.</Alert>}
      <Tabs value={tab} onChange={(value) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, tab: value === "offers" ? undefined : value }), replace: true } as never)} keepMounted={false}>
        <Tabs.List mb="md"><Tabs.Tab value="offers">What it offers</Tabs.Tab><Tabs.Tab value="source">YAML{Object.keys(drafts).length > 0 && <Text span size="xs" c="dimmed"> (edited)</Text>}</Tabs.Tab><Tabs.Tab value="try">Try it</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="offers"><Loaded query={connector}>{(found) => <Loaded query={bench}>{(workbench) => <Offers of={found} bench={workbench} />}</Loaded>}</Loaded></Tabs.Panel>
        <Tabs.Panel value="source"><Loaded query={bench} rows={14}>{(workbench) => <Source bench={workbench} drafts={drafts} setDrafts={setDrafts} />}</Loaded></Tabs.Panel>
        <Tabs.Panel value="try"><Loaded query={connector}>{(found) => <Loaded query={bench}>{(workbench) => <TryIt of={found} bench={workbench} drafts={drafts} />}</Loaded>}</Loaded></Tabs.Panel>
      </Tabs>
    </Page>
  );
}
