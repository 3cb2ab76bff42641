/** What was entered when connecting: config in clear, secrets sealed one by one, and never read back but by a run. */
import { PlugboardError, type ErrorParams } from "../errors/plugboard-error.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { ConfigField, ConnectionPlan, ConnectorPlan } from "../plan/types.ts";
import type { ConnectionValues } from "../run/ports.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { recallConnection } from "./deliveries.ts";
import type { Keyring } from "./keyring.ts";
import { secretPurpose } from "./purposes.ts";
import { noReferences, type ReferenceResolver, type ReferenceUse } from "./references.ts";
import { type ConsentRow, selectConsent } from "./sql/consents.ts";
import { type ConnectionRow, deleteSecret, lockConnection, type SecretRow, selectConnection, selectConnections, selectPreviousSecrets, selectSecrets, updateConnectionStatus, upsertConnection, upsertReference, upsertSecret } from "./sql/connections.ts";
import { wakeSkipped } from "./sql/schedules.ts";

/** The tenant that holds the operator's own connections. */
const OPERATOR = "platform";

export interface Account { readonly id: string; readonly label?: string }

export interface ConnectionEntry {
  readonly connector: string;
  readonly config: JsonObject;
  /** Field → new value; `null` removes it; fields that are not named keep their value. */
  readonly secrets?: Readonly<Record<string, string | null>>;
  /** Field → `env:NAME` or `file:PATH`, instead of its value: checked before by whoever resolves it. */
  readonly references?: Readonly<Record<string, string>>;
  readonly account?: Account;
  /** Who entered it. */
  readonly by?: string;
}

export interface SecretState {
  readonly set: true;
  /** Of the value, or of the reference that stands for it. */
  readonly fingerprint: string;
  /** `env:NAME`: the value is read where it is used. */
  readonly reference?: string;
  readonly updated_at: string;
  readonly updated_by?: string;
}

/** Everything about a connection that may be shown. */
export interface ConnectionState {
  readonly connection: string;
  readonly connector: string;
  readonly config: JsonObject;
  readonly account?: Account;
  readonly status: "untested" | "ok" | "broken" | "disconnected";
  readonly status_detail?: JsonObject;
  readonly status_at?: string;
  /** When the status last became another one. */
  readonly since: string;
  /** A person paused it. */
  readonly paused?: { readonly at: string; readonly by: string };
  /** Somebody signed in at the provider, and what that gave is kept. */
  readonly signed_in: boolean;
  readonly secrets: Readonly<Record<string, SecretState>>;
  readonly updated_at: string;
}

/** Same value again changes nothing about a secret. A new value gets the next version, which its ciphertext is bound to. */
export function setConnection(at: Database | TenantTransaction, keyring: Keyring, tenant: string, connection: string, entry: ConnectionEntry): Promise<void> {
  return inTenant(at, tenant, async (tx) => {
    await tx.run(upsertConnection(tx.tenantId, connection, entry.connector, entry.config, entry.account));
    await tx.run(lockConnection(tx.tenantId, connection));
    const sealer = await keyring.of(tx);
    const known = new Map((await tx.run<SecretRow>(selectSecrets(tx.tenantId, connection))).map((row) => [row.field, row]));
    for (const [field, value] of Object.entries(entry.secrets ?? {})) {
      if (value === null) {
        await tx.run(deleteSecret(tx.tenantId, connection, field));
        continue;
      }
      const before = known.get(field);
      if (before && before.sealed !== null && (await sealer.openFresh(secretPurpose(connection, field, before.version), before.sealed)).equals(Buffer.from(value))) continue;
      const version = (before?.version ?? 0) + 1;
      const sealed = sealer.seal(secretPurpose(connection, field, version), value);
      await tx.run(upsertSecret(tx.tenantId, connection, field, version, sealer.dekVersion, sealed, sealer.fingerprint(value), entry.by));
    }
    for (const [field, reference] of Object.entries(entry.references ?? {})) {
      const before = known.get(field);
      if (before?.ref === reference) continue;
      await tx.run(upsertReference(tx.tenantId, connection, field, (before?.version ?? 0) + 1, sealer.dekVersion, reference, sealer.fingerprint(reference), entry.by));
    }
    await recallConnection(tx, connection);
    await tx.run(wakeSkipped(tx.tenantId, connection));
  });
}

