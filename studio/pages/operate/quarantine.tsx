/** Records that could not be stored: grouped by reason, so that one fix is one click. */
import { Anchor, Badge, Button, Code, Group, Paper, Select, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { useLive } from "../../api/live.ts";
import { useMay } from "../../api/session.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import { whole } from "./types.ts";

interface Entry { readonly id: string; readonly flow: string; readonly connection: string; readonly stream: string; readonly entity: string; readonly key: string | null; readonly code: string; readonly reason: string; readonly status: string; readonly seen: number; readonly run: string; readonly created_at: string; readonly updated_at: string }

export default function Quarantine() {
  return <Page title="Quarantine" lead="One bad record costs that record. It waits here with its reason, and is tried again by itself when the configuration changes." actions={<TenantPicker />}><ForTenant>{(tenant) => <Entries key={tenant} tenant={tenant} />}</ForTenant></Page>;
}

function Entries({ tenant }: { readonly tenant: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { status?: string; flow?: string; run?: string; code?: string };
  const status = search.status ?? "open";
  useLive(may("runs:read") ? tenant : undefined, () => undefined);
  const entries = usePages<Entry>("/api/quarantine", { tenant, status, flow: search.flow, run: search.run, code: search.code });
  const replay = useMutation({
    mutationFn: (scope: { id?: string; flow?: string; code?: string }) => scope.id === undefined ? api.post<{ runs?: readonly unknown[] }>("/api/quarantine/replay", scope, { tenant }) : api.post(`/api/quarantine/${scope.id}/replay`, undefined, { tenant }),
    onSuccess: () => { notifications.show({ message: "They are tried again: the run is queued." }); void queries.invalidateQueries({ queryKey: ["/api/quarantine"] }); },
    onError: (error) => notifications.show({ color: "red", title: "Not tried again", message: error.message }),
  });
  if (entries.isError && entries.rows === undefined) return <Failed error={entries.error} retry={() => void entries.refetch()} />;
  const reasons = new Map<string, { readonly flow: string; readonly code: string; readonly reason: string; count: number }>();
  for (const { flow, code, reason } of entries.rows ?? []) {
    const known = reasons.get(`${flow} ${code}`);
    if (known) known.count++;
    else reasons.set(`${flow} ${code}`, { flow, code, reason, count: 1 });
  }
  return (
    <Stack gap="lg">
      <Group gap="sm">
        <Select aria-label="Status" w={180} allowDeselect={false} value={status} data={["open", "resolved", "replayed", "discarded"]} onChange={(value) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, status: value }) } as never)} />
        {may("quarantine:replay") && status === "open" && (entries.rows?.length ?? 0) > 0 && <Button variant="default" loading={replay.isPending} onClick={() => replay.mutate({})}>Try all again</Button>}
      </Group>
      {entries.rows === undefined ? <LoadingRows /> : entries.rows.length === 0 ? <Empty title={status === "open" ? "Nothing is quarantined" : "None"}>{status === "open" ? "Every record that was read was stored, or left out on purpose." : undefined}</Empty> : <>
        {status === "open" && reasons.size > 0 && (
          <Section title="By reason">
            {[...reasons.values()].map(({ flow, code, reason, count }) => (
              <Paper key={`${flow}${code}`} withBorder p="sm">
                <Group justify="space-between" wrap="nowrap" align="flex-start">
                  <Stack gap={2} miw={0}><Group gap="xs"><Badge variant="default" radius="sm" tt="none">{whole(count)}{entries.more ? "+" : ""}</Badge><Text size="sm" fw={550}>{flow}</Text><Code>{code}</Code></Group><Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>{reason}</Text></Stack>
                  {may("quarantine:replay") && <Button size="xs" variant="default" onClick={() => replay.mutate({ flow, code })}>Try again</Button>}
                </Group>
              </Paper>
            ))}
          </Section>
        )}
        <DataTable label="Quarantined records" rows={entries.rows} keyOf={({ id }) => id} more={entries.more} columns={[
          { label: "Record", show: ({ stream, key }) => <Stack gap={0}><Text size="sm" fw={550} truncate maw={220}>{key ?? "without a key"}</Text><Text size="xs" c="dimmed">{stream}</Text></Stack> },
          { label: "Why", show: ({ reason, code }) => <Stack gap={2} maw={460}><Text size="sm" lineClamp={2} title={reason}>{reason}</Text><Text size="xs" c="dimmed">{code}</Text></Stack> },
          { label: "Flow", show: ({ flow, run }) => <Anchor component={Link} to={`/runs/${run}`} search={{ tenant } as never} size="sm">{flow}</Anchor> },
          { label: "Seen", align: "right", show: ({ seen }) => whole(seen) },
          { label: "Last", show: ({ updated_at }) => <When at={updated_at} /> },
          { label: "Status", show: ({ status: state }) => <Status value={state} /> },
          { label: "", width: 100, show: ({ id, status: state }) => may("quarantine:replay") && state === "open" ? <Button size="compact-xs" variant="default" onClick={() => replay.mutate({ id })} aria-label={`Try record ${id} again`}>Try again</Button> : null },
        ]} />
      </>}
    </Stack>
  );
}

