/** What a tenant's configuration opens to its own roles: `policy: { tenant_admin: { credentials: write } }`. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { TenantPlan } from "../../engine/plan/types.ts";
import type { PolicyOf } from "./permissions.ts";

/** A tenant that no configuration names opens nothing. */
export const policyReader = (planOf: (tenant: string) => Promise<TenantPlan>) => (tenant: string): Promise<PolicyOf> => planOf(tenant).then(policyOf, (thrown: unknown) => {
  if (thrown instanceof PlugboardError && thrown.code === "PLAN_UNKNOWN_TENANT") return () => false;
  throw thrown;
});

const policyOf = ({ policy }: Pick<TenantPlan, "policy">): PolicyOf => (role, area) =>
  (policy as Readonly<Record<string, Readonly<Record<string, unknown>> | null>>)[role]?.[area] === "write";
