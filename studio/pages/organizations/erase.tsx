/** The end of an organisation: what goes is counted, its name is typed, and afterwards stands what went. */
import { Alert, Badge, Button, Group, Stack, Table, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { Failed, Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { whole } from "../operate/types.ts";
import type { Tenant } from "./types.ts";

interface Asked { readonly token: string; readonly expires_at: string; readonly counts: Readonly<Record<string, number>> }
interface Report { readonly title: string; readonly requested_by: string; readonly finished_at: string; readonly removed: Readonly<Record<string, number>>; readonly file: string | null }

/** Tables in the words of who reads them (one, several), in this order; the others are bookkeeping. */
const WORDS: readonly (readonly [one: string, several: string, tables: readonly string[]])[] = [
  ["row of the model", "rows of the model", ["entity_rows"]], ["record as its provider sent it", "records as providers sent them", ["contributions"]], ["record in quarantine", "records in quarantine", ["quarantine"]],
  ["event of a provider", "events of providers", ["events"]], ["delivery", "deliveries", ["deliveries"]], ["run", "runs", ["runs"]], ["connection", "connections", ["connections"]], ["secret", "secrets", ["secrets", "consents"]],
  ["person", "people", ["memberships"]], ["API key", "API keys", ["api_keys"]], ["line of the audit log", "lines of the audit log", ["audit_log"]],
];
const NAMED = new Set(WORDS.flatMap(([, , tables]) => tables));

function inWords(counts: Readonly<Record<string, number>>): (readonly [string, number])[] {
  const named = WORDS.map(([one, several, tables]) => { const count = tables.reduce((sum, table) => sum + (counts[table] ?? 0), 0); return [count === 1 ? one : several, count] as const; });
  const rest = Object.entries(counts).reduce((sum, [table, count]) => (NAMED.has(table) ? sum : sum + count), 0);
  return [...named, ["rows of bookkeeping", rest] as const].filter(([, count]) => count > 0);
}

export function Erase({ of, leave }: { readonly of: Tenant; readonly leave: () => void }) {
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const ask = useQuery({ queryKey: ["erasure", of.tenant], queryFn: () => api.post<Asked>(`/api/tenants/${of.tenant}/erasure`), staleTime: Infinity, gcTime: 0, retry: false, refetchOnWindowFocus: false });
  // The lists are asked anew once the report was read: the page behind it is of who is gone.
  const erase = useMutation({ mutationFn: () => api.delete<Report>(`/api/tenants/${of.tenant}`, {}, { token: ask.data!.token }), onSuccess: () => void queries.cancelQueries({ queryKey: ["/api/tenants", of.tenant] }) });
  if (erase.data) return <Erased tenant={of.tenant} report={erase.data} />;
  return (
    <Loaded query={ask} rows={3}>{({ counts }) => (
      <form onSubmit={(event) => { event.preventDefault(); if (typed === of.tenant) erase.mutate(); }}><Stack>
        <Alert color="red" variant="light" title="This cannot be undone">Its keys are destroyed first, so nothing that was sealed opens again. Then every row goes, and its file in Git. What you may need later is exported before: More → Export everything.</Alert>
        <Group gap="xs">{inWords(counts).map(([words, count]) => <Badge key={words} variant="default" tt="none">{whole(count)} {words}</Badge>)}</Group>
        <TextInput data-autofocus label={<>Type <b>{of.tenant}</b> to go on</>} aria-label={`Type ${of.tenant} to go on`} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} autoComplete="off" spellCheck={false} />
        {erase.isError && <Failed error={erase.error} />}
        <Group justify="flex-end"><Button variant="default" onClick={leave}>Leave it</Button><Button type="submit" color="red" disabled={typed !== of.tenant} loading={erase.isPending}>Erase everything</Button></Group>
      </Stack></form>
    )}</Loaded>
  );
}

function Erased({ tenant, report: { title, requested_by, finished_at, removed, file } }: { readonly tenant: string; readonly report: Report }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const away = (): void => { void navigate({ to: "/super-admin/organizations" }).then(() => queries.invalidateQueries({ queryKey: ["/api/tenants"] })); };
  return (
    <Stack role="status">
      <Text size="sm">{title} (<b>{tenant}</b>) is erased, asked for by {requested_by}, finished <When at={finished_at} />. Its keys are destroyed{file === null ? "" : `, and ${file} is taken out of Git`}. This report stands in the operator's audit log.</Text>
      <Table fz="sm" aria-label="What was erased"><Table.Tbody>{inWords(removed).map(([words, count]) => <Table.Tr key={words}><Table.Td>{words}</Table.Td><Table.Td ta="right" style={{ fontVariantNumeric: "tabular-nums" }}>{whole(count)}</Table.Td></Table.Tr>)}</Table.Tbody></Table>
      <Group justify="flex-end"><Button onClick={away}>To the organisations</Button></Group>
    </Stack>
  );
}
