/** One thing that waits: exactly what would be sent, and the decision. */
import { Alert, Button, Code, Group, Paper, ScrollArea, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { done } from "../../ui/notify.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Failed, Loaded } from "../../ui/states.tsx";
import { Status } from "../../ui/status.tsx";
import { ForTenant } from "../../ui/tenant.tsx";
import { When } from "../../ui/time.tsx";
import { type Delivery, MEANING, says } from "../deliveries/types.ts";

/** Until it is there, and where there is none. */
const UNKNOWN = { title: "What waits for approval", crumbs: [{ label: "Waits for approval", to: "/holds" }] };

export default function HoldPage() {
  const { hold } = useParams({ strict: false }) as { hold: string };
  return <ForTenant as={UNKNOWN}>{(tenant) => <One tenant={tenant} id={hold} />}</ForTenant>;
}

function One({ tenant, id }: { readonly tenant: string; readonly id: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState("");
  const hold = useQuery({ queryKey: [`/api/holds/${id}`, tenant], queryFn: ({ signal }) => api.get<Delivery & { input: unknown }>(`/api/holds/${id}`, { tenant }, signal) });
  const decide = useMutation({
    mutationFn: (does: "approve" | "reject") => api.post(`/api/holds/${id}/${does}`, reason.trim() === "" ? {} : { reason: reason.trim() }, { tenant }),
    onSuccess: (_, does) => {
      done(does === "approve" ? "Approved: it is sent as you saw it." : "Rejected: it is never sent.");
      void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && /^\/api\/(holds|overview)/.test(first) });
      void navigate({ to: "/holds" });
    },
  });
  return (
    <Loaded query={hold} as={UNKNOWN}>{(found) => (
      <Page title={found.flow} crumbs={[{ label: "Waits for approval", to: "/holds" }, { label: found.id.slice(0, 8) }]} lead={<Group gap="sm"><Status value={found.status} /><span>{says(found)} · because {found.entity} changed <When at={found.changed_at} /></span></Group>}>
        <Section title="Exactly this is sent">
          <Paper withBorder><ScrollArea.Autosize mah={520} viewportProps={{ tabIndex: 0, "aria-label": "Exactly this is sent" } as never}><Code block>{JSON.stringify(found.input, null, 2)}</Code></ScrollArea.Autosize></Paper>
          <Text size="xs" c="dimmed">Secrets made for it are masked.</Text>
        </Section>
        {found.status !== "held" ? <Alert color="blue" variant="light" title={MEANING[found.status] ?? found.status}>{found.decided_by !== null && <Text size="sm">Decided by {found.decided_by}, <When at={found.decided_at} />.</Text>}</Alert> : may("holds:decide") && (
          <Section title="Decide">
            <Stack maw={560}>
              <Textarea label="Why" description="Optional. It stands in the audit log." maxLength={1000} autosize minRows={2} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
              {decide.isError && <Failed error={decide.error} />}
              <Group><Button loading={decide.isPending && decide.variables === "approve"} disabled={decide.isPending} onClick={() => decide.mutate("approve")}>Approve and send</Button><Button variant="default" loading={decide.isPending && decide.variables === "reject"} disabled={decide.isPending} onClick={() => decide.mutate("reject")}>Never send it</Button></Group>
            </Stack>
          </Section>
        )}
      </Page>
    )}</Loaded>
  );
}
