/** Names that stand for something elsewhere: streams, fragments, mappings, entities, presets, connectors, connections. */
import type { ErrorCode } from "../errors/catalog.ts";
import type { ErrorParams, Problem } from "../errors/plugboard-error.ts";
import { nearest, suggest } from "../errors/nearest.ts";
import { isMap, merged } from "./merged.ts";
import type { Json, JsonObject, Manifest, ManifestKind, Workspace } from "./types.ts";

type Report = (manifest: Manifest, pointer: string, code: ErrorCode, params: ErrorParams, part?: "key" | "value") => void;

export function checkReferences(workspace: Workspace): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (manifest, pointer, code, params, part = "value") => void problems.push({ code, severity: "error", params, at: manifest.locate(pointer, part), pointer });
  for (const layers of workspace.connectors.values()) checkConnector(layers, report);
  for (const layers of workspace.mappings.values()) for (const manifest of layers) checkMapping(manifest, workspace, report);
  for (const layers of workspace.presets.values()) for (const manifest of layers) checkConfiguration(manifest, manifest.value, "", merged(layers), workspace, report);
  for (const manifest of workspace.tenants.values()) checkTenant(manifest, workspace, report);
  for (const [id, layers] of workspace.tests) for (const manifest of layers) checkTests(id, manifest, workspace, report);
  return problems;
}

/** Whether a reference may be judged: its target's file is readable. */
const isReadable = (workspace: Workspace, kind: ManifestKind, id: string): boolean => !workspace.unreadable.has(`${kind} ${id}`);

// ── connector ───────────────────────────────────────────────────────────────────────────────────────────────────────

