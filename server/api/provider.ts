/** What `:provider` in a path means for one tenant: a connection's name, or the connector of exactly one connection. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { suggest } from "../../engine/errors/nearest.ts";
import type { FlowPlan, TenantPlan } from "../../engine/plan/types.ts";

/**
 * The connection that is meant.
 * @param asked `?connection=`, which picks one where the provider fits several.
 * @throws PlugboardError SERVER_NOT_FOUND, or SERVER_AMBIGUOUS naming the connections.
 */
export function connectionOf(plan: TenantPlan, provider: string, asked?: string): string {
  const fitting = Object.entries(plan.connections).filter(([name]) => name === provider || connectorOf(plan, name) === provider).map(([name]) => name);
  if (fitting.length === 0) {
    const known = new Set(Object.keys(plan.connections).flatMap((name) => [name, connectorOf(plan, name)]));
    throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Provider", name: provider, suggestion: suggest(provider, known) });
  }
  if (asked !== undefined) {
    if (!fitting.includes(asked)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: `Connection of '${provider}'`, name: asked, suggestion: suggest(asked, fitting) });
    return asked;
  }
  if (fitting.length > 1) throw new PlugboardError("SERVER_AMBIGUOUS", { name: provider, candidates: fitting.join(", ") });
  return fitting[0]!;
}

/** Id of a connection's connector, also where the connection lays something of its own over it. */
export function connectorOf(plan: TenantPlan, connection: string): string {
  const key = plan.connections[connection]!.connector;
  return plan.connectors[key]?.id ?? key;
}

/** The flows that read a connection, by name. */
export const flowsOf = (plan: TenantPlan, connection: string): readonly FlowPlan[] =>
  Object.values(plan.flows).filter((flow) => flow.connection === connection).toSorted((a, b) => a.name.localeCompare(b.name));

/**
 * The flows that a sync starts: the connection's enabled ones, all or those that write the entities asked for.
 * @throws PlugboardError SERVER_BAD_REQUEST for an entity that no flow of the connection writes, SERVER_NOTHING_TO_SYNC when none is enabled.
 */
export function flowsToSync(plan: TenantPlan, connection: string, entities: readonly string[] | undefined): readonly FlowPlan[] {
  const flows = flowsOf(plan, connection);
  const written = new Set(flows.map(({ to }) => to.entity));
  const unknown = entities?.find((entity) => !written.has(entity));
  if (unknown !== undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `No flow of connection '${connection}' writes '${unknown}'.`, field: "body.entities", suggestion: suggest(unknown, [...written]) });
  const enabled = flows.filter((flow) => flow.enabled && (entities === undefined || entities.includes(flow.to.entity)));
  if (enabled.length === 0 || !plan.connections[connection]!.enabled) throw new PlugboardError("SERVER_NOTHING_TO_SYNC", { connection });
  return enabled;
}
