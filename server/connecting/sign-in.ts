/** The OAuth code flow: begun for a connection, answered at /oauth/callback, and ended with an account. */
import { createHash, randomBytes } from "node:crypto";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import { checkConnection, type CheckRequest } from "../../engine/run/check-connection.ts";
import { signInAt } from "../../engine/run/sign-in.ts";
import {
  addConsent, beginConnecting, consentPort, describeConnection, dropConsent, endConnectLink, finishConnecting, readConnectionValues, recordAudit, setConnection, takeConnecting, withTenant,
  type Account, type Actor, type EndedConsent, type OpenChoice, type SignInOutcome, type SignInState,
} from "../../engine/store/index.ts";
import { plannedConnection, portsOf, type Planned } from "../api/connections.ts";
import type { Services } from "../api/services.ts";
import { adopt, type Adopted } from "./adopt.ts";

/** A person's browser waits for it. */
const SECONDS = 45;
const CHECK_TRIES = 2;
/** The provider's own parameters that a check may need; the rest of a callback is OAuth's. */
const OF_OAUTH = new Set(["code", "state", "error", "error_description", "error_uri", "scope", "iss", "session_state"]);
const MOST_PARAMETERS = 20;

export interface SignInBegun { readonly authorize_url: string; readonly expires_at: string }

export interface SignInAsked {
  readonly redirectUri: string;
  /** A path of ours. */
  readonly returnTo?: string | undefined;
  readonly startOver: boolean;
  readonly actor: Actor;
  /** The browser that must come back; undefined where a program begins it. */
  readonly browser: string | undefined;
  /** Id of the connect link it came from. */
  readonly link?: string | undefined;
}

/**
 * Undefined: this connection needs no person to sign in.
 * @throws PlugboardError AUTH_MISSING_CREDENTIAL naming what the operator has to set first.
 */
export async function beginSignInAt(services: Services, tenant: string, planned: Planned, { redirectUri, returnTo, startOver, actor, browser, link }: SignInAsked): Promise<SignInBegun | undefined> {
  const { db, keyring } = services;
  const { name, connector } = planned;
  const at = await signInAt(await requestOf(services, tenant, planned), portsOf(services, tenant, name, () => undefined));
  if (at === undefined) return undefined;
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  return withTenant(db, tenant, async (tx) => {
    const { state, expires_at } = await beginConnecting(tx, keyring, tenant, {
      connection: name, connector: connector.id, authenticator: at.authenticator, redirectUri, startOver, actor, verifier, browser,
      ...(returnTo === undefined ? {} : { returnTo }), ...(link === undefined ? {} : { link }),
    });
    const url = await at.authorizeUrl({ state, redirectUri, challenge });
    await recordAudit(tx, tenant, { actor, action: "connection.sign_in_begun", subject: { kind: "connection", id: name }, after: { at: url.host, start_over: startOver } });
    return { authorize_url: url.href, expires_at };
  });
}

export interface SignInEnded { readonly signIn: SignInState; readonly title: string; readonly outcome: SignInOutcome; readonly message?: string }

/**
 * What the browser brought back. Undefined for a state that is used, over, another browser's or unknown: which is not told.
 * @param query as it came; a parameter that comes twice counts for nothing.
 */
