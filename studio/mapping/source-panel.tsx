/** The source record: its fields with their types and the sample's values. A field is dragged, or chosen with Enter. Of hundreds, those in sight are drawn. */
import { Badge, Box, Button, Group, Text, TextInput, Tooltip, VisuallyHidden } from "@mantine/core";
import { ChevronDownIcon, ChevronRightIcon, MagnifyingGlassIcon } from "@radix-ui/react-icons";
import { memo, useEffect, useId, useMemo, useRef, useState } from "react";
import { flat, type SourceField } from "./trees.ts";
import { textOfValue } from "./value.tsx";

export const DRAGGED = "application/x-plugboard-source";

/** In pixels, as mapping.css has it. */
const ROW = 28;
/** Drawn above and below what is in sight, so that scrolling shows no gap. */
const BESIDE = 12;

interface SourcePanelProps {
  readonly sources: readonly SourceField[];
  /** Dotted paths that any field reads; and that the selected one reads. */
  readonly used: ReadonlySet<string>;
  readonly lit: ReadonlySet<string>;
  readonly choose?: ((source: SourceField) => void) | undefined;
  /** Takes a field that is neither in the schema nor in the sample: a column that only one customer has. */
  readonly name?: ((path: readonly string[]) => void) | undefined;
  readonly height?: number;
}

interface Line { readonly field: SourceField; readonly key: string; /** Of its parent; -1 at the top. */ readonly parent: number; readonly place: number; readonly of: number; readonly isOpen: boolean }

export const SourcePanel = memo(function SourcePanel({ sources, used, lit, choose, name, height = 520 }: SourcePanelProps) {
  const [asked, setAsked] = useState("");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const wanted = asked.trim().toLowerCase();
  const lines = useMemo(() => linesOf(sources, wanted, closed), [sources, wanted, closed]);
  const typed = asked.trim().split(".").filter(Boolean);
  const isNew = name !== undefined && typed.length > 0 && !flat(sources).some(({ path }) => path.join(".") === typed.join("."));
  const toggle = (key: string) => setClosed((old) => { const next = new Set(old); if (!next.delete(key)) next.add(key); return next; });
  return (
    <Box component="section" aria-label="Source record">
      <Group justify="space-between" mb={6}><Text size="xs" fw={600} c="dimmed">Source</Text><Tooltip label="Fields of the record, by schema and sample"><Badge size="sm" variant="default">{flat(sources).length}</Badge></Tooltip></Group>
      <TextInput size="xs" placeholder="Search fields" aria-label="Search source fields" leftSection={<MagnifyingGlassIcon aria-hidden />} value={asked} onChange={(event) => setAsked(event.currentTarget.value)} mb={6} />
      <Tree lines={lines} used={used} lit={lit} choose={choose} toggle={wanted === "" ? toggle : undefined} height={height} />
      {isNew && <Button mt={6} size="compact-xs" variant="default" fullWidth styles={{ label: { overflow: "hidden", textOverflow: "ellipsis" } }} onClick={() => { name!(typed); setAsked(""); }}>Add “{typed.join(".")}” as a field</Button>}
    </Box>
  );
});

