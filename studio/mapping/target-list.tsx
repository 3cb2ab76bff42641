/**
 * The target-first list: one row per field that the entity asks for, with its expression, what it gives for the sample, and what
 * is wrong. The open row shows its text, suggestions and its own graph.
 */
import { ActionIcon, Badge, Box, Button, Collapse, Group, Paper, Stack, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { ChevronDownIcon, ChevronRightIcon, ResetIcon } from "@radix-ui/react-icons";
import { useRef, useState } from "react";
import type { FieldText } from "./edits.ts";
import { ExpressionEditor } from "./expression-editor.tsx";
import { writtenAt, type Gesture } from "./gestures.ts";
import { GraphView } from "./graph-view.tsx";
import type { FieldState, MappingView } from "./session.ts";
import { DRAGGED } from "./source-panel.tsx";
import { suggestions } from "./trees.ts";
import { Value } from "./value.tsx";

export interface TargetListProps {
  readonly view: MappingView;
  readonly now: Readonly<Record<string, FieldText>>;
  readonly samples: readonly unknown[];
  readonly selected: string | undefined;
  readonly select: (field: string | undefined) => void;
  readonly set: (field: string, text: string) => void;
  readonly act: (field: string, gesture: Gesture) => void;
  readonly remove: (field: string) => void;
  readonly reset: (field: string) => void;
  readonly readOnly: boolean;
}

export function TargetList(props: TargetListProps) {
  const { view, selected, select } = props;
  const list = useRef<HTMLDivElement>(null);
  const move = (by: number) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[data-row-button]") ?? [])];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
  };
  return (
    <Stack gap={0} ref={list} role="list" aria-label="Target fields" onKeyDown={(event) => { if ((event.target as HTMLElement).dataset["rowButton"] === undefined) return; if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); } }}>
      {view.fields.map((field) => <Row key={field.target.field} {...props} field={field} isOpen={selected === field.target.field} toggle={() => select(selected === field.target.field ? undefined : field.target.field)} />)}
    </Stack>
  );
}

const ORIGINS: Readonly<Record<string, string>> = { catalogue: "catalogue", workspace: "workspace", preset: "preset", release: "preset", tenant: "override", draft: "edited" };

