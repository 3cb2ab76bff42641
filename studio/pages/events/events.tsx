/** What providers sent, newest first: narrowed by what became of it, and processed again where that helps. */
import { Anchor, Group, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { Counted } from "../../ui/counted.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { done } from "../../ui/notify.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { useFilters } from "../../ui/use-filters.ts";
import { usePages } from "../../ui/use-pages.ts";
import { whole } from "../operate/types.ts";
import { type Event, MEANING, STATUSES } from "./types.ts";

const SINCE = [{ value: "1h", label: "Last hour" }, { value: "24h", label: "Last 24 hours" }, { value: "7d", label: "Last 7 days" }];
const MINUTES: Readonly<Record<string, number>> = { "1h": 60, "24h": 1440, "7d": 10_080 };
const MOST_REPLAYS = 10_000;

export default function Events() {
  return <Page title="Events" lead="What providers sent by webhook or queue. Each was stored before it was acknowledged, so none is lost." actions={<TenantPicker />}><ForTenant>{(tenant) => <List key={tenant} tenant={tenant} />}</ForTenant></Page>;
}

/** To the minute, so that a page asks for the same list while it is looked at. */
const instantOf = (since: string | undefined): string | undefined => since === undefined ? undefined : MINUTES[since] === undefined ? since : new Date(Math.floor(Date.now() / 60_000) * 60_000 - MINUTES[since] * 60_000).toISOString();

function List({ tenant }: { readonly tenant: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const [filters, narrow] = useFilters<"status" | "connection" | "feed" | "since" | "event">();
  const [most, setMost] = useState<number | string>("");
  const filter = { status: filters.status, connection: filters.connection, feed: filters.feed, event: filters.event, since: instantOf(filters.since) };
  const events = usePages<Event>("/api/events", { tenant, ...filter }, { every: 15_000 });
  const narrowed = Object.values(filter).some((value) => value !== undefined);
  const wanted = { ...Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)), ...(typeof most === "number" ? { limit: most } : {}) };
  const replay = async (): Promise<void> => {
    const { replayed } = await api.post<{ replayed: number }>("/api/events/replay", wanted, { tenant });
    done(`${whole(replayed)} ${replayed === 1 ? "event is" : "events are"} processed again.`);
    void queries.invalidateQueries({ queryKey: ["/api/events"] });
  };
  return (
    <Stack gap="md">
      <Group gap="sm" align="flex-end">
        <Select aria-label="Status" placeholder="Any status" clearable w={150} value={filters.status ?? null} data={[...STATUSES]} onChange={(value) => narrow({ status: value })} />
        <Text component="div" maw={170}><Typed label="Connection" value={filters.connection} set={(value) => narrow({ connection: value })} /></Text>
        <Text component="div" maw={140}><Typed label="Feed" value={filters.feed} set={(value) => narrow({ feed: value })} /></Text>
        <Text component="div" maw={200}><Typed label="Name or provider's id" value={filters.event} set={(value) => narrow({ event: value })} /></Text>
        <Select aria-label="Since" placeholder="Any time" clearable w={150} value={filters.since ?? null} data={filters.since !== undefined && MINUTES[filters.since] === undefined ? [...SINCE, { value: filters.since, label: "Since a time" }] : SINCE} onChange={(value) => narrow({ since: value })} />
        {may("events:replay") && narrowed && (events.rows?.length ?? 0) > 0 && (
          <ConfirmButton label="Process these again" title="Process all that fit the filter again?" yes="Process them again" color="plug" act={replay}>
            <Counted path="/api/events/replay" tenant={tenant} body={wanted} one="event" many="events" does="processed" most={MOST_REPLAYS} />
            <Text size="sm">Each is processed with the configuration in force now, oldest first, 100 a second. Those under way are left alone; none of it fires a flow that sends, and an older record never overwrites a newer one.</Text>
            <NumberInput label="No more than" description={`Empty: ${whole(MOST_REPLAYS)}`} min={1} max={MOST_REPLAYS} value={most} onChange={setMost} />
          </ConfirmButton>
        )}
        <Anchor component={Link} to="/events/refused" search={{ tenant } as never} size="sm" ml="auto">Refused requests</Anchor>
      </Group>
      {events.isError && events.rows === undefined ? <Failed error={events.error} retry={() => void events.refetch()} /> : events.rows === undefined ? <LoadingRows /> : events.rows.length === 0
        ? <Empty title="No events">{narrowed ? "None fits the filter." : "They appear when a provider sends to one of this organisation's addresses."}</Empty>
        : <DataTable label="Events" rows={events.rows} keyOf={({ id }) => id} hrefOf={({ id }) => `/events/${id}?tenant=${tenant}`} more={events.more} columns={[
          { label: "Event", show: (event) => <Anchor component={Link} to={`/events/${event.id}`} search={{ tenant } as never} size="sm" fw={550}>{event.events.length > 0 ? event.events.join(", ") : event.event_id ?? event.id.slice(0, 8)}</Anchor> },
          { label: "Status", show: ({ status, reason }) => <Status value={status} reason={reason ?? MEANING[status]} /> },
          { label: "From", show: ({ connection, connector, feed }) => <Text size="sm">{connection ?? connector} <Text span c="dimmed" size="sm">{feed}</Text></Text> },
          { label: "Received", show: ({ received_at }) => <When at={received_at} /> },
          { label: "Why", show: ({ reason, code }) => reason === null ? <Text c="dimmed" size="sm">–</Text> : <Text size="sm" lineClamp={1} maw={340} title={reason}>{reason}{code === null ? "" : ` (${code})`}</Text> },
          { label: "Copies", align: "right", show: ({ copies }) => whole(copies) },
        ]} />}
    </Stack>
  );
}

/** Asks when one is done typing. */
function Typed({ label, value, set }: { readonly label: string; readonly value: string | undefined; readonly set: (value: string) => void }) {
  const [text, setText] = useState(value ?? "");
  return <TextInput aria-label={label} placeholder={label} value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={() => set(text.trim())} onKeyDown={(event) => { if (event.key === "Enter") set(text.trim()); }} />;
}
