/** A tenant's mapping of one flow: what the preset says, and what the tenant says otherwise. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { api } from "../../api/client.ts";
import { isStaff, useMay, useSession } from "../../api/session.ts";
import type { Json } from "../../../engine/manifest/types.ts";
import type { FieldText } from "../../mapping/edits.ts";
import { Editor, type EditorData } from "../../mapping/editor.tsx";
import { Page } from "../../ui/page.tsx";
import { Loaded } from "../../ui/states.tsx";

interface FlowData extends EditorData { readonly flow: string; readonly edit_file: string; readonly edit_pointer: string; readonly defaults: Readonly<Record<string, unknown>> }

export default function FlowMappingPage() {
  const { tenant, flow } = useParams({ strict: false }) as { tenant: string; flow: string };
  const may = useMay();
  const session = useSession();
  const mapping = useQuery({ queryKey: [`/api/tenants/${tenant}/flows/${flow}/mapping`], queryFn: ({ signal }) => api.get<FlowData>(`/api/tenants/${tenant}/flows/${flow}/mapping`, {}, signal) });
  const shared = useQuery({ queryKey: [`/api/mappings/${mapping.data?.id}/samples`], enabled: mapping.data?.id.includes("/") === true && may("configuration:propose"), queryFn: ({ signal }) => api.get<{ data: readonly { title: string; record: unknown }[] }>(`/api/mappings/${mapping.data!.id}/samples`, {}, signal) });
  const own = useQuery({ queryKey: [`/api/tenants/${tenant}/flows/${flow}/samples`], enabled: may("raw:read"), staleTime: Infinity, queryFn: ({ signal }) => api.get<{ data: readonly unknown[] }>(`/api/tenants/${tenant}/flows/${flow}/samples`, {}, signal) });
  const samples = useMemo(() => [...(own.data?.data ?? []).map((record, index) => ({ title: `Record ${index + 1} of ${tenant}`, record })), ...(shared.data?.data ?? [])], [own.data, shared.data, tenant]);
  return (
    <Page wide title={`Mapping of ${flow}`} crumbs={isStaff(session) ? [{ label: "Organisations", to: "/super-admin/organizations" }, { label: tenant, to: `/super-admin/organizations/${tenant}` }, { label: "Mappings" }] : [{ label: "Integrations", to: "/org/integrations" }, { label: "Mappings" }]} lead="Only what differs from the preset is stored. A field that is set to the preset's own value is no override.">
      <Loaded query={mapping}>{(data) => <Opened key={`${tenant}/${flow}`} tenant={tenant} data={data} samples={samples} />}</Loaded>
    </Page>
  );
}

/** Only what differs is stored: a field that is reset is taken out of the organisation's file. */
function Opened({ tenant, data, samples }: { readonly tenant: string; readonly data: FlowData; readonly samples: readonly { readonly title: string; readonly record: unknown }[] }) {
  const defaults = useMemo(() => Object.fromEntries(Object.entries(data.defaults).map(([field, value]) => [field, defaultOf(field, value)])), [data.defaults]);
  const may = useMay();
  const file = useQuery({ queryKey: ["/api/sources", data.edit_file], enabled: may("configuration:propose"), staleTime: Infinity, queryFn: ({ signal }) => api.get<{ files: readonly { layer: string; text: string }[] }>("/api/sources", { path: data.edit_file }, signal) });
  const text = file.data?.files.find(({ layer }) => layer === "workspace")?.text;
  const target = useMemo(() => ({ file: data.edit_file, pointer: data.edit_pointer, inherited: new Set(Object.keys(data.defaults)), ...(text === undefined ? {} : { text }) }), [data, text]);
  const below = useMemo(() => ({ fields: { ...Object.fromEntries(data.fields.filter(({ layer }) => layer !== "tenant").map((field) => [field.field, field])), ...defaults }, where: data.where, tests: [] }), [data, defaults]);
  return <Editor below={below} data={data} title={`${tenant}: mapping of ${data.flow}`} samples={samples} preview={{ tenant, flow: data.flow }} target={target} defaults={defaults} />;
}

function defaultOf(field: string, value: unknown): FieldText {
  const shared = { field, layer: "preset", file: "(preset)", line: 1 };
  if (typeof value === "string") return { ...shared, expression: value, ref: null };
  const { ref, key, expression } = (typeof value === "object" && value !== null ? value : {}) as { ref?: string; key?: string; expression?: string };
  return ref !== undefined ? { ...shared, ref, expression: key ?? null } : expression !== undefined ? { ...shared, ref: null, expression } : { ...shared, ref: null, expression: null, constant: value as Json };
}
