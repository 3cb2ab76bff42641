/** Config and secrets of a connection, as its connector asks for them. Secrets go one way: what is set shows as set, never what it is. */
import { Alert, Badge, Button, Group, NumberInput, PasswordInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { compileExpression } from "../../../engine/expression/index.ts";
import { api, ApiError } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Failed, Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { AccountPick } from "./account-pick.tsx";
import type { Connection, Form, FormField } from "./types.ts";

interface Answer { readonly ok?: boolean; readonly checked?: boolean; readonly authorize_url?: string; readonly error?: { readonly code?: string; readonly message: string; readonly hint?: string } | null; readonly cleared?: readonly string[]; readonly accounts?: readonly { readonly id: string; readonly label?: string }[] }

export function ConnectForm({ tenant, connection, done }: { readonly tenant: string; readonly connection: Connection; readonly done: () => void }) {
  const form = useQuery({ queryKey: [`/api/connectors/${connection.connector}/schema`], queryFn: ({ signal }) => api.get<Form>(`/api/connectors/${connection.connector}/schema`, {}, signal), staleTime: 60_000 });
  return <Loaded query={form} rows={3}>{(schema) => <Fields tenant={tenant} connection={connection} schema={schema} done={done} />}</Loaded>;
}

function Fields({ tenant, connection, schema, done }: { readonly tenant: string; readonly connection: Connection; readonly schema: Form; readonly done: () => void }) {
  const queries = useQueryClient();
  const may = useMay();
  const fields = useMemo(() => Object.entries(schema.properties).toSorted(([, a], [, b]) => (a["x-order"] ?? 0) - (b["x-order"] ?? 0)), [schema]);
  const [config, setConfig] = useState<Readonly<Record<string, unknown>>>({ ...connection.defaults, ...connection.config });
  const [secrets, setSecrets] = useState<Readonly<Record<string, string>>>({});
  const [answer, setAnswer] = useState<Answer>();
  const values = { ...Object.fromEntries(fields.flatMap(([name, { default: fallback }]) => (fallback === undefined ? [] : [[name, fallback]]))), ...config };
  const asked = fields.filter(([, field]) => isAsked(field, values));
  const connect = useMutation({
    mutationFn: (startOver: boolean) => {
      const own = Object.fromEntries(asked.filter(([name, field]) => field["x-secret"] !== true && !connection.locked.includes(name) && config[name] !== undefined && config[name] !== "" && config[name] !== connection.defaults[name]).map(([name]) => [name, config[name]]));
      return api.post<Answer>(`/api/integrations/${encodeURIComponent(connection.connection)}/connect`, { config: own, secrets: Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== "")), return_to: location.pathname, ...(startOver ? { start_over: true } : {}) }, { tenant, connection: connection.connection });
    },
    onSuccess: (said) => {
      setSecrets({});
      void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && /^\/api\/(connections|integrations|tenants)/.test(first) });
      if (said.authorize_url !== undefined) { location.assign(said.authorize_url); return; }
      setAnswer(said);
      if (said.ok && (said.cleared?.length ?? 0) === 0) { notifications.show({ message: said.checked === false ? "Stored. Its connector has no check: the first run will tell." : "Connected: the provider accepted it." }); done(); }
    },
  });
  const problems = connect.error instanceof ApiError ? connect.error.problems as readonly { field?: string; message: string; hint?: string }[] : [];
  const errorOf = (name: string) => problems.filter(({ field }) => field === name).map(({ message, hint }) => [message, hint].filter(Boolean).join(" ")).join(" ") || undefined;
  // One credential may reach several accounts: until one is picked it is connected to none of them.
  if (answer?.ok === true && (answer.accounts?.length ?? 0) > 1 && connection.account === null) return <AccountPick tenant={tenant} connection={connection.connection} title={connection.title} entered={answer.accounts} done={done} />;
  return (
    <form onSubmit={(event) => { event.preventDefault(); connect.mutate(false); }} autoComplete="off">
      <Stack>
        {asked.length === 0 && <Text size="sm" c="dimmed">Nothing has to be entered.</Text>}
        {asked.map(([name, field]) => <Field key={name} name={name} field={field} connection={connection} value={field["x-secret"] ? secrets[name] ?? "" : values[name]} error={errorOf(name)} change={(value) => field["x-secret"] ? setSecrets({ ...secrets, [name]: String(value) }) : setConfig({ ...config, [name]: value })} />)}
        {connect.isError && <Failed error={connect.error} />}
        {answer?.error && <Alert color="red" variant="light" title={answer.error.message} role="alert"><Stack gap="xs" align="flex-start">{answer.error.hint && <Text size="sm">{answer.error.hint}</Text>}{answer.error.code === "AUTH_ACCOUNT_CHANGED" && may("sync:reset") && <Button size="xs" color="red" variant="light" loading={connect.isPending} onClick={() => { if (confirm("Forget everything the other account brought, and begin with this one?")) connect.mutate(true); }}>Start over with this account</Button>}</Stack></Alert>}
        {(answer?.cleared?.length ?? 0) > 0 && <Alert color="yellow" variant="light">The address changed, so these were forgotten: {answer!.cleared!.join(", ")}. Enter them again.</Alert>}
        <Group justify="flex-end"><Button variant="default" onClick={done}>Close</Button><Button type="submit" loading={connect.isPending}>{usesSignIn(schema, values) ? `Sign in with ${schema.title}` : "Save and test"}</Button></Group>
      </Stack>
    </form>
  );
}

