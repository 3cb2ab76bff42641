/** What holds for an organisation beside its preset's default, and where each value is written. A change is proposed, never made at once. */
import { Badge, Button, Checkbox, Code, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/page.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { Billing } from "./billing.tsx";
import { flowOfFrequency, Schedule } from "./schedule.tsx";
import { TemplateOf } from "./template.tsx";
import type { Override, Tenant } from "./types.ts";
import { Upgrade } from "./upgrade.tsx";

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
    <Stack gap="xl">
      {tenant.preset && may("overrides:propose") && <Upgrade tenant={tenant} />}
      <Section title="Overrides beside the defaults" actions={<Group gap="sm"><TextInput size="xs" aria-label="Search settings" placeholder="Search" value={asked} onChange={(event) => setAsked(event.currentTarget.value)} /><Checkbox size="xs" label="Only what differs" checked={onlyOwn} onChange={(event) => setOnlyOwn(event.currentTarget.checked)} /></Group>}>
        <Loaded query={values}>{({ data }) => {
          const found = data.filter(({ path }) => path.toLowerCase().includes(wanted));
          return found.length === 0 ? <Empty title={onlyOwn ? "Nothing differs from the preset" : "Nothing fits"}>{onlyOwn && "Untick “Only what differs” to see every value and change one."}</Empty> : (
            <DataTable label="Settings, one a row" rows={found.slice(0, 300)} keyOf={({ path }) => path} columns={[
              { label: "Setting", show: ({ path }) => <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>{path}</Text> },
              { label: "Value", show: ({ value, overridden }) => <Group gap={6}><Code>{shown(value)}</Code><Badge size="xs" variant={overridden ? "light" : "default"} tt="none">{overridden ? "custom" : "default"}</Badge></Group> },
              { label: "Default", show: (each) => each.overridden ? <Code>{shown(each.default?.value)}</Code> : <Text size="sm" c="dimmed">the same</Text> },
              { label: "Written in", show: ({ origin }) => <Text size="xs" c="dimmed">{origin.layer}, {origin.file.replace("(builtin)/", "")}:{origin.line}</Text> },
              ...(may("overrides:propose") ? [{ label: "Change", width: 90, show: (each: Override) => <Button size="compact-xs" variant="default" aria-haspopup="dialog" onClick={() => setEditing(each)} aria-label={`Change ${each.path}`}>Change</Button> }] : []),
            ]} />
          );
        }}</Loaded>
      </Section>
      {may("overrides:propose") && <TemplateOf tenant={tenant.tenant} />}
      {may("tenants:write") && <Billing tenant={tenant.tenant} />}
      <Modal opened={editing !== undefined} onClose={() => setEditing(undefined)} title={editing?.path}>{editing && (flowOfFrequency(editing.path) === undefined ? <Edit tenant={tenant.tenant} of={editing} /> : <Schedule tenant={tenant.tenant} flow={flowOfFrequency(editing.path)!} />)}</Modal>
    </Stack>
  );
}

function Edit({ tenant, of }: { readonly tenant: string; readonly of: Override }) {
  const [text, setText] = useState(shown(of.value));
  const propose = useProposal<{ at: string; value?: unknown }>((change) => api.patch<ProposalAnswer>(`/api/tenants/${tenant}/overrides`, { changes: [change] }));
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
