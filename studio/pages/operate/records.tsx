/** What the flows stored, entity by entity. */
import { Anchor, Group, Select, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, Loaded, LoadingRows } from "../../ui/states.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { usePages } from "../../ui/use-pages.ts";

interface Flow { readonly to: string; readonly entity: string }
export interface EntityRecord { readonly id: string; readonly labels: Readonly<Record<string, string>>; readonly links: Readonly<Record<string, string>>; readonly created_at: string; readonly updated_at: string; readonly deleted_at?: string; readonly [field: string]: unknown }

export const FIXED = new Set(["id", "labels", "links", "created_at", "updated_at", "deleted_at"]);

/** What people call a row by, most telling first: entities are the operator's own, so this is a guess by the usual names. */
const NAMES = ["name", "full_name", "title", "display_name", "last_name", "email", "subject"];
export const nameFieldOf = (fields: readonly string[]): string | undefined => NAMES.find((name) => fields.includes(name));

/** A value in one line. */
export const inShort = (value: unknown): string => value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);

export default function Records() {
  return <Page title="Records" lead="The rows of your own model. Each knows where it came from." actions={<TenantPicker />}><ForTenant>{(tenant) => <Entities key={tenant} tenant={tenant} />}</ForTenant></Page>;
}

function Entities({ tenant }: { readonly tenant: string }) {
  const flows = useQuery({ queryKey: ["/api/flows", tenant], queryFn: ({ signal }) => api.get<{ data: readonly Flow[] }>("/api/flows", { tenant }, signal) });
  const search = useSearch({ strict: false }) as { entity?: string };
  const navigate = useNavigate();
  return (
    <Loaded query={flows}>{({ data }) => {
      const entities = [...new Set(data.flatMap(({ entity, to }) => to === "entity" ? entity : []))].sort();
      const entity = search.entity ?? entities[0];
      if (entity === undefined) return <Empty title="No flow stores anything yet" />;
      return <>
        <Group><Select aria-label="Entity" w={220} allowDeselect={false} value={entity} data={[...new Set([...entities, entity])]} onChange={(value) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, entity: value }) } as never)} /></Group>
        <Rows key={entity} tenant={tenant} entity={entity} />
      </>;
    }}</Loaded>
  );
}

/** What they are called by, then the fields most rows have: a table cannot show thirty columns. */
function columnsOf(rows: readonly EntityRecord[]): string[] {
  const filled = new Map<string, number>();
  for (const row of rows) for (const [name, value] of Object.entries(row)) if (!FIXED.has(name) && value !== null && typeof value !== "object") filled.set(name, (filled.get(name) ?? 0) + 1);
  const called = nameFieldOf([...filled.keys()]);
  return [...filled].sort(([first, a], [second, b]) => Number(second === called) - Number(first === called) || b - a).slice(0, 6).map(([name]) => name);
}

function Rows({ tenant, entity }: { readonly tenant: string; readonly entity: string }) {
  const records = usePages<EntityRecord>(`/api/records/${entity}`, { tenant });
  if (records.isError && records.rows === undefined) return <Failed error={records.error} retry={() => void records.refetch()} />;
  if (records.rows === undefined) return <LoadingRows />;
  if (records.rows.length === 0) return <Empty title={`No ${entity} yet`}>Rows appear with the first run of a flow that writes it.</Empty>;
  const columns = columnsOf(records.rows);
  return (
    <DataTable label={`Rows of ${entity}`} rows={records.rows} keyOf={({ id }) => id} hrefOf={({ id }) => `/records/${entity}/${id}?tenant=${tenant}`} more={records.more} columns={[
      { label: columns[0] ?? "id", show: (row) => <Anchor component={Link} to={`/records/${entity}/${row.id}`} search={{ tenant } as never} size="sm" fw={550}>{inShort(columns[0] === undefined ? row.id : row[columns[0]])}</Anchor> },
      ...columns.slice(1).map((name) => ({ label: name, show: (row: EntityRecord) => <Text size="sm" truncate maw={220} title={inShort(row[name])}>{inShort(row[name])}</Text> })),
      { label: "Changed", show: (row) => <When at={row.updated_at} /> },
    ]} />
  );
}
