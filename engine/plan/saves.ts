/** Which actions of a connector bring a record of a stream about: what `to: { save: … }` resolves to. */
import { EFFECTS } from "./compile-action.ts";
import type { ActionPlan, ConnectorPlan } from "./types.ts";

/** Names of actions. `upserts` stands for both where there is no action of its own. */
export type SaveActions = Readonly<Partial<Record<(typeof EFFECTS)[number], string>>>;

/** The first of each kind: two of one kind are told when the plan is made. */
export function savesOf(connector: ConnectorPlan, stream: string): SaveActions {
  const found: Partial<Record<(typeof EFFECTS)[number], string>> = {};
  for (const [name, { effect }] of Object.entries(connector.actions ?? {})) if (effect?.stream === stream) found[effect.does] ??= name;
  return found;
}

/**
 * The action that saves a row: `linked`, whether the row has a key at that connection; `ended`, whether the row is gone.
 * `undefined`: the connector cannot, and nothing is sent.
 */
export function saveAction(saves: SaveActions, { linked, ended = false }: { readonly linked: boolean; readonly ended?: boolean }): string | undefined {
  if (ended) return linked ? saves.deletes : undefined;
  return (linked ? saves.updates : saves.creates) ?? saves.upserts;
}

/** Streams of which some action says that it makes, changes or deletes their records. */
export const savedStreams = (connector: ConnectorPlan): string[] => [...new Set(Object.values(connector.actions ?? {}).flatMap(({ effect }) => (effect ? [effect.stream] : [])))];

/** Two actions with the same effect on a stream: which of them `save` means cannot be told. */
export function ambiguousSaves(connector: ConnectorPlan, stream: string): readonly string[] | undefined {
  for (const does of EFFECTS) {
    const names = Object.entries(connector.actions ?? {} as Readonly<Record<string, ActionPlan>>).filter(([, { effect }]) => effect?.stream === stream && effect.does === does).map(([name]) => name);
    if (names.length > 1) return names;
  }
  return undefined;
}
