/**
 * How a tenant comes to be: its name is reserved first (unique, whoever asks at the same time), its file is committed, and the
 * revision that names it makes it active (see setTenantRevision). A reservation without a file is given back.
 */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { JsonObject } from "../manifest/types.ts";
import { type Database, inGlobal, inTenant, type TenantTransaction, withTenant } from "./database.ts";
import { sqlStateOf } from "./failures.ts";
import { deleteProfile, type ProfileRow, selectProfile, upsertProfile } from "./sql/organisations.ts";
import { releaseTenant, reserveTenant, selectCreation, selectUnfinished } from "./sql/tenants.ts";
import type { TenantHead, TenantStatus } from "./tenants.ts";

/** Whom to bill, and who is invited first. Neither stands in Git. */
export interface TenantProfile { readonly billing: JsonObject; readonly administrator?: { readonly email: string; readonly name?: string } }

export interface Reservation extends Required<TenantHead> {
  readonly profile: TenantProfile;
  readonly by: string;
  /** Of what was asked for: who asks the same again goes on where the first try ended. */
  readonly hash: string;
  /** The caller's own name of this request. */
  readonly key?: string;
}

export interface Reserved {
  readonly slug: string;
  /** False: the same was asked for before, and this is how far it came. */
  readonly isNew: boolean;
  readonly status: TenantStatus;
}

/**
 * @param audit what else is written in the same transaction, when the reservation is new.
 * @throws PlugboardError TENANT_TAKEN when the id or the subdomain is another's; TENANT_KEY_REUSED
 */
export async function reserveOrganisation(db: Database, { slug, title, subdomain, profile, by, hash, key }: Reservation, audit: (tx: TenantTransaction) => Promise<void>): Promise<Reserved> {
  try {
    await inGlobal(db, async (tx) => {
      const [row] = await tx.run<{ id: string }>(reserveTenant(slug, title, subdomain, by, hash, key));
      if (!row) throw new Taken();
      await tx.query("select set_config('plugboard.tenant_id', $1, true)", [row.id]);
      await tx.run(upsertProfile(row.id, profile.billing, profile.administrator));
      await audit({ ...tx, tenant: slug, tenantId: row.id });
    });
    return { slug, isNew: true, status: "creating" };
  } catch (error) {
    if (!(error instanceof Taken) && sqlStateOf(error) !== "23505") throw error;
  }
  const [row] = await inGlobal(db, (tx) => tx.run<{ slug: string; status: TenantStatus; creation_hash: string | null }>(selectCreation(slug, key)));
  if (row?.creation_hash === hash && row.slug === slug) return { slug, isNew: false, status: row.status };
  if (row !== undefined && row.slug !== slug) throw new PlugboardError("TENANT_KEY_REUSED", { tenant: row.slug });
  throw new PlugboardError("TENANT_TAKEN", row === undefined ? { field: "subdomain", value: subdomain } : { field: "id", value: slug });
}

class Taken extends Error {}

/** Gives the name of a tenant back that never came into force. False: it is there by now. */
export const releaseOrganisation = (db: Database, tenant: string): Promise<boolean> => withTenant(db, tenant, async (tx) => {
  if ((await tx.run(releaseTenant(tx.tenantId))).length === 0) return false;
  await tx.run(deleteProfile(tx.tenantId));
  return true;
});

/** Tenants whose creation was begun so long ago that nobody is at it any more. */
export const unfinishedOrganisations = (db: Database, olderThanSeconds: number): Promise<string[]> =>
  inGlobal(db, async (tx) => (await tx.run<{ slug: string }>(selectUnfinished(olderThanSeconds))).map(({ slug }) => slug));

/** @throws PlugboardError PLAN_UNKNOWN_TENANT */
export const readProfile = (at: Database | TenantTransaction, tenant: string): Promise<TenantProfile> => inTenant(at, tenant, async (tx) => {
  const [row] = await tx.run<ProfileRow>(selectProfile(tx.tenantId));
  return { billing: (row?.billing ?? {}) as JsonObject, ...(row?.administrator == null ? {} : { administrator: row.administrator as TenantProfile["administrator"] & object }) };
});

/** @throws PlugboardError PLAN_UNKNOWN_TENANT */
export const saveProfile = (at: Database | TenantTransaction, tenant: string, profile: TenantProfile): Promise<void> =>
  inTenant(at, tenant, async (tx) => { await tx.run(upsertProfile(tx.tenantId, profile.billing, profile.administrator)); });
