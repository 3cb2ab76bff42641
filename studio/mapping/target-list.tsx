/**
 * The target-first list: one row per field that the entity asks for, with its expression, what it gives for the sample, and what
 * is wrong. The open row shows its text, suggestions and its own graph.
 */
import { Badge, Box, Button, Code, Group, Stack, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { ChevronDownIcon, ChevronRightIcon, ResetIcon } from "@radix-ui/react-icons";
import { memo, useRef, useState } from "react";
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

export function TargetList({ view, now, defaults, selected, select, ...rest }: TargetListProps) {
  const list = useRef<HTMLDivElement>(null);
  const move = (by: number) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[data-row-button]") ?? [])];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
  };
  return (
    <Stack gap={0} ref={list} role="list" aria-label="Target fields" onKeyDown={(event) => { if ((event.target as HTMLElement).dataset["rowButton"] === undefined) return; if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); } }}>
      {view.fields.map((field) => { const { field: name } = field.target; const isOpen = selected === name; return <Row key={name} {...rest} view={isOpen ? view : undefined} field={field} written={now[name]} preset={defaults[name]} isOpen={isOpen} select={select} />; })}
    </Stack>
  );
}

const ORIGINS: Readonly<Record<string, string>> = { catalogue: "built in", workspace: "workspace", preset: "preset", release: "preset", tenant: "override", draft: "edited" };

type RowProps = Pick<TargetListProps, "ownFile" | "samples" | "hands" | "readOnly" | "select" | "name"> & { /** Of the open row only: a row that is shut does not depend on the others. */ readonly view: MappingView | undefined; readonly field: FieldState; readonly written: FieldText | undefined; readonly preset: FieldText | undefined; readonly isOpen: boolean };

const Row = memo(function Row(props: RowProps) {
  const { field, written, isOpen, select, hands, readOnly } = props;
  const { target, text, constant, ref, value, problems, changed } = field;
  const [over, setOver] = useState(false);
  const errors = problems.filter(({ severity }) => severity === "error");
  return (
    <Box role="listitem" data-field={target.field} onDragOver={(event) => { if (!readOnly && event.dataTransfer.types.includes(DRAGGED)) { event.preventDefault(); if (!over) setOver(true); } }} onDragLeave={() => setOver(false)}
      onDrop={(event) => { event.preventDefault(); setOver(false); if (!readOnly) hands.put(field, JSON.parse(event.dataTransfer.getData(DRAGGED)) as string[]); }}
      style={{ contentVisibility: isOpen ? "visible" : "auto", containIntrinsicSize: "auto 53px", borderBottom: "1px solid var(--mantine-color-default-border)", background: over ? "var(--mantine-primary-color-light)" : isOpen ? "var(--mantine-color-default-hover)" : undefined, borderLeft: `3px solid ${changed ? "var(--mantine-primary-color-filled)" : "transparent"}` }}>
      <UnstyledButton onClick={() => select(isOpen ? undefined : target.field)} data-row-button aria-expanded={isOpen} w="100%" px="xs" py={7} aria-label={`${target.field}${target.required ? ", required" : ""}, ${text ?? "nothing makes it"}${errors.length > 0 ? `, ${errors.length} problems` : ""}`}>
        <Group gap="sm" wrap="nowrap">
          {isOpen ? <ChevronDownIcon aria-hidden style={{ flexShrink: 0 }} /> : <ChevronRightIcon aria-hidden style={{ flexShrink: 0 }} />}
          <Box w={{ base: 110, md: 190 }} style={{ flexShrink: 0 }}><Text size="sm" fw={550} truncate title={target.field}>{target.field}{target.required && <Text span c="red" aria-hidden> *</Text>}</Text><Text size="xs" c="dimmed" truncate>{target.type === "unknown" ? "own field" : target.type}</Text></Box>
          <Text size="xs" ff="monospace" truncate flex={1} miw={0} data-expression c={text === null && constant === undefined ? "dimmed" : undefined} fs={text === null && constant === undefined ? "italic" : undefined}>{ref === null ? text ?? (constant === undefined ? "nothing makes it" : JSON.stringify(constant)) : `${ref} with key ${text}`}</Text>
          <Box w={{ base: 84, md: 190 }} style={{ flexShrink: 0 }}><Value of={value} width={180} /></Box>
          <Box w={34} style={{ flexShrink: 0 }} visibleFrom="xs">{problems.length > 0 && <Tooltip label={problems.map(({ message }) => message).join("\n")} multiline maw={380}><Badge color={errors.length > 0 ? "red" : "yellow"} variant="light" size="sm">{problems.length}</Badge></Tooltip>}</Box>
          <Box w={86} style={{ flexShrink: 0 }} ta="right" visibleFrom="sm">{written && <Badge variant={written.layer === "tenant" || written.layer === "draft" ? "light" : "default"} color={written.layer === "draft" ? undefined : "grape"} size="sm" tt="none">{ORIGINS[written.layer] ?? written.layer}</Badge>}</Box>
        </Group>
      </UnstyledButton>
      {isOpen && <Opened {...props} />}
    </Box>
  );
}, isSameRow);

/** A field that says, gives and lacks the same is the same, whatever object tells it. */
function isSameRow(a: RowProps, b: RowProps): boolean {
  if (a.isOpen || b.isOpen) return false;
  return a.written === b.written && a.preset === b.preset && a.readOnly === b.readOnly && a.select === b.select && a.hands === b.hands
    && a.field.target === b.field.target && a.field.text === b.field.text && a.field.value === b.field.value && a.field.changed === b.field.changed && a.field.constant === b.field.constant
    && a.field.problems.length === b.field.problems.length && a.field.problems.every(({ message }, index) => message === b.field.problems[index]!.message);
}

function Opened({ view, field, written, preset, samples, hands, readOnly, ownFile, select, name }: RowProps) {
  const { target, text, constant, problems, type, changed } = field;
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
      {field.graph && <GraphView view={view!} fields={[field]} samples={samples} act={hands.act} clear={hands.remove} readOnly={readOnly} selected={target.field} select={select} name={name} height={Math.min(520, 240 + field.graph.nodes.length * 46)} />}
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
