/** Whether a caller has a permission beside the route's own: what a change touches is known only when it is read. */
import type { FastifyRequest } from "fastify";
import { grantOf, grants, isStaff, permissions, type Permission, type PolicyOf } from "./permissions.ts";
import { policyReader } from "./policy.ts";
import type { Services } from "./services.ts";

/** @param tenant what it would be about; absent for what is about none */
export async function may({ caller }: FastifyRequest, { planOf }: Pick<Services, "planOf">, permission: Permission, tenant?: string): Promise<boolean> {
  if (!caller) return false;
  const about = permissions[permission].tenant;
  if (caller.tenant !== undefined && (about === false || tenant === undefined || tenant !== caller.tenant)) return false;
  if (caller.assigned !== undefined && tenant !== undefined && !caller.assigned.includes(tenant)) return false;
  if (caller.role === undefined && !grants(caller, permission)) return false;
  const role = caller.role ?? caller.within;
  if (role === undefined) return caller.role === undefined;
  const open: PolicyOf = isStaff(role) || tenant === undefined ? () => false : await policyReader(planOf)(tenant);
  return grantOf(role, permission, open) !== undefined;
}
