/** How many a replay would take, asked of the server when the question is: before, not after. */
import { Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { Failed } from "./states.tsx";

export function Counted({ path, tenant, body, one, many, does, most = Number.POSITIVE_INFINITY }: {
  /** Of the replay; `dry_run` asks. */
  readonly path: string; readonly tenant: string; readonly body: object; readonly one: string; readonly many: string; /** `sent`, `processed` */ readonly does: string; /** It takes no more at a time. */ readonly most?: number;
}) {
  const count = useQuery({ queryKey: [path, tenant, JSON.stringify(body), "count"], staleTime: 0, gcTime: 0, queryFn: async () => (await api.post<{ would_replay: number }>(path, body, { tenant, dry_run: true })).would_replay });
  if (count.isError) return <Failed error={count.error} />;
  if (count.data === undefined) return <Skeleton h={22} w={220} />;
  return <Text fw={600} aria-live="polite">{count.data === 0 ? `None of them is over: nothing would be ${does}.` : `${count.data.toLocaleString("en-GB")} ${count.data === 1 ? one : many} will be ${does} again${count.data >= most ? ": the oldest of them" : ""}.`}</Text>;
}
