/** A tenant's mapping of one flow: what the preset says, and what the tenant says otherwise. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Editor, type EditorData } from "../../mapping/editor.tsx";
import { Page } from "../../ui/page.tsx";
import { Loaded } from "../../ui/states.tsx";

interface FlowData extends EditorData { readonly flow: string; readonly edit_file: string; readonly edit_pointer: string; readonly defaults: Readonly<Record<string, unknown>> }

export default function FlowMappingPage() {
  const { tenant, flow } = useParams({ strict: false }) as { tenant: string; flow: string };
  const may = useMay();
  const mapping = useQuery({ queryKey: [`/api/tenants/${tenant}/flows/${flow}/mapping`], queryFn: ({ signal }) => api.get<FlowData>(`/api/tenants/${tenant}/flows/${flow}/mapping`, {}, signal) });
  const shared = useQuery({ queryKey: [`/api/mappings/${mapping.data?.id}/samples`], enabled: mapping.data?.id.includes("/") === true && may("configuration:propose"), queryFn: ({ signal }) => api.get<{ data: readonly { title: string; record: unknown }[] }>(`/api/mappings/${mapping.data!.id}/samples`, {}, signal) });
  const own = useQuery({ queryKey: [`/api/tenants/${tenant}/flows/${flow}/samples`], enabled: may("raw:read"), staleTime: Infinity, queryFn: ({ signal }) => api.get<{ data: readonly unknown[] }>(`/api/tenants/${tenant}/flows/${flow}/samples`, {}, signal) });
  const samples = [...(own.data?.data ?? []).map((record, index) => ({ title: `Record ${index + 1} of ${tenant}`, record })), ...(shared.data?.data ?? [])];
  return (
    <Page wide title={`Mapping of ${flow}`} crumbs={[{ label: "Organisations", to: "/super-admin/organizations" }, { label: tenant, to: `/super-admin/organizations/${tenant}` }, { label: "Mappings" }]} lead="Only what differs from the preset is stored. A field that is set to the preset's own value is no override.">
      <Loaded query={mapping}>{(data) => <Editor key={`${tenant}/${flow}`} data={data} title={`${tenant}: mapping of ${flow}`} samples={samples} preview={{ tenant, flow }} target={{ file: data.edit_file, pointer: data.edit_pointer }} />}</Loaded>
    </Page>
  );
}
