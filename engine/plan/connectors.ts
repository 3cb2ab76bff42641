/** The connectors of a tenant's connections: catalogue, workspace, and what a connection lays over them; every fragment laid out. */
import type { Problem } from "../errors/plugboard-error.ts";
import type { Workspace } from "../manifest/types.ts";
import { layered, merge, prune } from "./merge.ts";
import { unknownReference, type Report } from "./problems.ts";
import { expandPart } from "./reuse.ts";
import { ACTION, CONNECTOR, QUEUE, STREAM, WEBHOOK } from "./shape.ts";
import { asMap, at, map, members, sourced, text, withMembers, type Source, type Sourced, type SourcedMap } from "./sourced.ts";

export interface Connectors {
  /** By key: a connector's id, or `<connector>/<connection>` where the connection lays something over it. */
  readonly tree: SourcedMap;
  /** Connection → key. */
  readonly keys: ReadonlyMap<string, string>;
}

export function effectiveConnectors(workspace: Workspace, connections: SourcedMap, source: Source, report: Report): Connectors {
  const connectors = new Map<string, Sourced>();
  const keys = new Map<string, string>();
  for (const [id, connection] of members(connections)) {
    const named = at(connection, "connector");
    const name = text(named);
    if (!named || name === undefined) continue;
    const own = ownParts(connection);
    const key = own ? `${name}/${id}` : name;
    keys.set(id, key);
    if (connectors.has(key)) continue;
    if (!workspace.connectors.has(name)) {
      report(unknownReference(named.source, "Connector", name, workspace.connectors.keys()));
      continue;
    }
    const { connector, problems } = own ? expandConnector(workspace, name, key, own) : sharedConnector(workspace, name);
    connectors.set(key, connector);
    problems.forEach(report);
  }
  return { tree: map(source, connectors), keys };
}

/** A connection's own streams, limits and errors, where a connector has them. `null`s count: they take something away. */
function ownParts(connection: Sourced): SourcedMap | undefined {
  const parts = (...names: readonly string[]) => names.flatMap((name) => {
    const part = at(connection, name);
    return part?.kind === "map" && part.entries.size > 0 ? [[name, part] as const] : [];
  });
  const { source } = connection;
  const [streams, http] = [parts("streams"), parts("limits", "errors")];
  if (streams.length + http.length === 0) return undefined;
  return map(source, [...streams, ...(http.length > 0 ? [["http", map(source, http)] as const] : [])]);
}

/** Where fragments are used, and as what. */
const ROOMS = [["streams", STREAM], ["actions", ACTION], ["webhooks", WEBHOOK], ["queues", QUEUE]] as const;

interface Expanded { readonly connector: SourcedMap; readonly problems: readonly Problem[] }
const sharedConnectors = new WeakMap<Workspace, Map<string, Expanded>>();

/** A connector over which no connection lays anything is the same for every tenant of a workspace. */
function sharedConnector(workspace: Workspace, name: string): Expanded {
  const known = sharedConnectors.get(workspace) ?? new Map<string, Expanded>();
  sharedConnectors.set(workspace, known);
  const expanded = known.get(name) ?? expandConnector(workspace, name, name);
  known.set(name, expanded);
  return expanded;
}

function expandConnector(workspace: Workspace, name: string, key: string, own?: SourcedMap): Expanded {
  const problems: Problem[] = [];
  const layers = workspace.connectors.get(name)!.map((manifest) => sourced(manifest, manifest.layer));
  const connector = merge(layered(layers, CONNECTOR), own, CONNECTOR) as SourcedMap;
  const fragments = layers.map((layer) => at(layer, "fragments"));
  const expanded = ROOMS.flatMap(([room, shape]): (readonly [string, SourcedMap])[] => {
    const parts = at(connector, room);
    if (parts?.kind !== "map") return room === "streams" ? [[room, asMap(parts, connector.source)]] : [];
    const entries = members(parts).map(([part, node]) => [part, expandPart(node, shape, fragments, `connectors.${key}`, (problem) => void problems.push(problem))] as const);
    return [[room, { ...parts, entries: new Map(entries) }]];
  });
  const whole = withMembers(connector, { fragments: undefined, ...Object.fromEntries(expanded) });
  return { connector: prune(whole, CONNECTOR) as SourcedMap, problems };
}
