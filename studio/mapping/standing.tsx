/** What only the server knows of a mapping as it is edited: whether the row is valid, what is wrong with the file, and whether its tests pass. */
import { ActionIcon, Badge, Button, Group, HoverCard, Modal, Paper, Stack, Table, Text, TextInput, Code } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { TrashIcon } from "@radix-ui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { memo, useMemo, useState } from "react";
import { api, ApiError, type Problem } from "../api/client.ts";
import type { Json } from "../../engine/manifest/types.ts";
import type { FileEdit, MappingTest } from "./edits.ts";

export type PreviewOf = { readonly mapping: string } | { readonly tenant: string; readonly flow: string };

interface Previewed { readonly filtered: boolean; readonly fields: readonly { readonly field: string; readonly value?: Json; readonly problems: readonly { readonly code: string; readonly severity: string; readonly message: string }[] }[]; readonly problems: readonly { readonly message: string; readonly severity: string }[] }
interface Checked { readonly problems: readonly (Problem & { readonly severity?: string })[]; readonly tests: readonly { readonly name: string; readonly passed: boolean; readonly detail: string | null }[] }

export interface Standing {
  readonly row: Previewed | undefined;
  /** Why the row would be quarantined. */
  readonly refused: readonly string[];
  readonly problems: Checked["problems"];
  readonly tests: Checked["tests"];
  readonly error: Error | undefined;
}

/** Asked a moment after the last letter; what was known before stays until the answer is there. */
export function useStanding({ edits, preview, record, enabled }: { readonly edits: readonly FileEdit[]; readonly preview: PreviewOf; readonly record: unknown; readonly enabled: boolean }): Standing {
  const [now] = useDebouncedValue(useMemo(() => ({ edits, record }), [edits, record]), 400);
  const asked = useMemo(() => JSON.stringify(now.edits), [now]);
  const seen = useMemo(() => JSON.stringify(now.record), [now.record]);
  const made = useQuery({ queryKey: ["/api/mappings/preview", preview, asked, seen], enabled: enabled && now.record !== undefined, placeholderData: (old) => old, retry: false, queryFn: () => api.post<{ records: readonly Previewed[] }>("/api/mappings/preview", { ...preview, edits: now.edits, records: [now.record] }) });
  const checked = useQuery({ queryKey: ["/api/configuration/check", preview, asked], enabled, placeholderData: (old) => old, retry: false, queryFn: () => api.post<Checked>("/api/configuration/check", { edits: now.edits, ...("mapping" in preview ? { mapping: preview.mapping } : {}) }) });
  return useMemo(() => {
    const [row] = made.data?.records ?? [];
    const refused = row ? [...row.problems, ...row.fields.flatMap(({ field, problems }) => problems.filter(({ code }) => code === "MAPPING_INVALID").map((problem) => ({ ...problem, message: `${field}: ${problem.message}` })))].filter(({ severity }) => severity === "error").map(({ message }) => message) : [];
    const error = made.error ?? checked.error;
    return { row, refused, problems: checked.data?.problems ?? [], tests: checked.data?.tests ?? [], error: error instanceof ApiError ? error : undefined };
  }, [made.data, checked.data, made.error, checked.error]);
}

/** Always as high, whatever it says: nothing below it moves. */
export const StandingBadges = memo(function StandingBadges({ of: { row, refused, tests, problems, error }, file }: { readonly of: Standing; readonly file: string }) {
  const failed = tests.filter(({ passed }) => !passed);
  const here = problems.filter(({ at, severity }) => at?.file === file && severity !== "warning");
  return (
    <Group gap={6} role="status" aria-live="polite" mih={22}>
      {error && <Told colour="red" label="Not checked" lines={[error.message]} />}
      {here.length > 0 && <Told colour="red" label={`${here.length} ${here.length === 1 ? "problem" : "problems"} in the file`} lines={here.map(({ at, message, hint }) => [`${at!.line}:${at!.col}`, message, hint].filter(Boolean).join(" "))} />}
      {row?.filtered && <Told colour="yellow" label="Left out" lines={["This record is left out by the mapping's `where`."]} />}
      {row && !row.filtered && (refused.length === 0 ? <Badge color="teal" variant="light" tt="none">Valid row</Badge> : <Told colour="red" label="Would be quarantined" lines={refused} />)}
      {tests.length > 0 && (failed.length === 0 ? <Badge color="teal" variant="light" tt="none">{tests.length} {tests.length === 1 ? "test passes" : "tests pass"}</Badge> : <Told colour="red" label={`${failed.length} of ${tests.length} tests fail`} lines={failed.map(({ name, detail }) => `${name}: ${detail ?? "fails"}`)} />)}
    </Group>
  );
});

