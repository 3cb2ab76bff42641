/** Presets and tenants: connections, entities, and what lies below a tenant. */
import { nearest, suggest } from "../../errors/nearest.ts";
import { limitedEntity, pluralOf } from "../limit-names.ts";
import { isMap, merged } from "../merged.ts";
import { RESERVED_SUBDOMAINS } from "../subdomains.ts";
import type { Json, JsonObject, Manifest, Workspace } from "../types.ts";
import { checkUse } from "./connector.ts";
import { checkFlow } from "./flow.ts";
import { entityFields } from "./mapping.ts";
import { escape, isReadable, long, mapOf, type Report } from "./names.ts";

export function checkTenant(manifest: Manifest, workspace: Workspace, report: Report): void {
  checkSubdomain(manifest, workspace, report);
  const { preset } = manifest.value;
  let below: JsonObject = {};
  // What is no pin is told as such.
  if (typeof preset === "string" && !/^[a-z][a-z0-9_-]*(@[0-9]+)?$/.test(preset)) return;
  if (typeof preset === "string") {
    const [id = "", release] = preset.split("@");
    const layers = workspace.presets.get(id);
    const releases = workspace.releases.get(id);
    if (!layers && !releases) {
      if (isReadable(workspace, "preset", id)) report(manifest, "/preset", "MANIFEST_UNKNOWN_REFERENCE", { kind: "Preset", name: id, suggestion: suggest(id, workspace.presets.keys()) });
      return;
    }
    const frozen = release === undefined ? undefined : releases?.get(Number(release));
    if (release !== undefined && !frozen) {
      if (isReadable(workspace, "release", preset)) report(manifest, "/preset", "MANIFEST_UNKNOWN_REFERENCE", { kind: "Release", name: preset, suggestion: releases ? `there is: ${[...releases.keys()].map((number) => `${id}@${number}`).join(", ")}` : `'${id}' has no release yet: write preset: ${id} to follow its head` });
      return;
    }
    below = frozen ? mapOf(frozen.value.preset) : layers ? merged(layers) : {};
  }
  checkConfiguration(manifest, manifest.value, "", overlay(below, manifest.value), workspace, report);
}

