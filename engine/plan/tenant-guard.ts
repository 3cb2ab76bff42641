/** What a tenant's file may not say: it is reported and left out, so that the preset's value stays in force. */
import { problemAt, type Report } from "./problems.ts";
import { at, plain, withMembers, type Sourced, type SourcedMap } from "./sourced.ts";

/** Where a credential goes and how it is used is the connector's alone. */
const FORBIDDEN_IN_CONNECTION = ["http", "auth", "hosts", "base_url", "tls", "check"];
const FORBIDDEN_IN_REQUEST = ["auth", "hosts", "base_url", "tls"];
const DOORS = ["list", "changes", "one"];

/** @param tenant normalised; @param preset what it is laid over. */
export function guardTenant(tenant: SourcedMap, preset: Sourced | undefined, report: Report): SourcedMap {
  const connections = at(tenant, "connections");
  const kept = connections?.kind === "map"
    ? { ...connections, entries: new Map([...connections.entries].map(([id, connection]) => [id, guardConnection(id, connection, at(preset, "connections", id), report)])) }
    : connections;
  return withMembers(without(tenant, ["connectors", "http"], "", report), { connections: kept });
}

function guardConnection(id: string, written: Sourced, preset: Sourced | undefined, report: Report): Sourced {
  if (written.kind !== "map") return written;
  const path = `connections.${id}.`;
  const connection = without(written, FORBIDDEN_IN_CONNECTION, path, report);
  const streams = at(connection, "streams");
  return withMembers(connection, {
    config: keepLocked(connection, preset, `${path}config.`, report),
    locks: locksOfBoth(connection.entries.get("locks"), at(preset, "locks")),
    streams: streams?.kind === "map"
      ? { ...streams, entries: new Map([...streams.entries].map(([name, stream]) => [name, guardStream(stream, `${path}streams.${name}.`, report)])) }
      : streams,
  });
}

function guardStream(stream: Sourced, path: string, report: Report): Sourced {
  if (stream.kind !== "map") return stream;
  const doors = DOORS.flatMap((door) => {
    const request = at(stream, door);
    return request?.kind === "map" ? [[door, without(request, FORBIDDEN_IN_REQUEST, `${path}${door}.`, report)] as const] : [];
  });
  return withMembers(stream, Object.fromEntries(doors));
}

function without(node: SourcedMap, forbidden: readonly string[], path: string, report: Report): SourcedMap {
  const found = forbidden.filter((key) => node.entries.has(key));
  for (const key of found) report(problemAt(node.entries.get(key)!.source, "PLAN_FORBIDDEN_OVERRIDE", { path: path + key }, { part: "key" }));
  return withMembers(node, Object.fromEntries(found.map((key) => [key, undefined])));
}

function keepLocked(connection: SourcedMap, preset: Sourced | undefined, path: string, report: Report): Sourced | undefined {
  const config = connection.entries.get("config");
  const locks = at(preset, "locks");
  if (config?.kind !== "map" || locks?.kind !== "list") return config;
  const changed = locks.items.map((lock) => String(plain(lock))).filter((key) => config.entries.has(key));
  for (const key of changed) report(problemAt(config.entries.get(key)!.source, "PLAN_LOCKED", { path: path + key, by: "the preset" }, { part: "key" }));
  return withMembers(config, Object.fromEntries(changed.map((key) => [key, undefined])));
}

/** Locks only grow: a tenant's list adds to the preset's. */
function locksOfBoth(tenant: Sourced | undefined, preset: Sourced | undefined): Sourced | undefined {
  if (preset?.kind !== "list" || !tenant) return tenant;
  if (tenant.kind !== "list") return undefined;
  const own = tenant.items.filter((item) => !preset.items.some((lock) => plain(lock) === plain(item)));
  return { ...tenant, items: [...preset.items, ...own] };
}

