/** People who were sent to a provider to sign in: begun here, answered once by the browser that comes back, perhaps an account to pick. */
import type { JsonObject } from "../manifest/types.ts";
import type { Actor } from "./audit.ts";
import type { Account } from "./connections.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import { dropConsent } from "./consents.ts";
import { verifierPurpose } from "./purposes.ts";
import { newRowId } from "./row-id.ts";
import { answerSignIn, deleteOldSignIns, endSignIn, insertSignIn, selectLatestSignIn, selectOpenChoice, type SignInRow } from "./sql/sign-ins.ts";
import { hashToken, newTenantToken, withTenantOf } from "./tenant-token.ts";

/** RFC 6749 leaves it open; a person needs a minute or two. */
const SIGN_IN_SECONDS = 600;
/** How long an account may be picked after the provider was left. */
const CHOICE_SECONDS = 3600;
const KEPT_SECONDS = 7 * 86_400;

export interface BegunSignIn { readonly state: string; readonly expires_at: string }

export interface SignInState {
  readonly id: string; readonly tenant: string; readonly connection: string; readonly connector: string; readonly authenticator: string;
  readonly redirectUri: string; readonly returnTo?: string; readonly startOver: boolean; readonly actor: Actor; readonly link?: string;
}

export type SignInOutcome = "connected" | "choose" | "account_changed" | "refused" | "failed";

/** A sign-in whose accounts a person has to pick from, or whose account is not the connection's. */
export interface OpenChoice extends SignInState { readonly consent: string; readonly accounts: readonly Account[]; readonly outcome: "choose" | "account_changed" }

/** @param browser the cookie of the browser that begins it; undefined where a program does. */
export const beginConnecting = (at: Database | TenantTransaction, keyring: Keyring, tenant: string, begun: Omit<SignInState, "id" | "tenant"> & { readonly verifier: string; readonly browser: string | undefined }): Promise<BegunSignIn> =>
  inTenant(at, tenant, async (tx) => {
    for (const { consent_id } of await tx.run<{ consent_id: string | null }>(deleteOldSignIns(tx.tenantId, KEPT_SECONDS))) if (consent_id !== null) await dropConsent(tx, keyring, consent_id);
    const [id, state] = [newRowId(), newTenantToken(tx)];
    const sealed = (await keyring.of(tx)).seal(verifierPurpose(id), begun.verifier);
    const [row] = await tx.run<{ expires_at: Date }>(insertSignIn(tx.tenantId, {
      id, stateHash: hashToken(state), sealed, browserHash: begun.browser === undefined ? undefined : hashToken(begun.browser), connection: begun.connection, connector: begun.connector,
      authenticator: begun.authenticator, redirectUri: begun.redirectUri, returnTo: begun.returnTo, startOver: begun.startOver, actor: begun.actor, link: begun.link, seconds: SIGN_IN_SECONDS,
    }));
    return { state, expires_at: row!.expires_at.toISOString() };
  });

/** Uses the state up. Undefined: it was used, has run out, is another browser's, or never was; which of these is not told. */
export const takeConnecting = (db: Database, keyring: Keyring, state: string, browser: string | undefined): Promise<(SignInState & { readonly verifier: string }) | undefined> =>
  withTenantOf(db, state, "", async (tx) => {
    const sealer = await keyring.of(tx);
    const [row] = await tx.run<SignInRow>(answerSignIn(tx.tenantId, hashToken(state), browser === undefined ? undefined : hashToken(browser)));
    return row && { ...stateOf(tx.tenant, row), verifier: (await sealer.openFresh(verifierPurpose(row.id), row.sealed)).toString("utf8") };
  });

export const finishConnecting = (tx: TenantTransaction, id: string, outcome: SignInOutcome, end: { readonly detail?: JsonObject; readonly accounts?: readonly Account[]; readonly consent?: string } = {}): Promise<unknown> =>
  tx.run(endSignIn(tx.tenantId, id, { outcome, detail: end.detail, accounts: end.accounts?.map(({ id, label }) => ({ id, ...(label === undefined ? {} : { label }) })), consent: end.consent }));

export const openChoice = (at: Database | TenantTransaction, tenant: string, connection: string): Promise<OpenChoice | undefined> => inTenant(at, tenant, async (tx) => {
  const [row] = await tx.run<SignInRow>(selectOpenChoice(tx.tenantId, connection, CHOICE_SECONDS));
  return row && { ...stateOf(tx.tenant, row), consent: row.consent_id!, outcome: row.outcome as OpenChoice["outcome"], accounts: (row.accounts ?? []) as unknown as Account[] };
});

/** How the connection's latest sign-in stands: `waiting` while the person is at the provider. */
export const latestConnecting = (at: Database | TenantTransaction, tenant: string, connection: string): Promise<{ readonly outcome: SignInOutcome | "waiting" | "expired"; readonly detail?: JsonObject; readonly link?: string } | undefined> =>
  inTenant(at, tenant, async (tx) => {
    const [row] = await tx.run<SignInRow & { answered_at: Date | null; expires_at: Date }>(selectLatestSignIn(tx.tenantId, connection));
    if (row === undefined) return undefined;
    const outcome = (row.outcome as SignInOutcome | null) ?? (row.expires_at.getTime() > Date.now() ? "waiting" : "expired");
    return { outcome, ...(row.detail === null ? {} : { detail: row.detail }), ...(row.link_id === null ? {} : { link: row.link_id }) };
  });

const stateOf = (tenant: string, row: SignInRow): SignInState => ({
  id: row.id, tenant, connection: row.connection, connector: row.connector, authenticator: row.authenticator, redirectUri: row.redirect_uri, startOver: row.start_over,
  actor: row.actor as unknown as Actor, ...(row.return_to === null ? {} : { returnTo: row.return_to }), ...(row.link_id === null ? {} : { link: row.link_id }),
});
