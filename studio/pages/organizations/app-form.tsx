/** What the operator registered at a provider, entered once: every customer's sign-in goes through it. Stored unchecked, as only a sign-in proves it. */
import { Button, Code, CopyButton, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, ApiError } from "../../api/client.ts";
import { done } from "../../ui/notify.ts";
import { Failed } from "../../ui/states.tsx";
import { Field } from "./connect-field.tsx";
import type { Connection, Form } from "./types.ts";

export const fieldsOfApp = ({ properties }: Form) => Object.entries(properties).filter(([, field]) => field["x-scope"] === "app");

export function AppForm({ connection, schema }: { /** Of the operator. */ readonly connection: Connection; readonly schema: Form }) {
  const queries = useQueryClient();
  const fields = fieldsOfApp(schema);
  const [config, setConfig] = useState<Readonly<Record<string, unknown>>>(connection.config);
  const [secrets, setSecrets] = useState<Readonly<Record<string, string>>>({});
  const registry = useQuery({ queryKey: [`/api/connectors/${connection.connector}`, "platform"], queryFn: ({ signal }) => api.get<{ callback: string | null }>(`/api/connectors/${connection.connector}`, {}, signal) });
  const save = useMutation({
    mutationFn: () => api.put(`/api/connections/${encodeURIComponent(connection.connection)}`, { config: Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined && value !== "")), secrets: Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== "")) }, { tenant: "platform" }),
    onSuccess: () => { setSecrets({}); done(`Stored. Customers can sign in at ${schema.title} now.`); void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && first.startsWith("/api/connect") }); },
  });
  const problems = save.error instanceof ApiError ? save.error.problems as readonly { field?: string; message: string; hint?: string }[] : [];
  const callback = registry.data?.callback;
  return (
    <form aria-label={`Your app at ${schema.title}`} autoComplete="off" onSubmit={(event: FormEvent) => { event.preventDefault(); save.mutate(); }}>
      <Stack>
        <Text size="sm">Your app at {schema.title}: entered once, and every customer's sign-in goes through it.</Text>
        {callback && <Group gap="xs" wrap="nowrap"><Text size="sm" style={{ flexShrink: 0 }}>Redirect address to register there</Text><Code style={{ overflowWrap: "anywhere" }}>{callback}</Code><CopyButton value={callback}>{({ copied, copy }) => <Button size="compact-xs" variant="default" style={{ flexShrink: 0 }} onClick={copy} aria-label="Copy the redirect address">{copied ? "Copied" : "Copy"}</Button>}</CopyButton></Group>}
        {fields.map(([name, field]) => <Field key={name} name={name} field={field} connection={connection} value={field["x-secret"] ? secrets[name] ?? "" : config[name]} error={problems.find((problem) => problem.field === name)?.message} change={(value) => field["x-secret"] ? setSecrets({ ...secrets, [name]: String(value) }) : setConfig({ ...config, [name]: value })} />)}
        {save.isError && <Failed error={save.error} />}
        <Group justify="flex-end"><Button type="submit" variant="default" loading={save.isPending}>Save the app</Button></Group>
      </Stack>
    </form>
  );
}
