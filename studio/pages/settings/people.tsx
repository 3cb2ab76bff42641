/** People of an organisation, or of the operator: who they are, what they may do, and the links with which they come in. */
import { Badge, Button, Group, Menu, ActionIcon, Modal, MultiSelect, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { DotsHorizontalIcon } from "@radix-ui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../../api/client.ts";
import { isStaff, useMay, useSession } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { done } from "../../ui/notify.ts";
import { Page, Section } from "../../ui/page.tsx";
import { PlacePicker, usePlace } from "../../ui/place.tsx";
import { ShownOnce } from "../../ui/shown-once.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { useTenants } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";

interface Member { readonly id: string; readonly email: string; readonly name: string; readonly role: string; readonly source?: string; readonly since: string; readonly assigned: readonly string[] }
interface Members { readonly data: readonly Member[]; readonly roles: readonly string[] }
interface Invitation { readonly id: string; readonly email: string; readonly role: string; readonly invited_by: string; readonly created_at: string; readonly expires_at: string }
interface Link { readonly path: string; readonly expires_at: string }

export const inWords = (role: string): string => role.replaceAll("_", " ");

export default function People() {
  const may = useMay();
  const place = usePlace();
  const [inviting, invite] = useDisclosure();
  const people = useQuery({ queryKey: ["/api/users", place], queryFn: ({ signal }) => api.get<Members>("/api/users", { tenant: place }, signal) });
  return (
    <Page title="People" lead="Who may sign in, and as what. Access is by invitation." actions={<><PlacePicker own="Plugboard's own people" />{may("users:write") && (people.data?.roles.length ?? 0) > 0 && <Button aria-haspopup="dialog" onClick={invite.open}>Invite</Button>}</>}>
      <Loaded query={people}>{({ data, roles }) => data.length === 0 ? <Empty title="Nobody yet">Invite somebody: the link is good once, for a week.</Empty> : (
        <DataTable label="People" rows={data} keyOf={({ id }) => id} columns={[
          { label: "Name", show: ({ name, email }) => <Stack gap={0}><Text size="sm" fw={550}>{name}</Text><Text size="xs" c="dimmed">{email}</Text></Stack> },
          { label: "Role", show: ({ role, source }) => <Group gap={6}><Text size="sm">{inWords(role)}</Text>{source !== undefined && <Badge variant="default" radius="sm" tt="none">by {source}</Badge>}</Group> },
          ...(data.some(({ role }) => role === "integration_engineer") ? [{ label: "Works for", show: ({ role, assigned }: Member) => role === "integration_engineer" ? <Text size="sm">{assigned.length === 0 ? "nobody yet" : assigned.join(", ")}</Text> : role === "super_admin" ? <Text size="sm" c="dimmed">everybody</Text> : <Text size="sm" c="dimmed">–</Text> }] : []),
          { label: "Since", show: ({ since }) => <When at={since} /> },
          { label: "", width: 60, show: (member) => <Acts member={member} roles={roles} place={place} /> },
        ]} />
      )}</Loaded>
      <Invitations place={place} />
      <Modal opened={inviting} onClose={invite.close} title="Invite somebody" size="lg">{inviting && <Invite place={place} roles={people.data!.roles} />}</Modal>
    </Page>
  );
}

function Acts({ member, roles, place }: { readonly member: Member; readonly roles: readonly string[]; readonly place: string | undefined }) {
  const may = useMay();
  const session = useSession();
  const [open, setOpen] = useState<"role" | "assignments" | "reset" | "sessions" | "end">();
  if (!may("users:write") || member.id === session.user.id || !roles.includes(member.role)) return null;
  const close = (): void => setOpen(undefined);
  return <>
    <Menu position="bottom-end">
      <Menu.Target><ActionIcon variant="subtle" color="gray" aria-label={`More for ${member.name}`}><DotsHorizontalIcon /></ActionIcon></Menu.Target>
      <Menu.Dropdown>
        <Menu.Item aria-haspopup="dialog" onClick={() => setOpen("role")}>Change the role</Menu.Item>
        {member.role === "integration_engineer" && <Menu.Item aria-haspopup="dialog" onClick={() => setOpen("assignments")}>Choose organisations</Menu.Item>}
        {isStaff(session) && <Menu.Item aria-haspopup="dialog" onClick={() => setOpen("reset")}>Make a link for a new password</Menu.Item>}
        <Menu.Item aria-haspopup="dialog" onClick={() => setOpen("sessions")}>Sign out everywhere</Menu.Item>
        <Menu.Divider />
        <Menu.Item c="red" aria-haspopup="dialog" onClick={() => setOpen("end")}>End the membership</Menu.Item>
      </Menu.Dropdown>
    </Menu>
    <Modal opened={open === "role"} onClose={close} title={`Role of ${member.name}`}>{open === "role" && <ChangeRole member={member} roles={roles} place={place} close={close} />}</Modal>
    <Modal opened={open === "assignments"} onClose={close} title={`Organisations of ${member.name}`}>{open === "assignments" && <Assign member={member} place={place} close={close} />}</Modal>
    <Modal opened={open === "reset"} onClose={close} title={`A new password for ${member.name}`} size="lg">{open === "reset" && <Reset member={member} place={place} />}</Modal>
    <Modal opened={open === "sessions"} onClose={close} title={`Sign ${member.name} out everywhere?`}>{open === "sessions" && <SignOut member={member} place={place} close={close} />}</Modal>
    <Modal opened={open === "end"} onClose={close} title={`End the membership of ${member.name}?`}>{open === "end" && <End member={member} place={place} close={close} />}</Modal>
  </>;
}

interface OfMember { readonly member: Member; readonly place: string | undefined; readonly close: () => void }

function useChange<Input>(change: (input: Input) => Promise<unknown>, then: () => void) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => { void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => first === "/api/users" || first === "/api/invitations" }); then(); } });
}

