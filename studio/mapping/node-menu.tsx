/** What can be done with a step, all of it by mouse or keyboard alone: every choice that needs a value offers some. */
import { ActionIcon, Menu } from "@mantine/core";
import { ChevronDownIcon, ChevronLeftIcon, ChevronRightIcon } from "@radix-ui/react-icons";
import { useState } from "react";
import { Choices, Items, POPUP, POPUP_TARGET, sourceChoices, type Choice } from "./field-picker.tsx";
import { functions } from "./functions.ts";
import { writtenAt, type Gesture } from "./gestures.ts";
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
  readonly sources: () => readonly SourceField[];
  readonly frames: readonly (readonly string[] | undefined)[];
  /** Values that the node has over all samples. */
  readonly seen: () => readonly unknown[];
  readonly act: (gesture: Gesture) => void;
  /** The whole expression goes. */
  readonly clear: () => void;
}

/** @param label of whom; the step's title. */
export function NodeMenu({ label, ...props }: NodeMenuProps & { readonly label?: string }) {
  return (
    <Menu position="bottom-start" width={260} {...POPUP}>
      <Menu.Target {...POPUP_TARGET}><ActionIcon size="sm" variant="subtle" color="gray" className="nodrag nopan" aria-label={`Change ${label ?? props.node.title}`}><ChevronDownIcon /></ActionIcon></Menu.Target>
      <Menu.Dropdown className="nowheel" mah="70vh" style={{ overflowY: "auto" }} aria-label={`Change ${label ?? props.node.title}`}><NodeActions {...props} /></Menu.Dropdown>
    </Menu>
  );
}

const FUNCTIONS: readonly Choice[] = functions.map(({ name, group, doc }) => ({ key: name, label: `$${name}`, note: group, title: doc }));

