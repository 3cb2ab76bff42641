import { PlugboardError } from "../errors/plugboard-error.ts";
import { type Database, inGlobal } from "./database.ts";
import { sqlStateOf } from "./failures.ts";
import { selectTenants, upsertTenant } from "./sql/tenants.ts";

export interface TenantHead { readonly slug: string; readonly title: string; readonly subdomain?: string }

export interface TenantInForce extends TenantHead {
  /** The revision it runs on; absent before the first one was applied. */
  readonly revision?: string;
}

/**
 * Makes the tenant, or brings its title and subdomain up to date.
 * @throws PlugboardError SERVER_AMBIGUOUS when another tenant has the subdomain.
 */
export async function ensureTenant(db: Database, { slug, title, subdomain }: TenantHead): Promise<void> {
  try {
    await inGlobal(db, (tx) => tx.run(upsertTenant(slug, title, subdomain)));
  } catch (error) {
    if (sqlStateOf(error) !== "23505") throw error;
    throw new PlugboardError("SERVER_AMBIGUOUS", { name: subdomain, candidates: `the subdomain of ${slug} and of another tenant` }, { cause: error });
  }
}

export const listTenants = (db: Database): Promise<TenantInForce[]> => inGlobal(db, async (tx) => {
  const rows = await tx.run<{ slug: string; title: string; subdomain: string | null; revision: string | null }>(selectTenants());
  return rows.map(({ slug, title, subdomain, revision }) => ({ slug, title, ...(subdomain === null ? {} : { subdomain }), ...(revision === null ? {} : { revision }) }));
});
