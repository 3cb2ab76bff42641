/**
 * Live progress of one or more runs on stderr: on a terminal one line per run, redrawn in place; elsewhere (CI, a pipe) a
 * plain line per run every few seconds, so that a log shows that something moves without being flooded.
 */
import pc from "picocolors";
import type { Progress } from "../../engine/run/ports.ts";

const REDRAW_MILLISECONDS = 120;
const PLAIN_LINE_MILLISECONDS = 5_000;

interface Row { readonly name: string; readonly startedAt: number; state: "running" | "done" | "failed"; text: string; plainAt: number }

export interface ProgressBoard {
  update(name: string, progress: Progress): void;
  /** Ends a run's line with its result. */
  finish(name: string, ok: boolean, text: string): void;
  /** Prints a line above the board. */
  note(text: string): void;
  close(): void;
}

export function progressBoard(stream: NodeJS.WriteStream = process.stderr, now: () => number = Date.now): ProgressBoard {
  const rows = new Map<string, Row>();
  const live = stream.isTTY === true;
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;

  const row = (name: string): Row => {
    const found = rows.get(name) ?? { name, startedAt: now(), state: "running" as const, text: "starting", plainAt: now() };
    rows.set(name, found);
    return found;
  };
  const line = (entry: Row, width: number): string => {
    const mark = entry.state === "done" ? pc.green("✓") : entry.state === "failed" ? pc.red("✗") : pc.cyan("…");
    return `  ${mark} ${entry.name.padEnd(width)}  ${entry.text}`;
  };
  const draw = (): void => {
    timer = undefined;
    if (!live) return;
    const width = Math.max(...[...rows.keys()].map((name) => name.length));
    const columns = stream.columns || 100;
    // Rows are cut to the window: a wrapped row would make "up n lines" wrong and leave rubbish behind.
    const text = [...rows.values()].map((entry) => cut(line(entry, width), columns - 1)).join("\n");
    stream.write(`${drawn > 0 ? `\x1b[${drawn}A\x1b[0J` : ""}${text}\n`);
    drawn = rows.size;
  };
  const schedule = (): void => { if (live && timer === undefined) timer = setTimeout(draw, REDRAW_MILLISECONDS); };

  return {
    update(name, progress) {
      const entry = row(name);
      if (entry.state !== "running") return;
      entry.text = describe(progress, entry.startedAt, now());
      if (!live && now() - entry.plainAt >= PLAIN_LINE_MILLISECONDS) { entry.plainAt = now(); stream.write(`${line(entry, name.length)}\n`); }
      schedule();
    },
    finish(name, ok, text) {
      const entry = row(name);
      entry.state = ok ? "done" : "failed";
      entry.text = text;
      if (live) schedule();
      else stream.write(`${line(entry, name.length)}\n`);
    },
    note(text) {
      if (live && drawn > 0) { stream.write(`\x1b[${drawn}A\x1b[0J`); drawn = 0; }
      stream.write(`${text}\n`);
      schedule();
    },
    close() {
      if (timer) clearTimeout(timer);
      if (rows.size > 0) draw();
      drawn = 0;
      rows.clear();
    },
  };
}

/** `12 pages, 6,000 records, 1,812/s, checkpoint 2026-03-01T09:00:00Z, asks again in 3 s: 429`. */
function describe(progress: Progress, startedAt: number, at: number): string {
  const { counters } = progress;
  const seconds = Math.max((at - startedAt) / 1000, 0.001);
  const parts = [`${count(counters.pages, "page")}`, count(counters.read, "record"), `${Math.round(counters.read / seconds).toLocaleString("en")}/s`];
  if (counters.quarantined > 0) parts.push(`${counters.quarantined} quarantined`);
  if (progress.checkpoint) parts.push(`checkpoint ${progress.checkpoint}`);
  if (progress.waiting) parts.push(`${progress.waiting.reason}, next try in ${Math.max(0, Math.ceil((progress.waiting.until - at) / 1000))} s`);
  return parts.join(", ");
}

export function count(value: number, noun: string): string {
  return `${value.toLocaleString("en")} ${noun}${value === 1 ? "" : "s"}`;
}

/** Cuts to a number of visible characters; colour codes take no room. */
function cut(text: string, columns: number): string {
  let visible = 0;
  let result = "";
  // oxlint-disable-next-line no-control-regex -- colour codes begin with the escape character
  for (const part of text.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith("\x1b[")) { result += part; continue; }
    const room = columns - visible;
    if (room <= 0) continue;
    result += part.length > room ? `${part.slice(0, room - 1)}…` : part;
    visible += Math.min(part.length, room);
  }
  return result;
}
