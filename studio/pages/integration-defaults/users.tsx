/** Who uses a preset, on which release; and moving some of them on, with what gets in the way first. */
import { Anchor, Badge, Button, Checkbox, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { isFree, Moves, type Move, type MoveChoices } from "../../changes/moves.tsx";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { DataTable } from "../../ui/data-table.tsx";
import { Empty, Failed, Loaded } from "../../ui/states.tsx";
import { useTenants } from "../../ui/tenant.tsx";
import type { WholePreset } from "./types.ts";

export function Users({ of }: { readonly of: WholePreset }) {
  const tenants = useTenants();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [moving, setMoving] = useState(false);
  if (of.tenants.length === 0) return <Empty title="Nobody uses it yet" action={<Button component={Link} to="/super-admin/organizations/new" variant="default" mt="sm">New organisation</Button>}>A new organisation chooses a preset in its second step.</Empty>;
  const late = of.tenants.filter(({ release }) => of.newest !== null && release !== of.newest).map(({ id }) => id);
  const toggle = (tenant: string) => { const next = new Set(chosen); if (!next.delete(tenant)) next.add(tenant); setChosen(next); };
  const titleOf = (tenant: string): string => tenants.data?.data.find((each) => each.tenant === tenant)?.title ?? tenant;
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">{of.newest === null ? "They follow the head: there is no release yet." : late.length === 0 ? `All are on release ${of.newest}, the newest.` : `${late.length} of ${of.tenants.length} not on release ${of.newest}, the newest.`}</Text>
        <Group gap="xs">
          {late.length > 0 && <Button size="xs" variant="default" onClick={() => setChosen(new Set(late))}>Choose those behind</Button>}
          <Button size="xs" disabled={chosen.size === 0 || of.releases.length === 0} aria-haspopup="dialog" onClick={() => setMoving(true)}>{chosen.size === 0 ? "Upgrade" : `Upgrade ${chosen.size}`}</Button>
        </Group>
      </Group>
      <DataTable label="Organisations of the preset" rows={of.tenants} keyOf={({ id }) => id} columns={[
        { label: "Choose", width: 70, show: ({ id }) => <Checkbox aria-label={`Choose ${titleOf(id)}`} checked={chosen.has(id)} onChange={() => toggle(id)} /> },
        { label: "Organisation", show: ({ id }) => <Anchor component={Link} to={`/super-admin/organizations/${id}`} size="sm" fw={550}>{titleOf(id)}</Anchor> },
        { label: "Release", show: ({ release }) => release === "head" ? "head" : `release ${release}` },
        { label: "State", show: ({ id, release }) => of.newest === null ? <Text size="sm" c="dimmed">follows the head</Text> : release === of.newest ? <Text size="sm" c="dimmed">newest</Text> : <Badge variant="light" tt="none" aria-label={`${id} can be upgraded`}>release {of.newest} is there</Badge> },
      ]} />
      <Modal opened={moving} onClose={() => setMoving(false)} title={`Upgrade ${chosen.size === 1 ? titleOf([...chosen][0]!) : `${chosen.size} organisations`}`} size="xl">{moving && <Upgrade of={of} tenants={[...chosen]} />}</Modal>
    </Stack>
  );
}

function Upgrade({ of, tenants }: { readonly of: WholePreset; readonly tenants: readonly string[] }) {
  const [release, setRelease] = useState(of.newest);
  const [choices, setChoices] = useState<MoveChoices>({ accept: false, drop_gone: false });
  const path = `/api/presets/${of.preset}/upgrade`;
  const look = useQuery({ queryKey: [path, release, tenants], retry: false, queryFn: () => api.post<{ moves: readonly Move[] }>(path, { tenants, release }, { dry_run: true }) });
  const propose = useProposal(() => api.post<ProposalAnswer>(path, { tenants, release, ...choices }));
  return (
    <Stack>
      <Select label="To" w={200} allowDeselect={false} value={String(release)} data={of.releases.toReversed().map((number) => ({ value: String(number), label: `Release ${number}` }))} onChange={(value) => setRelease(Number(value))} />
      <Loaded query={look} rows={3}>{({ moves }) => <>
        <Moves of={moves} choices={choices} choose={setChoices} />
        {propose.isError && <Failed error={propose.error} />}
        <Group justify="flex-end"><Button disabled={!isFree(moves, choices)} loading={propose.isPending} onClick={() => propose.mutate()}>Propose the upgrade</Button></Group>
      </>}</Loaded>
    </Stack>
  );
}