/** @param effective the value with what lies below it. */
export function checkConfiguration(manifest: Manifest, value: JsonObject, at: string, effective: JsonObject, workspace: Workspace, report: Report): void {
  const connections = mapOf(effective.connections);
  const flows = mapOf(effective.flows);
  for (const [name, connection] of Object.entries(mapOf(value.connections))) {
    if (!isMap(connection)) continue;
    const pointer = `${at}/connections/${escape(name)}`;
    const whole = mapOf(connections[name]);
    const connector = whole.connector;
    if (connector === undefined && whole.use === undefined) report(manifest, pointer, "MANIFEST_MISSING_FIELD", { field: "connector", where: `connections.${name}`, expected: `the connector it uses${nearest(name, workspace.connectors.keys()) ? `, perhaps ${nearest(name, workspace.connectors.keys())!}` : ""}` }, "key");
    const layers = typeof connector === "string" ? workspace.connectors.get(connector) : undefined;
    if (typeof connection.connector === "string" && !layers && isReadable(workspace, "connector", connection.connector)) report(manifest, `${pointer}/connector`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Connector", name: connection.connector, suggestion: suggest(connection.connector, workspace.connectors.keys()) });
    if (!layers) continue;
    const config = mapOf(merged(layers).config);
    for (const key of Object.keys(mapOf(connection.config))) if (!(key in config)) report(manifest, `${pointer}/config/${escape(key)}`, "MANIFEST_UNKNOWN_FIELD", { field: key, where: `the config of ${String(connector)}`, suggestion: suggest(key, Object.keys(config)) }, "key");
    (Array.isArray(connection.locks) ? connection.locks : []).forEach((key, index) => { if (!(String(key) in config)) report(manifest, `${pointer}/locks/${index}`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Config field", name: String(key), suggestion: suggest(String(key), Object.keys(config)) }); });
    const fragments = mapOf(merged(layers).fragments);
    for (const [streamName, own] of Object.entries(mapOf(connection.streams))) if (isMap(own)) checkUse(manifest, own, `${pointer}/streams/${escape(streamName)}`, fragments, true, report);
  }
  for (const [id, entity] of Object.entries(mapOf(value.entities))) {
    if (entity === null) continue;
    const pointer = `${at}/entities/${escape(id)}`;
    if (!workspace.entities.has(id)) { checkEntityKey(manifest, pointer, id, workspace, report); continue; }
    const fields = [...(entityFields(id, workspace)?.keys() ?? [])];
    const match = mapOf(entity).match;
    (typeof match === "string" ? [match] : Array.isArray(match) ? match : []).forEach((field, index) => {
      if (!fields.includes(String(field).split(".")[0]!)) report(manifest, Array.isArray(match) ? `${pointer}/match/${index}` : `${pointer}/match`, "MANIFEST_UNKNOWN_REFERENCE", { kind: `Field of ${id}`, name: String(field), suggestion: suggest(String(field), fields) });
    });
    const prefer = mapOf(entity).prefer;
    if (Array.isArray(prefer)) prefer.forEach((name, index) => { if (!(String(name) in connections)) report(manifest, `${pointer}/prefer/${index}`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Connection", name: String(name), suggestion: suggest(String(name), Object.keys(connections)) }); });
  }
  checkLimits(manifest, mapOf(value.limits), `${at}/limits`, workspace, report);
  for (const [name, flow] of Object.entries(mapOf(value.flows))) if (isMap(flow)) checkFlow(manifest, name, flow, `${at}/flows/${escape(name)}`, flows, connections, workspace, report);
}

function checkSubdomain(manifest: Manifest, workspace: Workspace, report: Report): void {
  const { subdomain } = manifest.value;
  if (typeof subdomain !== "string") return;
  if (RESERVED_SUBDOMAINS.has(subdomain)) report(manifest, "/subdomain", "TENANT_RESERVED", { value: subdomain, suggestion: `Choose another, ${manifest.id} perhaps.` });
  const first = bySubdomain(workspace).get(subdomain);
  if (first !== undefined && first.id !== manifest.id) report(manifest, "/subdomain", "TENANT_TAKEN", { field: "subdomain", value: subdomain });
}

const subdomains = new WeakMap<Workspace, ReadonlyMap<string, Manifest>>();

/** Whose it is: of several, the first one's. */
function bySubdomain(workspace: Workspace): ReadonlyMap<string, Manifest> {
  const found = subdomains.get(workspace) ?? new Map([...workspace.tenants.values()].toReversed().flatMap((manifest) => typeof manifest.value.subdomain === "string" ? [[manifest.value.subdomain, manifest] as const] : []));
  subdomains.set(workspace, found);
  return found;
}

/** A limit of an entity that does not exist would limit nothing; two names of one entity would leave it open which counts. */
function checkLimits(manifest: Manifest, limits: JsonObject, pointer: string, workspace: Workspace, report: Report): void {
  const names = new Map<string, string>();
  for (const name of Object.keys(limits)) {
    const entity = limitedEntity(name, workspace.entities.keys());
    const at = `${pointer}/${escape(name)}`;
    if (entity === undefined) report(manifest, at, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Entity", name, suggestion: suggest(name, [...workspace.entities.keys()].map(pluralOf)) }, "key");
    else if (names.has(entity)) report(manifest, at, "MANIFEST_ONE_OF", { where: "limits", choices: `${names.get(entity)!}, ${name}`, actual: "both", suggestion: `Both limit the entity ${entity}: keep one.` }, "key");
    else names.set(entity, name);
  }
}

function checkEntityKey(manifest: Manifest, pointer: string, id: string, workspace: Workspace, report: Report): void {
  if (isReadable(workspace, "entity", id)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Entity", name: id, suggestion: suggest(id, workspace.entities.keys()) }, "key");
}

function overlay(lower: JsonObject, upper: JsonObject): JsonObject {
  const part = (key: "connections" | "flows"): JsonObject => {
    const result: Record<string, Json> = { ...mapOf(lower[key]) };
    for (const [name, value] of Object.entries(mapOf(upper[key]))) {
      if (value === null) { delete result[name]; continue; }
      const below = mapOf(result[name]);
      result[name] = key === "flows"
        ? { ...below, ...mapOf(value), ...Object.fromEntries((["from", "map", "to"] as const).filter((word) => below[word] !== undefined || mapOf(value)[word] !== undefined).map((word) => [word, { ...long(below[word], LONG[word]), ...long(mapOf(value)[word], LONG[word]) }])) }
        : { ...below, ...mapOf(value), streams: { ...mapOf(below.streams), ...mapOf(mapOf(value).streams) } };
    }
    return result;
  };
  return { ...lower, connections: part("connections"), flows: part("flows") };
}
const LONG = { from: "stream", map: "use", to: "entity" } as const;
