/** One change: what it does, organisation by organisation, and to which records; then the decision. */
import { Alert, Anchor, Badge, Box, Button, Code, Group, Modal, Paper, Stack, Table, Text, Textarea, Tooltip, VisuallyHidden } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { ExternalLinkIcon } from "@radix-ui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { RISKS, SemanticDiff } from "../../changes/semantic-diff.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Failed, Loaded, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { whole } from "../operate/types.ts";
import type { FlowEffect, PullRequest, TenantChange, WholeChange } from "./types.ts";

/** Until it is there, and where there is none. */
const UNKNOWN = { title: "Change", crumbs: [{ label: "Changes", to: "/changes" }] };

export default function ChangePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const change = useQuery({ queryKey: [`/api/changes/${id}`], queryFn: ({ signal }) => api.get<WholeChange>(`/api/changes/${id}`, {}, signal),
    // What happens at the forge shows here without being asked for.
    refetchInterval: ({ state }) => (state.data?.pull_request?.state === "open" ? 15_000 : false) });
  return <Loaded query={change} as={UNKNOWN}>{(found) => <One change={found} />}</Loaded>;
}

function One({ change }: { readonly change: WholeChange }) {
  const queries = useQueryClient();
  const may = useMay();
  const [rejecting, { open, close }] = useDisclosure();
  const [why, setWhy] = useState("");
  const refresh = () => void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && /^\/api\/(changes|configuration|mappings|tenants|presets|flows)/.test(first) });
  const step = (name: string, done: string) => ({
    mutationFn: (body: object | undefined) => api.post(`/api/changes/${change.id}/${name}`, body ?? {}),
    onSuccess: () => { notifications.show({ message: done }); refresh(); },
    onError: (error: Error) => { notifications.show({ color: "red", title: "Not done", message: error.message, autoClose: 12_000 }); refresh(); },
  });
  const propose = useMutation(step("propose", "Proposed anew, on top of main."));
  const approve = useMutation(step("approve", "Approved."));
  const apply = useMutation(step("apply", "In force. Runs under way keep their revision."));
  const reject = useMutation(step("reject", "Rejected."));
  const rollback = useMutation(step("rollback", "Rolled back: what was in force before is in force again."));
  const open_ = ["proposed", "approved"].includes(change.status);
  const isApproved = change.approved || change.status === "approved";
  return (
    <Page title={change.title} crumbs={[{ label: "Changes", to: "/changes" }, { label: change.id.slice(0, 8) }]} lead={<Group gap="sm"><Status value={change.status === "proposed" && change.approved ? "approved" : change.status} /><span>by {change.author.name}, <When at={change.updated_at} /></span></Group>}
      actions={<>
        {change.status === "draft" && change.own && <Button loading={propose.isPending} disabled={change.problems.length > 0} onClick={() => propose.mutate(undefined)}>Propose change</Button>}
        {open_ && (change.own || may("changes:approve")) && <Button variant="default" aria-haspopup="dialog" onClick={open}>{change.own ? "Take it back" : "Reject"}</Button>}
        {open_ && change.own && <Button variant="default" loading={propose.isPending} onClick={() => propose.mutate(undefined)}>Bring up to date</Button>}
        {open_ && !isApproved && may("changes:approve") && <Button loading={approve.isPending} onClick={() => approve.mutate({ plan_hash: change.plan_hash })}>Approve</Button>}
        {open_ && isApproved && may("changes:approve") && <Button loading={apply.isPending} onClick={() => apply.mutate(undefined)}>{change.pull_request?.state === "open" ? "Merge and apply" : "Apply"}</Button>}
        {change.status === "applied" && may("changes:approve") && <Button variant="default" color="red" loading={rollback.isPending} onClick={() => { if (confirm("Roll this change back? What was in force before it is in force again.")) rollback.mutate({}); }}>Roll back</Button>}
      </>}>
      {change.description !== "" && <Text size="sm" style={{ whiteSpace: "pre-wrap" }} maw={720}>{change.description}</Text>}
      {change.reason && <Alert color="gray" variant="light">{change.decided_by}: {change.reason}</Alert>}
      {change.problems.length > 0 && <Alert color="red" variant="light" title="It cannot be proposed like this"><Stack gap={4}>{change.problems.map((problem, index) => <Text key={index} size="sm">{problem.at && <Code>{problem.at.file}:{problem.at.line}:{problem.at.col}</Code>} {problem.message} {problem.hint}</Text>)}</Stack></Alert>}
      {change.plan && <>
        <Paper withBorder p="md">
          <Group gap="xl" align="flex-start">
            <Stack gap={4}><Text size="xs" c="dimmed">Risk</Text><Tooltip label={RISKS[change.plan.risk] ?? ""} multiline maw={320}><Box><Status value={change.plan.risk} /></Box></Tooltip></Stack>
            <Stack gap={4}><Text size="xs" c="dimmed">Organisations</Text><Text size="sm">{change.plan.tenants.length === 0 ? "none: nobody uses it yet" : `${whole(change.plan.tenants.length)} change`}{change.plan.unchanged > 0 ? `, ${whole(change.plan.unchanged)} do not` : ""}</Text></Stack>
            <Stack gap={4}><Text size="xs" c="dimmed">Files</Text><Stack gap={0}>{change.plan.files.map(({ file, change: how }) => <Text key={file} size="sm"><Code>{file}</Code> {how}</Text>)}</Stack></Stack>
            {change.pull_request && <Reviewed at={change.pull_request} />}
            {change.branch && <Stack gap={4}><Text size="xs" c="dimmed">Branch</Text><Text size="sm"><Code>{change.branch}</Code></Text></Stack>}
          </Group>
          {change.plan.warnings.length > 0 && <Stack gap={2} mt="sm">{change.plan.warnings.map(({ message }, index) => <Text key={index} size="sm" c="orange">{message}</Text>)}</Stack>}
        </Paper>
        {change.plan.tenants.map((tenant) => <Tenant key={tenant.tenant} of={tenant} />)}
        <Section title="What it does to records"><Data change={change} /></Section>
      </>}
      <Modal opened={rejecting} onClose={close} title={change.own ? "Take the change back" : "Reject the change"}>
        <Stack><Textarea data-autofocus label="Why" autosize minRows={2} value={why} onChange={(event) => setWhy(event.currentTarget.value)} /><Group justify="flex-end"><Button variant="default" onClick={close}>Not yet</Button><Button color="red" loading={reject.isPending} onClick={() => { reject.mutate(why === "" ? {} : { reason: why }); close(); }}>{change.own ? "Take it back" : "Reject"}</Button></Group></Stack>
      </Modal>
    </Page>
  );
}

