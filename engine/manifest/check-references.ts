/** Names that stand for something elsewhere: streams, fragments, mappings, entities, presets, connectors, connections. */
import type { Problem } from "../errors/plugboard-error.ts";
import { merged } from "./merged.ts";
import { checkConfigFields } from "./references/config-fields.ts";
import { checkConfiguration, checkTenant } from "./references/configuration.ts";
import { checkConnector } from "./references/connector.ts";
import { checkActionsAndFeeds } from "./references/feeds.ts";
import { checkMapping } from "./references/mapping.ts";
import { mapOf, type Report } from "./references/names.ts";
import { checkSettings } from "./references/settings.ts";
import { checkTests } from "./references/tests.ts";
import type { Workspace } from "./types.ts";

export function checkReferences(workspace: Workspace): Problem[] {
  const problems: Problem[] = [];
  const add = (problem: Problem): void => void problems.push(problem);
  const report: Report = (manifest, pointer, code, params, part = "value", severity = "error") => void problems.push({ code, severity, params, at: manifest.locate(pointer, part), pointer });
  for (const layers of workspace.connectors.values()) checkConnector(layers, report);
  for (const layers of workspace.connectors.values()) checkActionsAndFeeds(layers, report);
  for (const [room, all] of [["config", workspace.connectors], ["inputs", workspace.presets]] as const) for (const layers of all.values()) for (const manifest of layers) checkConfigFields(manifest, room, mapOf(merged(layers)[room]), report, add);
  for (const layers of workspace.mappings.values()) for (const manifest of layers) checkMapping(manifest, workspace, report);
  for (const layers of workspace.presets.values()) for (const manifest of layers) checkConfiguration(manifest, manifest.value, "", merged(layers), workspace, report);
  for (const manifest of workspace.tenants.values()) checkTenant(manifest, workspace, report);
  for (const [id, layers] of workspace.tests) for (const manifest of layers) checkTests(id, manifest, workspace, report);
  if (workspace.settings) checkSettings(workspace.settings, report);
  return problems;
}
