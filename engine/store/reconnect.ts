/** Connecting anew, pausing and disconnecting: what happens to a connection beside its values. */
import type { Account } from "./connections.ts";
import type { EndedConsent } from "./consents.ts";
import { useConsent } from "./consents.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { recallConnection } from "./deliveries.ts";
import type { Keyring } from "./keyring.ts";
import { claimConnection, deleteSecrets, deleteTokens, pauseSchedulesOf, setAccount, updateDisconnected, updatePaused } from "./sql/reconnect.ts";
import { lockConnection } from "./sql/connections.ts";

/**
 * Makes the connection's row, if there is none, and locks it until the transaction ends: two who enter values take turns.
 * @returns whether it was there.
 */
export async function lockForEntry(tx: TenantTransaction, connection: string, connector: string): Promise<boolean> {
  const made = await tx.run(claimConnection(tx.tenantId, connection, connector));
  await tx.run(lockConnection(tx.tenantId, connection));
  return made.length === 0;
}

/** Tokens made from values that are no longer right. */
export async function forgetTokens(tx: TenantTransaction, connection: string): Promise<void> {
  await tx.run(deleteTokens(tx.tenantId, connection));
}

/** The account from now on, which a check or a person found; undefined forgets it. */
export async function nameAccount(tx: TenantTransaction, connection: string, account: Account | undefined): Promise<void> {
  await tx.run(setAccount(tx.tenantId, connection, account));
}

export interface Disconnected {
  /** False: nothing was ever entered. */
  readonly known: boolean;
  /** What a sign-in gave and nobody else uses: to be ended at the provider, too. */
  readonly ended?: EndedConsent;
}

/**
 * Forgets secrets, tokens and consent; config, account and everything that was read stay. No run starts on it until values are
 * entered again.
 */
export function disconnect(at: Database | TenantTransaction, keyring: Keyring, tenant: string, connection: string): Promise<Disconnected> {
  return inTenant(at, tenant, async (tx) => {
    const known = await tx.run(updateDisconnected(tx.tenantId, connection));
    const ended = known.length === 0 ? undefined : await useConsent(tx, keyring, connection, undefined);
    await tx.run(deleteSecrets(tx.tenantId, connection));
    await tx.run(deleteTokens(tx.tenantId, connection));
    return { known: known.length === 1, ...(ended === undefined ? {} : { ended }) };
  });
}

/**
 * Pauses a connection and the schedules of its flows, or resumes both (`by` undefined); schedules that were paused by
 * themselves stay so. Runs under way end by themselves.
 */
export function pauseConnection(at: Database | TenantTransaction, tenant: string, connection: string, connector: string, by: string | undefined): Promise<void> {
  return inTenant(at, tenant, async (tx) => {
    await lockForEntry(tx, connection, connector);
    await tx.run(updatePaused(tx.tenantId, connection, by));
    await tx.run(pauseSchedulesOf(tx.tenantId, connection, by));
    if (by === undefined) await recallConnection(tx, connection);
  });
}