/** Its pull request, and what is said there. */
function Reviewed({ at: { number, url, state, review, reviewers, note } }: { readonly at: PullRequest }) {
  return (
    <Stack gap={4}>
      <Text size="xs" c="dimmed">Pull request</Text>
      <Group gap="xs">
        <Anchor href={url} target="_blank" rel="noreferrer" size="sm">#{number}<VisuallyHidden>, pull request in a new tab</VisuallyHidden> <ExternalLinkIcon aria-hidden width={12} height={12} style={{ verticalAlign: "-1px" }} /></Anchor>
        <Status value={state !== "open" ? state : review === null || review === "waiting" ? "in_review" : review} />
      </Group>
      {state === "open" && reviewers.length > 0 && <Text size="xs" c="dimmed">by {reviewers.join(", ")}</Text>}
      {state === "open" && note !== null && <Text size="xs" c="dimmed" maw={260}>{note}</Text>}
    </Stack>
  );
}

const short = (value: unknown): string => value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);

function Tenant({ of }: { readonly of: TenantChange }) {
  return (
    <Section title={of.title} id={`tenant-${of.tenant}`} actions={<Group gap="xs"><Badge variant="default" tt="none">{of.change}</Badge><Status value={of.risk} /></Group>}>
      <SemanticDiff label={`Changes of ${of.title}`} changes={of.changes} />
    </Section>
  );
}

