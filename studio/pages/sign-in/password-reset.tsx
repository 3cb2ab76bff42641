/** Who got a link chooses a new password. The token stands in the fragment, so that no server's log keeps it. */
import { Alert, Anchor, Button, Center, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, ApiError } from "../../api/client.ts";
import { Failed } from "../../ui/states.tsx";
import { useFragment } from "./fragment.ts";

export default function PasswordReset() {
  useDocumentTitle("A new password · Plugboard");
  const token = useFragment();
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== password;
  const choose = useMutation({ mutationFn: () => api.post("/api/password-resets/accept", { token, password }), onSuccess: () => { setPassword(""); setAgain(""); } });
  const weak = choose.error instanceof ApiError && choose.error.code === "SERVER_WEAK_PASSWORD" ? choose.error : undefined;
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w="100%" maw={420} component="form" onSubmit={(event: FormEvent) => { event.preventDefault(); if (!differs) choose.mutate(); }}>
        <Stack gap="md">
          <Title order={1} size="h2">Choose a new password</Title>
          {choose.isSuccess ? <Alert color="teal" variant="light" role="status">It is yours now, and all your sessions ended. <Anchor component={Link} to="/sign-in" size="sm">Sign in</Anchor></Alert>
            : token === "" ? <Alert color="red" variant="light" role="alert">This address lacks the link's token. Open the link once more.</Alert> : <>
              <Text size="sm" c="dimmed">At least 12 characters. A few words are easier to remember than signs.</Text>
              {choose.isError && weak === undefined && <Failed error={choose.error} />}
              <PasswordInput label="New password" autoComplete="new-password" required minLength={12} value={password} error={weak && [weak.message, weak.hint].filter(Boolean).join(" ")} onChange={(event) => { setPassword(event.currentTarget.value); choose.reset(); }} />
              <PasswordInput label="Once more" autoComplete="new-password" required value={again} error={differs ? "It is another one." : undefined} onChange={(event) => setAgain(event.currentTarget.value)} />
              <Button type="submit" loading={choose.isPending}>Set it</Button>
            </>}
        </Stack>
      </Paper>
    </Center>
  );
}