function ChangeRole({ member, roles, place, close }: OfMember & { readonly roles: readonly string[] }) {
  const [role, setRole] = useState(member.role);
  const change = useChange(() => api.patch(`/api/users/${member.id}`, { role }, { tenant: place }), () => { done("Changed. Their sessions ended: they sign in again."); close(); });
  return <Stack>
    <Select label="Role" allowDeselect={false} value={role} data={roles.map((value) => ({ value, label: inWords(value) }))} onChange={(value) => setRole(value ?? role)} />
    <Text size="sm" c="dimmed">Their sessions end at once.</Text>
    {change.isError && <Failed error={change.error} />}
    <Group justify="flex-end"><Button loading={change.isPending} disabled={role === member.role} onClick={() => change.mutate(undefined)}>Change it</Button></Group>
  </Stack>;
}

function Assign({ member, place, close }: OfMember) {
  const tenants = useTenants();
  const [assigned, setAssigned] = useState<string[]>([...member.assigned]);
  const change = useChange(() => api.put(`/api/users/${member.id}/assignments`, { tenants: assigned }, { tenant: place }), close);
  return <Stack>
    <MultiSelect label="Organisations they work for" searchable clearable data={(tenants.data?.data ?? []).filter(({ kind }) => kind !== "platform").map(({ tenant, title }) => ({ value: tenant, label: title }))} value={assigned} onChange={setAssigned} />
    {change.isError && <Failed error={change.error} />}
    <Group justify="flex-end"><Button loading={change.isPending} onClick={() => change.mutate(undefined)}>Save</Button></Group>
  </Stack>;
}

function Reset({ member, place }: Omit<OfMember, "close">) {
  const make = useMutation({ mutationFn: () => api.post<Link>(`/api/users/${member.id}/password-reset`, undefined, { tenant: place }) });
  if (make.data) return <ShownOnce label="Link" value={`${location.origin}${make.data.path}`}>For {member.email}. It is good once, until <When at={make.data.expires_at} />.</ShownOnce>;
  return <Stack><Text size="sm">Makes a link with which {member.name} chooses a new password. Make sure that it is really them who asks.</Text>{make.isError && <Failed error={make.error} />}<Group justify="flex-end"><Button loading={make.isPending} onClick={() => make.mutate()}>Make the link</Button></Group></Stack>;
}

