/** What flows did not send by themselves: counted first, sent when somebody confirms that count. */
import { Alert, Badge, Button, Group, Modal, Paper, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { done } from "../../ui/notify.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { useFilters } from "../../ui/use-filters.ts";
import { whole } from "../operate/types.ts";
import { type ChangeFlow, useChangeFlows } from "./deliveries.tsx";
import { says } from "./types.ts";

interface Pending { readonly rows: number; readonly more: boolean; readonly unfired: readonly { readonly cause: string; readonly count: number; readonly first_at: string; readonly last_at: string }[] }

const CAUSES: Readonly<Record<string, string>> = { first_load: "a first load", sweep: "a sweep", resync: "reading everything again", replay: "records tried again", mapping: "a changed mapping", delivery: "what we sent ourselves" };

export default function PendingPage() {
  const [{ tenant }] = useFilters<"tenant">();
  return <Page title="What did not fire" crumbs={[{ label: "Deliveries", to: tenant === undefined ? "/deliveries" : `/deliveries?tenant=${tenant}` }, { label: "Not fired" }]} lead="Nothing from a first load, a sweep, a resync, a replay or a changed mapping leaves by itself. Here it is counted, and sent when a person says so." actions={<TenantPicker />}><ForTenant>{(one) => <Flows tenant={one} />}</ForTenant></Page>;
}

function Flows({ tenant }: { readonly tenant: string }) {
  const flows = useChangeFlows(tenant);
  return <Loaded query={flows} rows={3}>{(data) => data.length === 0 ? <Empty title="No flow sends anything">Flows from a change of our own data to a provider or a webhook appear here.</Empty> : <Stack>{data.map((flow) => <OfFlow key={flow.flow} tenant={tenant} flow={flow} />)}</Stack>}</Loaded>;
}

function OfFlow({ tenant, flow }: { readonly tenant: string; readonly flow: ChangeFlow }) {
  const may = useMay();
  const [opened, { open, close }] = useDisclosure();
  const path = `/api/flows/${encodeURIComponent(flow.flow)}/pending`;
  const pending = useQuery({ queryKey: [path, tenant], queryFn: ({ signal }) => api.get<Pending>(path, { tenant }, signal) });
  return (
    <Paper withBorder p="md" component="section" aria-label={flow.title ?? flow.flow}>
      <Group justify="space-between" align="flex-start">
        <Stack gap={2}><Group gap="xs"><Text fw={600} size="sm">{flow.title ?? flow.flow}</Text>{!flow.enabled && <Badge variant="default" radius="sm" tt="none">switched off</Badge>}{flow.hold_for !== null && <Badge variant="light" color="yellow" radius="sm" tt="none">held for a {flow.hold_for.replaceAll("_", " ")}</Badge>}</Group><Text size="xs" c="dimmed">Changes of {flow.entity} · {says({ kind: flow.to, target: flow.target, operation: flow.operation ?? "" })}</Text></Stack>
        {may("deliveries:replay") && flow.enabled && (pending.data?.rows ?? 0) > 0 && <Button size="xs" variant="default" aria-haspopup="dialog" onClick={open}>Send {whole(pending.data!.rows)}{pending.data!.more ? "+" : ""}…</Button>}
      </Group>
      <Loaded query={pending} rows={1}>{({ rows, more, unfired }) => (
        <Stack gap={4} mt="sm">
          <Text size="sm">{rows === 0 ? "Nothing waits: all rows that it is for were sent." : `${whole(rows)}${more ? "+" : ""} ${rows === 1 ? "row" : "rows"} would be sent if somebody asked for it now.`}</Text>
          {unfired.map(({ cause, count, first_at, last_at }) => <Text key={cause} size="xs" c="dimmed">{whole(count)} {count === 1 ? "change" : "changes"} by {CAUSES[cause] ?? cause.replaceAll("_", " ")} fired nothing, first <When at={first_at} />, last <When at={last_at} />.</Text>)}
        </Stack>
      )}</Loaded>
      <Modal opened={opened} onClose={close} title={`Send ${flow.title ?? flow.flow}`}>{opened && <Fire tenant={tenant} flow={flow} path={path} close={close} />}</Modal>
    </Paper>
  );
}

/** Counted anew when it is opened; the server sends nothing if the count has changed since. */
function Fire({ tenant, flow, path, close }: { readonly tenant: string; readonly flow: ChangeFlow; readonly path: string; readonly close: () => void }) {
  const queries = useQueryClient();
  const [typed, setTyped] = useState(false);
  const pending = useQuery({ queryKey: [path, tenant, "now"], queryFn: ({ signal }) => api.get<Pending>(path, { tenant }, signal), staleTime: 0, gcTime: 0 });
  const fire = useMutation({
    mutationFn: (confirm: number) => api.post<{ fired: number }>(`/api/flows/${encodeURIComponent(flow.flow)}/fire`, { confirm }, { tenant }),
    onSuccess: ({ fired }) => { done(`${whole(fired)} ${fired === 1 ? "row is" : "rows are"} being delivered.`); void queries.invalidateQueries({ queryKey: [path] }); close(); },
    onError: () => { setTyped(false); void pending.refetch(); },
  });
  return (
    <Loaded query={pending} rows={2}>{({ rows, more }) => rows === 0 ? <Text size="sm">Nothing waits any more.</Text> : (
      <Stack>
        <Alert color="yellow" variant="light" title={`${whole(rows)} ${rows === 1 ? "row leaves" : "rows leave"} this product`}><Text size="sm">{flow.to === "webhook" ? `As webhooks to ${flow.target}.` : `To ${flow.target}.`} What was sent cannot be called back.{flow.hold_for === null ? "" : ` Each waits for a ${flow.hold_for.replaceAll("_", " ")} first.`}{more ? " There are more: ask again afterwards." : ""}</Text></Alert>
        {fire.isError && <Failed error={fire.error} />}
        <Group justify="flex-end"><Button variant="default" onClick={close}>Leave it</Button>{typed ? <Button color="red" loading={fire.isPending} onClick={() => fire.mutate(rows)}>Yes, send {whole(rows)}</Button> : <Button onClick={() => setTyped(true)}>Send {whole(rows)}</Button>}</Group>
      </Stack>
    )}</Loaded>
  );
}
