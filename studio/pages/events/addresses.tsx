/** Where providers send to, per connection: made, replaced with an overlap, ended. An address is shown once. */
import { Badge, Button, Group, Modal, NumberInput, Paper, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { ShownOnce } from "../../ui/shown-once.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";

interface Connection { readonly connection: string; readonly connector: string; readonly title: string }
interface Address { readonly id: string; readonly feed: string; readonly created_at: string; readonly created_by: string; readonly expires_at: string | null }
interface Addresses { readonly feeds: readonly string[]; readonly data: readonly Address[] }
interface Made { readonly id: string; readonly feed: string; readonly url: string; readonly replaced: readonly { readonly expires_at: string }[] }

const MOST_HOURS = 720;

export default function WebhookAddresses() {
  return <Page title="Webhook addresses" lead="To be entered at the provider. Each holds a token of its own, of which only a hash is kept: whoever has the address can send." actions={<TenantPicker />}><ForTenant>{(tenant) => <Connections key={tenant} tenant={tenant} />}</ForTenant></Page>;
}

function Connections({ tenant }: { readonly tenant: string }) {
  const connections = useQuery({ queryKey: ["/api/connections", tenant], queryFn: ({ signal }) => api.get<{ data: readonly Connection[] }>("/api/connections", { tenant }, signal) });
  return <Loaded query={connections}>{({ data }) => data.length === 0 ? <Empty title="No connections">An organisation has addresses for each of its connections.</Empty> : <Stack gap="xl">{data.map((each) => <OfConnection key={each.connection} tenant={tenant} connection={each} />)}</Stack>}</Loaded>;
}

function OfConnection({ tenant, connection: { connection, title } }: { readonly tenant: string; readonly connection: Connection }) {
  const queries = useQueryClient();
  const path = `/api/connections/${encodeURIComponent(connection)}/webhooks`;
  const [opened, { open, close }] = useDisclosure();
  const addresses = useQuery({ queryKey: [path, tenant], queryFn: ({ signal }) => api.get<Addresses>(path, { tenant }, signal) });
  const refresh = () => void queries.invalidateQueries({ queryKey: [path] });
  return (
    <Section title={title} id={`webhooks-${connection}`} actions={(addresses.data?.feeds.length ?? 0) > 0 && <Button size="xs" variant="default" aria-haspopup="dialog" onClick={open}>{addresses.data!.data.length === 0 ? "Make an address" : "Make or replace"}</Button>}>
      <Loaded query={addresses} rows={2}>{({ feeds, data }) => feeds.length === 0 ? <Text size="sm" c="dimmed">{title} sends no webhooks here.</Text> : data.length === 0 ? <Paper withBorder p="md"><Text size="sm" c="dimmed">No address yet. It can receive: {feeds.join(", ")}.</Text></Paper> : (
        <DataTable label={`Addresses of ${title}`} rows={data} keyOf={({ id }) => id} columns={[
          { label: "Feed", show: ({ feed }) => <Text size="sm" fw={550}>{feed}</Text> },
          { label: "Made", show: ({ created_at, created_by }) => <><When at={created_at} /> <Text span size="sm" c="dimmed">by {created_by}</Text></> },
          { label: "State", show: ({ expires_at }) => expires_at === null ? <Badge variant="light" color="teal" radius="sm" tt="none">in use</Badge> : <Text size="sm">replaced, ends <When at={expires_at} /></Text> },
          { label: "", width: 90, show: ({ id, feed }) => <ConfirmButton label="End" aria-label={`End an address of ${feed}`} title="End this address now?" yes="End it" act={async () => { await api.delete(`/api/webhooks/${id}`, { tenant }); refresh(); }}><Text size="sm">What the provider still sends there is refused, and lost unless it tries again at another one.</Text></ConfirmButton> },
        ]} />
      )}</Loaded>
      <Modal opened={opened} onClose={close} title={`Address of ${title}`} size="lg">{opened && <Make path={path} tenant={tenant} found={addresses.data!} made={refresh} />}</Modal>
    </Section>
  );
}

function Make({ path, tenant, found, made }: { readonly path: string; readonly tenant: string; readonly found: Addresses; readonly made: () => void }) {
  const [feed, setFeed] = useState(found.feeds[0]!);
  const [hours, setHours] = useState<number | string>(24);
  const replaces = found.data.some((each) => each.feed === feed && each.expires_at === null);
  const make = useMutation({ mutationFn: (does: "" | "/rotate") => api.post<Made>(`${path}${does}`, { feed, ...(does === "" ? {} : { overlap_hours: Number(hours) }) }, { tenant }), onSuccess: made });
  if (make.data) return <ShownOnce label="Address" value={make.data.url}>Enter it at the provider.{make.data.replaced.length > 0 && <> The one before goes on until <When at={make.data.replaced[0]!.expires_at} />.</>}</ShownOnce>;
  return (
    <Stack>
      <Select label="Feed" data={[...found.feeds]} value={feed} allowDeselect={false} onChange={(value) => setFeed(value ?? feed)} />
      {replaces && <NumberInput label="The one before goes on for" suffix=" hours" min={0} max={MOST_HOURS} value={hours} onChange={setHours} description="Long enough to change the provider's settings; 0 ends it now." />}
      {make.isError && <Failed error={make.error} />}
      <Group justify="flex-end">
        {replaces && <Button variant="default" loading={make.isPending} onClick={() => make.mutate("")}>Make one more</Button>}
        <Button loading={make.isPending} onClick={() => make.mutate(replaces ? "/rotate" : "")}>{replaces ? "Replace it" : "Make an address"}</Button>
      </Group>
    </Stack>
  );
}
