/** Integrations that organisations ask for, and the answers they get. */
import { Anchor, Button, Group, Modal, SegmentedControl, Select, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, Navigate, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { isStaff, useMay, useSession } from "../../api/session.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { useTenants } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import type { IntegrationRequest } from "./types.ts";

export default function Requests() {
  return isStaff(useSession()) ? <OfAll /> : <Navigate to="/org/requests" replace />;
}

function OfAll() {
  const may = useMay();
  const navigate = useNavigate();
  const { status, tenant } = useSearch({ strict: false }) as { status?: string; tenant?: string };
  const tenants = useTenants();
  const requests = usePages<IntegrationRequest>("/api/requests", { status, tenant });
  const [answering, setAnswering] = useState<IntegrationRequest>();
  const narrow = (change: Record<string, string | undefined>) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }), replace: true } as never);
  const titleOf = (name: string): string => tenants.data?.data.find((each) => each.tenant === name)?.title ?? name;
  return (
    <Page title="Requests" lead="Integrations that organisations ask for. They read your answer on their own page.">
      <Group gap="sm">
        <Select aria-label="Status" placeholder="Any status" clearable w={170} value={status ?? null} data={["open", "planned", "declined", "done"]} onChange={(value) => narrow({ status: value ?? undefined })} />
        <Select aria-label="Organisation" placeholder="Any organisation" searchable clearable w={230} value={tenant ?? null} data={(tenants.data?.data ?? []).filter(({ kind }) => kind !== "platform").map((each) => ({ value: each.tenant, label: each.title }))} onChange={(value) => narrow({ tenant: value ?? undefined })} />
      </Group>
      {requests.isError && requests.rows === undefined ? <Failed error={requests.error} retry={() => void requests.refetch()} /> : requests.rows === undefined ? <LoadingRows /> : requests.rows.length === 0
        ? <Empty title="Nobody asks for anything">{status || tenant ? "None fits the filter." : "An organisation's administrator asks from their own pages."}</Empty>
        : <DataTable label="Integration requests" rows={requests.rows} keyOf={({ id }) => id} more={requests.more} columns={[
          { label: "Asked for", show: ({ provider, note }) => <><Text size="sm" fw={600}>{provider}</Text>{note !== "" && <Text size="xs" c="dimmed" lineClamp={2}>{note}</Text>}</> },
          { label: "By", show: (each) => <><Anchor component={Link} to={`/super-admin/organizations/${each.tenant}`} size="sm">{titleOf(each.tenant)}</Anchor><Text size="xs" c="dimmed">{each.requested_by}</Text></> },
          { label: "When", show: (each) => <When at={each.requested_at} /> },
          { label: "Status", show: (each) => <Status value={each.status} /> },
          { label: "Answer", show: ({ answer, answered_by }) => answer === null ? <Text size="sm" c="dimmed">none yet</Text> : <><Text size="sm" lineClamp={2}>{answer}</Text><Text size="xs" c="dimmed">{answered_by}</Text></> },
          ...(may("requests:answer") ? [{ label: "Do", width: 90, show: (each: IntegrationRequest) => <Button size="compact-xs" variant="default" aria-haspopup="dialog" onClick={() => setAnswering(each)} aria-label={`Answer ${titleOf(each.tenant)} about ${each.provider}`}>Answer</Button> }] : []),
        ]} />}
      <Modal opened={answering !== undefined} onClose={() => setAnswering(undefined)} title={answering && `${titleOf(answering.tenant)} asks for ${answering.provider}`}>{answering && <Answer of={answering} done={() => setAnswering(undefined)} />}</Modal>
    </Page>
  );
}

function Answer({ of, done }: { readonly of: IntegrationRequest; readonly done: () => void }) {
  const queries = useQueryClient();
  const [status, setStatus] = useState(of.status === "open" ? "planned" : of.status);
  const [note, setNote] = useState(of.answer ?? "");
  const answer = useMutation({ mutationFn: () => api.post(`/api/requests/${of.id}/answer`, { status, note }, { tenant: of.tenant }), onSuccess: () => { void queries.invalidateQueries({ queryKey: ["/api/requests"] }); done(); } });
  return (
    <form onSubmit={(event) => { event.preventDefault(); answer.mutate(); }}>
      <Stack>
        {of.note !== "" && <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>{of.note}</Text>}
        <SegmentedControl aria-label="Decision" value={status} onChange={(value) => setStatus(value as typeof status)} data={[{ value: "planned", label: "Planned" }, { value: "declined", label: "Declined" }, { value: "done", label: "Done" }]} />
        <Textarea data-autofocus label="What they read" required autosize minRows={3} maxLength={5000} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        {answer.isError && <Failed error={answer.error} />}
        <Group justify="flex-end"><Button type="submit" loading={answer.isPending} disabled={note.trim() === ""}>Answer</Button></Group>
      </Stack>
    </form>
  );
}
