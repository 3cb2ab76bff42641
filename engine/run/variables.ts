/** What expressions and templates of one run may name. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Variables } from "../components/kinds.ts";
import type { JsonObject } from "../manifest/types.ts";
import type { ConnectionPlan, ConnectorPlan } from "../plan/types.ts";

/** The connector's defaults, over them the tree's, over them what was entered, except where the tree locks it. */
export function effectiveConfig(connector: ConnectorPlan, connection: Pick<ConnectionPlan, "config" | "locks"> | undefined, entered: JsonObject): JsonObject {
  const config: Record<string, JsonObject[string]> = {};
  for (const [name, field] of Object.entries(connector.config)) if (field.default !== undefined) config[name] = field.default;
  Object.assign(config, connection?.config);
  for (const [name, value] of Object.entries(entered)) if (connection?.locks.includes(name) !== true) config[name] = value;
  return config;
}

export const isSecret = (connector: ConnectorPlan, field: string): boolean => connector.config[field]?.secret === true;

/** Secrets may be placed in requests; expressions over records and answers never see them. */
export function withoutSecrets(connector: ConnectorPlan, variables: Variables): Variables {
  const config = Object.fromEntries(Object.entries(variables["config"] as JsonObject).filter(([name]) => !isSecret(connector, name)));
  return { ...variables, config };
}

export const secretsOf = (connector: ConnectorPlan, config: JsonObject): string[] =>
  Object.entries(config).flatMap(([name, value]) => (isSecret(connector, name) && (typeof value === "string" || typeof value === "number") ? [String(value)] : []));

/** AUTH_MISSING_CREDENTIAL for the first config field among `reads` that is empty. */
export function missingCredential(connector: ConnectorPlan, connection: string, config: JsonObject, reads: readonly (readonly string[])[]): PlugboardError {
  const named = reads.flatMap(([root, field]) => (root === "config" && field !== undefined ? [field] : []));
  const field = named.find((name) => config[name] === undefined || config[name] === null || config[name] === "") ?? named[0] ?? "auth";
  return new PlugboardError("AUTH_MISSING_CREDENTIAL", { connection, field, title: connector.config[field]?.title ?? field, suggestion: connector.config[field]?.help ?? "" });
}
