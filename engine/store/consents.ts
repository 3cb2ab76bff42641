/**
 * What people's consents at providers gave, sealed, shared by all workers and by the connections made from one consent.
 *
 * A refresh token may be good for one use. So one worker at a time renews a consent: it takes the turn (a row, because an HTTP
 * request takes its time), sends what is stored, and stores what comes back by compare-and-swap on the version, before anybody
 * uses it. The others wait and read. A worker that dies leaves its turn to run out; the next one sends the old token once more.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Consent, ConsentPort, Renewed } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { JsonObject } from "../manifest/types.ts";
import { type Database, inTenant, type TenantTransaction, withTenant } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import { consentPurpose } from "./purposes.ts";
import { newRowId } from "./row-id.ts";
import { attachConsent, type ConsentRow, deleteUnusedConsent, giveTurnBack, insertConsent, lengthenTurn, refuseConsent, selectConsent, selectConsentOf, takeTurn, updateConsent } from "./sql/consents.ts";

/** A turn whose worker is silent for so long is somebody else's. */
const TURN_SECONDS = 30;
const HEARTBEAT_MILLISECONDS = 10_000;
/** How soon those who wait look again. */
const LOOK_MILLISECONDS = 100;
/** What the provider gave is the only good token: a database that does not take it is asked again. */
const STORE_AGAIN_MILLISECONDS = [100, 300, 1000, 3000, 10_000] as const;

/** One consent: a connection's, or one that no connection has yet. */
export type WhichConsent = { readonly connection: string; readonly authenticator: string } | { readonly id: string; readonly connection: string };

export function consentPort(db: Database, keyring: Keyring, tenant: string, which: WhichConsent): ConsentPort {
  const { connection } = which;
  const find = (tx: TenantTransaction) => tx.run<ConsentRow>("id" in which ? selectConsent(tx.tenantId, which.id) : selectConsentOf(tx.tenantId, connection, which.authenticator));
  const readRow = (): Promise<{ row: ConsentRow; consent: Consent } | undefined> => withTenant(db, tenant, async (tx) => {
    const sealer = await keyring.of(tx);
    const [row] = await find(tx);
    return row && { row, consent: await opened(row, (purpose, sealed) => sealer.openFresh(purpose, sealed)) };
  });
  const live = async (): Promise<{ row: ConsentRow; consent: Consent } | undefined> => {
    const found = await readRow();
    if (found !== undefined && found.row.refused_at !== null) throw reconnect(connection);
    return found;
  };

  /** Undefined: the turn is somebody else's, or this version is over. */
  const take = (id: string, version: number, worker: string): Promise<Consent | undefined> => withTenant(db, tenant, async (tx) => {
    const sealer = await keyring.of(tx);
    const [row] = await tx.run<ConsentRow>(takeTurn(tx.tenantId, id, version, worker, TURN_SECONDS));
    return row && opened(row, (purpose, sealed) => sealer.openFresh(purpose, sealed));
  });
  const store = (id: string, version: number, renewed: Renewed): Promise<boolean> => withTenant(db, tenant, async (tx) => {
    const sealed = (await keyring.of(tx)).seal(consentPurpose(id, version + 1), content(renewed));
    return (await tx.run(updateConsent(tx.tenantId, id, version, sealed, dateOf(renewed.expires_at)))).length === 1;
  });

  return {
    read: async () => (await live())?.consent,
    async renew(version, ask) {
      const worker = newRowId();
      for (;;) {
        const found = await live();
        if (found === undefined) throw reconnect(connection);
        const { row: { id }, consent } = found;
        if (consent.version !== version) return consent;
        const mine = await take(id, version, worker);
        if (mine === undefined) {
          await sleep(LOOK_MILLISECONDS);
          continue;
        }
        const beat = setInterval(() => { withTenant(db, tenant, (tx) => tx.run(lengthenTurn(tx.tenantId, id, worker, TURN_SECONDS))).catch(() => undefined); }, HEARTBEAT_MILLISECONDS);
        try {
          const answer = await ask(mine).catch(async (thrown: unknown) => {
            // An answer that says why leaves the token as it is; silence does not tell.
            await withTenant(db, tenant, (tx) => tx.run(giveTurnBack(tx.tenantId, id, worker, thrown instanceof PlugboardError && thrown.code === "AUTH_TOKEN_REQUEST"))).catch(() => undefined);
            throw thrown;
          });
          if (answer === "refused") await withTenant(db, tenant, (tx) => tx.run(refuseConsent(tx.tenantId, id, version, said(reconnect(connection)))));
          else if (await again(() => store(id, version, answer))) return { ...answer, version: version + 1 };
        } finally {
          clearInterval(beat);
        }
        // Refused, or overtaken: what is stored now decides.
      }
    },
  };
}

