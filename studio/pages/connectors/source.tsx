/**
 * A connector's files. The catalogue's are read here; what a workspace writes lies over them and says only what differs. Problems
 * are those of `plugboard validate`, found by the server a moment after the last key.
 */
import { Alert, Badge, Button, Code, Group, Modal, NavLink, Paper, Stack, Text, Textarea, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api, type Problem } from "../../api/client.ts";
import { useProposal, type ProposalAnswer } from "../../changes/use-proposal.ts";
import { YamlEditor, type YamlProblem } from "../../connector-editor/yaml-editor.tsx";
import { Failed } from "../../ui/states.tsx";
import type { Drafts } from "./connector.tsx";
import type { SourceFile, Workbench } from "./types.ts";

interface Found extends Problem { readonly severity: string }

/** As changes take them; a text that is as it was is none. */
export const editsOf = (drafts: Drafts): { file: string; text: string }[] => Object.entries(drafts).map(([file, text]) => ({ file, text }));

export function Source({ bench, drafts, setDrafts }: { readonly bench: Workbench; readonly drafts: Drafts; readonly setDrafts: (drafts: Drafts) => void }) {
  const { file: asked } = useSearch({ strict: false }) as { file?: string };
  const navigate = useNavigate();
  const [proposing, { open, close }] = useDisclosure();
  const [place, setPlace] = useState<{ line: number; col: number }>();
  const editable = bench.files.find(({ layer, path }) => layer === "workspace" && path === bench.edit_file);
  // A connector of the catalogue has no file in the workspace before the first edit.
  const files: readonly SourceFile[] = editable ? bench.files : [...bench.files, { layer: "workspace", path: bench.edit_file, text: "" }];
  const keyOf = ({ layer, path }: SourceFile): string => `${layer}:${path}`;
  const shown = files.find((each) => keyOf(each) === asked) ?? files.find(({ layer, path }) => path === bench.edit_file && layer === (bench.files.some((each) => each.layer === "catalogue") ? "catalogue" : "workspace")) ?? files[0]!;
  const isOwn = shown.layer === "workspace";
  const text = isOwn ? drafts[shown.path] ?? shown.text : shown.text;
  const change = (next: string): void => {
    const { [shown.path]: _, ...others } = drafts;
    setDrafts(next === shown.text ? others : { ...others, [shown.path]: next });
  };
  const edits = editsOf(drafts);
  const [settled] = useDebouncedValue(JSON.stringify(edits), 400);
  const check = useQuery({ queryKey: ["/api/configuration/check", settled], staleTime: 60_000, placeholderData: (old) => old, queryFn: () => api.post<{ problems: readonly Found[] }>("/api/configuration/check", { edits: JSON.parse(settled) as object[] }) });
  const here = (check.data?.problems ?? []).filter(({ at }) => at?.file.includes(`connectors/${bench.connector}/`) === true);
  const ofFile = (file: SourceFile): Found[] => here.filter(({ at }) => at!.file === (file.layer === "catalogue" ? `(builtin)/${file.path}` : file.path));
  const inline = useMemo((): YamlProblem[] => ofFile(shown).map(({ at, severity, message, hint }) => ({ line: at!.line, col: at!.col, severity, message: [message, hint].filter(Boolean).join(" ") })), [check.data, shown.path, shown.layer]);
  const open_ = (file: SourceFile) => void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, file: keyOf(file) }), replace: true } as never);
  const errors = here.filter(({ severity }) => severity === "error").length;
  return (
    <>
      <Group align="flex-start" gap="md" wrap="wrap">
        <Paper withBorder p={4} w={{ base: "100%", sm: 250 }} component="nav" aria-label="Files of the connector">
          {(["catalogue", "workspace"] as const).map((layer) => {
            const own = files.filter((each) => each.layer === layer);
            return own.length > 0 && <div key={layer}><Text size="xs" c="dimmed" fw={500} px="sm" py={4}>{layer === "catalogue" ? "Built in, read only" : "Your workspace"}</Text>
              {own.map((each) => {
                const problems = ofFile(each).length;
                return <NavLink key={each.path} component="button" active={keyOf(each) === keyOf(shown)} aria-current={keyOf(each) === keyOf(shown) ? "true" : undefined} onClick={() => open_(each)} label={each.path.replace(`connectors/${bench.connector}/`, "")} styles={{ label: { overflowWrap: "anywhere" } }} py={5} style={{ borderRadius: 6 }}
                  rightSection={problems > 0 ? <Badge size="xs" color="red" variant="light">{problems}</Badge> : layer === "workspace" && drafts[each.path] !== undefined ? <Badge size="xs" variant="light" tt="none">edited</Badge> : each.text === "" ? <Badge size="xs" variant="default" tt="none">new</Badge> : undefined} />;
              })}</div>;
          })}
        </Paper>
        <Stack gap="sm" flex={1} miw={0} style={{ flexBasis: 420 }}>
          <Group justify="space-between">
            <Code>{shown.path}</Code>
            {isOwn ? <Group gap="xs">
              {drafts[shown.path] !== undefined && <Button size="xs" variant="default" onClick={() => change(shown.text)}>Undo all edits</Button>}
              <Button size="xs" disabled={edits.length === 0 || errors > 0} onClick={open}>Propose change</Button>
            </Group> : <Button size="xs" variant="default" onClick={() => open_(files.find(({ layer, path }) => layer === "workspace" && path === bench.edit_file)!)}>Lay something over it</Button>}
          </Group>
          {isOwn && shown.text === "" && drafts[shown.path] === undefined && <Alert variant="light" color="gray">Write only what is to differ from the built-in file, beginning with <Code>connector: {bench.connector}</Code>. <Button size="compact-xs" variant="default" ml="xs" onClick={() => change(`connector: ${bench.connector}\n`)}>Begin</Button></Alert>}
          <YamlEditor key={keyOf(shown)} value={text} label={`Text of ${shown.path}`} readOnly={!isOwn} problems={inline} goTo={place} {...(shown.path.endsWith("/connector.yaml") ? { schema: "connector.schema.json" } : shown.path.endsWith("/tests.yaml") ? { schema: "tests.schema.json" } : {})} onChange={change} />
          <div role="status" aria-live="polite" aria-label="Problems">
            {check.isPlaceholderData && <Text size="xs" c="dimmed">Checking…</Text>}
            {check.isError ? <Failed error={check.error} retry={() => void check.refetch()} /> : here.length === 0
              ? <Text size="xs" c="dimmed">{check.data ? "No problems." : "Checking…"}</Text>
              : <Stack gap={2}>{here.map((problem, index) => (
                <UnstyledButton key={index} onClick={() => { const file = files.find((each) => ofFile(each).includes(problem)); if (file) open_(file); setPlace({ line: problem.at!.line, col: problem.at!.col }); }}>
                  <Text size="sm"><Text span c={problem.severity === "error" ? "red" : "orange"} size="xs" fw={600}>{problem.severity}</Text> <Code>{problem.at!.file.replace(`connectors/${bench.connector}/`, "")}:{problem.at!.line}:{problem.at!.col}</Code> {problem.message} {problem.hint}</Text>
                </UnstyledButton>))}</Stack>}
          </div>
        </Stack>
      </Group>
      <Modal opened={proposing} onClose={close} title="Propose change">{proposing && <Propose connector={bench.connector} drafts={drafts} done={() => { setDrafts({}); }} />}</Modal>
    </>
  );
}

function Propose({ connector, drafts, done }: { readonly connector: string; readonly drafts: Drafts; readonly done: () => void }) {
  const [title, setTitle] = useState(`Connector ${connector}: `);
  const [why, setWhy] = useState("");
  const propose = useProposal<void>(async () => {
    const made = await api.post<ProposalAnswer>("/api/changes", { title: title.trim(), ...(why === "" ? {} : { description: why }), edits: editsOf(drafts), propose: true });
    done();
    return made;
  });
  return (
    <form onSubmit={(event) => { event.preventDefault(); propose.mutate(); }}>
      <Stack>
        <TextInput data-autofocus label="Title" required value={title} onChange={(event) => setTitle(event.currentTarget.value)} maxLength={200} />
        <Textarea label="Why" autosize minRows={2} value={why} onChange={(event) => setWhy(event.currentTarget.value)} />
        <Text size="xs" c="dimmed">{Object.keys(drafts).join(", ")}. Everybody who uses the connector gets it once it is applied: connectors are not frozen in releases.</Text>
        {propose.isError && <Failed error={propose.error} />}
        <Group justify="flex-end"><Button type="submit" loading={propose.isPending}>Propose change</Button></Group>
      </Stack>
    </form>
  );
}
