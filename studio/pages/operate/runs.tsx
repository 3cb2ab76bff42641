/** Runs of an organisation, newest first, those under way as they go. */
import { Anchor, Group, Select, Text } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useLive, type LiveRun } from "../../api/live.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { duration, When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import { type Run, whole } from "./types.ts";

const STATUSES = ["queued", "running", "waiting", "succeeded", "succeeded_with_quarantine", "failed", "cancelled"];

export default function Runs() {
  return <Page title="Runs" lead="Every execution of a flow, newest first. Those under way count as you watch." actions={<TenantPicker />}><ForTenant>{(tenant) => <List key={tenant} tenant={tenant} />}</ForTenant></Page>;
}

function List({ tenant }: { readonly tenant: string }) {
  const search = useSearch({ strict: false }) as { status?: string; flow?: string };
  const navigate = useNavigate();
  const [live, setLive] = useState<Readonly<Record<string, LiveRun>>>({});
  useLive(tenant, (line) => setLive((old) => ({ ...old, [line.run]: line })));
  const runs = usePages<Run>("/api/runs", { tenant, status: search.status, flow: search.flow });
  const narrow = (change: Record<string, string | undefined>) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }) } as never);
  const counted = (run: Run) => ({ ...run.counters, ...(run.finished_at === null ? live[run.id]?.counters : undefined) });
  return (
    <>
      <Group gap="sm">
        <Select aria-label="Status" placeholder="Any status" clearable w={210} value={search.status ?? null} data={STATUSES.map((value) => ({ value, label: value.replaceAll("_", " ") }))} onChange={(value) => narrow({ status: value ?? undefined })} />
        {search.flow !== undefined && <Anchor component="button" size="sm" onClick={() => narrow({ flow: undefined })}>Only flow {search.flow} ✕</Anchor>}
      </Group>
      {runs.isError && runs.rows === undefined ? <Failed error={runs.error} retry={() => void runs.refetch()} /> : runs.rows === undefined ? <LoadingRows /> : runs.rows.length === 0
        ? <Empty title="No runs">{search.status || search.flow ? "None fits the filter." : "Flows run on their schedules, when a provider sends an event, and when somebody asks."}</Empty>
        : <DataTable label="Runs" rows={runs.rows} keyOf={({ id }) => id} hrefOf={({ id }) => `/runs/${id}?tenant=${tenant}`} more={runs.more} columns={[
          { label: "Flow", show: (run) => <Anchor component={Link} to={`/runs/${run.id}`} search={{ tenant } as never} size="sm" fw={550}>{run.flow}</Anchor> },
          { label: "Status", show: (run) => <Status value={run.finished_at === null ? live[run.id]?.status ?? run.status : run.status} reason={run.error?.message} /> },
          { label: "Started by", show: (run) => <Text size="sm" c="dimmed" truncate maw={180}>{run.trigger}{run.requested_by === null ? "" : `, ${run.requested_by}`}</Text> },
          { label: "Queued", show: (run) => <When at={run.queued_at} /> },
          { label: "Took", align: "right", show: (run) => run.seconds === null ? "–" : duration(run.seconds * 1000) },
          { label: "Read", align: "right", show: (run) => whole(counted(run).read ?? 0) },
          { label: "Stored", align: "right", show: (run) => whole((counted(run).created ?? 0) + (counted(run).updated ?? 0)) },
          { label: "Quarantined", align: "right", show: (run) => <Text span size="sm" c={(counted(run).quarantined ?? 0) > 0 ? "orange" : undefined}>{whole(counted(run).quarantined ?? 0)}</Text> },
        ]} />}
    </>
  );
}