function Row({ view, now, samples, field, isOpen, toggle, set, act, remove, reset, readOnly }: TargetListProps & { readonly field: FieldState; readonly isOpen: boolean; readonly toggle: () => void }) {
  const { target, text, constant, ref, value, problems, type, changed } = field;
  const [over, setOver] = useState(false);
  const errors = problems.filter(({ severity }) => severity === "error");
  const written = now[target.field];
  const drop = (path: readonly string[]) => {
    const source = writtenAt(path, []);
    if (text === null) set(target.field, source);
    else act(target.field, { do: "join", node: field.graph?.result ?? "", text: source, between: " " });
  };
  return (
    <Box role="listitem" data-field={target.field} onDragOver={(event) => { if (!readOnly && event.dataTransfer.types.includes(DRAGGED)) { event.preventDefault(); setOver(true); } }} onDragLeave={() => setOver(false)}
      onDrop={(event) => { event.preventDefault(); setOver(false); drop(JSON.parse(event.dataTransfer.getData(DRAGGED)) as string[]); }}
      style={{ borderBottom: "1px solid var(--mantine-color-default-border)", background: over ? "var(--mantine-primary-color-light)" : isOpen ? "var(--mantine-color-default-hover)" : undefined, borderLeft: `3px solid ${changed ? "var(--mantine-primary-color-filled)" : "transparent"}` }}>
      <UnstyledButton onClick={toggle} data-row-button aria-expanded={isOpen} w="100%" px="xs" py={7} aria-label={`${target.field}${target.required ? ", required" : ""}${errors.length > 0 ? `, ${errors.length} problems` : ""}`}>
        <Group gap="sm" wrap="nowrap">
          {isOpen ? <ChevronDownIcon aria-hidden /> : <ChevronRightIcon aria-hidden />}
          <Box w={{ base: 120, md: 190 }} style={{ flexShrink: 0 }}><Text size="sm" fw={550} truncate>{target.field}{target.required && <Text span c="red" aria-hidden> *</Text>}</Text><Text size="xs" c="dimmed" truncate>{target.type === "unknown" ? "own field" : target.type}</Text></Box>
          <Text size="xs" ff="monospace" truncate flex={1} c={text === null && constant === undefined ? "dimmed" : undefined} fs={text === null && constant === undefined ? "italic" : undefined}>{ref === null ? text ?? (constant === undefined ? "nothing makes it" : JSON.stringify(constant)) : `${ref} with key ${text}`}</Text>
          <Box w={{ base: 90, md: 190 }} style={{ flexShrink: 0 }}><Value of={value} width={180} /></Box>
          {problems.length > 0 && <Tooltip label={problems.map(({ message }) => message).join("\n")} multiline maw={380}><Badge color={errors.length > 0 ? "red" : "yellow"} variant="light" size="sm">{problems.length}</Badge></Tooltip>}
          {written && <Badge variant={written.layer === "tenant" || written.layer === "draft" ? "light" : "default"} color={written.layer === "draft" ? undefined : "grape"} size="sm" tt="none" visibleFrom="sm">{ORIGINS[written.layer] ?? written.layer}</Badge>}
        </Group>
      </UnstyledButton>
      <Collapse expanded={isOpen} transitionDuration={120}>
        {isOpen && (
          <Stack gap="sm" px="md" pb="md" pt={4}>
            {target.description !== undefined && <Text size="xs" c="dimmed">{target.description}</Text>}
            {constant === undefined && <ExpressionEditor value={text ?? ""} label={`Expression of ${target.field}`} sources={view.sources} problems={problems} onChange={(next) => (next.trim() === "" ? remove(target.field) : set(target.field, next))} />}
            {problems.map(({ message, severity, code }) => <Text key={code + message} size="xs" c={severity === "error" ? "red" : "orange"}>{message}</Text>)}
            <Group gap="xs">
              {type !== "" && <Text size="xs" c="dimmed">Gives {type}.</Text>}
              {written && written.layer !== "draft" && <Text size="xs" c="dimmed">From {written.file}:{written.line}.</Text>}
              {!readOnly && changed && <Button size="compact-xs" variant="default" leftSection={<ResetIcon aria-hidden />} onClick={() => reset(target.field)}>Back to what is saved</Button>}
              {!readOnly && written?.layer === "tenant" && <Button size="compact-xs" variant="default" onClick={() => remove(target.field)}>Reset to the preset's</Button>}
              {!readOnly && written && <ActionIcon.Group><Button size="compact-xs" variant="default" color="red" onClick={() => remove(target.field)}>Remove</Button></ActionIcon.Group>}
            </Group>
            {text === null && constant === undefined && !readOnly && <Suggested field={field} view={view} choose={(path) => set(target.field, writtenAt(path, []))} />}
            {field.graph && <Paper p={0}><GraphView view={view} fields={[field]} samples={samples} act={act} clear={remove} height={Math.min(460, 190 + field.graph.nodes.length * 46)} /></Paper>}
          </Stack>
        )}
      </Collapse>
    </Box>
  );
}

function Suggested({ field, view, choose }: { readonly field: FieldState; readonly view: MappingView; readonly choose: (path: readonly string[]) => void }) {
  const found = suggestions(field.target, view.sources);
  return found.length === 0 ? <Text size="xs" c="dimmed">Drag a source field here, or write an expression.</Text> : (
    <Group gap={6}><Text size="xs" c="dimmed">Could be</Text>{found.map((source) => <Button key={source.path.join(".")} size="compact-xs" variant="light" onClick={() => choose(source.path)}>{source.path.join(".")}</Button>)}</Group>
  );
}
