/** Signers of service tokens: the host product calls the API for its own users with tokens that it signs. */
import { Badge, Button, Code, Group, Modal, MultiSelect, Paper, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../../api/client.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { type GroupRole, GroupRoles, TENANT_ROLES } from "./group-roles.tsx";
import { inWords } from "./people.tsx";

interface Signer { readonly id: string; readonly issuer: string; readonly audience: string; readonly algorithms: readonly string[]; readonly jwks_url?: string; readonly public_keys?: readonly Readonly<Record<string, unknown>>[]; readonly tenant_claim: string; readonly role_claim: string; readonly tenants?: Readonly<Record<string, string>>; readonly roles?: Readonly<Record<string, string>>; readonly enabled: boolean; readonly updated_at: string }

const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
const KEY = ["/api/token-issuers"];

export default function ServiceTokens() {
  const [adding, add] = useDisclosure();
  const signers = useQuery({ queryKey: KEY, queryFn: ({ signal }) => api.get<{ data: readonly Signer[] }>("/api/token-issuers", {}, signal) });
  return (
    <Page title="Service tokens" lead="Whose signed tokens (JWT) are believed: your product then calls the API for its own users. Operator's roles are never taken from a token." actions={<Button aria-haspopup="dialog" onClick={add.open}>Trust a signer</Button>}>
      <Loaded query={signers} rows={3}>{({ data }) => data.length === 0 ? <Empty title="Nobody is trusted yet" /> : <Stack>{data.map((each) => <One key={each.id} signer={each} />)}</Stack>}</Loaded>
      <Modal opened={adding} onClose={add.close} title="Trust a signer" size="xl">{adding && <Enter done={add.close} />}</Modal>
    </Page>
  );
}

function One({ signer }: { readonly signer: Signer }) {
  const queries = useQueryClient();
  const [editing, edit] = useDisclosure();
  const { id, issuer, audience, algorithms, jwks_url, public_keys, roles = {}, enabled, updated_at } = signer;
  return (
    <Paper withBorder p="md" component="article" aria-label={id}>
      <Group justify="space-between" align="flex-start">
        <Stack gap={4} miw={0}>
          <Group gap="xs"><Text fw={600} size="sm">{id}</Text><Badge variant="light" color={enabled ? "teal" : "gray"} radius="sm" tt="none">{enabled ? "trusted" : "off"}</Badge></Group>
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>Issuer <Code fz="xs">{issuer}</Code>, audience <Code fz="xs">{audience}</Code>, {algorithms.join(", ")}, {jwks_url === undefined ? `${public_keys?.length ?? 0} public keys entered` : `keys from ${jwks_url}`}, changed <When at={updated_at} /></Text>
          <Stack gap={2}>{Object.entries(roles).map(([claim, role]) => <Text key={claim} size="sm"><Code>{claim}</Code> → {inWords(role)}</Text>)}</Stack>
        </Stack>
        <Group gap="xs"><Button size="xs" variant="default" aria-haspopup="dialog" onClick={edit.open}>Change</Button><ConfirmButton label="Remove" aria-label={`Remove ${id}`} title={`Trust ${id} no more?`} yes="Remove it" act={async () => { await api.delete(`/api/token-issuers/${id}`); await queries.invalidateQueries({ queryKey: KEY }); }}><Text size="sm">Its tokens are refused at once.</Text></ConfirmButton></Group>
      </Group>
      <Modal opened={editing} onClose={edit.close} title={`Change ${id}`} size="xl">{editing && <Enter known={signer} done={edit.close} />}</Modal>
    </Paper>
  );
}

function Enter({ known, done }: { readonly known?: Signer; readonly done: () => void }) {
  const queries = useQueryClient();
  const [id, setId] = useState(known?.id ?? "");
  const [issuer, setIssuer] = useState(known?.issuer ?? "");
  const [audience, setAudience] = useState(known?.audience ?? "plugboard");
  const [algorithms, setAlgorithms] = useState<string[]>([...known?.algorithms ?? ["RS256"]]);
  const [jwks, setJwks] = useState(known?.jwks_url ?? "");
  const [keys, setKeys] = useState(known?.public_keys === undefined ? "" : JSON.stringify(known.public_keys, null, 2));
  const [tenantClaim, setTenantClaim] = useState(known?.tenant_claim ?? "tenant");
  const [roleClaim, setRoleClaim] = useState(known?.role_claim ?? "role");
  const [enabled, setEnabled] = useState(known?.enabled ?? true);
  const [roles, setRoles] = useState<readonly GroupRole[]>(Object.entries(known?.roles ?? {}).map(([group, role]) => ({ group, role })));
  const [wrong, setWrong] = useState<string>();
  const save = useMutation({
    mutationFn: (publicKeys: unknown) => api.put(`/api/token-issuers/${encodeURIComponent(id)}`, {
      issuer, audience, algorithms, enabled, tenant_claim: tenantClaim, role_claim: roleClaim, ...(known?.tenants === undefined ? {} : { tenants: known.tenants }),
      ...(jwks === "" ? {} : { jwks_url: jwks }), ...(publicKeys === undefined ? {} : { public_keys: publicKeys }), ...(roles.length === 0 ? {} : { roles: Object.fromEntries(roles.map(({ group, role }) => [group, role])) }),
    }),
    onSuccess: () => { void queries.invalidateQueries({ queryKey: KEY }); done(); },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    try {
      setWrong(undefined);
      save.mutate(keys.trim() === "" ? undefined : JSON.parse(keys));
    } catch { setWrong("This is no JSON: a list of public keys in the form of JWK."); }
  };
  return (
    <form onSubmit={submit}><Stack>
      <TextInput label="Name here" required pattern="[a-z][a-z0-9_\-]*" disabled={known !== undefined} value={id} onChange={(event) => setId(event.currentTarget.value)} />
      <TextInput label="Issuer" description="What the claim iss says." required value={issuer} onChange={(event) => setIssuer(event.currentTarget.value)} />
      <TextInput label="Audience" description="What the claim aud must name." required value={audience} onChange={(event) => setAudience(event.currentTarget.value)} />
      <MultiSelect label="Algorithms" required data={[...new Set([...ALGORITHMS, ...algorithms])]} value={algorithms} onChange={setAlgorithms} />
      <TextInput label="Address of its keys (JWKS)" type="url" description="This, or its public keys below." value={jwks} onChange={(event) => setJwks(event.currentTarget.value)} />
      <Textarea label="Public keys" description="A list of JWKs, without their secret parts." autosize minRows={2} maxRows={10} value={keys} error={wrong} onChange={(event) => setKeys(event.currentTarget.value)} />
      <Group grow align="flex-start"><TextInput label="Claim that names the organisation" required value={tenantClaim} onChange={(event) => setTenantClaim(event.currentTarget.value)} /><TextInput label="Claim that names the role" required value={roleClaim} onChange={(event) => setRoleClaim(event.currentTarget.value)} /></Group>
      <GroupRoles label="Roles" description="None: the token names a role of ours itself." named="What the token says" roles={TENANT_ROLES} value={roles} onChange={setRoles} />
      <Switch label="Its tokens are believed" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
      {save.isError && <Failed error={save.error} />}
      <Group justify="flex-end"><Button type="submit" loading={save.isPending}>Save</Button></Group>
    </Stack></form>
  );
}
