/** Every default with where it is written. A change of one is proposed, to the head: organisations on a release do not see it. */
import { Alert, Anchor, Button, Checkbox, Code, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { FrequencyForm, frequencyInWords, type Frequency, type Setting } from "../../changes/frequency.tsx";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Section } from "../../ui/page.tsx";
import { Empty, Failed } from "../../ui/states.tsx";
import type { PresetValue, WholePreset } from "./types.ts";

const shown = (value: unknown): string => value === undefined || value === null ? "none" : typeof value === "string" ? value : JSON.stringify(value);

/** What a person types: JSON where it is JSON, else text. */
function typed(text: string): unknown {
  try { return JSON.parse(text) as unknown; } catch { return text; }
}

/** A flow's schedule, when the path is of one. */
const scheduleOf = (path: string): string | undefined => /^flows\.([^.]+)\.from\.(?:every|cron|time_zone)$/.exec(path)?.[1];

export function Defaults({ of }: { readonly of: WholePreset }) {
  const [asked, setAsked] = useState("");
  const [fields, setFields] = useState(false);
  const [wanted] = useDebouncedValue(asked.trim().toLowerCase(), 120);
  const [editing, setEditing] = useState<PresetValue | "new">();
  const isHead = of.release === "head";
  const isField = ({ path }: PresetValue): boolean => /^flows\.[^.]+\.map\.fields\./.test(path);
  const found = of.values.filter((each) => (fields || wanted !== "" || !isField(each)) && `${each.path} ${shown(each.value)}`.toLowerCase().includes(wanted));
  const hidden = of.values.filter(isField).length;
  const frequency = (flow: string): Frequency => Object.fromEntries(of.values.flatMap(({ path, value }) => (scheduleOf(path) === flow ? [[path.split(".").at(-1)!, value]] : [])));
  return (
    <Stack gap="md">
      {!isHead && <Alert color="gray" variant="light">Release {of.release} is frozen. Changes are made to the head, and reach organisations with the next release.</Alert>}
      {Object.keys(of.inputs).length > 0 && <Section title="What it asks for"><DataTable label="Questions and answers" rows={Object.entries(of.inputs)} keyOf={([name]) => name} columns={[{ label: "Question", show: ([name, { title }]) => title ?? name }, { label: "Answers", show: ([, input]) => input.enum?.map(String).join(", ") ?? "anything" }, { label: "Without an answer", show: ([, input]) => shown(input.default) }]} /></Section>}
      <Section title="Effective defaults" actions={<Group gap="sm"><TextInput size="xs" aria-label="Search defaults" placeholder="Search" value={asked} onChange={(event) => setAsked(event.currentTarget.value)} /><Checkbox size="xs" label={`Mapping fields (${hidden})`} checked={fields} onChange={(event) => setFields(event.currentTarget.checked)} />{isHead && <Button size="xs" variant="default" aria-haspopup="dialog" onClick={() => setEditing("new")}>Set something else</Button>}</Group>}>
        {found.length === 0 ? <Empty title="Nothing fits" /> : (
          <DataTable label="Defaults, one a row" rows={found} keyOf={({ path }) => path} columns={[
            { label: "Setting", show: ({ path }) => <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>{path}</Text> },
            { label: "Value", show: ({ value }) => <Code style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{shown(value)}</Code> },
            { label: "Written in", show: ({ origin, path }) => { const mapping = /mappings\/([^/]+\/[^/]+)\.yaml$/.exec(origin.file)?.[1]; const text = `${origin.layer === "catalogue" ? "built in" : origin.layer}, ${origin.file.replace("(builtin)/", "")}:${origin.line}`; return mapping !== undefined && path.includes(".map.") ? <Anchor component={Link} to={`/mappings/${mapping}`} size="xs">{text}</Anchor> : <Text size="xs" c="dimmed">{text}</Text>; } },
            ...(isHead ? [{ label: "Change", width: 90, show: (each: PresetValue) => <Button size="compact-xs" variant="default" aria-haspopup="dialog" onClick={() => setEditing(each)} aria-label={`Change ${each.path}`}>Change</Button> }] : []),
          ]} />
        )}
      </Section>
      <Modal opened={editing !== undefined} onClose={() => setEditing(undefined)} title={editing === "new" ? "Set something else" : editing?.path}>
        {editing !== undefined && <Edit preset={of.preset} of={editing === "new" ? undefined : editing} flow={editing === "new" ? undefined : scheduleOf(editing.path)} frequency={frequency} />}
      </Modal>
    </Stack>
  );
}

function Edit({ preset, of, flow, frequency }: { readonly preset: string; readonly of: PresetValue | undefined; readonly flow: string | undefined; readonly frequency: (flow: string) => Frequency }) {
  const [path, setPath] = useState(of?.path ?? "");
  const [text, setText] = useState(of === undefined ? "" : shown(of.value));
  const propose = useProposal<readonly Setting[]>((changes) => api.patch<ProposalAnswer>(`/api/presets/${preset}`, { changes }));
  const failed = propose.isError && <Failed error={propose.error} />;
  if (flow !== undefined) {
    const now = frequency(flow);
    return <Stack><Text size="sm">Now {frequencyInWords(now)}.</Text><FrequencyForm flow={flow} now={now} overridden={false} pending={propose.isPending} error={failed} propose={(settings) => propose.mutate([...settings, ...(["every", "cron", "time_zone"] as const).filter((key) => now[key] !== undefined && !settings.some(({ at }) => at.endsWith(`.${key}`))).map((key) => ({ at: `flows.${flow}.from.${key}`, value: null }))])} /></Stack>;
  }
  return (
    <form onSubmit={(event) => { event.preventDefault(); propose.mutate([{ at: path.trim(), value: typed(text) }]); }}>
      <Stack>
        {of === undefined && <TextInput data-autofocus label="Setting" required placeholder="flows.learners.from.sweep" value={path} onChange={(event) => setPath(event.currentTarget.value)} />}
        <TextInput {...(of === undefined ? {} : { "data-autofocus": true })} label="Value" required description="A text, or JSON: true, 20, [1, 2]." value={text} onChange={(event) => setText(event.currentTarget.value)} />
        {failed}
        <Group justify="flex-end"><Button type="submit" loading={propose.isPending}>Propose change</Button></Group>
      </Stack>
    </form>
  );
}
