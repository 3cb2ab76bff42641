/** A state in a word, a colour and a shape: never by colour alone. */
import { Badge, Tooltip, VisuallyHidden } from "@mantine/core";

type Tone = "good" | "busy" | "warn" | "bad" | "off";

const COLOURS: Readonly<Record<Tone, string>> = { good: "teal", busy: "blue", warn: "yellow", bad: "red", off: "gray" };
const MARKS: Readonly<Record<Tone, string>> = { good: "●", busy: "◐", warn: "▲", bad: "■", off: "○" };

const TONES: Readonly<Record<string, Tone>> = {
  // runs
  queued: "off", running: "busy", waiting: "warn", succeeded: "good", succeeded_with_quarantine: "warn", failed: "bad", cancelled: "off", superseded: "off",
  // connections
  connected: "good", ok: "good", degraded: "warn", reconnect_needed: "bad", disconnected: "off", disabled: "off", error: "bad", not_connected: "off", untested: "off", broken: "bad",
  // tenants, changes, events, deliveries, requests
  active: "good", suspended: "warn", erased: "off", draft: "off", proposed: "busy", approved: "good", applied: "good", rejected: "off", stale: "warn", rolled_back: "off",
  open: "warn", resolved: "good", replayed: "good", discarded: "off", processed: "good", ignored: "off", duplicate: "off", pending: "busy", received: "busy", reading: "busy", refused: "bad", unrouted: "bad", echo: "off",
  delivered: "good", unchanged: "off", sending: "busy", retrying: "warn", held: "warn", unknown: "warn", exhausted: "bad", safe: "good", resync: "warn", new_scope: "warn", destructive: "bad",
  planned: "busy", declined: "off", done: "good",
  // pull requests
  in_review: "busy", changes_requested: "warn", merged: "good", closed: "off",
};

const WORDS: Readonly<Record<string, string>> = { succeeded_with_quarantine: "with quarantine", reconnect_needed: "reconnect needed", not_connected: "not connected", rolled_back: "rolled back", new_scope: "new scope", ok: "connected", broken: "error" };

/** @param word of whose state it is, where several stand side by side; the state is said on hover and to screen readers. */
export function Status({ value, reason, word }: { readonly value: string; readonly reason?: string | null | undefined; readonly word?: string }) {
  const tone = TONES[value] ?? "off";
  const state = WORDS[value] ?? value.replaceAll("_", " ");
  const badge = (
    <Badge variant="light" color={COLOURS[tone]} radius="sm" tt="none" fw={550} miw="max-content" leftSection={<span aria-hidden style={{ fontSize: 9 }}>{MARKS[tone]}</span>} autoContrast>
      {word ?? state}{word !== undefined && <VisuallyHidden>: {state}</VisuallyHidden>}
    </Badge>
  );
  const said = reason ?? (word === undefined ? undefined : state);
  return said ? <Tooltip label={said} multiline maw={360}>{badge}</Tooltip> : badge;
}
