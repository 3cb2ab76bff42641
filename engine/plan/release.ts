/** Freezes a preset: its head and the mappings its flows use become one file that later changes do not reach. */
import { stringify } from "yaml";
import { suggest } from "../errors/nearest.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json, JsonObject, Workspace } from "../manifest/types.ts";
import { prune } from "./merge.ts";
import { liveMapping, newestRelease, presetHead } from "./preset-layer.ts";
import { templatePath } from "./compile-flow.ts";
import { CONFIGURATION, MAPPING } from "./shape.ts";
import { at, isJsonMap, locationOf, members, plain, sameJson, text, withMembers, type Sourced } from "./sourced.ts";

const HEADER = `# yaml-language-server: $schema=../../../schemas/release.schema.json
# Frozen by \`plugboard preset release\`; never edited by hand. Tenants pin it by its number.
`;

export interface Release {
  readonly preset: string;
  readonly number: number;
  /** Path in the workspace. */
  readonly file: string;
  readonly text: string;
}

/**
 * The next release of a preset, as a file to be written into the deployment's workspace. Shorthands are written out; the
 * same tree always gives the same text.
 * @throws PlugboardError PLAN_RELEASE_EXISTS when the newest release says the same; MANIFEST_UNKNOWN_REFERENCE.
 */
export function cutRelease(workspace: Workspace, presetId: string): Release {
  const head = presetHead(workspace, presetId);
  const preset = head && prune(head, CONFIGURATION);
  if (!preset) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Preset", name: presetId, suggestion: suggest(presetId, workspace.presets.keys()) });
  const newest = newestRelease(workspace, presetId) ?? 0;
  const frozen = { preset: plain(preset), mappings: closure(workspace, preset) };
  const last = workspace.releases.get(presetId)?.get(newest)?.value;
  if (last && sameJson(frozen.preset, last["preset"]) && sameJson(frozen.mappings, last["mappings"])) throw new PlugboardError("PLAN_RELEASE_EXISTS", { release: newest, preset: presetId });
  const number = newest + 1;
  return { preset: presetId, number, file: `presets/${presetId}/releases/${number}.yaml`, text: HEADER + stringify({ release: number, ...frozen }, { lineWidth: 0 }) };
}

/** The mappings that the preset's flows use, by id in order, without their tests. */
function closure(workspace: Workspace, preset: Sourced): JsonObject {
  const mappings: Record<string, Json> = {};
  const used = members(at(preset, "flows")).flatMap(([, flow]) => at(flow, "map", "use") ?? []);
  for (const use of used) {
    const id = text(use) ?? "";
    const mapping = liveMapping(workspace, id);
    if (mapping?.kind !== "map") throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Mapping", name: id, suggestion: suggest(id, workspace.mappings.keys()) }, { at: locationOf(use.source) });
    mappings[id] = withTemplates(plain(prune(withMembers(mapping, { tests: undefined }), MAPPING)!) as JsonObject, id, workspace);
  }
  return Object.fromEntries(Object.entries(mappings).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A template's text is frozen with the mapping that names it. */
function withTemplates(mapping: JsonObject, id: string, { attachments }: Workspace): JsonObject {
  const fields = isJsonMap(mapping["fields"]) ? mapping["fields"] : {};
  const frozen = Object.entries(fields).map(([name, field]) => {
    const text = isJsonMap(field) && typeof field["template"] === "string" ? attachments.get(templatePath(id, field["template"])) : undefined;
    return [name, text === undefined ? field : { ...(field as JsonObject), frozen: text }] as const;
  });
  return frozen.length === 0 ? mapping : { ...mapping, fields: Object.fromEntries(frozen) };
}
