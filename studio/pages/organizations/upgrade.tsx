/** Another release or another preset for an organisation: what gets in the way first, then it is proposed. */
import { Button, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { isFree, Moves, type Move, type MoveChoices } from "../../changes/moves.tsx";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { Section } from "../../ui/page.tsx";
import { Failed, Loaded } from "../../ui/states.tsx";
import type { Tenant } from "./types.ts";

export function Upgrade({ tenant }: { readonly tenant: Tenant }) {
  const [opened, { open, close }] = useDisclosure();
  const { id, release, upgrade, newest } = tenant.preset!;
  return (
    <Section title="Preset" actions={<Button size="xs" variant={upgrade ? "filled" : "default"} aria-haspopup="dialog" onClick={open}>Upgrade or move</Button>}>
      <Text size="sm">{id}{release === "head" ? ", following its head" : `, release ${release}`}.{upgrade && ` Release ${newest} is there.`}</Text>
      <Modal opened={opened} onClose={close} title={`Upgrade or move ${tenant.title}`} size="xl">{opened && <Choose tenant={tenant} />}</Modal>
    </Section>
  );
}

function Choose({ tenant }: { readonly tenant: Tenant }) {
  const { id, release, newest, upgrade } = tenant.preset!;
  const own = `${id}${release === "head" ? "" : `@${release}`}`;
  const [preset, setPreset] = useState<string | null>(upgrade && newest !== null ? `${id}@${newest}` : null);
  const [choices, setChoices] = useState<MoveChoices>({ accept: false, drop_gone: false });
  const presets = useQuery({ queryKey: ["/api/presets"], queryFn: ({ signal }) => api.get<{ data: readonly { preset: string; title: string; releases: readonly number[] }[] }>("/api/presets", {}, signal) });
  const pins = (presets.data?.data ?? []).flatMap((each) => (each.releases.length === 0 ? [{ value: each.preset, label: `${each.title} (head)` }] : each.releases.toReversed().map((number) => ({ value: `${each.preset}@${number}`, label: `${each.title}, release ${number}` }))));
  const path = `/api/tenants/${tenant.tenant}/preset`;
  const look = useQuery({ queryKey: [path, preset], enabled: preset !== null, retry: false, queryFn: () => api.post<{ moves: readonly Move[] }>(path, { preset }, { dry_run: true }) });
  const move = useProposal(() => api.post<ProposalAnswer>(path, { preset, ...choices }));
  return (
    <Stack>
      <Select label="To" searchable maw={420} data={pins.filter(({ value }) => value !== own)} value={preset} onChange={setPreset} />
      {preset !== null && <Loaded query={look} rows={3}>{({ moves }) => <>
        <Moves of={moves} choices={choices} choose={setChoices} />
        {move.isError && <Failed error={move.error} />}
        <Group justify="flex-end"><Button disabled={!isFree(moves, choices)} loading={move.isPending} onClick={() => move.mutate()}>Propose the move</Button></Group>
      </>}</Loaded>}
    </Stack>
  );
}
