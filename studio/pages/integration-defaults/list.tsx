/** Presets: what a new organisation is offered, the recommended ones first. */
import { Anchor, Badge, Group, Paper, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { MagnifyingGlassIcon } from "@radix-ui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { behind, type Preset } from "./types.ts";

export default function Presets() {
  const { q = "" } = useSearch({ strict: false }) as { q?: string };
  const navigate = useNavigate();
  const presets = useQuery({ queryKey: ["/api/presets"], queryFn: ({ signal }) => api.get<{ data: readonly Preset[] }>("/api/presets", {}, signal) });
  return (
    <Page title="Integration defaults" lead="A preset is a tried combination of connectors, flows and mappings. Organisations are pinned to a release of one and say only what differs: changing a preset moves nobody.">
      <Loaded query={presets}>{({ data }) => {
        const found = data.filter((each) => `${each.preset} ${each.title} ${each.connections.map(({ title }) => title).join(" ")}`.toLowerCase().includes(q.trim().toLowerCase()));
        return data.length === 0 ? <Empty title="No presets yet">A preset is a file: presets/&lt;id&gt;/preset.yaml, in the catalogue or in your workspace.</Empty> : (
          <Stack>
            <TextInput w={{ base: "100%", sm: 300 }} placeholder="Search presets" aria-label="Search presets" leftSection={<MagnifyingGlassIcon aria-hidden />} value={q} onChange={(event) => void navigate({ to: ".", search: { q: event.currentTarget.value || undefined }, replace: true } as never)} />
            {found.length === 0 && <Empty title="None is called that" />}
            <SimpleGrid cols={{ base: 1, sm: 2 }}>{found.map((each) => <Card key={each.preset} of={each} />)}</SimpleGrid>
          </Stack>
        );
      }}</Loaded>
    </Page>
  );
}

function Card({ of }: { readonly of: Preset }) {
  const late = behind(of);
  return (
    <Paper withBorder p="md" component="article" aria-label={of.title} data-preset={of.preset}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap" align="flex-start"><Anchor component={Link} to={`/super-admin/integration-defaults/${of.preset}`} fw={600}>{of.title}</Anchor>{of.recommended && <Badge variant="light" tt="none" style={{ flexShrink: 0 }}>Recommended</Badge>}</Group>
        {of.description !== null && <Text size="sm" c="dimmed">{of.description}</Text>}
        <Group gap={4}>{of.connections.map(({ connection, title }) => <Badge key={connection} variant="default" tt="none" fw={500}>{title}</Badge>)}</Group>
        <Text size="xs" c="dimmed">{of.newest === null ? "No release yet: organisations follow its head." : `Release ${of.newest} is the newest.`} {of.tenants.length === 1 ? "1 organisation uses it" : `${of.tenants.length} organisations use it`}{late > 0 ? `, ${late} on another release` : ""}.</Text>
      </Stack>
    </Paper>
  );
}
