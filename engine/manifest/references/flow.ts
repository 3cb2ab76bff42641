/** One flow: its connection's stream, its mapping, its entity. */
import { suggest } from "../../errors/nearest.ts";
import { isMap, merged } from "../merged.ts";
import type { JsonObject, Manifest, Workspace } from "../types.ts";
import { recordSchema } from "../record-schema.ts";
import { checkFields, entityFields } from "./mapping.ts";
import { checkEntity, isReadable, long, mapOf, splitName, suggestPart, type Name, type Report } from "./names.ts";

export function checkFlow(manifest: Manifest, name: string, flow: JsonObject, at: string, flows: JsonObject, connections: JsonObject, workspace: Workspace, report: Report): void {
  if (typeof flow.use === "string" && !(flow.use in flows)) report(manifest, `${at}/use`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Flow", name: flow.use, suggestion: suggest(flow.use, Object.keys(flows)) });
  const whole = effectiveFlow(name, flows, []);
  const used = typeof flow.use === "string" && !(flow.use in flows);
  const from = long(whole.from, "stream");
  const to = long(whole.to, "entity");
  const where = `flows.${name}`;
  const triggers = ["stream", "change", "entity", "subject"];
  if (!used && !triggers.some((key) => from[key] !== undefined)) {
    if (isMap(flow.from)) report(manifest, `${at}/from`, "MANIFEST_MISSING_FIELD", { field: "stream", where: `${where}.from`, expected: "what it reads: <connection>.<stream>" }, "key");
    else report(manifest, at, "MANIFEST_MISSING_FIELD", { field: "from", where, expected: "what it reads: <connection>.<stream>" }, "key");
  }
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
  for (const room of ["action", "save"] as const) if (typeof ownTo[room] === "string") checkDelivery(manifest, `${at}/to/${room}`, room, ownTo[room], connections, workspace, report);
  const delivers = ["action", "save", "webhook"].find((key) => to[key] !== undefined);
  if (flow.enabled !== false && delivers !== undefined && from.stream !== undefined && isMap(flow.to) && flow.to[delivers] !== undefined) report(manifest, `${at}/to/${delivers}`, "MANIFEST_NOT_RUNNING_YET", { feature: `${delivers} of a stream's records`, suggestion: "Store the records in an entity, and deliver its changes: from: { change: <entity> }." }, "key");
  if (typeof ownTo.entity === "string" && from.change !== undefined) report(manifest, isMap(flow.to) ? `${at}/to/entity` : `${at}/to`, "MANIFEST_WRONG_VALUE", { field: "to", expected: "an action, save or webhook: a change of an entity ends outside", actual: `entity ${ownTo.entity}`, suggestion: "a flow that fills an entity reads a connection's stream" });
  if (typeof ownTo.entity === "string") checkEntity(manifest, isMap(flow.to) ? `${at}/to/entity` : `${at}/to`, ownTo.entity, workspace, report);
  if (!used && whole.map === undefined && typeof to.entity === "string" && typeof from.stream === "string" && !fitsAsItIs(from, to.entity, connections, workspace))
    report(manifest, at, "MANIFEST_TRAP", { detail: `Without 'map', records are stored as they are: one with a field that entity '${to.entity}' does not have is set aside.`, cure: "Add a mapping (map: <connector>/<name>), or its fields in place: map: { fields: { name: … } }" }, "key", "warning");
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
    if (stream && typeof connector === "string" && typeof value.from === "string" && value.from !== `${connector}.${stream.name}` && hasStream(connector, stream.name, connections, workspace) && readsWhatIs(value.from, connections, workspace)) report(manifest, pointer, "MANIFEST_WRONG_VALUE", { field: "map", expected: `a mapping from ${connector}.${stream.name}`, actual: `${own.use}, which maps from ${value.from}`, suggestion: suggestMapping(workspace, `${connector}.${stream.name}`, undefined) });
  }
  for (const room of ["action", "save"] as const) {
    const part = typeof to[room] === "string" ? splitName(to[room]) : undefined;
    const { connector } = mapOf(connections[part?.owner ?? ""]);
    if (isMap(own.fields) && part && typeof connector === "string") checkFields(manifest, own.fields, `${at}/map/fields`, `${connector}.${part.name}`, workspace, report);
  }
  if (isMap(own.fields) && typeof to.entity === "string") checkFields(manifest, own.fields, `${at}/map/fields`, to.entity, workspace, report);
}

