/**
 * What a mapping says while it is edited: fields, `where` and tests. Every state can be come back to, and what differs from the saved
 * text is the change: a few values of one file, or the file as it was written by hand.
 */
import { editYaml } from "../../engine/manifest/edit-yaml.ts";
import type { Json } from "../../engine/manifest/types.ts";

export interface FieldText {
  readonly field: string;
  /** JSONata; null for a constant. Of a reference: its key. */
  readonly expression: string | null;
  readonly constant?: Json;
  /** The entity it refers to. */
  readonly ref: string | null;
  readonly layer: string;
  readonly file: string;
  readonly line: number;
}

export type Fields = Readonly<Record<string, FieldText>>;

export interface MappingTest { readonly name: string; readonly given: Json; readonly expect?: Json; readonly filtered?: true; readonly error?: Json; readonly with?: Json }

export interface Written {
  readonly fields: Fields;
  readonly where: string | null;
  readonly tests: readonly MappingTest[];
}

export interface State extends Written {
  /** The file as somebody wrote it, and what it says; edits since then are made on it. */
  readonly hand?: { readonly text: string; readonly says: Written };
}

export interface Editing {
  readonly base: State;
  readonly now: State;
  readonly past: readonly State[];
  readonly future: readonly State[];
  /** What was typed last: the next letter there is the same step back. */
  readonly typing?: string | undefined;
}

export type EditAction =
  | { readonly type: "load"; readonly fields: readonly FieldText[]; readonly where?: string | null; readonly tests?: readonly MappingTest[] }
  | { readonly type: "set"; readonly field: string; readonly expression: string; /** One of many letters. */ readonly typed?: boolean }
  | { readonly type: "remove"; readonly field: string }
  /** Back to what is saved; or, with `to`, to what an earlier layer says. */
  | { readonly type: "reset"; readonly field: string; readonly to?: FieldText }
  | { readonly type: "where"; readonly text: string | null }
  | { readonly type: "keep_test"; readonly test: MappingTest }
  | { readonly type: "remove_test"; readonly index: number }
  | { readonly type: "by_hand"; readonly text: string; readonly says: Written }
  | { readonly type: "undo" } | { readonly type: "redo" } | { readonly type: "discard" } | { readonly type: "saved" };

const NOTHING: State = { fields: {}, where: null, tests: [] };
export const EMPTY: Editing = { base: NOTHING, now: NOTHING, past: [], future: [] };
const MOST_STEPS = 200;

export function editing(state: Editing, action: EditAction): Editing {
  const to = (now: State, typing?: string): Editing => {
    if (now === state.now) return state;
    const past = typing !== undefined && typing === state.typing ? state.past : [...state.past.slice(-MOST_STEPS), state.now];
    return { ...state, now, past, future: [], typing };
  };
  const withFields = (fields: Fields, typing?: string): Editing => to({ ...state.now, fields }, typing);
  const { fields } = state.now;
  switch (action.type) {
    case "load": { const base = { fields: Object.fromEntries(action.fields.map((each) => [each.field, each])), where: action.where ?? null, tests: action.tests ?? [] }; return { base, now: base, past: [], future: [] }; }
    case "set": {
      const before = fields[action.field];
      if (before?.expression === action.expression && before.constant === undefined) return state;
      return withFields({ ...fields, [action.field]: { field: action.field, expression: action.expression, ref: before?.ref ?? null, layer: "draft", file: before?.file ?? "", line: before?.line ?? 1 } }, action.typed ? `field ${action.field}` : undefined);
    }
    case "remove": return action.field in fields ? withFields(without(fields, action.field)) : state;
    case "reset": {
      const back = action.to ?? state.base.fields[action.field];
      if (back === fields[action.field]) return state;
      return withFields(back === undefined ? without(fields, action.field) : { ...fields, [action.field]: back });
    }
    case "where": return action.text === state.now.where ? state : to({ ...state.now, where: action.text }, "where");
    case "keep_test": return to({ ...state.now, tests: [...state.now.tests, action.test] });
    case "remove_test": return to({ ...state.now, tests: state.now.tests.filter((_, index) => index !== action.index) });
    case "by_hand": return to({ ...action.says, hand: { text: action.text, says: action.says } }, "by hand");
    case "undo": { const last = state.past.at(-1); return last === undefined ? state : { ...state, now: last, past: state.past.slice(0, -1), future: [state.now, ...state.future], typing: undefined }; }
    case "redo": { const next = state.future[0]; return next === undefined ? state : { ...state, now: next, past: [...state.past, state.now], future: state.future.slice(1), typing: undefined }; }
    case "discard": return to(state.base);
    case "saved": return { ...state, base: state.now, past: [], future: [] };
  }
}

