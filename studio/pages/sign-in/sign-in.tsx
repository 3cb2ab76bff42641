/** E-mail and password, or one of the operator's single sign-on providers. */
import { Alert, Anchor, Button, Center, Divider, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { api, ApiError } from "../../api/client.ts";
import { sessionQuery } from "../../api/session.ts";

/** Only paths of ours: a link must not send people elsewhere after they signed in. */
const ownPath = (to: unknown): string => typeof to === "string" && /^\/(?![/\\])/.test(to) ? to : "/";

export default function SignIn() {
  useDocumentTitle("Sign in · Plugboard");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { to } = useSearch({ strict: false }) as { to?: string };
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const providers = useQuery({ queryKey: ["sign-in-providers"], queryFn: ({ signal }) => api.get<{ data: readonly { id: string; title: string }[] }>("/api/sign-in/providers", {}, signal), staleTime: Infinity, retry: false });
  const signIn = useMutation({
    mutationFn: () => api.post("/api/session", { email, password }),
    onSuccess: async () => {
      await queries.resetQueries({ queryKey: sessionQuery.queryKey });
      await navigate({ to: ownPath(to) });
    },
    onError: () => setPassword(""),
  });
  const submit = (event: FormEvent) => { event.preventDefault(); signIn.mutate(); };
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w="100%" maw={400} component="form" onSubmit={submit}>
        <Stack gap="md">
          <Group gap={10}><img src="/plug.svg" width={30} height={30} alt="" /><Title order={1} size="h2">Sign in to Plugboard</Title></Group>
          {signIn.isError && <Alert color="red" variant="light" role="alert">{signIn.error instanceof ApiError ? <>{signIn.error.message}{signIn.error.hint ? ` ${signIn.error.hint}` : ""}</> : "Something went wrong. Try again."}</Alert>}
          <TextInput label="E-mail" type="email" name="email" autoComplete="username" required autoFocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
          <PasswordInput label="Password" name="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show the password" }} />
          <Button type="submit" fullWidth loading={signIn.isPending}>Sign in</Button>
          {(providers.data?.data.length ?? 0) > 0 && <>
            <Divider label="or" />
            {providers.data!.data.map(({ id, title }) => <Button key={id} component="a" variant="default" fullWidth href={`/api/sign-in/oidc/${encodeURIComponent(id)}?return_to=${encodeURIComponent(ownPath(to))}`}>Sign in with {title}</Button>)}
          </>}
          <Text size="xs" c="dimmed">Access is by invitation. Ask who manages your organisation, or see the <Anchor href="/docs" size="xs">API's documentation</Anchor>.</Text>
        </Stack>
      </Paper>
    </Center>
  );
}
