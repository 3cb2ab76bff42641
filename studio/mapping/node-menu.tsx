/** What can be done with a node, all of it by mouse or keyboard alone: every choice that needs a value offers some. */
import { Box, Button, Menu, ScrollArea, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { functions } from "./functions.ts";
import type { Gesture } from "./gestures.ts";
import { writtenAt } from "./gestures.ts";
import type { GraphNode } from "./graph/types.ts";
import type { NodeValue } from "./graph/values.ts";
import { lookupRows } from "./lookup-rows.ts";
import { flat, likeness, type SourceField, type TargetField } from "./trees.ts";

export interface NodeMenuProps {
  readonly node: GraphNode;
  /** Its exact text. */
  readonly text: string;
  readonly value: NodeValue | undefined;
  readonly target: TargetField;
  readonly sources: readonly SourceField[];
  readonly frames: readonly (readonly string[] | undefined)[];
  /** Values that the node has over all samples. */
  readonly seen: readonly unknown[];
  readonly act: (gesture: Gesture) => void;
  /** The whole expression goes. */
  readonly clear: () => void;
}

export function NodeMenu({ node, text, value, target, sources, frames, seen, act, clear }: NodeMenuProps) {
  const list = (value !== undefined && "value" in value && Array.isArray(value.value)) || target.items !== undefined;
  const written = (source: SourceField) => writtenAt(source.path, frames);
  const at = node.id;
  return (
    <Menu position="bottom-start" width={250} withinPortal shadow="md" menuItemTabIndex={0} trapFocus>
      <Menu.Target><Button size="compact-xs" variant="default" className="nodrag nopan" aria-label={`Change ${node.title}`}>Change ▾</Button></Menu.Target>
      <Menu.Dropdown className="nowheel" mah={460} style={{ overflowY: "auto" }}>
        <Picker label="Function around it" items={functions.map(({ name, group, doc }) => ({ key: name, label: `$${name}`, note: group, title: doc }))} choose={(name) => act({ do: "wrap", node: at, name })} />
        <Picker label="Join with" items={fieldItems(sources)} choose={(path) => act({ do: "join", node: at, text: written(found(sources, path)), between: " " })} />
        <Choices label="Default when absent" items={[['""', "an empty text"], ["0", "0"], ["false", "false"], ["null", "null"], ...(target.enum ?? []).slice(0, 6).map((each) => [JSON.stringify(each), String(each)] as const)]} choose={(fallback) => act({ do: "default", node: at, fallback })} />
        <Picker label="Default from a field" items={fieldItems(sources)} choose={(path) => act({ do: "default", node: at, fallback: written(found(sources, path)), empty: true })} />
        <Picker label="Only if a field is there" items={fieldItems(sources)} choose={(path) => act({ do: "if", node: at, condition: written(found(sources, path)) })} />
        <Picker label="Only if a field equals its sample" items={fieldItems(sources.filter((source) => source.children.length > 0 || source.sample !== undefined))} choose={(path) => { const source = found(sources, path); act({ do: "if", node: at, condition: `${written(source)} = ${JSON.stringify(source.sample ?? null)}` }); }} />
        {node.kind === "if" && <Picker label="Another case" items={fieldItems(sources)} choose={(path) => { const source = found(sources, path); act({ do: "add_case", node: at, condition: `${written(source)} = ${JSON.stringify(source.sample ?? "")}`, then: target.enum?.[0] === undefined ? '""' : JSON.stringify(target.enum[0]) }); }} />}
        <Menu.Divider />
        <Menu.Label>Dates</Menu.Label>
        <Menu.Item onClick={() => act({ do: "wrap", node: at, name: "substring", after: ["0", "10"] })}>Date only, 2026-03-01</Menu.Item>
        <Menu.Item onClick={() => act({ do: "rewrite", node: at, text: `$fromMillis($toMillis(${text}, "[D01]/[M01]/[Y0001]"))` })}>From day/month/year to date and time</Menu.Item>
        <Menu.Item onClick={() => act({ do: "wrap", node: at, name: "fromMillis" })}>Milliseconds to date and time</Menu.Item>
        <Menu.Item onClick={() => act({ do: "wrap", node: at, name: "toMillis" })}>Date and time to milliseconds</Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => act({ do: "look_up", node: at, rows: lookupRows(seen, target.enum) })}>Look it up in a table</Menu.Item>
        {list && <Menu.Item onClick={() => act({ do: "for_each", node: at, rows: itemRows(node, target, sources) })}>For each item, an object</Menu.Item>}
        {list && <Picker label="Keep items where" items={itemFields(node, sources).map((name) => ({ key: name, label: name, note: "is there", title: name }))} choose={(name) => act({ do: "keep_where", node: at, condition: `$boolean(${name})` })} />}
        {(node.kind === "math" || node.kind === "condition") && node.ports.length === 2 && <Menu.Item onClick={() => act({ do: "swap", node: at })}>Swap sides</Menu.Item>}
        {node.ports.length > 0 && node.kind !== "object" && node.kind !== "concat" && <Menu.Item onClick={() => act({ do: "unwrap", node: at })}>Take this step away</Menu.Item>}
        <Menu.Divider />
        <Menu.Item color="red" onClick={clear}>Remove the field's expression</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface Item { readonly key: string; readonly label: string; readonly note: string; readonly title: string }

const fieldItems = (sources: readonly SourceField[]): Item[] => flat(sources).filter(({ children }) => children.length === 0).map(({ path, type, description }) => ({ key: path.join("\u0000"), label: path.join("."), note: type, title: description ?? path.join(".") }));
const found = (sources: readonly SourceField[], key: string): SourceField => flat(sources).find(({ path }) => path.join("\u0000") === key)!;

const itemFields = (node: GraphNode, sources: readonly SourceField[]): string[] => flat(sources).find(({ path }) => path.join(".") === node.path?.join("."))?.children.map(({ name }) => name) ?? [];

/** Rows of the object that each item becomes: what the target asks for, from the item's fields of the most alike name. */
function itemRows(node: GraphNode, target: TargetField, sources: readonly SourceField[]): [string, string][] {
  const fields = itemFields(node, sources);
  const wanted = target.items ?? fields;
  return wanted.flatMap((name): [string, string][] => {
    const best = fields.map((field) => ({ field, score: likeness(name, field) })).toSorted((a, b) => b.score - a.score)[0];
    return best && best.score > 0.3 ? [[name, writtenAt([best.field], [])]] : [];
  });
}

function Choices({ label, items, choose }: { readonly label: string; readonly items: readonly (readonly [key: string, label: string])[]; readonly choose: (key: string) => void }) {
  return (
    <Menu.Sub>
      <Menu.Sub.Target><Menu.Sub.Item>{label}</Menu.Sub.Item></Menu.Sub.Target>
      <Menu.Sub.Dropdown>{items.map(([key, text]) => <Menu.Item key={key} onClick={() => choose(key)}>{text}</Menu.Item>)}</Menu.Sub.Dropdown>
    </Menu.Sub>
  );
}

function Picker({ label, items, choose }: { readonly label: string; readonly items: readonly Item[]; readonly choose: (key: string) => void }) {
  const [asked, setAsked] = useState("");
  const shown = items.filter((item) => `${item.label} ${item.note}`.toLowerCase().includes(asked.toLowerCase())).slice(0, 60);
  return (
    <Menu.Sub closeDelay={200}>
      <Menu.Sub.Target><Menu.Sub.Item>{label}</Menu.Sub.Item></Menu.Sub.Target>
      <Menu.Sub.Dropdown className="nowheel">
        <Box p={4}><TextInput size="xs" aria-label={`Search: ${label}`} placeholder="Search" value={asked} onChange={(event) => setAsked(event.currentTarget.value)} onKeyDown={(event) => { if (event.key !== "Escape" && event.key !== "ArrowDown") event.stopPropagation(); }} /></Box>
        <ScrollArea.Autosize mah={260} type="auto">
          {shown.map((item) => <Menu.Item key={item.key} title={item.title} onClick={() => choose(item.key)}><Text span size="sm">{item.label}</Text> <Text span size="xs" c="dimmed">{item.note}</Text></Menu.Item>)}
          {shown.length === 0 && <Text size="xs" c="dimmed" p="xs">Nothing is called that.</Text>}
        </ScrollArea.Autosize>
      </Menu.Sub.Dropdown>
    </Menu.Sub>
  );
}
