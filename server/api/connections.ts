/** Entering, checking and showing a connection: what the routes of connections and of integrations share. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { suggest } from "../../engine/errors/nearest.ts";
import type { ConnectionPlan, ConnectorPlan, TenantPlan } from "../../engine/plan/index.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import { checkConnection, type Account, type CheckPorts } from "../../engine/run/check-connection.ts";
import { live } from "../../engine/run/redact.ts";
import { systemClock } from "../../engine/run/system-clock.ts";
import {
  buckets, describeConnection, forgetTokens, lastRuns, listConnections, listSchedules, lockForEntry, readConnectionValues, recordAudit, setConnection, setConnectionStatus, tokenStore, useConsent, withTenant,
  type Actor, type ConnectionState, type Keyring, type LastRun, type ScheduleState, type TenantTransaction,
} from "../../engine/store/index.ts";
import { adopt } from "../connecting/adopt.ts";
import { standingOf } from "../connecting/standing.ts";
import { acceptValues, known, missingFields, signsInWith, type Accepted, type Context, type Entered } from "./connection-values.ts";
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

/** What tells how connections stand, beside what is stored for each of them. */
export interface Lately { readonly runs: readonly LastRun[]; readonly schedules: readonly ScheduleState[] }

export const lately = async (db: Services["db"], tenant: string): Promise<Lately> => ({ runs: await lastRuns(db, tenant), schedules: await listSchedules(db, tenant) });

export async function connectionView({ name, plan, connection, connector }: Planned, state: ConnectionState | undefined, { runs, schedules }: Lately): Promise<object> {
  const missing = await missingFields(contextOf(plan.tenant.id, connection, connector, state));
  const lacksSignIn = state?.signed_in !== true && (await signsInWith({ connector, plan: connection }, state?.config ?? {}));
  const secretFields = Object.entries(connector.config).filter(([, { secret }]) => secret === true).map(([field]) => field);
  return {
    connection: name, connector: connector.id, title: connector.title, enabled: connection.enabled,
    state: standingOf(plan, name, state, lacksSignIn ? [...missing, `a sign-in at ${connector.title}`] : missing, runs, schedules), signed_in: state?.signed_in ?? false, paused: state?.paused ?? null,
    status: state?.status ?? "not_connected", detail: shownDetail(state), status_at: state?.status_at ?? null, account: state?.account ?? null,
    config: known(state?.config ?? {}, connector), defaults: known(connection.config, connector), locked: connection.locks,
    secrets: Object.fromEntries(secretFields.map((field) => [field, state?.secrets[field] ?? { set: false }])),
    missing, updated_at: state?.updated_at ?? null,
  };
}

/** Code, message and hint: what else stands there is for the engine. */
export function shownDetail(state: ConnectionState | undefined): object | null {
  const { code, message, hint } = state?.status_detail ?? {};
  return code === undefined ? null : { code, message, ...(hint === undefined ? {} : { hint }) };
}

const contextOf = (tenant: string, plan: ConnectionPlan, connector: ConnectorPlan, state: ConnectionState | undefined, ofOperator: readonly string[] = []): Context => ({ connector, plan, state, ofOperator, isOperators: tenant === OPERATOR });

/**
 * Stores what was entered, or nothing of it; with a line in the audit log.
 * @returns the secrets that were forgotten because they would have gone to another host.
 * @throws InvalidValues with every problem; PlugboardError STORE_REFERENCE_REFUSED
 */
export async function enterValues({ db, keyring, references }: Services, tenant: string, { name, connection, connector }: Planned, entered: Entered, actor: Actor): Promise<readonly string[]> {
  const ofOperator = (await operatorFields(db)).get(connector.id) ?? [];
  for (const value of Object.values(entered.secrets ?? {})) if (typeof value === "string") live.learn(value, tenant);
  return withTenant(db, tenant, async (tx) => {
    const state = (await lockForEntry(tx, name, connector.id)) ? await describeConnection(tx, tenant, name) : undefined;
    const { problems, config, secrets, references: named, cleared, moved } = await acceptValues(entered, contextOf(tenant, connection, connector, state, ofOperator));
    if (problems.length > 0) throw new InvalidValues(name, problems);
    for (const [field, reference] of Object.entries(named)) references.check(reference, { tenant, connection: name, field });
    await storeValues(tx, keyring, { name, connector }, state, { config, secrets, references: named, moved }, actor);
    return cleared;
  });
}