export async function completeSignIn(services: Services, query: Readonly<Record<string, unknown>>, browser: string | undefined, from: Pick<Actor, "ip" | "request">): Promise<SignInEnded | undefined> {
  const { db, keyring } = services;
  const text = (name: string): string | undefined => (typeof query[name] === "string" && query[name] !== "" ? query[name] : undefined);
  const taken = await takeConnecting(db, keyring, text("state") ?? "", browser);
  if (taken === undefined) return undefined;
  const { verifier, ...signIn } = taken;
  const actor: Actor = { ...signIn.actor, ...from };
  const subject = { kind: "connection", id: signIn.connection };
  let title = signIn.connector;
  const failed = (outcome: "refused" | "failed", error: { code: string; message: string; hint?: string | undefined }): Promise<SignInEnded> => withTenant(db, signIn.tenant, async (tx) => {
    const detail = { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
    await finishConnecting(tx, signIn.id, outcome, { detail });
    await recordAudit(tx, signIn.tenant, { actor, action: `connection.sign_in_${outcome}`, subject, after: detail });
    return { signIn, title, outcome, message: error.message };
  });
  let consent: string | undefined;
  try {
    const planned = plannedConnection(await services.planOf(signIn.tenant), signIn.connection);
    title = planned.connector.title;
    const code = text("code");
    if (code === undefined) return await failed("refused", { code: "AUTH_SIGN_IN", message: refusal(title, text("error"), text("error_description")) });
    const ports = portsOf(services, signIn.tenant, signIn.connection, () => undefined);
    const request = await requestOf(services, signIn.tenant, planned);
    const at = await signInAt(request, ports);
    if (at?.authenticator !== signIn.authenticator || planned.connector.id !== signIn.connector) throw new PlugboardError("AUTH_SIGN_IN", { detail: "The connection was changed meanwhile.", suggestion: "Begin the sign-in again." });
    const given = await at.exchange({ code, redirectUri: signIn.redirectUri, verifier });
    const callback = calledBack(query);
    const id = consent = await addConsent(db, keyring, signIn.tenant, { ...given, connector: signIn.connector, authenticator: signIn.authenticator, callback });
    const kept = consentPort(db, keyring, signIn.tenant, { id, connection: signIn.connection });
    const { account: _, ...values } = request.values;
    const { accounts } = await checkConnection({ ...request, values: { ...values, callback }, tries: CHECK_TRIES }, { ...ports, token: (name) => ({ ...ports.token(name), consent: kept }) });
    return await withTenant(db, signIn.tenant, async (tx) => {
      const state = await describeConnection(tx, signIn.tenant, signIn.connection);
      if (state?.status === "disconnected") throw new PlugboardError("AUTH_NOT_CONNECTED", { connection: signIn.connection, state: "disconnected", suggestion: "Begin the sign-in again." });
      const adopted = await adopt(tx, keyring, { connection: signIn.connection, connector: signIn.connector, accounts, startOver: signIn.startOver, consent: id });
      await finishConnecting(tx, signIn.id, adopted.outcome, { accounts, detail: asDetail(adopted), ...(adopted.outcome === "connected" ? {} : { consent: id }) });
      if (adopted.outcome === "connected" && signIn.link !== undefined) await endConnectLink(tx, signIn.link);
      await recordAudit(tx, signIn.tenant, { actor, action: adopted.outcome === "connected" ? "connection.signed_in" : `connection.${adopted.outcome}`, subject, after: asDetail(adopted) });
      return { signIn, title, outcome: adopted.outcome };
    });
  } catch (thrown) {
    if (consent !== undefined) { const id = consent; await withTenant(db, signIn.tenant, (tx) => dropConsent(tx, keyring, id)).catch(() => undefined); }
    if (!(thrown instanceof PlugboardError) || thrown.entry.http >= 500 && !/^(AUTH|RUN)_/.test(thrown.code)) throw thrown;
    return failed("failed", thrown);
  }
}

/**
 * Ends the choice that a sign-in left open: each connection gets its account, and all of them share the consent.
 * @param accounts connection → account; they are of one connector.
 */
export async function pickAccounts(services: Services, tenant: string, choice: OpenChoice, planned: readonly Planned[], accounts: Readonly<Record<string, string>>, startOver: boolean, actor: Actor): Promise<ReadonlyMap<string, Adopted>> {
  const { db, keyring } = services;
  return withTenant(db, tenant, async (tx) => {
    const first = await describeConnection(tx, tenant, choice.connection);
    const adopted = new Map<string, Adopted>();
    for (const { name, connector } of planned) {
      // A connection made along with another one is signed in the same way.
      if (name !== choice.connection && (await describeConnection(tx, tenant, name)) === undefined) await setConnection(tx, keyring, tenant, name, { connector: connector.id, config: first?.config ?? {}, by: actor.name });
      const one = await adopt(tx, keyring, { connection: name, connector: connector.id, accounts: choice.accounts, picked: accounts[name], startOver, consent: choice.consent });
      if (one.outcome !== "connected") throw new AccountChanged(name, one, choice.accounts.find(({ id }) => id === accounts[name])!);
      adopted.set(name, one);
      await recordAudit(tx, tenant, { actor, action: "connection.account_picked", subject: { kind: "connection", id: name }, after: asDetail(one) });
    }
    await finishConnecting(tx, choice.id, "connected", { accounts: choice.accounts, detail: {} });
    if (choice.link !== undefined) await endConnectLink(tx, choice.link);
    return adopted;
  });
}

/** Refused until somebody starts over on purpose; says what that would forget. */
export class AccountChanged extends PlugboardError {
  constructor(connection: string, { current, forgets }: Extract<Adopted, { outcome: "account_changed" }> | { outcome: "choose"; current?: undefined; forgets?: undefined }, to: Account) {
    super("AUTH_ACCOUNT_CHANGED", { connection, actual: to.id, expected: current?.id ?? "none", forgets: forgets === undefined ? "nothing" : `${forgets.records} records, ${forgets.quarantined} quarantined ones and ${forgets.checkpoints} checkpoints` });
  }
}

export type Revoked = "revoked" | "not_offered" | "failed";

/**
 * How a consent is ended at its provider; made while the connection still has what that needs. `failed`: the provider did not
 * take it, so somebody should end it there by hand.
 */
export async function revoker(services: Services, tenant: string, planned: Planned): Promise<(consent: EndedConsent) => Promise<Revoked>> {
  const coded = <T>(thrown: unknown, value: T): T => {
    if (thrown instanceof PlugboardError) return value;
    throw thrown;
  };
  const at = await requestOf(services, tenant, planned).then((request) => signInAt(request, portsOf(services, tenant, planned.name, () => undefined))).catch((thrown: unknown) => coded(thrown, undefined));
  return async (consent) => {
    if (at?.authenticator !== consent.authenticator) return "not_offered";
    return at.revoke(consent).then((done): Revoked => (done ? "revoked" : "not_offered")).catch((thrown: unknown) => coded(thrown, "failed" as const));
  };
}

async function requestOf({ db, keyring, references }: Services, tenant: string, { name, plan, connection, connector }: Planned): Promise<CheckRequest> {
  const values = await readConnectionValues(db, keyring, tenant, name, connector, connection, references, "check");
  return { tenant: plan.tenant, connection: name, connector, plan: connection, values, signal: AbortSignal.timeout(SECONDS * 1000) };
}

function calledBack(query: Readonly<Record<string, unknown>>): JsonObject {
  const own = Object.entries(query).filter(([name, value]) => !OF_OAUTH.has(name) && /^[A-Za-z0-9_.-]{1,64}$/.test(name) && name !== "__proto__" && typeof value === "string" && value.length <= 500);
  return Object.fromEntries(own.slice(0, MOST_PARAMETERS)) as JsonObject;
}

/** In our words; what the provider wrote into the address is anybody's. */
const refusal = (title: string, error: string | undefined, description: string | undefined): string => {
  if (error === "access_denied") return `The sign-in at ${title} was cancelled, or not allowed.`;
  const said = [error, description].filter((part) => part !== undefined).join(": ").replace(/[^\x20-\x7e]/g, " ").slice(0, 200);
  return `${title} did not sign anybody in${said === "" ? "" : `: ${said}`}.`;
};

const asDetail = (adopted: Adopted): JsonObject => JSON.parse(JSON.stringify(adopted)) as JsonObject;
