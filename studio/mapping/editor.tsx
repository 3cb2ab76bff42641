/** The mapping editor: three views of one text, a sample whose values are seen everywhere, and a change that is proposed. */
import "./mapping.css";
import { ActionIcon, Badge, Box, Button, Grid, Group, Modal, Paper, SegmentedControl, Select, Stack, Text, TextInput, Tooltip } from "@mantine/core";
import { useDisclosure, useHotkeys, useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useBlocker } from "@tanstack/react-router";
import { ChevronLeftIcon, ChevronRightIcon } from "@radix-ui/react-icons";
import { lazy, memo, Suspense, useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { useMay } from "../api/session.ts";
import { parse } from "../../engine/expression/syntax/index.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import { LoadingRows } from "../ui/states.tsx";
import { asFileEdits, changedParts, editing, EMPTY, textOf, type EditAction, type Editing, type EditTarget, type Fields, type FieldText, type FileEdit, type MappingTest, type Written } from "./edits.ts";
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
  /** What holds where the file that is edited says nothing: of a tenant's override. Absent: what `under` says. */
  readonly below?: Written | undefined;
}

type View = "list" | "graph" | "text";
/** Fields that are drawn at once; of more, those around the one that is selected. */
const MOST_DRAWN = 24;
/** Fields that a list to choose from offers before somebody searches. */
const MOST_OFFERED = 60;
/** Of the source beside the rows, in pixels: it stays in sight while they are scrolled. */
const SOURCE_HEIGHT = 560;
/** From the last letter in the text of the whole file until it is read, in milliseconds. */
const PAUSE = 250;
const NO_FIELDS: Fields = {};
const NO_PARTS: readonly string[] = [];

