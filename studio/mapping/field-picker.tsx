/** Choosing by name instead of by dragging: fields of the source, or a value of one's own. In a menu, so that mouse and keyboard do the same. */
import { Box, Group, Menu, ScrollArea, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Json } from "../../engine/manifest/types.ts";
import { writtenAt } from "./gestures.ts";
import { flat, type SourceField } from "./trees.ts";

export interface Choice { readonly key: string; readonly label: string; readonly note: string; readonly title: string }

const MOST_SHOWN = 60;

/** What opens from a step or a row: a search stands in it beside items, so it is a dialog with menus in it and no menu itself. */
export const POPUP = { withinPortal: true, shadow: "md", trapFocus: true, returnFocus: true, attributes: { dropdown: { role: "dialog", "aria-orientation": undefined } } } as const;
export const POPUP_TARGET = { popupType: "dialog" } as object;

/** Items of one kind: arrows go through all of them, whatever stands between. */
export const Items = ({ label, children }: { readonly label: string; readonly children: React.ReactNode }) => <div role="menu" aria-label={label}>{children}</div>;

/** A list to search in; inside such a popup. */
export function Choices({ label, items, choose, autoFocus = false }: { readonly label: string; readonly items: readonly Choice[]; readonly choose: (key: string) => void; readonly autoFocus?: boolean }) {
  const [asked, setAsked] = useState("");
  const wanted = asked.toLowerCase();
  const shown = items.filter((item) => `${item.label} ${item.note}`.toLowerCase().includes(wanted));
  return (
    <>
      <Box p={4}><TextInput size="xs" autoFocus={autoFocus} data-autofocus={autoFocus || undefined} aria-label={`Search: ${label}`} placeholder="Search" value={asked} onChange={(event) => setAsked(event.currentTarget.value)}
        onKeyDown={(event) => { if (event.key === "Enter" && shown[0] !== undefined) { event.preventDefault(); choose(shown[0].key); } if (!["Escape", "ArrowDown", "Tab"].includes(event.key)) event.stopPropagation(); }} /></Box>
      <ScrollArea.Autosize mah={260} type="auto" viewportProps={{ tabIndex: -1 }}>
        {shown.length > 0 && <Items label={label}>{shown.slice(0, MOST_SHOWN).map((item) => <Menu.Item key={item.key} title={item.title} onClick={() => choose(item.key)}><Group gap={8} justify="space-between" wrap="nowrap"><Text span size="sm" style={{ overflowWrap: "anywhere" }}>{item.label}</Text><Text span size="xs" c="dimmed" style={{ flexShrink: 0 }}>{item.note}</Text></Group></Menu.Item>)}</Items>}
        {shown.length === 0 && <Text size="xs" c="dimmed" p="xs">Nothing is called that.</Text>}
        {shown.length > MOST_SHOWN && <Text size="xs" c="dimmed" p="xs">{shown.length - MOST_SHOWN} more: search for them.</Text>}
      </ScrollArea.Autosize>
    </>
  );
}

/** Every field of the source, as it is written from inside the frames. */
export function sourceChoices(sources: readonly SourceField[], frames: readonly (readonly string[] | undefined)[], keep: (source: SourceField) => boolean = () => true): Choice[] {
  return flat(sources).filter(keep).map(({ path, type, description }) => ({ key: writtenAt(path, frames), label: path.join("."), note: type, title: description ?? path.join(".") }));
}

/** For a place that takes anything: a field, or a constant. */
export function PlacePicker({ label, sources, frames, connect, type, offered = [] }: {
  readonly label: string; /** Values that the target takes. */ readonly offered?: readonly Json[] | undefined; readonly sources: () => readonly SourceField[]; readonly frames: readonly (readonly string[] | undefined)[];
  readonly connect: (text: string) => void;
  /** A value typed in. */
  readonly type: (value: string | number | boolean | null) => void;
}) {
  const [text, setText] = useState("");
  return (
    <>
      <Menu.Label>{label}: a field</Menu.Label>
      <Choices label={label} items={sourceChoices(sources(), frames)} choose={connect} autoFocus />
      <Menu.Divider />
      <Menu.Label>or a value</Menu.Label>
      <Box p={4}><TextInput size="xs" aria-label={`Value: ${label}`} placeholder='Text, number, true, false, null' value={text} onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => { if (event.key === "Enter") { event.preventDefault(); type(valueOfText(text)); } if (!["Escape", "ArrowDown", "Tab"].includes(event.key)) event.stopPropagation(); }} /></Box>
      <Items label={`Value: ${label}`}>
        <Menu.Item onClick={() => type(valueOfText(text))}>Use the value</Menu.Item>
        {offered.slice(0, 12).map((each) => (typeof each === "object" && each !== null ? null : <Menu.Item key={String(each)} onClick={() => type(each)}>{String(each)}</Menu.Item>))}
      </Items>
    </>
  );
}

function valueOfText(text: string): string | number | boolean | null {
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
