/**
 * The target-first list: one row per field that the entity asks for, with its expression, what it gives for the sample, and what
 * is wrong. The open row shows its text, suggestions and its own graph.
 */
import { Button, Code, Group, Stack, Text, VisuallyHidden } from "@mantine/core";
import { ChevronDownIcon, ChevronRightIcon, ResetIcon } from "@radix-ui/react-icons";
import { memo, useMemo, useRef, useState } from "react";
import type { Fields, FieldText } from "./edits.ts";
import { ExpressionEditor } from "./expression-editor.tsx";
import { writtenAt, type Gesture } from "./gestures.ts";
import { GraphView } from "./graph-view.tsx";
import type { FieldState, MappingView } from "./session.ts";
import { DRAGGED } from "./source-panel.tsx";
import { suggestions } from "./trees.ts";
import { Value } from "./value.tsx";

export interface Hands {
  readonly set: (field: string, text: string, typed?: boolean) => void;
  readonly act: (field: string, gesture: Gesture) => void;
  readonly remove: (field: string) => void;
  readonly reset: (field: string) => void;
  readonly toDefault: (field: string) => void;
  /** A source dropped on a row: its value, or joined to what is there. */
  readonly put: (field: FieldState, path: readonly string[]) => void;
}

export interface TargetListProps {
  readonly view: MappingView;
  readonly now: Fields;
  /** What an earlier layer says of fields that are said otherwise here. */
  readonly defaults: Fields;
  readonly ownFile: string;
  readonly samples: readonly unknown[];
  readonly selected: string | undefined;
  readonly select: (field: string | undefined) => void;
  readonly hands: Hands;
  readonly name: (path: readonly string[]) => void;
  readonly readOnly: boolean;
}

/** One stop of the Tab key for all rows, arrows between them: of three hundred nobody tabs through each. */
export function TargetList({ view, now, defaults, selected, select, ...rest }: TargetListProps) {
  const list = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState<string>();
  const known = view.fields.some(({ target }) => target.field === current) ? current : undefined;
  const stop = known ?? selected ?? view.fields[0]?.target.field;
  const move = (event: React.KeyboardEvent) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[data-row-button]") ?? [])];
    const at = rows.indexOf(event.target as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: rows.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    rows[Math.max(0, Math.min(rows.length - 1, to))]?.focus();
  };
  return (
    <div ref={list} role="list" aria-label="Target fields" aria-description="Arrow keys go from field to field." onKeyDown={move} onFocus={(event) => { const field = event.target.closest<HTMLElement>("[data-field]")?.dataset["field"]; if (field !== undefined) setCurrent(field); }}>
      {view.fields.map((field) => { const { field: name } = field.target; const isOpen = selected === name; return <Row key={name} {...rest} view={isOpen ? view : undefined} field={field} written={now[name]} preset={defaults[name]} isOpen={isOpen} isStop={stop === name} select={select} />; })}
    </div>
  );
}

const ORIGINS: Readonly<Record<string, string>> = { catalogue: "built in", workspace: "workspace", preset: "preset", release: "preset", tenant: "override", draft: "edited" };
const TONES: Readonly<Record<string, string>> = { draft: "own", tenant: "grape" };

type RowProps = Pick<TargetListProps, "ownFile" | "samples" | "hands" | "readOnly" | "select" | "name"> & { /** Of the open row only: a row that is shut does not depend on the others. */ readonly view: MappingView | undefined; readonly field: FieldState; readonly written: FieldText | undefined; readonly preset: FieldText | undefined; readonly isOpen: boolean; /** Where the Tab key stops. */ readonly isStop: boolean };