export function Editor({ data, title, samples, target, preview, defaults = NO_FIELDS, tests, under, below: given }: EditorProps) {
  const may = useMay();
  const mayEdit = may("changes:propose") || may("configuration:propose");
  const [state, dispatch] = useReducer(editing, EMPTY, () => editing(EMPTY, loaded(data, tests)));
  const [mode, setMode] = useState<View>("list");
  const [selected, setSelected] = useState<string>();
  const [sample, setSample] = useState(0);
  const [unseen, setUnseen] = useState<readonly (readonly string[])[]>([]);
  /** Written by hand, and no YAML yet. */
  const [broken, setBroken] = useState<string>();
  /** The file as it is being written by hand, and not read yet. */
  const [typing, setTyping] = useState<string>();
  const [adding, { open: openAdding, close: closeAdding }] = useDisclosure();
  const [proposing, { open: openProposing, close: closeProposing }] = useDisclosure();
  const narrow = useMediaQuery("(max-width: 62em)");
  const isFirst = useRef(true);
  useEffect(() => { if (!isFirst.current) dispatch(loaded(data, tests)); isFirst.current = false; }, [data, tests]);

  const records = useMemo(() => samples.map(({ record }) => record), [samples]);
  const record = records[Math.min(sample, records.length - 1)];
  const view = useMappingView({ base: state.base, now: state.now, recordSchema: data.record_schema, entitySchema: data.entity_schema, record, samples: records, unseen });
  const parts = useMemo(() => changedParts(state), [state]);
  const [edits, notInPlace] = useMemo((): [readonly FileEdit[], string?] => { try { return [broken === undefined ? asFileEdits(state, target) : [{ file: target.file, text: broken }]]; } catch (thrown) { return [[], (thrown as Error).message]; } }, [state, target, broken]);
  const standing = useStanding({ edits, preview, record, enabled: may("configuration:propose") });
  /** What was proposed is in a branch: leaving loses nothing, though the page has not been drawn again yet. */
  const proposed = useRef(false);
  useBlocker({ shouldBlockFn: () => !proposed.current && parts.length > 0 && !confirm("Leave, and lose what was edited?"), enableBeforeUnload: parts.length > 0 });

  /** Made once, so that a row that did not change is not drawn again. */
  const latest = useRef<{ state: Editing; defaults: Fields; selected?: FieldState | undefined }>({ state, defaults });
  latest.current = { ...latest.current, state, defaults };
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
  const undo = useCallback(() => { setTyping(undefined); setBroken(undefined); dispatch({ type: "undo" }); }, []);
  const redo = useCallback(() => dispatch({ type: "redo" }), []);
  const setWhere = useCallback((text: string | null) => dispatch({ type: "where", text }), []);
  const keepTest = useCallback((test: MappingTest) => dispatch({ type: "keep_test", test }), []);
  const removeTest = useCallback((index: number) => dispatch({ type: "remove_test", index }), []);
  useHotkeys([["mod+Z", undo], ["mod+shift+Z", redo], ["mod+Y", redo]]);
  const nameSource = useCallback((path: readonly string[]) => setUnseen((old) => [...old, path]), []);
  const selectedAt = view.fields.findIndex((each) => each.target.field === selected);
  const selectedField = view.fields[selectedAt];
  const [first, setFirst] = useState(0);
  const last = Math.max(0, view.fields.length - MOST_DRAWN);
  const begin = Math.min(first, last);
  // What is selected elsewhere is brought into the picture; one that is in it moves nothing.
  useEffect(() => { if (selectedAt >= 0 && (selectedAt < begin || selectedAt >= begin + MOST_DRAWN)) setFirst(Math.max(0, Math.min(last, selectedAt - MOST_DRAWN / 2))); }, [selectedAt]);
  const names = useMemo(() => view.fields.map(({ target: { field } }) => field).join("\n"), [view.fields]);
  const drawn = useMemo(() => view.fields.slice(begin, begin + MOST_DRAWN), [view.fields, begin]);
  const reads = [...new Set(view.fields.flatMap((field) => field.reads))].join("\n");
  const used = useMemo(() => new Set(reads.split("\n")), [reads]);
  const readsOfSelected = selectedField?.reads.join("\n") ?? "";
  const lit = useMemo(() => new Set(readsOfSelected.split("\n")), [readsOfSelected]);
  const choose = useMemo(() => (mayEdit && selectedField ? (source: { readonly path: readonly string[] }) => hands.put(latest.current.selected!, source.path) : undefined), [mayEdit, selectedField === undefined, hands]);
  latest.current.selected = selectedField;
  const errors = view.fields.filter(({ problems }) => problems.some(({ severity }) => severity === "error")).length;
  // The file is put together where it is looked at, and read again once the hand rests: not at every letter.
  const saved = useMemo(() => { if (mode !== "text" || target.text === undefined) return ""; try { return broken ?? textOf(state, target); } catch { return target.text; } }, [mode, state, target, broken]);
  const readTyped = () => {
    if (typing === undefined) return;
    setTyping(undefined);
    const below = given ?? { fields: under === undefined ? NO_FIELDS : saidBy(under.text, under.file, { fields: NO_FIELDS, where: null, tests: [] })?.fields ?? NO_FIELDS, where: under === undefined ? null : data.where, tests: target.ownTests === false ? tests ?? [] : [] };
    const says = saidBy(typing, target.file, below, target.pointer);
    setBroken(says === undefined ? typing : undefined);
    if (says) dispatch({ type: "by_hand", text: typing, says });
  };
  const settle = useRef(readTyped);
  settle.current = readTyped;
  const changeView = useCallback((next: View) => { settle.current(); setMode(next); }, []);
  useEffect(() => { if (typing === undefined) return; const timer = setTimeout(readTyped, PAUSE); return () => clearTimeout(timer); }, [typing]);
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <Views view={mode} withText={target.text !== undefined} set={changeView} />
          <SamplePicker samples={samples} sample={sample} set={setSample} />
          {mode === "graph" && view.fields.length > MOST_DRAWN && (
            <DrawnFields names={names} begin={begin} setBegin={setFirst} selected={selected} select={setSelected} />
          )}
          {view.coverage < 0.995 && <Tooltip label="Share of the expressions that has a picture; the rest is kept as it is written"><Badge variant="default" tt="none">{Math.floor(view.coverage * 100)} % drawn</Badge></Tooltip>}
          {errors > 0 && <Badge color="red" variant="light" tt="none">{errors} {errors === 1 ? "field has" : "fields have"} problems</Badge>}
        </Group>
        {mayEdit && <Buttons undo={undo} redo={redo} add={openAdding} propose={openProposing} canUndo={state.past.length > 0} canRedo={state.future.length > 0} canPropose={parts.length > 0 && broken === undefined && typing === undefined && edits.length > 0} count={parts.length} />}
      </Group>
      <Group justify="space-between" gap="sm" align="flex-start">
        <WhereBar where={state.now.where} sources={view.sources} change={mayEdit ? setWhere : undefined} />
        <StandingBadges of={standing} file={target.file} />
      </Group>
      {notInPlace && <Text size="sm" c="red" role="alert">{notInPlace}</Text>}
      {mode === "list" && (
        <Grid gap="md">
          <Grid.Col span={{ base: 12, md: 3.5, lg: 3 }}><Paper withBorder p="sm" className="beside-rows"><SourcePanel sources={view.sources} used={used} lit={lit} height={narrow ? 200 : SOURCE_HEIGHT} choose={choose} name={mayEdit ? nameSource : undefined} /></Paper></Grid.Col>
          <Grid.Col span={{ base: 12, md: 8.5, lg: 9 }}><Paper withBorder style={{ overflow: "hidden" }}><TargetList view={view} now={state.now.fields} defaults={defaults} ownFile={target.file} samples={records} selected={selected} select={setSelected} hands={hands} readOnly={!mayEdit} name={nameSource} /></Paper></Grid.Col>
        </Grid>
      )}
      {mode === "graph" && <>
        <Formula field={selectedField} sources={view.sources} set={hands.set} remove={hands.remove} readOnly={!mayEdit} />
        <GraphView view={view} fields={drawn} samples={records} act={hands.act} clear={hands.remove} readOnly={!mayEdit} selected={selected} select={setSelected} name={nameSource} height={narrow ? 480 : "max(420px, calc(100vh - 330px))"} />
      </>}
      {mode === "text" && target.text !== undefined && <Suspense fallback={<LoadingRows rows={6} />}><TextView file={target.file} text={typing ?? saved} problems={standing.problems} sources={view.sources} targets={view.fields.map((field) => field.target)} under={under} change={setTyping} readOnly={!mayEdit} /></Suspense>}
      {tests !== undefined && <Tests tests={state.now.tests} standing={standing} record={record} keep={mayEdit ? keepTest : undefined} remove={removeTest} />}
      <AddField opened={adding} close={closeAdding} ofEntity={data.entity_schema !== null} known={names} add={(field) => { dispatch({ type: "set", field, expression: "" }); setSelected(field); closeAdding(); }} />
      <Propose opened={proposing} close={closeProposing} title={title} parts={proposing ? parts : NO_PARTS} edits={edits} done={() => { proposed.current = true; dispatch({ type: "saved" }); }} />
    </Stack>
  );
}

