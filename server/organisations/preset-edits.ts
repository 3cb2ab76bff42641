/** Edits of a preset's head: the workspace's own file, where the catalogue's stays as it is and only what differs is written. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { suggest } from "../../engine/errors/nearest.ts";
import { overrideEdits, type OverrideChange } from "../../engine/plan/index.ts";
import type { Manifest, Workspace } from "../../engine/manifest/index.ts";
import type { FileEdit } from "../review/index.ts";

export const presetFile = (preset: string): string => `presets/${preset}/preset.yaml`;

/**
 * A preset over the catalogue's is to it what a tenant is to its preset, so the same rule finds what differs.
 * @throws PlugboardError SERVER_NOT_FOUND, PLAN_UNKNOWN_PATH
 */
export function presetEdits(workspace: Workspace, preset: string, changes: readonly OverrideChange[]): FileEdit[] {
  const layers = workspace.presets.get(preset);
  if (!layers) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Preset", name: preset, suggestion: suggest(preset, workspace.presets.keys()) });
  const own = layers.find(({ layer }) => layer === "workspace");
  const builtIn = layers.filter(({ layer }) => layer === "catalogue");
  const { preset: _, title: __, description: ___, recommended: ____, inputs: _____, ...said } = own?.value ?? {};
  const standIn: Manifest = {
    ...(own ?? layers[0]!), kind: "tenant", id: STAND_IN, value: { tenant: STAND_IN, ...(builtIn.length > 0 ? { preset } : {}), ...said } as Manifest["value"],
  };
  const set = overrideEdits({ ...workspace, tenants: new Map([[STAND_IN, standIn]]), presets: new Map([...workspace.presets, [preset, builtIn]]), releases: new Map() }, STAND_IN, changes);
  if (set.length === 0) return [];
  return [{ file: presetFile(preset), set: [...(own ? [] : [{ pointer: "/preset", value: preset }, { pointer: "/title", value: titleOf(layers) }]), ...set] }];
}

const STAND_IN = "preset-head";
const titleOf = (layers: readonly Manifest[]): string => String(layers.find(({ value }) => value["title"] !== undefined)?.value["title"] ?? "");
