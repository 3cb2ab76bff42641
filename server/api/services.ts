/** What the routes work with. */
import type { Jobs } from "../../engine/jobs/index.ts";
import { currentRevision, readPlan, type Database } from "../../engine/store/index.ts";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { TenantPlan } from "../../engine/plan/types.ts";

export interface Services {
  readonly db: Database;
  readonly jobs: Jobs;
  /** The plan in force. @throws PlugboardError PLAN_UNKNOWN_TENANT when the configuration does not name the tenant. */
  planOf(tenant: string): Promise<TenantPlan>;
}

const CACHED_PLANS = 200;

export function createServices(db: Database, jobs: Jobs): Services {
  const cache = new Map<string, { readonly revision: string; readonly plan: TenantPlan }>();
  return {
    db, jobs,
    async planOf(tenant) {
      const revision = await currentRevision(db, tenant);
      if (revision === undefined) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant, suggestion: "The configuration in force does not name it." });
      const known = cache.get(tenant);
      if (known?.revision === revision) return known.plan;
      const plan = await readPlan(db, tenant, revision);
      cache.delete(tenant);
      cache.set(tenant, { revision, plan });
      if (cache.size > CACHED_PLANS) cache.delete(cache.keys().next().value!);
      return plan;
    },
  };
}
