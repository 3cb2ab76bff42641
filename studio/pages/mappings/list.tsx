/** All mappings, by the provider they read. */
import { Anchor, Badge, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";

interface Line { readonly id: string; readonly from: string; readonly to: string; readonly fields: number; readonly tests: number; readonly layer: string; readonly presets: readonly string[] }

export default function Mappings() {
  const mappings = useQuery({ queryKey: ["/api/mappings"], queryFn: ({ signal }) => api.get<{ data: readonly Line[] }>("/api/mappings", {}, signal) });
  return (
    <Page title="Mappings" lead="One expression per field: from a provider's record to a row of your own model. Open one as a list or as a graph; both edit the same text.">
      <Loaded query={mappings}>{({ data }) => data.length === 0 ? <Empty title="No mappings yet" /> : (
        <DataTable label="Mappings" rows={data} keyOf={({ id }) => id} hrefOf={({ id }) => `/mappings/${id}`} columns={[
          { label: "Mapping", show: ({ id }) => <Anchor component={Link} to={`/mappings/${id}`} size="sm" fw={550}>{id}</Anchor> },
          { label: "Reads", show: ({ from }) => from }, { label: "Makes", show: ({ to }) => to },
          { label: "Fields", align: "right", show: ({ fields }) => fields }, { label: "Tests", align: "right", show: ({ tests }) => tests },
          { label: "Used by", show: ({ presets }) => presets.length === 0 ? <Text size="sm" c="dimmed">no preset</Text> : <Group gap={4}>{presets.map((preset) => <Badge key={preset} variant="default" tt="none" radius="sm">{preset}</Badge>)}</Group> },
          { label: "Written in", show: ({ layer }) => layer },
        ]} />
      )}</Loaded>
    </Page>
  );
}
