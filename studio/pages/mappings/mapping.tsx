/** A mapping of the catalogue or workspace. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { Editor, type EditorData } from "../../mapping/editor.tsx";
import { Page } from "../../ui/page.tsx";
import { Loaded } from "../../ui/states.tsx";

interface MappingData extends EditorData { readonly files: readonly { readonly layer: string; readonly file: string; readonly text: string }[]; readonly tests: readonly { readonly name: string }[]; readonly edit_file: string; readonly presets: readonly string[] }

export default function MappingPage() {
  const { connector, name } = useParams({ strict: false }) as { connector: string; name: string };
  const id = `${connector}/${name}`;
  const mapping = useQuery({ queryKey: [`/api/mappings/${id}`], queryFn: ({ signal }) => api.get<MappingData>(`/api/mappings/${id}`, {}, signal) });
  const samples = useQuery({ queryKey: [`/api/mappings/${id}/samples`], queryFn: ({ signal }) => api.get<{ data: readonly { title: string; record: unknown }[] }>(`/api/mappings/${id}/samples`, {}, signal) });
  return (
    <Page wide title={id} crumbs={[{ label: "Mappings", to: "/mappings" }, { label: connector }]} lead={mapping.data && `From ${mapping.data.from} to ${mapping.data.to}. ${mapping.data.presets.length === 0 ? "No preset uses it." : `Used by ${mapping.data.presets.join(", ")}: whoever follows the head gets the change; releases keep theirs.`}`}>
      <Loaded query={mapping}>{(data) => (
        <Editor key={id} data={data} title={`mapping ${id}`} samples={samples.data?.data ?? []} preview={{ mapping: id }}
          target={{ file: data.edit_file, pointer: "/fields", ...(data.files.some(({ layer }) => layer === "workspace") ? {} : { first: [{ pointer: "/mapping", value: id }] }) }} tests />
      )}</Loaded>
    </Page>
  );
}
