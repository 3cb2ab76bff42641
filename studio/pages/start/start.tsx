/** How everything does: for the operator's people over all organisations or one, for an organisation's people their own. */
import { Alert, Anchor, Badge, Code, Group, Paper, SegmentedControl, Select, SimpleGrid, Stack, Text, UnstyledButton } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { api } from "../../api/client.ts";
import { isStaff, useMay, useSession } from "../../api/session.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { useTenant, useTenants } from "../../ui/tenant.tsx";
import { duration, When } from "../../ui/time.tsx";
import { useFilters } from "../../ui/use-filters.ts";
import { whole } from "../operate/types.ts";
import { Chart } from "./chart.tsx";
import { Mine } from "./mine.tsx";
import type { Overview } from "./types.ts";

const RANGES = [{ value: "1", label: "24 hours" }, { value: "7", label: "7 days" }, { value: "30", label: "30 days" }];
/** The server counts what waits no further. */
const MOST_WAITING = 10_000;

export default function Start() {
  return useMay()("overview:read") ? <Numbers /> : <Mine />;
}

function Numbers() {
  const session = useSession();
  const tenant = useTenant();
  const tenants = useTenants();
  const [{ days = "1" }, narrow] = useFilters<"days" | "tenant">();
  const staff = isStaff(session);
  const overview = useQuery({ queryKey: ["/api/overview", tenant, days], queryFn: ({ signal }) => api.get<Overview>("/api/overview", { tenant, days }, signal), refetchInterval: 30_000, placeholderData: keepPreviousData });
  return (
    <Page title="Overview" wide lead={staff ? "How flows do, and what waits for somebody." : "How your integrations do, and what waits for somebody."} actions={<>
      {staff && <Select aria-label="Organisation" placeholder="All organisations" clearable searchable w={230} value={tenant ?? null} data={(tenants.data?.data ?? []).map((each) => ({ value: each.tenant, label: each.title }))} onChange={(value) => narrow({ tenant: value })} clearButtonProps={{ "aria-label": "All organisations" }} />}
      <SegmentedControl aria-label="How far back" size="xs" data={RANGES} value={days} onChange={(value) => narrow({ days: value })} />
    </>}>
      <Loaded query={overview} rows={12}>{(found) => <Shown found={found} tenant={tenant} all={staff && tenant === undefined} />}</Loaded>
    </Page>
  );
}

function Shown({ found, tenant, all }: { readonly found: Overview; readonly tenant: string | undefined; /** Of more than one organisation. */ readonly all: boolean }) {
  const { totals, history } = found;
  const good = totals.succeeded + totals.with_quarantine;
  const ended = good + totals.failed;
  const at = useMemo(() => history.map((bucket) => bucket.at), [history]);
  const runs = useMemo(() => [
    { label: "Failed", colour: "red", values: history.map(({ failed }) => failed) },
    { label: "With quarantine", colour: "yellow", values: history.map(({ with_quarantine }) => with_quarantine) },
    { label: "Succeeded", colour: "teal", values: history.map(({ succeeded }) => succeeded) },
  ], [history]);
  const stored = useMemo(() => [{ label: "Stored", colour: "plug", values: history.map(({ stored: count }) => count) }], [history]);
  const took = useMemo(() => [
    { label: "Longest", colour: "grape", values: history.map(({ longest }) => longest) },
    { label: "On average", colour: "blue", values: history.map(({ seconds }) => seconds) },
  ], [history]);
  return (
    <Stack gap="xl">
      {(found.organisations.shown < found.organisations.all || found.truncated) && <Alert color="yellow" variant="light">{found.organisations.shown < found.organisations.all ? `These numbers are of ${whole(found.organisations.shown)} of ${whole(found.organisations.all)} organisations: choose one for the others. ` : ""}{found.truncated ? "There were more runs than are counted: the oldest are left out." : ""}</Alert>}
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
        <Figure label="Success rate" value={ended === 0 ? "–" : `${(Math.floor((good / ended) * 1000) / 10).toLocaleString("en-GB")} %`} note={ended === 0 ? "no run ended" : `${whole(totals.failed)} of ${whole(ended)} runs failed`} tone={totals.failed > 0 ? "red" : undefined} />
        <Figure label="Runs" value={whole(ended + totals.cancelled)} note={`${whole(totals.under_way)} under way now`} />
        <Figure label="Records stored" value={whole(totals.stored)} note="new and changed" />
        <Figure label="Quarantined" value={whole(totals.quarantined)} note="in this time" tone={totals.quarantined > 0 ? "orange" : undefined} />
      </SimpleGrid>
      <Attention found={found} tenant={tenant} all={all} />
      <SimpleGrid cols={{ base: 1, lg: 3 }} spacing="md">
        <Chart title="Runs" kind="bars" at={at} series={runs} show={whole} summary={`${whole(good)} succeeded, ${whole(totals.failed)} failed`} />
        <Chart title="Records stored" kind="bars" at={at} series={stored} show={short} summary={`${whole(totals.stored)} in all`} />
        <Chart title="Duration of runs" kind="lines" at={at} series={took} show={(seconds) => duration(seconds * 1000)} summary="on average, and the longest" />
      </SimpleGrid>
      <Section title="By provider">
        {found.providers.length === 0 ? <Empty title="Nothing ran in this time" /> : <DataTable label="Runs by provider" rows={found.providers} keyOf={({ connector }) => connector} columns={[
          { label: "Provider", show: ({ title }) => <Text size="sm" fw={550}>{title}</Text> },
          { label: "Succeeded", align: "right", show: ({ succeeded }) => whole(succeeded) },
          { label: "Failed", align: "right", show: ({ failed }) => <Text span size="sm" c={failed > 0 ? "red" : undefined}>{whole(failed)}</Text> },
          { label: "Records stored", align: "right", show: ({ stored: count }) => whole(count) },
          { label: "Errors", show: ({ codes }) => codes.length === 0 ? <Text size="sm" c="dimmed">none</Text> : <Group gap={6}>{codes.map(({ code, count }) => <Badge key={code} variant="light" color="red" radius="sm" tt="none">{code} × {whole(count)}</Badge>)}</Group> },
          { label: "Last failure", show: ({ last_failed_at }) => <When at={last_failed_at} /> },
        ]} />}
      </Section>
      {all && <Section title="By organisation"><DataTable label="Runs by organisation" rows={found.tenants} keyOf={({ tenant: name }) => name} hrefOf={({ tenant: name }) => `/?tenant=${name}`} columns={[
        { label: "Organisation", show: ({ tenant: name, title }) => <Anchor component={Link} to="/" search={{ tenant: name } as never} size="sm" fw={550}>{title}</Anchor> },
        { label: "Runs", align: "right", show: (each) => whole(each.succeeded + each.with_quarantine + each.failed + each.cancelled) },
        { label: "Failed", align: "right", show: ({ failed }) => <Text span size="sm" c={failed > 0 ? "red" : undefined}>{whole(failed)}</Text> },
        { label: "Records stored", align: "right", show: ({ stored: count }) => whole(count) },
        { label: "Quarantined", align: "right", show: ({ quarantined }) => whole(quarantined) },
        { label: "Waits", align: "right", show: ({ waiting }) => whole(waiting) },
      ]} /></Section>}
    </Stack>
  );
}

