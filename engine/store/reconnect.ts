/** Connecting anew and disconnecting: what happens to a connection beside its values. */
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { claimConnection, deleteSecrets, deleteTokens, updateDisconnected } from "./sql/reconnect.ts";
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

/**
 * Forgets secrets and tokens; config, account and everything that was read stay. No run starts on it until values are entered
 * again. False: nothing was ever entered.
 */
export function disconnect(at: Database | TenantTransaction, tenant: string, connection: string): Promise<boolean> {
  return inTenant(at, tenant, async (tx) => {
    const known = await tx.run(updateDisconnected(tx.tenantId, connection));
    await tx.run(deleteSecrets(tx.tenantId, connection));
    await tx.run(deleteTokens(tx.tenantId, connection));
    return known.length === 1;
  });
}