/** One stop of the Tab key; arrows go through it as they do in any tree: https://www.w3.org/WAI/ARIA/apg/patterns/treeview/ */
function Tree({ lines, used, lit, choose, toggle, height }: { readonly lines: readonly Line[]; readonly toggle: ((key: string) => void) | undefined } & Pick<SourcePanelProps, "used" | "lit" | "choose"> & { readonly height: number }) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState("");
  const at = Math.max(0, lines.findIndex(({ key }) => key === active));
  const [from, to] = [Math.max(0, Math.floor(top / ROW) - BESIDE), Math.min(lines.length, Math.ceil((top + height) / ROW) + BESIDE)];
  const go = (index: number) => {
    const line = lines[Math.max(0, Math.min(lines.length - 1, index))];
    const view = box.current;
    if (line === undefined || view === null) return;
    setActive(line.key);
    const y = lines.indexOf(line) * ROW;
    if (y < view.scrollTop) view.scrollTop = y;
    else if (y + ROW > view.scrollTop + view.clientHeight) view.scrollTop = y + ROW - view.clientHeight;
  };
  // What was searched for stands at the top.
  useEffect(() => { if (box.current && box.current.scrollTop > lines.length * ROW) box.current.scrollTop = 0; }, [lines]);
  const keys: Readonly<Record<string, (line: Line) => void>> = {
    ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(lines.length - 1), PageDown: () => go(at + Math.floor(height / ROW)), PageUp: () => go(at - Math.floor(height / ROW)),
    ArrowRight: ({ field, key, isOpen }) => { if (field.children.length === 0) return; if (isOpen) go(at + 1); else toggle?.(key); },
    ArrowLeft: ({ field, key, isOpen, parent }) => { if (field.children.length > 0 && isOpen && toggle) toggle(key); else if (parent >= 0) go(parent); },
    Enter: ({ field }) => choose?.(field), " ": ({ field }) => choose?.(field),
  };
  return (
    <div ref={box} className="source-tree" role="tree" tabIndex={0} aria-label="Source fields" {...(choose ? { "aria-description": "Enter puts the field into the row that is open." } : {})} aria-activedescendant={at >= from && at < to ? `${id}${at}` : undefined} style={{ height }} onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={(event) => { const act = keys[event.key]; const line = lines[at]; if (act === undefined || line === undefined || event.ctrlKey || event.metaKey || event.altKey) return; event.preventDefault(); act(line); }}>
      <div role="presentation" style={{ height: lines.length * ROW }}>
        {lines.slice(from, to).map(({ field, key, place, of, isOpen }, index) => (
          <div key={key} id={`${id}${from + index}`} className="source-row" role="treeitem" aria-level={field.path.length} aria-posinset={place} aria-setsize={of} aria-selected={lit.has(key)} {...(field.children.length > 0 ? { "aria-expanded": isOpen } : {})}
            data-source={key} data-used={used.has(key) || undefined} data-lit={lit.has(key) || undefined} data-active={from + index === at || undefined} style={{ top: (from + index) * ROW, paddingLeft: (field.path.length - 1) * 14 }}
            draggable onDragStart={(event) => { event.dataTransfer.setData(DRAGGED, JSON.stringify(field.path)); event.dataTransfer.effectAllowed = "copy"; }} onClick={() => { setActive(key); choose?.(field); }}>
            <span className="fold" onClick={field.children.length === 0 ? undefined : (event) => { event.stopPropagation(); setActive(key); toggle?.(key); }}>{field.children.length > 0 && (isOpen ? <ChevronDownIcon /> : <ChevronRightIcon />)}</span>
            <span className="name" title={key}>{field.name}{used.has(key) && <VisuallyHidden>, used</VisuallyHidden>}</span>
            <span className="seen">{field.isList && field.children.length > 0 ? "list" : field.sample === undefined ? field.type : textOfValue(field.sample).slice(0, 60)}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

/** What is shown, from top to bottom: of a search, what matches with what it lies in. */
function linesOf(sources: readonly SourceField[], wanted: string, closed: ReadonlySet<string>): Line[] {
  const lines: Line[] = [];
  const matches = (field: SourceField): boolean => wanted === "" || field.path.join(".").toLowerCase().includes(wanted) || field.children.some(matches);
  const add = (fields: readonly SourceField[], parent: number): void => {
    const shown = wanted === "" ? fields : fields.filter(matches);
    shown.forEach((field, index) => {
      const key = field.path.join(".");
      const isOpen = wanted !== "" || !closed.has(key);
      const at = lines.push({ field, key, parent, place: index + 1, of: shown.length, isOpen }) - 1;
      if (isOpen) add(field.children, at);
    });
  };
  add(sources, -1);
  return lines;
}