/** @param state of the connection, locked for entry. */
export async function storeValues(tx: TenantTransaction, keyring: Keyring, { name, connector }: Pick<Planned, "name" | "connector">, state: ConnectionState | undefined, { config, secrets, references, moved }: Pick<Accepted, "config" | "secrets" | "references" | "moved">, actor: Actor): Promise<void> {
  await setConnection(tx, keyring, tx.tenant, name, { connector: connector.id, config, secrets, references, by: actor.name });
  await forgetTokens(tx, name);
  // What somebody's sign-in gave goes to the hosts it was given for, and nowhere else.
  if (moved) await useConsent(tx, keyring, name, undefined);
  await recordAudit(tx, tx.tenant, { actor, action: "connection.entered", subject: { kind: "connection", id: name }, ...audited("before", state), ...audited("after", await describeConnection(tx, tx.tenant, name)) });
}

/** Config, and of secrets their fingerprints. */
const audited = (when: "before" | "after", state: ConnectionState | undefined): object =>
  (state === undefined ? {} : { [when]: { config: state.config, secrets: Object.fromEntries(Object.entries(state.secrets).map(([field, { fingerprint, reference }]) => [field, reference ?? fingerprint])) } });

export interface Checked {
  readonly ok: boolean;
  /** False: the connector has no check, so nothing was proved. */
  readonly checked: boolean;
  readonly accounts: readonly Account[];
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | null;
}

/**
 * Asks the provider. What it refuses is an answer, not an error.
 * @param startOver take another account than before, and forget what the one before brought; null keeps it.
 * @throws PlugboardError AUTH_MISSING_CREDENTIAL, AUTH_NOT_CONNECTED: there is nothing to ask with.
 */
export async function runCheck(services: Services, tenant: string, planned: Planned, log: CheckPorts["log"], startOver: { readonly by: Actor; readonly picked?: string | undefined } | null = null): Promise<Checked> {
  const { db, keyring, references } = services;
  const { name, plan, connection, connector } = planned;
  const values = await readConnectionValues(db, keyring, tenant, name, connector, connection, references, "check");
  if (connector.check === undefined || connector.http === undefined) return { ok: true, checked: false, accounts: [], error: null };
  const { account: before, ...unnamed } = values;
  const signal = AbortSignal.timeout(CHECK_SECONDS * 1000);
  try {
    const { accounts, account } = await checkConnection({ tenant: plan.tenant, connection: name, connector, plan: connection, values: startOver === null ? values : unnamed, signal, tries: CHECK_TRIES }, portsOf(services, tenant, name, log));
    if (startOver === null) await setConnectionStatus(db, tenant, name, "ok", {}, account);
    else await withTenant(db, tenant, async (tx) => {
      const adopted = await adopt(tx, keyring, { connection: name, connector: connector.id, accounts, picked: startOver.picked, startOver: true });
      await recordAudit(tx, tenant, { actor: startOver.by, action: "connection.started_over", subject: { kind: "connection", id: name }, ...(before === undefined ? {} : { before: { account: before.id } }), after: JSON.parse(JSON.stringify(adopted)) as JsonObject });
    });
    return { ok: true, checked: true, accounts, error: null };
  } catch (thrown) {
    const error = signal.aborted ? new PlugboardError("RUN_TIMEOUT", { request: "The check", limit: "total", seconds: CHECK_SECONDS }) : thrown;
    if (!(error instanceof PlugboardError) || !/^(AUTH|RUN)_/.test(error.code)) throw thrown;
    const said = { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
    // Only a refusal says something about the credential; a provider that is down does not.
    if (isRefusal(error)) await setConnectionStatus(db, tenant, name, "broken", { ...said, ...(error.code === "AUTH_ACCOUNT_CHANGED" ? { params: error.params as JsonObject } : {}) });
    return { ok: false, checked: true, accounts: [], error: said };
  }
}

/** A token request that failed may pass; every other AUTH_ error is about the credential. */
const isRefusal = ({ code }: PlugboardError): boolean => code.startsWith("AUTH_") && code !== "AUTH_TOKEN_REQUEST";

export const portsOf = ({ db, keyring, transport }: Services, tenant: string, connection: string, log: CheckPorts["log"]): CheckPorts =>
  ({ transport, buckets: buckets(db), clock: systemClock, token: tokenStore(db, keyring, tenant, connection), log });