function isAsked(field: FormField, values: Readonly<Record<string, unknown>>): boolean {
  if (field["x-scope"] === "app") return false;
  if (field["x-when"] === undefined) return true;
  try { return compileExpression(`$boolean(${field["x-when"]}\n)`).evaluate(values) === true; } catch { return true; }
}

const usesSignIn = (schema: Form, values: Readonly<Record<string, unknown>>): boolean => {
  const when = schema["x-sign-in"];
  return values["method"] === "oauth" || (typeof when === "object" && when !== null && Object.keys(schema.properties).every((name) => schema.properties[name]!["x-secret"] !== true || schema.properties[name]!["x-scope"] === "app"));
};

function Field({ name, field, connection, value, error, change }: { readonly name: string; readonly field: FormField; readonly connection: Connection; readonly value: unknown; readonly error: string | undefined; readonly change: (value: unknown) => void }) {
  const help = field["x-help"] ?? field.description;
  const state = connection.secrets[name];
  const shared = { label: field.title ?? name, error, required: field["x-required"] === true && !(field["x-secret"] && state?.set), disabled: connection.locked.includes(name), ...(help === undefined ? {} : { description: help }), ...(connection.locked.includes(name) ? { description: "Set by the configuration." } : {}) };
  if (field["x-secret"]) return <PasswordInput {...shared} name={name} autoComplete="new-password" placeholder={state?.set ? `Set (${state.fingerprint ?? "by reference"}); leave empty to keep it` : ""} value={String(value ?? "")} onChange={(event) => change(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": `Show ${field.title ?? name}` }} {...(state?.updated_at === undefined ? {} : { inputWrapperOrder: ["label", "description", "input", "error"] as const })} />;
  if (field.enum) return <Select {...shared} data={field.enum.map((each) => ({ value: String(each), label: String(each).replaceAll("_", " ") }))} value={String(value ?? "")} onChange={(next) => change(next)} allowDeselect={false} />;
  if (field.type === "boolean") return <Switch label={shared.label} description={help} checked={value === true} onChange={(event) => change(event.currentTarget.checked)} disabled={shared.disabled} />;
  if (field.type === "integer" || field.type === "number") return <NumberInput {...shared} value={typeof value === "number" ? value : ""} onChange={(next) => change(next === "" ? undefined : Number(next))} allowDecimal={field.type === "number"} />;
  return <TextInput {...shared} name={name} value={String(value ?? "")} onChange={(event) => change(event.currentTarget.value)} {...(field["x-example"] === undefined ? {} : { placeholder: String(field["x-example"]) })} />;
}

export function SecretsShown({ connection }: { readonly connection: Connection }) {
  const set = Object.entries(connection.secrets).filter(([, { set: isSet }]) => isSet);
  return set.length === 0 ? <Text size="xs" c="dimmed">No credential</Text> : <Stack gap={2}>{set.map(([name, { fingerprint, updated_at, reference }]) => <Group key={name} gap={6}><Text size="xs" c="dimmed">{name}</Text><Text size="xs" ff="monospace" aria-label="hidden">••••••••</Text>{fingerprint && <Badge size="xs" variant="default" tt="none">{reference ?? fingerprint}</Badge>}{updated_at && <Text size="xs" c="dimmed"><When at={updated_at} /></Text>}</Group>)}</Stack>;
}

