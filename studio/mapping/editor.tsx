/** The mapping editor: two views of one text, a sample whose values are seen everywhere, and a change that is proposed. */
import { Alert, Badge, Box, Button, Code, Grid, Group, Modal, Paper, SegmentedControl, Select, Stack, Text, TextInput, Textarea, Tooltip } from "@mantine/core";
import { useDisclosure, useHotkeys, useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useBlocker, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useReducer, useState } from "react";
import { api, ApiError } from "../api/client.ts";
import { useMay } from "../api/session.ts";
import { parse } from "../../engine/expression/syntax/index.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import { Failed } from "../ui/states.tsx";
import { asFileEdits, changedFields, editing, EMPTY, type EditTarget, type FieldText } from "./edits.ts";
import { perform, writtenAt, type Gesture } from "./gestures.ts";
import { readGraph } from "./graph/read-graph.ts";
import { GraphView } from "./graph-view.tsx";
import { useMappingView } from "./session.ts";
import { SourcePanel } from "./source-panel.tsx";
import { TargetList } from "./target-list.tsx";

export interface EditorData { readonly id: string; readonly from: string; readonly to: string; readonly where: string | null; readonly fields: readonly FieldText[]; readonly record_schema: JsonObject | null; readonly entity_schema: JsonObject | null }

interface EditorProps {
  readonly data: EditorData;
  /** Of the change. */
  readonly title: string;
  readonly samples: readonly { readonly title: string; readonly record: unknown }[];
  readonly target: EditTarget;
  readonly preview: { readonly mapping: string } | { readonly tenant: string; readonly flow: string };
  /** The mapping has tests that can be run. */
  readonly tests?: boolean;
}

/** Fields that are drawn at once; with more, the graph is of what is selected. */
const MOST_DRAWN = 24;

