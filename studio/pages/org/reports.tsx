/** The reports that name one's role, with the filters that keep them to one's own rows. */
import { Badge, Group, Paper, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { ForOwn } from "./own.tsx";

interface Report { readonly report: string; readonly labels: Readonly<Record<string, readonly string[]>>; readonly filters: readonly { readonly target: { readonly table: string; readonly column: string }; readonly values: readonly string[] }[] }

export default function Reports() {
  return <Page title="Reports" lead="Each shows your organisation's rows only. Your product embeds them; here stands which ones are yours, and what they are limited to."><ForOwn>{(tenant) => <List tenant={tenant} />}</ForOwn></Page>;
}

/** hiring-funnel → Hiring funnel */
const titled = (name: string): string => { const words = name.replaceAll(/[-_]/g, " "); return words.charAt(0).toUpperCase() + words.slice(1); };

function List({ tenant }: { readonly tenant: string }) {
  const reports = useQuery({ queryKey: [`/api/tenants/${tenant}/reports`], queryFn: ({ signal }) => api.get<{ data: readonly Report[] }>(`/api/tenants/${tenant}/reports`, {}, signal) });
  return <Loaded query={reports} rows={3}>{({ data }) => data.length === 0 ? <Empty title="No reports for your role">Your organisation's preset says which reports there are, and for whom.</Empty> : (
    <SimpleGrid cols={{ base: 1, md: 2 }}>{data.map(({ report, labels, filters }) => (
      <Paper key={report} withBorder p="md" component="article" aria-label={titled(report)}>
        <Stack gap="xs">
          <Text fw={600} size="sm">{titled(report)}</Text>
          <Group gap={6}>{Object.entries(labels).flatMap(([name, values]) => values.map((value) => <Badge key={`${name} ${value}`} variant="default" radius="sm" tt="none">{name}: {value}</Badge>))}</Group>
          <Text size="xs" c="dimmed">From {[...new Set(filters.map(({ target }) => target.table))].join(", ")}.</Text>
        </Stack>
      </Paper>
    ))}</SimpleGrid>
  )}</Loaded>;
}