const Row = memo(function Row(props: RowProps) {
  const { field, written, isOpen, isStop, select, hands, readOnly } = props;
  const { target, text, constant, ref, value, problems, changed } = field;
  const [over, setOver] = useState(false);
  const errors = problems.filter(({ severity }) => severity === "error");
  const isNothing = text === null && constant === undefined;
  return (
    <div role="listitem" className="target-row" data-field={target.field} data-open={isOpen || undefined} data-over={over || undefined} data-changed={changed || undefined}
      onDragOver={(event) => { if (!readOnly && event.dataTransfer.types.includes(DRAGGED)) { event.preventDefault(); if (!over) setOver(true); } }} onDragLeave={() => setOver(false)}
      onDrop={(event) => { event.preventDefault(); setOver(false); if (!readOnly) hands.put(field, JSON.parse(event.dataTransfer.getData(DRAGGED)) as string[]); }}>
      <button type="button" onClick={() => select(isOpen ? undefined : target.field)} data-row-button tabIndex={isStop ? 0 : -1} aria-expanded={isOpen}>
        {isOpen ? <ChevronDownIcon aria-hidden /> : <ChevronRightIcon aria-hidden />}
        <span className="field"><b className="one-line" data-required={target.required || undefined} title={target.field}>{target.field}{target.required && <VisuallyHidden> (required)</VisuallyHidden>}</b><small className="one-line">{target.type === "unknown" ? "own field" : target.type}</small></span>
        <span className="says one-line" data-expression data-nothing={isNothing || undefined}>{ref === null ? text ?? (constant === undefined ? "nothing makes it" : JSON.stringify(constant)) : `${ref} with key ${text}`}</span>
        <span className="gives"><Value of={value} width={180} /></span>
        <span className="lacks">{problems.length > 0 && <span className="mark" data-tone={errors.length > 0 ? "red" : "yellow"} title={problems.map(({ message }) => message).join("\n")}>{problems.length}<VisuallyHidden> {problems.length === 1 ? "problem" : "problems"}</VisuallyHidden></span>}</span>
        <span className="origin">{written && <span className="mark" data-tone={TONES[written.layer] ?? "quiet"}>{ORIGINS[written.layer] ?? written.layer}</span>}</span>
      </button>
      {isOpen && <Opened {...props} />}
    </div>
  );
}, isSameRow);

/** A row that is shut depends on its field alone. */
function isSameRow(a: RowProps, b: RowProps): boolean {
  if (a.isOpen || b.isOpen) return false;
  return a.field === b.field && a.written === b.written && a.preset === b.preset && a.isStop === b.isStop && a.readOnly === b.readOnly && a.select === b.select && a.hands === b.hands;
}

function Opened({ view, field, written, preset, samples, hands, readOnly, ownFile, select, name }: RowProps) {
  const { target, text, constant, problems, changed } = field;
  const type = useMemo(() => (text === null ? "" : view!.typeOf(text)), [text, view!.typeOf]);
  const drawn = useMemo(() => [field], [field]);
  const isOverride = preset !== undefined && written?.file === ownFile && written.layer !== "draft";
  return (
    <Stack gap="sm" px="md" pb="md" pt={4}>
      {target.description !== undefined && <Text size="xs" c="dimmed">{target.description}</Text>}
      {constant === undefined && <ExpressionEditor value={text ?? ""} label={`Expression of ${target.field}`} sources={view!.sources} problems={problems} onChange={(next) => (next.trim() === "" ? hands.remove(target.field) : hands.set(target.field, next, true))} readOnly={readOnly} />}
      {problems.map(({ message, severity, code }) => <Text key={code + message} size="xs" c={severity === "error" ? "red" : "orange"}>{message}</Text>)}
      <Group gap="xs">
        {type !== "" && <Text size="xs" c="dimmed">Gives {type}.</Text>}
        {written && written.layer !== "draft" && <Text size="xs" c="dimmed">From {written.file.replace("(builtin)/", "")}:{written.line}.</Text>}
        {preset && <Text size="xs" c="dimmed">{written?.layer === "release" || written?.layer === "preset" ? "" : <>Otherwise it would be <Code>{preset.expression ?? JSON.stringify(preset.constant)}</Code>.</>}</Text>}
        {!readOnly && changed && <Button size="compact-xs" variant="default" leftSection={<ResetIcon aria-hidden />} onClick={() => hands.reset(target.field)}>Back to what is saved</Button>}
        {!readOnly && preset && (isOverride || (changed && written?.layer === "draft")) && <Button size="compact-xs" variant="default" leftSection={<ResetIcon aria-hidden />} onClick={() => hands.toDefault(target.field)}>Reset to the default</Button>}
        {!readOnly && written && <Button size="compact-xs" variant="default" color="red" onClick={() => hands.remove(target.field)}>Remove</Button>}
      </Group>
      {text === null && constant === undefined && !readOnly && <Suggested field={field} view={view!} choose={(path) => hands.set(target.field, writtenAt(path, []))} />}
      {field.graph && <GraphView view={view!} fields={drawn} samples={samples} act={hands.act} clear={hands.remove} readOnly={readOnly} selected={target.field} select={select} name={name} height={Math.min(520, 240 + field.graph.nodes.length * 46)} />}
    </Stack>
  );
}

/** Never applied unasked. */
function Suggested({ field, view, choose }: { readonly field: FieldState; readonly view: MappingView; readonly choose: (path: readonly string[]) => void }) {
  const found = suggestions(field.target, view.sources);
  return found.length === 0 ? <Text size="xs" c="dimmed">Drag a source field here, or write an expression.</Text> : (
    <Group gap={6}><Text size="xs" c="dimmed">Could be</Text>{found.map((source) => <Button key={source.path.join(".")} size="compact-xs" variant="light" onClick={() => choose(source.path)}>{source.path.join(".")}</Button>)}</Group>
  );
}
