/** One's own password, and where one is signed in. */
import { Badge, Button, Group, Paper, PasswordInput, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, rememberCsrf } from "../../api/client.ts";
import { sessionQuery, useSession } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { done, failed } from "../../ui/notify.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Failed, Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";

interface OwnSession { readonly id: string; readonly current: boolean; readonly created_at: string; readonly seen_at: string; readonly expires_at: string; readonly ip: string; readonly agent: string }

const KEY = ["/api/sessions"];
const SHORTEST = 12;

export default function Account() {
  const { user, role } = useSession();
  return <Page title="Your account" lead={`${user.email}${role === null ? "" : `, ${role.replaceAll("_", " ")}`}`}><Sessions /><Password email={user.email} /></Page>;
}

function Sessions() {
  const queries = useQueryClient();
  const sessions = useQuery({ queryKey: KEY, queryFn: ({ signal }) => api.get<{ data: readonly OwnSession[] }>("/api/sessions", {}, signal) });
  const end = useMutation({ mutationFn: (id: string) => api.delete(`/api/sessions/${id}`), onSuccess: () => void queries.invalidateQueries({ queryKey: KEY }), onError: failed("Not ended") });
  const others = sessions.data?.data.filter(({ current }) => !current).length ?? 0;
  return (
    <Section title="Where you are signed in" actions={others > 0 && <ConfirmButton label="Sign out everywhere else" title="End all your other sessions?" yes="End them" act={async () => { const { ended } = await api.delete<{ ended: number }>("/api/sessions"); done(`${ended} ended.`); await queries.invalidateQueries({ queryKey: KEY }); }}><Text size="sm">You stay signed in here.</Text></ConfirmButton>}>
      <Loaded query={sessions} rows={2}>{({ data }) => <DataTable label="Sessions" rows={data} keyOf={({ id }) => id} columns={[
        { label: "With", show: ({ agent, current }) => <Group gap="xs" wrap="nowrap"><Text size="sm" fw={550} truncate maw={260} title={agent}>{browserOf(agent)}</Text>{current && <Badge variant="light" color="teal" radius="sm" tt="none">this one</Badge>}</Group> },
        { label: "From", show: ({ ip }) => ip },
        { label: "Signed in", show: ({ created_at }) => <When at={created_at} /> },
        { label: "Last used", show: ({ seen_at }) => <When at={seen_at} /> },
        { label: "", width: 80, show: ({ id, current, agent }) => !current && <Button size="xs" variant="default" loading={end.isPending && end.variables === id} onClick={() => end.mutate(id)} aria-label={`End the session with ${browserOf(agent)}`}>End</Button> },
      ]} />}</Loaded>
    </Section>
  );
}

const browserOf = (agent: string): string => /Edg\//.test(agent) ? "Edge" : /Firefox\//.test(agent) ? "Firefox" : /Chrome\//.test(agent) ? "Chrome" : /Safari\//.test(agent) ? "Safari" : agent === "" ? "Unknown" : agent;

function Password({ email }: { readonly email: string }) {
  const queries = useQueryClient();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const change = useMutation({
    mutationFn: () => api.put<{ csrf_token: string }>("/api/session/password", { current, password }),
    onSuccess: ({ csrf_token }) => { rememberCsrf(csrf_token); done("Changed. Your other sessions ended."); void queries.invalidateQueries({ queryKey: sessionQuery.queryKey }); void queries.invalidateQueries({ queryKey: KEY }); setPassword(""); setAgain(""); },
    onSettled: () => setCurrent(""),
  });
  const differs = again !== "" && again !== password;
  return (
    <Section title="Password">
      <Paper withBorder p="md" maw={480} component="form" onSubmit={(event: FormEvent) => { event.preventDefault(); if (!differs) change.mutate(); }}>
        <Stack>
          <input type="email" autoComplete="username" value={email} readOnly hidden />
          <PasswordInput label="The one you have" autoComplete="current-password" required value={current} onChange={(event) => setCurrent(event.currentTarget.value)} />
          <PasswordInput label="The new one" description={`At least ${SHORTEST} characters. A few words are easier to remember.`} autoComplete="new-password" required minLength={SHORTEST} value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
          <PasswordInput label="The new one again" autoComplete="new-password" required value={again} error={differs ? "It is another one." : undefined} onChange={(event) => setAgain(event.currentTarget.value)} />
          {change.isError && <Failed error={change.error} />}
          <Group><Button type="submit" loading={change.isPending}>Change it</Button><Text size="xs" c="dimmed">Your other sessions end.</Text></Group>
        </Stack>
      </Paper>
    </Section>
  );
}
