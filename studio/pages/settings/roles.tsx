/** Who may do what: the server's own table, so that what stands here is what it does. */
import { Badge, Group, ScrollArea, Stack, Table, Text, TextInput, Tooltip, VisuallyHidden } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { useSession } from "../../api/session.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { useFilters } from "../../ui/use-filters.ts";
import { inWords } from "./people.tsx";

interface Permissions { readonly roles: readonly string[]; readonly permissions: Readonly<Record<string, { readonly title: string; readonly narrow?: string; readonly scope: string | null; readonly roles: Readonly<Record<string, string>> }>> }

const HIDDEN = new Set(["public", "self"]);

export default function Roles() {
  const [{ words = "" }, narrow] = useFilters<"words">();
  const { role: own } = useSession();
  const table = useQuery({ queryKey: ["/api/permissions"], queryFn: ({ signal }) => api.get<Permissions>("/api/permissions", {}, signal), staleTime: Infinity });
  return (
    <Page title="Roles" wide lead="What each role may do. “In part”: as far as the line says; “by policy” depends on what the organisation's preset opens.">
      <TextInput aria-label="Find a permission" placeholder="Find a permission" maw={320} value={words} onChange={(event) => narrow({ words: event.currentTarget.value })} />
      <Loaded query={table} rows={12}>{({ roles, permissions }) => {
        const rows = Object.entries(permissions).filter(([name, { title }]) => !HIDDEN.has(name) && `${name} ${title}`.toLowerCase().includes(words.trim().toLowerCase()));
        return rows.length === 0 ? <Empty title="None is called that" /> : (
          <ScrollArea type="auto" viewportProps={{ tabIndex: 0, role: "region", "aria-label": "Roles and permissions" } as never}>
            <Table miw={980} fz="sm" stickyHeader={false}>
              <Table.Thead><Table.Tr><Table.Th scope="col" fz="xs" c="dimmed" fw={500}>Permission</Table.Th>{roles.map((role) => <Table.Th key={role} scope="col" fz="xs" c="dimmed" fw={role === own ? 700 : 500}>{inWords(role)}{role === own ? " (you)" : ""}</Table.Th>)}</Table.Tr></Table.Thead>
              <Table.Tbody>{rows.map(([name, row]) => (
                <Table.Tr key={name}>
                  <Table.Th scope="row" fw={400}><Stack gap={0}><Text size="sm">{row.title}</Text><Text size="xs" c="dimmed" className="mono">{name}{row.scope === null ? " · never by a key" : row.scope !== name ? ` · key's scope ${row.scope}` : ""}</Text>{row.narrow !== undefined && <Text size="xs" c="dimmed" maw={420}>In part: {row.narrow}.</Text>}</Stack></Table.Th>
                  {roles.map((role) => <Table.Td key={role}><Cell grant={row.roles[role]} /></Table.Td>)}
                </Table.Tr>
              ))}</Table.Tbody>
            </Table>
          </ScrollArea>
        );
      }}</Loaded>
      <Group gap="lg"><Legend mark={<Cell grant="full" />}>as it says</Legend><Legend mark={<Cell grant="narrow" />}>less than that</Legend><Legend mark={<Cell grant="credentials" />}>where the preset's policy opens that area</Legend><Legend mark={<Cell grant={undefined} />}>never</Legend></Group>
    </Page>
  );
}

function Cell({ grant }: { readonly grant: string | undefined }) {
  if (grant === undefined) return <Text size="sm" c="dimmed"><span aria-hidden>–</span><VisuallyHidden>no</VisuallyHidden></Text>;
  if (grant === "full") return <Badge variant="light" color="teal" radius="sm" tt="none">yes</Badge>;
  if (grant === "narrow") return <Badge variant="light" color="blue" radius="sm" tt="none">in part</Badge>;
  return <Tooltip label={`Where the organisation's policy opens ${grant.replaceAll("_", " ")}`}><Badge variant="light" color="yellow" radius="sm" tt="none">by policy</Badge></Tooltip>;
}

const Legend = ({ mark, children }: { readonly mark: React.ReactNode; readonly children: string }) => <Group gap={6}>{mark}<Text size="xs" c="dimmed">{children}</Text></Group>;
