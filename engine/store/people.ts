/**
 * People, their memberships, and how they come and go. Functions that take a tenant's transaction act in that tenant only;
 * staff are members of the tenant `platform`.
 */
import { PLATFORM } from "./audit.ts";
import { type Database, inGlobal, type TenantTransaction, type Transaction } from "./database.ts";
import { newRowId } from "./row-id.ts";
import { endSessionsOf } from "./sessions.ts";
import {
  acceptInvitation, countTry, deleteAssignments, deleteMembership, deleteResetOf, deleteSourced, forgetTries, insertAssignments, insertIdentity, insertInvitation, insertMembership, insertSignIn, insertUser,
  type InvitationRow, type MemberRow, revokeInvitation, selectInvitationByHash, selectInvitations, selectMember, selectMembers, selectTenantState, selectUser, selectUserByEmail, selectUserOfIdentity, takeSignIn,
  uncountTry, updateMembership, updatePassword, upsertReset, upsertSourced, useReset, type UserRow, withdrawInvitations,
} from "./sql/people.ts";

/** A week: people are on holiday. */
const INVITATION_HOURS = 7 * 24;
const RESET_HOURS = 24;
const SIGN_IN_MINUTES = 10;

export interface User {
  readonly id: string;
  /** In its normal form. */
  readonly email: string;
  readonly name: string;
  /** argon2id, PHC form; absent: they sign in elsewhere only. */
  readonly password?: string;
  /** In a tenant's transaction only the one there. */
  readonly memberships: readonly { readonly tenant: string; readonly title: string; readonly role: string }[];
}

export interface Member {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
  /** The sign-in provider whose groups gave the role. */
  readonly source?: string;
  readonly since: string;
  /** Of an integration engineer: the tenants they work for. */
  readonly assigned: readonly string[];
}

export interface Invitation { readonly id: string; readonly email: string; readonly role: string; readonly invited_by: string; readonly created_at: string; readonly expires_at: string }

/** Whether a tenant's own people and programs are let in. Undefined: there is no such tenant. */
export const tenantState = (db: Database, slug: string): Promise<"active" | "suspended" | undefined> => inGlobal(db, async (tx) => {
  const [row] = await tx.run<{ status: string }>(selectTenantState(slug));
  return row && (row.status === "suspended" || row.status === "erasing" ? "suspended" : "active");
});

// ── users ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export const findUserByEmail = (at: Database | Transaction, email: string): Promise<User | undefined> => globally(at, async (tx) => userOf((await tx.run<UserRow>(selectUserByEmail(email)))[0]));
export const findUser = (at: Database | Transaction, id: string): Promise<User | undefined> => globally(at, async (tx) => userOf((await tx.run<UserRow>(selectUser(id)))[0]));
export const findUserOfIdentity = (at: Database | Transaction, issuer: string, subject: string): Promise<User | undefined> =>
  globally(at, async (tx) => userOf((await tx.run<UserRow>(selectUserOfIdentity(issuer, subject)))[0]));

/** @returns the id; undefined when the address is taken. */
export async function addUser(tx: Transaction, { email, name, password }: { readonly email: string; readonly name: string; readonly password?: string }): Promise<string | undefined> {
  return (await tx.run<{ id: string }>(insertUser({ id: newRowId(), email, name, password: password ?? null })))[0]?.id;
}

/** Also takes back a reset that is under way. */
export async function setPassword(tx: Transaction, user: string, password: string): Promise<void> {
  await tx.run(updatePassword(user, password));
  await tx.run(deleteResetOf(user));
}

/** False: that account belongs to somebody else here. */
export const addIdentity = async (tx: Transaction, user: string, issuer: string, subject: string): Promise<boolean> => (await tx.run(insertIdentity(issuer, subject, user))).length === 1;

// ── memberships ─────────────────────────────────────────────────────────────────────────────────────────────────────

export const listMembers = async (tx: TenantTransaction): Promise<Member[]> => (await tx.run<MemberRow>(selectMembers(tx.tenantId))).map(memberOf);

/** Locked until the transaction ends: nobody changes them meanwhile. */
export async function findMember(tx: TenantTransaction, user: string): Promise<Member | undefined> {
  const [row] = await tx.run<MemberRow>(selectMember(tx.tenantId, user));
  return row && memberOf(row);
}

/** False: they are a member already. */
export const addMembership = async (tx: TenantTransaction, user: string, role: string, source?: string): Promise<boolean> => (await tx.run(insertMembership(tx.tenantId, user, role, source ?? null))).length === 1;

/** Their sessions end: with a new role comes a new session. */
export async function changeRole(tx: TenantTransaction, user: string, role: string): Promise<void> {
  await tx.run(updateMembership(tx.tenantId, user, role));
  if (role !== "integration_engineer") await tx.run(deleteAssignments(user));
  await endSessionsOf(tx, user);
}

/** Their sessions end with it. */
export async function endMembership(tx: TenantTransaction, user: string): Promise<void> {
  await tx.run(deleteMembership(tx.tenantId, user));
  if (tx.tenant === PLATFORM) await tx.run(deleteAssignments(user));
  await endSessionsOf(tx, user);
}

/** The tenants an engineer works for from now on. @returns those that exist. */
export async function setAssignments(tx: Transaction, user: string, tenants: readonly string[]): Promise<string[]> {
  await tx.run(deleteAssignments(user));
  return (await tx.run<{ slug: string }>(insertAssignments(user, tenants, PLATFORM))).map(({ slug }) => slug);
}

