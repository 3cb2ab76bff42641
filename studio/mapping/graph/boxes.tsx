/** What stands in the graph: the source's box, the target's, a step, and the frame around what happens to each item. */
import { ActionIcon, Badge, Box, Button, Group, Menu, NumberInput, Paper, Text, TextInput, Tooltip, UnstyledButton } from "@mantine/core";
import { ChevronDownIcon, ChevronLeftIcon, ChevronRightIcon } from "@radix-ui/react-icons";
import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { createContext, memo, useContext, useState } from "react";
import { Items, PlacePicker, POPUP, POPUP_TARGET } from "../field-picker.tsx";
import { framesAround, type Gesture } from "../gestures.ts";
import { NodeActions, NodeMenu, type NodeMenuProps } from "../node-menu.tsx";
import type { FieldState } from "../session.ts";
import type { SourceField } from "../trees.ts";
import { Value } from "../value.tsx";
import { HEAD, isWireOnly, plainPathOf, ROW, SIDE_WIDTH, STEP_WIDTH } from "./layout.ts";
import type { GraphNode, Port } from "./types.ts";
import type { NodeValue } from "./values.ts";

/** What every box may need, and what changes seldom: what a box shows is in its own data, so that one is drawn again when that changed and not with every letter. */
export interface Around {
  /** For menus, when they open. */
  sources(): readonly SourceField[];
  readonly samples: readonly unknown[];
  readonly readOnly: boolean;
  select(field: string): void;
  choose(frame: string, index: number): void;
  act(field: string, gesture: Gesture): void;
  clear(field: string): void;
  /** What shall be done with a source that is dropped on a field which has a value. */
  dropOn(field: string, text: string): void;
}
export const AroundContext = createContext<Around | undefined>(undefined);
const useAround = (): Around => useContext(AroundContext)!;

/** How the source's box is searched and folded. */
export interface SourceSearch { readonly asked: string; readonly closed: ReadonlySet<string>; readonly total: number; ask(text: string): void; toggle(path: string): void; /** Adds the field that is looked for and that nobody has seen; absent: there is one, or one may not. */ readonly add?: (() => void) | undefined }
type Values = ReadonlyMap<string, NodeValue>;

export type StepNode = Node<{ readonly state: FieldState; readonly node: GraphNode; readonly values: Values | undefined }, "step">;
export type SourceNode = Node<{ readonly sources: readonly SourceField[]; /** Paths that a wire begins at, one a line. */ readonly wired: string; readonly search: SourceSearch }, "source">;
export type TargetNode = Node<{ readonly fields: readonly { readonly state: FieldState; readonly values: Values | undefined; readonly top: number; readonly height: number }[]; /** The field whose text is shown beside the graph. */ readonly selected: string | undefined; readonly height: number }, "target">;
export type FrameNode = Node<{ readonly field: string; readonly node: GraphNode; /** What it runs over. */ readonly list: NodeValue | undefined; /** Which of its items is looked at. */ readonly at: number }, "frame">;

/** Larger than the dot that is seen, to be hit. */
const HANDLE = { width: 18, height: 18, background: "transparent", border: "none", minWidth: 0 } as const;
function Dot({ lit = true }: { readonly lit?: boolean }) {
  return <Box style={{ position: "absolute", inset: 4, borderRadius: "50%", pointerEvents: "none", border: "2px solid var(--mantine-color-body)", background: lit ? "var(--mantine-primary-color-filled)" : "var(--mantine-color-dimmed)", outline: lit ? "none" : "1px solid var(--mantine-color-default-border)" }} />;
}
const line = "1px solid var(--mantine-color-default-border)";

