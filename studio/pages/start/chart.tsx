/** Numbers over time, drawn; the same numbers as a table for who does not see a drawing. */
import { Box, Group, Paper, Text, Title, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type ReactNode, useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { DataTable } from "../../ui/data-table.tsx";
import { exactTime, useZone } from "../../ui/time.tsx";

const HEIGHT = 180;
const DAY_SECONDS = 86_400;

/** A colour of the theme, by its name. */
export interface Series { readonly label: string; readonly colour: string; readonly values: readonly (number | null)[] }

const inScheme = (colour: string, dark: boolean): string => getComputedStyle(document.documentElement).getPropertyValue(`--mantine-color-${colour}-${dark ? 5 : 6}`).trim();

export function Chart({ title, at, series, kind, show, summary }: {
  readonly title: string;
  /** Beginnings of the intervals, ISO. */
  readonly at: readonly string[];
  readonly series: readonly Series[];
  /** `bars` stand on each other. */
  readonly kind: "bars" | "lines";
  readonly show: (value: number) => string;
  /** What one sees, in a sentence. */
  readonly summary: string;
}) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const plot = useRef<HTMLDivElement>(null);
  const [zone] = useZone();
  const dark = useComputedColorScheme("light") === "dark";
  const [hovered, setHovered] = useState<number | null>(null);
  const format = useRef(show);
  format.current = show;
  useEffect(() => {
    if (plot.current === null || width === 0) return;
    const axis = { stroke: dark ? "#a6a7ab" : "#5c636a", grid: { stroke: dark ? "#3b3c40" : "#e9ecef", width: 1 }, ticks: { show: false }, font: "11px ui-sans-serif, system-ui, sans-serif" };
    const drawn = new uPlot({
      width, height: HEIGHT, padding: [8, 8, 0, 0], legend: { show: false }, cursor: { y: false, points: { show: kind === "lines" }, drag: { x: false, y: false } },
      tzDate: (seconds) => zone === "local" ? new Date(seconds * 1000) : uPlot.tzDate(new Date(seconds * 1000), zone),
      scales: { x: { range: (_, first, last) => { const half = at.length > 1 ? (last - first) / (at.length - 1) / 2 : 1800; return [first - half, last + half]; } }, y: { range: (_, __, most) => [0, Math.max(most * 1.08, 1)] } },
      axes: [{ ...axis, size: 30, space: 64, values: (_, marks, __, ___, step) => marks.map((mark) => inShort(mark, step < DAY_SECONDS, zone)) }, { ...axis, size: 52, space: 34, values: (_, marks) => marks.map((mark) => format.current(mark)) }],
      series: [{}, ...series.map(({ label, colour }) => kind === "bars"
        ? { label, stroke: "transparent", fill: inScheme(colour, dark), width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.72, 26], radius: 0.12 }) }
        : { label, stroke: inScheme(colour, dark), width: 2, spanGaps: true, points: { show: true, size: 5, fill: inScheme(colour, dark) } })],
      hooks: { setCursor: [({ cursor }) => setHovered(cursor.idx ?? null)] },
    }, [at.map((each) => Date.parse(each) / 1000), ...stacked(series, kind)] as uPlot.AlignedData, plot.current);
    return () => drawn.destroy();
  }, [width, dark, zone, kind, at, series]);
  const shown = hovered ?? undefined;
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Group justify="space-between" align="baseline" mb={6} wrap="nowrap"><Title order={3}>{title}</Title><Text size="xs" c="dimmed" ta="right">{shown === undefined || at[shown] === undefined ? "" : exactTime(at[shown], zone)}</Text></Group>
      <Box ref={ref} role="img" aria-label={`${title}: ${summary}`} h={HEIGHT} style={{ overflow: "hidden" }}><div ref={plot} aria-hidden /></Box>
      <Group gap="md" mt={6} aria-hidden>{series.map(({ label, colour, values }) => <Group key={label} gap={6}><Box w={9} h={9} style={{ borderRadius: 2 }} bg={`${colour}.${dark ? 5 : 6}`} /><Text size="xs">{label}{shown !== undefined && values[shown] !== null && values[shown] !== undefined ? `: ${show(values[shown])}` : ""}</Text></Group>)}</Group>
      <AsTable title={title}>{() => <DataTable label={title} rows={at.map((each, index) => ({ each, index })).reverse()} keyOf={({ each }) => each} columns={[{ label: "From", show: ({ each }) => exactTime(each, zone) }, ...series.map(({ label, values }) => ({ label, align: "right" as const, show: ({ index }: { index: number }) => values[index] === null || values[index] === undefined ? "–" : show(values[index]) }))]} />}</AsTable>
    </Paper>
  );
}

/** Of an hour its time, of midnight and of days the date. */
function inShort(seconds: number, byHour: boolean, zone: string): string {
  const at = new Date(seconds * 1000);
  const timeZone = zone === "local" ? {} : { timeZone: zone };
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", ...timeZone }).format(at);
  return byHour && time !== "00:00" ? time : new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...timeZone }).format(at);
}

/** What the first says plus what the others say: the first stands on top, and is drawn first. */
function stacked(series: readonly Series[], kind: "bars" | "lines"): (number | null)[][] {
  if (kind === "lines") return series.map(({ values }) => [...values]);
  return series.map((_, from) => series[0]!.values.map((__, index) => series.slice(from).reduce((sum, { values }) => sum + (values[index] ?? 0), 0)));
}

function AsTable({ title, children }: { readonly title: string; readonly children: () => ReactNode }) {
  const [open, setOpen] = useState(false);
  return <Box component="details" mt={8} onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}><Text component="summary" size="xs" c="dimmed" style={{ cursor: "pointer" }}>{title} as a table</Text>{open && <Box mah={260} mt={6} style={{ overflow: "auto" }}>{children()}</Box>}</Box>;
}
