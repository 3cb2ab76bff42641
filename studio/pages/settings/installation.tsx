/** This installation: what runs, which configuration is in force, and with which keys everything is sealed. */
import { Alert, Anchor, Badge, Code, Group, Paper, Progress, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ApiError } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { whole } from "../operate/types.ts";

interface Ready { readonly ready: boolean; readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>> }
interface Configuration { readonly revision: string | null; readonly commit: string | null; readonly main: string | null; readonly review: string | null; readonly drift: boolean | null; readonly alarm: { readonly message?: string } | null; readonly revisions: readonly { readonly revision: string; readonly how: string; readonly by: string; readonly at: string; readonly changed: readonly string[] }[] }
interface Keys { readonly kek: string; readonly old_kek: string | null; readonly all: number; readonly data: readonly { readonly tenant: string; readonly title: string; readonly version: number | null; readonly created_at: string | null; readonly wrapped_by: "current" | "old" | "unknown" | "none"; readonly rotating: boolean }[]; readonly rotation: Rotation | null }
interface Rotation { readonly by: string; readonly started_at: string; readonly ended_at: string | null; readonly all: number; readonly finished: number; readonly now: { readonly tenant: string; readonly done: number; readonly total: number } | null; readonly error: { readonly tenant: string; readonly message: string; readonly hint?: string } | null }

const CHECKS: Readonly<Record<string, string>> = { database: "Database", migrations: "Its tables", revision: "Configuration" };
const WRAPPED = { current: ["teal", "in order"], old: ["yellow", "wrapped by the old key"], unknown: ["red", "wrapped by a key that is not here"], none: ["gray", "no key yet"] } as const;

export default function Installation() {
  const health = useQuery({ queryKey: ["/healthz"], queryFn: ({ signal }) => api.get<{ version: string }>("/healthz", {}, signal) });
  const ready = useQuery({ queryKey: ["/readyz"], queryFn: ({ signal }) => api.get<Ready>("/readyz", {}, signal).catch(unready), refetchInterval: 15_000 });
  const configuration = useQuery({ queryKey: ["/api/configuration"], queryFn: ({ signal }) => api.get<Configuration>("/api/configuration", {}, signal) });
  const keys = useQuery({ queryKey: ["/api/data-keys"], queryFn: ({ signal }) => api.get<Keys>("/api/data-keys", {}, signal), refetchInterval: ({ state }) => isUnderWay(state.data?.rotation) ? 700 : false });
  const may = useMay();
  const begin = async (tenant?: string): Promise<void> => { await api.post("/api/data-keys/rotation", tenant === undefined ? {} : { tenant }); await keys.refetch(); };
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
      <Section title="Keys and rotation" actions={may("installation:write") && keys.data && <ConfirmButton label="New data keys" title="New data keys for every organisation?" yes="Make new keys" color="plug" disabled={isUnderWay(keys.data.rotation)} act={() => begin()}><Text size="sm">Each of the {whole(keys.data.all)} gets a new data key, everything that is sealed is sealed with it again, and the old key is destroyed. Syncs go on meanwhile. Backups from before open with the keys of that backup only.</Text></ConfirmButton>}>
        <Loaded query={keys} rows={4}>{({ kek, old_kek, all, data, rotation }) => (
          <Stack gap="sm">
            <Text size="sm">Credentials and raw records are sealed with a data key of each organisation, and that by the key-encryption key <Code>{kek}</Code>{old_kek === null ? "." : <>; the one before it, <Code>{old_kek}</Code>, is still accepted.</>}</Text>
            {old_kek !== null && <Alert color="yellow" variant="light" title="A rotation is under way"><Text size="sm">Run <Code>plugboard secrets rotate-kek</Code>, then take the old key away. <Code>plugboard secrets status</Code> says what is left to do.</Text></Alert>}
            {rotation && <HowFar of={rotation} />}
            {!isUnderWay(rotation) && data.some(({ rotating }) => rotating) && <Alert color="yellow" variant="light" title="A replacement is under way elsewhere, or was cut short">Nothing is lost. Where nobody is at it any more, make new keys once more: it goes on from there.</Alert>}
            <DataTable label="Data keys" rows={data} keyOf={({ tenant }) => tenant} columns={[
              { label: "Organisation", show: ({ title }) => <Text size="sm" fw={550}>{title}</Text> },
              { label: "Data key", align: "right", show: ({ version }) => version === null ? "–" : whole(version) },
              { label: "Made", show: ({ created_at }) => <When at={created_at} empty="not yet" /> },
              { label: "State", show: ({ wrapped_by, rotating }) => rotating ? <Badge variant="light" color="yellow" radius="sm" tt="none">being replaced</Badge> : <Badge variant="light" color={WRAPPED[wrapped_by][0]} radius="sm" tt="none">{WRAPPED[wrapped_by][1]}</Badge> },
              ...(may("installation:write") ? [{ label: "", width: 110, show: ({ tenant, title }: Keys["data"][number]) => <ConfirmButton label="New key" aria-label={`New key for ${title}`} title={`A new data key for ${title}?`} yes="Make a new key" color="plug" disabled={isUnderWay(rotation)} act={() => begin(tenant)}><Text size="sm">What is sealed is sealed with it again, and the old key is destroyed. Syncs go on meanwhile.</Text></ConfirmButton> }] : []),
            ]} />
            {all > data.length && <Text size="xs" c="dimmed">The first {whole(data.length)} of {whole(all)}.</Text>}
            <Text size="sm" c="dimmed">The key-encryption key comes from outside, so it is replaced on the command line: <Code>plugboard secrets rotate-kek --help</Code> says how, in three steps.</Text>
          </Stack>
        )}</Loaded>
      </Section>
    </Page>
  );
}

/** A server that is not ready says with 503 what it lacks: that is what is shown. */
function unready(thrown: unknown): Ready {
  if (thrown instanceof ApiError && thrown.status === 503 && typeof thrown.answer === "object" && thrown.answer !== null && "checks" in thrown.answer) return thrown.answer as Ready;
  throw thrown;
}

const isUnderWay = (rotation: Rotation | null | undefined): boolean => rotation != null && rotation.ended_at === null;

function HowFar({ of: { by, started_at, ended_at, all, finished, now, error } }: { readonly of: Rotation }) {
  if (error) return <Alert color="red" variant="light" title={`It stopped at ${error.tenant}: ${error.message}`}>{error.hint ?? "Nothing is lost: begun again, it goes on."}</Alert>;
  if (ended_at !== null) return <Alert color="teal" variant="light" role="status">{all === 1 ? "One organisation has a new data key" : `${whole(all)} organisations have new data keys`}, asked for by {by}, finished <When at={ended_at} />.</Alert>;
  const share = now === null || now.total === 0 ? 0 : now.done / now.total;
  return (
    <Paper withBorder p="sm" role="status" aria-live="polite">
      <Stack gap={6}>
        <Group justify="space-between"><Text size="sm" fw={550}>New data keys: {whole(finished)} of {whole(all)} {all === 1 ? "organisation" : "organisations"}</Text><Text size="xs" c="dimmed">begun by {by}, <When at={started_at} /></Text></Group>
        <Progress value={((finished + share) / Math.max(all, 1)) * 100} aria-label="How far" animated />
        <Text size="xs" c="dimmed">{now === null ? "…" : `${now.tenant}: ${whole(now.done)} of ${whole(now.total)} values sealed again`}</Text>
      </Stack>
    </Paper>
  );
}
