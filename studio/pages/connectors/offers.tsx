/** What a connector can do, under which limits, and where it is used. */
import { Anchor, Badge, Code, CopyButton, Button, Group, Paper, SimpleGrid, Stack, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Section } from "../../ui/page.tsx";
import { When } from "../../ui/time.tsx";
import type { Connector, Workbench } from "./types.ts";

const DOORS: Readonly<Record<string, string>> = { list: "list", changes: "changes", one: "one by key" };
const ONCE: Readonly<Record<string, string>> = { repeatable: "a second try is harmless", guarded: "a second try is recognised", never: "at least once: a second try may do it twice" };

export function Offers({ of, bench }: { readonly of: Connector; readonly bench: Workbench }) {
  return (
    <Stack gap="xl">
      <Section title="Streams">
        {of.streams.length === 0 ? <Text size="sm" c="dimmed">It has none: it is only written to.</Text> : (
          <Listing label="Streams" head={["Stream", "Read", "Incremental", "Mapped to"]}>
            {of.streams.map(({ name, doors, incremental }) => (
              <Table.Tr key={name}>
                <Table.Td><Anchor component={Link} to={`/connectors/${of.id}`} search={{ tab: "try", stream: name } as never} size="sm" fw={550}>{name}</Anchor></Table.Td>
                <Table.Td>{doors.length === 0 ? <Text size="sm" c="dimmed">pushed only</Text> : doors.map((door) => DOORS[door] ?? door).join(", ")}</Table.Td>
                <Table.Td>{incremental ? "yes" : "no: read whole"}</Table.Td>
                <Table.Td><Group gap={6}>{bench.mappings.filter(({ stream }) => stream === name).map(({ id, to }) => <Anchor key={id} component={Link} to={`/mappings/${id}`} size="sm">{to}</Anchor>)}</Group></Table.Td>
              </Table.Tr>
            ))}
          </Listing>
        )}
      </Section>
      {of.actions.length > 0 && (
        <Section title="Actions">
          <Listing label="Actions" head={["Action", "Does", "A second try"]}>
            {of.actions.map(({ name, does, stream, once }) => <Table.Tr key={name}><Table.Td fw={550}>{name}</Table.Td><Table.Td>{does === undefined ? <Text size="sm" c="dimmed">not said</Text> : `${does} ${stream ?? ""}`}</Table.Td><Table.Td>{once === undefined ? "" : ONCE[once] ?? once}</Table.Td></Table.Tr>)}
          </Listing>
        </Section>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
        <Section title="How it is reached">
          <Paper withBorder p="md"><Stack gap="xs">
            <Fact name="Signs requests">{of.auth.length === 0 ? "not at all" : of.auth.map(({ type }) => type.replaceAll("_", " ")).join(", or ")}</Fact>
            <Fact name="Asked when connecting">{of.required.join(", ") || "nothing"}</Fact>
            <Fact name="Credentials go to">{of.hosts.length === 0 ? "nobody" : <Group gap={4}>{of.hosts.map((host) => <Code key={host}>{host}</Code>)}</Group>}</Fact>
            <Fact name="A credential is proved">{of.check ? "by asking the provider" : "by the first run only"}</Fact>
            {of.webhooks.length > 0 && <Fact name="Hears">{of.webhooks.map(({ name, scope }) => `${name}${scope === "app" ? " (one address for all customers)" : ""}`).join(", ")}</Fact>}
            {Object.entries(of.limits).map(([name, limit]) => <Fact key={name} name={`Limit ${name}`}>{[limit.max === undefined ? "" : `${limit.max} requests every ${limit.every_seconds} s`, limit.at_once === undefined ? "" : `${limit.at_once} at once`, limit.per === undefined ? "" : `per ${limit.per}`].filter(Boolean).join(", ")}</Fact>)}
            {of.callback !== null && <Fact name="Redirect address to register"><Group gap={6} wrap="nowrap"><Code style={{ overflowWrap: "anywhere" }}>{of.callback}</Code><CopyButton value={of.callback}>{({ copied, copy }) => <Button size="compact-xs" variant="default" onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}</CopyButton></Group></Fact>}
          </Stack></Paper>
        </Section>
        <Section title="Where it is used">
          <Paper withBorder p="md"><Stack gap="xs">
            <Fact name="Presets">{bench.presets.length === 0 ? <Text size="sm" c="dimmed">none</Text> : <Group gap={8}>{bench.presets.map(({ preset, title }) => <Anchor key={preset} component={Link} to={`/super-admin/integration-defaults/${preset}`} size="sm">{title}</Anchor>)}</Group>}</Fact>
            <Fact name="Organisations">{bench.tenants.length === 0 ? <Text size="sm" c="dimmed">none</Text> : <Group gap={8}>{bench.tenants.slice(0, 30).map(({ tenant, title }) => <Anchor key={tenant} component={Link} to={tenant === "platform" ? "/platform" : `/super-admin/organizations/${tenant}`} size="sm">{title}</Anchor>)}{bench.tenants.length > 30 && <Text size="sm" c="dimmed">and {bench.tenants.length - 30} more</Text>}</Group>}</Fact>
            {of.health.errors.map(({ code, connections, last_at }) => <Fact key={code} name={`Broken at ${connections}`}><Badge color="red" variant="light" tt="none" radius="sm">{code}</Badge> <When at={last_at} /></Fact>)}
          </Stack></Paper>
        </Section>
      </SimpleGrid>
    </Stack>
  );
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => <div><Text size="xs" c="dimmed">{name}</Text><Text size="sm" component="div">{children}</Text></div>;

const Listing = ({ label, head, children }: { readonly label: string; readonly head: readonly string[]; readonly children: ReactNode }) => (
  <Paper withBorder style={{ overflowX: "auto" }} tabIndex={0}><Table fz="sm" miw={520} aria-label={label}><Table.Thead><Table.Tr>{head.map((each) => <Table.Th key={each} fz="xs" c="dimmed" fw={500}>{each}</Table.Th>)}</Table.Tr></Table.Thead><Table.Tbody>{children}</Table.Tbody></Table></Paper>
);
