/** Names of somebody else (groups, claims) and the role that each gives here. */
import { ActionIcon, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { Cross2Icon, PlusIcon } from "@radix-ui/react-icons";
import { useTenants } from "../../ui/tenant.tsx";
import { inWords } from "./people.tsx";

export interface GroupRole { readonly group: string; readonly role: string; readonly tenant?: string }

export const STAFF_ROLES = ["super_admin", "integration_engineer"];
export const TENANT_ROLES = ["tenant_admin", "employer_admin", "recruiter", "interviewer"];

export function GroupRoles({ label, description, named, roles, withTenant = false, value, onChange }: {
  readonly label: string; readonly description: string; /** What one of them is called. */ readonly named: string; readonly roles: readonly string[]; readonly withTenant?: boolean;
  readonly value: readonly GroupRole[]; readonly onChange: (value: GroupRole[]) => void;
}) {
  const tenants = useTenants();
  const change = (index: number, part: Partial<GroupRole>): void => onChange(value.map((each, at) => at === index ? { ...each, ...part } : each));
  return (
    <Stack gap={6} component="fieldset" style={{ border: 0, padding: 0, margin: 0 }}>
      <Text component="legend" size="sm" fw={500}>{label}</Text>
      <Text size="xs" c="dimmed">{description}</Text>
      {value.map((each, index) => (
        <Group key={index} gap="xs" wrap="nowrap" align="center">
          <TextInput flex={1} aria-label={named} placeholder={named} required value={each.group} onChange={(event) => change(index, { group: event.currentTarget.value })} />
          <Select w={170} aria-label={`Role of ${each.group || named}`} allowDeselect={false} data={roles.map((role) => ({ value: role, label: inWords(role) }))} value={each.role} onChange={(role) => change(index, { role: role ?? each.role, ...(STAFF_ROLES.includes(role ?? "") ? { tenant: undefined } : {}) })} />
          {withTenant && !STAFF_ROLES.includes(each.role) && <Select w={170} aria-label={`Organisation of ${each.group || named}`} placeholder="Organisation" required searchable data={(tenants.data?.data ?? []).filter(({ kind }) => kind !== "platform").map(({ tenant, title }) => ({ value: tenant, label: title }))} value={each.tenant ?? null} onChange={(tenant) => change(index, tenant === null ? {} : { tenant })} />}
          <ActionIcon variant="subtle" color="gray" aria-label={`Take ${each.group || "it"} away`} onClick={() => onChange(value.filter((_, at) => at !== index))}><Cross2Icon /></ActionIcon>
        </Group>
      ))}
      <Group><Button size="compact-xs" variant="default" leftSection={<PlusIcon aria-hidden />} onClick={() => onChange([...value, { group: "", role: roles[0]! }])}>Add</Button></Group>
    </Stack>
  );
}
