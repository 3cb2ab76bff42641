/** Providers where people sign in, and which of their groups have which role here. */
import { Badge, Button, Code, Group, Modal, Paper, PasswordInput, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../../api/client.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { type GroupRole, GroupRoles, STAFF_ROLES, TENANT_ROLES } from "./group-roles.tsx";
import { inWords } from "./people.tsx";

interface Provider { readonly id: string; readonly title: string; readonly issuer: string; readonly client_id: string; readonly scopes: readonly string[]; readonly claim?: string; readonly roles: Readonly<Record<string, { readonly role: string; readonly tenant?: string }>>; readonly enabled: boolean; readonly fingerprint: string; readonly updated_at: string }

/** The server knows where it is. */
const NAMED = new Set(["google"]);
const KEY = ["/api/sign-in-providers"];

export default function SingleSignOn() {
  const [adding, add] = useDisclosure();
  const providers = useQuery({ queryKey: KEY, queryFn: ({ signal }) => api.get<{ data: readonly Provider[] }>("/api/sign-in-providers", {}, signal) });
  return (
    <Page title="Single sign-on" lead="Where people sign in with an account they have already (OpenID Connect). Nobody has a role by that alone: a group gives it, or an invitation." actions={<Button aria-haspopup="dialog" onClick={add.open}>Add a provider</Button>}>
      <Loaded query={providers} rows={3}>{({ data }) => data.length === 0 ? <Empty title="None yet">People sign in with e-mail and password.</Empty> : <Stack>{data.map((each) => <One key={each.id} provider={each} />)}</Stack>}</Loaded>
      <Modal opened={adding} onClose={add.close} title="Add a sign-in provider" size="xl">{adding && <Enter done={add.close} />}</Modal>
    </Page>
  );
}

function One({ provider }: { readonly provider: Provider }) {
  const queries = useQueryClient();
  const [editing, edit] = useDisclosure();
  const { id, title, issuer, client_id, roles, enabled, fingerprint, updated_at } = provider;
  return (
    <Paper withBorder p="md" component="article" aria-label={title}>
      <Group justify="space-between" align="flex-start">
        <Stack gap={4} miw={0}>
          <Group gap="xs"><Text fw={600} size="sm">{title}</Text><Badge variant="light" color={enabled ? "teal" : "gray"} radius="sm" tt="none">{enabled ? "in use" : "off"}</Badge></Group>
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>{issuer} · client {client_id} · secret {fingerprint}, changed <When at={updated_at} /></Text>
          <Text size="xs" c="dimmed">To be registered there: <Code fz="xs" style={{ overflowWrap: "anywhere" }}>{location.origin}/api/sign-in/oidc/{id}/callback</Code></Text>
          <Stack gap={2}>{Object.entries(roles).map(([group, { role, tenant }]) => <Text key={group} size="sm"><Code>{group}</Code> → {inWords(role)}{tenant === undefined ? "" : ` in ${tenant}`}</Text>)}</Stack>
        </Stack>
        <Group gap="xs"><Button size="xs" variant="default" aria-haspopup="dialog" onClick={edit.open}>Change</Button><ConfirmButton label="Remove" aria-label={`Remove ${title}`} title={`Remove ${title}?`} yes="Remove it" act={async () => { await api.delete(`/api/sign-in-providers/${id}`); await queries.invalidateQueries({ queryKey: KEY }); }}><Text size="sm">Nobody signs in there any more. Who has a password still can; roles that its groups gave stay until they are taken away.</Text></ConfirmButton></Group>
      </Group>
      <Modal opened={editing} onClose={edit.close} title={`Change ${title}`} size="xl">{editing && <Enter known={provider} done={edit.close} />}</Modal>
    </Paper>
  );
}

function Enter({ known, done }: { readonly known?: Provider; readonly done: () => void }) {
  const queries = useQueryClient();
  const [id, setId] = useState(known?.id ?? "google");
  const [title, setTitle] = useState(known?.title ?? "");
  const [issuer, setIssuer] = useState(known?.issuer ?? "");
  const [client, setClient] = useState(known?.client_id ?? "");
  const [secret, setSecret] = useState("");
  const [claim, setClaim] = useState(known?.claim ?? "");
  const [scopes, setScopes] = useState((known?.scopes ?? ["openid", "email", "profile"]).join(" "));
  const [enabled, setEnabled] = useState(known?.enabled ?? true);
  const [groups, setGroups] = useState<readonly GroupRole[]>(Object.entries(known?.roles ?? {}).map(([group, given]) => ({ group, ...given })));
  const save = useMutation({
    mutationFn: () => api.put(`/api/sign-in-providers/${encodeURIComponent(id)}`, {
      client_id: client, enabled, roles: Object.fromEntries(groups.map(({ group, role, tenant }) => [group, tenant === undefined ? { role } : { role, tenant }])), scopes: scopes.split(/[\s,]+/).filter((scope) => scope !== ""),
      ...(title === "" ? {} : { title }), ...(issuer === "" ? {} : { issuer }), ...(secret === "" ? {} : { client_secret: secret }), ...(claim === "" ? {} : { claim }),
    }),
    onSuccess: () => { setSecret(""); void queries.invalidateQueries({ queryKey: KEY }); done(); },
  });
  return (
    <form onSubmit={(event: FormEvent) => { event.preventDefault(); save.mutate(); }} autoComplete="off"><Stack>
      <TextInput label="Name here" description="Part of the address that is registered there." required pattern="[a-z][a-z0-9_\-]*" disabled={known !== undefined} value={id} onChange={(event) => setId(event.currentTarget.value)} />
      <TextInput label="Title" description="On the button: Sign in with …" value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
      <TextInput label="Issuer" type="url" required={!NAMED.has(id)} description={NAMED.has(id) ? "Known for this name already." : "Where its .well-known/openid-configuration is."} value={issuer} onChange={(event) => setIssuer(event.currentTarget.value)} />
      <TextInput label="Client id" required value={client} onChange={(event) => setClient(event.currentTarget.value)} />
      <PasswordInput label="Client secret" required={known === undefined} description={known === undefined ? "Encrypted, and never shown again." : `Empty: the one with fingerprint ${known.fingerprint} is kept.`} autoComplete="new-password" value={secret} onChange={(event) => setSecret(event.currentTarget.value)} />
      <TextInput label="Scopes" description="What is asked for; some providers give groups only where a scope asks for them." required value={scopes} onChange={(event) => setScopes(event.currentTarget.value)} />
      <TextInput label="Claim that names groups" placeholder="groups" value={claim} onChange={(event) => setClaim(event.currentTarget.value)} />
      <GroupRoles label="Roles" description="Operator's roles stand without an organisation, the others with one." named="Group" roles={[...STAFF_ROLES, ...TENANT_ROLES]} withTenant value={groups} onChange={setGroups} />
      <Switch label="People may sign in there" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
      {save.isError && <Failed error={save.error} />}
      <Group justify="flex-end"><Button type="submit" loading={save.isPending}>Save</Button></Group>
    </Stack></form>
  );
}
