/** What holds for an organisation beside its preset's default, and where each value is written. A change is proposed, never made at once. */
import { Badge, Button, Checkbox, Code, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/page.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import type { Override, Tenant } from "./types.ts";

const shown = (value: unknown): string => value === undefined || value === null ? "none" : typeof value === "string" ? value : JSON.stringify(value);

/** What a person types: JSON where it is JSON, else text. */
function typed(text: string): unknown {
  try { return JSON.parse(text) as unknown; } catch { return text; }
}

export function Overrides({ tenant }: { readonly tenant: Tenant }) {
  const may = useMay();
  const [onlyOwn, setOnlyOwn] = useState(true);
  const [asked, setAsked] = useState("");
  const [wanted] = useDebouncedValue(asked.toLowerCase(), 150);
  const [editing, setEditing] = useState<Override>();
  const values = useQuery({ queryKey: [`/api/tenants/${tenant.tenant}/overrides`, onlyOwn], queryFn: ({ signal }) => api.get<{ preset: string | null; data: readonly Override[] }>(`/api/tenants/${tenant.tenant}/overrides`, onlyOwn ? { overridden: true } : {}, signal) });
  return (
    <Stack gap="lg">
      {tenant.preset && may("overrides:propose") && <Upgrade tenant={tenant} />}
      <Section title="Overrides beside the defaults" actions={<Group gap="sm"><TextInput size="xs" aria-label="Search settings" placeholder="Search" value={asked} onChange={(event) => setAsked(event.currentTarget.value)} /><Checkbox size="xs" label="Only what differs" checked={onlyOwn} onChange={(event) => setOnlyOwn(event.currentTarget.checked)} /></Group>}>
        <Loaded query={values}>{({ data }) => {
          const found = data.filter(({ path }) => path.toLowerCase().includes(wanted));
          return found.length === 0 ? <Empty title={onlyOwn ? "Nothing differs from the preset" : "Nothing fits"}>{onlyOwn && "Untick “Only what differs” to see every value and change one."}</Empty> : (
            <DataTable label="Settings" rows={found.slice(0, 300)} keyOf={({ path }) => path} columns={[
              { label: "Setting", show: ({ path }) => <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>{path}</Text> },
              { label: "Value", show: ({ value, overridden }) => <Group gap={6}><Code>{shown(value)}</Code><Badge size="xs" variant={overridden ? "light" : "default"} tt="none">{overridden ? "custom" : "default"}</Badge></Group> },
              { label: "Default", show: (each) => each.overridden ? <Code>{shown(each.default?.value)}</Code> : <Text size="sm" c="dimmed">the same</Text> },
              { label: "Written in", show: ({ origin }) => <Text size="xs" c="dimmed">{origin.layer}, {origin.file.replace("(builtin)/", "")}:{origin.line}</Text> },
              { label: "", width: 90, show: (each) => may("overrides:propose") && <Button size="compact-xs" variant="default" onClick={() => setEditing(each)} aria-label={`Change ${each.path}`}>Change</Button> },
            ]} />
          );
        }}</Loaded>
      </Section>
      <Modal opened={editing !== undefined} onClose={() => setEditing(undefined)} title={editing?.path}>{editing && <Edit tenant={tenant.tenant} of={editing} />}</Modal>
    </Stack>
  );
}

function Edit({ tenant, of }: { readonly tenant: string; readonly of: Override }) {
  const navigate = useNavigate();
  const [text, setText] = useState(shown(of.value));
  const propose = useMutation({ mutationFn: (change: { at: string; value?: unknown }) => api.patch<{ change?: { id: string } | null; id?: string }>(`/api/tenants/${tenant}/overrides`, { changes: [change] }), onSuccess: (said) => { const id = said.change?.id ?? said.id; if (id !== undefined) void navigate({ to: `/changes/${id}` }); } });
  return (
    <form onSubmit={(event) => { event.preventDefault(); propose.mutate({ at: of.path, value: typed(text) }); }}>
      <Stack>
        <TextInput data-autofocus label="Value" value={text} onChange={(event) => setText(event.currentTarget.value)} description={of.default ? `The preset says ${shown(of.default.value)}.` : "The preset says nothing about it."} />
        {propose.isError && <Failed error={propose.error} />}
        <Group justify="space-between">{of.overridden ? <Button variant="default" onClick={() => propose.mutate({ at: of.path })}>Reset to default</Button> : <span />}<Button type="submit" loading={propose.isPending}>Propose change</Button></Group>
      </Stack>
    </form>
  );
}

interface Move { readonly conflicts?: readonly { readonly path?: string; readonly message?: string; readonly reason?: string }[]; readonly change?: { readonly id: string } | null }

function Upgrade({ tenant }: { readonly tenant: Tenant }) {
  const navigate = useNavigate();
  const [opened, { open, close }] = useDisclosure();
  const [preset, setPreset] = useState<string | null>(null);
  const presets = useQuery({ queryKey: ["/api/presets"], queryFn: ({ signal }) => api.get<{ data: readonly { preset?: string; id?: string; title: string; releases: readonly number[] }[] }>("/api/presets", {}, signal) });
  const pins = (presets.data?.data ?? []).flatMap((each) => { const id = each.preset ?? each.id ?? ""; return each.releases.length === 0 ? [{ value: id, label: `${each.title} (head)` }] : each.releases.toReversed().map((release) => ({ value: `${id}@${release}`, label: `${each.title}, release ${release}` })); });
  const look = useQuery({ queryKey: [`/api/tenants/${tenant.tenant}/preset`, preset], enabled: preset !== null, retry: false, queryFn: () => api.post<Move>(`/api/tenants/${tenant.tenant}/preset`, { preset }, { dry_run: true }) });
  const move = useMutation({ mutationFn: () => api.post<Move & { id?: string }>(`/api/tenants/${tenant.tenant}/preset`, { preset }), onSuccess: (said) => { const id = said.change?.id ?? said.id; if (id !== undefined) void navigate({ to: `/changes/${id}` }); } });
  return (
    <Section title="Preset" actions={<Button size="xs" variant="default" onClick={open}>Upgrade or move</Button>}>
      <Text size="sm">{tenant.preset!.id}{tenant.preset!.release === "head" ? ", following its head" : `, release ${tenant.preset!.release}`}.{tenant.preset!.upgrade && ` Release ${tenant.preset!.newest} is there.`}</Text>
      <Modal opened={opened} onClose={close} title="Upgrade or move to another preset" size="lg">
        <Stack>
          <Select data-autofocus label="To" searchable data={pins.filter(({ value }) => value !== `${tenant.preset!.id}${tenant.preset!.release === "head" ? "" : `@${tenant.preset!.release}`}`)} value={preset} onChange={setPreset} />
          {preset !== null && <Loaded query={look} rows={2}>{({ conflicts = [] }) => conflicts.length === 0 ? <Text size="sm" c="teal">No conflicts: what the organisation says otherwise still holds.</Text> : <Stack gap={4}><Text size="sm" fw={550}>Conflicts</Text>{conflicts.map((conflict, index) => <Text key={index} size="sm"><Code>{conflict.path}</Code> {conflict.message ?? conflict.reason}</Text>)}</Stack>}</Loaded>}
          {move.isError && <Failed error={move.error} />}
          <Group justify="flex-end"><Button disabled={preset === null} loading={move.isPending} onClick={() => move.mutate()}>Propose the move</Button></Group>
        </Stack>
      </Modal>
    </Section>
  );
}
