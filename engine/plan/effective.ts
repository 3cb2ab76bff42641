/**
 * The effective tree of one tenant: every layer merged, every `use` laid out, in the words of the manifests and with the
 * origin of each value. The plan is compiled from it, and `explain` reads it.
 */
import { suggest } from "../errors/nearest.ts";
import { PlugboardError, type Problem } from "../errors/plugboard-error.ts";
import type { Workspace } from "../manifest/types.ts";
import { effectiveInputs } from "./inputs.ts";
import { layered, merge, normalise, prune } from "./merge.ts";
import { lintRepeats, lintSuperseded } from "./lint-overrides.ts";
import { liveMapping, newerRelease, presetLayer, type PresetLayer } from "./preset-layer.ts";
import { unknownReference, type Report } from "./problems.ts";
import { expandFlows, expandMapping, expandStream } from "./reuse.ts";
import { CONFIGURATION, CONNECTOR, EFFECTIVE, ENTITY_SCHEMA } from "./shape.ts";
import { at, map, members, sourced, text, withMembers, type Source, type Sourced, type SourcedMap } from "./sourced.ts";
import { guardTenant } from "./tenant-guard.ts";

export interface Effective {
  /** tenant title subdomain preset inputs labels connections connectors entities flows reports policy limits */
  readonly tree: SourcedMap;
  /** The same with what was removed still in it, as `null`. */
  readonly untrimmed: SourcedMap;
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
  const { tenant: id, title, subdomain, ...rest } = Object.fromEntries(merged.entries);
  const whole = withMembers(map(source, []), {
    tenant: id, title, subdomain, ...rest,
    inputs: effectiveInputs(preset?.inputs, inputs, source, report),
    connections,
    flows,
    entities: effectiveEntities(workspace, asMap(at(merged, "entities"), source), flows, source, report),
    connectors: effectiveConnectors(workspace, connections, source, report),
  });
  const tree = prune(whole, EFFECTIVE) as SourcedMap;
  lintRepeats(tree, report);
  const newer = preset && newerRelease(workspace, preset);
  if (newer) lintSuperseded(tenant, withMappings(workspace, preset), withMappings(workspace, newer), newer.release, report);
  return { tree, untrimmed: whole, isComplete, problems, ...(preset ? { preset: { id: preset.id, release: preset.release } } : {}) };
}

/** A manifest that is no YAML is told once, where it stands, not at every mention of it. */
export function isTold(workspace: Workspace, { code, params }: Problem): boolean {
  return code === "MANIFEST_UNKNOWN_REFERENCE" && workspace.unreadable.has(`${String(params["kind"]).toLowerCase()} ${params["name"]}`);
}

/** Key of a connection's connector in the tree and the plan: its own when the connection brings streams, limits or errors. */
export function connectorKey(connectionId: string, connection: Sourced): string {
  const connector = text(at(connection, "connector")) ?? "";
  return OWN_PARTS.some((part) => members(at(connection, part)).length > 0) ? `${connector}/${connectionId}` : connector;
}

/** What a connection may lay over its connector. */
const OWN_PARTS = ["streams", "limits", "errors"];

function effectiveFlows(workspace: Workspace, preset: PresetLayer | undefined, flows: SourcedMap, report: Report): SourcedMap {
  const mapping = preset?.mapping ?? ((id: string) => liveMapping(workspace, id));
  const expanded = expandFlows(flows, report);
  return { ...expanded, entries: new Map([...expanded.entries].map(([name, flow]) => [name, expandMapping(flow, mapping, workspace.mappings.keys(), report)])) };
}

/** The preset alone, with its mappings laid out: what a tenant's overrides are compared with. */
function withMappings(workspace: Workspace, preset: PresetLayer): Sourced | undefined {
  const flows = at(preset.configuration, "flows");
  if (preset.configuration?.kind !== "map" || flows?.kind !== "map") return preset.configuration;
  return withMembers(preset.configuration, { flows: effectiveFlows(workspace, preset, flows, () => {}) });
}

function effectiveConnectors(workspace: Workspace, connections: SourcedMap, source: Source, report: Report): SourcedMap {
  const connectors = new Map<string, Sourced>();
  for (const [id, connection] of members(connections)) {
    const named = at(connection, "connector");
    const name = text(named);
    if (!named || name === undefined) continue;
    if (!workspace.connectors.has(name)) {
      report(unknownReference(named.source, "Connector", name, workspace.connectors.keys()));
      continue;
    }
    const key = connectorKey(id, connection);
    if (connectors.has(key)) continue;
    const { connector, problems } = key === name ? sharedConnector(workspace, name) : expandConnector(workspace, name, key, overConnector(connection));
    connectors.set(key, connector);
    problems.forEach(report);
  }
  return map(source, connectors);
}

interface Expanded { readonly connector: SourcedMap; readonly problems: readonly Problem[] }

/** A connector to which no connection adds anything is the same for every tenant of a workspace. */
function sharedConnector(workspace: Workspace, name: string): Expanded {
  const known = sharedConnectors.get(workspace) ?? new Map<string, Expanded>();
  sharedConnectors.set(workspace, known);
  const expanded = known.get(name) ?? expandConnector(workspace, name, name);
  known.set(name, expanded);
  return expanded;
}
const sharedConnectors = new WeakMap<Workspace, Map<string, Expanded>>();

/** Catalogue, workspace and what a connection lays over them, with every fragment laid out. */
function expandConnector(workspace: Workspace, name: string, key: string, own?: SourcedMap): Expanded {
  const problems: Problem[] = [];
  const layers = workspace.connectors.get(name)!.map((manifest) => sourced(manifest, manifest.layer));
  const connector = merge(layered(layers, CONNECTOR), own, CONNECTOR) as SourcedMap;
  const streams = asMap(at(connector, "streams"), connector.source);
  const fragments = layers.map((layer) => at(layer, "fragments"));
  const expanded = members(streams).map(([stream, node]) => [stream, expandStream(node, fragments, `connectors.${key}`, (problem) => void problems.push(problem))] as const);
  const whole = withMembers(connector, { fragments: undefined, streams: { ...streams, entries: new Map(expanded) } });
  return { connector: prune(whole, CONNECTOR) as SourcedMap, problems };
}

/** A connection's own streams, limits and errors, where a connector has them. */
function overConnector(connection: Sourced): SourcedMap {
  const { source } = connection;
  const part = (key: string) => {
    const node = at(connection, key);
    return node ? [[key, node] as const] : [];
  };
  const http = [...part("limits"), ...part("errors")];
  return map(source, [...part("streams"), ...(http.length > 0 ? [["http", map(source, http)] as const] : [])]);
}

function effectiveEntities(workspace: Workspace, overlays: SourcedMap, flows: SourcedMap, source: Source, report: Report): SourcedMap {
  const targets = members(flows).flatMap(([, flow]) => at(flow, "to", "entity") ?? []);
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

function asMap(node: Sourced | undefined, source: Source): SourcedMap {
  return node?.kind === "map" ? node : map(source, []);
}
