/**
 * What staff who work for some tenants are told where a route spans several: nothing of the others, not even their names. For
 * everybody else access has settled the tenant before.
 */
import type { FastifyRequest } from "fastify";
import type { StoredChange } from "../../engine/store/index.ts";
import { editsOf, type ChangePlan } from "../review/index.ts";

type Asked = Pick<FastifyRequest, "caller">;

export const mayKnow = ({ caller }: Asked, tenant: string): boolean => caller?.assigned === undefined || caller.assigned.includes(tenant);

/** Of the workspace's files a tenant's own is theirs. */
export function mayRead(request: Asked, file: string): boolean {
  const tenant = /(?:^|\/)tenants\/([^/]+)\.yaml$/.exec(file)?.[1];
  return tenant === undefined || mayKnow(request, tenant);
}

/** A plan, and of the tenants that it is not for the caller to know how many it changes. */
export function knownPlan<Plan extends Pick<ChangePlan, "tenants"> & Partial<Pick<ChangePlan, "files" | "warnings">>>(request: Asked, plan: Plan): Plan & { readonly others?: number } {
  const tenants = plan.tenants.filter(({ tenant }) => mayKnow(request, tenant));
  if (request.caller?.assigned === undefined) return plan;
  return {
    ...plan, tenants, others: plan.tenants.length - tenants.length,
    ...(plan.files === undefined ? {} : { files: plan.files.filter(({ file }) => mayRead(request, file)) }),
    ...(plan.warnings === undefined ? {} : { warnings: plan.warnings.filter(({ file }) => file === undefined || mayRead(request, file)) }),
  };
}

/** Whether anything of a change is the caller's business: one that is about other tenants alone is not. */
export function mayKnowChange(request: Asked, change: StoredChange): boolean {
  if (request.caller?.assigned === undefined) return true;
  const touched = new Set([...((change.plan as unknown as ChangePlan | undefined)?.tenants.map(({ tenant }) => tenant) ?? []), ...(change.tenant === undefined ? [] : [change.tenant])]);
  return [...touched].some((tenant) => mayKnow(request, tenant)) || editsOf(change).some(({ file }) => !/(?:^|\/)tenants\//.test(file));
}
