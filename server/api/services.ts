/** What the routes work with. */
import type { Jobs } from "../../engine/jobs/index.ts";
import type { Transport } from "../../engine/components/kinds.ts";
import { currentRevision, readPlan, type Database, type Keyring, type ReferenceResolver } from "../../engine/store/index.ts";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { TenantPlan } from "../../engine/plan/types.ts";
import type { Review } from "../review/index.ts";

export interface Services {
  readonly db: Database;
  readonly jobs: Jobs;
  /** Seals what is entered, opens it for a check or a proxied call. */
  readonly keyring: Keyring;
  /** Finds secrets that are stored as references. */
  readonly references: ReferenceResolver;
  /** To providers. */
  readonly transport: Transport;
  /** Private addresses that may be reached, as the workspace says. */
  readonly allowPrivate?: boolean | readonly string[] | undefined;
  /** Under which address people reach this server; absent: that of the request. */
  readonly publicUrl?: string | undefined;
  /** Origins to which a connect link may lead back. */
  readonly returnOrigins?: readonly string[] | undefined;
  /** The workspace in Git, and the review of its changes; absent: this server shows what is in force, and changes nothing of it. */
  readonly review?: Review | undefined;
  /** The plan in force. @throws PlugboardError PLAN_UNKNOWN_TENANT when the configuration does not name the tenant. */
  planOf(tenant: string): Promise<TenantPlan>;
}

const CACHED_PLANS = 200;

export function createServices({ db, jobs, keyring, references, transport, allowPrivate, publicUrl, returnOrigins, review }: Omit<Services, "planOf">): Services {
  const cache = new Map<string, { readonly revision: string; readonly plan: TenantPlan }>();
  return {
    db, jobs, keyring, references, transport, allowPrivate, publicUrl, returnOrigins, review,
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

/** @throws PlugboardError CHANGE_NO_WORKSPACE */
export function reviewOf({ review }: Pick<Services, "review">): Review {
  if (review === undefined) throw new PlugboardError("CHANGE_NO_WORKSPACE");
  return review;
}
