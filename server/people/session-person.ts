/** A stored session as access sees it: roles that the table does not know grant nothing. */
import { PLATFORM, type Session } from "../../engine/store/index.ts";
import type { Person } from "../api/access.ts";
import { isRole, isStaff, type Role } from "../api/permissions.ts";

export function personOf({ id, created_at, expires_at, user, memberships, assigned, acting }: Session): Person {
  const known = memberships.filter((each): each is typeof each & { readonly role: Role } => isRole(each.role) && isStaff(each.role) === (each.tenant === PLATFORM));
  const staff = known.find(({ tenant }) => tenant === PLATFORM)?.role;
  return {
    id: user.id, email: user.email, name: user.name, session: { id, created_at, expires_at }, assigned: staff === "integration_engineer" ? assigned : [],
    memberships: staff === undefined ? known : [], ...(staff === undefined ? {} : { staff }),
    // Whoever is no super admin any more acts as nobody.
    ...(acting !== undefined && staff === "super_admin" && isRole(acting.role) && !isStaff(acting.role) ? { acting: { ...acting, role: acting.role } } : {}),
  };
}
