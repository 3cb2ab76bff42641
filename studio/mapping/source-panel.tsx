/** The source record: its fields with their types and the sample's values. A field is dragged, or chosen with Enter. */
import { ActionIcon, Badge, Box, Button, Group, ScrollArea, Text, TextInput, Tooltip, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { ChevronDownIcon, ChevronRightIcon, MagnifyingGlassIcon } from "@radix-ui/react-icons";
import { useState } from "react";
import { flat, type SourceField } from "./trees.ts";
import { textOfValue } from "./value.tsx";

export const DRAGGED = "application/x-plugboard-source";

export function SourcePanel({ sources, used, lit, choose, name, height = 520 }: {
  readonly sources: readonly SourceField[];
  /** Dotted paths that any field reads; and that the selected one reads. */
  readonly used: ReadonlySet<string>;
  readonly lit: ReadonlySet<string>;
  readonly choose?: ((source: SourceField) => void) | undefined;
  /** Takes a field that is neither in the schema nor in the sample: a column that only one customer has. */
  readonly name?: ((path: readonly string[]) => void) | undefined;
  readonly height?: number;
}) {
  const [asked, setAsked] = useState("");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const wanted = asked.trim().toLowerCase();
  const matches = (field: SourceField): boolean => wanted === "" || field.path.join(".").toLowerCase().includes(wanted) || field.children.some(matches);
  const row = (field: SourceField): React.ReactNode => {
    if (!matches(field)) return null;
    const path = field.path.join(".");
    const isOpen = wanted !== "" || !closed.has(path);
    return (
      <Box key={path} component="li">
        <Group gap={2} wrap="nowrap" pl={(field.path.length - 1) * 14}>
          {field.children.length > 0
            ? <ActionIcon variant="subtle" color="gray" size="xs" aria-label={isOpen ? `Close ${path}` : `Open ${path}`} aria-expanded={isOpen} onClick={() => setClosed((old) => { const next = new Set(old); if (!next.delete(path)) next.add(path); return next; })}>{isOpen ? <ChevronDownIcon /> : <ChevronRightIcon />}</ActionIcon>
            : <Box w={18} />}
          <UnstyledButton draggable onDragStart={(event) => { event.dataTransfer.setData(DRAGGED, JSON.stringify(field.path)); event.dataTransfer.effectAllowed = "copy"; }} onClick={() => choose?.(field)} data-source={path}
            py={3} px={6} style={{ flex: 1, minWidth: 0, borderRadius: 4, background: lit.has(path) ? "var(--mantine-primary-color-light)" : undefined, cursor: "grab" }}>
            <Group gap={6} wrap="nowrap" justify="space-between">
              <Text size="sm" truncate fw={used.has(path) ? 600 : 400} title={path}>{field.name}{used.has(path) && <VisuallyHidden>, used</VisuallyHidden>}</Text>
              <Text size="xs" {...(lit.has(path) ? {} : { c: "dimmed" })} truncate maw={110} ta="right">{field.isList && field.children.length > 0 ? "list" : field.sample === undefined ? field.type : textOfValue(field.sample)}</Text>
            </Group>
          </UnstyledButton>
        </Group>
        {isOpen && field.children.length > 0 && <Box component="ul" m={0} p={0} style={{ listStyle: "none" }}>{field.children.map(row)}</Box>}
      </Box>
    );
  };
  const count = flat(sources).length;
  const typed = asked.trim().split(".").filter(Boolean);
  const isNew = name !== undefined && typed.length > 0 && !flat(sources).some(({ path }) => path.join(".") === typed.join("."));
  return (
    <Box component="section" aria-label="Source record">
      <Group justify="space-between" mb={6}><Text size="xs" fw={600} c="dimmed">Source</Text><Tooltip label="Fields of the record, by schema and sample"><Badge size="sm" variant="default">{count}</Badge></Tooltip></Group>
      <TextInput size="xs" placeholder="Search fields" aria-label="Search source fields" leftSection={<MagnifyingGlassIcon aria-hidden />} value={asked} onChange={(event) => setAsked(event.currentTarget.value)} mb={6} />
      <ScrollArea h={height} type="auto" viewportProps={{ tabIndex: 0, "aria-label": "Source fields" }}><Box component="ul" m={0} p={0} style={{ listStyle: "none" }}>{sources.map(row)}</Box>
        {isNew && <Button mt={6} size="compact-xs" variant="default" fullWidth styles={{ label: { overflow: "hidden", textOverflow: "ellipsis" } }} onClick={() => { name!(typed); setAsked(""); }}>Add “{typed.join(".")}” as a field</Button>}
      </ScrollArea>
    </Box>
  );
}
