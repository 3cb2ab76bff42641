/** One run: how it goes, what it counted, its log in order, and what happens next. */
import { Alert, Anchor, Box, Button, Code, Group, Paper, Progress, SimpleGrid, Stack, Table, Text, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useLive, type LiveRun } from "../../api/live.ts";
import { useMay } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { failed } from "../../ui/notify.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Failed, Loaded, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { ForTenant } from "../../ui/tenant.tsx";
import { duration, exactTime, useZone, When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import { type LogLine, RunTimeline } from "./timeline.tsx";
import { isUnderWay, type Run, whole } from "./types.ts";

/** In the order of the balance: read = the sum of the others. */
const BALANCE = [["created", "teal"], ["updated", "blue"], ["unchanged", "gray"], ["superseded", "grape"], ["deleted", "red"], ["filtered", "dark"], ["quarantined", "orange"]] as const;

/** Until it is there, and where there is none. */
const UNKNOWN = { title: "Run", crumbs: [{ label: "Runs", to: "/runs" }] };

export default function RunPage() {
  const { run } = useParams({ strict: false }) as { run: string };
  return <ForTenant as={UNKNOWN}>{(tenant) => <One tenant={tenant} id={run} />}</ForTenant>;
}

function One({ tenant, id }: { readonly tenant: string; readonly id: string }) {
  const queries = useQueryClient();
  const may = useMay();
  const [live, setLive] = useState<LiveRun>();
  useLive(tenant, setLive, id);
  const run = useQuery({ queryKey: [`/api/runs/${id}`, tenant], queryFn: ({ signal }) => api.get<Run>(`/api/runs/${id}`, { tenant }, signal), refetchInterval: ({ state }) => state.data && isUnderWay(state.data) ? 4000 : false });
  const cancel = useMutation({
    mutationFn: () => api.post(`/api/runs/${id}/cancel`, undefined, { tenant }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: [`/api/runs/${id}`] }),
    onError: (error) => notifications.show({ color: "red", title: "Not cancelled", message: error.message }),
  });
  const decided = (message: string): void => { notifications.show({ message }); void queries.invalidateQueries({ queryKey: [`/api/runs/${id}`] }); };
  const approve = async (): Promise<void> => { const { swept } = await api.post<{ swept: number }>(`/api/runs/${id}/approve-sweep`, undefined, { tenant }); decided(`${whole(swept)} rows were ended.`); };
  const keep = useMutation({ mutationFn: () => api.post(`/api/runs/${id}/reject-sweep`, undefined, { tenant }), onSuccess: () => decided("They are kept. The next sweep looks again."), onError: failed("Not decided") });
  return (
    <Loaded query={run} as={UNKNOWN}>{(found) => {
      const counters = { ...found.counters, ...(isUnderWay(found) && live?.counters ? live.counters : {}) };
      return (
        <Page title={found.flow} crumbs={[{ label: "Runs", to: `/runs?tenant=${tenant}` }, { label: found.id.slice(0, 8) }]} lead={<Group gap="sm"><Status value={found.status} reason={found.error?.message} /><span>{found.connection} · {found.mode ?? "mode not decided yet"} · started by {found.requested_by ?? found.trigger}</span></Group>}
          actions={isUnderWay(found) && may("runs:cancel") && <Button variant="default" loading={cancel.isPending} disabled={found.cancel_requested} onClick={() => cancel.mutate()}>{found.cancel_requested ? "Ends after its page" : "Cancel"}</Button>}>
          {found.error && <Alert color={found.status === "waiting" ? "yellow" : "red"} variant="light" title={found.error.message}>
            {found.error.hint && <Text size="sm">{found.error.hint}</Text>}
            {found.error.next && <Text size="sm">Next: {found.error.next}</Text>}
            <Text size="xs" c="dimmed" mt={4}><Code>{found.error.code}</Code></Text>
          </Alert>}
          {found.held_sweep && <Alert color="yellow" variant="light" title={`${whole(found.held_sweep.missing)} of ${whole(found.held_sweep.live)} rows were not seen`}>
            <Group justify="space-between"><Text size="sm" maw={620}>So many missing rows are more often a provider's fault than real deletions. Nothing was ended; somebody decides.</Text>{may("sweeps:approve") && <Group gap="xs">
              <Button variant="default" size="xs" loading={keep.isPending} onClick={() => keep.mutate()}>Keep them</Button>
              <ConfirmButton label={`End ${whole(found.held_sweep.missing)} rows`} title={`End ${whole(found.held_sweep.missing)} rows?`} yes="End them" act={approve}><Text size="sm">Look at {found.connection} first: are they really gone there? Rows that were written since stay. What ends is marked as ended, and sends nothing on.</Text></ConfirmButton>
            </Group>}</Group>
          </Alert>}
          {live?.waiting && isUnderWay(found) && <Alert color="blue" variant="light">Waiting until <When at={live.waiting.until} />: {live.waiting.reason}</Alert>}
          <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
            <Figure label="Read" value={whole(counters.read)} note={`${whole(counters.pages)} pages`} />
            <Figure label="Stored" value={whole(counters.created + counters.updated)} note={`${whole(counters.created)} new, ${whole(counters.updated)} changed`} />
            <Figure label="Requests" value={whole(counters.requests)} note={`${whole(counters.retries)} sent again`} />
            <Figure label="Took" value={found.seconds === null ? "–" : duration(found.seconds * 1000)} note={found.attempt > 1 ? `attempt ${found.attempt}` : "first attempt"} />
          </SimpleGrid>
          <Balance counters={counters} />
          {counters.quarantined > 0 && may("quarantine:read") && <Text size="sm"><Anchor component={Link} to="/quarantine" search={{ tenant, run: found.id } as never} size="sm">{whole(counters.quarantined)} {counters.quarantined === 1 ? "record" : "records"} of this run in quarantine</Anchor>: each with its reason, tried again when what is wrong was mended.</Text>}
          <Next tenant={tenant} run={found} />
          {may("logs:read") && <Section title="Timeline"><Log tenant={tenant} run={found} /></Section>}
          <Section title="Particulars">
            <Table variant="vertical" withRowBorders={false} layout="fixed" fz="sm">
              <Table.Tbody>
                {([["Queued", <When key="q" at={found.queued_at} />], ["Started", <When key="s" at={found.started_at} empty="not yet" />], ["Finished", <When key="f" at={found.finished_at} empty="not yet" />], ["Configuration", <Code key="c">{found.revision?.slice(0, 12) ?? "–"}</Code>], ["Run", <Code key="r">{found.id}</Code>]] as const).map(([label, value]) => <Table.Tr key={label}><Table.Th w={160} fw={500} c="dimmed">{label}</Table.Th><Table.Td>{value}</Table.Td></Table.Tr>)}
              </Table.Tbody>
            </Table>
          </Section>
        </Page>
      );
    }}</Loaded>
  );
}

