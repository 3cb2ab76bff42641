/** API keys: for programs. Shown once, with no more scopes than whoever makes it may do. */
import { Badge, Button, Group, Modal, MultiSelect, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { PlacePicker, usePlace } from "../../ui/place.tsx";
import { ShownOnce } from "../../ui/shown-once.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { inWords } from "./people.tsx";

interface Key { readonly id: string; readonly name: string; readonly scopes: readonly string[]; readonly within: string | null; readonly made_by: string | null; readonly networks: readonly string[] | null; readonly created_at: string; readonly expires_at: string | null; readonly revoked_at: string | null; readonly last_used_at: string | null }
interface Permissions { readonly scopes: readonly string[]; readonly permissions: Readonly<Record<string, { readonly title: string; readonly scope: string | null }>> }

export default function Keys() {
  const place = usePlace();
  const queries = useQueryClient();
  const [making, make] = useDisclosure();
  const keys = useQuery({ queryKey: ["/api/keys", place], queryFn: ({ signal }) => api.get<{ data: readonly Key[] }>("/api/keys", { tenant: place }, signal) });
  return (
    <Page title="API keys" lead="For programs that call the API. A key does no more than the role of who made it, and never what only people may." actions={<><PlacePicker own="Plugboard itself" /><Button aria-haspopup="dialog" onClick={make.open}>Make a key</Button></>}>
      <Loaded query={keys}>{({ data }) => data.length === 0 ? <Empty title="No keys">A key is made for each program, so that one can be taken away alone.</Empty> : (
        <DataTable label="API keys" rows={data} keyOf={({ id }) => id} columns={[
          { label: "Name", show: ({ name, within, made_by }) => <Stack gap={0}><Text size="sm" fw={550}>{name}</Text><Text size="xs" c="dimmed">{made_by === null ? "made on the command line" : `by ${made_by}`}{within === null ? "" : `, within ${inWords(within)}`}</Text></Stack> },
          { label: "Scopes", show: ({ scopes }) => <Text size="sm" lineClamp={2} maw={260} title={scopes.join(", ")}>{scopes.includes("*") ? "everything" : scopes.join(", ")}</Text> },
          { label: "From", show: ({ networks }) => networks === null ? <Text size="sm" c="dimmed">anywhere</Text> : networks.join(", ") },
          { label: "Last used", show: ({ last_used_at }) => <When at={last_used_at} /> },
          { label: "State", show: ({ revoked_at, expires_at }) => revoked_at !== null ? <Badge variant="light" color="gray" radius="sm" tt="none">revoked</Badge> : expires_at !== null && Date.parse(expires_at) <= Date.now() ? <Badge variant="light" color="gray" radius="sm" tt="none">over</Badge> : <Stack gap={0}><Badge variant="light" color="teal" radius="sm" tt="none">good</Badge>{expires_at !== null && <Text size="xs" c="dimmed">until <When at={expires_at} /></Text>}</Stack> },
          { label: "", width: 100, show: ({ id, name, revoked_at }) => revoked_at === null && <ConfirmButton label="Revoke" aria-label={`Revoke ${name}`} title={`Revoke ${name}?`} yes="Revoke it" act={async () => { await api.delete(`/api/keys/${id}`, { tenant: place }); await queries.invalidateQueries({ queryKey: ["/api/keys"] }); }}><Text size="sm">Whatever uses it is refused at once.</Text></ConfirmButton> },
        ]} />
      )}</Loaded>
      <Modal opened={making} onClose={make.close} title="Make an API key" size="lg">{making && <Make place={place} />}</Modal>
    </Page>
  );
}

function Make({ place }: { readonly place: string | undefined }) {
  const may = useMay();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>([]);
  const [until, setUntil] = useState("");
  const [networks, setNetworks] = useState<string[]>([]);
  const table = useQuery({ queryKey: ["/api/permissions"], queryFn: ({ signal }) => api.get<Permissions>("/api/permissions", {}, signal), staleTime: Infinity });
  const make = useMutation({
    mutationFn: () => api.post<{ key: string }>("/api/keys", { name, scopes, ...(until === "" ? {} : { expires_at: new Date(`${until}T23:59:59`).toISOString() }), ...(networks.length === 0 ? {} : { networks }) }, { tenant: place }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["/api/keys"] }),
  });
  if (make.data) return <ShownOnce label="Key" value={make.data.key}>Send it as <code>Authorization: Bearer …</code>. Only its hash is kept: a lost one is replaced.</ShownOnce>;
  // A scope may stand for several permissions: it is offered if one of them is one's own.
  const offered = Object.entries(table.data?.permissions ?? {}).flatMap(([permission, { title, scope }]) => scope !== null && may(permission) && permission !== "self" ? [{ value: scope, label: `${scope}: ${title}` }] : []);
  return (
    <form onSubmit={(event: FormEvent) => { event.preventDefault(); make.mutate(); }}><Stack>
      <TextInput label="Name" description="What it is for." required maxLength={100} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <MultiSelect label="Scopes" description="Only what the program needs." required searchable hidePickedOptions maxDropdownHeight={260} data={[...new Map(offered.map((each) => [each.value, each])).values()]} value={scopes} onChange={setScopes} />
      <TextInput label="Good until" description="Empty: until it is revoked." type="date" value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
      <TagsInput label="Only from" description="Addresses or networks, such as 192.0.2.0/24. Empty: from anywhere." value={networks} onChange={setNetworks} />
      {make.isError && <Failed error={make.error} />}
      <Group justify="flex-end"><Button type="submit" loading={make.isPending} disabled={scopes.length === 0}>Make the key</Button></Group>
    </Stack></form>
  );
}
