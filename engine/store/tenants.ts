import { PlugboardError } from "../errors/plugboard-error.ts";
import { type Database, inGlobal, inTenant, type TenantTransaction, type Transaction } from "./database.ts";
import { sqlStateOf } from "./failures.ts";
import { cancelRuns, restartSchedules } from "./sql/organisations.ts";
import { selectTenant, selectTenantBySubdomain, selectTenants, setTenantStatus, type TenantRow, upsertTenant } from "./sql/tenants.ts";

export interface TenantHead { readonly slug: string; readonly title: string; readonly subdomain?: string }

/** `creating`: reserved, not in force yet. `suspended`: nothing runs, its own people are refused. `erasing`: on its way out. */
export type TenantStatus = TenantRow["status"];

export interface TenantInForce extends TenantHead {
  /** The revision it runs on; absent before the first one was applied. */
  readonly revision?: string;
  readonly status: TenantStatus;
  /** ISO instants. */
  readonly status_at: string;
  readonly status_by?: string;
  readonly status_reason?: string;
  readonly created_at: string;
}

/**
 * Makes the tenant, or brings its title and subdomain up to date.
 * @throws PlugboardError SERVER_AMBIGUOUS when another tenant has the subdomain.
 */
export async function ensureTenant(at: Database | Transaction, { slug, title, subdomain }: TenantHead): Promise<void> {
  const upsert = upsertTenant(slug, title, subdomain);
  try {
    await ("run" in at ? at.run(upsert) : inGlobal(at, (tx) => tx.run(upsert)));
  } catch (error) {
    if (sqlStateOf(error) !== "23505") throw error;
    throw new PlugboardError("SERVER_AMBIGUOUS", { name: subdomain, candidates: `the subdomain of ${slug} and of another tenant` }, { cause: error });
  }
}

export const listTenants = (db: Database): Promise<TenantInForce[]> => inGlobal(db, async (tx) => (await tx.run<TenantRow>(selectTenants())).map(tenantOf));

export const findTenant = (db: Database, slug: string): Promise<TenantInForce | undefined> => inGlobal(db, async (tx) => {
  const [row] = await tx.run<TenantRow>(selectTenant(slug));
  return row && tenantOf(row);
});

/** The tenant of `acme.<domain>`; one that is being made has no address yet. */
export const findTenantBySubdomain = (db: Database, subdomain: string): Promise<TenantInForce | undefined> => inGlobal(db, async (tx) => {
  const [row] = await tx.run<TenantRow>(selectTenantBySubdomain(subdomain));
  return row && tenantOf(row);
});

/**
 * From now on nothing starts: what is queued or waits is cancelled, what runs ends after its page. Data stays.
 * @returns false: it was not active. @throws PlugboardError PLAN_UNKNOWN_TENANT
 */
export const suspendTenant = (at: Database | TenantTransaction, tenant: string, by: string, reason?: string): Promise<boolean> => inTenant(at, tenant, async (tx) => {
  if ((await tx.run(setTenantStatus(tx.tenantId, ["active"], "suspended", by, reason))).length === 0) return false;
  await tx.run(cancelRuns(tx.tenantId, by));
  return true;
});

/** Flows go on at their next tick. @returns false: it was not suspended. @throws PlugboardError PLAN_UNKNOWN_TENANT */
export const resumeTenant = (at: Database | TenantTransaction, tenant: string, by: string): Promise<boolean> => inTenant(at, tenant, async (tx) => {
  if ((await tx.run(setTenantStatus(tx.tenantId, ["suspended"], "active", by, undefined))).length === 0) return false;
  await tx.run(restartSchedules(tx.tenantId));
  return true;
});

const tenantOf = ({ slug, title, subdomain, revision, status, status_at, status_by, status_reason, created_at }: TenantRow): TenantInForce => ({
  slug, title, status, status_at: status_at.toISOString(), created_at: created_at.toISOString(),
  ...(subdomain === null ? {} : { subdomain }), ...(revision === null ? {} : { revision }), ...(status_by === null ? {} : { status_by }), ...(status_reason === null ? {} : { status_reason }),
});
