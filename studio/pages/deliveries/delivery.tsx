/** One delivery: what it holds, every try with its requests and answers, and what a person can do about it. */
import { Alert, Anchor, Badge, Button, Code, Group, Paper, ScrollArea, Stack, Table, Text, Timeline } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { done, failed } from "../../ui/notify.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { ForTenant } from "../../ui/tenant.tsx";
import { duration, When } from "../../ui/time.tsx";
import { whole } from "../operate/types.ts";
import { type Delivery, MEANING, says } from "./types.ts";

interface Try { readonly number: number; readonly started_at: string; readonly ended_at: string | null; readonly outcome: string | null; readonly code: string | null; readonly reason: string | null; readonly http_status: number | null; readonly requests: readonly Readonly<Record<string, unknown>>[] | null }
interface OneDelivery extends Delivery { readonly input: unknown; readonly tries: readonly Try[] }

const OUTCOMES: Readonly<Record<string, string>> = { done: "arrived", accepted: "accepted, to be confirmed", refused: "refused", retry: "tried again later", unknown: "nobody knows", auth: "not signed in" };
const CANCELLABLE = new Set(["waiting", "held", "queued", "unknown"]);
const REPLAYABLE = new Set(["failed", "exhausted", "cancelled", "delivered", "unchanged"]);
const MOVING = new Set(["queued", "sending", "waiting"]);

/** Until it is there, and where there is none. */
const UNKNOWN = { title: "Delivery", crumbs: [{ label: "Deliveries", to: "/deliveries" }] };

export default function DeliveryPage() {
  const { delivery } = useParams({ strict: false }) as { delivery: string };
  return <ForTenant as={UNKNOWN}>{(tenant) => <One tenant={tenant} id={delivery} />}</ForTenant>;
}

function One({ tenant, id }: { readonly tenant: string; readonly id: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const path = `/api/deliveries/${id}`;
  const delivery = useQuery({ queryKey: [path, tenant], queryFn: ({ signal }) => api.get<OneDelivery>(path, { tenant }, signal), refetchInterval: ({ state }) => MOVING.has(state.data?.status ?? "") ? 3000 : false });
  const refresh = (): void => void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && first.startsWith("/api/deliveries") });
  const replay = useMutation({ mutationFn: () => api.post(`${path}/replay`, undefined, { tenant }), onSuccess: () => { done("It is sent again."); refresh(); }, onError: failed("Not sent again") });
  const resolve = async (outcome: "sent" | "not sent"): Promise<void> => { await api.post(`${path}/resolve`, { outcome }, { tenant }); refresh(); };
  return (
    <Loaded query={delivery} as={UNKNOWN}>{(found) => (
      <Page title={found.flow} crumbs={[{ label: "Deliveries", to: `/deliveries?tenant=${tenant}` }, { label: found.id.slice(0, 8) }]} lead={<Group gap="sm"><Status value={found.status} /><span>{says(found)} · made <When at={found.created_at} /></span></Group>}
        actions={may("deliveries:replay") && <>
          {REPLAYABLE.has(found.status) && <Button variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>Send it again</Button>}
          {CANCELLABLE.has(found.status) && <ConfirmButton size="sm" label="Cancel it" title="Cancel this delivery?" yes="Cancel it" act={async () => { await api.post(`${path}/cancel`, undefined, { tenant }); refresh(); }}><Text size="sm">It is never sent by itself. A later change of the row makes a delivery of its own.</Text></ConfirmButton>}
        </>}>
        <Alert color={["failed", "exhausted"].includes(found.status) ? "red" : ["unknown", "held", "waiting"].includes(found.status) ? "yellow" : found.status === "delivered" ? "teal" : "blue"} variant="light" title={MEANING[found.status] ?? found.status}>
          {(found.reason !== null || found.code !== null || found.due_at !== null || found.status === "unknown") && <>
            {found.reason !== null && <Text size="sm">{found.reason}</Text>}
            {found.code !== null && <Text size="xs" c="dimmed"><Code>{found.code}</Code></Text>}
            {found.status === "queued" && found.due_at !== null && <Text size="sm">Due <When at={found.due_at} />.</Text>}
            {found.status === "unknown" && may("deliveries:replay") && <Group gap="xs" mt="xs">
              <ConfirmButton label="It arrived" title="Did it arrive?" yes="Yes, it is there" color="plug" act={() => resolve("sent")}><Text size="sm">You found it at {found.target}. It is noted under your name, and the next one of the row goes on.</Text></ConfirmButton>
              <ConfirmButton label="It did not arrive" title="Did it not arrive?" yes="It is not there: send it again" act={() => resolve("not sent")}><Text size="sm">It is sent again. If it did arrive after all, {found.target} has it twice.</Text></ConfirmButton>
            </Group>}
          </>}
        </Alert>
        {found.gap && <Alert color="yellow" variant="light">An earlier delivery of the same row did not arrive: <Anchor component={Link} to="/deliveries" search={{ tenant, row: found.row } as never} size="sm">all of the row</Anchor>.</Alert>}
        <Section title="Attempts">{found.tries.length === 0 ? <Text size="sm" c="dimmed">{found.status === "unchanged" ? "Nothing had to be sent." : "It was not sent yet."}</Text> : <Timeline active={found.tries.length} bulletSize={14} lineWidth={2}>{found.tries.map((each) => <Timeline.Item key={each.number} title={<TryTitle of={each} />}><TryBody of={each} /></Timeline.Item>)}</Timeline>}</Section>
        <Section title="What it holds">{found.input === null ? <Empty title="Not shown">What a delivery holds is shown to the operator's people.</Empty> : <Paper withBorder><ScrollArea.Autosize mah={420} viewportProps={{ tabIndex: 0, "aria-label": "What it holds" } as never}><Code block>{JSON.stringify(found.input, null, 2)}</Code></ScrollArea.Autosize></Paper>}</Section>
        <Section title="Particulars">
          <Table variant="vertical" withRowBorders={false} layout="fixed" fz="sm"><Table.Tbody>{rowsOf(found, tenant, may("records:read")).map(([label, value]) => <Table.Tr key={label}><Table.Th w={170} fw={500} c="dimmed">{label}</Table.Th><Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td></Table.Tr>)}</Table.Tbody></Table>
        </Section>
      </Page>
    )}</Loaded>
  );
}

