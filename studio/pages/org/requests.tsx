/** Providers that an organisation would like to have, and what it was told. */
import { Button, Group, Paper, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { done } from "../../ui/notify.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import { ForOwn } from "./own.tsx";

interface Request { readonly id: string; readonly provider: string; readonly note: string; readonly status: string; readonly requested_by: string; readonly requested_at: string; readonly answer: string | null; readonly answered_at: string | null }

const KEY = "/api/requests";

export default function Requests() {
  return <Page title="Ask for an integration" lead="A provider that is missing: say which one and what for."><ForOwn>{(tenant) => <Asked tenant={tenant} />}</ForOwn></Page>;
}

function Asked({ tenant }: { readonly tenant: string }) {
  const may = useMay();
  const requests = usePages<Request>(KEY, { tenant });
  return <>
    {may("requests:write") && <Ask tenant={tenant} />}
    <Section title="What you asked for">
      {requests.isError && requests.rows === undefined ? <Failed error={requests.error} retry={() => void requests.refetch()} /> : requests.rows === undefined ? <LoadingRows rows={3} /> : requests.rows.length === 0 ? <Empty title="Nothing yet" /> : requests.rows.map(({ id, provider, note, status, requested_by, requested_at, answer, answered_at }) => (
        <Paper key={id} withBorder p="md" component="article" aria-label={provider}><Stack gap={6}>
          <Group justify="space-between"><Text fw={600} size="sm">{provider}</Text><Status value={status} /></Group>
          {note !== "" && <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{note}</Text>}
          <Text size="xs" c="dimmed">{requested_by}, <When at={requested_at} /></Text>
          {answer !== null && <Text size="sm" pl="sm" style={{ borderLeft: "2px solid var(--mantine-color-default-border)" }}>{answer} <Text span size="xs" c="dimmed"><When at={answered_at} /></Text></Text>}
        </Stack></Paper>
      ))}
      {requests.more && <Group justify="center"><Button variant="default" onClick={requests.more.load} loading={requests.more.loading}>Show more</Button></Group>}
    </Section>
  </>;
}

function Ask({ tenant }: { readonly tenant: string }) {
  const queries = useQueryClient();
  const [provider, setProvider] = useState("");
  const [note, setNote] = useState("");
  const ask = useMutation({ mutationFn: () => api.post("/api/requests", { provider: provider.trim(), note }, { tenant }), onSuccess: () => { done("Asked. The answer appears here."); setProvider(""); setNote(""); void queries.invalidateQueries({ queryKey: [KEY] }); } });
  return (
    <Paper withBorder p="md" maw={620} component="form" onSubmit={(event: FormEvent) => { event.preventDefault(); ask.mutate(); }}>
      <Stack>
        <TextInput label="Provider" placeholder="OneFile" required maxLength={200} value={provider} onChange={(event) => setProvider(event.currentTarget.value)} />
        <Textarea label="What for" autosize minRows={2} maxLength={5000} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        {ask.isError && <Failed error={ask.error} />}
        <Group><Button type="submit" loading={ask.isPending}>Ask for it</Button></Group>
      </Stack>
    </Paper>
  );
}
