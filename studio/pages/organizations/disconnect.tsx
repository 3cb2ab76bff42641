/** The end of a connection: its credential is forgotten; what it read stays or goes, counted before. */
import { Alert, Button, Group, Radio, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { done as say } from "../../ui/notify.ts";
import { Failed, Loaded } from "../../ui/states.tsx";
import { type Held, inWords, useHeld } from "./held.tsx";
import type { Connection } from "./types.ts";

interface Ended { readonly revoked: "revoked" | "not_offered" | "failed" | "nothing_to_revoke"; readonly erased: Held }

const REVOKED: Readonly<Record<Ended["revoked"], string>> = { revoked: " What the sign-in gave is ended there too.", not_offered: "", nothing_to_revoke: "", failed: " What the sign-in gave could not be ended there: end it at the provider by hand." };

export function Disconnect({ tenant, connection, done }: { readonly tenant: string; readonly connection: Connection; readonly done: () => void }) {
  const may = useMay();
  const [data, setData] = useState<"keep" | "erase">("keep");
  const held = useHeld(tenant, connection.connection);
  const end = useMutation({
    mutationFn: () => api.delete<Ended>(`/api/connections/${connection.connection}`, { tenant, data }),
    onSuccess: ({ revoked, erased }) => { say(`${connection.title} is disconnected.${data === "erase" ? ` Erased: ${inWords(erased)}.` : ""}${REVOKED[revoked]}`); done(); },
  });
  return (
    <Stack>
      <Text size="sm">Its credential is forgotten, and nothing runs until one is entered again.{connection.signed_in ? ` What the sign-in gave is ended at ${connection.title}, where that is offered.` : ""}</Text>
      <Loaded query={held} rows={2}>{(found) => (
        <Radio.Group label={`What it read so far: ${inWords(found)}`} value={data} onChange={(value) => setData(value as "keep" | "erase")}>
          <Stack gap={8} mt={6}>
            <Radio value="keep" label="Keep it" description="Connected to the same account again, it goes on where it stopped." />
            {may("sync:reset") && <Radio value="erase" label="Erase it" description="Rows that only it knows end; the others lose what it said of them." disabled={found.records + found.quarantined + found.checkpoints === 0} />}
          </Stack>
        </Radio.Group>
      )}</Loaded>
      {data === "erase" && held.data && <Alert color="red" variant="light" title={`${inWords(held.data)}: erased`}>This cannot be undone. Connected again, everything is read from the beginning.</Alert>}
      {end.isError && <Failed error={end.error} />}
      <Group justify="flex-end"><Button color="red" loading={end.isPending} disabled={held.isPending} onClick={() => end.mutate()}>{data === "erase" ? "Disconnect and erase" : "Disconnect"}</Button></Group>
    </Stack>
  );
}