/**
 * Config and secrets for a run, decrypted. For each field the first that has it: what was entered, the tree, for `scope: app`
 * what the operator entered (a connection of the connector of the tenant `platform`), the connector's default. A locked field
 * is the tree's. References are resolved after the transaction, by `references`.
 * @param purpose `check`: also of a connection that may not be used. `verify`: whatever there is, to prove where a request comes from.
 * @throws PlugboardError AUTH_NOT_CONNECTED after a disconnect and while paused; AUTH_ACCOUNT_CHANGED; STORE_REFERENCE, STORE_REFERENCE_REFUSED; AUTH_MISSING_CREDENTIAL for a field that is neither optional, conditional nor the operator's, and has no value.
 */
export async function readConnectionValues(db: Database, keyring: Keyring, tenant: string, connection: string, connector: ConnectorPlan, plan?: Pick<ConnectionPlan, "config" | "locks">, references: ReferenceResolver = noReferences, purpose: "use" | "check" | "verify" = "use"): Promise<ConnectionValues> {
  const hasAppFields = Object.values(connector.config).some(({ scope }) => scope === "app");
  const ofOperator = hasAppFields && tenant !== OPERATOR ? await enteredByOperator(db, keyring, connector.id) : {};
  const { config, named, account } = await inTenant(db, tenant, async (tx) => {
    const [row] = await tx.run<ConnectionRow>(selectConnection(tx.tenantId, connection));
    if (row?.paused_at != null && purpose === "use") throw new PlugboardError("AUTH_NOT_CONNECTED", { connection, state: "paused", suggestion: "Enable it to go on." });
    // With the credential of another account two key spaces would mix.
    if (row?.status_detail?.["code"] === "AUTH_ACCOUNT_CHANGED" && purpose === "use") throw new PlugboardError("AUTH_ACCOUNT_CHANGED", row.status_detail["params"] as ErrorParams);
    if (row?.status === "disconnected" && purpose !== "verify") throw new PlugboardError("AUTH_NOT_CONNECTED", { connection, state: "disconnected", suggestion: "Enter its credential again to go on." });
    // What was entered for another connector is not this one's.
    const entered = row?.connector === connector.id ? await enteredValues(tx, keyring, row) : {};
    const config: Record<string, Json> = {};
    const named: [field: string, reference: Named][] = [];
    for (const [name, field] of Object.entries(connector.config)) {
      const fromTree = plan?.config[name];
      const value = (plan?.locks.includes(name) ? fromTree : entered[name] ?? fromTree) ?? (field.scope === "app" ? ofOperator[name] : undefined) ?? field.default;
      if (value instanceof Named) named.push([name, value]);
      else if (value !== undefined && value !== null) config[name] = value;
      else if (!isOptional(field) && purpose !== "verify") throw new PlugboardError("AUTH_MISSING_CREDENTIAL", { connection, field: name, title: field.title, suggestion: `Enter it: plugboard connect ${tenant} ${connection} --set ${name}=…` });
    }
    const [consent] = row?.consent_id == null ? [] : await tx.run<ConsentRow>(selectConsent(tx.tenantId, row.consent_id));
    return { config, named, account: { ...(row?.account_id == null ? {} : { account: accountOf(row), ...(row.status === "untested" && purpose === "use" ? { unproved: true } : {}) }), ...(consent === undefined ? {} : { callback: consent.callback }) } };
  });
  for (const [field, { reference, use }] of named) config[field] = await references.resolve(reference, use);
  return { config, ...account };
}

/** Secrets that were replaced less than a day ago, by field: what proves where a webhook comes from while its provider switches. */
export const readPreviousSecrets = (db: Database, keyring: Keyring, tenant: string, connection: string): Promise<JsonObject> => inTenant(db, tenant, async (tx) => {
  const sealer = await keyring.of(tx);
  const values: Record<string, Json> = {};
  for (const { field, version, sealed } of await tx.run<{ field: string; version: number; sealed: Buffer }>(selectPreviousSecrets(tx.tenantId, connection))) {
    values[field] = (await sealer.openFresh(secretPurpose(connection, field, version), sealed)).toString("utf8");
  }
  return values;
});

