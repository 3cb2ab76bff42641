/** An organisation's integrations as cards. */
import { SimpleGrid } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { useLive } from "../../api/live.ts";
import { useMay } from "../../api/session.ts";
import { Empty, Loaded } from "../../ui/states.tsx";
import { CameBack } from "./came-back.tsx";
import { IntegrationCard } from "./integration-card.tsx";
import { flowOfFrequency } from "./schedule.tsx";
import type { Connection, Override } from "./types.ts";

export function Integrations({ tenant }: { readonly tenant: string }) {
  const may = useMay();
  useLive(may("runs:read") ? tenant : undefined, () => undefined);
  const connections = useQuery({ queryKey: ["/api/connections", tenant], queryFn: ({ signal }) => api.get<{ data: readonly Connection[] }>("/api/connections", { tenant }, signal), refetchInterval: 20_000 });
  const overrides = useQuery({ queryKey: [`/api/tenants/${tenant}/overrides`, "changed"], enabled: may("overrides:read"), queryFn: ({ signal }) => api.get<{ data: readonly Override[] }>(`/api/tenants/${tenant}/overrides`, { overridden: true }, signal) });
  const custom = new Set((overrides.data?.data ?? []).flatMap(({ path }) => flowOfFrequency(path) ?? []));
  return <Loaded query={connections} rows={4}>{({ data }) => data.length === 0 ? <Empty title="No integrations">Its preset has none. Move it to another preset, or add a connection.</Empty> : <><CameBack tenant={tenant} connections={data} /><SimpleGrid cols={{ base: 1, lg: 2 }}>{data.map((each) => <IntegrationCard key={each.connection} tenant={tenant} connection={each} overridden={custom} />)}</SimpleGrid></>}</Loaded>;
}