/** What happens after this run, without anybody doing anything. */
function Next({ tenant, run }: { readonly tenant: string; readonly run: Run }) {
  const may = useMay();
  const flows = useQuery({ queryKey: ["/api/flows", tenant], enabled: may("flows:read"), queryFn: ({ signal }) => api.get<{ data: readonly { flow: string; schedule: string; paused: boolean; enabled: boolean; next_run_at: string | null }[] }>("/api/flows", { tenant }, signal) });
  const flow = flows.data?.data.find((each) => each.flow === run.flow);
  const says = run.status === "queued" ? "It starts as soon as a worker is free." : run.status === "waiting" ? <>It goes on by itself <When at={run.resume_at} />, from the page where it stopped.</> : run.status === "running" ? "Each page is stored as it comes; a worker that stops costs a page, not the run."
    : flow === undefined ? undefined : !flow.enabled ? "Its flow is switched off: nothing follows." : flow.paused ? "Its flow is paused: nothing follows until somebody resumes it."
    : flow.next_run_at === null ? `Its flow runs ${flow.schedule}.` : <>The next run begins <When at={flow.next_run_at} /> ({flow.schedule}), {run.status === "failed" ? "from the last page that was stored" : "from what this one had read"}.</>;
  return says === undefined ? null : <Text size="sm" c="dimmed" aria-live="polite">{says}</Text>;
}

