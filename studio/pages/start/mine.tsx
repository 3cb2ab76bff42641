/** For who works with what is synced, and not on how: is it connected, what waits for me, which reports are mine. */
import { Anchor, Group, Paper, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, type Page as ApiPage } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { useTenant } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";

interface Badge { readonly connection: string; readonly title: string; readonly state: { readonly name: string; readonly last_sync_at: string | null } }

export function Mine() {
  const may = useMay();
  const tenant = useTenant();
  const badges = useQuery({ queryKey: ["/api/integrations", tenant], queryFn: ({ signal }) => api.get<{ data: readonly Badge[] }>("/api/integrations", { tenant }, signal), enabled: may("status:read"), refetchInterval: 60_000 });
  const holds = useQuery({ queryKey: ["/api/holds", tenant, "mine"], queryFn: ({ signal }) => api.get<ApiPage<{ id: string; flow: string }>>("/api/holds", { tenant, limit: 50 }, signal), enabled: may("holds:read"), refetchInterval: 60_000 });
  return (
    <Page title="Overview" lead="What concerns you.">
      {may("holds:read") && <Section title="Waits for you"><Loaded query={holds} rows={2}>{({ data, next_cursor }) => data.length === 0 ? <Paper withBorder p="md"><Text size="sm" c="dimmed">Nothing waits for your approval.</Text></Paper> : <Paper withBorder p="md"><Group justify="space-between"><Text size="sm">{data.length}{next_cursor === null ? "" : "+"} to look at before they are sent</Text><Anchor component={Link} to="/holds" size="sm">Look at them</Anchor></Group></Paper>}</Loaded></Section>}
      {may("status:read") && <Section title="Integrations"><Loaded query={badges} rows={2}>{({ data }) => data.length === 0 ? <Empty title="None yet" /> : <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>{data.map(({ connection, title, state }) => <Paper key={connection} withBorder p="md" component="article" aria-label={title}><Group justify="space-between" wrap="nowrap"><Stack gap={2}><Text fw={600} size="sm">{title}</Text><Text size="xs" c="dimmed">Last read <When at={state.last_sync_at} /></Text></Stack><Status value={state.name} /></Group></Paper>)}</SimpleGrid>}</Loaded></Section>}
      {may("reports:read") && <Section title="Reports"><Paper withBorder p="md"><Anchor component={Link} to="/org/reports" size="sm">Your reports</Anchor></Paper></Section>}
    </Page>
  );
}
