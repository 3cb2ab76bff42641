/** Releases of a preset: freeze the head as the next one, and compare any two. */
import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { SemanticDiff, type SemanticChange } from "../../changes/semantic-diff.tsx";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { Section } from "../../ui/page.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import type { WholePreset } from "./types.ts";

export function Releases({ of }: { readonly of: WholePreset }) {
  const search = useSearch({ strict: false }) as { from?: string | number; to?: string | number };
  const navigate = useNavigate();
  const narrow = (change: Record<string, unknown>) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }), replace: true } as never);
  const release = useProposal(() => api.post<ProposalAnswer>(`/api/presets/${of.preset}/releases`));
  const from = String(search.from ?? of.newest ?? "head");
  const to = String(search.to ?? "head");
  const choices = [{ value: "head", label: "Head, not released" }, ...of.releases.toReversed().map((number) => ({ value: String(number), label: `Release ${number}` }))];
  const diff = useQuery({ queryKey: ["/api/presets", of.preset, "diff", from, to], enabled: of.releases.length > 0 && from !== to, queryFn: ({ signal }) => api.get<{ changes: readonly SemanticChange[] }>(`/api/presets/${of.preset}/diff`, { from, to }, signal) });
  const next = (of.newest ?? 0) + 1;
  return (
    <Stack gap="xl">
      <Section title={`Release ${next}`} actions={<Button size="xs" loading={release.isPending} onClick={() => release.mutate()}>Propose release {next}</Button>}>
        <Text size="sm" maw={680}>Freezes the head with the mappings it uses. New organisations get it; those that are there stay on their release until they are upgraded. {of.newest === null && "Before there is one, organisations follow the head, and every change of it reaches them at once."}</Text>
        {release.isError && <Failed error={release.error} />}
      </Section>
      <Section title="Compare" actions={of.releases.length > 0 && <Group gap="xs"><Select size="xs" aria-label="From" w={170} data={choices} value={from} allowDeselect={false} onChange={(value) => narrow({ from: value ?? undefined })} /><Text size="sm" c="dimmed">with</Text><Select size="xs" aria-label="To" w={170} data={choices} value={to} allowDeselect={false} onChange={(value) => narrow({ to: value ?? undefined })} /></Group>}>
        {of.releases.length === 0 ? <Empty title="No release yet">There is nothing to compare the head with.</Empty> : from === to ? <Text size="sm" c="dimmed">Choose two different ones.</Text>
          : <Loaded query={diff} rows={3}>{({ changes }) => changes.length === 0 ? <Empty title="They say the same">An organisation would notice nothing.</Empty> : <SemanticDiff label={`What differs between ${from} and ${to}`} changes={changes} />}</Loaded>}
      </Section>
    </Stack>
  );
}