function Figure({ label, value, note }: { readonly label: string; readonly value: string; readonly note: string }) {
  return <Paper withBorder p="sm"><Text size="xs" c="dimmed">{label}</Text><Text fz={22} fw={600} style={{ fontVariantNumeric: "tabular-nums" }}>{value}</Text><Text size="xs" c="dimmed">{note}</Text></Paper>;
}

/** Where every record that was read went: the parts add up to the whole. */
function Balance({ counters }: { readonly counters: Readonly<Record<string, number>> }) {
  const read = counters["read"] ?? 0;
  const parts = BALANCE.map(([name, colour]) => ({ name, colour, count: counters[name] ?? 0 })).filter(({ count }) => count > 0);
  if (read === 0) return null;
  return (
    <Stack gap={6}>
      <Progress.Root size={14} radius="sm" role="img" aria-label={`Of ${whole(read)} records read: ${parts.map(({ name, count }) => `${whole(count)} ${name}`).join(", ")}`}>
        {parts.map(({ name, colour, count }) => <Tooltip key={name} label={`${whole(count)} ${name}`}><Progress.Section withAria={false} value={(count / read) * 100} color={colour} /></Tooltip>)}
      </Progress.Root>
      <Group gap="md">{parts.map(({ name, colour, count }) => <Group key={name} gap={6}><Box w={9} h={9} style={{ borderRadius: 2 }} bg={`${colour}.6`} aria-hidden /><Text size="xs">{whole(count)} {name}</Text></Group>)}</Group>
    </Stack>
  );
}

function Log({ tenant, run }: { readonly tenant: string; readonly run: Run }) {
  const [zone] = useZone();
  const log = usePages<LogLine>(`/api/runs/${run.id}/log`, { tenant, limit: 200 }, isUnderWay(run) ? { every: 3000 } : {});
  if (log.isError && log.rows === undefined) return <Failed error={log.error} retry={() => void log.refetch()} />;
  if (log.rows === undefined) return <LoadingRows />;
  if (log.rows.length === 0) return <Empty title="Nothing was logged yet" />;
  const begun = Date.parse(log.rows[0]!.at);
  return <>
    <RunTimeline lines={log.rows} start={run.started_at === null ? begun : Date.parse(run.started_at)} end={run.finished_at === null || log.more ? Date.parse(log.rows.at(-1)!.at) : Date.parse(run.finished_at)} />
    <Paper withBorder p={0} style={{ overflow: "hidden" }}>
      <Box component="ol" m={0} p={0} style={{ listStyle: "none", maxHeight: 460, overflow: "auto" }} tabIndex={0} aria-label="Log of the run">
        {log.rows.map((line, index) => (
          <Group component="li" key={index} gap="sm" wrap="nowrap" align="flex-start" px="sm" py={5} style={{ borderTop: index === 0 ? undefined : "1px solid var(--mantine-color-default-border)" }}>
            <Tooltip label={exactTime(line.at, zone)}><Text size="xs" c="dimmed" w={64} ta="right" style={{ fontVariantNumeric: "tabular-nums", flexShrink: 0 }}>+{duration(Date.parse(line.at) - begun)}</Text></Tooltip>
            <Text size="xs" w={84} c={line.level === "error" ? "red" : line.level === "warn" ? "orange" : "dimmed"} style={{ flexShrink: 0 }}>{line.event}</Text>
            <Text size="sm" style={{ overflowWrap: "anywhere" }}>{line.message}</Text>
          </Group>
        ))}
      </Box>
      {log.more && <Group justify="center" p="xs"><Button variant="default" size="xs" onClick={log.more.load} loading={log.more.loading}>Show more</Button></Group>}
    </Paper>
  </>;
}
