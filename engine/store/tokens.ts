/** Short-lived tokens of a connection, sealed, shared by all workers. */
import type { Token } from "../components/kinds.ts";
import type { RunPorts } from "../run/ports.ts";
import { type Database, withTenant } from "./database.ts";
import { consentPort } from "./consents.ts";
import type { Keyring } from "./keyring.ts";
import { tokenPurpose } from "./purposes.ts";
import { deleteToken, selectToken, upsertToken } from "./sql/tokens.ts";

export const tokenStore = (db: Database, keyring: Keyring, tenant: string, connection: string): RunPorts["token"] => (authenticator) => {
  const purpose = tokenPurpose(connection, authenticator);
  return {
    consent: consentPort(db, keyring, tenant, { connection, authenticator }),
    read: () => withTenant(db, tenant, async (tx): Promise<Token | undefined> => {
      const sealer = await keyring.of(tx);
      const [row] = await tx.run<{ sealed: Buffer; expires_at: Date | null }>(selectToken(tx.tenantId, connection, authenticator));
      if (!row) return undefined;
      const value = (await sealer.openFresh(purpose, row.sealed)).toString("utf8");
      return { value, ...(row.expires_at === null ? {} : { expires_at: row.expires_at.getTime() }) };
    }),
    write: (token) => withTenant(db, tenant, async (tx) => {
      const sealed = (await keyring.of(tx)).seal(purpose, token.value);
      await tx.run(upsertToken(tx.tenantId, connection, authenticator, sealed, token.expires_at === undefined ? undefined : new Date(token.expires_at)));
    }),
    clear: () => withTenant(db, tenant, async (tx) => { await tx.run(deleteToken(tx.tenantId, connection, authenticator)); }),
  };
};
