/** Proposed changes, and what is in force. */
import { Alert, Anchor, Button, Code, Group, Paper, Select, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Failed, Loaded, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import type { Change } from "./types.ts";

interface Configuration { readonly revision: string | null; readonly commit: string | null; readonly main: string | null; readonly review: string | null; readonly forge: { readonly name: string; readonly trouble: { readonly message: string; readonly hint?: string } | null } | null; readonly alarm: { readonly message?: string; readonly hint?: string } | null; readonly drift: boolean | null; readonly revisions: readonly { readonly revision: string; readonly commit: string | null; readonly change: string | null; readonly how: string; readonly by: string; readonly changed: readonly string[]; readonly at: string }[] }

export default function Changes() {
  const search = useSearch({ strict: false }) as { status?: string };
  const navigate = useNavigate();
  const changes = usePages<Change>("/api/changes", { status: search.status });
  return (
    <Page title="Changes" lead="Every change of the configuration is proposed, seen as a plan, approved, and only then in force.">
      <InForce />
      <Section title="Changes" actions={<Select aria-label="Status" size="xs" w={170} clearable placeholder="Any status" value={search.status ?? null} data={["draft", "proposed", "approved", "applied", "rejected", "rolled_back"].map((value) => ({ value, label: value.replace("_", " ") }))} onChange={(value) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, status: value ?? undefined }) } as never)} />}>
        {changes.isError && changes.rows === undefined ? <Failed error={changes.error} retry={() => void changes.refetch()} /> : changes.rows === undefined ? <LoadingRows rows={4} /> : changes.rows.length === 0
          ? <Empty title="No changes">Edit a mapping, a preset or an organisation's settings; what you propose appears here.</Empty>
          : <DataTable label="Changes, newest first" rows={changes.rows} keyOf={({ id }) => id} hrefOf={({ id }) => `/changes/${id}`} more={changes.more} columns={[
            { label: "Change", show: ({ id, title, pull_request: pull }) => <><Anchor component={Link} to={`/changes/${id}`} size="sm" fw={550}>{title}</Anchor>{pull && <Anchor href={pull.url} target="_blank" rel="noreferrer" size="sm" c="dimmed" ml={6}><VisuallyHidden>pull request </VisuallyHidden>#{pull.number}<VisuallyHidden>, {pull.state}, in a new tab</VisuallyHidden></Anchor>}</> },
            { label: "Status", show: ({ status, approved }) => <Status value={status === "proposed" && approved ? "approved" : status} /> },
            { label: "About", show: ({ tenant }) => tenant ?? <Text size="sm" c="dimmed">several or none</Text> },
            { label: "By", show: ({ author }) => author.name }, { label: "Last change", show: ({ updated_at }) => <When at={updated_at} /> },
          ]} />}
      </Section>
    </Page>
  );
}

function InForce() {
  const queries = useQueryClient();
  const may = useMay();
  const configuration = useQuery({ queryKey: ["/api/configuration"], queryFn: ({ signal }) => api.get<Configuration>("/api/configuration", {}, signal), refetchInterval: 30_000 });
  const sync = useMutation({ mutationFn: () => api.post<{ status: string }>("/api/configuration/sync"), onSuccess: ({ status }) => { notifications.show({ message: status === "applied" ? "What main says is in force now." : status === "current" ? "Nothing new." : "Main was refused: the last good revision stays." }); void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && /^\/api\/(changes|configuration)/.test(first) }); }, onError: (error) => notifications.show({ color: "red", title: "Not taken up", message: error.message }) });
  const rollback = useMutation({ mutationFn: (revision: string) => api.post("/api/configuration/rollback", { revision }), onSuccess: () => { notifications.show({ message: "The earlier revision is in force again." }); void queries.invalidateQueries(); }, onError: (error) => notifications.show({ color: "red", title: "Not rolled back", message: error.message }) });
  return (
    <Loaded query={configuration} rows={2}>{({ revision, commit, main, review, forge, alarm, drift, revisions }) => (
      <Stack gap="sm">
        {alarm && <Alert color="red" variant="light" title="What main says is not in force">{alarm.message ?? "The last good revision stays."} {alarm.hint}</Alert>}
        {!alarm && drift && <Alert color="yellow" variant="light" title="Git and what is in force differ"><Group justify="space-between"><Text size="sm">Main has commits that are not in force yet.</Text>{may("changes:approve") && <Button size="xs" variant="default" loading={sync.isPending} onClick={() => sync.mutate()}>Take them up</Button>}</Group></Alert>}
        {forge?.trouble && <Alert color="yellow" variant="light" title="The pull requests could not be looked at">{forge.trouble.message} {forge.trouble.hint}</Alert>}
        <Paper withBorder p="md">
          <Group gap="xl">
            <Stack gap={2}><Text size="xs" c="dimmed">In force</Text><Text size="sm"><Code>{revision?.slice(0, 12) ?? "nothing yet"}</Code>{commit && <> at commit <Code>{commit.slice(0, 10)}</Code></>}</Text></Stack>
            {main && <Stack gap={2}><Text size="xs" c="dimmed">Main</Text><Text size="sm"><Code>{main.slice(0, 10)}</Code> {drift === false && "the same"}</Text></Stack>}
            {review && <Stack gap={2}><Text size="xs" c="dimmed">Review</Text><Text size="sm">{review === "self" ? "authors may approve their own" : "another person approves"}{forge && forge.name !== "" && <>, here or in the pull request at <Code>{forge.name}</Code></>} {forge && may("changes:approve") && <Button size="compact-xs" variant="default" loading={sync.isPending} onClick={() => sync.mutate()}>Look there now</Button>}</Text></Stack>}
          </Group>
          {revisions.length > 1 && (
            <details style={{ marginTop: 12 }}><summary><Text span size="sm">{revisions.length} times put in force</Text></summary>
              <Table fz="sm" mt="xs"><Table.Thead><Table.Tr><Table.Th>Revision</Table.Th><Table.Th>How</Table.Th><Table.Th>By</Table.Th><Table.Th>Organisations</Table.Th><Table.Th>When</Table.Th><Table.Th /></Table.Tr></Table.Thead>
                <Table.Tbody>{revisions.map((each, index) => <Table.Tr key={each.at}><Table.Td><Code>{each.revision.slice(0, 10)}</Code></Table.Td><Table.Td>{each.change ? <Anchor component={Link} to={`/changes/${each.change}`} size="sm">{each.how}</Anchor> : each.how}</Table.Td><Table.Td>{each.by}</Table.Td><Table.Td>{each.changed.length > 3 ? `${each.changed.length} organisations` : each.changed.join(", ") || "none"}</Table.Td><Table.Td><When at={each.at} /></Table.Td><Table.Td>{index > 0 && each.revision !== revision && may("changes:approve") && <Button size="compact-xs" variant="default" onClick={() => { if (confirm("Put this revision in force again? Changes applied since are undone, for every organisation.")) rollback.mutate(each.revision); }}>Go back to it</Button>}</Table.Td></Table.Tr>)}</Table.Tbody></Table>
            </details>
          )}
        </Paper>
      </Stack>
    )}</Loaded>
  );
}
