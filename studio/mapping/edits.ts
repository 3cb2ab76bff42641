/** The fields of a mapping while they are edited: every state can be come back to, and what differs from the saved text is the change. */
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

export interface Editing {
  readonly base: Fields;
  readonly now: Fields;
  readonly past: readonly Fields[];
  readonly future: readonly Fields[];
}

export type EditAction =
  | { readonly type: "load"; readonly fields: readonly FieldText[] }
  | { readonly type: "set"; readonly field: string; readonly expression: string }
  | { readonly type: "remove"; readonly field: string }
  /** Back to what is saved. */
  | { readonly type: "reset"; readonly field: string }
  | { readonly type: "undo" } | { readonly type: "redo" } | { readonly type: "discard" };

export const EMPTY: Editing = { base: {}, now: {}, past: [], future: [] };
const MOST_STEPS = 200;

export function editing(state: Editing, action: EditAction): Editing {
  const to = (now: Fields): Editing => (now === state.now ? state : { ...state, now, past: [...state.past.slice(-MOST_STEPS), state.now], future: [] });
  switch (action.type) {
    case "load": { const base = Object.fromEntries(action.fields.map((each) => [each.field, each])); return { base, now: base, past: [], future: [] }; }
    case "set": {
      const before = state.now[action.field];
      if (before?.expression === action.expression && before.constant === undefined) return state;
      return to({ ...state.now, [action.field]: { field: action.field, expression: action.expression, ref: before?.ref ?? null, layer: "draft", file: before?.file ?? "", line: before?.line ?? 1 } });
    }
    case "remove": { if (!(action.field in state.now)) return state; const { [action.field]: _gone, ...rest } = state.now; return to(rest); }
    case "reset": { const saved = state.base[action.field]; if (saved === state.now[action.field]) return state; if (saved) return to({ ...state.now, [action.field]: saved }); const { [action.field]: _new, ...rest } = state.now; return to(rest); }
    case "undo": { const last = state.past.at(-1); return last === undefined ? state : { ...state, now: last, past: state.past.slice(0, -1), future: [state.now, ...state.future] }; }
    case "redo": { const next = state.future[0]; return next === undefined ? state : { ...state, now: next, past: [...state.past, state.now], future: state.future.slice(1) }; }
    case "discard": return to(state.base);
  }
}

/** Fields that differ from what is saved. */
export const changedFields = ({ base, now }: Editing): string[] => [...new Set([...Object.keys(base), ...Object.keys(now)])].filter((field) => textOf(base[field]) !== textOf(now[field]));

const textOf = (field: FieldText | undefined): string | undefined => field && JSON.stringify([field.expression, field.constant, field.ref]);

export interface EditTarget { readonly file: string; /** Pointer of the map of fields. */ readonly pointer: string; /** Set first, in a file that is not there yet. */ readonly first?: readonly { readonly pointer: string; readonly value: Json }[] }

/** As a change wants it: a few values of one file. Undefined when nothing differs. */
export function asFileEdits(state: Editing, { file, pointer, first = [] }: EditTarget): { readonly file: string; readonly set: readonly { readonly pointer: string; readonly value?: Json }[] }[] {
  const changed = changedFields(state);
  if (changed.length === 0) return [];
  const escape = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");
  const set = changed.map((field) => {
    const now = state.now[field];
    const at = `${pointer}/${escape(field)}`;
    if (now === undefined) return { pointer: at };
    return now.ref === null ? { pointer: at, value: now.expression ?? now.constant ?? null } : { pointer: at, value: { ref: now.ref, key: now.expression ?? "" } };
  });
  return [{ file, set: [...first, ...set] }];
}
