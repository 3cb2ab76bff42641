/** The mapping editor: three views of one text, a sample whose values are seen everywhere, and a change that is proposed. */
import { Badge, Box, Button, Grid, Group, Modal, Paper, SegmentedControl, Select, Stack, Text, TextInput, Tooltip } from "@mantine/core";
import { useDisclosure, useHotkeys, useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useBlocker } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { useMay } from "../api/session.ts";
import { parse } from "../../engine/expression/syntax/index.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import { LoadingRows } from "../ui/states.tsx";
import { asFileEdits, changedParts, editing, EMPTY, textOf, type EditTarget, type Fields, type FieldText, type FileEdit, type MappingTest } from "./edits.ts";
import { ExpressionEditor } from "./expression-editor.tsx";
import { perform, writtenAt, type Gesture } from "./gestures.ts";
import { readGraph } from "./graph/read-graph.ts";
import { GraphView } from "./graph-view.tsx";
import { saidBy } from "./hand-text.ts";
import { Propose } from "./propose.tsx";
import { useMappingView, type FieldState } from "./session.ts";
import { SourcePanel } from "./source-panel.tsx";
import { StandingBadges, Tests, useStanding, type PreviewOf } from "./standing.tsx";
import { TargetList } from "./target-list.tsx";
import { WhereBar } from "./where-bar.tsx";

const TextView = lazy(() => import("./text-view.tsx"));

export interface EditorData { readonly id: string; readonly from: string; readonly to: string; readonly where: string | null; readonly fields: readonly FieldText[]; readonly record_schema: JsonObject | null; readonly entity_schema: JsonObject | null }

export interface EditorProps {
  readonly data: EditorData;
  /** Of the change. */
  readonly title: string;
  readonly samples: readonly { readonly title: string; readonly record: unknown }[];
  readonly target: EditTarget;
  readonly preview: PreviewOf;
  /** What an earlier layer says of fields that this one says otherwise. */
  readonly defaults?: Fields;
  /** Of a mapping's own file; absent: a tenant's override, which has none. */
  readonly tests?: readonly MappingTest[];
  /** The file of an earlier layer that this one is laid over. */
  readonly under?: { readonly file: string; readonly text: string } | undefined;
}

type View = "list" | "graph" | "text";
/** Fields that are drawn at once; with more, the graph is of what is selected. */
const MOST_DRAWN = 24;
const NO_FIELDS: Fields = {};

