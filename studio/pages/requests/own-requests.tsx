/** An organisation's own requests, and asking for another integration: a part of its own pages. */
import { Button, Group, Paper, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Section } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import type { IntegrationRequest } from "./types.ts";

/** Of the session's own organisation. */
export function OwnRequests() {
  const may = useMay();
  const requests = usePages<IntegrationRequest>("/api/requests");
  return (
    <Stack gap="lg">
      {may("requests:write") && <AskForIntegration />}
      <Section title="What you asked for">{requests.isError && requests.rows === undefined ? <Failed error={requests.error} retry={() => void requests.refetch()} /> : requests.rows === undefined ? <LoadingRows rows={3} /> : requests.rows.length === 0 ? <Empty title="Nothing asked for yet" />
        : <Stack gap="sm" aria-live="polite">{requests.rows.map((each) => (
          <Paper key={each.id} withBorder p="md" component="article" aria-label={each.provider}>
            <Group justify="space-between"><Text fw={600} size="sm">{each.provider}</Text><Status value={each.status} /></Group>
            {each.note !== "" && <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>{each.note}</Text>}
            <Text size="xs" c="dimmed">{each.requested_by}, <When at={each.requested_at} /></Text>
            {each.answer !== null && <Text size="sm" mt="xs" pl="sm" style={{ borderLeft: "2px solid var(--mantine-color-default-border)", whiteSpace: "pre-wrap" }}>{each.answer} <Text span size="xs" c="dimmed">{each.answered_by}, <When at={each.answered_at} /></Text></Text>}
          </Paper>
        ))}{requests.more && <Group justify="center"><Button variant="default" onClick={requests.more.load} loading={requests.more.loading}>Show more</Button></Group>}</Stack>}</Section>
    </Stack>
  );
}

export function AskForIntegration() {
  const queries = useQueryClient();
  const [provider, setProvider] = useState("");
  const [note, setNote] = useState("");
  const ask = useMutation({ mutationFn: () => api.post("/api/requests", { provider, ...(note.trim() === "" ? {} : { note }) }), onSuccess: () => { setProvider(""); setNote(""); notifications.show({ message: "Asked. The answer stands here." }); void queries.invalidateQueries({ queryKey: ["/api/requests"] }); } });
  return (
    <Paper withBorder p="md" component="form" aria-label="Ask for an integration" onSubmit={(event: React.FormEvent) => { event.preventDefault(); ask.mutate(); }}>
      <Stack gap="sm">
        <TextInput label="What would you like to connect?" required placeholder="OneFile" maxLength={200} value={provider} onChange={(event) => setProvider(event.currentTarget.value)} maw={420} />
        <Textarea label="What for" autosize minRows={2} maxLength={5000} value={note} onChange={(event) => setNote(event.currentTarget.value)} maw={620} />
        {ask.isError && <Failed error={ask.error} />}
        <Group><Button type="submit" loading={ask.isPending} disabled={provider.trim() === ""}>Ask for it</Button></Group>
      </Stack>
    </Paper>
  );
}