export function Editor({ data, title, samples, target, preview, tests = false }: EditorProps) {
  const may = useMay();
  const mayEdit = may("changes:propose") || may("configuration:propose");
  const [state, dispatch] = useReducer(editing, EMPTY);
  const [mode, setMode] = useState<"list" | "graph">("list");
  const [selected, setSelected] = useState<string>();
  const [sample, setSample] = useState(0);
  const [adding, { open: openAdding, close: closeAdding }] = useDisclosure();
  const [proposing, { open: openProposing, close: closeProposing }] = useDisclosure();
  const narrow = useMediaQuery("(max-width: 62em)");
  useEffect(() => dispatch({ type: "load", fields: data.fields }), [data.fields]);
  useHotkeys([["mod+Z", () => dispatch({ type: "undo" })], ["mod+shift+Z", () => dispatch({ type: "redo" })], ["mod+Y", () => dispatch({ type: "redo" })]], []);

  const records = useMemo(() => samples.map(({ record }) => record), [samples]);
  const record = records[Math.min(sample, records.length - 1)];
  const view = useMappingView({ state, recordSchema: data.record_schema, entitySchema: data.entity_schema, record, samples: records, where: data.where });
  const changed = changedFields(state);
  const edits = asFileEdits(state, target);
  useBlocker({ shouldBlockFn: () => changed.length > 0 && !confirm("Leave, and lose what was edited?"), enableBeforeUnload: changed.length > 0 });

  const act = (field: string, gesture: Gesture) => {
    const text = state.now[field]?.expression ?? undefined;
    const tree = text === undefined ? undefined : parse(text).tree;
    const result = perform(gesture, tree, tree && readGraph(tree));
    if ("text" in result) dispatch({ type: "set", field, expression: result.text });
    else notifications.show({ color: "yellow", title: "Not done", message: result.message });
  };
  const set = (field: string, expression: string) => dispatch({ type: "set", field, expression });
  const remove = (field: string) => dispatch({ type: "remove", field });
  const selectedField = view.fields.find((each) => each.target.field === selected);
  const drawn = view.fields.length <= MOST_DRAWN || selectedField === undefined ? view.fields.slice(0, MOST_DRAWN) : [selectedField];
  const used = useMemo(() => new Set(view.fields.flatMap(({ reads }) => reads)), [view.fields]);
  const errors = view.fields.filter(({ problems }) => problems.some(({ severity }) => severity === "error")).length;

  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <SegmentedControl size="xs" value={mode} onChange={(value) => setMode(value as "list" | "graph")} data={[{ value: "list", label: "List" }, { value: "graph", label: "Graph" }]} aria-label="View" />
          <Select size="xs" w={260} aria-label="Sample record" placeholder={samples.length === 0 ? "No sample" : "Sample"} value={samples.length === 0 ? null : String(sample)} data={samples.map(({ title: label }, index) => ({ value: String(index), label: `${index + 1}. ${label}` }))} allowDeselect={false} onChange={(value) => setSample(Number(value))} disabled={samples.length === 0} />
          {mode === "graph" && view.fields.length > MOST_DRAWN && <Select size="xs" w={220} searchable aria-label="Field to draw" placeholder={`The first ${MOST_DRAWN} fields`} clearable value={selected ?? null} data={view.fields.map(({ target: { field } }) => field)} onChange={(value) => setSelected(value ?? undefined)} />}
          <Tooltip label="Share of the expressions that has a picture; the rest is kept as it is written"><Badge variant="default" tt="none">{Math.round(view.coverage * 100)} % drawn</Badge></Tooltip>
          {errors > 0 && <Badge color="red" variant="light" tt="none">{errors} {errors === 1 ? "field has" : "fields have"} problems</Badge>}
        </Group>
        {mayEdit && (
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={() => dispatch({ type: "undo" })} disabled={state.past.length === 0} aria-label="Undo">Undo</Button>
            <Button size="xs" variant="default" onClick={() => dispatch({ type: "redo" })} disabled={state.future.length === 0} aria-label="Redo">Redo</Button>
            <Button size="xs" variant="default" onClick={openAdding}>Add a field</Button>
            <Button size="xs" onClick={openProposing} disabled={changed.length === 0}>Propose change{changed.length > 0 ? ` (${changed.length})` : ""}</Button>
          </Group>
        )}
      </Group>
      {data.where !== null && <Text size="xs" c="dimmed">Only records where <Code>{data.where}</Code></Text>}
      {mode === "list" ? (
        <Grid gap="md">
          <Grid.Col span={{ base: 12, md: 3.5, lg: 3 }}><Paper withBorder p="sm"><SourcePanel sources={view.sources} used={used} lit={new Set(selectedField?.reads ?? [])} height={narrow ? 200 : 560} choose={mayEdit && selectedField ? (source) => (selectedField.text === null ? set(selectedField.target.field, writtenAt(source.path, [])) : act(selectedField.target.field, { do: "join", node: selectedField.graph?.result ?? "", text: writtenAt(source.path, []), between: " " })) : undefined} /></Paper></Grid.Col>
          <Grid.Col span={{ base: 12, md: 8.5, lg: 9 }}><Paper withBorder style={{ overflow: "hidden" }}><TargetList view={view} now={state.now} samples={records} selected={selected} select={setSelected} set={set} act={act} remove={remove} reset={(field) => dispatch({ type: "reset", field })} readOnly={!mayEdit} /></Paper></Grid.Col>
        </Grid>
      ) : <GraphView view={view} fields={drawn} samples={records} act={act} clear={remove} height={narrow ? 480 : "calc(100vh - 260px)"} />}
      <Server edits={edits} preview={preview} record={record} tests={tests} />
      <AddField opened={adding} close={closeAdding} known={view.fields.map(({ target: { field } }) => field)} add={(field) => { dispatch({ type: "set", field, expression: "" }); setSelected(field); closeAdding(); }} />
      <Propose opened={proposing} close={closeProposing} title={title} fields={changed} edits={edits} done={() => dispatch({ type: "load", fields: Object.values(state.now) })} />
    </Stack>
  );
}

interface Previewed { readonly filtered: boolean; readonly fields: readonly { readonly field: string; readonly value?: unknown; readonly problems: readonly { readonly code: string; readonly severity: string; readonly message: string }[] }[]; readonly problems: readonly { readonly message: string; readonly severity: string }[] }

