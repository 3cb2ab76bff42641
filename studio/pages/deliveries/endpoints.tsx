/** Where outgoing webhooks go: the host product's addresses, with the secrets that sign. A secret is shown once. */
import { Alert, Badge, Button, Code, Group, Modal, NumberInput, Paper, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, ApiError } from "../../api/client.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { failed } from "../../ui/notify.ts";
import { Page } from "../../ui/page.tsx";
import { ShownOnce } from "../../ui/shown-once.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { duration, When } from "../../ui/time.tsx";

interface Endpoint { readonly name: string; readonly url: string; readonly enabled: boolean; readonly disabled_reason: string | null; readonly disabled_at: string | null; readonly secrets: readonly { readonly fingerprint: string; readonly created_at: string; readonly expires_at: string | null }[]; readonly updated_at: string }

interface Tested { readonly ok: boolean; readonly status: number | null; readonly milliseconds: number; readonly reason: string | null; readonly id: string }

const HOUR_SECONDS = 3600;

export default function OutgoingWebhooks() {
  return <Page title="Outgoing webhooks" lead="Addresses that flows send to, signed as Standard Webhooks. An organisation without an address of its own uses the one of Platform." actions={<TenantPicker />}><ForTenant>{(tenant) => <Endpoints key={tenant} tenant={tenant} />}</ForTenant></Page>;
}

function Endpoints({ tenant }: { readonly tenant: string }) {
  const [opened, { open, close }] = useDisclosure();
  const endpoints = useQuery({ queryKey: ["/api/webhook-endpoints", tenant], queryFn: ({ signal }) => api.get<{ data: readonly Endpoint[] }>("/api/webhook-endpoints", { tenant }, signal) });
  return <>
    <Group><Button size="xs" aria-haspopup="dialog" onClick={open}>Add an address</Button></Group>
    <Loaded query={endpoints} rows={3}>{({ data }) => data.length === 0 ? <Empty title="No addresses">Flows name one as <Code>to: {"{ webhook: … }"}</Code>.</Empty> : <Stack>{data.map((each) => <One key={each.name} tenant={tenant} endpoint={each} />)}</Stack>}</Loaded>
    <Modal opened={opened} onClose={close} title="Address of outgoing webhooks" size="lg">{opened && <Enter tenant={tenant} />}</Modal>
  </>;
}

function One({ tenant, endpoint: { name, url, enabled, disabled_reason, disabled_at, secrets } }: { readonly tenant: string; readonly endpoint: Endpoint }) {
  const queries = useQueryClient();
  const [editing, edit] = useDisclosure();
  const [rotating, rotate] = useDisclosure();
  const refresh = (): void => void queries.invalidateQueries({ queryKey: ["/api/webhook-endpoints"] });
  const turn = useMutation({ mutationFn: () => api.post(`/api/webhook-endpoints/${name}/${enabled ? "disable" : "enable"}`, undefined, { tenant }), onSuccess: refresh, onError: failed("Not changed") });
  const test = useMutation({ mutationFn: () => api.post<Tested>(`/api/webhook-endpoints/${name}/test`, undefined, { tenant }), onError: failed("Not sent") });
  return (
    <Paper withBorder p="md" component="article" aria-label={name}>
      <Stack gap="sm">
        <Group justify="space-between" align="flex-start">
          <Stack gap={2} miw={0}><Group gap="xs"><Text fw={600} size="sm">{name}</Text><Badge variant="light" color={enabled ? "teal" : "gray"} radius="sm" tt="none">{enabled ? "in use" : "disabled"}</Badge></Group><Code style={{ overflowWrap: "anywhere" }}>{url}</Code></Stack>
          <Group gap="xs">
            <Button size="xs" variant="default" loading={test.isPending} onClick={() => test.mutate()}>Send a test</Button>
            <Button size="xs" variant="default" aria-haspopup="dialog" onClick={edit.open}>Change</Button>
            <Button size="xs" variant="default" aria-haspopup="dialog" onClick={rotate.open}>New secret</Button>
            <Button size="xs" variant="default" loading={turn.isPending} onClick={() => turn.mutate()}>{enabled ? "Disable" : "Enable"}</Button>
            <ConfirmButton label="Remove" title={`Remove ${name}?`} yes="Remove it" act={async () => { await api.delete(`/api/webhook-endpoints/${name}`, { tenant }); refresh(); }}><Text size="sm">Its secrets are forgotten. Deliveries to it fail until there is one of that name again.</Text></ConfirmButton>
          </Group>
        </Group>
        {!enabled && <Text size="sm" c="dimmed">{(disabled_reason ?? "Disabled").replace(/\.$/, "")}, <When at={disabled_at} />. Deliveries to it wait.</Text>}
        {test.data && <Alert color={test.data.ok ? "teal" : "red"} variant="light" role="status" withCloseButton closeButtonLabel="Close" onClose={test.reset} title={test.data.ok ? `It arrived: ${test.data.status} after ${duration(test.data.milliseconds)}` : `It did not arrive${test.data.status === null ? "" : `: answered ${test.data.status}`}`}><Text size="sm">{test.data.reason === null || test.data.status !== null ? "" : `${test.data.reason}. `}A message of type <Code>plugboard.test</Code> with id <Code style={{ overflowWrap: "anywhere" }}>{test.data.id}</Code>, signed as all others. It was tried once.</Text></Alert>}
        <Stack gap={2}>{secrets.map(({ fingerprint, created_at, expires_at }) => <Text key={fingerprint} size="xs" c="dimmed">Signs with secret <Code fz="xs">{fingerprint}</Code>, made <When at={created_at} />{expires_at === null ? "" : <>, until <When at={expires_at} /></>}</Text>)}</Stack>
      </Stack>
      <Modal opened={editing} onClose={edit.close} title={`Change ${name}`} size="lg">{editing && <Enter tenant={tenant} known={{ name, url }} done={edit.close} />}</Modal>
      <Modal opened={rotating} onClose={rotate.close} title={`A new secret for ${name}`} size="lg">{rotating && <Rotate tenant={tenant} name={name} made={refresh} />}</Modal>
    </Paper>
  );
}