/** Made when the menu opens, and not before: a mapping has many steps. What needs a choice is a page of the same menu, so that it works under a finger too. */
export function NodeActions({ node, text, value, target, sources: sourcesNow, frames, seen, act, clear }: NodeMenuProps) {
  const sources = sourcesNow();
  const [page, setPage] = useState<string>();
  const at = node.id;
  const list = (value !== undefined && "value" in value && Array.isArray(value.value)) || target.items !== undefined;
  const offered = (target.enum ?? []).slice(0, 12).map((each) => [JSON.stringify(each), String(each)] as const);
  const firstOffer = offered[0]?.[0] ?? '""';
  const fields = () => sourceChoices(sources, frames, ({ children }) => children.length === 0);
  const equals = (): Choice[] => flat(sources).filter(({ children, sample }) => children.length === 0 && sample !== undefined && sample !== null && typeof sample !== "object").map(({ path, sample }) => ({ key: `${writtenAt(path, frames)} = ${JSON.stringify(sample)}`, label: path.join("."), note: `= ${JSON.stringify(sample)}`, title: path.join(".") }));
  const picked = (items: readonly Choice[], choose: (key: string) => void) => <Choices key={page} label={page!} items={items} choose={choose} autoFocus />;
  const pages: Readonly<Record<string, () => React.ReactNode>> = {
    "Function around it": () => picked(FUNCTIONS, (name) => act({ do: "wrap", node: at, name })),
    "Join with": () => picked(fields(), (written) => act({ do: "join", node: at, text: written, between: " " })),
    "Default when absent": () => <Items label="Default when absent">{[['""', "an empty text"], ["0", "0"], ["false", "false"], ["null", "null"], ...offered].map(([fallback, label]) => <Menu.Item key={fallback} onClick={() => act({ do: "default", node: at, fallback: fallback! })}>{label}</Menu.Item>)}</Items>,
    "Default from a field": () => picked(fields(), (fallback) => act({ do: "default", node: at, fallback, empty: true })),
    "Only if a field is there": () => picked(fields(), (condition) => act({ do: "if", node: at, condition })),
    "Only if a field equals": () => picked(equals(), (condition) => act({ do: "if", node: at, condition })),
    ...(node.kind === "if" ? { "Another case": () => picked(equals(), (condition) => act({ do: "add_case", node: at, condition, result: firstOffer })) } : {}),
    Date: () => <Items label="Date">
      <Menu.Item onClick={() => act({ do: "wrap", node: at, name: "substring", after: ["0", "10"] })}>Date only: 2026-03-01</Menu.Item>
      <Menu.Item onClick={() => act({ do: "rewrite", node: at, text: `$fromMillis($toMillis(${text}, "[D01]/[M01]/[Y0001]"), "[Y0001]-[M01]-[D01]")` })}>From day/month/year to date</Menu.Item>
      <Menu.Item onClick={() => act({ do: "rewrite", node: at, text: `$fromMillis($toMillis(${text}, "[D01]/[M01]/[Y0001]"))` })}>From day/month/year to date and time</Menu.Item>
      <Menu.Item onClick={() => act({ do: "rewrite", node: at, text: `$fromMillis($toMillis(${text}, "[M01]/[D01]/[Y0001]"))` })}>From month/day/year to date and time</Menu.Item>
      <Menu.Item onClick={() => act({ do: "wrap", node: at, name: "fromMillis" })}>Milliseconds to date and time</Menu.Item>
      <Menu.Item onClick={() => act({ do: "rewrite", node: at, text: `$fromMillis(1000 * ${node.at.kind === "binary" || node.at.kind === "condition" ? `(${text})` : text})` })}>Seconds since 1970 to date and time</Menu.Item>
      <Menu.Item onClick={() => act({ do: "wrap", node: at, name: "toMillis" })}>Date and time to milliseconds</Menu.Item>
    </Items>,
    ...(list ? { "Keep items where": () => picked(itemFields(node, sources).map((name) => ({ key: writtenAt([name], []), label: name, note: "is there", title: name })), (name) => act({ do: "keep_where", node: at, condition: `$boolean(${name})` })) } : {}),
  };
  if (page !== undefined) return <><Items label="Back"><Menu.Item closeMenuOnClick={false} leftSection={<ChevronLeftIcon />} onClick={() => setPage(undefined)} data-autofocus ref={(back: HTMLButtonElement | null) => { if (back && !back.closest("[data-menu-dropdown]")?.contains(document.activeElement)) back.focus(); }}>{page}</Menu.Item></Items><Menu.Divider />{pages[page]?.()}</>;
  return (
    <Items label="What can be done with it">
      {Object.keys(pages).map((name) => <Menu.Item key={name} closeMenuOnClick={false} rightSection={<ChevronRightIcon />} onClick={() => setPage(name)}>{name}</Menu.Item>)}
      <Menu.Divider />
      <Menu.Item onClick={() => act({ do: "look_up", node: at, rows: lookupRows(seen(), target.enum) })}>Look it up in a table</Menu.Item>
      {list && <Menu.Item onClick={() => act({ do: "for_each", node: at, rows: itemRows(node, target, sources) })}>For each item, an object</Menu.Item>}
      {node.kind === "lookup" && <Menu.Item onClick={() => act({ do: "add_row", node: at, key: freeKey(node, "value"), text: firstOffer })}>Another row</Menu.Item>}
      {node.kind === "object" && <Menu.Item onClick={() => act({ do: "add_row", node: at, key: (target.items ?? []).find((name) => !node.ports.some(({ label }) => label === name)) ?? freeKey(node, "field"), text: '""' })}>Another row</Menu.Item>}
      {(node.kind === "math" || node.kind === "condition") && node.ports.length === 2 && <Menu.Item onClick={() => act({ do: "swap", node: at })}>Swap sides</Menu.Item>}
      {node.ports.length > 0 && node.kind !== "object" && node.kind !== "concat" && <Menu.Item onClick={() => act({ do: "unwrap", node: at })}>Take this step away</Menu.Item>}
      <Menu.Divider />
      <Menu.Item color="red" onClick={clear}>Remove the field's expression</Menu.Item>
    </Items>
  );
}

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

function freeKey(node: GraphNode, begin: string): string {
  const taken = new Set(node.ports.map(({ label }) => label));
  for (let number = 1; ; number++) if (!taken.has(`${begin} ${number}`)) return `${begin} ${number}`;
}