/** What only the server knows: whether the entity takes the row, and whether the tests pass. */
function Server({ edits, preview, record, tests }: { readonly edits: readonly unknown[]; readonly preview: EditorProps["preview"]; readonly record: unknown; readonly tests: boolean }) {
  const may = useMay();
  const body = JSON.stringify({ edits, record });
  const [asked, setAsked] = useState(body);
  useEffect(() => { const timer = setTimeout(() => setAsked(body), 450); return () => clearTimeout(timer); }, [body]);
  const enabled = may("configuration:propose");
  const made = useQuery({ queryKey: ["/api/mappings/preview", preview, asked], enabled: enabled && record !== undefined, placeholderData: (old) => old, retry: false, queryFn: () => api.post<{ records: readonly Previewed[] }>("/api/mappings/preview", { ...preview, edits, records: [record] }) });
  const checked = useQuery({ queryKey: ["/api/configuration/check", preview, asked], enabled: enabled && tests, placeholderData: (old) => old, retry: false, queryFn: () => api.post<{ tests: readonly { name: string; passed: boolean; detail: string | null }[] }>("/api/configuration/check", { edits, ...("mapping" in preview ? { mapping: preview.mapping } : {}) }) });
  const [row] = made.data?.records ?? [];
  const refused = row ? [...row.problems, ...row.fields.flatMap(({ field, problems }) => problems.filter(({ code }) => code === "MAPPING_INVALID").map((problem) => ({ ...problem, message: `${field}: ${problem.message}` })))].filter(({ severity }) => severity === "error") : [];
  if (!enabled) return null;
  return (
    <Stack gap="xs">
      {made.error instanceof ApiError && <Failed error={made.error} />}
      {row?.filtered && <Alert color="yellow" variant="light" py={6}>This record is left out by the mapping's <Code>where</Code>.</Alert>}
      {row && !row.filtered && (refused.length === 0 ? <Text size="xs" c="teal">The row is valid: it would be stored.</Text> : <Alert color="red" variant="light" py={6} title="The row would be quarantined">{refused.map(({ message }) => <Text key={message} size="sm">{message}</Text>)}</Alert>)}
      {checked.data && checked.data.tests.length > 0 && (
        <Group gap={6}><Text size="xs" c="dimmed">Tests</Text>{checked.data.tests.map(({ name, passed, detail }) => <Tooltip key={name} label={detail ?? "passes"} multiline maw={420}><Badge variant="light" color={passed ? "teal" : "red"} tt="none">{passed ? "✓" : "✕"} {name}</Badge></Tooltip>)}</Group>
      )}
    </Stack>
  );
}

function AddField({ opened, close, known, add }: { readonly opened: boolean; readonly close: () => void; readonly known: readonly string[]; readonly add: (field: string) => void }) {
  const [name, setName] = useState("custom.");
  const problem = known.includes(name) ? "There is a field of that name." : /^custom\.[a-z][a-z0-9_]*$/.test(name) ? undefined : "Own fields are called custom.<name>: small letters, digits and _.";
  return (
    <Modal opened={opened} onClose={close} title="Add a field of your own">
      <form onSubmit={(event) => { event.preventDefault(); if (!problem) { add(name); setName("custom."); } }}>
        <Stack><TextInput data-autofocus label="Name" description="It appears in records, SQL views and types." value={name} onChange={(event) => setName(event.currentTarget.value)} error={name === "custom." ? undefined : problem} /><Group justify="flex-end"><Button type="submit" disabled={problem !== undefined}>Add</Button></Group></Stack>
      </form>
    </Modal>
  );
}

function Propose({ opened, close, title, fields, edits, done }: { readonly opened: boolean; readonly close: () => void; readonly title: string; readonly fields: readonly string[]; readonly edits: readonly unknown[]; readonly done: () => void }) {
  const navigate = useNavigate();
  const suggested = `${title}: ${fields.length === 1 ? fields[0] : `${fields.length} fields`}`;
  const [name, setName] = useState("");
  const [why, setWhy] = useState("");
  const propose = useMutation({
    mutationFn: () => api.post<{ id: string }>("/api/changes", { title: name || suggested, ...(why === "" ? {} : { description: why }), edits, propose: true }),
    onSuccess: ({ id }) => { done(); close(); setTimeout(() => void navigate({ to: `/changes/${id}` }), 0); },
  });
  return (
    <Modal opened={opened} onClose={close} title="Propose this change" size="lg">
      <form onSubmit={(event) => { event.preventDefault(); propose.mutate(); }}>
        <Stack>
          <Text size="sm" c="dimmed">It becomes a branch and a commit under your name. The plan shows what it does before anybody approves it.</Text>
          <TextInput data-autofocus label="Title" placeholder={suggested} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Textarea label="Why" autosize minRows={2} value={why} onChange={(event) => setWhy(event.currentTarget.value)} />
          <Box><Text size="xs" fw={600} mb={4}>Fields</Text><Group gap={4}>{fields.map((field) => <Badge key={field} variant="default" tt="none">{field}</Badge>)}</Group></Box>
          {propose.isError && <Failed error={propose.error} />}
          <Group justify="flex-end"><Button variant="default" onClick={close}>Not yet</Button><Button type="submit" loading={propose.isPending}>Propose</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}
