/** Whom somebody may make what. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { PLATFORM } from "../../engine/store/index.ts";
import { isRole, isStaff, roles, type Role } from "../api/permissions.ts";

const ATS_ROLES: readonly Role[] = ["employer_admin", "recruiter", "interviewer"];

/** The roles that a `giver` may give, change and take in a tenant: never above their own, and staff's only among staff. */
export function rolesGivenBy(giver: Role, tenant: string): readonly Role[] {
  const here = roles.filter((role) => isStaff(role) === (tenant === PLATFORM));
  if (giver === "super_admin") return here;
  if (giver === "tenant_admin") return here.slice(here.indexOf("tenant_admin"));
  return giver === "employer_admin" ? ATS_ROLES : [];
}

/** @throws PlugboardError SERVER_ABOVE_ROLE */
export function refuseAbove(giver: Role, tenant: string, role: string): asserts role is Role {
  if (!isRole(role) || !rolesGivenBy(giver, tenant).includes(role)) throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: `a ${giver} gives and takes ${rolesGivenBy(giver, tenant).join(", ") || "no role"} here, not ${role}` });
}
