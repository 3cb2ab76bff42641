/** Who was invited chooses a password. The token stands in the fragment, so that no server's log keeps it. */
import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { api, ApiError } from "../../api/client.ts";
import { sessionQuery } from "../../api/session.ts";

export default function Invitation() {
  useDocumentTitle("Accept an invitation · Plugboard");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [token] = useState(() => location.hash.slice(1));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const accept = useMutation({
    mutationFn: () => api.post("/api/invitations/accept", { token, name, password }),
    onSuccess: async () => {
      await queries.resetQueries({ queryKey: sessionQuery.queryKey });
      await navigate({ to: "/" });
    },
  });
  const submit = (event: FormEvent) => { event.preventDefault(); accept.mutate(); };
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w="100%" maw={420} component="form" onSubmit={submit}>
        <Stack gap="md">
          <Title order={1} size="h2">Welcome to Plugboard</Title>
          {token === "" ? <Alert color="red" variant="light" role="alert">This address lacks the invitation's token. Open the link of the invitation once more.</Alert> : <>
            <Text size="sm" c="dimmed">Choose how you are called, and a password of at least 12 characters.</Text>
            {accept.isError && <Alert color="red" variant="light" role="alert">{accept.error instanceof ApiError ? <>{accept.error.message}{accept.error.hint ? ` ${accept.error.hint}` : ""}</> : "Something went wrong. Try again."}</Alert>}
            <TextInput label="Your name" autoComplete="name" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
            <PasswordInput label="Password" autoComplete="new-password" required minLength={12} value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
            <Button type="submit" loading={accept.isPending}>Accept the invitation</Button>
          </>}
        </Stack>
      </Paper>
    </Center>
  );
}