export function Editor({ data, title, samples, target, preview, defaults = NO_FIELDS, tests, under }: EditorProps) {
  const may = useMay();
  const mayEdit = may("changes:propose") || may("configuration:propose");
  const [state, dispatch] = useReducer(editing, EMPTY);
  const [mode, setMode] = useState<View>("list");
  const [selected, setSelected] = useState<string>();
  const [sample, setSample] = useState(0);
  const [unseen, setUnseen] = useState<readonly (readonly string[])[]>([]);
  /** Written by hand, and no YAML yet. */
  const [broken, setBroken] = useState<string>();
  const [adding, { open: openAdding, close: closeAdding }] = useDisclosure();
  const [proposing, { open: openProposing, close: closeProposing }] = useDisclosure();
  const narrow = useMediaQuery("(max-width: 62em)");
  useEffect(() => dispatch({ type: "load", fields: data.fields, where: data.where, ...(tests === undefined ? {} : { tests }) }), [data, tests]);
  useHotkeys([["mod+Z", () => dispatch({ type: "undo" })], ["mod+shift+Z", () => dispatch({ type: "redo" })], ["mod+Y", () => dispatch({ type: "redo" })]]);

  const records = useMemo(() => samples.map(({ record }) => record), [samples]);
  const record = records[Math.min(sample, records.length - 1)];
  const view = useMappingView({ base: state.base, now: state.now, recordSchema: data.record_schema, entitySchema: data.entity_schema, record, samples: records, unseen });
  const parts = changedParts(state);
  const [edits, notInPlace] = useMemo((): [readonly FileEdit[], string?] => { try { return [broken === undefined ? asFileEdits(state, target) : [{ file: target.file, text: broken }]]; } catch (thrown) { return [[], (thrown as Error).message]; } }, [state, target, broken]);
  const standing = useStanding({ edits, preview, record, enabled: may("configuration:propose") });
  /** What was proposed is in a branch: leaving loses nothing, though the page has not been drawn again yet. */
  const proposed = useRef(false);
  useBlocker({ shouldBlockFn: () => !proposed.current && parts.length > 0 && !confirm("Leave, and lose what was edited?"), enableBeforeUnload: parts.length > 0 });

  /** Made once, so that a row that did not change is not drawn again. */
  const latest = useRef({ state, defaults });
  latest.current = { state, defaults };
  const hands = useMemo(() => {
    const set = (field: string, expression: string, typed = false) => dispatch({ type: "set", field, expression, typed });
    const act = (field: string, gesture: Gesture) => {
      setSelected(field);
      const text = latest.current.state.now.fields[field]?.expression ?? undefined;
      const tree = text === undefined || text.trim() === "" ? undefined : parse(text).tree;
      const result = perform(gesture, tree, tree && readGraph(tree));
      if ("text" in result) set(field, result.text);
      else notifications.show({ color: "yellow", title: "Not done", message: result.message });
    };
    return {
      set, act,
      remove: (field: string) => dispatch({ type: "remove", field }),
      reset: (field: string) => dispatch({ type: "reset", field }),
      toDefault: (field: string) => { const to = latest.current.defaults[field]; if (to) dispatch({ type: "reset", field, to }); },
      put: (field: FieldState, path: readonly string[]) => { const text = writtenAt(path, []); if (field.text === null || field.text.trim() === "" || !field.graph) set(field.target.field, text); else act(field.target.field, { do: "join", node: field.graph.result, text, between: " " }); },
    };
  }, []);
  const nameSource = (path: readonly string[]) => setUnseen((old) => [...old, path]);
  const selectedField = view.fields.find((each) => each.target.field === selected);
  const drawn = useMemo(() => (view.fields.length <= MOST_DRAWN ? view.fields : selectedField === undefined ? view.fields.slice(0, MOST_DRAWN) : [selectedField]), [view.fields, selectedField]);
  const used = useMemo(() => new Set(view.fields.flatMap(({ reads }) => reads)), [view.fields]);
  const lit = useMemo(() => new Set(selectedField?.reads ?? []), [selectedField]);
  const errors = view.fields.filter(({ problems }) => problems.some(({ severity }) => severity === "error")).length;
  const text = useMemo(() => { if (target.text === undefined) return undefined; try { return broken ?? textOf(state, target); } catch { return target.text; } }, [state, target, broken]);
  const writeText = (next: string) => {
    const below = { fields: under === undefined ? NO_FIELDS : saidBy(under.text, under.file, { fields: NO_FIELDS, where: null, tests: [] })?.fields ?? NO_FIELDS, where: under === undefined ? null : data.where, tests: target.ownTests === false ? tests ?? [] : [] };
    const says = saidBy(next, target.file, below);
    setBroken(says === undefined ? next : undefined);
    if (says) dispatch({ type: "by_hand", text: next, says });
  };
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <SegmentedControl size="xs" value={mode} onChange={(value) => setMode(value as View)} data={[{ value: "list", label: "List" }, { value: "graph", label: "Graph" }, ...(text === undefined ? [] : [{ value: "text", label: "Text" }])]} aria-label="View" />
          <Select size="xs" w={260} aria-label="Sample record" placeholder={samples.length === 0 ? "No sample" : "Sample"} value={samples.length === 0 ? null : String(Math.min(sample, samples.length - 1))} data={samples.map(({ title: label }, index) => ({ value: String(index), label: `${index + 1}. ${label}` }))} allowDeselect={false} onChange={(value) => setSample(Number(value))} disabled={samples.length === 0} />
          {mode === "graph" && view.fields.length > MOST_DRAWN && <Select size="xs" w={220} searchable aria-label="Field to draw" placeholder={`The first ${MOST_DRAWN} fields`} clearable value={selected ?? null} data={view.fields.map(({ target: { field } }) => field)} onChange={(value) => setSelected(value ?? undefined)} />}
          {view.coverage < 0.995 && <Tooltip label="Share of the expressions that has a picture; the rest is kept as it is written"><Badge variant="default" tt="none">{Math.floor(view.coverage * 100)} % drawn</Badge></Tooltip>}
          {errors > 0 && <Badge color="red" variant="light" tt="none">{errors} {errors === 1 ? "field has" : "fields have"} problems</Badge>}
        </Group>
        {mayEdit && (
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={() => { setBroken(undefined); dispatch({ type: "undo" }); }} disabled={state.past.length === 0}>Undo</Button>
            <Button size="xs" variant="default" onClick={() => dispatch({ type: "redo" })} disabled={state.future.length === 0}>Redo</Button>
            <Button size="xs" variant="default" onClick={openAdding}>Add a field</Button>
            <Button size="xs" onClick={openProposing} disabled={parts.length === 0 || broken !== undefined || edits.length === 0}>Propose change{parts.length > 0 ? ` (${parts.length})` : ""}</Button>
          </Group>
        )}
      </Group>
      <Group justify="space-between" gap="sm" align="flex-start">
        <WhereBar where={state.now.where} sources={view.sources} change={mayEdit ? (next) => dispatch({ type: "where", text: next }) : undefined} />
        <StandingBadges of={standing} file={target.file} />
      </Group>
      {notInPlace && <Text size="sm" c="red" role="alert">{notInPlace}</Text>}
      {mode === "list" && (
        <Grid gap="md">
          <Grid.Col span={{ base: 12, md: 3.5, lg: 3 }}><Paper withBorder p="sm"><SourcePanel sources={view.sources} used={used} lit={lit} height={narrow ? 200 : 560} choose={mayEdit && selectedField ? (source) => hands.put(selectedField, source.path) : undefined} name={mayEdit ? nameSource : undefined} /></Paper></Grid.Col>
          <Grid.Col span={{ base: 12, md: 8.5, lg: 9 }}><Paper withBorder style={{ overflow: "hidden" }}><TargetList view={view} now={state.now.fields} defaults={defaults} ownFile={target.file} samples={records} selected={selected} select={setSelected} hands={hands} readOnly={!mayEdit} name={nameSource} /></Paper></Grid.Col>
        </Grid>
      )}
      {mode === "graph" && <>
        <Formula field={selectedField} sources={view.sources} set={hands.set} remove={hands.remove} readOnly={!mayEdit} />
        <GraphView view={view} fields={drawn} samples={records} act={hands.act} clear={hands.remove} readOnly={!mayEdit} selected={selected} select={setSelected} name={nameSource} height={narrow ? 480 : "max(420px, calc(100vh - 330px))"} />
      </>}
      {mode === "text" && text !== undefined && <Suspense fallback={<LoadingRows rows={6} />}><TextView file={target.file} text={text} problems={standing.problems} sources={view.sources} targets={view.fields.map((field) => field.target)} under={under} change={writeText} readOnly={!mayEdit} /></Suspense>}
      {tests !== undefined && <Tests tests={state.now.tests} standing={standing} record={record} keep={mayEdit ? (test) => dispatch({ type: "keep_test", test }) : undefined} remove={(index) => dispatch({ type: "remove_test", index })} />}
      <AddField opened={adding} close={closeAdding} ofEntity={data.entity_schema !== null} known={view.fields.map(({ target: { field } }) => field)} add={(field) => { dispatch({ type: "set", field, expression: "" }); setSelected(field); closeAdding(); }} />
      <Propose opened={proposing} close={closeProposing} title={title} parts={parts} edits={edits} done={() => { proposed.current = true; dispatch({ type: "saved" }); }} />
    </Stack>
  );
}

