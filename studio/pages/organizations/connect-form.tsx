/** Config and secrets of a connection, as its connector asks for them. Secrets go one way: what is set shows as set, never what it is. */
import { Alert, Anchor, Badge, Button, Divider, Group, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { compileExpression } from "../../../engine/expression/index.ts";
import { api, ApiError } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { Failed, Loaded } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import { AccountPick } from "./account-pick.tsx";
import { AFFECTED } from "./affected.ts";
import { AppForm, fieldsOfApp } from "./app-form.tsx";
import { Field } from "./connect-field.tsx";
import { HeldInWords } from "./held.tsx";
import type { Connection, Form, FormField } from "./types.ts";

interface Answer { readonly ok?: boolean; readonly checked?: boolean; readonly authorize_url?: string; readonly error?: { readonly code?: string; readonly message: string; readonly hint?: string } | null; readonly cleared?: readonly string[]; readonly accounts?: readonly { readonly id: string; readonly label?: string }[] }

export function ConnectForm({ tenant, connection, done }: { readonly tenant: string; readonly connection: Connection; readonly done: () => void }) {
  const form = useQuery({ queryKey: [`/api/connectors/${connection.connector}/schema`], queryFn: ({ signal }) => api.get<Form>(`/api/connectors/${connection.connector}/schema`, {}, signal), staleTime: 60_000 });
  return <Loaded query={form} rows={3}>{(schema) => tenant !== "platform" || fieldsOfApp(schema).length === 0 ? <Fields tenant={tenant} connection={connection} schema={schema} done={done} /> : (
    <Stack>
      <AppForm connection={connection} schema={schema} />
      <Divider label="Your own account there, if you use one" />
      <Fields tenant={tenant} connection={connection} schema={schema} done={done} />
    </Stack>
  )}</Loaded>;
}

/** What somebody entered who has an account of their own there, and nothing of what is the same as the default. */
const entriesOf = (config: Readonly<Record<string, unknown>>): string => JSON.stringify(Object.entries(config).toSorted(([a], [b]) => (a < b ? -1 : 1)));

function Fields({ tenant, connection, schema, done }: { readonly tenant: string; readonly connection: Connection; readonly schema: Form; readonly done: () => void }) {
  const queries = useQueryClient();
  const may = useMay();
  const fields = useMemo(() => Object.entries(schema.properties).toSorted(([, a], [, b]) => (a["x-order"] ?? 0) - (b["x-order"] ?? 0)), [schema]);
  const [config, setConfig] = useState<Readonly<Record<string, unknown>>>({ ...connection.defaults, ...connection.config });
  const [secrets, setSecrets] = useState<Readonly<Record<string, string>>>({});
  const [answer, setAnswer] = useState<Answer>();
  const values = { ...Object.fromEntries(fields.flatMap(([name, { default: fallback }]) => (fallback === undefined ? [] : [[name, fallback]]))), ...config };
  const asked = fields.filter(([, field]) => isAsked(field, values));
  const signs = signsIn(schema, values);
  // What works is given up as soon as another way to sign in is chosen: it is said before.
  const leaves = signs && !connection.signed_in && Object.values(connection.secrets).some(({ set }) => set) && !["not_connected", "disconnected"].includes(connection.state.name);
  const registry = useQuery({ queryKey: [`/api/connectors/${connection.connector}`, tenant], enabled: schema["x-sign-in"] !== undefined, queryFn: ({ signal }) => api.get<{ missing: readonly string[] }>(`/api/connectors/${connection.connector}`, { tenant }, signal) });
  const lacksApp = signs && (registry.data?.missing.length ?? 0) > 0;
  const connect = useMutation({
    mutationFn: (startOver: boolean) => {
      const own = Object.fromEntries(asked.filter(([name, field]) => field["x-secret"] !== true && !connection.locked.includes(name) && config[name] !== undefined && config[name] !== "" && config[name] !== connection.defaults[name]).map(([name]) => [name, config[name]]));
      const typed = Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== ""));
      // Signing in anew with nothing entered leaves the connection as it is until somebody comes back.
      const entered = signs && Object.keys(typed).length === 0 && entriesOf(own) === entriesOf(connection.config) ? {} : { config: own, secrets: typed };
      return api.post<Answer>(`/api/integrations/${encodeURIComponent(connection.connection)}/connect`, { ...entered, return_to: location.pathname, ...(startOver ? { start_over: true } : {}) }, { tenant, connection: connection.connection });
    },
    onSuccess: (said) => {
      setSecrets({});
      void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && AFFECTED.test(first) });
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
        {answer?.error && <Alert color="red" variant="light" title={answer.error.message} role="alert"><Stack gap="xs" align="flex-start">{answer.error.hint && <Text size="sm">{answer.error.hint}</Text>}{answer.error.code === "AUTH_ACCOUNT_CHANGED" && may("sync:reset") && <ConfirmButton label="Start over with this account" title="Start over?" yes="Forget it, and start over" act={async () => { await connect.mutateAsync(true); }}><Text size="sm">Records of two accounts are not mixed: what the other one brought is forgotten. <HeldInWords tenant={tenant} connection={connection.connection} /></Text></ConfirmButton>}</Stack></Alert>}
        {(answer?.cleared?.length ?? 0) > 0 && <Alert color="yellow" variant="light">The address changed, so these were forgotten: {answer!.cleared!.join(", ")}. Enter them again.</Alert>}
        {lacksApp && <Alert color="yellow" variant="light" title={`Nobody can sign in at ${schema.title} yet`}><Text size="sm">The app that signs in there was not entered. {may("tenants:read") ? <>It is entered once for all customers: <Anchor component={Link} to="/platform" size="sm">Platform connections</Anchor>.</> : "Whoever runs the platform does that, once for everybody."}</Text></Alert>}
        {leaves && !lacksApp && <Alert color="yellow" variant="light"><Text size="sm">It works with what was entered before. From now on it waits until somebody has signed in.</Text></Alert>}
        {connection.signed_in && signs && <Text size="sm" c="dimmed">Signed in{connection.account === null ? "" : ` to ${connection.account.label ?? connection.account.id}`}. It goes on as it is until you have signed in anew.</Text>}
        <Group justify="flex-end"><Button variant="default" onClick={done}>Close</Button><Button type="submit" loading={connect.isPending} disabled={lacksApp}>{signs ? schema["x-sign-in"]?.button ?? `Sign in with ${schema.title}` : "Save and test"}</Button></Group>
      </Stack>
    </form>
  );
}

