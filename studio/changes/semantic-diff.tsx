/** What differs in meaning between two configurations: a row each, before beside after, and where both are written. */
import { Code, Paper, Table, Text } from "@mantine/core";
import { Status } from "../ui/status.tsx";

export interface Place { readonly layer: string; readonly file: string; readonly line: number }

export interface SemanticChange {
  readonly kind: string; readonly name: string; readonly path: string; readonly change: "added" | "removed" | "changed";
  readonly before?: unknown; readonly after?: unknown; readonly from?: Place; readonly to?: Place;
  /** Only where a plan has rated it. */
  readonly risk?: string; readonly why?: string;
}

export const RISKS: Readonly<Record<string, string>> = { safe: "Takes effect at the next run.", resync: "Rows already stored keep their old values until everything is read again.", new_scope: "The provider must be asked for more.", destructive: "Something goes: rows end, or a flow or connection is gone." };

export function SemanticDiff({ label, changes }: { readonly label: string; readonly changes: readonly SemanticChange[] }) {
  const rated = changes.some(({ risk }) => risk !== undefined);
  return (
    <Paper withBorder style={{ overflowX: "auto" }} tabIndex={0}>
      <Table fz="sm" miw={640} aria-label={label}>
        <Table.Thead><Table.Tr><Table.Th>What</Table.Th><Table.Th>Before</Table.Th><Table.Th>After</Table.Th>{rated && <Table.Th w={120}>Risk</Table.Th>}</Table.Tr></Table.Thead>
        <Table.Tbody>{changes.map((each) => <Row key={`${each.kind} ${each.path}`} of={each} rated={rated} />)}</Table.Tbody>
      </Table>
    </Paper>
  );
}

const short = (value: unknown): string => value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);

/** Every is a word people write; seconds are what a plan holds. */
function inWords(kind: string, value: unknown): string {
  if (kind !== "schedule" || typeof value !== "object" || value === null) return short(value);
  const { every_seconds: every, cron } = value as { every_seconds?: number; cron?: string };
  if (cron !== undefined) return `cron ${cron}`;
  if (every === undefined) return short(value);
  return every % 86_400 === 0 ? `every ${every / 86_400} d` : every % 3600 === 0 ? `every ${every / 3600} h` : every % 60 === 0 ? `every ${every / 60} min` : `every ${every} s`;
}

/** Red and teal that are read on both grounds. */
const BEFORE = "light-dark(var(--mantine-color-red-9), var(--mantine-color-red-3))";
const AFTER = "light-dark(var(--mantine-color-teal-9), var(--mantine-color-teal-3))";

function Row({ of: { kind, path, change, before, after, from, to, risk, why }, rated }: { readonly of: SemanticChange; readonly rated: boolean }) {
  const place = (at: Place | undefined) => at && <Text size="xs" c="dimmed">{at.layer === "catalogue" ? "default" : at.layer}, {at.file.replace("(builtin)/", "")}:{at.line}</Text>;
  return (
    <Table.Tr>
      <Table.Td><Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>{path}</Text><Text size="xs" c="dimmed">{kind} {change}</Text></Table.Td>
      <Table.Td style={{ verticalAlign: "top" }}>{before === undefined ? <Text size="sm" c="dimmed">nothing</Text> : <><Code c={BEFORE} bg="color-mix(in srgb, var(--mantine-color-red-6) 9%, transparent)" style={{ overflowWrap: "anywhere" }}>{inWords(kind, before)}</Code>{place(from)}</>}</Table.Td>
      <Table.Td style={{ verticalAlign: "top" }}>{after === undefined ? <Text size="sm" c="dimmed">nothing</Text> : <><Code c={AFTER} bg="color-mix(in srgb, var(--mantine-color-teal-6) 10%, transparent)" style={{ overflowWrap: "anywhere" }}>{inWords(kind, after)}</Code>{place(to)}</>}</Table.Td>
      {rated && <Table.Td style={{ verticalAlign: "top" }}>{risk !== undefined && <Status value={risk} reason={why ?? RISKS[risk]} />}</Table.Td>}
    </Table.Tr>
  );
}