/** An unknown stream is told where it is named; what maps from it need not be told too. */
function hasStream(connector: string, stream: string, connections: JsonObject, workspace: Workspace): boolean {
  const layers = workspace.connectors.get(connector);
  return layers !== undefined && (stream in mapOf(merged(layers).streams) || Object.values(connections).some((connection) => stream in mapOf(mapOf(connection).streams)));
}

/** Whether the connector says that its records have the entity's fields. What is unknown is told as such. */
function fitsAsItIs(from: JsonObject, entity: string, connections: JsonObject, workspace: Workspace): boolean {
  const stream = splitName(String(from.stream));
  const { connector } = mapOf(connections[typeof from.connection === "string" ? from.connection : stream?.owner ?? ""]);
  const fields = entityFields(entity, workspace);
  if (!stream || !fields || typeof connector !== "string" || !hasStream(connector, stream.name, connections, workspace)) return true;
  const record = recordSchema(connector, stream.name, workspace);
  return record !== undefined && Object.keys(mapOf(record.properties)).every((field) => fields.has(field));
}

/** So is the unknown stream that a mapping names: its own file is told. */
function readsWhatIs(from: string, connections: JsonObject, workspace: Workspace): boolean {
  const read = splitName(from);
  return read !== undefined && hasStream(read.owner, read.name, connections, workspace);
}

function suggestMapping(workspace: Workspace, from: string | undefined, to: string | undefined): string {
  const fitting = [...workspace.mappings].filter(([, layers]) => (from === undefined || layers[0]?.value.from === from) && (to === undefined || layers[0]?.value.to === to)).map(([id]) => id);
  return fitting.length === 0 ? "there is no such mapping yet" : `there is: ${fitting.join(", ")}`;
}

/** The action, or the stream that is saved, of a flow's target. */
function checkDelivery(manifest: Manifest, pointer: string, room: "action" | "save", written: string, connections: JsonObject, workspace: Workspace, report: Report): void {
  const part = splitName(written);
  if (!part) return report(manifest, pointer, "MANIFEST_WRONG_VALUE", { field: room, expected: `<connection>.<${room === "action" ? "action" : "stream"}>`, actual: JSON.stringify(written), suggestion: "" });
  if (room === "save") return checkConnectionStream(manifest, pointer, part, connections, workspace, report);
  const connection = connections[part.owner];
  if (!isMap(connection)) return unknownConnection(manifest, pointer, part.owner, connections, workspace, report);
  const layers = typeof connection.connector === "string" ? workspace.connectors.get(connection.connector) : undefined;
  const actions = layers && merged(layers).actions;
  if (!layers || (actions !== undefined && !isMap(actions))) return;
  const known = Object.keys(mapOf(actions));
  if (!known.includes(part.name)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Action", name: written, suggestion: suggestPart(part, known) });
}

function unknownConnection(manifest: Manifest, pointer: string, owner: string, connections: JsonObject, workspace: Workspace, report: Report): void {
  report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Connection", name: owner, suggestion: `${suggest(owner, Object.keys(connections))}${owner in Object.fromEntries(workspace.connectors) ? `; '${owner}' is a connector: add it under connections` : ""}` });
}

function checkConnectionStream(manifest: Manifest, pointer: string, { owner, name }: Name, connections: JsonObject, workspace: Workspace, report: Report): void {
  const connection = connections[owner];
  if (!isMap(connection)) return unknownConnection(manifest, pointer, owner, connections, workspace, report);
  const layers = typeof connection.connector === "string" ? workspace.connectors.get(connection.connector) : undefined;
  if (!layers) return;
  const { streams } = merged(layers);
  if (streams !== undefined && !isMap(streams)) return;
  const known = [...Object.keys(mapOf(streams)), ...Object.keys(mapOf(connection.streams))];
  if (!known.includes(name)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Stream", name: `${owner}.${name}`, suggestion: suggestPart({ owner, name }, known) });
}

/** A flow with the flow it uses below it. */
function effectiveFlow(name: string, flows: JsonObject, seen: readonly string[]): JsonObject {
  const flow = mapOf(flows[name]);
  if (typeof flow.use !== "string" || seen.includes(flow.use)) return flow;
  const below = effectiveFlow(flow.use, flows, [...seen, name]);
  return { ...below, ...flow, from: { ...long(below.from, "stream"), ...long(flow.from, "stream") }, map: { ...long(below.map, "use"), ...long(flow.map, "use") }, to: { ...long(below.to, "entity"), ...long(flow.to, "entity") } };
}
