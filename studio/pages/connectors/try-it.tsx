/** Reads a stream for one to see: from what was recorded, offline, or once from a connection. Nothing of it is stored. */
import { Alert, Badge, Box, Button, Code, Group, Paper, SegmentedControl, Select, SimpleGrid, Stack, Table, Tabs, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Section } from "../../ui/page.tsx";
import { Empty, Failed } from "../../ui/states.tsx";
import { duration } from "../../ui/time.tsx";
import type { Drafts } from "./connector.tsx";
import { editsOf } from "./source.tsx";
import type { Connector, Exchange, Half, Tried, Workbench } from "./types.ts";

interface Search { readonly from?: string; readonly stream?: string; readonly test?: string; readonly at?: string; readonly key?: string; readonly mapping?: string }

export function TryIt({ of, bench, drafts }: { readonly of: Connector; readonly bench: Workbench; readonly drafts: Drafts }) {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const may = useMay();
  const streams = of.streams.filter(({ doors }) => doors.length > 0).map(({ name }) => name);
  const stream = streams.includes(search.stream ?? "") ? search.stream! : bench.tests.find(({ stream: each }) => each !== null)?.stream ?? streams[0];
  const tests = bench.tests.filter((each) => each.stream === stream);
  const places = may("proxy:call") ? bench.tenants : [];
  const from = search.from === "connection" && places.length > 0 ? "connection" : tests.length > 0 || places.length === 0 ? search.from ?? "recorded" : "connection";
  const test = tests.find(({ name }) => name === search.test)?.name ?? tests[0]?.name;
  const at = places.find((each) => `${each.tenant}/${each.connection}` === search.at) ?? places[0];
  const mappings = bench.mappings.filter((each) => each.stream === stream);
  const mapping = mappings.find(({ id }) => id === search.mapping)?.id ?? mappings[0]?.id;
  const edits = editsOf(drafts);
  const narrow = (change: Search) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }), replace: true } as never);
  const ask = useMutation({
    mutationFn: () => from === "recorded"
      ? api.post<Tried>(`/api/connectors/${bench.connector}/try`, { test, ...(mapping === undefined ? {} : { mapping }), ...(edits.length === 0 ? {} : { edits }) })
      : api.post<Tried>(`/api/connections/${at!.connection}/try`, { stream, ...(search.key ? { key: search.key } : edits.length === 0 ? {} : { edits }) }, { tenant: at!.tenant }),
  });
  if (streams.length === 0) return <Empty title="Nothing to read">Its records come through webhooks or uploads only.</Empty>;
  return (
    <Stack gap="lg">
      <Paper withBorder p="md" component="form" onSubmit={(event: React.FormEvent) => { event.preventDefault(); ask.mutate(); }}>
        <Stack gap="sm">
          <Group gap="md" align="flex-end">
            <Select label="Stream" data={streams} value={stream ?? null} allowDeselect={false} w={190} onChange={(value) => narrow({ stream: value ?? undefined, test: undefined, mapping: undefined })} />
            <div><Text size="sm" fw={500} mb={2} id="try-from">Answered by</Text><SegmentedControl aria-labelledby="try-from" value={from} onChange={(value) => narrow({ from: value })} data={[{ value: "recorded", label: "What was recorded", disabled: tests.length === 0 }, { value: "connection", label: "A connection", disabled: places.length === 0 }]} /></div>
          </Group>
          {from === "recorded"
            ? tests.length === 0 ? <Text size="sm" c="dimmed">No test of its tests.yaml reads {stream}.</Text> : <Group gap="md" align="flex-end">
              <Select label="Recorded exchange" data={tests.map(({ name }) => name)} value={test ?? null} allowDeselect={false} w={{ base: "100%", sm: 420 }} onChange={(value) => narrow({ test: value ?? undefined })} />
              {mappings.length > 0 && <Select label="Mapping" data={mappings.map(({ id }) => id)} value={mapping ?? null} allowDeselect={false} w={230} onChange={(value) => narrow({ mapping: value ?? undefined })} />}
            </Group>
            : <Group gap="md" align="flex-end">
              <Select label="Connection" searchable data={places.map(({ tenant, title, connection }) => ({ value: `${tenant}/${connection}`, label: `${title}: ${connection}` }))} value={at ? `${at.tenant}/${at.connection}` : null} allowDeselect={false} w={{ base: "100%", sm: 320 }} onChange={(value) => narrow({ at: value ?? undefined })} />
              {of.streams.find(({ name }) => name === stream)?.doors.includes("one") && <TextInput label="One record, by its key" placeholder="the first page" value={search.key ?? ""} onChange={(event) => narrow({ key: event.currentTarget.value || undefined })} w={200} />}
            </Group>}
          <Group gap="sm"><Button type="submit" loading={ask.isPending} disabled={from === "recorded" ? test === undefined : at === undefined}>Try it</Button>
            <Text size="xs" c="dimmed" maw={560}>{from === "recorded" ? "Runs offline, through the interpreter that runs use." : "Asks the provider for one page, with the connection's credential. Nothing is stored, no checkpoint moves, and the organisation's audit log says that you did."}{edits.length > 0 && (search.key && from === "connection" ? " One record is read without your edits." : " With your edits, which are saved nowhere.")}</Text></Group>
        </Stack>
      </Paper>
      <div aria-live="polite">
        {ask.isError && <Failed error={ask.error} />}
        {ask.data && <Shown of={ask.data} />}
      </div>
    </Stack>
  );
}

