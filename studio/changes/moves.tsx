/** Organisations on another release or preset: what gets in the way first, then what changes for each. */
import { Alert, Badge, Checkbox, Code, Group, Paper, Stack, Text } from "@mantine/core";
import { messageOf } from "../../engine/errors/plugboard-error.ts";
import type { ErrorCode } from "../../engine/errors/catalog.ts";
import { SemanticDiff, type SemanticChange } from "./semantic-diff.tsx";

export interface MoveConflict { readonly kind: "shadows" | "gone" | "input" | "error"; readonly path: string; readonly at?: { readonly file: string; readonly line: number; readonly col: number }; readonly yours?: unknown; readonly before?: unknown; readonly after?: unknown; readonly problem?: { readonly code: ErrorCode; readonly params?: Readonly<Record<string, string>> } }
export interface Move { readonly tenant: string; readonly from?: string; readonly to: string; readonly conflicts: readonly MoveConflict[]; readonly changes: readonly SemanticChange[]; readonly stops: readonly string[]; readonly starts: readonly string[]; readonly connect: readonly string[]; readonly leaves: readonly string[] }

export interface MoveChoices { readonly accept: boolean; readonly drop_gone: boolean }

const shown = (value: unknown): string => value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);

/** Whether it can be proposed with these choices. */
export const isFree = (moves: readonly Move[], { accept, drop_gone }: MoveChoices): boolean =>
  moves.length > 0 && moves.every(({ conflicts }) => conflicts.every(({ kind }) => (kind === "shadows" && accept) || (kind === "gone" && drop_gone)));

export function Moves({ of, choices, choose }: { readonly of: readonly Move[]; readonly choices: MoveChoices; readonly choose: (choices: MoveChoices) => void }) {
  const kinds = new Set(of.flatMap(({ conflicts }) => conflicts.map(({ kind }) => kind)));
  return (
    <Stack gap="md">
      {kinds.size === 0 ? <Text size="sm" c="teal">No conflicts: what they say otherwise still holds.</Text> : (
        <Alert color={kinds.has("error") || kinds.has("input") ? "red" : "yellow"} variant="light" title="In the way">
          <Stack gap="xs">
            {of.flatMap(({ tenant, conflicts }) => conflicts.map((conflict, index) => <Text size="sm" key={`${tenant} ${index}`} component="div"><Text span fw={600}>{tenant}</Text>{": "}<Conflict of={conflict} /></Text>))}
            {kinds.has("shadows") && <Checkbox size="sm" label="Keep their own values although the defaults change" checked={choices.accept} onChange={(event) => choose({ ...choices, accept: event.currentTarget.checked })} />}
            {kinds.has("gone") && <Checkbox size="sm" label="Take out overrides of parts that are no longer there" checked={choices.drop_gone} onChange={(event) => choose({ ...choices, drop_gone: event.currentTarget.checked })} />}
            {(kinds.has("input") || kinds.has("error")) && <Text size="sm">What is asked or wrong is mended in the organisation's own settings first.</Text>}
          </Stack>
        </Alert>
      )}
      {of.map((move) => (
        <Paper key={move.tenant} withBorder p="md" component="section" aria-label={`What changes for ${move.tenant}`}>
          <Stack gap="sm">
            <Group justify="space-between"><Text fw={600} size="sm">{move.tenant}</Text><Group gap={6}><Code>{move.from ?? "no preset"}</Code><span aria-label="becomes">→</span><Code>{move.to}</Code></Group></Group>
            <Group gap={6}>
              {move.starts.length > 0 && <Badge variant="light" color="teal" tt="none">starts {move.starts.join(", ")}</Badge>}
              {move.stops.length > 0 && <Badge variant="light" color="orange" tt="none">stops {move.stops.join(", ")}</Badge>}
              {move.connect.length > 0 && <Badge variant="light" color="blue" tt="none">to connect: {move.connect.join(", ")}</Badge>}
              {move.leaves.length > 0 && <Badge variant="light" color="orange" tt="none">no longer used: {move.leaves.join(", ")}</Badge>}
            </Group>
            {move.changes.length === 0 ? <Text size="sm" c="dimmed">Nothing changes in what runs.</Text> : <details><summary><Text span size="sm">{move.changes.length} changes</Text></summary><SemanticDiff label={`What changes for ${move.tenant}`} changes={move.changes} /></details>}
          </Stack>
        </Paper>
      ))}
    </Stack>
  );
}

function Conflict({ of: { kind, path, yours, before, after, problem } }: { readonly of: MoveConflict }) {
  if (kind === "shadows") return <>overrides <Code>{path}</Code>{yours === undefined ? "" : <> with <Code>{shown(yours)}</Code></>}; its default changes from <Code>{shown(before)}</Code> to <Code>{shown(after)}</Code>.</>;
  if (kind === "gone") return <>overrides <Code>{path}</Code>, which is no longer there.</>;
  if (kind === "input") return <>is asked for <Code>{path}</Code>.</>;
  return <><Code>{path.slice(path.startsWith("/") ? 1 : 0).replaceAll("/", ".")}</Code> would be wrong{problem === undefined ? "" : `: ${messageOf(problem.code, problem.params ?? {})}`}</>;
}
