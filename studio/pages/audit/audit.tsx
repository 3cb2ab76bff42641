/** Who did what, when and from where, with what it was before and after. */
import { Anchor, Button, Code, Group, Select, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { DownloadIcon } from "@radix-ui/react-icons";
import { useState } from "react";
import { urlOf } from "../../api/client.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { PlacePicker, usePlace } from "../../ui/place.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { useFilters } from "../../ui/use-filters.ts";
import { usePages } from "../../ui/use-pages.ts";

interface Line {
  readonly id: string; readonly at: string; readonly actor: { readonly kind: string; readonly id: string; readonly name: string; readonly impersonator?: string; readonly ip?: string; readonly request?: string };
  readonly action: string; readonly subject: { readonly kind: string; readonly id: string }; readonly before?: Readonly<Record<string, unknown>> | null; readonly after?: Readonly<Record<string, unknown>> | null; readonly reason?: string;
}

const SINCE = [{ value: "1", label: "Last 24 hours" }, { value: "7", label: "Last 7 days" }, { value: "30", label: "Last 30 days" }, { value: "365", label: "Last year" }];
const DAY = 86_400_000;

export default function Audit() {
  const place = usePlace();
  const [{ actor, action, subject, since }, narrow] = useFilters<"actor" | "action" | "subject" | "since">();
  const filter = { tenant: place, actor, action, subject, since: since === undefined ? undefined : new Date(Math.floor((Date.now() - Number(since) * DAY) / 60_000) * 60_000).toISOString() };
  const lines = usePages<Line>("/api/audit", filter);
  const file = (format: "csv" | "ndjson"): string => urlOf("/api/audit/export", { ...filter, format });
  return (
    <Page title="Audit log" wide lead="Every act that changes something, in the transaction that changed it. Nothing here can be changed or taken away." actions={<>
      <PlacePicker own="Plugboard itself" />
      <Button component="a" href={file("csv")} download variant="default" leftSection={<DownloadIcon aria-hidden />}>CSV</Button>
      <Button component="a" href={file("ndjson")} download variant="default" leftSection={<DownloadIcon aria-hidden />}>JSON lines</Button>
    </>}>
      <Stack gap="md">
        <Group gap="sm">
          <Asked label="Action" example="key.made" value={action} set={(value) => narrow({ action: value })} />
          <Asked label="Done to (its id)" example="hubspot" value={subject} set={(value) => narrow({ subject: value })} />
          <Select aria-label="Since" placeholder="Any time" clearable w={160} value={since ?? null} data={SINCE} onChange={(value) => narrow({ since: value })} />
          {actor !== undefined && <Anchor component="button" size="sm" onClick={() => narrow({ actor: undefined })}>Only one person or key ✕</Anchor>}
        </Group>
        {lines.isError && lines.rows === undefined ? <Failed error={lines.error} retry={() => void lines.refetch()} /> : lines.rows === undefined ? <LoadingRows /> : lines.rows.length === 0
          ? <Empty title="Nothing">{[actor, action, subject, since].some((value) => value !== undefined) ? "None fits the filter." : "Acts appear as they are done."}</Empty>
          : <DataTable label="Audit log" rows={lines.rows} keyOf={({ id }) => id} more={lines.more} columns={[
            { label: "When", width: 120, show: ({ at }) => <When at={at} /> },
            { label: "Who", show: ({ actor: who }) => <Stack gap={0}><Anchor component="button" size="sm" ta="left" onClick={() => narrow({ actor: who.id })} title="Only theirs">{who.name}</Anchor><Text size="xs" c="dimmed">{who.impersonator === undefined ? who.kind.replaceAll("_", " ") : `really ${who.impersonator}`}{who.ip === undefined ? "" : ` · ${who.ip}`}</Text></Stack> },
            { label: "Did", show: ({ action: what, reason }) => <Stack gap={0}><Anchor component="button" size="sm" ta="left" onClick={() => narrow({ action: what })} title="Only these">{what}</Anchor>{reason !== undefined && <Text size="xs" c="dimmed">“{reason}”</Text>}</Stack> },
            { label: "To", show: ({ subject: what }) => <Stack gap={0}><Text size="sm" truncate maw={220}>{what.id}</Text><Text size="xs" c="dimmed">{what.kind.replaceAll("_", " ")}</Text></Stack> },
            { label: "Before and after", show: (line) => <Change of={line} /> },
          ]} />}
      </Stack>
    </Page>
  );
}

function Change({ of: { before, after } }: { readonly of: Line }) {
  if (!before && !after) return <Text size="sm" c="dimmed">–</Text>;
  return (
    <details><summary><Text span size="sm">{Object.keys({ ...before, ...after }).slice(0, 4).join(", ")}</Text></summary>
      <SimpleGrid cols={before && after ? 2 : 1} spacing="xs" mt={4} maw={560}>{before && <Value label="Before" value={before} />}{after && <Value label="After" value={after} />}</SimpleGrid>
    </details>
  );
}

const Value = ({ label, value }: { readonly label: string; readonly value: unknown }) => <Stack gap={2} miw={0}><Text size="xs" c="dimmed">{label}</Text><Code block fz={11} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{JSON.stringify(value, null, 1)}</Code></Stack>;

function Asked({ label, example, value, set }: { readonly label: string; readonly example: string; readonly value: string | undefined; readonly set: (value: string) => void }) {
  const [text, setText] = useState<string>();
  const shown = text ?? value ?? "";
  const ask = (): void => { if (text !== undefined) set(text.trim()); setText(undefined); };
  return <TextInput aria-label={label} placeholder={`${label}: ${example}`} w={230} value={shown} onChange={(event) => setText(event.currentTarget.value)} onBlur={ask} onKeyDown={(event) => { if (event.key === "Enter") ask(); }} />;
}