function SourceBox({ data: { sources, wired: all, search: source } }: NodeProps<SourceNode>) {
  const wired = new Set(all.split("\n"));
  return (
    <Paper withBorder w={SIDE_WIDTH} p={0} shadow="xs">
      <Group justify="space-between" px="xs" h={HEAD}><Text size="xs" fw={600} c="dimmed">Source</Text><Text size="xs" c="dimmed">{sources.length < source.total ? `${sources.length} of ${source.total}` : source.total}</Text></Group>
      <Box px={6} pb={6} h={34}><TextInput className="nodrag" size="xs" placeholder="Find a field" aria-label="Find a source field" value={source.asked} onChange={(event) => source.ask(event.currentTarget.value)} styles={{ input: { height: 26, minHeight: 26 } }} /></Box>
      {source.add && <Box px={6} pb={6}><Button className="nodrag" size="compact-xs" variant="default" fullWidth styles={{ label: { overflow: "hidden", textOverflow: "ellipsis" } }} onClick={source.add}>Add “{source.asked.trim()}” as a field</Button></Box>}
      {sources.map(({ path, name, type, children }) => {
        const key = path.join(".");
        const isOpen = !source.closed.has(key);
        return (
          <Box key={key} pos="relative" h={ROW} pr={14} pl={6 + (path.length - 1) * 12} data-source={key} style={{ display: "flex", alignItems: "center", gap: 2, borderTop: line }}>
            {children.length > 0 ? <ActionIcon className="nodrag" variant="transparent" color="gray" size={16} aria-label={`${isOpen ? "Close" : "Open"} ${key}`} aria-expanded={isOpen} onClick={() => source.toggle(key)}>{isOpen ? <ChevronDownIcon width={12} /> : <ChevronRightIcon width={12} />}</ActionIcon> : <Box w={16} style={{ flexShrink: 0 }} />}
            <Text size="xs" truncate flex={1} fw={wired.has(key) ? 600 : 400} title={key}>{name}</Text><Text size="xs" c="dimmed" style={{ flexShrink: 0 }}>{type}</Text>
            <Handle type="source" position={Position.Right} id={key} style={HANDLE} title={`Drag ${key}`}><Dot lit={wired.has(key)} /></Handle>
          </Box>
        );
      })}
    </Paper>
  );
}

function TargetBox({ data: { fields, selected, height } }: NodeProps<TargetNode>) {
  return (
    <Paper withBorder w={SIDE_WIDTH} h={height} p={0} shadow="xs" pos="relative">
      <Group px="xs" h={HEAD}><Text size="xs" fw={600} c="dimmed">Target</Text></Group>
      {fields.map(({ state, ...row }) => <TargetRow key={state.target.field} {...row} state={state} isSelected={selected === state.target.field} />)}
    </Paper>
  );
}

const TargetRow = memo(function TargetRow({ state, values, top, height, isSelected }: Omit<TargetNode["data"]["fields"][number], "state"> & { readonly state: FieldState; readonly isSelected: boolean }) {
  const { act, clear, sources, readOnly, dropOn, select } = useAround();
  const { target: { field, required, type }, value, problems, changed, text } = state;
  const step = useStep(state, state.graph?.result, values);
  const errors = problems.filter(({ severity }) => severity === "error");
  return (
    <Box pos="absolute" left={0} right={0} top={top} h={height} pl={14} pr={6} data-target={field} onClick={() => select(field)} style={{ display: "flex", flexDirection: "column", justifyContent: "center", borderTop: line, ...(isSelected ? { boxShadow: "inset 3px 0 0 var(--mantine-primary-color-filled)" } : {}), ...(changed ? { background: "var(--mantine-primary-color-light)" } : {}) }}>
      <Handle type="target" position={Position.Left} id={field} style={HANDLE} title={`Drop on ${field}`} isConnectable={!readOnly}><Dot lit={text !== null} /></Handle>
      <Group gap={4} wrap="nowrap">
        <Menu position="bottom-end" width={280} {...POPUP} disabled={readOnly}>
          <Menu.Target {...POPUP_TARGET}><UnstyledButton className="nodrag" flex={1} miw={0} aria-label={`${field}${required ? ", required" : ""}: choose what makes it`}><Text size="xs" fw={550} truncate title={field}>{field}{required ? " *" : ""}</Text></UnstyledButton></Menu.Target>
          <Menu.Dropdown className="nowheel" mah="70vh" style={{ overflowY: "auto" }} aria-label={`What makes ${field}`}>
            <PlacePicker label={field} offered={state.target.enum} sources={sources} frames={[]} connect={(written) => (text === null ? act(field, { do: "connect", text: written }) : dropOn(field, written))} type={(typed) => act(field, { do: "connect", text: JSON.stringify(typed) })} />
            {text !== null && <><Menu.Divider /><Items label="Its expression"><Menu.Item color="red" onClick={() => clear(field)}>Remove its expression</Menu.Item></Items></>}
          </Menu.Dropdown>
        </Menu>
        {problems.length > 0 && <Tooltip label={problems.map(({ message }) => message).join("\n")} multiline maw={380}><Badge size="xs" variant="light" color={errors.length > 0 ? "red" : "yellow"}>{problems.length}</Badge></Tooltip>}
        <Text size="xs" c="dimmed" style={{ flexShrink: 0 }}>{type === "unknown" ? "own" : type}</Text>
        {step && !readOnly ? <NodeMenu {...step} label={field} /> : <Box w={22} />}
      </Group>
      <Value of={value} width={SIDE_WIDTH - 30} />
    </Box>
  );
});

