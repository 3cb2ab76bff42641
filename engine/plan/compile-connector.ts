/** From a connector of the effective tree to a ConnectorPlan. */
import { schemaOf } from "../manifest/record-schema.ts";
import type { Json, JsonObject, Workspace } from "../manifest/types.ts";
import { compileCursor } from "./compile-cursor.ts";
import { compileAction } from "./compile-action.ts";
import { compileQueue, compileWebhook } from "./compile-feed.ts";
import { bytes, compileErrors, compileRequest, component, expression, expressions, named, ONLY, optional, record, seconds, value } from "./compile-request.ts";
import { hostsOf } from "./hosts.ts";
import { problemAt, type Report } from "./problems.ts";
import { at, members, plain, text, type Sourced } from "./sourced.ts";
import type { CheckPlan, ConfigField, ConnectorPlan, DoorPlan, HttpPlan, LimitPlan, StreamPlan, TimeoutsPlan, Value } from "./types.ts";


/** @param key the connector's key in the plan: its id, or `<id>/<connection>`. */
export function compileConnector(node: Sourced, key: string, workspace: Workspace, report: Report): ConnectorPlan {
  const id = text(at(node, "connector")) ?? key;
  const where = `connectors.${key}`;
  const streams = members(at(node, "streams")).map(([name, stream]) => [name, compileStream(stream, `${where}.streams.${name}`, id, workspace, report)] as const);
  /** What cannot be compiled is left out, and told. */
  const parts = <T>(room: string, compile: (part: Sourced, name: string) => T | undefined): Record<string, T> | undefined => {
    const compiled = members(at(node, room)).flatMap(([name, part]) => {
      const plan = compile(part, name);
      return plan === undefined ? [] : [[name, plan] as const];
    });
    return compiled.length === 0 ? undefined : Object.fromEntries(compiled);
  };
  return {
    id,
    title: text(at(node, "title")) ?? id,
    ...optional("category", text(at(node, "category"))),
    config: record(at(node, "config"), (field) => plain(field) as unknown as ConfigField),
    ...optional("http", compileHttp(at(node, "http"), where, report)),
    ...optional("check", compileCheck(at(node, "check"), where, report)),
    streams: Object.fromEntries(streams),
    ...optional("actions", parts("actions", (part, name) => compileAction(part, `${where}.actions.${name}`, report))),
    ...optional("webhooks", parts("webhooks", (part, name) => compileWebhook(part, `${where}.webhooks.${name}`, report))),
    ...optional("queues", parts("queues", (part, name) => compileQueue(part, `${where}.queues.${name}`, report))),
  };
}

function compileHttp(node: Sourced | undefined, where: string, report: Report): HttpPlan | undefined {
  if (node?.kind !== "map") return undefined;
  const auth = named(at(node, "auth"));
  const common = (key: "headers" | "query"): Record<string, Value> => {
    const written = at(node, key);
    if (written?.kind === "scalar") report(problemAt(written.source, "MANIFEST_WRONG_TYPE", { field: `${where}.http.${key}`, expected: "a map: what every request sends is known by name", actual: "one expression", suggestion: "write the expression at the requests that need it" }));
    return record(written, plain) as Record<string, Value>;
  };
  return {
    base_url: text(at(node, "base_url")) ?? "",
    hosts: hostsOf(node, report),
    headers: common("headers"),
    query: common("query"),
    ...optional("auth", auth),
    limits: record(at(node, "limits"), (limit, name) => compileLimit(limit, `${where}.http.limits.${name}`, report)),
    errors: compileErrors(at(node, "errors")),
    timeouts: record(at(node, "timeouts"), (each, name) => seconds(each, `${where}.http.timeouts.${name}`, report) ?? 0) as Partial<TimeoutsPlan>,
    ...optional("max_body_bytes", bytes(at(node, "max_body"))),
  };
}

function compileLimit(node: Sourced, where: string, report: Report): LimitPlan {
  const every = at(node, "every");
  const { every: _, per, ...rest } = plain(node) as Record<string, Json>;
  return { per: (per ?? "account") as LimitPlan["per"], ...rest, ...optional("every_seconds", every && seconds(every, `${where}.every`, report)) };
}

function compileCheck(node: Sourced | undefined, where: string, report: Report): CheckPlan | undefined {
  if (node?.kind !== "map") return undefined;
  const by = at(node, "by");
  const blocks = by ? members(node).filter(([name]) => name !== "by") : [[ONLY, node] as const];
  const named = blocks.flatMap(([name, block]) => {
    const request = compileRequest(block, by ? `${where}.check.${name}` : `${where}.check`, report);
    return request ? [[name, { request, ...optional("each", expression(at(block, "each"))), ...optional("account", expression(at(block, "account"))), ...optional("label", expression(at(block, "label"))) }] as const] : [];
  });
  return { ...optional("by", expression(by)), named: Object.fromEntries(named) };
}

function compileStream(node: Sourced, where: string, connector: string, workspace: Workspace, report: Report): StreamPlan {
  const keys = at(node, "key");
  if (!keys) report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "key", where, expected: "the expression that identifies a record" }));
  const door = (name: string) => compileDoor(at(node, name), `${where}.${name}`, report);
  const one = at(node, "one");
  const request = one && compileRequest(one, `${where}.one`, report);
  return {
    with: (value(at(node, "with")) ?? {}) as JsonObject,
    key: expressions(keys),
    ...optional("version", expression(at(node, "version"))),
    ...optional("list", door("list")),
    ...optional("changes", door("changes")),
    ...(one && request ? { one: { request, ...optional("records", expression(at(one, "records"))), ...optional("gone", expression(at(one, "gone"))) } } : {}),
    ...optional("cursor", compileCursor(at(node, "cursor"))),
    ...optional("select", text(at(node, "select"))),
    types: record(at(node, "types"), (each) => text(each) ?? ""),
    errors: compileErrors(at(node, "errors")),
    ...optional("schema", schemaOf(value(at(node, "schema")), connector, workspace)),
  };
}

function compileDoor(node: Sourced | undefined, where: string, report: Report): DoorPlan | undefined {
  const request = node && compileRequest(node, where, report);
  if (!request) return undefined;
  return { request, records: expression(at(node, "records")) ?? "$", ...optional("pagination", component(at(node, "pagination"), "none")) };
}