function Enter({ tenant, known, done }: { readonly tenant: string; readonly known?: { readonly name: string; readonly url: string }; readonly done?: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState(known?.name ?? "product");
  const [url, setUrl] = useState(known?.url ?? "");
  const save = useMutation({
    mutationFn: () => api.put<{ secret: string | null }>(`/api/webhook-endpoints/${encodeURIComponent(name)}`, { url }, { tenant }),
    onSuccess: ({ secret }) => { void queries.invalidateQueries({ queryKey: ["/api/webhook-endpoints"] }); if (secret === null) done?.(); },
  });
  if (save.data?.secret) return <ShownOnce label="Secret" value={save.data.secret}>Give it to whoever receives: any library of Standard Webhooks verifies with it.</ShownOnce>;
  if (save.isSuccess) return <Text size="sm">Its address was changed; its secret stays as it was.</Text>;
  const refused = save.error instanceof ApiError && save.error.status === 422 ? save.error : undefined;
  const submit = (event: FormEvent): void => { event.preventDefault(); save.mutate(); };
  return (
    <form onSubmit={submit}><Stack>
      <TextInput label="Name" description="As flows name it." required pattern="[a-z][a-z0-9_\-]*" value={name} disabled={known !== undefined} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput label="Address" type="url" required placeholder="https://product.example.com/webhooks" value={url} onChange={(event) => { setUrl(event.currentTarget.value); save.reset(); }} error={refused && `${refused.message}.`} />
      {save.isError && refused === undefined && <Failed error={save.error} />}
      <Group justify="flex-end"><Button type="submit" loading={save.isPending}>{known === undefined ? "Add it" : "Save"}</Button></Group>
    </Stack></form>
  );
}

function Rotate({ tenant, name, made }: { readonly tenant: string; readonly name: string; readonly made: () => void }) {
  const [hours, setHours] = useState<number | string>(24);
  const rotate = useMutation({ mutationFn: () => api.post<{ secret: string }>(`/api/webhook-endpoints/${name}/rotate`, { overlap_seconds: Number(hours) * HOUR_SECONDS }, { tenant }), onSuccess: made });
  if (rotate.data) return <ShownOnce label="Secret" value={rotate.data.secret}>It signs at once. Until the overlap is over the one before signs too: enter this one at the receiver meanwhile.</ShownOnce>;
  return <Stack>
    <NumberInput label="The one before signs too for" suffix=" hours" min={0} max={720} value={hours} onChange={setHours} description="0 ends it now: use that when it is known to somebody who must not have it." />
    {rotate.isError && <Failed error={rotate.error} />}
    <Group justify="flex-end"><Button loading={rotate.isPending} onClick={() => rotate.mutate()}>Make a new secret</Button></Group>
  </Stack>;
}
