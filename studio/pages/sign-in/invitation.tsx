/** Who was invited comes in: with a password, or by signing in where they have an account already. */
import { Alert, Button, Center, Divider, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, ApiError } from "../../api/client.ts";
import { sessionQuery } from "../../api/session.ts";
import { Failed, LoadingRows } from "../../ui/states.tsx";
import { useFragment } from "./fragment.ts";

interface Invited { readonly title: string; readonly email: string; readonly role: string }

/** Said beside the field. */
const AT_PASSWORD = new Set(["SERVER_WEAK_PASSWORD", "SERVER_SIGN_IN"]);

export default function Invitation() {
  useDocumentTitle("Accept an invitation · Plugboard");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const token = useFragment();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const invited = useQuery({ queryKey: ["invitation"], queryFn: () => api.post<Invited>("/api/invitations/look", { token }), enabled: token !== "", retry: false, staleTime: Infinity, gcTime: 0 });
  const providers = useQuery({ queryKey: ["sign-in-providers"], queryFn: ({ signal }) => api.get<{ data: readonly { id: string; title: string }[] }>("/api/sign-in/providers", {}, signal), staleTime: Infinity, retry: false });
  const accept = useMutation({
    mutationFn: () => api.post("/api/invitations/accept", { token, password, ...(name.trim() === "" ? {} : { name: name.trim() }) }),
    onSuccess: async () => {
      await queries.resetQueries({ queryKey: sessionQuery.queryKey });
      await navigate({ to: "/" });
    },
    onError: () => setPassword(""),
  });
  const atPassword = accept.error instanceof ApiError && AT_PASSWORD.has(accept.error.code) ? accept.error : undefined;
  const go = useMutation({ mutationFn: (provider: string) => api.post<{ location: string }>(`/api/sign-in/oidc/${encodeURIComponent(provider)}`, { invitation: token }), onSuccess: ({ location: to }) => location.assign(to) });
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w="100%" maw={420} component="form" onSubmit={(event: FormEvent) => { event.preventDefault(); accept.mutate(); }}>
        <Stack gap="md">
          <Title order={1} size="h2">Welcome to Plugboard</Title>
          {token === "" ? <Alert color="red" variant="light" role="alert">This address lacks the invitation's token. Open the link of the invitation once more.</Alert>
            : invited.isError ? <Failed error={invited.error} /> : invited.data === undefined ? <LoadingRows rows={4} /> : <>
              <Text size="sm">You are invited to <b>{invited.data.title}</b> as {invited.data.role.replaceAll("_", " ")}.</Text>
              {(providers.data?.data.length ?? 0) > 0 && <>
                {providers.data!.data.map(({ id, title }) => <Button key={id} variant="default" fullWidth loading={go.isPending && go.variables === id} onClick={() => go.mutate(id)}>Sign in with {title}</Button>)}
                {go.isError && <Failed error={go.error} />}
                <Divider label="or with a password" />
              </>}
              <Text size="sm" c="dimmed">Who is here already gives the password they have. Otherwise choose one of at least 12 characters.</Text>
              {accept.isError && atPassword === undefined && <Failed error={accept.error} />}
              <TextInput label="E-mail" type="email" autoComplete="username" value={invited.data.email} readOnly />
              <TextInput label="Your name" autoComplete="name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
              <PasswordInput label="Password" autoComplete="new-password" required value={password} onChange={(event) => { setPassword(event.currentTarget.value); accept.reset(); }} error={atPassword && [atPassword.message, atPassword.hint].filter(Boolean).join(" ")} visibilityToggleButtonProps={{ "aria-label": "Show the password" }} />
              <Button type="submit" loading={accept.isPending}>Accept the invitation</Button>
            </>}
        </Stack>
      </Paper>
    </Center>
  );
}
