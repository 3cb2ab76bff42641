/** Every connector, by category: what it can do, how its connections stand, and what the operator has to set first. */
import { Alert, Anchor, Badge, Group, Paper, Select, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core";
import { MagnifyingGlassIcon } from "@radix-ui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { api, type Page as Listed } from "../../api/client.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { categoryName, type Connector } from "./types.ts";

const CAN: Readonly<Record<string, (connector: Connector) => boolean>> = {
  reads: ({ streams }) => streams.length > 0, writes: ({ actions }) => actions.length > 0, webhooks: ({ webhooks }) => webhooks.length > 0, "signs in": ({ signs_in }) => signs_in,
};

export default function Gallery() {
  const { q = "", can, category } = useSearch({ strict: false }) as { q?: string; can?: string; category?: string };
  const navigate = useNavigate();
  const narrow = (change: Record<string, string | undefined>) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }), replace: true } as never);
  const connectors = useQuery({ queryKey: ["/api/connectors"], queryFn: ({ signal }) => api.get<Listed<Connector>>("/api/connectors", { limit: 1000 }, signal) });
  return (
    <Page title="Connectors" lead="A provider each, written down as a page of YAML: how to sign in, what can be read, written and heard.">
      <Loaded query={connectors}>{({ data }) => {
        const found = data.filter((each) => `${each.id} ${each.title} ${categoryName(each.category)} ${each.streams.map(({ name }) => name).join(" ")}`.toLowerCase().includes(q.trim().toLowerCase()) && (can === undefined || CAN[can]?.(each) !== false) && (category === undefined || categoryName(each.category) === category));
        const categories = [...new Set(data.map((each) => categoryName(each.category)))].toSorted();
        return (
          <Stack gap="lg">
            <Group gap="sm">
              <TextInput w={{ base: "100%", xs: 260 }} placeholder="Name or kind of record" aria-label="Search connectors" leftSection={<MagnifyingGlassIcon aria-hidden />} value={q} onChange={(event) => narrow({ q: event.currentTarget.value || undefined })} />
              <Select aria-label="Category" placeholder="Any category" clearable w={190} data={categories} value={category ?? null} onChange={(value) => narrow({ category: value ?? undefined })} />
              <Select aria-label="What it can do" placeholder="Anything" clearable w={150} data={Object.keys(CAN)} value={can ?? null} onChange={(value) => narrow({ can: value ?? undefined })} />
            </Group>
            <Text size="xs" c="dimmed" role="status">{found.length} of {data.length}</Text>
            {found.length === 0 && <Empty title="No connector fits">Another provider is a folder with one file: <Anchor href="/docs" inherit underline="always">connectors/&lt;id&gt;/connector.yaml</Anchor>.</Empty>}
            {categories.map((name) => {
              const here = found.filter((each) => categoryName(each.category) === name);
              return here.length > 0 && (
                <Stack key={name} gap="sm" component="section" aria-label={name}>
                  <Title order={2}>{name}</Title>
                  <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>{here.map((each) => <Card key={each.id} of={each} />)}</SimpleGrid>
                </Stack>
              );
            })}
          </Stack>
        );
      }}</Loaded>
    </Page>
  );
}

function Card({ of }: { readonly of: Connector }) {
  const { connections, working } = of.health;
  return (
    <Paper withBorder p="md" component="article" aria-label={of.title} data-connector={of.id}>
      <Stack gap="xs" h="100%">
        <Group justify="space-between" wrap="nowrap"><Anchor component={Link} to={`/connectors/${of.id}`} fw={600}>{of.title}</Anchor><Health connections={connections} working={working} /></Group>
        <Group gap={4}>
          {of.streams.length > 0 && <Badge variant="default" tt="none" fw={500}>{of.streams.length} {of.streams.length === 1 ? "stream" : "streams"}</Badge>}
          {of.actions.length > 0 && <Badge variant="default" tt="none" fw={500}>{of.actions.length} {of.actions.length === 1 ? "action" : "actions"}</Badge>}
          {of.webhooks.length > 0 && <Badge variant="default" tt="none" fw={500}>webhooks</Badge>}
          {of.signs_in && <Badge variant="default" tt="none" fw={500}>signs in</Badge>}
          {of.streams.some(({ incremental }) => incremental) && <Badge variant="default" tt="none" fw={500}>incremental</Badge>}
        </Group>
        <Text size="xs" c="dimmed" lineClamp={2}>{of.streams.map(({ name }) => name).join(", ") || "no streams"}</Text>
        {of.missing.length > 0 && <Alert color="yellow" variant="light" p="xs" mt="auto"><Text size="xs">The operator sets first: {of.missing.join(", ")}.</Text></Alert>}
      </Stack>
    </Paper>
  );
}

export function Health({ connections, working }: { readonly connections: number; readonly working: number }) {
  if (connections === 0) return <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>not connected yet</Text>;
  const good = working === connections;
  return <Badge variant="light" color={good ? "teal" : working === 0 ? "red" : "yellow"} tt="none" radius="sm" autoContrast leftSection={<span aria-hidden style={{ fontSize: 9 }}>{good ? "●" : "▲"}</span>}>{working} of {connections} work</Badge>;
}