/** Keeps what a sign-in gave. @returns its id; it is nobody's until it is attached. */
export const addConsent = (at: Database | TenantTransaction, keyring: Keyring, tenant: string, given: Renewed & { readonly connector: string; readonly authenticator: string; readonly callback: JsonObject }): Promise<string> =>
  inTenant(at, tenant, async (tx) => {
    const id = newRowId();
    const sealed = (await keyring.of(tx)).seal(consentPurpose(id, 1), content(given));
    await tx.run(insertConsent(tx.tenantId, id, given.connector, given.authenticator, sealed, dateOf(given.expires_at), given.callback));
    return id;
  });

/** Makes a consent the connection's, or takes it from it. @returns the one it had, if nobody else has that: it is deleted then, and may be ended at the provider. */
export async function useConsent(tx: TenantTransaction, keyring: Keyring, connection: string, id: string | undefined): Promise<EndedConsent | undefined> {
  const [row] = await tx.run<{ before: string | null }>(attachConsent(tx.tenantId, connection, id ?? null));
  return row?.before == null || row.before === id ? undefined : dropConsent(tx, keyring, row.before);
}

export interface EndedConsent extends Renewed { readonly authenticator: string }

/** @returns what was deleted; undefined: a connection has it. */
export async function dropConsent(tx: TenantTransaction, keyring: Keyring, id: string): Promise<EndedConsent | undefined> {
  const sealer = await keyring.of(tx);
  const [row] = await tx.run<ConsentRow>(selectConsent(tx.tenantId, id));
  if (row === undefined || (await tx.run(deleteUnusedConsent(tx.tenantId, id))).length === 0) return undefined;
  const { version: _, ...consent } = await opened(row, (purpose, sealed) => sealer.openFresh(purpose, sealed));
  return { ...consent, authenticator: row.authenticator };
}

const content = ({ access, refresh }: Renewed): string => JSON.stringify({ access, ...(refresh === undefined ? {} : { refresh }) });

async function opened(row: ConsentRow, open: (purpose: ReturnType<typeof consentPurpose>, sealed: Buffer) => Promise<Buffer>): Promise<Consent> {
  const { access, refresh } = JSON.parse((await open(consentPurpose(row.id, row.version), row.sealed)).toString("utf8")) as { access: string; refresh?: string };
  return { version: row.version, access, ...(refresh === undefined ? {} : { refresh }), ...(row.expires_at === null ? {} : { expires_at: row.expires_at.getTime() }) };
}

async function again<T>(work: () => Promise<T>): Promise<T> {
  for (const pause of STORE_AGAIN_MILLISECONDS) {
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof PlugboardError) || (thrown.code !== "STORE_UNREACHABLE" && thrown.code !== "STORE_BUSY")) throw thrown;
      await sleep(pause);
    }
  }
  return work();
}

const dateOf = (milliseconds: number | undefined): Date | undefined => (milliseconds === undefined ? undefined : new Date(milliseconds));
const reconnect = (connection: string): PlugboardError => new PlugboardError("AUTH_RECONNECT", { connection });
const said = (error: PlugboardError): JsonObject => ({ code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
