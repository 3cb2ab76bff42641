/** A new organisation in three steps: who it is, what it connects, whom to bill and invite. Nothing is made before the last click. */
import { Alert, Anchor, Badge, Button, Code, CopyButton, Group, NumberInput, Paper, Radio, Select, SimpleGrid, Stack, Stepper, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, type Problem } from "../../api/client.ts";
import { Page } from "../../ui/page.tsx";
import { Failed, Loaded } from "../../ui/states.tsx";
import type { Tenant } from "./types.ts";

interface Input { readonly title?: string; readonly enum?: readonly (string | number)[]; readonly default?: unknown; readonly help?: string }
interface Preset { readonly preset: string; readonly pin: string; readonly title: string; readonly recommended: boolean; readonly release: number | null; readonly inputs: Readonly<Record<string, Input>>; readonly connections: readonly { connection: string; title: string }[]; readonly flows: readonly { flow: string; from: string; entity: string; schedule: { every_seconds?: number } | null }[] }
interface Review { readonly tenant: string; readonly file: string; readonly text: string; readonly problems: readonly (Problem & { readonly field: string })[]; readonly connections: readonly { readonly connection: string; readonly title: string }[]; readonly flows: readonly { readonly flow: string; readonly from: string; readonly entity: string }[]; readonly reports: readonly string[] }
interface Made { readonly tenant: Tenant; readonly invitation: { readonly email: string; readonly path: string; readonly expires_at: string } | null }

const every = (seconds: number | undefined): string => seconds === undefined ? "by hand" : seconds % 86_400 === 0 ? `every ${seconds === 86_400 ? "day" : `${seconds / 86_400} days`}` : seconds % 3600 === 0 ? `every ${seconds === 3600 ? "hour" : `${seconds / 3600} hours`}` : `every ${seconds / 60} min`;

