/** What a tenant's configuration opens to its own roles: `policy: { tenant_admin: { credentials: write } }`. */
import type { TenantPlan } from "../../engine/plan/types.ts";
import type { PolicyOf } from "./permissions.ts";

export const policyOf = ({ policy }: Pick<TenantPlan, "policy">): PolicyOf => (role, area) =>
  (policy as Readonly<Record<string, Readonly<Record<string, unknown>> | null>>)[role]?.[area] === "write";
