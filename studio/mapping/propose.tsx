/** From an edit to a change: a branch and a commit under one's name. */
import { Badge, Box, Button, Group, Modal, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../api/client.ts";
import { Failed } from "../ui/states.tsx";
import type { FileEdit } from "./edits.ts";

export function Propose({ opened, close, title, parts, edits, done }: { readonly opened: boolean; readonly close: () => void; readonly title: string; /** What differs, in words. */ readonly parts: readonly string[]; readonly edits: readonly FileEdit[]; readonly done: () => void }) {
  const navigate = useNavigate();
  const suggested = `${title}: ${parts.length === 1 ? parts[0] : `${parts.length} fields`}`;
  const [name, setName] = useState("");
  const [why, setWhy] = useState("");
  const propose = useMutation({
    mutationFn: () => api.post<{ id: string }>("/api/changes", { title: name || suggested, ...(why === "" ? {} : { description: why }), edits, propose: true }),
    onSuccess: ({ id }) => { done(); close(); setTimeout(() => void navigate({ to: `/changes/${id}` }), 0); },
  });
  return (
    <Modal opened={opened} onClose={close} title="Propose this change" size="lg">
      <form onSubmit={(event) => { event.preventDefault(); propose.mutate(); }}>
        <Stack>
          <Text size="sm" c="dimmed">It becomes a branch and a commit under your name. The plan shows what it does before anybody approves it.</Text>
          <TextInput data-autofocus label="Title" placeholder={suggested} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Textarea label="Why" autosize minRows={2} value={why} onChange={(event) => setWhy(event.currentTarget.value)} />
          <Box><Text size="xs" fw={600} mb={4}>What changes</Text><Group gap={4}>{parts.map((part) => <Badge key={part} variant="default" tt="none">{part}</Badge>)}</Group></Box>
          {propose.isError && <Failed error={propose.error} />}
          <Group justify="flex-end"><Button variant="default" onClick={close}>Not yet</Button><Button type="submit" loading={propose.isPending}>Propose</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}
