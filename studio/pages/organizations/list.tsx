/** Customer organisations: who they are, what they use, how it goes. */
import { Anchor, Badge, Button, Group, Text, TextInput } from "@mantine/core";
import { MagnifyingGlassIcon, PlusIcon } from "@radix-ui/react-icons";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMay } from "../../api/session.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import type { Tenant } from "./types.ts";

export default function Organizations() {
  const may = useMay();
  const navigate = useNavigate();
  const { q = "" } = useSearch({ strict: false }) as { q?: string };
  const tenants = usePages<Tenant>("/api/tenants", { limit: 200 });
  const customers = tenants.rows?.filter(({ kind }) => kind === "customer");
  const found = customers?.filter(({ tenant, title, subdomain }) => `${tenant} ${title} ${subdomain ?? ""}`.toLowerCase().includes(q.toLowerCase()));
  return (
    <Page title="Organisations" lead="Each brings its own credentials and sees only its own data." actions={may("tenants:write") && <Button component={Link} to="/super-admin/organizations/new" leftSection={<PlusIcon aria-hidden />}>New organisation</Button>}>
      {tenants.isError && tenants.rows === undefined ? <Failed error={tenants.error} retry={() => void tenants.refetch()} /> : customers === undefined ? <LoadingRows /> : customers.length === 0
        ? <Empty title="No organisations yet" action={may("tenants:write") && <Button component={Link} to="/super-admin/organizations/new" mt="sm">Create the first one</Button>}>An organisation is a customer: a name, a preset of integrations, and what differs.</Empty>
        : <>
          <TextInput w={{ base: "100%", sm: 300 }} placeholder="Search organisations" aria-label="Search organisations" leftSection={<MagnifyingGlassIcon aria-hidden />} value={q} onChange={(event) => void navigate({ to: ".", search: { q: event.currentTarget.value || undefined }, replace: true } as never)} />
          {found!.length === 0 ? <Empty title="None is called that" /> : (
            <DataTable label="Organisations" rows={found!} keyOf={({ tenant }) => tenant} hrefOf={({ tenant }) => `/super-admin/organizations/${tenant}`} more={tenants.more} columns={[
              { label: "Organisation", show: ({ tenant, title, subdomain }) => <><Anchor component={Link} to={`/super-admin/organizations/${tenant}`} size="sm" fw={550}>{title}</Anchor><Text size="xs" c="dimmed">{subdomain ?? tenant}</Text></> },
              { label: "Status", show: ({ status, status_reason }) => <Status value={status} reason={status_reason} /> },
              { label: "Preset", show: ({ preset }) => preset === null ? <Text size="sm" c="dimmed">none</Text> : <Group gap={6} wrap="nowrap"><Text size="sm">{preset.id}{preset.release === "head" ? "" : `@${preset.release}`}</Text>{preset.upgrade && <Badge size="sm" variant="light" tt="none">@{preset.newest} is there</Badge>}</Group> },
              { label: "Integrations", show: ({ connections }) => connections.length === 0 ? <Text size="sm" c="dimmed">none</Text> : <Group gap={4}>{connections.map(({ connection, status }) => <Status key={connection} value={status === "ok" ? "connected" : status} word={connection} />)}</Group> },
              { label: "Since", show: ({ created_at }) => <When at={created_at} /> },
            ]} />
          )}
        </>}
    </Page>
  );
}
