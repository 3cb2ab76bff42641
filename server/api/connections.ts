/** Entering, checking and showing a connection: what the routes of connections and of integrations share. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { suggest } from "../../engine/errors/nearest.ts";
import type { ConnectionPlan, ConnectorPlan, TenantPlan } from "../../engine/plan/index.ts";
import { checkConnection, type Account, type CheckPorts } from "../../engine/run/check-connection.ts";
import { systemClock } from "../../engine/run/system-clock.ts";
import { buckets, describeConnection, forgetTokens, listConnections, lockForEntry, readConnectionValues, setConnection, setConnectionStatus, tokenStore, withTenant, type ConnectionState } from "../../engine/store/index.ts";
import { acceptValues, known, missingFields, type Context, type Entered } from "./connection-values.ts";
import { InvalidValues } from "./errors.ts";
import type { Services } from "./services.ts";

/** A person waits for it. */
const CHECK_SECONDS = 30;
const CHECK_TRIES = 2;
/** The tenant that holds the operator's own connections. */
const OPERATOR = "platform";

export interface Planned { readonly name: string; readonly plan: TenantPlan; readonly connection: ConnectionPlan; readonly connector: ConnectorPlan }

/** @throws PlugboardError SERVER_NOT_FOUND naming the connections there are. */
export function plannedConnection(plan: TenantPlan, name: string): Planned {
  const connection = Object.hasOwn(plan.connections, name) ? plan.connections[name] : undefined;
  const connector = connection && plan.connectors[connection.connector];
  if (!connection || !connector) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Connection", name, suggestion: suggest(name, Object.keys(plan.connections)) });
  return { name, plan, connection, connector };
}

/** Fields of `scope: app` that the operator has set, by connector. */
export async function operatorFields(db: Services["db"]): Promise<ReadonlyMap<string, readonly string[]>> {
  const states = await listConnections(db, OPERATOR).catch((thrown: unknown) => {
    if (thrown instanceof PlugboardError && thrown.code === "PLAN_UNKNOWN_TENANT") return [];
    throw thrown;
  });
  const fields = new Map<string, string[]>();
  // As a run reads them: of the operator's connections of a connector, the first.
  for (const { connector, config, secrets } of states) if (!fields.has(connector)) fields.set(connector, [...Object.keys(config), ...Object.keys(secrets)]);
  return fields;
}

export async function connectionView({ name, connection, connector }: Planned, state: ConnectionState | undefined): Promise<object> {
  const secretFields = Object.entries(connector.config).filter(([, { secret }]) => secret === true).map(([field]) => field);
  return {
    connection: name, connector: connector.id, title: connector.title, enabled: connection.enabled,
    status: state?.status ?? "not_connected", detail: hasMembers(state?.status_detail) ? state!.status_detail : null, status_at: state?.status_at ?? null, account: state?.account ?? null,
    config: known(state?.config ?? {}, connector), defaults: known(connection.config, connector), locked: connection.locks,
    secrets: Object.fromEntries(secretFields.map((field) => [field, state?.secrets[field] ?? { set: false }])),
    missing: await missingFields(contextOf(connection, connector, state)), updated_at: state?.updated_at ?? null,
  };
}

const hasMembers = (value: object | undefined): boolean => value !== undefined && Object.keys(value).length > 0;

const contextOf = (plan: ConnectionPlan, connector: ConnectorPlan, state: ConnectionState | undefined, ofOperator: readonly string[] = []): Context => ({ connector, plan, state, ofOperator });

/**
 * Stores what was entered, or nothing of it.
 * @returns the secrets that were forgotten because they would have gone to another host.
 * @throws InvalidValues with every problem.
 */
export async function enterValues({ db, keyring }: Services, tenant: string, { name, connection, connector }: Planned, entered: Entered, by: string): Promise<readonly string[]> {
  const ofOperator = (await operatorFields(db)).get(connector.id) ?? [];
  return withTenant(db, tenant, async (tx) => {
    const state = (await lockForEntry(tx, name, connector.id)) ? await describeConnection(tx, tenant, name) : undefined;
    const { problems, config, secrets, cleared } = await acceptValues(entered, contextOf(connection, connector, state, ofOperator));
    if (problems.length > 0) throw new InvalidValues(name, problems);
    await setConnection(tx, keyring, tenant, name, { connector: connector.id, config, secrets, by });
    await forgetTokens(tx, name);
    return cleared;
  });
}

export interface Checked {
  readonly ok: boolean;
  /** False: the connector has no check, so nothing was proved. */
  readonly checked: boolean;
  readonly accounts: readonly Account[];
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | null;
}

/**
 * Asks the provider. What it refuses is an answer, not an error.
 * @throws PlugboardError AUTH_MISSING_CREDENTIAL, AUTH_NOT_CONNECTED: there is nothing to ask with.
 */
export async function runCheck(services: Services, tenant: string, planned: Planned, log: CheckPorts["log"]): Promise<Checked> {
  const { db, keyring, references } = services;
  const { name, plan, connection, connector } = planned;
  const values = await readConnectionValues(db, keyring, tenant, name, connector, connection, references);
  if (connector.check === undefined || connector.http === undefined) return { ok: true, checked: false, accounts: [], error: null };
  const signal = AbortSignal.timeout(CHECK_SECONDS * 1000);
  try {
    const { accounts, account } = await checkConnection({ tenant: plan.tenant, connection: name, connector, plan: connection, values, signal, tries: CHECK_TRIES }, portsOf(services, tenant, name, log));
    await setConnectionStatus(db, tenant, name, "ok", {}, account);
    return { ok: true, checked: true, accounts, error: null };
  } catch (thrown) {
    const error = signal.aborted ? new PlugboardError("RUN_TIMEOUT", { request: "The check", limit: "total", seconds: CHECK_SECONDS }) : thrown;
    if (!(error instanceof PlugboardError) || !/^(AUTH|RUN)_/.test(error.code)) throw thrown;
    const said = { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
    // Only a refusal says something about the credential; a provider that is down does not.
    if (error.code.startsWith("AUTH_")) await setConnectionStatus(db, tenant, name, "broken", said);
    return { ok: false, checked: true, accounts: [], error: said };
  }
}

export const portsOf = ({ db, keyring, transport }: Services, tenant: string, connection: string, log: CheckPorts["log"]): CheckPorts =>
  ({ transport, buckets: buckets(db), clock: systemClock, token: tokenStore(db, keyring, tenant, connection), log });
