/** References on the command line: `--ref token=env:HUBSPOT_TOKEN`, and what this installation lets them read. */
import { suggest } from "../../engine/errors/nearest.ts";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { Workspace } from "../../engine/manifest/types.ts";
import type { ConnectionPlan, ConnectorPlan } from "../../engine/plan/types.ts";
import type { ConnectionState, ReferenceResolver } from "../../engine/store/index.ts";
import { settingsOf } from "../settings.ts";
import { createReferences, type ReferenceScheme } from "../references.ts";
import { createVault, type VaultSettings } from "../vault.ts";
import { allowedVariables } from "../workspace/locate.ts";

export const referencesOf = (workspace: Workspace, environment: NodeJS.ProcessEnv): ReferenceResolver =>
  createReferences({ environment, ...allowedVariables(workspace), secretsDir: environment["PLUGBOARD_SECRETS_DIR"]?.trim() || undefined, ...vaultScheme(settingsOf(environment).vault) });

const vaultScheme = (settings: VaultSettings | undefined): { schemes?: { vault: ReferenceScheme } } => (settings === undefined ? {} : { schemes: { vault: createVault(settings).scheme } });

/**
 * Field → reference, each one allowed here.
 * @throws PlugboardError CLI_USAGE for what is no secret field, PLAN_LOCKED, STORE_REFERENCE_REFUSED
 */
export function givenReferences(connector: ConnectorPlan, connection: { readonly tenant: string; readonly id: string; readonly plan?: ConnectionPlan | undefined }, refs: readonly string[], resolver: ReferenceResolver): Readonly<Record<string, string>> {
  const references: Record<string, string> = {};
  for (const ref of refs) {
    const equals = ref.indexOf("=");
    if (equals < 1) throw usage(`--ref takes field=reference, not '${ref}'.`, "For example: --ref token=env:HUBSPOT_TOKEN");
    const [field, reference] = [ref.slice(0, equals), ref.slice(equals + 1)];
    const declared = connector.config[field];
    if (!declared) throw usage(`Connector '${connector.id}' has no config field '${field}'.`, suggest(field, Object.keys(connector.config)));
    if (!declared.secret) throw usage(`Config field '${field}' is no secret: it is stored as it is.`, `--set ${field}=…`);
    if (connection.plan?.locks.includes(field)) throw new PlugboardError("PLAN_LOCKED", { path: `connections.${connection.id}.config.${field}`, by: "the preset" });
    resolver.check(reference, { tenant: connection.tenant, connection: connection.id, field });
    references[field] = reference;
  }
  return references;
}

/** A value that only happens to stand in the environment replaces no reference; one that was typed (`--set`) does. */
export function withoutReferenced(secrets: Readonly<Record<string, string>>, sets: readonly string[], references: Readonly<Record<string, string>>, before: ConnectionState | undefined): Record<string, string> {
  const typed = (field: string): boolean => sets.some((set) => set.startsWith(`${field}=`));
  return Object.fromEntries(Object.entries(secrets).filter(([field]) => references[field] === undefined && (before?.secrets[field]?.reference === undefined || typed(field))));
}

const usage = (detail: string, suggestion: string): PlugboardError => new PlugboardError("CLI_USAGE", { detail, suggestion });
