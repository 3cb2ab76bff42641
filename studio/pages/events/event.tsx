/** One event: what it was, what became of it and why, and, for who may, what exactly was sent. */
import { Alert, Button, Code, Group, Paper, ScrollArea, Stack, Table, Text, Timeline } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { done, failed } from "../../ui/notify.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { ForTenant } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { whole } from "../operate/types.ts";
import { type Event, MEANING } from "./types.ts";

interface OneEvent extends Event { readonly request: { readonly method: string; readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly bytes: number } | null }

const DOES: Readonly<Record<string, string>> = { stored: "was stored", deleted: "was ended", reads: "is read from the provider", ignored: "was left out: no flow wants it", quarantined: "is in quarantine", filtered: "was left out by the mapping" };

/** Until it is there, and where there is none. */
const UNKNOWN = { title: "Event", crumbs: [{ label: "Events", to: "/events" }] };

export default function EventPage() {
  const { event } = useParams({ strict: false }) as { event: string };
  return <ForTenant as={UNKNOWN}>{(tenant) => <One tenant={tenant} id={event} />}</ForTenant>;
}

function One({ tenant, id }: { readonly tenant: string; readonly id: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const event = useQuery({ queryKey: [`/api/events/${id}`, tenant], queryFn: ({ signal }) => api.get<OneEvent>(`/api/events/${id}`, { tenant }, signal), refetchInterval: ({ state }) => ["pending", "reading"].includes(state.data?.status ?? "") ? 2000 : false });
  const replay = useMutation({
    mutationFn: () => api.post<{ replayed: number }>(`/api/events/${id}/replay`, undefined, { tenant }),
    onSuccess: ({ replayed }) => { done(replayed === 0 ? "It is under way already." : "It is processed again."); void queries.invalidateQueries({ queryKey: [`/api/events/${id}`] }); },
    onError: failed("Not processed again"),
  });
  return (
    <Loaded query={event} as={UNKNOWN}>{(found) => (
      <Page title={found.events.length > 0 ? found.events.join(", ") : found.event_id ?? "Event"} crumbs={[{ label: "Events", to: `/events?tenant=${tenant}` }, { label: found.id.slice(0, 8) }]}
        lead={<Group gap="sm"><Status value={found.status} /><span>{found.connection ?? found.connector} · {found.feed} · received <When at={found.received_at} /></span></Group>}
        actions={may("events:replay") && !["pending", "reading"].includes(found.status) && <Button variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>Process it again</Button>}>
        <Alert color={found.status === "failed" || found.status === "unrouted" ? "red" : found.status === "held" ? "yellow" : "blue"} variant="light" title={MEANING[found.status] ?? found.status}>
          {(found.reason !== null || found.code !== null) && <>
            {found.reason !== null && <Text size="sm">{found.reason}</Text>}
            {found.code !== null && <Text size="xs" c="dimmed"><Code>{found.code}</Code></Text>}
          </>}
        </Alert>
        <Section title="What became of it">
          {found.effects.length === 0 ? <Text size="sm" c="dimmed">Nothing was changed by it.</Text> : (
            <Timeline active={found.effects.length} bulletSize={12} lineWidth={2}>{found.effects.map((effect, index) => (
              <Timeline.Item key={index} title={<Text size="sm" fw={550}>{effect.event}: {effect.stream}{effect.key === undefined ? "" : ` ${effect.key}`} {DOES[effect.does] ?? effect.does}</Text>} />
            ))}</Timeline>
          )}
        </Section>
        <Section title="Particulars">
          <Table variant="vertical" withRowBorders={false} layout="fixed" fz="sm"><Table.Tbody>{rowsOf(found).map(([label, value]) => <Table.Tr key={label}><Table.Th w={170} fw={500} c="dimmed">{label}</Table.Th><Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td></Table.Tr>)}</Table.Tbody></Table>
        </Section>
        {found.request !== null && <Section title="Request">
          <Paper withBorder p="sm"><Stack gap="xs">
            <Code style={{ overflowWrap: "anywhere" }}>{found.request.method} {found.request.path}</Code>
            <Table variant="vertical" fz="xs" withRowBorders={false} layout="fixed" verticalSpacing={2}><Table.Tbody>{Object.entries(found.request.headers).map(([name, value]) => <Table.Tr key={name}><Table.Th w={220} fw={500} c="dimmed">{name}</Table.Th><Table.Td className="mono" style={{ overflowWrap: "anywhere" }}>{value}</Table.Td></Table.Tr>)}</Table.Tbody></Table>
            <Text size="xs" c="dimmed">{found.request.bytes > 0 ? `${whole(found.request.bytes)} bytes. ` : ""}Secrets and signatures are masked.</Text>
          </Stack></Paper>
          {may("raw:read") && <Body tenant={tenant} id={id} />}
        </Section>}
        {found.request === null && !may("raw:read") && <Empty title="Without its body">What exactly was sent is shown to the operator's people.</Empty>}
      </Page>
    )}</Loaded>
  );
}

const rowsOf = (event: OneEvent): readonly (readonly [string, ReactNode])[] => [
  ["Happened", <When key="at" at={event.at} empty="the provider does not say" />], ["Finished", <When key="finished" at={event.finished_at} empty="not yet" />], ["Attempts", whole(event.attempts)],
  ["Came again", event.copies === 0 ? "no" : <>{whole(event.copies)} {event.copies === 1 ? "time" : "times"}, last <When at={event.copied_at} />. Copies change nothing.</>],
  ["Provider's id", event.event_id === null ? "none" : <Code key="id">{event.event_id}</Code>], ["Account", event.account ?? "–"], ["Asked for again", event.replayed ? "yes: it fires no flow that sends" : "no"], ["Event", <Code key="own">{event.id}</Code>],
];

/** Fetched when asked for: that somebody looked stands in the audit log. */
function Body({ tenant, id }: { readonly tenant: string; readonly id: string }) {
  const raw = useMutation({ mutationFn: () => api.get<{ body: string | null; item: unknown }>(`/api/events/${id}/raw`, { tenant }) });
  if (raw.data === undefined) return <Stack gap="xs"><Group><Button size="xs" variant="default" loading={raw.isPending} onClick={() => raw.mutate()}>Show what was sent</Button><Text size="xs" c="dimmed">That you looked is noted in the audit log.</Text></Group>{raw.isError && <Failed error={raw.error} />}</Stack>;
  const { item, body } = raw.data;
  return <ScrollArea.Autosize mah={420} viewportProps={{ tabIndex: 0, "aria-label": "What was sent" } as never}><Code block>{item === null || item === undefined ? body ?? "It had no body of this organisation's alone." : JSON.stringify(item, null, 2)}</Code></ScrollArea.Autosize>;
}