function checkConnector(layers: readonly Manifest[], report: Report): void {
  const whole = merged(layers);
  const fragments = mapOf(whole.fragments);
  const streams = mapOf(whole.streams);
  for (const manifest of layers) {
    const http = mapOf(manifest.value.http);
    const base = http.base_url;
    if (typeof base === "string" && /^\s*(=|(https?:\/\/)?[^/]*\{\{)/.test(base) && mapOf(whole.http).hosts === undefined) report(manifest, "/http/base_url", "MANIFEST_HOSTS", {});
    if (typeof base === "string" && !/^\s*=|\{\{/.test(base) && !/^https?:\/\/[^/\s]+/.test(base)) report(manifest, "/http/base_url", "MANIFEST_WRONG_VALUE", { field: "base_url", expected: "an address that starts with https://", actual: JSON.stringify(base), suggestion: `https://${base.replace(/^[a-z]*:?\/*/i, "")}` });
    for (const room of ["streams", "webhooks", "queues", "actions", "fragments"]) {
      for (const [name, part] of Object.entries(mapOf(manifest.value[room]))) {
        if (!isMap(part)) continue;
        const at = `/${room}/${escape(name)}`;
        checkUse(manifest, part, at, fragments, room !== "fragments", report);
        checkRequests(manifest, part, at, mapOf(whole.http), report);
        for (const [partition, value] of Object.entries(mapOf(part.partitions))) stream(manifest, mapOf(value).stream, `${at}/partitions/${escape(partition)}/stream`, streams, report);
        for (const key of ["creates", "updates", "deletes", "upserts"]) stream(manifest, part[key], `${at}/${key}`, streams, report);
        for (const [event, value] of Object.entries(mapOf(part.events))) stream(manifest, mapOf(value).stream, `${at}/events/${escape(event)}/stream`, streams, report);
      }
    }
    for (const [name, part] of Object.entries(mapOf(manifest.value.streams))) {
      // Told once, at the last layer that writes on it.
      if (!isMap(part) || layers.findLast(({ value }) => isMap(mapOf(value.streams)[name])) !== manifest) continue;
      const fragment = typeof part.use === "string" ? mapOf(fragments[part.use]) : {};
      const full = { ...fragment, ...mapOf(streams[name]) };
      if (part.use !== undefined && fragments[String(part.use)] === undefined) continue;
      if (full.key === undefined) report(manifest, `/streams/${escape(name)}`, "MANIFEST_MISSING_FIELD", { field: "key", where: `streams.${name}`, expected: "the expression that identifies a record, for example id" }, "key");
      if (typeof full.key === "number" || typeof full.key === "boolean") report(manifest, mapOf(part).key === undefined ? `/streams/${escape(name)}` : `/streams/${escape(name)}/key`, "MANIFEST_WRONG_VALUE", { field: "key", expected: "an expression over the record, for example id", actual: `${String(full.key)}, the same for every record` });
      const hasRequest = [...METHODS, "list", "changes", "one", "upload", "method"].some((key) => full[key] !== undefined);
      const isPushed = JSON.stringify([whole.webhooks, whole.queues, fragments]).includes(`"stream":"${name}"`);
      if (!hasRequest && !isPushed && part.use === undefined) report(manifest, `/streams/${escape(name)}`, "MANIFEST_ONE_OF", { where: `streams.${name}`, choices: "get, post, list, changes, one, upload", actual: "none of them" }, "key");
      if (hasRequest && http.base_url === undefined && whole.http === undefined && !["upload"].some((key) => full[key] !== undefined && METHODS.every((method) => full[method] === undefined))) report(manifest, `/streams/${escape(name)}`, "MANIFEST_MISSING_FIELD", { field: "http", where: "this connector", expected: "a map with base_url, because its streams send requests" }, "key");
    }
    const check = mapOf(manifest.value.check);
    for (const [name, block] of check.by === undefined ? [["", check] as const] : Object.entries(check).filter(([key]) => key !== "by")) {
      if (manifest.value.check !== undefined && isMap(block)) {
        const at = name === "" ? "/check" : `/check/${escape(name)}`;
        const wholeBlock = mapOf(name === "" ? whole.check : mapOf(whole.check)[name]);
        if (!METHODS.some((key) => wholeBlock[key] !== undefined) && wholeBlock.method === undefined) report(manifest, at, "MANIFEST_ONE_OF", { where: at.slice(1).replace("/", "."), choices: METHODS.join(", "), actual: "none of them" }, "key");
        checkRequests(manifest, block, at, mapOf(whole.http), report);
      }
    }
  }
}

const METHODS = ["get", "post", "put", "patch", "delete"];

function checkUse(manifest: Manifest, part: JsonObject, at: string, fragments: JsonObject, isUser: boolean, report: Report): void {
  if (typeof part.use !== "string") return;
  const fragment = fragments[part.use];
  if (!isMap(fragment)) return report(manifest, `${at}/use`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Fragment", name: part.use, suggestion: suggest(part.use, Object.keys(fragments)) });
  if (!isUser) return;
  const wanted = Array.isArray(fragment.with) ? fragment.with.map(String) : [];
  const given = mapOf(part.with);
  for (const name of Object.keys(given)) if (!wanted.includes(name)) report(manifest, `${at}/with/${escape(name)}`, "MANIFEST_UNKNOWN_FIELD", { field: name, where: `${at.slice(1).replaceAll("/", ".")}.with (fragment ${part.use})`, suggestion: suggest(name, wanted) }, "key");
  // An absent value is left out of a query or body; in a path it is an error.
  const paths = [fragment, ...["list", "changes", "one"].map((door) => mapOf(fragment[door]))].flatMap((request) => [...METHODS, "path"].map((key) => String(request[key] ?? "")));
  const misspelt = new Set(Object.keys(given).filter((name) => !wanted.includes(name)).map((name) => nearest(name, wanted)));
  for (const name of wanted) if (!(name in given) && !misspelt.has(name) && paths.some((path) => path.includes(`{{with.${name}}}`))) report(manifest, part.with === undefined ? `${at}/use` : `${at}/with`, "MANIFEST_MISSING_FIELD", { field: name, where: `${at.slice(1).replaceAll("/", ".")}.with`, expected: `a value for fragment '${part.use}'` }, part.with === undefined ? "value" : "key");
}

/** A whole address in a path must stand on a host that the credential may be sent to. */
function checkHosts(manifest: Manifest, block: JsonObject, at: string, http: JsonObject, report: Report): void {
  if (http.auth === undefined || block.auth === "none" || typeof http.base_url !== "string") return;
  for (const method of METHODS) {
    const host = /^https?:\/\/([^/{}\s]+)/.exec(String(block[method] ?? ""))?.[1]?.toLowerCase();
    if (host === undefined) continue;
    const allowed = Array.isArray(http.hosts) ? http.hosts.map(String) : [/^https?:\/\/([^/]+)/.exec(http.base_url)?.[1]?.toLowerCase() ?? ""];
    if (!allowed.some((each) => each === host || (each.startsWith("*.") && host.endsWith(each.slice(1))))) report(manifest, `${at}/${method}`, "MANIFEST_WRONG_VALUE", { field: method, expected: `a path, or an address on ${allowed.join(", ")}`, actual: host, suggestion: `the credential goes there too: list every host it may be sent to: hosts: [${[...allowed, host].filter(Boolean).join(", ")}]` });
  }
}

/** `auth: raas` names one of the connector's authenticators. */
function checkRequests(manifest: Manifest, part: JsonObject, at: string, http: JsonObject, report: Report): void {
  const named = mapOf(http.auth);
  for (const [door, block] of [["", part] as const, ...["list", "changes", "one"].map((key) => [`/${key}`, part[key]] as const)]) {
    if (isMap(block)) checkHosts(manifest, block, `${at}${door}`, http, report);
    if (!isMap(block) || typeof block.auth !== "string" || block.auth === "none") continue;
    const names = named.by === undefined ? [] : Object.keys(named).filter((name) => name !== "by");
    if (!names.includes(block.auth)) report(manifest, `${at}${door}/auth`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Authenticator", name: block.auth, suggestion: suggest(block.auth, [...names, "none"]) });
  }
}

function stream(manifest: Manifest, name: Json | undefined, pointer: string, streams: JsonObject, report: Report): void {
  if (typeof name === "string" && !(name in streams)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Stream", name, suggestion: suggest(name, Object.keys(streams)) });
}

// ── mapping ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function checkMapping(manifest: Manifest, workspace: Workspace, report: Report): void {
  const { from, to } = manifest.value;
  const stream = typeof from === "string" ? splitName(from) : undefined;
  if (stream) checkConnectorPart(manifest, "/from", stream, "streams", workspace, report);
  else if (typeof from === "string") checkEntity(manifest, "/from", from, workspace, report);
  const action = typeof to === "string" ? splitName(to) : undefined;
  if (action) checkConnectorPart(manifest, "/to", action, "actions", workspace, report);
  else if (typeof to === "string") checkEntity(manifest, "/to", to, workspace, report);
  // A layer may leave `to` to the one below.
  const target = to ?? workspace.mappings.get(manifest.id)?.[0]?.value.to;
  if (typeof target === "string") checkFields(manifest, mapOf(manifest.value.fields), "/fields", target, workspace, report);
}

/** Target fields against the entity's schema (or the action's input). */
export function checkFields(manifest: Manifest, fields: JsonObject, at: string, target: string, workspace: Workspace, report: Report): void {
  const action = splitName(target);
  const known = action ? inputOf(action, workspace) : entityFields(target, workspace);
  for (const [name, field] of Object.entries(fields)) {
    const [root = ""] = name.split(".");
    const pointer = `${at}/${escape(name)}`;
    if (known && root !== "custom" && !known.has(root)) {
      const cure = nearest(root, known.keys()) === undefined && !action ? `${suggest(root, known.keys())}; a field of your own is custom.${name}` : suggest(root, known.keys());
      report(manifest, pointer, "MANIFEST_UNKNOWN_FIELD", { field: name, where: action ? `the input of ${target}` : `entity '${target}'`, suggestion: root === "external_id" || (root === "id" && !known.has("id")) ? "the stream's key is the row's key: it is not mapped" : cure }, "key");
    }
    if (root === "custom" && name.split(".").length !== 2) report(manifest, pointer, "MANIFEST_WRONG_VALUE", { field: name, expected: "custom.<name>", actual: name, suggestion: "one name after 'custom.'" }, "key");
    if (isMap(field) && typeof field.ref === "string") checkEntity(manifest, `${pointer}/ref`, field.ref, workspace, report);
  }
}

export function entityFields(id: string, workspace: Workspace): Map<string, Json> | undefined {
  const layers = workspace.entities.get(id);
  return layers && isReadable(workspace, "entity", id) ? new Map(Object.entries(mapOf(merged(layers).properties))) : undefined;
}

function inputOf({ owner, name }: Name, workspace: Workspace): Map<string, Json> | undefined {
  const layers = workspace.connectors.get(owner);
  const action = layers && mapOf(merged(layers).actions)[name];
  return isMap(action) && isMap(action.input) ? new Map(Object.entries(action.input)) : undefined;
}

interface Name { readonly owner: string; readonly name: string }
function splitName(text: string): Name | undefined {
  const dot = text.indexOf(".");
  return dot === -1 ? undefined : { owner: text.slice(0, dot), name: text.slice(dot + 1) };
}

function checkEntity(manifest: Manifest, pointer: string, id: string, workspace: Workspace, report: Report): void {
  if (workspace.entities.has(id) || !isReadable(workspace, "entity", id)) return;
  const known = [...workspace.entities.keys()];
  report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Entity", name: id, suggestion: `${suggest(id, known)}${nearest(id, known) === undefined ? `; an entity of your own is a file schemas/entities/${id}.schema.json` : ""}` });
}

function checkConnectorPart(manifest: Manifest, pointer: string, { owner, name }: Name, room: "streams" | "actions", workspace: Workspace, report: Report): void {
  const layers = workspace.connectors.get(owner);
  if (!layers) {
    if (isReadable(workspace, "connector", owner)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Connector", name: owner, suggestion: suggest(owner, workspace.connectors.keys()) });
    return;
  }
  const parts = merged(layers)[room];
  if (parts !== undefined && !isMap(parts)) return;
  const known = Object.keys(mapOf(parts));
  if (!known.includes(name) && !(room === "streams" && isOwnStream(name, workspace))) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: room === "streams" ? "Stream" : "Action", name: `${owner}.${name}`, suggestion: suggest(name, known) });
}

/** A stream that only one connection has (reports, custom objects). */
function isOwnStream(name: string, workspace: Workspace): boolean {
  return [...workspace.tenants.values(), ...[...workspace.presets.values()].flat()].some(({ value }) => Object.values(mapOf(value.connections)).some((connection) => name in mapOf(mapOf(connection).streams)));
}

// ── preset and tenant ───────────────────────────────────────────────────────────────────────────────────────────────

function checkTenant(manifest: Manifest, workspace: Workspace, report: Report): void {
  const { preset } = manifest.value;
  let below: JsonObject = {};
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
      if (isReadable(workspace, "release", preset)) report(manifest, "/preset", "MANIFEST_UNKNOWN_REFERENCE", { kind: "Release", name: preset, suggestion: releases ? `there is: ${[...releases.keys()].map((number) => `${id}@${number}`).join(", ")}` : `cut one with: plugboard preset release ${id}` });
      return;
    }
    below = frozen ? mapOf(frozen.value.preset) : layers ? merged(layers) : {};
  }
  checkConfiguration(manifest, manifest.value, "", overlay(below, manifest.value), workspace, report);
}

/** @param effective the value with what lies below it. */
function checkConfiguration(manifest: Manifest, value: JsonObject, at: string, effective: JsonObject, workspace: Workspace, report: Report): void {
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
  for (const [name, flow] of Object.entries(mapOf(value.flows))) if (isMap(flow)) checkFlow(manifest, name, flow, `${at}/flows/${escape(name)}`, flows, connections, workspace, report);
}

function checkEntityKey(manifest: Manifest, pointer: string, id: string, workspace: Workspace, report: Report): void {
  if (isReadable(workspace, "entity", id)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Entity", name: id, suggestion: suggest(id, workspace.entities.keys()) }, "key");
}

function checkFlow(manifest: Manifest, name: string, flow: JsonObject, at: string, flows: JsonObject, connections: JsonObject, workspace: Workspace, report: Report): void {
  if (typeof flow.use === "string" && !(flow.use in flows)) report(manifest, `${at}/use`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Flow", name: flow.use, suggestion: suggest(flow.use, Object.keys(flows)) });
  const whole = effectiveFlow(name, flows, []);
  const used = typeof flow.use === "string" && !(flow.use in flows);
  const from = long(whole.from, "stream");
  const to = long(whole.to, "entity");
  const where = `flows.${name}`;
  const triggers = ["stream", "change", "entity", "subject"];
  if (!used && !triggers.some((key) => from[key] !== undefined)) report(manifest, at, "MANIFEST_MISSING_FIELD", { field: "from", where, expected: "what it reads: <connection>.<stream>" }, "key");
  const targets = ["entity", "save", "action", "subject", "webhook", "file"];
  if (!used && !targets.some((key) => to[key] !== undefined)) report(manifest, at, "MANIFEST_MISSING_FIELD", { field: "to", where, expected: "what it becomes: an entity" }, "key");

  const own = long(flow.from, "stream");
  const fromAt = (key: string): string => (isMap(flow.from) ? `${at}/from/${key}` : `${at}/from`);
  if (typeof own.stream === "string") {
    const parts = splitName(own.stream);
    if (!parts) report(manifest, fromAt("stream"), "MANIFEST_WRONG_VALUE", { field: "stream", expected: "<connection>.<stream>", actual: JSON.stringify(own.stream), suggestion: own.stream.includes("/") ? `write ${own.stream.replace("/", ".")}` : Object.keys(connections).length > 0 ? `for example: ${Object.keys(connections)[0]}.${own.stream}` : "" });
    else checkConnectionStream(manifest, fromAt("stream"), parts, connections, workspace, report);
  }
  if (typeof own.connection === "string" && !(own.connection in connections)) report(manifest, fromAt("connection"), "MANIFEST_UNKNOWN_REFERENCE", { kind: "Connection", name: own.connection, suggestion: suggest(own.connection, Object.keys(connections)) });
  for (const key of ["change", "entity"]) if (typeof own[key] === "string") checkEntity(manifest, fromAt(key), own[key], workspace, report);

  const ownTo = long(flow.to, "entity");
  if (typeof ownTo.entity === "string") checkEntity(manifest, isMap(flow.to) ? `${at}/to/entity` : `${at}/to`, ownTo.entity, workspace, report);
  checkFlowMapping(manifest, flow, whole, at, from, to, connections, workspace, report);
}

function checkFlowMapping(manifest: Manifest, flow: JsonObject, whole: JsonObject, at: string, from: JsonObject, to: JsonObject, connections: JsonObject, workspace: Workspace, report: Report): void {
  const own = long(flow.map, "use");
  const map = long(whole.map, "use");
  const pointer = isMap(flow.map) ? `${at}/map/use` : `${at}/map`;
  if (typeof own.use === "string" && !workspace.mappings.has(own.use) && isReadable(workspace, "mapping", own.use)) {
    report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Mapping", name: own.use, suggestion: suggest(own.use, workspace.mappings.keys()) });
  }
  const mapping = typeof map.use === "string" ? workspace.mappings.get(map.use) : undefined;
  if (mapping && typeof own.use === "string") {
    const value = merged(mapping);
    if (typeof to.entity === "string" && typeof value.to === "string" && value.to !== to.entity && workspace.entities.has(value.to) && workspace.entities.has(to.entity)) report(manifest, pointer, "MANIFEST_WRONG_VALUE", { field: "map", expected: `a mapping to ${to.entity}`, actual: `${own.use}, which maps to ${value.to}`, suggestion: suggestMapping(workspace, undefined, to.entity) });
    const stream = typeof from.stream === "string" ? splitName(from.stream) : undefined;
    const connector = stream && mapOf(connections[typeof from.connection === "string" ? from.connection : stream.owner]).connector;
    if (stream && typeof connector === "string" && typeof value.from === "string" && value.from !== `${connector}.${stream.name}` && hasStream(connector, stream.name, connections, workspace)) report(manifest, pointer, "MANIFEST_WRONG_VALUE", { field: "map", expected: `a mapping from ${connector}.${stream.name}`, actual: `${own.use}, which maps from ${value.from}`, suggestion: suggestMapping(workspace, `${connector}.${stream.name}`, undefined) });
  }
  if (isMap(own.fields) && typeof to.entity === "string") checkFields(manifest, own.fields, `${at}/map/fields`, to.entity, workspace, report);
}

/** An unknown stream is told where it is named; what maps from it need not be told too. */
function hasStream(connector: string, stream: string, connections: JsonObject, workspace: Workspace): boolean {
  const layers = workspace.connectors.get(connector);
  return layers !== undefined && (stream in mapOf(merged(layers).streams) || Object.values(connections).some((connection) => stream in mapOf(mapOf(connection).streams)));
}

function suggestMapping(workspace: Workspace, from: string | undefined, to: string | undefined): string {
  const fitting = [...workspace.mappings].filter(([, layers]) => (from === undefined || layers[0]?.value.from === from) && (to === undefined || layers[0]?.value.to === to)).map(([id]) => id);
  return fitting.length === 0 ? "there is no such mapping yet" : `there is: ${fitting.join(", ")}`;
}

function checkConnectionStream(manifest: Manifest, pointer: string, { owner, name }: Name, connections: JsonObject, workspace: Workspace, report: Report): void {
  const connection = connections[owner];
  if (!isMap(connection)) return report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Connection", name: owner, suggestion: `${suggest(owner, Object.keys(connections))}${owner in Object.fromEntries(workspace.connectors) ? `; '${owner}' is a connector: add it under connections` : ""}` });
  const layers = typeof connection.connector === "string" ? workspace.connectors.get(connection.connector) : undefined;
  if (!layers) return;
  const { streams } = merged(layers);
  if (streams !== undefined && !isMap(streams)) return;
  const known = [...Object.keys(mapOf(streams)), ...Object.keys(mapOf(connection.streams))];
  if (!known.includes(name)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Stream", name: `${owner}.${name}`, suggestion: suggest(name, known) });
}

/** A flow with the flow it uses below it. */
function effectiveFlow(name: string, flows: JsonObject, seen: readonly string[]): JsonObject {
  const flow = mapOf(flows[name]);
  if (typeof flow.use !== "string" || seen.includes(flow.use)) return flow;
  const below = effectiveFlow(flow.use, flows, [...seen, name]);
  return { ...below, ...flow, from: { ...long(below.from, "stream"), ...long(flow.from, "stream") }, map: { ...long(below.map, "use"), ...long(flow.map, "use") }, to: { ...long(below.to, "entity"), ...long(flow.to, "entity") } };
}

/** `from: a.b` is `from: { stream: a.b }`. */
const long = (value: Json | undefined, key: string): JsonObject => (typeof value === "string" ? { [key]: value } : mapOf(value));

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

// ── tests ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function checkTests(connector: string, manifest: Manifest, workspace: Workspace, report: Report): void {
  const layers = workspace.connectors.get(connector);
  const streams = Object.keys(mapOf(layers && merged(layers).streams));
  (Array.isArray(manifest.value.tests) ? manifest.value.tests : []).forEach((test, index) => {
    if (!isMap(test)) return;
    const at = `/tests/${index}`;
    if (layers && typeof test.stream === "string" && !streams.includes(test.stream)) report(manifest, `${at}/stream`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Stream", name: test.stream, suggestion: suggest(test.stream, streams) });
    (Array.isArray(test.exchanges) ? test.exchanges : []).forEach((file, position) => {
      if (!workspace.attachments.has(`connectors/${connector}/${String(file)}`)) report(manifest, `${at}/exchanges/${position}`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "File", name: String(file), suggestion: suggest(String(file), [...workspace.attachments.keys()].filter((path) => path.startsWith(`connectors/${connector}/`)).map((path) => path.slice(`connectors/${connector}/`.length))) });
    });
  });
}

const mapOf = (value: Json | undefined): JsonObject => (isMap(value) ? value : {});
const escape = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