export default function Wizard() {
  const queries = useQueryClient();
  const narrow = useMediaQuery("(max-width: 48em)");
  const [step, setStep] = useState(0);
  const [name, setName] = useState("");
  const [subdomain, setSubdomain] = useState<string>();
  const [cap, setCap] = useState<number | string>("");
  const [pin, setPin] = useState<string>();
  const [inputs, setInputs] = useState<Readonly<Record<string, unknown>>>({});
  const [billing, setBilling] = useState({ name: "", email: "", reference: "" });
  const [administrator, setAdministrator] = useState({ email: "", name: "" });
  const key = useRef(crypto.randomUUID());
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => { heading.current?.focus(); }, [step]);

  const [asked] = useDebouncedValue(name.trim(), 250);
  const choices = useQuery({ queryKey: ["/api/tenants/new", asked], queryFn: ({ signal }) => api.get<{ id: string; subdomain: string; presets: readonly Preset[] }>("/api/tenants/new", { name: asked || "organisation" }, signal), placeholderData: (old) => old });
  const chosen = choices.data?.presets.find((each) => each.pin === pin) ?? choices.data?.presets[0];
  const given = <Fields extends Record<string, string>>(fields: Fields): Partial<Fields> | undefined => { const left = Object.entries(fields).filter(([, value]) => value.trim() !== ""); return left.length === 0 ? undefined : Object.fromEntries(left) as Partial<Fields>; };
  const body = {
    name: name.trim(), subdomain: (subdomain ?? choices.data?.subdomain ?? "").trim(), preset: chosen?.pin ?? "",
    ...(cap === "" || chosen === undefined ? {} : { limits: { [entityOf(chosen)]: Number(cap) } }), ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
    ...(given(billing) === undefined ? {} : { billing: given(billing) }), ...(administrator.email.trim() === "" ? {} : { administrator: given(administrator) }),
  };
  const [settled] = useDebouncedValue(JSON.stringify(body), 300);
  const review = useQuery({ queryKey: ["/api/tenants", "review", settled], enabled: body.name !== "" && body.preset !== "", placeholderData: (old) => old, retry: false, queryFn: () => api.post<Review>("/api/tenants", JSON.parse(settled), { dry_run: true }) });
  const create = useMutation({
    mutationFn: () => api.post<Made>("/api/tenants", body, {}, { "idempotency-key": key.current }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["/api/tenants"] }),
  });
  const problemsOf = (...fields: string[]) => (review.data?.problems ?? []).filter(({ field }) => fields.some((each) => field === each || field.startsWith(`${each}.`)));
  const words = (problems: readonly Problem[]) => problems.length === 0 ? undefined : problems.map(({ message, hint }) => [message, hint].filter(Boolean).join(" ")).join(" ");
  const blocked = [[problemsOf("name", "id", "subdomain", "limits"), body.name === ""], [problemsOf("preset", "inputs"), chosen === undefined], [problemsOf("billing", "administrator"), false]] as const;
  const isBlocked = blocked[step] !== undefined && (blocked[step]![0].length > 0 || blocked[step]![1]);
  // What is shown is checked a moment after it was written: who goes on before that waits for the answer, and then goes on or is told why not.
  const isChecked = asked === name.trim() && settled === JSON.stringify(body) && !choices.isPlaceholderData && review.isFetched && !review.isFetching && !review.isPlaceholderData;
  const [goesOn, setGoesOn] = useState(false);
  useEffect(() => {
    if (!goesOn || !(isChecked || review.isError || choices.isError)) return;
    setGoesOn(false);
    if (isChecked && !isBlocked && !review.isError) setStep(step + 1);
  }, [goesOn, isChecked, isBlocked, review.isError, choices.isError, step]);

  if (create.data) return <Done made={create.data} />;
  return (
    <Page title="New organisation" crumbs={[{ label: "Organisations", to: "/super-admin/organizations" }, { label: "New" }]}>
      <Stepper active={step} onStepClick={(next) => { if (next < step) setStep(next); }} size="sm" {...(narrow ? { orientation: "vertical" as const } : {})} allowNextStepsSelect={false} aria-label="Steps">
        <Stepper.Step label="Organisation" description="Name and address" /><Stepper.Step label="Integrations" description="A preset" /><Stepper.Step label="Billing and review" description="Contact, administrator" />
      </Stepper>
      <Paper withBorder p="lg" component="form" onSubmit={(event: React.FormEvent) => { event.preventDefault(); if (step < 2) setGoesOn(true); else create.mutate(); }}>
        <Stack gap="md">
          <Title order={2} ref={heading} tabIndex={-1} style={{ outline: "none" }}>{["Who is it?", "What does it connect?", "Whom to bill and invite?"][step]}</Title>
          {step === 0 && <>
            <TextInput label="Organisation name" name="name" required placeholder="Acme Training Ltd" value={name} onChange={(event) => setName(event.currentTarget.value)} error={name === "" ? undefined : words(problemsOf("name", "id"))} maw={460} />
            <TextInput label="Subdomain" name="subdomain" required description="Its address below yours; it cannot be changed as easily later." value={subdomain ?? (name === "" ? "" : choices.data?.subdomain ?? "")} onChange={(event) => setSubdomain(event.currentTarget.value)} error={name === "" ? undefined : words(problemsOf("subdomain"))} maw={460} />
            <NumberInput label="Most learners" name="cap" description="What the contract covers. The next one is held and shown; nothing is deleted. Leave it empty for no limit." min={0} allowDecimal={false} allowNegative={false} thousandSeparator="," value={cap} onChange={setCap} error={words(problemsOf("limits"))} maw={460} />
          </>}
          {step === 1 && <Loaded query={choices}>{({ presets }) => (
            <Radio.Group value={chosen?.pin ?? ""} onChange={setPin} label="Preset" description="A tried combination of connectors, flows and mappings. What differs for this organisation is set afterwards." error={words(problemsOf("preset"))}>
              <SimpleGrid cols={{ base: 1, sm: 2 }} mt="sm">
                {presets.map((each) => (
                  <Radio.Card key={each.pin} value={each.pin} p="md" radius="md" aria-label={`${each.title}${each.recommended ? ", recommended" : ""}`}>
                    <Group wrap="nowrap" align="flex-start"><Radio.Indicator mt={3} />
                      <Stack gap={4} miw={0}>
                        <Group gap="xs"><Text fw={600} size="sm">{each.title}</Text>{each.recommended && <Badge size="sm" variant="light" tt="none">Recommended</Badge>}{each.release !== null && <Badge size="sm" variant="default" tt="none">release {each.release}</Badge>}</Group>
                        {each.flows.map(({ flow, from, entity, schedule }) => <Text key={flow} size="xs" c="dimmed">{from} → {entity}, {every(schedule?.every_seconds)}</Text>)}
                      </Stack>
                    </Group>
                  </Radio.Card>
                ))}
              </SimpleGrid>
            </Radio.Group>
          )}</Loaded>}
          {step === 1 && chosen && Object.entries(chosen.inputs).map(([field, input]) => input.enum
            ? <Select key={field} label={input.title ?? field} {...(input.help === undefined ? {} : { description: input.help })} data={input.enum.map(String)} value={String(inputs[field] ?? input.default ?? "")} onChange={(value) => setInputs({ ...inputs, [field]: value })} error={words(problemsOf(`inputs.${field}`))} maw={460} />
            : <TextInput key={field} label={input.title ?? field} value={String(inputs[field] ?? input.default ?? "")} onChange={(event) => setInputs({ ...inputs, [field]: event.currentTarget.value })} error={words(problemsOf(`inputs.${field}`))} maw={460} />)}
          {step === 2 && <>
            <SimpleGrid cols={{ base: 1, sm: 2 }} maw={760}>
              <TextInput label="Billing contact" autoComplete="off" value={billing.name} onChange={(event) => setBilling({ ...billing, name: event.currentTarget.value })} error={words(problemsOf("billing.name"))} />
              <TextInput label="Billing e-mail" type="email" autoComplete="off" value={billing.email} onChange={(event) => setBilling({ ...billing, email: event.currentTarget.value })} error={words(problemsOf("billing.email"))} />
              <TextInput label="Their reference" autoComplete="off" value={billing.reference} onChange={(event) => setBilling({ ...billing, reference: event.currentTarget.value })} error={words(problemsOf("billing.reference"))} />
            </SimpleGrid>
            <SimpleGrid cols={{ base: 1, sm: 2 }} maw={760}>
              <TextInput label="First administrator's e-mail" type="email" autoComplete="off" description="Invited once it is made; you hand the link over." value={administrator.email} onChange={(event) => setAdministrator({ ...administrator, email: event.currentTarget.value })} error={words(problemsOf("administrator.email"))} />
              <TextInput label="Their name" autoComplete="off" description=" " value={administrator.name} onChange={(event) => setAdministrator({ ...administrator, name: event.currentTarget.value })} error={words(problemsOf("administrator.name"))} />
            </SimpleGrid>
            {review.data && <Reviewed of={review.data} />}
          </>}
          {review.isError && <Failed error={review.error} />}
          {step === 2 && review.data && review.data.problems.length > 0 && <Alert color="red" variant="light" title="Something is missing"><Stack gap={2}>{review.data.problems.map((problem, index) => <Text key={index} size="sm">{problem.message} {problem.hint}</Text>)}</Stack></Alert>}
          {create.isError && <Failed error={create.error} />}
          <Group justify="space-between">
            {step === 0 ? <Button component={Link} to="/super-admin/organizations" variant="default">Cancel</Button> : <Button variant="default" onClick={() => setStep(step - 1)}>Back</Button>}
            <Button type="submit" disabled={step === 2 ? isBlocked || (review.data?.problems.length ?? 1) > 0 : isBlocked && isChecked} loading={create.isPending || goesOn}>{step === 2 ? "Create organisation" : "Next"}</Button>
          </Group>
        </Stack>
      </Paper>
    </Page>
  );
}

