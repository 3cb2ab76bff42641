/** What waits for a person before it leaves. */
import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { ForTenant } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";
import { type Delivery, says } from "../deliveries/types.ts";

export default function Holds() {
  return <Page title="Waits for approval" lead="These are sent when somebody has looked at them. What is approved is what is sent, to the letter."><ForTenant>{(tenant) => <List tenant={tenant} />}</ForTenant></Page>;
}

function List({ tenant }: { readonly tenant: string }) {
  const holds = usePages<Delivery>("/api/holds", { tenant }, { every: 20_000 });
  if (holds.isError && holds.rows === undefined) return <Failed error={holds.error} retry={() => void holds.refetch()} />;
  if (holds.rows === undefined) return <LoadingRows />;
  if (holds.rows.length === 0) return <Empty title="Nothing waits">What a flow holds for you appears here before it is sent.</Empty>;
  return (
    <DataTable label="Waiting for approval" rows={holds.rows} keyOf={({ id }) => id} hrefOf={({ id }) => `/holds/${id}`} more={holds.more} columns={[
      { label: "What", show: (each) => <Stack gap={0}><Anchor component={Link} to={`/holds/${each.id}`} size="sm" fw={550}>{each.flow}</Anchor><Text size="xs" c="dimmed">{says(each)}</Text></Stack> },
      { label: "About", show: ({ entity, row }) => <Text size="sm">{entity} <Text span c="dimmed" size="sm">{row.slice(0, 8)}</Text></Text> },
      { label: "Changed", show: ({ changed_at }) => <When at={changed_at} /> },
      { label: "Waits for", show: ({ hold_role }) => hold_role?.replaceAll("_", " ") ?? "–" },
      { label: "Since", show: ({ created_at }) => <When at={created_at} /> },
    ]} />
  );
}