const ACCENTS: Readonly<Record<string, string>> = { source: "gray", item: "gray", variable: "gray", record: "gray", constant: "teal", regex: "teal", function: "violet", concat: "blue", math: "orange", negate: "orange", condition: "grape", if: "pink", default: "cyan", lookup: "indigo", object: "blue", list: "blue", for_each: "lime", filter: "lime", sort: "lime", group: "lime", reduce: "lime", binding: "yellow", opaque: "red" };

/** What a menu of a step needs to know, for the step itself and for a wire that has no step of its own. */
function useStep(state: FieldState, id: string | undefined, values: Values | undefined): NodeMenuProps | undefined {
  const { sources, samples, act, clear } = useAround();
  const node = state.graph?.nodes.find((each) => each.id === id);
  if (state.graph === undefined || node === undefined || state.text === null) return undefined;
  const { field } = state.target;
  const value = values?.get(node.id);
  const seen = () => (node.path && node.root === "record" ? samples.map((sample) => plainPathOf(node).split(".").reduce<unknown>((at, step) => (at as Record<string, unknown> | null | undefined)?.[step], sample)) : value !== undefined && "value" in value ? [value.value] : []);
  return { node, text: state.text.slice(node.at.start, node.at.end), value, target: state.target, sources, frames: framesAround(state.graph, node.id), seen, act: (gesture) => act(field, gesture), clear: () => clear(field) };
}

function StepBox({ data: { state, node, values } }: NodeProps<StepNode>) {
  const { readOnly } = useAround();
  const { field } = state.target;
  const step = useStep(state, node.id, values);
  if (step === undefined) return null;
  const { value } = step;
  return (
    <Paper withBorder w={STEP_WIDTH} shadow="xs" style={{ borderLeft: `3px solid var(--mantine-color-${ACCENTS[node.kind] ?? "gray"}-6)` }} data-node={node.kind} data-of={field}>
      <Group justify="space-between" wrap="nowrap" pl={8} pr={4} h={HEAD} gap={4}>
        <Tooltip label={node.detail ?? node.title} disabled={node.detail === undefined && node.title.length < 20} multiline maw={320}><Text size="xs" fw={600} truncate>{node.title}</Text></Tooltip>
        {!readOnly && <NodeMenu {...step} />}
      </Group>
      {node.kind === "opaque" && <Text size="xs" ff="monospace" c="dimmed" px={8} h={34} lineClamp={2} title={node.detail}>{node.detail}</Text>}
      {node.ports.map((port) => <PortRow key={port.id} node={node} port={port} state={state} values={values} />)}
      <Box px={8} h={26}>{node.kind === "constant" ? <Inline field={field} node={node} /> : value && <Value of={value} width={STEP_WIDTH - 20} />}</Box>
      <Handle type="source" position={Position.Right} id="out" style={HANDLE} isConnectable={false}><Dot /></Handle>
    </Paper>
  );
}

/** A place of a step: a wire ends here, a constant stands in it, or it is chosen by name. */
function PortRow({ node, port, state, values }: { readonly node: GraphNode; readonly port: Port; readonly state: FieldState; readonly values: Values | undefined }) {
  const { act, sources, readOnly } = useAround();
  const { field } = state.target;
  // What a frame runs over is read outside of it; what is done to each item, inside.
  const frames = framesAround(state.graph!, port.from ?? node.id);
  const label = port.label;
  const fed = state.graph!.nodes.find(({ id }) => id === port.from);
  const step = useStep(state, fed !== undefined && isWireOnly(fed) ? fed.id : undefined, values);
  const isRow = node.kind === "object" || (node.kind === "lookup" && port.id.startsWith("row"));
  return (
    <Box pos="relative" pl={12} pr={8} h={ROW} style={{ display: "flex", alignItems: "center", gap: 6 }} data-port={port.id}>
      <Handle type="target" position={Position.Left} id={port.id} style={HANDLE} title={`Drop on ${label} of ${node.title}`} isConnectable={!readOnly}><Dot lit={port.at !== undefined} /></Handle>
      <Menu position="bottom-start" width={280} {...POPUP} disabled={readOnly}>
        <Menu.Target {...POPUP_TARGET}><UnstyledButton className="nodrag" style={{ flexShrink: port.inline === undefined ? 1 : 0, minWidth: 0, maxWidth: port.inline === undefined ? "100%" : 96 }} aria-label={`${label} of ${node.title}: choose`}><Text size="xs" c="dimmed" truncate title={label}>{label}</Text></UnstyledButton></Menu.Target>
        <Menu.Dropdown className="nowheel" mah="70vh" style={{ overflowY: "auto" }} aria-label={`${label} of ${node.title}`}>
          <PlacePicker label={label} offered={state.target.enum} sources={sources} frames={frames} connect={(text) => act(field, { do: "connect", node: node.id, port: port.id, text })} type={(value) => act(field, { do: "type_value", node: node.id, port: port.id, value })} />
          {step && <><Menu.Divider /><Menu.Label>{step.node.title}</Menu.Label><NodeActions {...step} /></>}
          {isRow && <><Menu.Divider /><Rename name={label} rename={(key) => act(field, { do: "rename_row", node: node.id, port: port.id, key })} /><Items label="This row"><Menu.Item color="red" onClick={() => act(field, { do: "remove_row", node: node.id, port: port.id })}>Remove this row</Menu.Item></Items></>}
        </Menu.Dropdown>
      </Menu>
      {port.inline !== undefined && <Inline field={field} node={node} port={port} />}
    </Box>
  );
}