/** What a person should look at; each leads to where it is done. */
function Attention({ found, tenant, all }: { readonly found: Overview; readonly tenant: string | undefined; readonly all: boolean }) {
  const may = useMay();
  const { waiting } = found;
  const search = tenant === undefined ? {} : { tenant };
  const items = [
    { label: "Quarantined records", count: waiting.quarantine, to: "/quarantine", search, can: may("quarantine:read") },
    { label: "Deliveries held for a person", count: waiting.holds, to: may("holds:read") ? "/holds" : "/deliveries", search: may("holds:read") ? search : { ...search, status: "held" }, can: may("deliveries:read") },
    { label: "Events waiting for a connection", count: waiting.events, to: "/events", search: { ...search, status: "held" }, can: may("events:read") },
    { label: "Sweeps held", count: waiting.sweeps, to: "/runs", search, can: may("runs:read") },
    { label: "Proposed changes", count: waiting.changes, to: "/changes", search, can: may("changes:read") },
    { label: "Integrations asked for", count: waiting.requests, to: may("requests:answer") ? "/requests" : "/org/requests", search, can: may("requests:read") },
  ].filter(({ can, count }) => can && count > 0);
  return (
    <Section title="Needs somebody">
      {found.connections.length === 0 && items.length === 0 ? <Paper withBorder p="md"><Text size="sm" c="dimmed">Nothing does. What a person has to decide or mend appears here.</Text></Paper> : (
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm" style={{ alignItems: "start" }}>
          {found.connections.length > 0 && <Stack gap="xs">{found.connections.slice(0, 6).map((each) => (
            <Paper key={`${each.tenant} ${each.connection}`} withBorder p="sm" component={Link} to={may("tenants:read") ? `/super-admin/organizations/${each.tenant}/integrations` : "/org/integrations"} style={{ textDecoration: "none", color: "inherit" }}>
              <Group justify="space-between" wrap="nowrap"><Text size="sm" fw={550}>{each.title}{all ? ` · ${each.organisation}` : ""}</Text><Badge color="red" variant="light" radius="sm" tt="none">Reconnect</Badge></Group>
              <Text size="sm" c="dimmed">{each.message ?? "Its credential does not work."} {each.since && <>Since <When at={each.since} />.</>}</Text>
            </Paper>
          ))}</Stack>}
          {items.length > 0 && <Paper withBorder p={4}>{items.map(({ label, count, to, search: where }) => (
            <UnstyledButton key={label} component={Link} to={to} search={where as never} p="xs" w="100%" style={{ borderRadius: 6 }}><Group justify="space-between"><Text size="sm">{label}</Text><Code fz="sm">{count >= MOST_WAITING ? `${whole(count - 1)}+` : whole(count)}</Code></Group></UnstyledButton>
          ))}</Paper>}
        </SimpleGrid>
      )}
    </Section>
  );
}

function Figure({ label, value, note, tone }: { readonly label: string; readonly value: string; readonly note: string; readonly tone?: string | undefined }) {
  return <Paper withBorder p="sm"><Text size="xs" c="dimmed">{label}</Text><Text fz={24} fw={600} {...(tone === undefined ? {} : { c: tone })} style={{ fontVariantNumeric: "tabular-nums" }}>{value}</Text><Text size="xs" c="dimmed">{note}</Text></Paper>;
}

/** For an axis: 12,000 → 12 k. */
const short = (count: number): string => count >= 10_000 ? `${whole(Math.round(count / 1000))} k` : whole(Math.round(count));