function isAsked(field: FormField, values: Readonly<Record<string, unknown>>): boolean {
  if (field["x-scope"] === "app") return false;
  if (field["x-when"] === undefined) return true;
  try { return compileExpression(`$boolean(${field["x-when"]}\n)`).evaluate(values) === true; } catch { return true; }
}

function signsIn({ "x-sign-in": signIn }: Form, values: Readonly<Record<string, unknown>>): boolean {
  if (signIn === undefined) return false;
  if (signIn.when === null) return true;
  try { return compileExpression(signIn.when).evaluate(values) === true; } catch { return false; }
}

export function SecretsShown({ connection }: { readonly connection: Connection }) {
  const set = Object.entries(connection.secrets).filter(([, { set: isSet }]) => isSet);
  return set.length === 0 && !connection.signed_in ? <Text size="xs" c="dimmed">No credential</Text> : <Stack gap={2}>{connection.signed_in && <Text size="xs">Signed in</Text>}{set.map(([name, { fingerprint, updated_at, reference }]) => <Group key={name} gap={6}><Text size="xs" c="dimmed">{name}</Text><Text size="xs" ff="monospace" aria-label="hidden">••••••••</Text>{fingerprint && <Badge size="xs" variant="default" tt="none">{reference ?? fingerprint}</Badge>}{updated_at && <Text size="xs" c="dimmed"><When at={updated_at} /></Text>}</Group>)}</Stack>;
}

