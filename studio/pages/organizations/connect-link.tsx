/** Links with which somebody without an account connects one connection: made, shown once, and taken back. */
import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Page } from "../../api/client.ts";
import { failed } from "../../ui/notify.ts";
import { ShownOnce } from "../../ui/shown-once.tsx";
import { Failed } from "../../ui/states.tsx";
import { When } from "../../ui/time.tsx";
import type { Connection } from "./types.ts";

interface ConnectLinkState { readonly id: string; readonly connection: string; readonly status: "open" | "connected" | "revoked" | "expired"; readonly created_by: string; readonly created_at: string; readonly expires_at: string }

const LASTS = [{ value: "3600", label: "an hour" }, { value: "28800", label: "8 hours" }, { value: "86400", label: "a day" }];

export function ConnectLink({ tenant, connection }: { readonly tenant: string; readonly connection: Connection }) {
  const queries = useQueryClient();
  const [seconds, setSeconds] = useState("86400");
  const KEY = ["/api/connect-links", tenant];
  const links = useQuery({ queryKey: KEY, queryFn: ({ signal }) => api.get<Page<ConnectLinkState>>("/api/connect-links", { tenant, limit: 100 }, signal) });
  const refresh = (): void => void queries.invalidateQueries({ queryKey: KEY });
  const make = useMutation({ mutationFn: () => api.post<{ url: string; link: ConnectLinkState }>("/api/connect-links", { connection: connection.connection, expires_in_seconds: Number(seconds) }, { tenant }), onSuccess: refresh });
  const revoke = useMutation({ mutationFn: (id: string) => api.delete(`/api/connect-links/${id}`, { tenant }), onSuccess: refresh, onError: failed("Not taken back") });
  const open = (links.data?.data ?? []).filter((each) => each.connection === connection.connection && each.status === "open");
  return (
    <Stack>
      <Text size="sm">Whoever opens it can connect {connection.title} for this organisation without an account: their own administrator, for example. It reaches nothing else, and is over once it is connected.</Text>
      {make.data ? <ShownOnce label="Link" value={make.data.url}>Send it to them yourself. It is good until <When at={make.data.link.expires_at} />.</ShownOnce>
        : <Group align="flex-end" justify="space-between"><Select label="Good for" w={150} allowDeselect={false} data={LASTS} value={seconds} onChange={(value) => setSeconds(value ?? seconds)} /><Button loading={make.isPending} onClick={() => make.mutate()}>Make a link</Button></Group>}
      {make.isError && <Failed error={make.error} />}
      {open.length > 0 && (
        <Stack gap={6} component="section" aria-label="Links that are open">
          <Text size="sm" fw={550}>Open links</Text>
          {open.map(({ id, created_by, created_at, expires_at }) => <Group key={id} justify="space-between" wrap="nowrap"><Text size="xs" c="dimmed">made <When at={created_at} /> by {created_by}, good until <When at={expires_at} /></Text><Button size="compact-xs" variant="default" loading={revoke.isPending && revoke.variables === id} onClick={() => revoke.mutate(id)}>Take it back</Button></Group>)}
        </Stack>
      )}
    </Stack>
  );
}
