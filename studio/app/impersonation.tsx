/** While one acts as somebody of an organisation: as whom, why, until when, and the way back. It ends by itself. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../api/client.ts";
import { useSession } from "../api/session.ts";
import { When } from "../ui/time.tsx";

/** What is on screen is somebody else's: the pages begin anew as oneself. */
const asOneself = (): void => location.assign("/");

export function Impersonating() {
  const { impersonation, user, role, tenant, memberships } = useSession();
  const until = impersonation?.until;
  useEffect(() => {
    if (until === undefined) return;
    const timer = setTimeout(asOneself, Math.max(0, Date.parse(until) - Date.now()) + 1000);
    return () => clearTimeout(timer);
  }, [until]);
  const end = useMutation({ mutationFn: () => api.delete("/api/session/impersonation"), onSuccess: asOneself });
  if (!impersonation) return null;
  const title = memberships.find((each) => each.tenant === tenant)?.title ?? tenant;
  const whom = user.email === impersonation.by ? `a ${role?.replaceAll("_", " ")}` : user.name ?? user.email;
  return (
    <Alert color="yellow" variant="light" mb="md" title={<>You act as {whom} of {title}, it ends <When at={impersonation.until} /></>}>
      <Group justify="space-between"><Text size="sm">{impersonation.by}: “{impersonation.reason}”. All of it is in the organisation's audit log.</Text><Button size="xs" color="yellow" variant="filled" autoContrast loading={end.isPending} onClick={() => end.mutate()}>Be yourself again</Button></Group>
    </Alert>
  );
}
