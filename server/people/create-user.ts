/** People made without an invitation: the first super admin, on the command line, and those of the demo. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { addMembership, addUser, findUserByEmail, PLATFORM, recordAudit, setAssignments, withTenant, type Actor, type Database } from "../../engine/store/index.ts";
import type { Role } from "../api/permissions.ts";
import { hashPassword, refuseWeakPassword } from "./passwords.ts";

export interface NewUser {
  /** In its normal form. */
  readonly email: string;
  readonly name?: string;
  readonly role: Role;
  /** Where they are a member. @default the operator's own, for staff */
  readonly tenant?: string;
  /** Of an integration engineer: the tenants they work for. */
  readonly assigned?: readonly string[];
  readonly password: string;
}

/** @returns the id. @throws PlugboardError SERVER_EXISTS, SERVER_WEAK_PASSWORD, PLAN_UNKNOWN_TENANT */
export async function createUser(db: Database, { email, name = email, role, tenant = PLATFORM, assigned = [], password }: NewUser, actor: Actor): Promise<string> {
  refuseWeakPassword(password, [email, name]);
  if (await findUserByEmail(db, email)) throw taken(email);
  const hash = await hashPassword(password);
  return withTenant(db, tenant, async (tx) => {
    const id = await addUser(tx, { email, name, password: hash });
    if (id === undefined) throw taken(email);
    await addMembership(tx, id, role);
    const given = assigned.length === 0 ? [] : await setAssignments(tx, id, assigned);
    await recordAudit(tx, tenant, { actor, action: "membership.made", subject: { kind: "user", id }, after: { email, role, ...(given.length === 0 ? {} : { tenants: given }) } });
    return id;
  });
}

const taken = (email: string): PlugboardError => new PlugboardError("SERVER_EXISTS", { kind: "Person", name: email, suggestion: "Change their role instead, or make them a link to choose a new password: POST /api/users/:id/password-reset." });