function SignOut({ member, place, close }: OfMember) {
  const out = useMutation({ mutationFn: () => api.delete<{ ended: number }>(`/api/users/${member.id}/sessions`, { tenant: place }), onSuccess: ({ ended }) => { done(ended === 0 ? `${member.name} was not signed in.` : `${ended} ${ended === 1 ? "session" : "sessions"} of ${member.name} ended.`); close(); } });
  return <Stack><Text size="sm">All their sessions end at once, in every browser. Their role stays: they may sign in again.</Text>{out.isError && <Failed error={out.error} />}<Group justify="flex-end"><Button variant="default" onClick={close}>Leave it</Button><Button loading={out.isPending} onClick={() => out.mutate()}>Sign them out</Button></Group></Stack>;
}

function End({ member, place, close }: OfMember) {
  const end = useChange(() => api.delete(`/api/users/${member.id}`, { tenant: place }), () => { done("They are no longer a member."); close(); });
  return <Stack><Text size="sm">Their sessions end at once, and they see nothing of it any more. What they did stays in the audit log.</Text>{end.isError && <Failed error={end.error} />}<Group justify="flex-end"><Button variant="default" onClick={close}>Leave it</Button><Button color="red" loading={end.isPending} onClick={() => end.mutate(undefined)}>End it</Button></Group></Stack>;
}

function Invite({ place, roles }: { readonly place: string | undefined; readonly roles: readonly string[] }) {
  const [email, setEmail] = useState("");
  // Who is one of many gets no role by accident.
  const [role, setRole] = useState<string | null>(roles.length === 1 ? roles[0]! : null);
  const queries = useQueryClient();
  const invite = useMutation({ mutationFn: () => api.post<Link>("/api/invitations", { email, role }, { tenant: place }), onSuccess: () => void queries.invalidateQueries({ queryKey: ["/api/invitations"] }) });
  if (invite.data) return <ShownOnce label="Link" value={`${location.origin}${invite.data.path}`}>Hand it to {email} yourself. It is good once, until <When at={invite.data.expires_at} />.</ShownOnce>;
  return (
    <form onSubmit={(event: FormEvent) => { event.preventDefault(); invite.mutate(); }}><Stack>
      <TextInput label="E-mail" type="email" required data-autofocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
      <Select label="Role" required allowDeselect={false} placeholder="What they may do" value={role} data={roles.map((value) => ({ value, label: inWords(value) }))} onChange={setRole} />
      {invite.isError && <Failed error={invite.error} />}
      <Group justify="flex-end"><Button type="submit" loading={invite.isPending} disabled={role === null}>Make the link</Button></Group>
    </Stack></form>
  );
}

function Invitations({ place }: { readonly place: string | undefined }) {
  const may = useMay();
  const queries = useQueryClient();
  const open = useQuery({ queryKey: ["/api/invitations", place], queryFn: ({ signal }) => api.get<{ data: readonly Invitation[] }>("/api/invitations", { tenant: place }, signal) });
  if (open.data?.data.length === 0) return null;
  return <Section title="Open invitations"><Loaded query={open} rows={2}>{({ data }) => <DataTable label="Open invitations" rows={data} keyOf={({ id }) => id} columns={[
    { label: "E-mail", show: ({ email }) => <Text size="sm" fw={550}>{email}</Text> },
    { label: "Role", show: ({ role }) => inWords(role) },
    { label: "By", show: ({ invited_by }) => <Text size="sm" c="dimmed">{invited_by}</Text> },
    { label: "Good until", show: ({ expires_at }) => <When at={expires_at} /> },
    { label: "", width: 110, show: ({ id, email }) => may("users:write") && <ConfirmButton label="Withdraw" aria-label={`Withdraw the invitation of ${email}`} title="Withdraw this invitation?" yes="Withdraw it" act={async () => { await api.delete(`/api/invitations/${id}`, { tenant: place }); await queries.invalidateQueries({ queryKey: ["/api/invitations"] }); }}><Text size="sm">The link that was made stops working.</Text></ConfirmButton> },
  ]} />}</Loaded></Section>;
}
