import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { api } from "../api/client.ts";

export function EndImpersonation() {
  const end = useMutation({ mutationFn: () => api.delete("/api/session/impersonation"), onSuccess: () => location.assign("/") });
  return <Button size="xs" color="yellow" variant="filled" autoContrast loading={end.isPending} onClick={() => end.mutate()}>Be yourself again</Button>;
}
