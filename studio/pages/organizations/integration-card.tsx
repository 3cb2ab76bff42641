/** One integration of an organisation: its state with the reason, when it last and next reads, and what can be done. */
import { ActionIcon, Anchor, Badge, Box, Button, Group, Menu, Modal, Paper, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { DotsHorizontalIcon } from "@radix-ui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { Loaded } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { When } from "../../ui/time.tsx";
import { AccountPick } from "./account-pick.tsx";
import { AFFECTED } from "./affected.ts";
import { ConnectForm, SecretsShown } from "./connect-form.tsx";
import { ConnectLink } from "./connect-link.tsx";
import { Disconnect } from "./disconnect.tsx";
import { Schedule } from "./schedule.tsx";
import type { Connection, IntegrationFlow } from "./types.ts";

export function IntegrationCard({ tenant, connection, overridden }: { readonly tenant: string; readonly connection: Connection; /** Flows whose frequency is the organisation's own. */ readonly overridden: ReadonlySet<string> }) {
  const queries = useQueryClient();
  const may = useMay();
  const [configuring, configure] = useDisclosure();
  const [leaving, leave] = useDisclosure();
  const [linking, link] = useDisclosure();
  const [picking, pick] = useDisclosure();
  const [rereading, reread] = useDisclosure();
  const [menu, setMenu] = useState(false);
  const [scheduling, setScheduling] = useState<string>();
  const { connection: name, state } = connection;
  const status = useQuery({ queryKey: [`/api/integrations/${name}/status`, tenant], queryFn: ({ signal }) => api.get<{ flows: readonly IntegrationFlow[] }>(`/api/integrations/${encodeURIComponent(name)}/status`, { tenant, connection: name }, signal), refetchInterval: 15_000 });
  const refresh = () => void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && AFFECTED.test(first) });
  const failed = (title: string) => (error: Error) => notifications.show({ color: "red", title, message: error.message });
  const test = useMutation({ mutationFn: () => api.post<{ ok: boolean; checked: boolean; error: { message: string } | null }>(`/api/connections/${name}/check`, undefined, { tenant }), onSuccess: ({ ok, checked, error }) => { notifications.show(ok ? { message: checked ? `${connection.title} accepted the credential.` : "Its connector has no check." } : { color: "red", title: "Refused", message: error?.message ?? "The provider refused it." }); refresh(); }, onError: failed("Not tested") });
  const sync = useMutation({ mutationFn: (mode: "full" | "incremental" | undefined) => api.post<{ runs: readonly { coalesced: boolean }[] }>(`/api/integrations/${name}/sync`, mode === undefined ? {} : { mode }, { tenant, connection: name }), onSuccess: (said) => { notifications.show({ message: said.runs.every(({ coalesced }) => coalesced) ? "It was queued already." : "Queued: it shows here as it runs." }); refresh(); }, onError: failed("Not started") });
  const pause = useMutation({ mutationFn: (does: "disable" | "enable") => api.post(`/api/connections/${name}/${does}`, undefined, { tenant }), onSuccess: refresh, onError: failed("Not changed") });
  const use = useProposal<boolean>((enabled) => api.patch<ProposalAnswer>(`/api/tenants/${tenant}/overrides`, { title: `${tenant}: ${enabled ? "use" : "stop using"} ${name}`, changes: [{ at: `connections.${name}.enabled`, value: enabled }] }));
  const isConnected = !["not_connected", "disconnected"].includes(state.name);
  // A sign-in that waits for somebody to say which account it is for.
  const choice = useQuery({ queryKey: [`/api/connections/${name}/accounts`, tenant, "open"], enabled: menu && may("connections:write"), staleTime: 0, queryFn: ({ signal }) => api.get<{ outcome: string | null }>(`/api/connections/${name}/accounts`, { tenant }, signal) });
  const hasMenu = ["connections:write", "connect:link", "sync:reset", "flows:pause", "overrides:propose"].some(may);
  const again = state.name === "reconnect_needed";
  return (
    <Paper withBorder p="md" component="article" aria-label={connection.title} data-connection={name}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}><Text fw={600} truncate>{connection.title}</Text>{name !== connection.connector && <Badge variant="default" tt="none">{name}</Badge>}<Status value={state.name} reason={state.reason} /></Group>
          {hasMenu && <Menu position="bottom-end" opened={menu} onChange={setMenu}>
            <Menu.Target><ActionIcon variant="subtle" color="gray" aria-label={`More for ${connection.title}`}><DotsHorizontalIcon /></ActionIcon></Menu.Target>
            <Menu.Dropdown>
              {may("connections:write") && isConnected && <Menu.Item onClick={() => test.mutate()}>Test the credential</Menu.Item>}
              {may("connect:link") && <Menu.Item aria-haspopup="dialog" onClick={link.open}>Make a connect link</Menu.Item>}
              {may("sync:reset") && isConnected && <Menu.Item aria-haspopup="dialog" onClick={reread.open}>Read everything again</Menu.Item>}
              {may("flows:pause") && (connection.paused ? <Menu.Item onClick={() => pause.mutate("enable")}>Resume</Menu.Item> : <Menu.Item onClick={() => pause.mutate("disable")}>Pause</Menu.Item>)}
              {choice.data?.outcome != null && <Menu.Item aria-haspopup="dialog" onClick={pick.open}>Pick the account</Menu.Item>}
              {may("connections:write") && connection.signed_in && <Menu.Item aria-haspopup="dialog" onClick={configure.open}>Sign in with another account</Menu.Item>}
              {may("overrides:propose") && (connection.enabled ? <Menu.Item onClick={() => use.mutate(false)}>Disable: propose it</Menu.Item> : <Menu.Item onClick={() => use.mutate(true)}>Enable: propose it</Menu.Item>)}
              {may("connections:write") && isConnected && <><Menu.Divider /><Menu.Item c="red" aria-haspopup="dialog" onClick={leave.open}>Disconnect</Menu.Item></>}
            </Menu.Dropdown>
          </Menu>}
        </Group>
        {state.reason && <Text size="sm" c={state.name === "connected" ? "dimmed" : "orange"}>{state.reason}</Text>}
        <Group align="flex-start" style={{ columnGap: 28, rowGap: 10 }}>
          <Stack gap={2}><Text size="xs" c="dimmed">Last sync</Text><Text size="sm"><When at={state.last_sync_at} /></Text></Stack>
          <Stack gap={2}><Text size="xs" c="dimmed">Next</Text><Text size="sm"><When at={isConnected ? state.next_run_at : null} empty={isConnected ? "not scheduled" : "once it is connected"} /></Text></Stack>
          {connection.account && <Stack gap={2}><Text size="xs" c="dimmed">Account</Text><Text size="sm">{connection.account.label ?? connection.account.id}</Text></Stack>}
          <Stack gap={2}><Text size="xs" c="dimmed">Credential</Text><SecretsShown connection={connection} /></Stack>
        </Group>
        <Loaded query={status} rows={1}>{({ flows }) => flows.length > 0 && (
          <Box component="ul" m={0} p={0} style={{ listStyle: "none" }} aria-label={`Flows of ${connection.title}`}>
            {flows.map((flow) => (
              <Group component="li" key={flow.flow} justify="space-between" gap="xs" py={5} style={{ borderTop: "1px solid var(--mantine-color-default-border)" }} data-flow={flow.flow}>
                <Stack gap={0} miw={0}>
                  <Anchor component={Link} to={flow.from === "change" ? "/deliveries" : "/runs"} search={{ tenant, flow: flow.flow } as never} size="sm" fw={550} truncate>{flow.title ?? flow.flow}</Anchor>
                  {flow.from === "change" ? <Text size="xs" c="dimmed">when {flow.entity} changes</Text> : <Group gap={6}><Text size="xs" c="dimmed">{flow.schedule}</Text><Badge size="xs" variant={overridden.has(flow.flow) ? "light" : "default"} tt="none" style={{ flexShrink: 0 }}>{overridden.has(flow.flow) ? "custom" : "default"}</Badge>{may("frequency:propose") && may("overrides:read") && <Anchor component="button" type="button" size="xs" aria-haspopup="dialog" onClick={() => setScheduling(flow.flow)} aria-label={`Change how often ${flow.flow} runs`}>Change</Anchor>}</Group>}
                </Stack>
                <Group gap="sm" wrap="nowrap">{flow.from === "change" ? <Text size="xs" c="dimmed">{sentOf(flow)}</Text> : flow.last_run ? <Status value={flow.last_run.status} reason={flow.last_run.error?.message} /> : <Text size="xs" c="dimmed">has not run</Text>}{may("overrides:read") && <Anchor component={Link} to={`/super-admin/organizations/${tenant}/mappings/${flow.flow}`} size="xs">Mapping</Anchor>}</Group>
              </Group>
            ))}
          </Box>
        )}</Loaded>
        <Group gap="xs">
          {may("connections:write") && <Button size="xs" variant={isConnected && !again ? "default" : "filled"} aria-haspopup="dialog" onClick={configure.open}>{again ? "Reconnect" : isConnected ? "Configure" : "Connect"}</Button>}
          {may("sync:run") && isConnected && !again && <Button size="xs" variant="default" loading={sync.isPending} onClick={() => sync.mutate(undefined)}>Run now</Button>}
        </Group>
      </Stack>
      <Modal opened={configuring} onClose={configure.close} title={`${again ? "Reconnect" : isConnected ? "Configure" : "Connect"} ${connection.title}`} size="lg">{configuring && <ConnectForm tenant={tenant} connection={connection} done={configure.close} />}</Modal>
      <Modal opened={scheduling !== undefined} onClose={() => setScheduling(undefined)} title={`How often ${scheduling ?? ""} runs`}>{scheduling !== undefined && <Schedule tenant={tenant} flow={scheduling} />}</Modal>
      <Modal opened={picking} onClose={pick.close} title="Which account?">{picking && <AccountPick tenant={tenant} connection={name} title={connection.title} done={pick.close} />}</Modal>
      <Modal opened={leaving} onClose={leave.close} title={`Disconnect ${connection.title}`}>{leaving && <Disconnect tenant={tenant} connection={connection} done={() => { leave.close(); refresh(); }} />}</Modal>
      <Modal opened={rereading} onClose={reread.close} title={`Read everything of ${connection.title} again?`}>
        <Stack><Text size="sm">It takes as long as the first time and asks the provider as much. Rows that are not seen any more end; nothing is sent on because of it.</Text>
          <Group justify="flex-end"><Button variant="default" onClick={reread.close}>Leave it</Button><Button onClick={() => { reread.close(); sync.mutate("full"); }}>Read everything</Button></Group></Stack>
      </Modal>
      <Modal opened={linking} onClose={link.close} title="Connect link" size="lg">{linking && <ConnectLink tenant={tenant} connection={connection} />}</Modal>
    </Paper>
  );
}

/** What a flow that sends has before it, in few words. */
function sentOf({ waiting, held, failed, paused, last_success_at }: IntegrationFlow): string {
  const parts = [[waiting, "on the way"], [held, "to be approved"], [failed, "failed"]] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return [...(paused ? ["paused"] : []), ...said].join(", ") || (last_success_at === null ? "has sent nothing" : "all arrived");
}
