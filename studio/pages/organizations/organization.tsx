/** One organisation: its integrations, what it does otherwise than its preset, and its life. */
import { Alert, Anchor, Badge, Button, Group, Menu, Modal, Stack, Tabs, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, type Page as Listed } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Page } from "../../ui/page.tsx";
import { failed } from "../../ui/notify.ts";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { whole } from "../operate/types.ts";
import { FlowsOf } from "../flows/of-tenant.tsx";
import { Erase } from "./erase.tsx";
import { Impersonate } from "./impersonate.tsx";
import { Integrations } from "./integrations.tsx";
import { Overrides } from "./overrides.tsx";
import type { Tenant } from "./types.ts";

/** Until it is there, and where there is none. */
const UNKNOWN = { title: "Organisation", crumbs: [{ label: "Organisations", to: "/super-admin/organizations" }] };

export default function OrganizationPage() {
  const { tenant } = useParams({ strict: false }) as { tenant: string };
  const found = useQuery({ queryKey: ["/api/tenants", tenant], queryFn: ({ signal }) => api.get<Tenant>(`/api/tenants/${tenant}`, {}, signal) });
  return <Loaded query={found} as={UNKNOWN}>{(organisation) => <One of={organisation} />}</Loaded>;
}

function One({ of }: { readonly of: Tenant }) {
  const may = useMay();
  const navigate = useNavigate();
  const { tab = "integrations" } = useSearch({ strict: false }) as { tab?: string };
  const [impersonating, impersonate] = useDisclosure();
  const [suspending, suspend] = useDisclosure();
  const [erasing, erase] = useDisclosure();
  const queries = useQueryClient();
  const resume = useMutation({ mutationFn: () => api.post(`/api/tenants/${of.tenant}/resume`), onSuccess: () => void queries.invalidateQueries({ queryKey: ["/api/tenants"] }), onError: failed("Not resumed") });
  const limits = Object.entries(of.limits);
  return (
    <Page title={of.title} crumbs={[{ label: "Organisations", to: "/super-admin/organizations" }, { label: of.tenant }]}
      lead={<Group gap="sm"><Status value={of.status} reason={of.status_reason} />{of.preset && <span>Preset {of.preset.id}{of.preset.release === "head" ? "" : `@${of.preset.release}`}</span>}{of.preset?.upgrade && <Badge variant="light" tt="none">release {of.preset.newest} is there</Badge>}{limits.map(([name, most]) => <span key={name}>at most {whole(most)} {name}</span>)}{limits.length > 0 && may("quarantine:read") && <Held tenant={of.tenant} />}</Group>}
      actions={may("tenants:write") && (
        <Menu position="bottom-end"><Menu.Target><Button variant="default">More</Button></Menu.Target>
          <Menu.Dropdown>
            {may("impersonate") && <Menu.Item aria-haspopup="dialog" onClick={impersonate.open}>Act as one of its people</Menu.Item>}
            <Menu.Item component="a" href={`/api/tenants/${of.tenant}/export`} download>Export everything</Menu.Item>
            <Menu.Divider />
            {of.status === "suspended" ? <Menu.Item onClick={() => resume.mutate()}>Resume</Menu.Item> : <Menu.Item aria-haspopup="dialog" onClick={suspend.open}>Suspend</Menu.Item>}
            <Menu.Item c="red" aria-haspopup="dialog" onClick={erase.open}>Erase</Menu.Item>
          </Menu.Dropdown></Menu>
      )}>
      {of.status === "suspended" && <Alert color="yellow" variant="light" title={of.status_reason === null ? "Suspended" : `Suspended: ${of.status_reason}`}><Group justify="space-between"><Text size="sm">Nothing runs, and its people cannot sign in. What providers send is stored.</Text>{may("tenants:write") && <Button size="xs" variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>Resume</Button>}</Group></Alert>}
      <Tabs value={tab} onChange={(value) => void navigate({ to: ".", search: { tab: value === "integrations" ? undefined : value }, replace: true } as never)} keepMounted={false}>
        <Tabs.List mb="md"><Tabs.Tab value="integrations">Integrations</Tabs.Tab>{may("overrides:read") && <Tabs.Tab value="settings">Settings and overrides</Tabs.Tab>}{may("flows:read") && <Tabs.Tab value="flows">Flows</Tabs.Tab>}{may("users:read") && <Tabs.Tab value="people">People</Tabs.Tab>}</Tabs.List>
        <Tabs.Panel value="integrations"><Integrations tenant={of.tenant} /></Tabs.Panel>
        <Tabs.Panel value="flows"><FlowsOf tenant={of.tenant} /></Tabs.Panel>
        <Tabs.Panel value="people"><Empty title="People of this organisation" action={<Button component={Link} to="/settings/people" search={{ tenant: of.tenant } as never} variant="default" mt="sm">Open people and invitations</Button>}>Its administrators invite their own; you may too.</Empty></Tabs.Panel>
        <Tabs.Panel value="settings"><Overrides tenant={of} /></Tabs.Panel>
      </Tabs>
      <Modal opened={suspending} onClose={suspend.close} title={`Suspend ${of.title}`}>{suspending && <Suspend of={of} done={suspend.close} />}</Modal>
      <Modal opened={erasing} onClose={erase.close} title={`Erase ${of.title}`} size="lg">{erasing && <Erase of={of} leave={erase.close} />}</Modal>
      <Modal opened={impersonating} onClose={impersonate.close} title={`Act as a person of ${of.title}`}>{impersonating && <Impersonate of={of} />}</Modal>
    </Page>
  );
}

/** The contract's cap was reached: those beyond it wait. */
function Held({ tenant }: { readonly tenant: string }) {
  const held = useQuery({ queryKey: ["/api/quarantine", tenant, "LIMIT_REACHED"], queryFn: ({ signal }) => api.get<Listed<unknown>>("/api/quarantine", { tenant, code: "LIMIT_REACHED", limit: 1000 }, signal) });
  const count = held.data?.data.length ?? 0;
  return count === 0 ? null : <Anchor component={Link} to="/quarantine" search={{ tenant, code: "LIMIT_REACHED" } as never} size="sm" c="orange">{whole(count)}{held.data?.next_cursor ? "+" : ""} held beyond the contract</Anchor>;
}

function Suspend({ of, done }: { readonly of: Tenant; readonly done: () => void }) {
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const suspend = useMutation({ mutationFn: () => api.post(`/api/tenants/${of.tenant}/suspend`, reason === "" ? {} : { reason }), onSuccess: () => { void queries.invalidateQueries({ queryKey: ["/api/tenants"] }); done(); } });
  return <Stack><Text size="sm">Nothing starts any more, its people are signed out, and what providers send is stored until it is resumed. Its data stays.</Text><Textarea data-autofocus label="Why" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />{suspend.isError && <Failed error={suspend.error} />}<Group justify="flex-end"><Button color="yellow" autoContrast loading={suspend.isPending} onClick={() => suspend.mutate()}>Suspend</Button></Group></Stack>;
}