function Told({ colour, label, lines }: { readonly colour: string; readonly label: string; readonly lines: readonly string[] }) {
  return (
    <HoverCard width={420} shadow="md" withinPortal openDelay={100}>
      <HoverCard.Target><Badge component="button" type="button" color={colour} variant="light" tt="none" style={{ cursor: "help" }} aria-label={`${label}: ${lines.join("; ")}`}>{label}</Badge></HoverCard.Target>
      <HoverCard.Dropdown><Stack gap={4}>{lines.map((line) => <Text key={line} size="sm" style={{ overflowWrap: "anywhere" }}>{line}</Text>)}</Stack></HoverCard.Dropdown>
    </HoverCard>
  );
}

/** The mapping's own tests: run after every edit, and made from the sample that is looked at. */
export const Tests = memo(function Tests({ tests, standing, record, keep, remove }: { readonly tests: readonly MappingTest[]; readonly standing: Standing; readonly record: unknown; readonly keep: ((test: MappingTest) => void) | undefined; readonly remove: (index: number) => void }) {
  const [naming, { open, close }] = useDisclosure();
  const [name, setName] = useState("");
  const { row, refused } = standing;
  const expected = row === undefined ? {} : Object.fromEntries(row.fields.flatMap(({ field, value }) => (value === undefined ? [] : [[field, value]])));
  const taken = tests.some((test) => test.name === name.trim());
  const made = (): MappingTest => ({ name: name.trim(), given: record as Json, ...(row?.filtered ? { filtered: true as const } : { expect: nested(expected) }) });
  return (
    <Paper withBorder component="section" aria-label="Tests">
      <Group justify="space-between" px="sm" py={6}>
        <Text size="sm" fw={600}>Tests</Text>
        {keep && <Button size="compact-sm" variant="default" disabled={record === undefined || row === undefined || refused.length > 0} onClick={open} aria-haspopup="dialog">Keep this sample as a test</Button>}
      </Group>
      {tests.length === 0 ? <Text size="sm" c="dimmed" px="sm" pb="sm">None yet. A test is a record and what must become of it; every proposed change runs them.</Text> : (
        <Table fz="sm" aria-label="Tests of the mapping"><Table.Tbody>{tests.map((test, index) => {
          const result = standing.tests.find((each) => each.name === test.name);
          return <Table.Tr key={`${test.name}${index}`}><Table.Td w={90}><Badge size="sm" variant="light" tt="none" color={result === undefined ? "gray" : result.passed ? "teal" : "red"}>{result === undefined ? "not run" : result.passed ? "passes" : "fails"}</Badge></Table.Td><Table.Td>{test.name}{result?.detail && <Text size="xs" c="red" style={{ overflowWrap: "anywhere" }}>{result.detail}</Text>}</Table.Td><Table.Td w={40}>{keep && <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Remove the test ${test.name}`} onClick={() => remove(index)}><TrashIcon /></ActionIcon>}</Table.Td></Table.Tr>;
        })}</Table.Tbody></Table>
      )}
      <Modal opened={naming} onClose={close} title="Keep this sample as a test" size="lg">
        <form onSubmit={(event) => { event.preventDefault(); if (name.trim() !== "" && !taken) { keep?.(made()); setName(""); close(); } }}>
          <Stack>
            <TextInput data-autofocus label="Name" description="As a sentence: what is special about this record." required value={name} onChange={(event) => setName(event.currentTarget.value)} error={taken ? "There is a test of that name." : undefined} />
            <Text size="sm">{row?.filtered ? "It must be left out." : "It must become exactly this:"}</Text>
            {naming && !row?.filtered && <Code block mah={220} style={{ overflow: "auto" }}>{JSON.stringify(nested(expected), null, 2)}</Code>}
            <Text size="xs" c="dimmed">The record is written into the mapping's file as it is. Take a person's data out of it first where it is a real one.</Text>
            <Group justify="flex-end"><Button variant="default" onClick={close}>Not yet</Button><Button type="submit" disabled={name.trim() === "" || taken}>Keep</Button></Group>
          </Stack>
        </form>
      </Modal>
    </Paper>
  );
});

/** `custom.division` is a member of `custom` in what must come out. */
function nested(flat: Readonly<Record<string, Json>>): Json {
  const made: Record<string, Json> = {};
  for (const [field, value] of Object.entries(flat)) {
    const [first = "", ...rest] = field.split(".");
    if (rest.length === 0) made[first] = value;
    else made[first] = { ...(made[first] as Record<string, Json> | undefined), [rest.join(".")]: value };
  }
  return made;
}
