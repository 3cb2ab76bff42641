/**
 * Which rows of an entity a role sees: what its schema says in `x-access`, else all for the operator's people and the tenant's
 * administrators, and none for others. Keys see what their scopes say; one that a person made sees no more than their role.
 */
import type { FastifyRequest } from "fastify";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { EntityPlan } from "../../engine/plan/types.ts";
import type { Role } from "./permissions.ts";

export type RowAccess = "all" | "assigned" | "own" | "none";

const BY_DEFAULT: Readonly<Record<Role, RowAccess>> = { super_admin: "all", integration_engineer: "all", tenant_admin: "all", employer_admin: "all", recruiter: "none", interviewer: "none" };

/** @param entity absent: the configuration no longer names it, so nobody knows whom it was for. */
export function rowAccess(role: Role, entity: Pick<EntityPlan, "schema"> | undefined): RowAccess {
  if (entity === undefined) return "none";
  const said = (entity.schema["x-access"] as Readonly<Record<string, unknown>> | undefined)?.[role];
  return said === "all" || said === "assigned" || said === "own" || said === "none" ? said : said === undefined ? BY_DEFAULT[role] : "none";
}

/**
 * Rows are not yet somebody's: who sees only assigned or own ones sees none.
 * @throws PlugboardError SERVER_ROLE_FORBIDDEN
 */
export function refuseHiddenRows({ caller }: Pick<FastifyRequest, "caller">, name: string, entity: Pick<EntityPlan, "schema"> | undefined): void {
  const role = caller!.role ?? caller!.within;
  if (role !== undefined && rowAccess(role, entity) !== "all") throw new PlugboardError("SERVER_ROLE_FORBIDDEN", { role, permission: `records:read of ${name}` });
}
