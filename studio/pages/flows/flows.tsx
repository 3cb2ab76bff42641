/** Flows of a preset, or of an organisation with how they go. */
import { Anchor, Select, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { isStaff, useMay, useSession } from "../../api/session.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, Loaded } from "../../ui/states.tsx";
import { useTenants } from "../../ui/tenant.tsx";
import { Both, FlowsOf } from "./of-tenant.tsx";
import type { FlowGraph } from "./types.ts";

interface PresetLine { readonly preset: string; readonly title: string; readonly recommended: boolean }

export default function Flows() {
  const session = useSession();
  const staff = isStaff(session);
  const may = useMay();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { preset?: string; tenant?: string };
  const tenants = useTenants();
  const presets = useQuery({ queryKey: ["/api/presets"], enabled: staff && may("presets:read"), queryFn: ({ signal }) => api.get<{ data: readonly PresetLine[] }>("/api/presets", {}, signal) });
  const tenant = staff ? search.tenant : session.tenant ?? undefined;
  const preset = tenant !== undefined ? undefined : search.preset ?? presets.data?.data[0]?.preset;
  return (
    <Page wide title="Flows" lead="What moves where: a provider's records through a mapping into our own entities, and what changes of those set off."
      actions={staff && <Select aria-label="Preset or organisation" searchable allowDeselect={false} w={{ base: "100%", xs: 300 }} nothingFoundMessage="Nothing is called that"
        data={[{ group: "Presets", items: (presets.data?.data ?? []).map((each) => ({ value: `preset:${each.preset}`, label: each.title })) }, { group: "Organisations", items: (tenants.data?.data ?? []).filter(({ kind }) => kind !== "platform").map((each) => ({ value: `tenant:${each.tenant}`, label: each.title })) }]}
        value={tenant !== undefined ? `tenant:${tenant}` : preset === undefined ? null : `preset:${preset}`}
        onChange={(value) => { const [kind, name] = (value ?? ":").split(":"); void navigate({ to: ".", search: kind === "tenant" ? { tenant: name } : { preset: name } } as never); }} />}>
      {tenant !== undefined ? <FlowsOf key={tenant} tenant={tenant} /> : preset !== undefined ? <OfPreset key={preset} preset={preset} /> : <Loaded query={presets}>{() => <Empty title="No presets yet">A preset is a named combination of connectors and flows: presets/&lt;id&gt;/preset.yaml.</Empty>}</Loaded>}
    </Page>
  );
}

function OfPreset({ preset }: { readonly preset: string }) {
  const found = useQuery({ queryKey: ["/api/presets", preset, "head"], queryFn: ({ signal }) => api.get<{ title: string; graph: FlowGraph; tenants: readonly { id: string }[] }>(`/api/presets/${preset}`, {}, signal) });
  return (
    <Loaded query={found} rows={10}>{({ title, graph, tenants }) => <Both label={`Flows of ${title}`} graph={graph} note={<Text size="sm" c="dimmed">The head of <Anchor component={Link} to={`/super-admin/integration-defaults/${preset}`} inherit underline="always">{title}</Anchor>, as an organisation without overrides would run it. {tenants.length === 1 ? "1 organisation uses" : `${tenants.length} organisations use`} it.</Text>} />}</Loaded>
  );
}
