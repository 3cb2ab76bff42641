/** The operator's own connections, beside what customers bring: the two kinds of integration, told apart. */
import { Anchor, Badge, Button, Code, Group, Modal, Paper, Select, SimpleGrid, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { GlobeIcon, PersonIcon } from "@radix-ui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { api, ApiError, type Page as Listed } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Empty, Failed, Loaded, LoadingRows } from "../../ui/states.tsx";
import type { Connector } from "../connectors/types.ts";
import { ConnectForm } from "../organizations/connect-form.tsx";
import { Integrations } from "../organizations/integrations.tsx";
import type { Connection, Tenant } from "../organizations/types.ts";

export default function Platform() {
  const may = useMay();
  const connections = useQuery({ queryKey: ["/api/connections", "platform"], retry: false, queryFn: ({ signal }) => api.get<{ data: readonly Connection[] }>("/api/connections", { tenant: "platform" }, signal) });
  const connectors = useQuery({ queryKey: ["/api/connectors"], queryFn: ({ signal }) => api.get<Listed<Connector>>("/api/connectors", { limit: 1000 }, signal) });
  const tenants = useQuery({ queryKey: ["/api/tenants"], queryFn: ({ signal }) => api.get<Listed<Tenant>>("/api/tenants", { limit: 1000 }, signal), staleTime: 30_000 });
  const customers = (tenants.data?.data ?? []).filter(({ kind }) => kind !== "platform");
  const own = connections.data?.data.length ?? 0;
  const theirs = customers.reduce((sum, { connections: each }) => sum + (each?.length ?? 0), 0);
  const missing = (connectors.data?.data ?? []).filter(({ missing: left }) => left.length > 0);
  // A deployment whose configuration has no tenants/platform.yaml has none of its own.
  const isAbsent = connections.error instanceof ApiError && connections.error.code === "PLAN_UNKNOWN_TENANT";
  return (
    <Page title="Platform connections" lead="What you connect for yourselves, and what is set once for all customers.">
      <SimpleGrid cols={{ base: 1, sm: 2 }} component="section" aria-label="Two kinds of integration">
        <Kind here icon={<GlobeIcon aria-hidden />} title="Your own" count={isAbsent ? 0 : own} text="One set of connections for the platform itself: your website, your CRM, your mail. Only your staff see them, and what they read belongs to no customer. An app that you registered at a provider is entered here once, and every customer's sign-in goes through it." />
        <Kind icon={<PersonIcon aria-hidden />} title="Each customer's own" count={theirs} text="A set of connections for every organisation: its own account at the provider, its own credential, its own schedule. Nobody sees another's, and nothing entered for one is used for another." link={<Anchor component={Link} to="/super-admin/organizations" size="sm">Organisations</Anchor>} />
      </SimpleGrid>
      <Section title="Your own connections" actions={may("configuration:propose") && connectors.data && <Add connectors={connectors.data.data} taken={new Set((connections.data?.data ?? []).map(({ connection }) => connection))} isFirst={isAbsent} />}>
        {isAbsent ? <Empty title="None yet">{may("configuration:propose") ? <>Add one: it is a line of <Code>tenants/platform.yaml</Code>, reviewed as every change. Once that is in force, it is connected here.</> : <>They are named in <Code>tenants/platform.yaml</Code>.</>}</Empty>
          : connections.isError ? <Failed error={connections.error} retry={() => void connections.refetch()} /> : connections.data === undefined ? <LoadingRows rows={4} /> : <Integrations tenant="platform" />}
      </Section>
      <Section title="Set once for all customers">
        <Loaded query={connectors} rows={2}>{() => missing.length === 0 ? <Text size="sm" c="dimmed">Nothing is left to set.</Text> : (
          <Stack gap="xs">{missing.map(({ id, title, missing: left }) => (
            <Paper key={id} withBorder p="sm"><Group justify="space-between"><Stack gap={2} miw={0}><Anchor component={Link} to={`/connectors/${id}`} size="sm" fw={600}>{title}</Anchor><Text size="xs" c="dimmed">Your app at the provider. Without it nobody signs in there; connecting by key works all the same, where it is offered.</Text></Stack>
              <Group gap="xs">{left.map((field) => <Badge key={field} color="yellow" variant="light" tt="none">{field} missing</Badge>)}<SetApp connector={id} title={title} own={connections.data?.data.find(({ connector }) => connector === id)} connectors={connectors.data?.data ?? []} isFirst={isAbsent} /></Group></Group></Paper>
          ))}</Stack>
        )}</Loaded>
      </Section>
    </Page>
  );
}

/** The app is entered with the operator's connection of that connector: where there is none yet, that comes first. */
function SetApp({ connector, title, own, connectors, isFirst }: { readonly connector: string; readonly title: string; readonly own: Connection | undefined; readonly connectors: readonly Connector[]; readonly isFirst: boolean }) {
  const may = useMay();
  const [opened, { open, close }] = useDisclosure();
  if (own === undefined) return may("configuration:propose") ? <Add label="Add a connection to enter it" connectors={connectors} taken={NOBODY} isFirst={isFirst} first={connector} /> : null;
  if (!may("connections:write")) return null;
  return <><Button size="xs" aria-haspopup="dialog" onClick={open} aria-label={`Enter the app at ${title}`}>Enter it</Button><Modal opened={opened} onClose={close} title={`Your app at ${title}`} size="lg">{opened && <ConnectForm tenant="platform" connection={own} done={close} />}</Modal></>;
}

const NOBODY: ReadonlySet<string> = new Set();

/** A line of tenants/platform.yaml, proposed; it is connected here once it is applied. */
function Add({ label = "Add a connection", connectors, taken, isFirst, first = null }: { readonly label?: string; readonly connectors: readonly Connector[]; readonly taken: ReadonlySet<string>; readonly isFirst: boolean; readonly first?: string | null }) {
  const [opened, { open, close }] = useDisclosure();
  const [connector, setConnector] = useState<string | null>(first);
  const propose = useProposal(() => api.post<ProposalAnswer>("/api/changes", {
    title: `platform: connect ${connector}`, propose: true,
    edits: [{ file: "tenants/platform.yaml", set: [...(isFirst ? [{ pointer: "/tenant", value: "platform" }, { pointer: "/title", value: "Platform" }] : []), { pointer: `/connections/${connector}/connector`, value: connector }] }],
  }));
  return (
    <>
      <Button size="xs" variant="default" aria-haspopup="dialog" onClick={open}>{label}</Button>
      <Modal opened={opened} onClose={close} title="Add a connection of your own">
        <form onSubmit={(event) => { event.preventDefault(); propose.mutate(); }}><Stack>
          <Select label="Connector" searchable data={connectors.filter(({ id }) => !taken.has(id)).map(({ id, title }) => ({ value: id, label: title }))} value={connector} onChange={setConnector} />
          <Text size="xs" c="dimmed">A line of <Code>tenants/platform.yaml</Code>. Flows of it are written there too.</Text>
          {propose.isError && <Failed error={propose.error} />}
          <Group justify="flex-end"><Button type="submit" disabled={connector === null} loading={propose.isPending}>Propose change</Button></Group>
        </Stack></form>
      </Modal>
    </>
  );
}

function Kind({ icon, title, count, text, link, here = false }: { readonly icon: ReactNode; readonly title: string; readonly count: number; readonly text: string; readonly link?: ReactNode; readonly here?: boolean }) {
  return (
    <Paper withBorder p="md" component="article" aria-label={title} style={here ? { borderColor: "var(--mantine-primary-color-filled)" } : undefined}>
      <Stack gap={6}><Group justify="space-between"><Group gap={8}>{icon}<Text fw={600}>{title}</Text></Group><Text size="xs" c="dimmed">{count} {count === 1 ? "connection" : "connections"}{here ? ", this page" : ""}</Text></Group><Text size="sm">{text}</Text>{link}</Stack>
    </Paper>
  );
}
