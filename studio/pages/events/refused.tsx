/** Requests that were not accepted: the sender was told 401 only, here stands why. */
import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { exactTime, useZone, When } from "../../ui/time.tsx";
import { useFilters } from "../../ui/use-filters.ts";
import { whole } from "../operate/types.ts";

interface Refusal { readonly connector: string; readonly connection: string | null; readonly feed: string; readonly reason: string; readonly hour: string; readonly count: number; readonly last_at: string }

export default function Refused() {
  const [{ tenant }] = useFilters<"tenant">();
  return <Page title="Refused requests" crumbs={[{ label: "Events", to: tenant === undefined ? "/events" : `/events?tenant=${tenant}` }, { label: "Refused" }]} lead="By reason and hour. Many of one reason after a provider's secret was changed mean that the new one was not entered here yet." actions={<TenantPicker />}><ForTenant>{(one) => <List tenant={one} />}</ForTenant></Page>;
}

function List({ tenant }: { readonly tenant: string }) {
  const [zone] = useZone();
  const [{ connection }] = useFilters<"connection">();
  const refused = useQuery({ queryKey: ["/api/events/refused", tenant, connection], queryFn: ({ signal }) => api.get<{ data: readonly Refusal[] }>("/api/events/refused", { tenant, connection }, signal), refetchInterval: 30_000 });
  return (
    <Loaded query={refused}>{({ data }) => data.length === 0 ? <Empty title="None was refused">Every request that came was what it said it was.</Empty> : (
      <DataTable label="Refused requests" rows={data} keyOf={(each) => `${each.connector} ${each.connection} ${each.feed} ${each.reason} ${each.hour}`} columns={[
        { label: "Why", show: ({ reason }) => <Text size="sm" fw={550}>{reason}</Text> },
        { label: "Sent to", show: ({ connection: name, connector, feed }) => <Text size="sm">{name ?? connector} <Text span c="dimmed" size="sm">{feed}</Text></Text> },
        { label: "Hour", show: ({ hour }) => exactTime(hour, zone) },
        { label: "How many", align: "right", show: ({ count }) => whole(count) },
        { label: "Last", show: ({ last_at }) => <When at={last_at} /> },
      ]} />
    )}</Loaded>
  );
}