/** A value that is not here: what names it, and whose it is. */
class Named {
  readonly reference: string;
  readonly use: ReferenceUse;

  constructor(reference: string, use: ReferenceUse) {
    this.reference = reference;
    this.use = use;
  }
}
type Entered = Record<string, Json | Named>;

/** Some fields are asked for only in some cases: whether this is one, the request that needs it will say. */
const isOptional = (field: ConfigField): boolean => field.optional === true || field.when !== undefined || field.scope === "app";

async function enteredValues(tx: TenantTransaction, keyring: Keyring, { connection, config }: ConnectionRow): Promise<Entered> {
  const sealer = await keyring.of(tx);
  const values: Entered = { ...config };
  for (const { field, version, sealed, ref } of await tx.run<SecretRow>(selectSecrets(tx.tenantId, connection))) {
    values[field] = sealed === null ? new Named(ref!, { tenant: tx.tenant, connection, field }) : (await sealer.openFresh(secretPurpose(connection, field, version), sealed)).toString("utf8");
  }
  return values;
}

/** What the operator set once for a connector; nothing when there is no such tenant or connection. */
async function enteredByOperator(db: Database, keyring: Keyring, connector: string): Promise<Entered> {
  try {
    return await inTenant(db, OPERATOR, async (tx) => {
      const row = (await tx.run<ConnectionRow>(selectConnections(tx.tenantId))).find((one) => one.connector === connector);
      return row ? await enteredValues(tx, keyring, row) : {};
    });
  } catch (error) {
    if (error instanceof PlugboardError && error.code === "PLAN_UNKNOWN_TENANT") return {};
    throw error;
  }
}

/** @returns undefined when nothing was entered yet. */
export function describeConnection(at: Database | TenantTransaction, tenant: string, connection: string): Promise<ConnectionState | undefined> {
  return inTenant(at, tenant, async (tx) => {
    const [row] = await tx.run<ConnectionRow>(selectConnection(tx.tenantId, connection));
    return row ? stateOf(row, await tx.run<SecretRow>(selectSecrets(tx.tenantId, connection))) : undefined;
  });
}

export function listConnections(at: Database | TenantTransaction, tenant: string): Promise<ConnectionState[]> {
  return inTenant(at, tenant, async (tx) => {
    const states: ConnectionState[] = [];
    for (const row of await tx.run<ConnectionRow>(selectConnections(tx.tenantId))) {
      states.push(stateOf(row, await tx.run<SecretRow>(selectSecrets(tx.tenantId, row.connection))));
    }
    return states;
  });
}

/** What a check or a run found out about the credential; deliveries and flows that waited for a good one are due. False: there is no such connection. */
export function setConnectionStatus(at: Database | TenantTransaction, tenant: string, connection: string, status: ConnectionState["status"], detail?: JsonObject, account?: Account): Promise<boolean> {
  return inTenant(at, tenant, async (tx) => {
    const known = (await tx.run(updateConnectionStatus(tx.tenantId, connection, status, detail, account))).length === 1;
    if (status === "ok") {
      await recallConnection(tx, connection);
      await tx.run(wakeSkipped(tx.tenantId, connection));
    }
    return known;
  });
}

const accountOf = (row: ConnectionRow): Account => ({ id: row.account_id!, ...(row.account_label === null ? {} : { label: row.account_label }) });

const stateOf = (row: ConnectionRow, secrets: readonly SecretRow[]): ConnectionState => ({
  connection: row.connection, connector: row.connector, config: row.config,
  ...(row.account_id === null ? {} : { account: accountOf(row) }),
  status: row.status,
  ...(row.status_detail === null ? {} : { status_detail: row.status_detail }),
  ...(row.status_at === null ? {} : { status_at: row.status_at.toISOString() }),
  since: row.since.toISOString(), signed_in: row.consent_id !== null,
  ...(row.paused_at === null ? {} : { paused: { at: row.paused_at.toISOString(), by: row.paused_by ?? "" } }),
  secrets: Object.fromEntries(secrets.map(({ field, fingerprint, ref, updated_at, updated_by }) =>
    [field, { set: true as const, fingerprint, ...(ref === null ? {} : { reference: ref }), updated_at: updated_at.toISOString(), ...(updated_by === null ? {} : { updated_by }) }])),
  updated_at: row.updated_at.toISOString(),
});
