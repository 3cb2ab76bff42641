/** From a flow of the effective tree to a FlowPlan. */
import { expression, numbers, optional, seconds } from "./compile-request.ts";
import { problemAt, unknownReference, type Report } from "./problems.ts";
import { compileSchedule } from "./schedule.ts";
import { selectOf } from "./select.ts";
import { at, members, plain, text, type Sourced } from "./sourced.ts";
import type { ConnectionPlan, ConnectorPlan, FieldPlan, FlowPlan, MappingPlan } from "./types.ts";

/** A run fails when more than this share of its records, or this many, are quarantined. */
const QUARANTINE = { share: 0.1, count: 1000 };

export interface FlowSurroundings {
  readonly connections: Readonly<Record<string, ConnectionPlan>>;
  readonly connectors: Readonly<Record<string, ConnectorPlan>>;
  readonly entities: Iterable<string>;
  readonly labels: Readonly<Record<string, string>>;
  /** Files beside the manifests, by their path: templates. */
  readonly attachments: ReadonlyMap<string, string>;
}

/** `undefined` for a flow that cannot run; why is reported here, or where manifests are validated (a kind of flow that does not run yet). */
export function compileFlow(name: string, node: Sourced, around: FlowSurroundings, report: Report): FlowPlan | undefined {
  const where = `flows.${name}`;
  const from = at(node, "from");
  const to = at(node, "to");
  if (!from) report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "from", where, expected: "a connection's stream" }));
  if (!to) report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "to", where, expected: "an entity" }));
  const entity = text(at(to, "entity"));
  const written = at(from, "stream");
  if (!from || !written || entity === undefined) return undefined;

  const stream = source(from, written, around, report);
  const isMapped = !at(node, "map", "use") || at(node, "map", "from") !== undefined;      // every mapping says what it reads: without, it was not found
  if (!stream || !isMapped || ![...around.entities].includes(entity)) return undefined;
  const map = compileMapping(at(node, "map"), report, around.attachments);
  checkFit(node, `${stream.connector.id}.${stream.name}`, entity, report);
  const sweep = at(from, "sweep");
  return {
    name,
    ...optional("title", text(at(node, "title"))),
    enabled: isEnabled(node) && stream.connection.enabled,
    connection: stream.connectionId,
    connector: stream.connection.connector,
    stream: stream.name,
    ...optional("schedule", compileSchedule(from, `${where}.from`, report)),
    ...optional("sweep_seconds", sweep && seconds(sweep, `${where}.from.sweep`, report)),
    ...optional("map", map),
    to: { entity },
    select: selectOf(stream.connector.streams[stream.name]!, map),
    labels: { ...around.labels, ...stream.connection.labels },
    caps: compileCaps(at(node, "caps"), where, report),
    quarantine: { ...QUARANTINE, ...numbers(at(node, "quarantine")) },
  };
}

export function isEnabled(node: Sourced): boolean {
  const written = at(node, "enabled");
  return !written || plain(written) !== false;
}

/** The connection and stream a flow reads: `<connection>.<stream>`, or another connection of the same connector. */
function source(from: Sourced, written: Sourced, around: FlowSurroundings, report: Report) {
  const part = connectionPart(written, at(from, "connection"), around, report);
  if (!part) return undefined;
  const { connectionId, connector, name } = part;
  if (Object.hasOwn(connector.streams, name)) return part;
  report(unknownReference(written.source, "Stream", `${connectionId}.${name}`, Object.keys(connector.streams).map((each) => `${connectionId}.${each}`)));
  return undefined;
}

/** `<connection>.<name>`, looked up as far as the connection. @param named the connection, where it is said apart. */
export function connectionPart(written: Sourced, named: Sourced | undefined, around: Pick<FlowSurroundings, "connections" | "connectors">, report: Report) {
  const whole = text(written) ?? "";
  const dot = whole.indexOf(".");
  const connectionId = text(named) ?? (dot < 0 ? "" : whole.slice(0, dot));
  const name = dot < 0 ? whole : whole.slice(dot + 1);
  const connection = Object.hasOwn(around.connections, connectionId) ? around.connections[connectionId] : undefined;
  if (!connection) {
    report(unknownReference((named ?? written).source, "Connection", connectionId || whole, Object.keys(around.connections)));
    return undefined;
  }
  const connector = Object.hasOwn(around.connectors, connection.connector) ? around.connectors[connection.connector] : undefined;
  return connector && { connectionId, connection, connector, name };                    // an unknown connector is reported at the connection
}

export function compileMapping(node: Sourced | undefined, report: Report, attachments: FlowSurroundings["attachments"]): MappingPlan | undefined {
  if (node?.kind !== "map") return undefined;
  const path = (file: string): string => templatePath(text(at(node, "use")), file);
  const fields: Record<string, FieldPlan> = {};
  const templates: Record<string, { file: string; text: string }> = {};
  for (const [name, field] of members(at(node, "fields"))) {
    const template = at(field, "template");
    const plan = template ? undefined : compileField(field, report);
    if (plan) fields[name] = plan;
    const file = text(template) ?? "";
    // Of a release, what the file said when it was cut.
    const written = text(at(field, "frozen")) ?? (template && attachments.get(path(file)));
    if (written !== undefined) templates[name] = { file, text: written };
    else if (template) report(unknownReference(template.source, "Template", file, [...attachments.keys()].flatMap((each) => (each.startsWith(path("")) && each.endsWith(".hbs") ? [each.slice(path("").length)] : []))));
  }
  return {
    ...optional("id", text(at(node, "use"))), ...optional("where", expression(at(node, "where"))), fields,
    ...(Object.keys(templates).length > 0 ? { templates } : {}),
  };
}

/** Templates lie beside the mapping; those of a flow that has its fields in place, in mappings/. */
export const templatePath = (mapping: string | undefined, file: string): string => ["mappings", ...(mapping ?? "").split("/").slice(0, -1), file].join("/");

function compileField(node: Sourced, report: Report): FieldPlan | undefined {
  if (node.kind === "scalar") return typeof node.value === "string" ? { expression: expression(node)! } : { constant: node.value as number | boolean };
  const [ref, key] = [text(at(node, "ref")), expression(at(node, "key"))];
  if (ref !== undefined && key !== undefined) return { ref, key };
  report(problemAt(node.source, "MANIFEST_WRONG_VALUE", { field: "fields", expected: "an expression, or { ref, key }", actual: JSON.stringify(plain(node)) }));
  return undefined;
}

/** A mapping is written for one thing that it reads and one that it makes; a flow that gives it another is a slip. */
export function checkFit(flow: Sourced, reads: string, makes: string, report: Report): void {
  const map = at(flow, "map");
  const used = at(map, "use");
  const [from, to] = [text(at(map, "from")), text(at(map, "to"))];
  if (!used) return;
  if (from !== undefined && from !== reads) report(problemAt(used.source, "PLAN_MAPPING_MISFIT", { mapping: text(used), does: "reads", expected: from, actual: reads }));
  if (to !== undefined && to !== makes) report(problemAt(used.source, "PLAN_MAPPING_MISFIT", { mapping: text(used), does: "makes", expected: to, actual: makes }));
}

function compileCaps(node: Sourced | undefined, where: string, report: Report): FlowPlan["caps"] {
  const time = at(node, "time");
  return { ...numbers(node), ...optional("seconds", time && seconds(time, `${where}.caps.time`, report)) };
}
