/**
 * The effective tree of one tenant: every layer merged, every `use` laid out, in the words of the manifests and with the
 * origin of each value. The plan is compiled from it, and `explain` reads it.
 */
import { suggest } from "../errors/nearest.ts";
import { PlugboardError, type Problem } from "../errors/plugboard-error.ts";
import type { Workspace } from "../manifest/types.ts";
import { effectiveConnectors } from "./connectors.ts";
import { effectiveInputs } from "./inputs.ts";
import { layered, merge, normalise, prune } from "./merge.ts";
import { lintRepeats, lintSuperseded } from "./lint-overrides.ts";
import { liveMapping, newerRelease, presetLayer, type PresetLayer } from "./preset-layer.ts";
import { unknownReference, type Report } from "./problems.ts";
import { expandFlows, expandMapping } from "./reuse.ts";
import { CONFIGURATION, EFFECTIVE, ENTITY_SCHEMA } from "./shape.ts";
import { asMap, at, map, members, sourced, text, withMembers, type Source, type Sourced, type SourcedMap } from "./sourced.ts";
import { guardTenant } from "./tenant-guard.ts";

export interface Effective {
  /** tenant title subdomain preset inputs labels connections connectors entities flows reports policy limits */
  readonly tree: SourcedMap;
  /** The same with what was removed still in it, as `null`. */
  readonly untrimmed: SourcedMap;
  /** Connection → key of its connector in the tree and the plan. */
  readonly connectorOf: ReadonlyMap<string, string>;
  /** False when the preset is not there: whatever else is missing follows from that, and is not told. */
  readonly isComplete: boolean;
  readonly preset?: { readonly id: string; readonly release: number | "head" };
  readonly problems: readonly Problem[];
}

/** @throws PlugboardError PLAN_UNKNOWN_TENANT; everything else is a problem of the result. */
export function effectiveTree(workspace: Workspace, tenantId: string): Effective {
  const manifest = workspace.tenants.get(tenantId);
  if (!manifest) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant: tenantId, suggestion: suggest(tenantId, workspace.tenants.keys()) });
  const problems: Problem[] = [];
  const tell: Report = (problem) => void (isTold(workspace, problem) || problems.push(problem));

  const file = sourced(manifest, "tenant");
  const source = file.source;
  const written: SourcedMap = file.kind === "map" ? file : map(source, []);
  const pin = at(written, "preset");
  const preset = pin && presetLayer(workspace, pin, tell);
  const isComplete = !pin || preset !== undefined;
  const report: Report = isComplete ? tell : () => {};
  const { inputs, ...own } = Object.fromEntries(written.entries);
  const tenant = guardTenant(normalise(map(source, Object.entries(own)), CONFIGURATION) as SourcedMap, preset?.configuration, report);

  const merged = merge(preset?.configuration, tenant, CONFIGURATION) as SourcedMap;
  const flows = effectiveFlows(workspace, preset, asMap(at(merged, "flows"), source), report);
  const connections = asMap(at(merged, "connections"), source);
  const connectors = effectiveConnectors(workspace, connections, source, report);
  const { tenant: id, title, subdomain, ...rest } = Object.fromEntries(merged.entries);
  const whole = withMembers(map(source, []), {
    tenant: id, title, subdomain, ...rest,
    inputs: effectiveInputs(preset?.inputs, inputs, source, report),
    connections,
    flows,
    entities: effectiveEntities(workspace, asMap(at(merged, "entities"), source), flows, source, report),
    connectors: connectors.tree,
  });
  const tree = prune(whole, EFFECTIVE) as SourcedMap;
  lintRepeats(tree, report);
  const newer = preset && newerRelease(workspace, preset);
  if (newer) lintSuperseded(tenant, withMappings(workspace, preset), withMappings(workspace, newer), newer.release, report);
  return { tree, untrimmed: whole, isComplete, connectorOf: connectors.keys, problems, ...(preset ? { preset: { id: preset.id, release: preset.release } } : {}) };
}

/** A manifest that is no YAML is told once, where it stands, not at every mention of it. */
export function isTold(workspace: Workspace, { code, params }: Problem): boolean {
  return code === "MANIFEST_UNKNOWN_REFERENCE" && workspace.unreadable.has(`${String(params["kind"]).toLowerCase()} ${params["name"]}`);
}

function effectiveFlows(workspace: Workspace, preset: PresetLayer | undefined, flows: SourcedMap, report: Report): SourcedMap {
  const mapping = preset?.mapping ?? ((id: string) => liveMapping(workspace, id));
  const expanded = expandFlows(flows, report);
  return { ...expanded, entries: new Map([...expanded.entries].map(([name, flow]) => [name, expandMapping(flow, mapping, workspace.mappings.keys(), report)])) };
}

/** The preset alone, with its mappings laid out: what a tenant's overrides are compared with. */
export function withMappings(workspace: Workspace, preset: PresetLayer): Sourced | undefined {
  const flows = at(preset.configuration, "flows");
  if (preset.configuration?.kind !== "map" || flows?.kind !== "map") return preset.configuration;
  return withMembers(preset.configuration, { flows: effectiveFlows(workspace, preset, flows, () => {}) });
}

function effectiveEntities(workspace: Workspace, overlays: SourcedMap, flows: SourcedMap, source: Source, report: Report): SourcedMap {
  const targets = members(flows).flatMap(([, flow]) => at(flow, "to", "entity") ?? at(flow, "from", "change") ?? []);
  const entities = new Map<string, Sourced>();
  const named = [...targets.map((target) => [text(target) ?? "", target] as const), ...members(overlays)];
  for (const [id, mention] of named) {
    if (entities.has(id)) continue;
    const manifests = workspace.entities.get(id);
    if (!manifests) {
      report(unknownReference(mention.source, "Entity", id, workspace.entities.keys()));
      continue;
    }
    const overlay = asMap(at(overlays, id), source);
    const schema = layered(manifests.map((manifest) => sourced(manifest, manifest.layer)), ENTITY_SCHEMA) as SourcedMap;
    const rules = at(overlay, "rules");
    const whole = rules ? merge(schema, map(overlay.source, [["rules", rules]]), ENTITY_SCHEMA) : schema;
    entities.set(id, withMembers(overlay, { rules: undefined, schema: whole }));
  }
  return map(source, entities);
}