/** The cap is of learners where the preset has them, else of what its first flow stores. */
const entityOf = ({ flows }: Preset): string => `${flows.find(({ entity }) => entity === "learner")?.entity ?? flows[0]?.entity ?? "learner"}s`;

function Reviewed({ of }: { readonly of: Review }) {
  return (
    <Paper withBorder p="md" bg="var(--mantine-color-default-hover)">
      <Stack gap="sm">
        <Text size="sm" fw={600}>What is made</Text>
        <Text size="sm">To connect: {of.connections.map(({ title }) => title).join(", ") || "nothing"}. Then {of.flows.length} flows run: {of.flows.map(({ from, entity }) => `${from} → ${entity}`).join(", ")}.{of.reports.length > 0 && ` Reports: ${of.reports.join(", ")}.`}</Text>
        <Text size="xs" c="dimmed">Committed as <Code>{of.file}</Code>. Billing contact and people stay in the database.</Text>
        <Code block>{of.text}</Code>
      </Stack>
    </Paper>
  );
}

function Done({ made: { tenant, invitation } }: { readonly made: Made }) {
  const link = invitation && new URL(invitation.path, location.origin).href;
  return (
    <Page title={`${tenant.title} is there`} crumbs={[{ label: "Organisations", to: "/super-admin/organizations" }, { label: tenant.title }]}>
      <Paper withBorder p="lg"><Stack>
        <Text size="sm">It is live. Nothing is read before its integrations are connected.</Text>
        {link && <Alert color="blue" variant="light" title={`Hand this link to ${invitation.email}`}>
          <Stack gap="xs"><Text size="sm">It is shown this once, is good once, and lets them choose a password.</Text>
            <Group wrap="nowrap"><Code style={{ overflowWrap: "anywhere" }}>{link}</Code><CopyButton value={link}>{({ copied, copy }) => <Button size="xs" variant="default" onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}</CopyButton></Group></Stack>
        </Alert>}
        <Group><Button component={Link} to={`/super-admin/organizations/${tenant.tenant}`}>Connect its integrations</Button><Anchor component={Link} to="/super-admin/organizations" size="sm">All organisations</Anchor></Group>
      </Stack></Paper>
    </Page>
  );
}
