/** A mapping of the catalogue or workspace. */
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import type { MappingTest } from "../../mapping/edits.ts";
import { Editor, type EditorData } from "../../mapping/editor.tsx";
import { saidBy } from "../../mapping/hand-text.ts";
import { Page } from "../../ui/page.tsx";
import { Loaded } from "../../ui/states.tsx";

interface MappingData extends EditorData { readonly files: readonly { readonly layer: string; readonly file: string; readonly text: string }[]; readonly tests: readonly MappingTest[]; readonly edit_file: string; readonly presets: readonly string[]; readonly flows: readonly FlowOfTenant[] }
interface FlowOfTenant { readonly tenant: string; readonly title: string; readonly flow: string }
interface Sample { readonly title: string; readonly record: unknown }

export default function MappingPage() {
  const { connector, name } = useParams({ strict: false }) as { connector: string; name: string };
  const id = `${connector}/${name}`;
  const mapping = useQuery({ queryKey: [`/api/mappings/${id}`], queryFn: ({ signal }) => api.get<MappingData>(`/api/mappings/${id}`, {}, signal) });
  const samples = useQuery({ queryKey: [`/api/mappings/${id}/samples`], queryFn: ({ signal }) => api.get<{ data: readonly { title: string; record: unknown }[] }>(`/api/mappings/${id}/samples`, {}, signal) });
  const may = useMay();
  const [whose, setWhose] = useState<string | null>(null);
  const from = mapping.data?.flows.find((each) => keyOf(each) === whose);
  // Each look is a line in that organisation's audit log: asked for by name, never by itself.
  const own = useQuery({ queryKey: ["/api/tenants/flows/samples", from?.tenant, from?.flow], enabled: from !== undefined, staleTime: Infinity, retry: false, queryFn: ({ signal }) => api.get<{ data: readonly unknown[] }>(`/api/tenants/${from!.tenant}/flows/${from!.flow}/samples`, {}, signal) });
  const all = useMemo((): readonly Sample[] => [...(from && own.data ? own.data.data.map((record, index) => ({ title: `Record ${index + 1} of ${from.title}`, record })) : []), ...samples.data?.data ?? []], [from, own.data, samples.data]);
  const flows = mapping.data?.flows ?? [];
  return (
    <Page wide title={id} crumbs={[{ label: "Mappings", to: "/mappings" }, { label: connector }]} actions={may("raw:read") && flows.length > 0 && (
      <Select size="xs" w={260} searchable clearable limit={60} aria-label="Records of an organisation" placeholder="Records of an organisation" value={whose} onChange={setWhose}
        data={flows.map((each) => ({ value: keyOf(each), label: `${each.title}: ${each.flow}` }))} error={own.isError ? own.error.message : own.data?.data.length === 0 ? "It has read none yet." : undefined} />
    )} lead={mapping.data && `From ${mapping.data.from} to ${mapping.data.to}. ${mapping.data.presets.length === 0 ? "No preset uses it." : `Used by ${mapping.data.presets.join(", ")}: whoever follows the head gets the change; releases keep theirs.`}`}>
      <Loaded query={mapping}>{(data) => <Opened key={id} data={data} samples={all} />}</Loaded>
    </Page>
  );
}

const keyOf = ({ tenant, flow }: FlowOfTenant): string => `${tenant}/${flow}`;

/** An edit of a built-in mapping is a file of the workspace laid over it. */
function Opened({ data, samples }: { readonly data: MappingData; readonly samples: readonly { readonly title: string; readonly record: unknown }[] }) {
  const own = data.files.find(({ layer }) => layer === "workspace");
  const under = data.files.find(({ layer }) => layer === "catalogue");
  const below = useMemo(() => (under && saidBy(under.text, under.file, { fields: {}, where: null, tests: [] })?.fields) ?? {}, [under]);
  const defaults = useMemo(() => Object.fromEntries(data.fields.filter(({ layer, field }) => layer === "workspace" && field in below).map(({ field }) => [field, { ...below[field]!, layer: "catalogue" }])), [data.fields, below]);
  const target = useMemo(() => ({
    file: data.edit_file, pointer: "/fields", text: own?.text ?? "", inherited: new Set(Object.keys(below)), ownTests: own !== undefined && (under === undefined || /^tests:/m.test(own.text)),
    ...(own ? {} : { first: [{ pointer: "/mapping", value: data.id }] }),
  }), [data, own, under, below]);
  return <Editor data={data} title={`mapping ${data.id}`} samples={samples} preview={{ mapping: data.id }} target={target} defaults={defaults} tests={data.tests} under={under} />;
}
