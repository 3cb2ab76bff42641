/** Which account a connection reaches after somebody signed in or entered a credential, and what becomes of what it had. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { describeConnection, forgetRecords, heldBy, lockForEntry, nameAccount, setConnectionStatus, useConsent, type Account, type Held, type Keyring, type TenantTransaction } from "../../engine/store/index.ts";

export type Adopted =
  | { readonly outcome: "connected"; readonly account?: Account; /** Set when it started over. */ readonly forgotten?: Held }
  /** A person has to pick one of several. */
  | { readonly outcome: "choose" }
  /** Nothing was changed: to go on, everything it brought would have to be forgotten. */
  | { readonly outcome: "account_changed"; readonly current: Account; readonly forgets: Held };

export interface Adopting {
  readonly connection: string;
  readonly connector: string;
  /** What the credential reaches; none for a connector without accounts. */
  readonly accounts: readonly Account[];
  /** The one that a person picked. */
  readonly picked?: string | undefined;
  readonly startOver: boolean;
  /** Absent: the connection's own secrets are the credential. */
  readonly consent?: string;
}

/**
 * A connection that reached another account before is not silently pointed elsewhere: two key spaces would mix.
 * @throws PlugboardError SERVER_NOT_FOUND for a picked account that the credential does not reach.
 */
export async function adopt(tx: TenantTransaction, keyring: Keyring, { connection, connector, accounts, picked, startOver, consent }: Adopting): Promise<Adopted> {
  await lockForEntry(tx, connection, connector);
  const current = (await describeConnection(tx, tx.tenant, connection))?.account;
  if (picked !== undefined && !accounts.some(({ id }) => id === picked)) {
    throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Account", name: picked, suggestion: `The credential reaches: ${accounts.map(({ id, label }) => (label === undefined ? id : `${id} (${label})`)).join(", ") || "none"}.` });
  }
  const wanted = picked ?? (accounts.some(({ id }) => id === current?.id) ? current!.id : accounts.length === 1 ? accounts[0]!.id : undefined);
  const account = accounts.find(({ id }) => id === wanted);
  const differs = current !== undefined && accounts.length > 0 && wanted !== current.id;
  if (differs && !startOver) return { outcome: "account_changed", current, forgets: await heldBy(tx, tx.tenant, connection) };
  if (account === undefined && accounts.length > 0) return { outcome: "choose" };
  const forgotten = differs ? await forgetRecords(tx, connection) : undefined;
  if (account !== undefined) await nameAccount(tx, connection, account);
  if (consent !== undefined) await useConsent(tx, keyring, connection, consent);
  await setConnectionStatus(tx, tx.tenant, connection, "ok", {}, account);
  return { outcome: "connected", ...(account === undefined ? {} : { account }), ...(forgotten === undefined ? {} : { forgotten }) };
}
