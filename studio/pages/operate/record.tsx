/** One row, and its lineage: what the provider sent → the mapping → the revision → the run. */
import { Anchor, Badge, Button, Code, Group, Paper, ScrollArea, Stack, Table, Text, Timeline } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Failed, Loaded } from "../../ui/states.tsx";
import { ForTenant } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { type EntityRecord, FIXED, inShort, nameFieldOf } from "./records.tsx";

interface Contribution { readonly connection: string; readonly stream: string; readonly key: string; readonly version: string | null; readonly data: Readonly<Record<string, unknown>>; readonly flow: string | null; readonly mapping: string | null; readonly run: string; readonly revision: string | null; readonly created_at: string; readonly updated_at: string; readonly deleted_at: string | null; readonly deleted_reason: string | null }

/** Until it is there, and where there is none. */
const UNKNOWN = { title: "Record", crumbs: [{ label: "Records", to: "/records" }] };

export default function RecordPage() {
  const { entity, id } = useParams({ strict: false }) as { entity: string; id: string };
  return <ForTenant as={UNKNOWN}>{(tenant) => <One tenant={tenant} entity={entity} id={id} />}</ForTenant>;
}

function One({ tenant, entity, id }: { readonly tenant: string; readonly entity: string; readonly id: string }) {
  const may = useMay();
  const record = useQuery({ queryKey: [`/api/records/${entity}/${id}`, tenant], queryFn: ({ signal }) => api.get<EntityRecord>(`/api/records/${entity}/${id}`, { tenant }, signal) });
  const lineage = useQuery({ queryKey: [`/api/records/${entity}/${id}/lineage`, tenant], queryFn: ({ signal }) => api.get<{ contributions: readonly Contribution[] }>(`/api/records/${entity}/${id}/lineage`, { tenant }, signal), enabled: may("runs:read") });
  return (
    <Loaded query={record} as={UNKNOWN}>{(row) => {
      const fields = Object.entries(row).filter(([name]) => !FIXED.has(name));
      return (
        <Page title={String(row[nameFieldOf(fields.flatMap(([name, value]) => typeof value === "string" ? name : [])) ?? "id"])} crumbs={[{ label: "Records", to: `/records?tenant=${tenant}&entity=${entity}` }, { label: entity }]} lead={<>Changed <When at={row.updated_at} />, first stored <When at={row.created_at} />{row.deleted_at === undefined ? "" : <>, ended <When at={row.deleted_at} /></>}.</>}>
          <Section title="Fields">
            <Paper withBorder><Table variant="vertical" fz="sm" layout="fixed"><Table.Tbody>
              {fields.map(([name, value]) => <Table.Tr key={name}><Table.Th w={220} fw={500} c="dimmed">{name}</Table.Th><Table.Td style={{ overflowWrap: "anywhere" }}>{typeof value === "object" && value !== null ? <Code block>{JSON.stringify(value, null, 2)}</Code> : inShort(value)}</Table.Td></Table.Tr>)}
            </Table.Tbody></Table></Paper>
            <Group gap="xs">{Object.entries(row.labels).map(([name, value]) => <Badge key={name} variant="default" radius="sm" tt="none">{name}: {value}</Badge>)}</Group>
          </Section>
          {may("runs:read") && <Section title="Where it came from"><Loaded query={lineage} rows={3}>{({ contributions }) => <Stack>{contributions.map((each) => <View key={`${each.connection} ${each.stream} ${each.key}`} tenant={tenant} entity={entity} id={row.id} from={each} />)}</Stack>}</Loaded></Section>}
        </Page>
      );
    }}</Loaded>
  );
}

function View({ tenant, entity, id, from }: { readonly tenant: string; readonly entity: string; readonly id: string; readonly from: Contribution }) {
  const may = useMay();
  // An organisation's own people see their flow's mapping, not everybody's.
  const mapping = may("configuration:propose") ? `/mappings/${from.mapping}` : may("overrides:read") && from.flow !== null ? `/super-admin/organizations/${tenant}/mappings/${from.flow}` : undefined;
  const raw = useMutation({ mutationFn: () => api.get<{ raw: unknown }>(`/api/records/${entity}/${id}/raw`, { tenant, connection: from.connection, stream: from.stream, key: from.key }) });
  return (
    <Paper withBorder p="md">
      <Timeline active={4} bulletSize={14} lineWidth={2}>
        <Timeline.Item title={<Text size="sm" fw={550}>{from.connection}.{from.stream} {from.key}</Text>}>
          <Text size="xs" c="dimmed">Sent <When at={from.updated_at} />{from.version === null ? "" : `, version ${from.version}`}{from.deleted_at === null ? "" : `, ended: ${from.deleted_reason}`}</Text>
          {may("raw:read") && !raw.data && <Button mt={6} size="compact-xs" variant="default" loading={raw.isPending} onClick={() => raw.mutate()}>Show what was sent</Button>}
          {raw.isError && <Failed error={raw.error} />}
          {raw.data && <ScrollArea.Autosize mah={320} mt={6}><Code block>{JSON.stringify(raw.data.raw, null, 2)}</Code></ScrollArea.Autosize>}
        </Timeline.Item>
        <Timeline.Item title={<Text size="sm" fw={550}>Mapping {from.mapping === null ? "none" : mapping === undefined ? from.mapping : <Anchor component={Link} to={mapping} search={{ tenant } as never} size="sm">{from.mapping}</Anchor>}</Text>}><Text size="xs" c="dimmed">{from.flow === null ? "no flow uses it now" : `flow ${from.flow}`}</Text></Timeline.Item>
        <Timeline.Item title={<Text size="sm" fw={550}>Configuration <Code>{from.revision?.slice(0, 12) ?? "unknown"}</Code></Text>} />
        <Timeline.Item title={<Anchor component={Link} to={`/runs/${from.run}`} search={{ tenant } as never} size="sm" fw={550}>Run {from.run.slice(0, 8)}</Anchor>} />
      </Timeline>
    </Paper>
  );
}