function Shown({ of }: { readonly of: Tried }) {
  const records = of.pages.flatMap(({ records: each }) => each);
  const count = of.pages.reduce((sum, page) => sum + page.count, 0);
  const refused = records.filter(({ outcome }) => outcome === "refused").length;
  return (
    <Stack gap="lg">
      {of.error && <Alert color="red" variant="light" title={of.error.message} role="alert"><Stack gap={4}>{of.error.hint && <Text size="sm">{of.error.hint}</Text>}<Code w="fit-content">{of.error.code}</Code></Stack></Alert>}
      <Group gap="xs"><Badge variant="default" tt="none">{of.exchanges.length} {of.exchanges.length === 1 ? "request" : "requests"}</Badge><Badge variant="default" tt="none">{of.pages.length} {of.pages.length === 1 ? "page" : "pages"}</Badge><Badge variant="default" tt="none">{count} records</Badge>{refused > 0 && <Badge color="red" variant="light" tt="none">{refused} refused by the mapping</Badge>}{of.pages.at(-1)?.more && <Badge variant="default" tt="none">the provider has more</Badge>}</Group>
      <Section title="Requests">
        <Stack gap="sm">{of.exchanges.map((each, index) => <OneExchange key={index} of={each} />)}{of.exchanges.length === 0 && <Text size="sm" c="dimmed">Nothing was sent.</Text>}</Stack>
      </Section>
      <Section title={of.mapping === null ? "Records" : `Records, and what ${of.mapping} makes of them`}>
        {records.length === 0 ? <Text size="sm" c="dimmed">None.</Text> : <Stack gap="sm">{records.map((record, index) => (
          <Paper key={index} withBorder p="sm" component="article" aria-label={`Record ${record.key ?? index + 1}`}>
            <Group gap="xs" mb={6}><Text size="sm" fw={600}>{record.key ?? `Record ${index + 1}`}</Text>{record.outcome === "filtered" && <Badge variant="default" tt="none">left out by where</Badge>}{record.outcome === "refused" && <Badge color="red" variant="light" tt="none">refused</Badge>}</Group>
            {record.reason && <Text size="sm" c="red" mb={6}>{record.reason}</Text>}
            <SimpleGrid cols={{ base: 1, md: record.mapped ? 2 : 1 }}><Json label="As the provider sent it" value={record.record} />{record.mapped && <Json label="Mapped" value={record.mapped} />}</SimpleGrid>
          </Paper>))}
          {count > records.length && <Text size="sm" c="dimmed">{count - records.length} more are not shown.</Text>}</Stack>}
      </Section>
    </Stack>
  );
}

function OneExchange({ of: { request, answer, milliseconds, error } }: { readonly of: Exchange }) {
  const good = answer !== undefined && answer.status < 400;
  return (
    <Paper withBorder p="sm">
      <Group gap="xs" wrap="nowrap" align="flex-start"><Badge variant="default" radius="sm">{request.method}</Badge><Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }} flex={1}>{request.url}</Text><Badge variant="light" color={good ? "teal" : "red"} radius="sm" autoContrast>{answer?.status ?? error ?? "no answer"}</Badge><Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>{duration(milliseconds)}</Text></Group>
      <Tabs defaultValue="answer" mt="xs" variant="outline" keepMounted={false}>
        <Tabs.List><Tabs.Tab value="answer" fz="xs" py={4}>Answer</Tabs.Tab><Tabs.Tab value="request" fz="xs" py={4}>Request</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="answer" pt="xs">{answer ? <HalfShown of={answer} label="Body of the answer" /> : <Text size="sm" c="dimmed">None came.</Text>}</Tabs.Panel>
        <Tabs.Panel value="request" pt="xs"><HalfShown of={request} label="Body of the request" /></Tabs.Panel>
      </Tabs>
    </Paper>
  );
}

function HalfShown({ of, label }: { readonly of: Half; readonly label: string }) {
  return (
    <Stack gap="xs">
      {Object.keys(of.headers ?? {}).length > 0 && <Table fz="xs" withRowBorders={false} verticalSpacing={1} aria-label="Headers"><Table.Tbody>{Object.entries(of.headers!).map(([name, value]) => <Table.Tr key={name}><Table.Td w={170} c="dimmed">{name}</Table.Td><Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>{value}</Table.Td></Table.Tr>)}</Table.Tbody></Table>}
      {of.body === undefined ? <Text size="xs" c="dimmed">No body.</Text> : <Json label={label} text={of.body} />}
    </Stack>
  );
}

function Json({ label, value, text }: { readonly label: string; readonly value?: unknown; readonly text?: string }) {
  let shown = text ?? JSON.stringify(value, null, 2);
  if (text !== undefined) try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON, or cut: as it is */ }
  return <Box miw={0}>{value !== undefined && <Text size="xs" c="dimmed" mb={2}>{label}</Text>}<Code block mah={280} fz={11.5} style={{ overflow: "auto", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }} tabIndex={0} aria-label={label}>{shown}</Code></Box>;
}