const Buttons = memo(function Buttons({ undo, redo, add, propose, canUndo, canRedo, canPropose, count }: { readonly undo: () => void; readonly redo: () => void; readonly add: () => void; readonly propose: () => void; readonly canUndo: boolean; readonly canRedo: boolean; readonly canPropose: boolean; readonly count: number }) {
  return (
    <Group gap="xs">
      <Button size="xs" variant="default" onClick={undo} disabled={!canUndo}>Undo</Button>
      <Button size="xs" variant="default" onClick={redo} disabled={!canRedo}>Redo</Button>
      <Button size="xs" variant="default" onClick={add} aria-haspopup="dialog">Add a field</Button>
      <Button size="xs" onClick={propose} disabled={!canPropose} aria-haspopup="dialog">Propose change{count > 0 ? ` (${count})` : ""}</Button>
    </Group>
  );
});

const Views = memo(function Views({ view, withText, set }: { readonly view: View; readonly withText: boolean; readonly set: (view: View) => void }) {
  return <SegmentedControl size="xs" value={view} onChange={(value) => set(value as View)} data={[{ value: "list", label: "List" }, { value: "graph", label: "Graph" }, ...(withText ? [{ value: "text", label: "Text" }] : [])]} aria-label="View" />;
});

const SamplePicker = memo(function SamplePicker({ samples, sample, set }: { readonly samples: EditorProps["samples"]; readonly sample: number; readonly set: (index: number) => void }) {
  return <Select size="xs" w={260} aria-label="Sample record" placeholder={samples.length === 0 ? "No sample" : "Sample"} value={samples.length === 0 ? null : String(Math.min(sample, samples.length - 1))} data={samples.map(({ title: label }, index) => ({ value: String(index), label: `${index + 1}. ${label}` }))} allowDeselect={false} onChange={(value) => set(Number(value))} disabled={samples.length === 0} />;
});

