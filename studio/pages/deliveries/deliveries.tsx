/** What leaves: sent, waiting to be, or stuck; and the targets that fail. */
import { Alert, Anchor, Group, Select, Stack, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { ConfirmButton } from "../../ui/confirm.tsx";
import { Counted } from "../../ui/counted.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { done } from "../../ui/notify.ts";
import { Page } from "../../ui/page.tsx";
import { Empty, Failed, LoadingRows } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { ForTenant, TenantPicker } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { useFilters } from "../../ui/use-filters.ts";
import { usePages } from "../../ui/use-pages.ts";
import { whole } from "../operate/types.ts";
import { type Delivery, MEANING, says, STATUSES } from "./types.ts";

interface Breaker { readonly target: string; readonly failures: number; readonly opened_until: string | null; readonly reason: string | null }
/** A flow that sends: of the list of all flows, those that a change starts. */
export interface ChangeFlow { readonly flow: string; readonly title: string | null; readonly enabled: boolean; readonly from: "stream" | "change"; readonly entity: string; readonly to: Delivery["kind"]; readonly target: string; readonly operation: string | null; readonly hold_for: string | null }

/** The server sends these again when asked for many. */
const REPLAYABLE = new Set(["failed", "exhausted"]);

export default function Deliveries() {
  return <Page title="Deliveries" lead="What flows send when our own data changes: each is tried until it is acknowledged, refused or given up, in order per row." actions={<TenantPicker />}><ForTenant>{(tenant) => <List key={tenant} tenant={tenant} />}</ForTenant></Page>;
}

export const useChangeFlows = (tenant: string) => useQuery({
  queryKey: ["/api/flows", tenant], queryFn: ({ signal }) => api.get<{ data: readonly ChangeFlow[] }>("/api/flows", { tenant }, signal), select: ({ data }) => data.filter(({ from }) => from === "change"),
});

function List({ tenant }: { readonly tenant: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const [filters, narrow] = useFilters<"status" | "flow" | "target" | "row" | "code">();
  const { status, flow, target, row, code } = filters;
  const deliveries = usePages<Delivery>("/api/deliveries", { tenant, status, flow, target, row, code }, { every: 10_000 });
  const flows = useChangeFlows(tenant);
  const known = flows.data ?? [];
  const wanted = Object.fromEntries(Object.entries({ status, flow, target, row, code }).filter(([, value]) => value !== undefined));
  const replay = async (): Promise<void> => {
    const { replayed } = await api.post<{ replayed: number }>("/api/deliveries/replay", wanted, { tenant });
    done(`${whole(replayed)} ${replayed === 1 ? "delivery is" : "deliveries are"} sent again.`);
    void queries.invalidateQueries({ queryKey: ["/api/deliveries"] });
  };
  return (
    <Stack gap="md">
      <Breakers tenant={tenant} />
      <Group gap="sm">
        <Select aria-label="Status" placeholder="Any status" clearable w={150} value={status ?? null} data={[...STATUSES]} onChange={(value) => narrow({ status: value })} />
        <Select aria-label="Flow" placeholder="Any flow" clearable w={180} value={flow ?? null} data={[...new Set([...known.map((each) => each.flow), ...(flow === undefined ? [] : [flow])])]} onChange={(value) => narrow({ flow: value })} />
        <Select aria-label="Target" placeholder="Any target" clearable w={170} value={target ?? null} data={[...new Set([...known.map((each) => each.target), ...(target === undefined ? [] : [target])])]} onChange={(value) => narrow({ target: value })} />
        {code !== undefined && <Anchor component="button" size="sm" onClick={() => narrow({ code: undefined })}>Only {code} ✕</Anchor>}
        {row !== undefined && <Anchor component="button" size="sm" onClick={() => narrow({ row: undefined })}>Only one row ✕</Anchor>}
        {may("deliveries:replay") && (status === undefined || REPLAYABLE.has(status)) && (deliveries.rows ?? []).some((each) => REPLAYABLE.has(each.status)) && (
          <ConfirmButton label="Send failed ones again" title="Send them again?" yes="Send them again" color="plug" act={replay}><Counted path="/api/deliveries/replay" tenant={tenant} body={wanted} one="delivery" many="deliveries" does="sent" /><Text size="sm">Those that failed or were given up and fit the filter, in their order, ten a second. One whose row was saved anew since stays as it is. Each goes under the id it had, so a receiver that has it already can tell.</Text></ConfirmButton>
        )}
        {known.length > 0 && <Anchor component={Link} to="/deliveries/pending" search={{ tenant } as never} size="sm" ml="auto">What did not fire</Anchor>}
      </Group>
      {deliveries.isError && deliveries.rows === undefined ? <Failed error={deliveries.error} retry={() => void deliveries.refetch()} /> : deliveries.rows === undefined ? <LoadingRows /> : deliveries.rows.length === 0
        ? <Empty title="No deliveries">{[status, flow, target, row, code].some((value) => value !== undefined) ? "None fits the filter." : known.length === 0 ? "No flow of this organisation sends anything." : "They appear when a row changes that a flow sends on. A first load sends nothing."}</Empty>
        : <DataTable label="Deliveries" rows={deliveries.rows} keyOf={({ id }) => id} hrefOf={({ id }) => `/deliveries/${id}?tenant=${tenant}`} more={deliveries.more} columns={[
          { label: "Delivery", show: (each) => <Stack gap={0}><Anchor component={Link} to={`/deliveries/${each.id}`} search={{ tenant } as never} size="sm" fw={550}>{each.flow}</Anchor><Text size="xs" c="dimmed">{says(each)}</Text></Stack> },
          { label: "Status", show: ({ status: state, reason }) => <Status value={state} reason={reason ?? MEANING[state]} /> },
          { label: "Made", show: ({ created_at }) => <When at={created_at} /> },
          { label: "Attempts", align: "right", show: ({ attempts }) => whole(attempts) },
          { label: "Next", show: ({ due_at, behind }) => due_at !== null ? <When at={due_at} /> : <Text size="sm" c="dimmed">{behind === null ? "–" : "behind another of its row"}</Text> },
          { label: "Why", show: ({ reason, code: why }) => reason === null ? <Text c="dimmed" size="sm">–</Text> : <Text size="sm" lineClamp={1} maw={300} title={reason}>{reason}{why === null ? "" : ` (${why})`}</Text> },
        ]} />}
    </Stack>
  );
}

/** Targets that are left alone for a while, because they failed several times in a row. */
function Breakers({ tenant }: { readonly tenant: string }) {
  const breakers = useQuery({ queryKey: ["/api/deliveries/breakers", tenant], queryFn: ({ signal }) => api.get<{ data: readonly Breaker[] }>("/api/deliveries/breakers", { tenant }, signal), refetchInterval: 15_000 });
  const failing = (breakers.data?.data ?? []).filter(({ failures }) => failures > 0);
  return failing.map(({ target, failures, opened_until, reason }) => (
    <Alert key={target} color={opened_until === null ? "yellow" : "red"} variant="light" title={opened_until === null ? `${nameOf(target)} failed ${whole(failures)} times in a row` : <>{nameOf(target)} is left alone until <When at={opened_until} /></>}>
      <Text size="sm">{reason ?? ""} {opened_until === null ? "" : `It failed ${whole(failures)} times in a row; then one delivery tries, and the others follow when that arrives.`}</Text>
    </Alert>
  ));
}

const nameOf = (target: string): string => target.replace(/^connection:/, "").replace(/^endpoint:/, "Endpoint ");
