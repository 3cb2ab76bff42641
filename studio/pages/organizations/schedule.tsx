/** How often one flow of an organisation reads, beside its preset's default. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { FrequencyForm, type Frequency, type Setting } from "../../changes/frequency.tsx";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { Failed, Loaded } from "../../ui/states.tsx";
import type { Override } from "./types.ts";

/** The flow whose frequency a setting is. */
export const flowOfFrequency = (path: string): string | undefined => /^flows\.([^.]+)\.from\.(?:every|cron|time_zone)$/.exec(path)?.[1];

export function Schedule({ tenant, flow }: { readonly tenant: string; readonly flow: string }) {
  const values = useQuery({ queryKey: [`/api/tenants/${tenant}/overrides`, "all"], queryFn: ({ signal }) => api.get<{ data: readonly Override[] }>(`/api/tenants/${tenant}/overrides`, {}, signal) });
  const propose = useProposal<readonly Setting[]>((changes) => api.patch<ProposalAnswer>(`/api/tenants/${tenant}/frequency`, { changes, title: `${tenant}: how often ${flow} runs` }));
  return (
    <Loaded query={values} rows={3}>{({ data }) => {
      const own = data.filter(({ path }) => flowOfFrequency(path) === flow);
      const read = (pick: (each: Override) => unknown): Frequency => Object.fromEntries(own.flatMap((each) => { const value = pick(each); return typeof value === "string" ? [[each.path.split(".").at(-1)!, value]] : []; }));
      return <FrequencyForm flow={flow} now={read(({ value }) => value)} standard={read((each) => (each.overridden ? each.default?.value : each.value))} overridden={own.some(({ overridden }) => overridden)} pending={propose.isPending} error={propose.isError && <Failed error={propose.error} />} propose={(settings) => propose.mutate(settings)} />;
    }}</Loaded>
  );
}
