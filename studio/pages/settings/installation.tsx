/** This installation: what runs, which configuration is in force, and with which keys everything is sealed. */
import { Alert, Anchor, Badge, Code, Group, Paper, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { whole } from "../operate/types.ts";

interface Ready { readonly ready: boolean; readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>> }
interface Configuration { readonly revision: string | null; readonly commit: string | null; readonly main: string | null; readonly review: string | null; readonly drift: boolean | null; readonly alarm: { readonly message?: string } | null; readonly revisions: readonly { readonly revision: string; readonly how: string; readonly by: string; readonly at: string; readonly changed: readonly string[] }[] }
interface Keys { readonly kek: string; readonly old_kek: string | null; readonly all: number; readonly data: readonly { readonly tenant: string; readonly title: string; readonly version: number | null; readonly created_at: string | null; readonly wrapped_by: "current" | "old" | "unknown" | "none"; readonly rotating: boolean }[] }

const CHECKS: Readonly<Record<string, string>> = { database: "Database", migrations: "Its tables", revision: "Configuration" };
const WRAPPED = { current: ["teal", "in order"], old: ["yellow", "wrapped by the old key"], unknown: ["red", "wrapped by a key that is not here"], none: ["gray", "no key yet"] } as const;

export default function Installation() {
  const health = useQuery({ queryKey: ["/healthz"], queryFn: ({ signal }) => api.get<{ version: string }>("/healthz", {}, signal) });
  const ready = useQuery({ queryKey: ["/readyz"], queryFn: ({ signal }) => api.get<Ready>("/readyz", {}, signal), refetchInterval: 15_000 });
  const configuration = useQuery({ queryKey: ["/api/configuration"], queryFn: ({ signal }) => api.get<Configuration>("/api/configuration", {}, signal) });
  const keys = useQuery({ queryKey: ["/api/data-keys"], queryFn: ({ signal }) => api.get<Keys>("/api/data-keys", {}, signal) });
  return (
    <Page title="Installation" lead={<>Plugboard {health.data?.version ?? "…"}. The API is described at <Anchor href="/docs" size="sm" underline="always">/docs</Anchor>.</>}>
      <Loaded query={ready} rows={2}>{({ checks }) => <SimpleGrid cols={{ base: 1, sm: 3 }}>{Object.entries(checks).map(([name, { ok, detail }]) => <Paper key={name} withBorder p="sm"><Group justify="space-between"><Text size="sm" fw={550}>{CHECKS[name] ?? name}</Text><Badge variant="light" color={ok ? "teal" : "red"} radius="sm" tt="none">{ok ? "in order" : detail}</Badge></Group></Paper>)}</SimpleGrid>}</Loaded>
      <Section title="Configuration in force">
        <Loaded query={configuration} rows={3}>{({ revision, commit, main, review, drift, alarm, revisions }) => (
          <Stack gap="sm">
            {alarm && <Alert color="red" variant="light" title="What main says is not in force">{alarm.message}</Alert>}
            {drift === true && <Alert color="yellow" variant="light">What is in force differs from what main says.</Alert>}
            <Text size="sm">Revision <Code>{revision?.slice(0, 12) ?? "none"}</Code> of commit <Code>{commit?.slice(0, 10) ?? "–"}</Code>{main !== null && main !== commit ? <>, main is at <Code>{main.slice(0, 10)}</Code></> : ""}. {review === null ? "" : review === "self" ? "Changes may be approved by their author." : "Changes are approved by somebody else than their author."}</Text>
            {revisions.length > 0 && <DataTable label="Revisions" rows={revisions.slice(0, 20)} keyOf={(each) => `${each.revision} ${each.at}`} columns={[{ label: "When", show: ({ at }) => <When at={at} /> }, { label: "Revision", show: ({ revision: id }) => <Code>{id.slice(0, 12)}</Code> }, { label: "How", show: ({ how }) => how }, { label: "By", show: ({ by }) => by }, { label: "Organisations", show: ({ changed }) => <Text size="sm" truncate maw={260}>{changed.join(", ")}</Text> }]} />}
          </Stack>
        )}</Loaded>
      </Section>
      <Section title="Keys and rotation">
        <Loaded query={keys} rows={4}>{({ kek, old_kek, all, data }) => (
          <Stack gap="sm">
            <Text size="sm">Credentials and raw records are sealed with a data key of each organisation, and that by the key-encryption key <Code>{kek}</Code>{old_kek === null ? "." : <>; the one before it, <Code>{old_kek}</Code>, is still accepted.</>}</Text>
            {old_kek !== null && <Alert color="yellow" variant="light" title="A rotation is under way"><Text size="sm">Run <Code>plugboard secrets rotate-kek</Code>, then take the old key away. <Code>plugboard secrets status</Code> says what is left to do.</Text></Alert>}
            <DataTable label="Data keys" rows={data} keyOf={({ tenant }) => tenant} columns={[
              { label: "Organisation", show: ({ title }) => <Text size="sm" fw={550}>{title}</Text> },
              { label: "Data key", align: "right", show: ({ version }) => version === null ? "–" : whole(version) },
              { label: "Made", show: ({ created_at }) => <When at={created_at} empty="not yet" /> },
              { label: "State", show: ({ wrapped_by, rotating }) => rotating ? <Badge variant="light" color="yellow" radius="sm" tt="none">being replaced</Badge> : <Badge variant="light" color={WRAPPED[wrapped_by][0]} radius="sm" tt="none">{WRAPPED[wrapped_by][1]}</Badge> },
            ]} />
            {all > data.length && <Text size="xs" c="dimmed">The first {whole(data.length)} of {whole(all)}.</Text>}
            <Text size="sm" c="dimmed">Keys are replaced while everything runs, on the command line: <Code>plugboard secrets rotate</Code>.</Text>
          </Stack>
        )}</Loaded>
      </Section>
    </Page>
  );
}
