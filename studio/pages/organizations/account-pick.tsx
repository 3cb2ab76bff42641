/** A sign-in that reaches several accounts, or another one than before: a person says which, and whether what the old one brought is forgotten. */
import { Alert, Button, Checkbox, Group, Radio, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Failed, Loaded } from "../../ui/states.tsx";
import { AFFECTED } from "./affected.ts";
import { type Held, inWords } from "./held.tsx";

interface Account { readonly id: string; readonly label?: string }
interface Choice { readonly outcome: "choose" | "account_changed" | null; readonly accounts: readonly Account[]; readonly current: Account | null; readonly forgets: Held }

const nameOf = ({ id, label }: Account): string => label === undefined || label === id ? id : `${label} (${id})`;

export function AccountPick({ tenant, connection, title, entered, done }: { readonly tenant: string; readonly connection: string; readonly title: string; /** Of a credential that was entered; a sign-in's are asked for. */ readonly entered?: readonly Account[] | undefined; readonly done: () => void }) {
  const choice = useQuery({ queryKey: [`/api/connections/${connection}/accounts`, tenant], staleTime: 0, queryFn: ({ signal }) => api.get<Choice>(`/api/connections/${connection}/accounts`, { tenant }, signal) });
  return <Loaded query={choice} rows={2}>{(open) => <Pick tenant={tenant} connection={connection} title={title} open={entered && open.accounts.length === 0 ? { ...open, accounts: entered } : open} done={done} />}</Loaded>;
}

function Pick({ tenant, connection, title, open, done }: { readonly tenant: string; readonly connection: string; readonly title: string; readonly open: Choice; readonly done: () => void }) {
  const queries = useQueryClient();
  const may = useMay();
  const [account, setAccount] = useState(open.accounts.find(({ id }) => id === open.current?.id)?.id ?? open.accounts[0]?.id ?? "");
  const [startOver, setStartOver] = useState(false);
  const isOther = open.current !== null && open.current.id !== account;
  const pick = useMutation({ mutationFn: () => api.post(`/api/connections/${connection}/accounts`, { account, start_over: isOther && startOver }, { tenant }), onSuccess: () => { void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && AFFECTED.test(first) }); done(); } });
  if (open.accounts.length === 0) return <Stack><Text size="sm">Nothing is left to pick: the sign-in is over, or somebody picked already.</Text><Group justify="flex-end"><Button variant="default" onClick={done}>Close</Button></Group></Stack>;
  return (
    <form onSubmit={(event) => { event.preventDefault(); pick.mutate(); }}>
      <Stack>
        <Radio.Group label={`The account at ${title}`} value={account} onChange={setAccount}><Stack gap={8} mt={6}>{open.accounts.map((each) => <Radio key={each.id} value={each.id} label={`${nameOf(each)}${each.id === open.current?.id ? ", as before" : ""}`} />)}</Stack></Radio.Group>
        {isOther && <Alert color="yellow" variant="light" title={`It was connected to ${nameOf(open.current!)}`}>
          <Stack gap="xs"><Text size="sm">Records of two accounts are not mixed. Starting over forgets {inWords(open.forgets)}, and where it had read to.</Text>
            {may("sync:reset") ? <Checkbox label="Start over with this account" checked={startOver} onChange={(event) => setStartOver(event.currentTarget.checked)} /> : <Text size="sm">Only the operator's staff may start over.</Text>}</Stack>
        </Alert>}
        {pick.isError && <Failed error={pick.error} />}
        <Group justify="flex-end"><Button variant="default" onClick={done}>Not now</Button><Button type="submit" loading={pick.isPending} disabled={account === "" || (isOther && !startOver)}>Use this account</Button></Group>
      </Stack>
    </form>
  );
}
