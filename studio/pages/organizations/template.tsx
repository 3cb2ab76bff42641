/** An organisation's configuration as a template: taken from one, proposed for another. How, never who. */
import { Alert, Button, Checkbox, Code, FileButton, Group, Modal, Select, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { Section } from "../../ui/page.tsx";
import { Failed, Loaded } from "../../ui/states.tsx";
import { useTenants } from "../../ui/tenant.tsx";

interface Template { readonly template: 1; readonly preset?: string | null; readonly configuration: object; readonly left_out?: readonly string[] }
interface Looked { readonly conflicts: readonly { readonly pointer: string; readonly mine?: unknown; readonly theirs?: unknown }[]; readonly edits: readonly { readonly pointer: string; readonly value?: unknown }[]; readonly preset_differs: boolean }

/** As settings are written elsewhere: connections.wix */
const dotted = (pointer: string): string => pointer.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
const shown = (value: unknown): string => value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);

export function TemplateOf({ tenant }: { readonly tenant: string }) {
  const [opened, { open, close }] = useDisclosure();
  const take = useMutation({
    mutationFn: () => api.get<Template>(`/api/tenants/${tenant}/template`),
    onSuccess: (template) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([JSON.stringify(template, null, 2)], { type: "application/json" })), download: `${tenant}-template.json` });
      link.click();
      URL.revokeObjectURL(link.href);
      notifications.show({ message: template.left_out?.length ? `Left out, as this organisation's alone: ${template.left_out.join(", ")}.` : "Downloaded." });
    },
    onError: (error) => notifications.show({ color: "red", title: "Not exported", message: error.message }),
  });
  return (
    <Section title="Template" actions={<Group gap="xs"><Button size="xs" variant="default" loading={take.isPending} onClick={() => take.mutate()}>Download as template</Button><Button size="xs" variant="default" aria-haspopup="dialog" onClick={open}>Take over a template</Button></Group>}>
      <Text size="sm" c="dimmed" maw={680}>Its overrides without credentials, accounts, people, and what was entered for its connections: a beginning for another organisation.</Text>
      <Modal opened={opened} onClose={close} title="Take over a template" size="lg">{opened && <TakeOver tenant={tenant} />}</Modal>
    </Section>
  );
}

function TakeOver({ tenant }: { readonly tenant: string }) {
  const tenants = useTenants();
  const [template, setTemplate] = useState<Template>();
  const [from, setFrom] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string>();
  const [replace, setReplace] = useState(false);
  const path = `/api/tenants/${tenant}/template`;
  const look = useQuery({ queryKey: [path, JSON.stringify(template), replace], enabled: template !== undefined, retry: false, queryFn: () => api.post<Looked>(path, { template, replace }, { dry_run: true }) });
  const propose = useProposal(() => api.post<ProposalAnswer>(path, { template, replace }));
  const pick = (next: () => Promise<Template>) => void next().then((read) => { setTemplate(read); setWrong(undefined); }, (thrown: Error) => { setTemplate(undefined); setWrong(thrown.message); });
  const readFile = async (file: File): Promise<Template> => {
    const read: unknown = await file.text().then(JSON.parse).catch(() => undefined);
    if (typeof read !== "object" || read === null || (read as Template).template !== 1) throw new Error(`${file.name} is no template: download one from an organisation.`);
    return read as Template;
  };
  return (
    <Stack>
      <Group align="flex-end"><Select label="Of another organisation" searchable clearable w={280} value={from} data={(tenants.data?.data ?? []).filter((each) => each.kind !== "platform" && each.tenant !== tenant).map((each) => ({ value: each.tenant, label: each.title }))} onChange={(value) => { setFrom(value); if (value) pick(() => api.get<Template>(`/api/tenants/${value}/template`)); }} />
        <FileButton accept="application/json" onChange={(file) => { if (file) { setFrom(null); pick(() => readFile(file)); } }}>{(props) => <Button variant="default" {...props}>From a file</Button>}</FileButton></Group>
      {wrong !== undefined && <Alert color="red" variant="light" role="alert">{wrong}</Alert>}
      {template && <Loaded query={look} rows={2}>{({ conflicts, edits, preset_differs }) => <>
        {preset_differs && <Alert color="yellow" variant="light">It is of another preset ({template.preset ?? "none"}): parts of it may have no place here.</Alert>}
        {conflicts.length > 0 && <Alert color="yellow" variant="light" title="This organisation says otherwise itself">
          <Table fz="xs" aria-label="Conflicts"><Table.Thead><Table.Tr><Table.Th>Setting</Table.Th><Table.Th>Its own</Table.Th><Table.Th>Template</Table.Th></Table.Tr></Table.Thead><Table.Tbody>{conflicts.map(({ pointer, mine, theirs }) => <Table.Tr key={pointer}><Table.Td>{dotted(pointer)}</Table.Td><Table.Td><Code>{shown(mine)}</Code></Table.Td><Table.Td><Code>{shown(theirs)}</Code></Table.Td></Table.Tr>)}</Table.Tbody></Table>
          <Checkbox mt="xs" label="Replace its own" checked={replace} onChange={(event) => setReplace(event.currentTarget.checked)} />
        </Alert>}
        {edits.length === 0 ? <Text size="sm">Nothing to take over: it says all of it already.</Text> : (
          <Stack gap={4} component="section" aria-label="What would be written">
            <Text size="sm" fw={550}>{edits.length} {edits.length === 1 ? "setting" : "settings"} would be written</Text>
            {edits.map(({ pointer, value }) => typeof value === "object" && value !== null
              ? <details key={pointer}><summary><Text span size="sm">{dotted(pointer)}</Text></summary><Code block fz="xs" mah={220} style={{ overflow: "auto" }} tabIndex={0}>{JSON.stringify(value, null, 2)}</Code></details>
              : <Text key={pointer} size="sm" pl={16}>{dotted(pointer)} <Code>{shown(value)}</Code></Text>)}
          </Stack>
        )}
        {propose.isError && <Failed error={propose.error} />}
        <Group justify="flex-end"><Button disabled={edits.length === 0} loading={propose.isPending} onClick={() => propose.mutate()}>Propose change</Button></Group>
      </>}</Loaded>}
    </Stack>
  );
}