const without = (fields: Fields, field: string): Fields => { const { [field]: _gone, ...rest } = fields; return rest; };

/** Fields that differ from what is saved. */
export const changedFields = ({ base, now }: Editing): string[] => differing(base.fields, now.fields);

const differing = (base: Fields, now: Fields): string[] => [...new Set([...Object.keys(base), ...Object.keys(now)])].filter((field) => said(base[field]) !== said(now[field]));
/** A field that was added and not written yet says nothing. */
const isBlank = (field: FieldText | undefined): boolean => field === undefined || (field.constant === undefined && (field.expression ?? "").trim() === "");
const said = (field: FieldText | undefined): string | undefined => (isBlank(field) ? undefined : JSON.stringify([field!.expression, field!.constant, field!.ref]));

/** What a change is about, in words. */
export function changedParts(state: Editing): string[] {
  const { base, now } = state;
  return [...changedFields(state), ...(base.where === now.where ? [] : ["where"]), ...(JSON.stringify(base.tests) === JSON.stringify(now.tests) ? [] : ["tests"]), ...(now.hand && now.hand.text !== base.hand?.text ? ["text"] : [])];
}

export interface EditTarget {
  readonly file: string;
  /** Pointer of the map of fields. */
  readonly pointer: string;
  /** Set first, in a file that is not there yet. */
  readonly first?: readonly { readonly pointer: string; readonly value: Json }[];
  /** What the file says; absent: it is not edited as a text. */
  readonly text?: string;
  /** Fields that an earlier layer has too: taken away here, they are what it says. */
  readonly inherited?: ReadonlySet<string>;
  /** The file has its own list of tests; one in an earlier layer is replaced as a whole. */
  readonly ownTests?: boolean;
}

type PointerEdit = { readonly pointer: string; readonly value?: Json };
export type FileEdit = { readonly file: string; readonly set: readonly PointerEdit[] } | { readonly file: string; readonly text: string };

/** As a change wants it. Undefined when nothing differs. */
export function asFileEdits(state: Editing, target: EditTarget): FileEdit[] {
  const { base, now } = state;
  if (now.hand) return [{ file: target.file, text: textOf(state, target) }];
  const set = between(base, now, target);
  return set.length === 0 ? [] : [{ file: target.file, set: [...target.first ?? [], ...set] }];
}

/** The whole file as it would be. @throws PlugboardError CHANGE_EDIT where the file is laid out so that a value cannot be set in place. */
export function textOf({ base, now }: Editing, target: EditTarget): string {
  if (now.hand) { const since = between(now.hand.says, now, { ...target, ownTests: true }); return since.length === 0 ? now.hand.text : editYaml(now.hand.text, target.file, since); }
  const set = between(base, now, target);
  return set.length === 0 ? target.text ?? "" : editYaml(target.text ?? "", target.file, [...target.first ?? [], ...set]);
}

function between(from: Written, to: Written, { file, pointer, inherited, ownTests = true }: EditTarget): PointerEdit[] {
  const escape = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");
  const set = differing(from.fields, to.fields).map((field): PointerEdit => {
    const now = to.fields[field];
    const at = `${pointer}/${escape(field)}`;
    // An earlier layer's field is taken away with null; our own by taking its line away, unless the earlier one's would come back.
    if (now === undefined || isBlank(now)) return isOf(file, from.fields[field]) && !inherited?.has(field) ? { pointer: at } : { pointer: at, value: null };
    if (now.layer !== "draft" && !isOf(file, now)) return { pointer: at };
    return now.ref === null ? { pointer: at, value: now.expression ?? now.constant ?? null } : { pointer: at, value: { ref: now.ref, key: now.expression ?? "" } };
  });
  const where = pointer.replace(/\/fields$/, "/where");
  if (from.where !== to.where) set.push(to.where === null ? { pointer: where } : { pointer: where, value: to.where });
  if (JSON.stringify(from.tests) !== JSON.stringify(to.tests)) {
    const grown = ownTests && from.tests.length > 0 && from.tests.every((test, index) => JSON.stringify(test) === JSON.stringify(to.tests[index]));
    if (grown) for (const test of to.tests.slice(from.tests.length)) set.push({ pointer: "/tests/-", value: test as unknown as Json });
    else set.push(to.tests.length === 0 ? { pointer: "/tests" } : { pointer: "/tests", value: to.tests as unknown as Json });
  }
  return set;
}

/** Written in the file that is edited; what was written just now would be. */
const isOf = (file: string, field: FieldText | undefined): boolean => field?.file === file || field?.file === "";
