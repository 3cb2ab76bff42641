/** How often a flow reads, as a form: every so long, or at times that a cron line says. */
import { Badge, Button, Group, NumberInput, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

export interface Frequency { readonly every?: string; readonly cron?: string; readonly time_zone?: string }
/** As overrides take them: a value, or without one, back to the default. */
export interface Setting { readonly at: string; readonly value?: unknown }

const ZONES = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];
const UNITS = [{ value: "m", label: "minutes" }, { value: "h", label: "hours" }, { value: "d", label: "days" }, { value: "w", label: "weeks" }] as const;

export function frequencyInWords({ every, cron, time_zone }: Frequency): string {
  if (cron !== undefined) return `at ${cron} (${time_zone ?? "UTC"})`;
  const found = every === undefined ? null : /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(every);
  if (found === null) return "by hand";
  const unit = { ms: "millisecond", s: "second", m: "minute", h: "hour", d: "day", w: "week" }[found[2]!]!;
  return found[1] === "1" ? `every ${unit}` : `every ${found[1]} ${unit}s`;
}

export function FrequencyForm({ flow, now, standard, overridden, error, pending, propose }: {
  readonly flow: string; readonly now: Frequency;
  /** What holds without the override; absent where there is no level below. */
  readonly standard?: Frequency | undefined;
  readonly overridden: boolean; readonly error?: React.ReactNode; readonly pending: boolean; readonly propose: (settings: readonly Setting[]) => void;
}) {
  const [kind, setKind] = useState<"every" | "cron">(now.cron === undefined ? "every" : "cron");
  const parts = /^(\d+)(m|h|d|w)$/.exec(now.every ?? standard?.every ?? "1h");
  const [count, setCount] = useState<number | string>(Number(parts?.[1] ?? 1));
  const [unit, setUnit] = useState<string>(parts?.[2] ?? "h");
  const [cron, setCron] = useState(now.cron ?? "0 6 * * *");
  const [zone, setZone] = useState(now.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const at = (key: string): string => `flows.${flow}.from.${key}`;
  // Of one choice only one is written: what the organisation said before in the other words goes.
  const settings: readonly Setting[] = kind === "every"
    ? [{ at: at("every"), value: `${count}${unit}` }, ...(now.cron === undefined || !overridden ? [] : [{ at: at("cron") }, { at: at("time_zone") }])]
    : [{ at: at("cron"), value: cron.trim() }, { at: at("time_zone"), value: zone }, ...(now.every === undefined || !overridden ? [] : [{ at: at("every") }])];
  return (
    <form onSubmit={(event) => { event.preventDefault(); propose(settings); }}>
      <Stack>
        {standard && <Group gap="xs"><Text size="sm">Now {frequencyInWords(now)}</Text><Badge size="sm" variant={overridden ? "light" : "default"} tt="none">{overridden ? "custom" : "default"}</Badge>{overridden && <Text size="sm" c="dimmed">its default: {frequencyInWords(standard)}</Text>}</Group>}
        <SegmentedControl aria-label="Kind of schedule" data={[{ value: "every", label: "Every so often" }, { value: "cron", label: "At set times" }]} value={kind} onChange={(value) => setKind(value as "every" | "cron")} />
        {kind === "every"
          ? <Group align="flex-end" grow><NumberInput data-autofocus label="Every" min={1} allowDecimal={false} value={count} onChange={setCount} required /><Select label="Unit" data={UNITS.map(({ value, label }) => ({ value, label }))} value={unit} onChange={(value) => setUnit(value ?? "h")} allowDeselect={false} /></Group>
          : <><TextInput label="Cron" description="minute hour day month weekday" placeholder="0 6 * * 1-5" value={cron} onChange={(event) => setCron(event.currentTarget.value)} required styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} />
            <Select label="Time zone" searchable data={ZONES} value={zone} onChange={(value) => setZone(value ?? "UTC")} allowDeselect={false} limit={60} /></>}
        {error}
        <Group justify="space-between">
          {overridden ? <Button variant="default" loading={pending} onClick={() => propose([{ at: at("every") }, { at: at("cron") }, { at: at("time_zone") }])}>Reset to default</Button> : <span />}
          <Button type="submit" loading={pending} disabled={kind === "every" ? count === "" || Number(count) < 1 : cron.trim() === ""}>Propose change</Button>
        </Group>
      </Stack>
    </form>
  );
}