const rowsOf = (found: Delivery, tenant: string, mayRead: boolean): readonly (readonly [string, ReactNode])[] => [
  ["Row", mayRead ? <Anchor key="row" component={Link} to={`/records/${found.entity}/${found.row}`} search={{ tenant } as never} size="sm">{found.entity} {found.row.slice(0, 8)}</Anchor> : `${found.entity} ${found.row.slice(0, 8)}`],
  ["Changed", <When key="changed" at={found.changed_at} />], ["Because of", { event: "an event of a provider", poll: "a sync", asked: "a person who asked for it" }[found.cause] ?? found.cause],
  ["First sent", <When key="first" at={found.first_sent_at} />], ["Last sent", <When key="last" at={found.last_sent_at} />], ["Finished", <When key="finished" at={found.finished_at} empty="not yet" />],
  ...(found.hold_role === null ? [] : [["Approval", found.decided_by === null ? `waits for a ${found.hold_role.replaceAll("_", " ")}` : <span key="decided">{found.decided_by}, <When at={found.decided_at} /></span>] as const]),
  ...(found.superseded_by === null ? [] : [["Newer one", <Anchor key="newer" component={Link} to={`/deliveries/${found.superseded_by}`} search={{ tenant } as never} size="sm">{found.superseded_by.slice(0, 8)}</Anchor>] as const]),
  ...(found.behind === null ? [] : [["Behind", <Anchor key="behind" component={Link} to={`/deliveries/${found.behind}`} search={{ tenant } as never} size="sm">{found.behind.slice(0, 8)}</Anchor>] as const]),
  ["At the provider", found.key ?? "–"], ["Configuration", <Code key="revision">{found.revision.slice(0, 12)}</Code>], ["Delivery", <Code key="id">{found.id}</Code>],
];

function TryTitle({ of: { number, outcome, http_status, started_at, ended_at } }: { readonly of: Try }) {
  return <Group gap="xs"><Text size="sm" fw={550}>{whole(number)}. {outcome === null ? "under way" : OUTCOMES[outcome] ?? outcome}</Text>{http_status !== null && <Badge variant="default" radius="sm" tt="none">{http_status}</Badge>}<Text size="xs" c="dimmed"><When at={started_at} />{ended_at === null ? "" : `, took ${duration(Date.parse(ended_at) - Date.parse(started_at))}`}</Text></Group>;
}

function TryBody({ of: { reason, code, requests } }: { readonly of: Try }) {
  return (
    <Stack gap={4} mt={4}>
      {reason !== null && <Text size="sm" c="dimmed">{reason}{code === null ? "" : ` (${code})`}</Text>}
      {(requests ?? []).map((request, index) => <details key={index}><summary><Text span size="xs" className="mono" style={{ overflowWrap: "anywhere" }}>{headOf(request)}</Text></summary><Box of={request} /></details>)}
    </Stack>
  );
}

const headOf = (request: Readonly<Record<string, unknown>>): string => {
  const { method, url } = (request["request"] ?? request) as { method?: unknown; url?: unknown };
  const { status } = ((request["response"] ?? request["answer"] ?? request) ?? {}) as { status?: unknown };
  return [method, url, status === undefined ? undefined : `→ ${String(status)}`].filter((part) => part !== undefined).map(String).join(" ") || "Request";
};

/** Secrets are masked by the server. */
const Box = ({ of }: { readonly of: unknown }) => <ScrollArea.Autosize mah={340} viewportProps={{ tabIndex: 0, "aria-label": "Request and answer" } as never}><Code block fz={11}>{JSON.stringify(of, null, 2)}</Code></ScrollArea.Autosize>;