function Rename({ name, rename }: { readonly name: string; readonly rename: (name: string) => void }) {
  const [text, setText] = useState(name);
  return <Box p={4}><TextInput size="xs" label="Name of the row" value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === "Enter" && text !== "" && text !== name) rename(text); if (!["Escape", "ArrowDown", "Tab"].includes(event.key)) event.stopPropagation(); }} /></Box>;
}

/** A constant is typed over where it stands. */
function Inline({ field, node, port }: { readonly field: string; readonly node: GraphNode; readonly port?: Port }) {
  const { act, readOnly } = useAround();
  const at = port?.at ?? node.at;
  const is = at.kind === "string" || at.kind === "number" || at.kind === "constant" ? at.value : port?.inline ?? null;
  const [text, setText] = useState(String(is));
  const [known, setKnown] = useState(is);
  if (known !== is) { setKnown(is); setText(String(is)); }
  const tell = (value: string | number | boolean | null) => act(field, { do: "type_value", node: node.id, ...(port === undefined ? {} : { port: port.id }), value });
  const shared = { className: "nodrag", size: "xs", "aria-label": `${port?.label ?? "Value"} of ${node.title}`, value: text, readOnly, flex: 1, miw: 0, styles: { input: { height: 22, minHeight: 22, paddingInline: 6 } } } as const;
  const enter = (event: React.KeyboardEvent<HTMLInputElement>) => { if (event.key === "Enter") event.currentTarget.blur(); };
  if (typeof is === "number") return <NumberInput {...shared} hideControls onChange={(next) => setText(String(next))} onBlur={() => { if (text !== "" && Number(text) !== is) tell(Number(text)); }} onKeyDown={enter} />;
  if (typeof is === "string") return <TextInput {...shared} placeholder="empty text" onChange={(event) => setText(event.currentTarget.value)} onBlur={() => { if (text !== is) tell(text); }} onKeyDown={enter} />;
  return (
    <Menu withinPortal disabled={readOnly}><Menu.Target><Badge component="button" variant="default" radius="sm" tt="none" className="nodrag" aria-label={shared["aria-label"]}>{String(is)} ▾</Badge></Menu.Target>
      <Menu.Dropdown>{[true, false, null].map((each) => <Menu.Item key={String(each)} onClick={() => tell(each)}>{String(each)}</Menu.Item>)}</Menu.Dropdown></Menu>
  );
}

/** Which item is looked at is chosen here; what is done is done to all of them. */
function FrameBox({ data: { field, node, list, at: picked } }: NodeProps<FrameNode>) {
  const { choose } = useAround();
  const count = list !== undefined && "value" in list ? (Array.isArray(list.value) ? list.value.length : 1) : 0;
  const key = `${field}|${node.id}`;
  const at = Math.min(picked, Math.max(0, count - 1));
  return (
    <Box w="100%" h="100%" style={{ border: "1.5px dashed var(--mantine-color-lime-6)", borderRadius: 8, background: "color-mix(in srgb, var(--mantine-color-lime-6) 5%, transparent)" }}>
      <Group gap={4} px={8} h={24} wrap="nowrap"><Text size="xs" c="dimmed" truncate>{count === 0 ? "No items in this sample" : `Item ${at + 1} of ${count}`}</Text>
        {count > 1 && <Group gap={0} wrap="nowrap" style={{ pointerEvents: "all" }}><ActionIcon className="nodrag nopan" size="xs" variant="subtle" color="gray" aria-label="The item before" disabled={at === 0} onClick={() => choose(key, at - 1)}><ChevronLeftIcon /></ActionIcon><ActionIcon className="nodrag nopan" size="xs" variant="subtle" color="gray" aria-label="The next item" disabled={at >= count - 1} onClick={() => choose(key, at + 1)}><ChevronRightIcon /></ActionIcon></Group>}
      </Group>
    </Box>
  );
}

/** Once, at module level: a new object per render remounts every node. */
export const nodeTypes = { source: SourceBox, target: TargetBox, step: StepBox, frame: FrameBox };