/** What a provider's groups say now, in place of what they said before. @returns what changed. */
export const setSourcedMemberships = (db: Database, user: string, source: string, wanted: ReadonlyMap<string, string>): Promise<{ readonly tenant: string; readonly role: string | undefined }[]> => inGlobal(db, async (tx) => {
  const changed: { tenant: string; role: string | undefined }[] = (await tx.run<{ tenant: string }>(deleteSourced(user, source, [...wanted.keys()]))).map(({ tenant }) => ({ tenant, role: undefined }));
  for (const [tenant, role] of wanted) if ((await tx.run(upsertSourced(user, source, tenant, role))).length > 0) changed.push({ tenant, role });
  if (changed.length > 0) await endSessionsOf(tx, user);
  return changed;
});

// ── invitations and resets ──────────────────────────────────────────────────────────────────────────────────────────

/** Takes the place of an earlier one for the same address. */
export async function addInvitation(tx: TenantTransaction, { email, role, hash, by }: { readonly email: string; readonly role: string; readonly hash: Buffer; readonly by: string }): Promise<Invitation> {
  await tx.run(withdrawInvitations(tx.tenantId, email));
  const [row] = await tx.run<InvitationRow>(insertInvitation(tx.tenantId, { id: newRowId(), email, role, hash, by, hours: INVITATION_HOURS }));
  return invitationOf(row!);
}

/** Newest first; those that are open. */
export const listInvitations = async (tx: TenantTransaction): Promise<Invitation[]> => (await tx.run<InvitationRow>(selectInvitations(tx.tenantId))).map(invitationOf);

/** Undefined: there is no open one. */
export const withdrawInvitation = async (tx: TenantTransaction, id: string): Promise<{ readonly email: string; readonly role: string } | undefined> =>
  (await tx.run<{ email: string; role: string }>(revokeInvitation(tx.tenantId, id)))[0];

/** Without using it. */
export const findInvitation = (db: Database, hash: Buffer): Promise<{ readonly tenant: string; readonly title: string; readonly email: string; readonly role: string } | undefined> =>
  inGlobal(db, async (tx) => (await tx.run<{ tenant: string; title: string; email: string; role: string }>(selectInvitationByHash(hash)))[0]);

/** Uses it up. Undefined: it is not good (any more). */
export const takeInvitation = async (tx: TenantTransaction, hash: Buffer): Promise<{ readonly id: string; readonly email: string; readonly role: string } | undefined> =>
  (await tx.run<{ id: string; email: string; role: string }>(acceptInvitation(tx.tenantId, hash)))[0];

/** @returns when it expires. */
export const addReset = async (tx: Transaction, user: string, hash: Buffer): Promise<string> => (await tx.run<{ expires_at: Date }>(upsertReset(user, hash, RESET_HOURS)))[0]!.expires_at.toISOString();

/** Uses it up. @returns whose it is. */
export const takeReset = async (tx: Transaction, hash: Buffer): Promise<string | undefined> => (await tx.run<{ user_id: string }>(useReset(hash)))[0]?.user_id;

// ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface SignInUnderWay { readonly returnTo: string; readonly invitation?: Buffer }

export const beginSignIn = (db: Database, { hash, provider, returnTo, invitation }: SignInUnderWay & { readonly hash: Buffer; readonly provider: string }): Promise<unknown> =>
  inGlobal(db, (tx) => tx.run(insertSignIn({ hash, provider, returnTo, invitation: invitation ?? null, minutes: SIGN_IN_MINUTES })));

/** Uses it up. Undefined: that browser began none, or long ago. */
export const takeSignInUnderWay = (db: Database, hash: Buffer, provider: string): Promise<SignInUnderWay | undefined> => inGlobal(db, async (tx) => {
  const [row] = await tx.run<{ return_to: string; invitation: Buffer | null }>(takeSignIn(hash, provider));
  return row && { returnTo: row.return_to, ...(row.invitation === null ? {} : { invitation: row.invitation }) };
});

/** Counts a try for each name. @returns the seconds until the next one, when this one came too early. */
export const countTries = (db: Database, names: readonly { readonly key: Buffer; readonly free: number }[]): Promise<number | undefined> => inGlobal(db, async (tx) => {
  let wait: number | undefined;
  for (const { key, free } of names) {
    const [row] = await tx.run<{ refused: boolean; wait: number }>(countTry(key, free));
    if (row!.refused) wait = Math.max(wait ?? 1, row!.wait);
  }
  return wait;
});

/** After one that was right. */
export const forgiveTries = (tx: Transaction, account: Buffer, address: Buffer): Promise<unknown> => tx.run(forgetTries([account])).then(() => tx.run(uncountTry(address)));

// ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const globally = <Result>(at: Database | Transaction, work: (tx: Transaction) => Promise<Result>): Promise<Result> => "pool" in at ? inGlobal(at, work) : work(at);

const userOf = (row: UserRow | undefined): User | undefined => row && { id: row.id, email: row.email, name: row.name, memberships: row.memberships, ...(row.password === null ? {} : { password: row.password }) };
const memberOf = ({ id, email, name, role, source, since, assigned }: MemberRow): Member => ({ id, email, name, role, since: since.toISOString(), assigned, ...(source === null ? {} : { source }) });
const invitationOf = ({ created_at, expires_at, ...row }: InvitationRow): Invitation => ({ ...row, created_at: created_at.toISOString(), expires_at: expires_at.toISOString() });