/** Run through the old and the new mapping: asked for apart, because it takes a moment. */
function Data({ change }: { readonly change: WholeChange }) {
  const asked = ["draft", "proposed", "approved"].includes(change.status);
  const data = useQuery({ queryKey: [`/api/changes/${change.id}`, "data", change.version, change.plan_hash], enabled: asked, staleTime: 60_000, queryFn: ({ signal }) => api.get<WholeChange>(`/api/changes/${change.id}`, { data: true }, signal) });
  if (!asked) return <Text size="sm" c="dimmed">It is decided: records are what the runs since made of them.</Text>;
  if (data.isError) return <Failed error={data.error} retry={() => void data.refetch()} />;
  const flows = data.data?.data?.flows;
  if (data.data === undefined) return <LoadingRows rows={3} />;
  if (!flows || flows.length === 0) return <Empty title="No records change">The records read last come out the same.</Empty>;
  return <Stack>{flows.map((flow) => <Effect key={`${flow.tenant}/${flow.flow}`} of={flow} />)}{(data.data.data?.left_out ?? 0) > 0 && <Text size="sm" c="dimmed">{data.data.data!.left_out} more flows were not looked at.</Text>}</Stack>;
}

function Effect({ of }: { readonly of: FlowEffect }) {
  const counts = ([["newly_invalid", "would be refused", "red"], ["newly_filtered", "would be left out", "orange"], ["changed", "would change", "blue"], ["newly_valid", "would be accepted now", "teal"], ["newly_kept", "would be kept now", "teal"]] as const).filter(([name]) => of[name] > 0);
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Group justify="space-between"><Text size="sm" fw={600}>{of.tenant}: {of.flow}</Text><Text size="xs" c="dimmed">{of.stream} → {of.entity}, {whole(of.looked_at)} records looked at</Text></Group>
        {of.note && <Text size="sm" c="dimmed">{of.note}</Text>}
        <Group gap={6}>{counts.length === 0 ? <Text size="sm" c="dimmed">All come out the same.</Text> : counts.map(([name, words, colour]) => <Badge key={name} color={colour} variant="light" tt="none">{whole(of[name])} {words}</Badge>)}</Group>
        {Object.keys(of.fields).length > 0 && <Text size="xs" c="dimmed">Fields: {Object.entries(of.fields).map(([field, count]) => `${field} in ${whole(count)}`).join(", ")}</Text>}
        {of.reasons.filter(({ reason }) => reason !== "").map(({ reason, records }) => <Text key={reason} size="sm" c="red">{whole(records)}: {reason}</Text>)}
        {of.samples.length > 0 && (
          <details><summary><Text span size="sm">{of.samples.length} samples</Text></summary>
            <Box style={{ overflowX: "auto" }}><Table fz="xs" mt="xs" miw={560}><Table.Thead><Table.Tr><Table.Th>Record</Table.Th><Table.Th>Field</Table.Th><Table.Th>Before</Table.Th><Table.Th>After</Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>{of.samples.flatMap(({ key, before = {}, after = {}, reason }) => {
                const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
                return reason === undefined ? fields.map((field) => <Table.Tr key={key + field}><Table.Td>{key}</Table.Td><Table.Td>{field}</Table.Td><Table.Td><Code>{short(before[field])}</Code></Table.Td><Table.Td><Code>{short(after[field])}</Code></Table.Td></Table.Tr>) : [<Table.Tr key={key}><Table.Td>{key}</Table.Td><Table.Td colSpan={3} c="red">{reason}</Table.Td></Table.Tr>];
              })}</Table.Tbody></Table></Box>
          </details>
        )}
      </Stack>
    </Paper>
  );
}
