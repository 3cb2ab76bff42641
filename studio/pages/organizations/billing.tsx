/** Whom to bill: kept in the database, never in Git. */
import { Button, Group, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { Section } from "../../ui/page.tsx";
import { Failed, Loaded } from "../../ui/states.tsx";

interface Contact { readonly name?: string; readonly email?: string; readonly reference?: string; readonly address?: string }

export function Billing({ tenant }: { readonly tenant: string }) {
  const profile = useQuery({ queryKey: [`/api/tenants/${tenant}/profile`], queryFn: ({ signal }) => api.get<{ billing: Contact | null }>(`/api/tenants/${tenant}/profile`, {}, signal) });
  return <Section title="Billing contact"><Loaded query={profile} rows={2}>{({ billing }) => <Form key={JSON.stringify(billing)} tenant={tenant} of={billing ?? {}} />}</Loaded></Section>;
}

function Form({ tenant, of }: { readonly tenant: string; readonly of: Contact }) {
  const queries = useQueryClient();
  const [contact, setContact] = useState<Contact>(of);
  const save = useMutation({
    mutationFn: () => api.put(`/api/tenants/${tenant}/profile`, { billing: Object.fromEntries(Object.entries(contact).filter(([, value]) => typeof value === "string" && value.trim() !== "")) }),
    onSuccess: () => { notifications.show({ message: "Saved." }); void queries.invalidateQueries({ queryKey: [`/api/tenants/${tenant}/profile`] }); },
  });
  const field = (name: keyof Contact, label: string, type = "text") => <TextInput label={label} type={type} autoComplete="off" value={contact[name] ?? ""} onChange={(event) => setContact({ ...contact, [name]: event.currentTarget.value })} />;
  return (
    <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
      <Stack gap="sm" maw={760}>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>{field("name", "Name")}{field("email", "E-mail", "email")}{field("reference", "Their reference")}{field("address", "Address")}</SimpleGrid>
        {save.isError && <Failed error={save.error} />}
        <Group><Button type="submit" variant="default" loading={save.isPending}>Save</Button></Group>
      </Stack>
    </form>
  );
}
