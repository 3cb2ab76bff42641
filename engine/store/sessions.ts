/** Who is signed in. A session is found by the hash of its cookie; it dies of silence, of age, and with what it stood on. */
import { recordAudit, type Actor } from "./audit.ts";
import { type Database, inGlobal, type TenantTransaction, type Transaction, withTenant } from "./database.ts";
import { newRowId } from "./row-id.ts";
import { beginActing, deleteDeadSessions, deleteSession, deleteSessionsOf, endActing, insertSession, renameSession, selectSessions, type SessionRow, useSession } from "./sql/sessions.ts";

/** However busy it is, a session ends after this. */
const HOURS = 12;

/** A session and all that decides what its person may do. Roles are words of the table of permissions. */
export interface Session {
  readonly id: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly user: { readonly id: string; readonly email: string; readonly name: string };
  /** Those of the operator's staff are in the tenant `platform`. */
  readonly memberships: readonly { readonly tenant: string; readonly title: string; readonly role: string }[];
  /** Tenants that an integration engineer works for. */
  readonly assigned: readonly string[];
  readonly acting?: { readonly tenant: string; readonly role: string; readonly user?: { readonly id: string; readonly email: string }; readonly reason: string; readonly until: string };
}

export interface SessionState { readonly id: string; readonly created_at: string; readonly seen_at: string; readonly expires_at: string; readonly ip?: string; readonly agent?: string }

/** Undefined for one that is unknown, ended, too old or was silent for too long. Notes that it was used. */
export async function findSession(db: Database, hash: Buffer): Promise<Session | undefined> {
  const [row] = await inGlobal(db, (tx) => tx.run<SessionRow>(useSession(hash)));
  if (!row) return undefined;
  if (row.lapsed && row.acting_tenant !== null) await endLapsedImpersonations(db, row.acting_tenant);
  return {
    id: row.id, created_at: row.created_at.toISOString(), expires_at: row.expires_at.toISOString(), user: { id: row.user_id, email: row.email, name: row.name },
    memberships: row.memberships, assigned: row.assigned,
    ...(row.acting_tenant === null || row.lapsed ? {} : {
      acting: {
        tenant: row.acting_tenant, role: row.acting_role!, reason: row.acting_reason!, until: row.acting_until!.toISOString(),
        ...(row.acting_user === null ? {} : { user: { id: row.acting_user, email: row.acting_email! } }),
      },
    }),
  };
}

export interface NewSession { readonly hash: Buffer; readonly user: string; readonly ip?: string; readonly agent?: string }

/** @returns its id. */
export async function addSession(tx: Transaction, { hash, user, ip, agent }: NewSession): Promise<string> {
  const id = newRowId();
  await tx.run(deleteDeadSessions());
  await tx.run(insertSession({ id, hash, user, hours: HOURS, ip: ip ?? null, agent: agent?.slice(0, 300) ?? null }));
  return id;
}

/** Gives a session another cookie: the one before opens nothing from now on. */
export const rotateSession = async (tx: Transaction, id: string, hash: Buffer): Promise<void> => { await tx.run(renameSession(id, hash)); };

/** Newest first; those that still open something. */
export const listSessions = (db: Database, user: string): Promise<SessionState[]> => inGlobal(db, async (tx) =>
  (await tx.run<{ id: string; created_at: Date; seen_at: Date; expires_at: Date; ip: string | null; agent: string | null }>(selectSessions(user))).map(({ id, created_at, seen_at, expires_at, ip, agent }) => ({
    id, created_at: created_at.toISOString(), seen_at: seen_at.toISOString(), expires_at: expires_at.toISOString(), ...(ip === null ? {} : { ip }), ...(agent === null ? {} : { agent }),
  })));

/** False: the person has no such session. */
export const endSession = async (tx: Transaction, user: string, id: string): Promise<boolean> => (await tx.run(deleteSession(user, id))).length === 1;

/** @param but the session that stays. @returns how many ended. */
export const endSessionsOf = async (tx: Transaction, user: string, but?: string): Promise<number> => (await tx.run(deleteSessionsOf(user, but))).length;

export interface Impersonation { readonly role: string; readonly user?: { readonly id: string; readonly email: string }; readonly reason: string; readonly minutes: number }

/**
 * The session acts in the tenant of the transaction from its commit on; the log of that tenant says so.
 * @returns until when; undefined when it acts already.
 */
export async function startImpersonation(tx: TenantTransaction, session: string, { role, user, reason, minutes }: Impersonation, actor: Actor): Promise<string | undefined> {
  const [row] = await tx.run<{ acting_until: Date }>(beginActing(session, { tenantId: tx.tenantId, role, user: user?.id ?? null, reason, minutes }));
  if (!row) return undefined;
  const until = row.acting_until.toISOString();
  await recordAudit(tx, tx.tenant, { actor, action: "impersonation.started", subject: subjectOf(role, user), after: { role, until }, reason });
  return until;
}

/** False: the session did not act in this tenant. */
export const endImpersonation = async (tx: TenantTransaction, session: string, actor: Actor): Promise<boolean> => (await close(tx, session, () => actor)) === 1;

/** Those whose time is over: what they end is written down whether or not anybody came back. */
export const endLapsedImpersonations = (db: Database, tenant: string): Promise<number> => withTenant(db, tenant, (tx) =>
  close(tx, undefined, ({ user_id, email }) => ({ kind: "system", id: user_id, name: "time limit", impersonator: email })));

interface Ended { user_id: string; email: string; acting_role: string; acting_user: string | null; acting_email: string | null; ended_at: Date }

async function close(tx: TenantTransaction, session: string | undefined, actorOf: (row: Ended) => Actor): Promise<number> {
  const ended = await tx.run<Ended>(endActing(tx.tenantId, session));
  for (const row of ended) {
    const user = row.acting_user === null ? undefined : { id: row.acting_user, email: row.acting_email ?? "" };
    await recordAudit(tx, tx.tenant, { actor: actorOf(row), action: "impersonation.ended", subject: subjectOf(row.acting_role, user), after: { role: row.acting_role, ended_at: row.ended_at.toISOString() } });
  }
  return ended.length;
}

const subjectOf = (role: string, user: Impersonation["user"]): { kind: string; id: string } => user === undefined ? { kind: "role", id: role } : { kind: "user", id: user.id };