/** Which part of a large mapping the graph draws: a window of its fields, moved by steps or to a field by name. */
const DrawnFields = memo(function DrawnFields({ names: joined, begin, setBegin, selected, select }: { /** One a line. */ readonly names: string; readonly begin: number; readonly setBegin: (begin: number) => void; readonly selected: string | undefined; readonly select: (field: string | undefined) => void }) {
  const names = joined.split("\n");
  const last = names.length - MOST_DRAWN;
  return (
    <Group gap={4} role="group" aria-label="Fields that are drawn">
      <ActionIcon size="sm" variant="default" aria-label={`The ${MOST_DRAWN} fields before`} disabled={begin === 0} onClick={() => setBegin(Math.max(0, begin - MOST_DRAWN))}><ChevronLeftIcon /></ActionIcon>
      <Text size="xs" c="dimmed" miw={110} ta="center" aria-live="polite">{begin + 1}–{Math.min(names.length, begin + MOST_DRAWN)} of {names.length} fields</Text>
      <ActionIcon size="sm" variant="default" aria-label={`The next ${MOST_DRAWN} fields`} disabled={begin >= last} onClick={() => setBegin(Math.min(last, begin + MOST_DRAWN))}><ChevronRightIcon /></ActionIcon>
      <Select size="xs" w={200} searchable limit={MOST_OFFERED} aria-label="Find a target field" placeholder="Find a target field" clearable value={selected ?? null} data={names} onChange={(value) => select(value ?? undefined)} />
    </Group>
  );
});

const loaded = (data: EditorData, tests: readonly MappingTest[] | undefined): EditAction => ({ type: "load", fields: data.fields, where: data.where, ...(tests === undefined ? {} : { tests }) });

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

function AddField({ opened, close, ofEntity, known, add }: { readonly opened: boolean; readonly close: () => void; /** Else a provider's own names. */ readonly ofEntity: boolean; /** One a line. */ readonly known: string; readonly add: (field: string) => void }) {
  const begin = ofEntity ? "custom." : "";
  const [name, setName] = useState(begin);
  const isRight = (ofEntity ? /^custom\.[a-z][a-z0-9_]*$/ : /^[A-Za-z_][\w.-]*$/).test(name);
  const problem = known.split("\n").includes(name) ? "There is a field of that name." : isRight ? undefined : ofEntity ? "Own fields are called custom.<name>: small letters, digits and _." : "Letters, digits, `_`, `-` and `.`.";
  return (
    <Modal opened={opened} onClose={close} title="Add a field of your own">
      <form onSubmit={(event) => { event.preventDefault(); if (!problem) { add(name); setName(begin); } }}>
        <Stack><TextInput data-autofocus label="Name" {...(ofEntity ? { description: "It appears in records, SQL views and types." } : {})} value={name} onChange={(event) => setName(event.currentTarget.value)} error={name === begin ? undefined : problem} /><Group justify="flex-end"><Button type="submit" disabled={problem !== undefined}>Add</Button></Group></Stack>
      </form>
    </Modal>
  );
}
