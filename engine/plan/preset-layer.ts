/** The preset a tenant stands on: a frozen release, or the preset's head while it has none. */
import { suggest } from "../errors/nearest.ts";
import type { Manifest, Workspace } from "../manifest/types.ts";
import { layered, normalise } from "./merge.ts";
import { problemAt, unknownReference, type Report } from "./problems.ts";
import { CONFIGURATION, MAPPING } from "./shape.ts";
import { at, sourced, withMembers, type Sourced } from "./sourced.ts";

export interface PresetLayer {
  readonly id: string;
  readonly release: number | "head";
  /** Normalised, without what only describes the preset. */
  readonly configuration: Sourced | undefined;
  /** Declared inputs, as written. */
  readonly inputs: Sourced | undefined;
  /** A mapping as this preset sees it: frozen with the release, or the tree's own. */
  mapping(id: string): Sourced | undefined;
}

/** Keys of a preset that are not laid under a tenant. */
const OWN_KEYS = ["preset", "title", "description", "recommended", "inputs"];

export function presetLayer(workspace: Workspace, pin: Sourced, report: Report): PresetLayer | undefined {
  const written = String(pin.kind === "scalar" ? pin.value : "");
  const [id = "", version] = written.split("@");
  const releases = workspace.releases.get(id) ?? new Map<number, Manifest>();
  if (!workspace.presets.has(id) && releases.size === 0) {
    report(unknownReference(pin.source, "Preset", id, new Set([...workspace.presets.keys(), ...workspace.releases.keys()])));
    return undefined;
  }
  if (version === undefined && releases.size === 0) return head(workspace, id);
  const number = version === undefined ? newestRelease(workspace, id)! : Number(version);
  const release = releases.get(number);
  if (!release) {
    const suggestion = releases.size === 0 ? `'${id}' has no release yet: write preset: ${id} to follow its head` : suggest(written, [...releases.keys()].map((each) => `${id}@${each}`));
    report(problemAt(pin.source, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Release", name: written, suggestion }));
    return undefined;
  }
  return frozen(workspace, id, number, release);
}

export function newestRelease(workspace: Workspace, preset: string): number | undefined {
  const numbers = [...(workspace.releases.get(preset)?.keys() ?? [])];
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

/** The newest release of a preset, when that is not the one it is. */
export function newerRelease(workspace: Workspace, { id, release }: PresetLayer): PresetLayer | undefined {
  const newest = newestRelease(workspace, id);
  return newest === undefined || release === "head" || newest <= release ? undefined : frozen(workspace, id, newest, workspace.releases.get(id)!.get(newest)!);
}

/** The preset's head, catalogue and workspace merged. */
export function presetHead(workspace: Workspace, id: string): Sourced | undefined {
  return layered((workspace.presets.get(id) ?? []).map((manifest) => sourced(manifest, "preset")), CONFIGURATION);
}

/** A mapping as the tree has it now, catalogue and workspace merged. */
export function liveMapping(workspace: Workspace, id: string): Sourced | undefined {
  return layered((workspace.mappings.get(id) ?? []).map((manifest) => sourced(manifest, manifest.layer)), MAPPING);
}

function head(workspace: Workspace, id: string): PresetLayer {
  const node = presetHead(workspace, id);
  return { id, release: "head", configuration: configurationOf(node), inputs: at(node, "inputs"), mapping: (mapping) => liveMapping(workspace, mapping) };
}

function frozen(workspace: Workspace, id: string, number: number, manifest: Manifest): PresetLayer {
  const node = sourced(manifest, "preset");
  const preset = at(node, "preset");
  const mapping = (name: string) => {
    const kept = at(node, "mappings", name);
    return kept ? normalise(kept, MAPPING) : liveMapping(workspace, name);    // a tenant's own flow may use a mapping outside the release
  };
  return { id, release: number, configuration: preset && configurationOf(normalise(preset, CONFIGURATION)), inputs: at(preset, "inputs"), mapping };
}

function configurationOf(node: Sourced | undefined): Sourced | undefined {
  return node?.kind === "map" ? withMembers(node, Object.fromEntries(OWN_KEYS.map((key) => [key, undefined]))) : undefined;
}