/** The selected field's text beside the graph: either may be edited, the other follows. */
function Formula({ field, sources, set, remove, readOnly }: { readonly field: FieldState | undefined; readonly sources: Parameters<typeof ExpressionEditor>[0]["sources"]; readonly set: (field: string, text: string, typed?: boolean) => void; readonly remove: (field: string) => void; readonly readOnly: boolean }) {
  return (
    <Group gap="sm" wrap="nowrap" mih={36} align="flex-start">
      <Text size="sm" fw={600} pt={8} w={150} truncate style={{ flexShrink: 0 }} title={field?.target.field}>{field?.target.field ?? "No field selected"}</Text>
      <Box flex={1} miw={0}>
        {field === undefined ? <Text size="sm" c="dimmed" pt={8}>Click a row of the target to see its text here, or draw a wire to it.</Text>
          : field.constant === undefined ? <ExpressionEditor value={field.text ?? ""} label={`Expression of ${field.target.field}`} sources={sources} problems={field.problems} onChange={(next) => (next.trim() === "" ? remove(field.target.field) : set(field.target.field, next, true))} readOnly={readOnly} />
            : <Text size="sm" ff="monospace" pt={8}>{JSON.stringify(field.constant)}</Text>}
      </Box>
    </Group>
  );
}

function AddField({ opened, close, ofEntity, known, add }: { readonly opened: boolean; readonly close: () => void; /** Else a provider's own names. */ readonly ofEntity: boolean; readonly known: readonly string[]; readonly add: (field: string) => void }) {
  const begin = ofEntity ? "custom." : "";
  const [name, setName] = useState(begin);
  const isRight = (ofEntity ? /^custom\.[a-z][a-z0-9_]*$/ : /^[A-Za-z_][\w.-]*$/).test(name);
  const problem = known.includes(name) ? "There is a field of that name." : isRight ? undefined : ofEntity ? "Own fields are called custom.<name>: small letters, digits and _." : "Letters, digits, `_`, `-` and `.`.";
  return (
    <Modal opened={opened} onClose={close} title="Add a field of your own">
      <form onSubmit={(event) => { event.preventDefault(); if (!problem) { add(name); setName(begin); } }}>
        <Stack><TextInput data-autofocus label="Name" {...(ofEntity ? { description: "It appears in records, SQL views and types." } : {})} value={name} onChange={(event) => setName(event.currentTarget.value)} error={name === begin ? undefined : problem} /><Group justify="flex-end"><Button type="submit" disabled={problem !== undefined}>Add</Button></Group></Stack>
      </form>
    </Modal>
  );
}
