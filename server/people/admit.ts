/**
 * From an identity at a provider to a person here. Who somebody is, is (issuer, subject), never an e-mail address: an address
 * that is known already is not taken over. A role comes from an invitation or from a group that the operator mapped, else none.
 */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import {
  addIdentity, addMembership, addUser, findInvitation, findUser, findUserByEmail, findUserOfIdentity, PLATFORM, recordAudit, setSourcedMemberships, takeInvitation, withTenant,
  type Actor, type Database, type SignInProvider, type User,
} from "../../engine/store/index.ts";
import { isRole } from "../api/permissions.ts";
import { normalEmail } from "./email.ts";
import type { Identity } from "./oidc.ts";

/** @throws PlugboardError SERVER_SIGN_IN_ELSEWHERE, SERVER_DEAD_LINK */
export async function admit(db: Database, provider: SignInProvider, identity: Identity, invitation: Buffer | undefined, from: Pick<Actor, "ip" | "request">): Promise<User> {
  const found = await findUserOfIdentity(db, identity.issuer, identity.subject);
  const invited = invitation === undefined ? undefined : await invite(db, provider, identity, invitation, found, from);
  const wanted = rolesOf(provider, identity);
  const user = invited ?? found?.id ?? (wanted.size === 0 ? undefined : await create(db, provider, identity, emailOf(identity)));
  if (user === undefined) throw refused(provider, "this account has no role here", "Ask whoever manages your organisation for an invitation.");
  const person = (await findUser(db, user))!;
  const elsewhere = person.memberships.filter(({ tenant }) => (tenant === PLATFORM) !== wanted.has(PLATFORM));
  if (wanted.size === 0 || elsewhere.length === 0) {
    for (const { tenant, role } of await setSourcedMemberships(db, user, provider.id, wanted)) {
      await withTenant(db, tenant, (tx) => recordAudit(tx, tenant, { actor: { kind: "system", id: provider.id, name: provider.title, ...from }, action: role === undefined ? "membership.ended" : "membership.changed", subject: { kind: "user", id: user }, after: { role: role ?? null, by: provider.id } }));
    }
  }
  const now = (await findUser(db, user))!;
  if (now.memberships.length === 0) throw refused(provider, "this account has no role here any more", "Ask whoever manages your organisation.");
  return now;
}

async function invite(db: Database, provider: SignInProvider, identity: Identity, hash: Buffer, found: User | undefined, from: Pick<Actor, "ip" | "request">): Promise<string> {
  const open = await findInvitation(db, hash);
  if (!open) throw new PlugboardError("SERVER_DEAD_LINK");
  if (found?.memberships.some(({ tenant }) => (tenant === PLATFORM) !== (open.tenant === PLATFORM))) throw refused(provider, "nobody is the operator's and a customer's at once", "Use another account.");
  const user = found?.id ?? await create(db, provider, identity, open.email);
  await withTenant(db, open.tenant, async (tx) => {
    const taken = await takeInvitation(tx, hash);
    if (!taken) throw new PlugboardError("SERVER_DEAD_LINK");
    await addMembership(tx, user, taken.role);
    await recordAudit(tx, tx.tenant, { actor: { kind: "user", id: user, name: open.email, ...from }, action: "invitation.accepted", subject: { kind: "invitation", id: taken.id }, after: { role: taken.role, by: provider.id } });
  });
  return user;
}

async function create(db: Database, provider: SignInProvider, { issuer, subject, claims }: Identity, email: string | undefined): Promise<string> {
  if (email === undefined) throw refused(provider, "it names no e-mail address", "Let it give the claim `email`.");
  const name = typeof claims["name"] === "string" && claims["name"].trim() !== "" ? claims["name"].slice(0, 200) : email;
  const taken = await findUserByEmail(db, email) !== undefined;
  return withTenant(db, PLATFORM, async (tx) => {
    const user = taken ? undefined : await addUser(tx, { email, name });
    if (user === undefined || !(await addIdentity(tx, user, issuer, subject))) throw refused(provider, "that e-mail address signs in another way here", "Sign in the way you did before.");
    return user;
  });
}

/** An address that the provider says nobody proved is none. */
const emailOf = ({ claims }: Identity): string | undefined => typeof claims["email"] === "string" && claims["email_verified"] !== false ? normalEmail(claims["email"]) : undefined;

/** Tenant → role. Staff are nothing else. */
function rolesOf({ claim, roles }: SignInProvider, { claims }: Identity): Map<string, string> {
  const value = claim === undefined ? undefined : claims[claim];
  const groups = (Array.isArray(value) ? value : [value]).filter((group): group is string => typeof group === "string" && Object.hasOwn(roles, group));
  const wanted = new Map(groups.map((group) => roles[group]!).filter(({ role }) => isRole(role)).map(({ tenant, role }) => [tenant ?? PLATFORM, role]));
  const staff = wanted.get(PLATFORM);
  return staff === undefined ? wanted : new Map([[PLATFORM, staff]]);
}

const refused = ({ title }: SignInProvider, detail: string, suggestion: string): PlugboardError => new PlugboardError("SERVER_SIGN_IN_ELSEWHERE", { provider: title, detail, suggestion });
