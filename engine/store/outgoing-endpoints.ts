/** Where outgoing webhooks go, and the secrets that sign them. A secret is shown once, when it is made. */
import { randomBytes } from "node:crypto";
import { PLATFORM } from "./audit.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import { endpointSecretPurpose } from "./purposes.ts";
import { newRowId } from "./row-id.ts";
import { deleteEndpoint, type EndpointRow, type EndpointSecretRow, insertEndpointSecret, selectEndpoints, selectEndpointSecrets, switchEndpoint, upsertEndpoint } from "./sql/outgoing-endpoints.ts";

/** Bytes of a secret; Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;
const PREFIX = "whsec_";
/** How long the secret before it signs too; seconds. */
export const OVERLAP_SECONDS = 86_400;

export interface OutgoingEndpoint {
  readonly name: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly disabled_reason?: string;
  readonly disabled_at?: string;
  /** Those that sign now, the newest first. */
  readonly secrets: readonly { readonly fingerprint: string; readonly created_at: string; readonly expires_at?: string }[];
  readonly created_at: string;
  readonly updated_at: string;
}

/** Makes an endpoint, or gives one another address; one that a 410 had disabled is tried again at its new one. @returns the secret of a new one. */
export const putOutgoingEndpoint = (at: Database | TenantTransaction, keyring: Keyring, tenant: string, name: string, url: string): Promise<{ readonly secret?: string }> => inTenant(at, tenant, async (tx) => {
  const [row] = await tx.run<{ made: boolean }>(upsertEndpoint(tx.tenantId, name, url));
  return row?.made === true ? { secret: await addSecret(tx, keyring, name, 0) } : {};
});

/** A new secret signs at once; those before it sign too, until `overlapSeconds` are over. Undefined: there is no such endpoint. */
export const rotateEndpointSecret = (at: Database | TenantTransaction, keyring: Keyring, tenant: string, name: string, overlapSeconds = OVERLAP_SECONDS): Promise<{ readonly secret: string } | undefined> => inTenant(at, tenant, async (tx) => {
  if ((await tx.run(selectEndpoints(tx.tenantId, name))).length === 0) return undefined;
  return { secret: await addSecret(tx, keyring, name, overlapSeconds) };
});

async function addSecret(tx: TenantTransaction, keyring: Keyring, name: string, overlapSeconds: number): Promise<string> {
  const [id, secret, sealer] = [newRowId(), PREFIX + randomBytes(SECRET_BYTES).toString("base64"), await keyring.of(tx)];
  await tx.run(insertEndpointSecret(tx.tenantId, name, { id, sealed: sealer.seal(endpointSecretPurpose(id), secret), fingerprint: sealer.fingerprint(secret) }, overlapSeconds));
  return secret;
}

/** @param reason why it is switched off. False: there is no such endpoint. */
export const switchOutgoingEndpoint = (at: Database | TenantTransaction, tenant: string, name: string, enabled: boolean, reason?: string): Promise<boolean> =>
  inTenant(at, tenant, async (tx) => (await tx.run(switchEndpoint(tx.tenantId, name, enabled, reason ?? null))).length === 1);

export const removeOutgoingEndpoint = (at: Database | TenantTransaction, tenant: string, name: string): Promise<boolean> =>
  inTenant(at, tenant, async (tx) => (await tx.run(deleteEndpoint(tx.tenantId, name))).length === 1);

export const listOutgoingEndpoints = (at: Database | TenantTransaction, tenant: string, name?: string): Promise<OutgoingEndpoint[]> => inTenant(at, tenant, async (tx) => {
  const states: OutgoingEndpoint[] = [];
  for (const row of await tx.run<EndpointRow>(selectEndpoints(tx.tenantId, name))) states.push(stateOf(row, await tx.run<EndpointSecretRow>(selectEndpointSecrets(tx.tenantId, row.name))));
  return states;
});

export interface OpenOutgoingEndpoint {
  /** Whose it is: the tenant's, or the operator's. */
  readonly owner: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly disabledReason?: string;
  /** The newest first: all of them sign. */
  readonly secrets: readonly string[];
}

/** The tenant's endpoint of that name, else the operator's. Undefined: neither has one. */
export async function openOutgoingEndpoint(db: Database, keyring: Keyring, tenant: string, name: string): Promise<OpenOutgoingEndpoint | undefined> {
  for (const owner of tenant === PLATFORM ? [tenant] : [tenant, PLATFORM]) {
    const found = await inTenant(db, owner, async (tx): Promise<OpenOutgoingEndpoint | undefined> => {
      const sealer = await keyring.of(tx);
      const [row] = await tx.run<EndpointRow>(selectEndpoints(tx.tenantId, name));
      if (row === undefined) return undefined;
      const secrets = await tx.run<EndpointSecretRow>(selectEndpointSecrets(tx.tenantId, name));
      return {
        owner, url: row.url, enabled: row.enabled, ...(row.disabled_reason === null ? {} : { disabledReason: row.disabled_reason }),
        secrets: await Promise.all(secrets.map(async ({ id, sealed }) => (await sealer.openFresh(endpointSecretPurpose(id), sealed)).toString("utf8"))),
      };
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

const stateOf = (row: EndpointRow, secrets: readonly EndpointSecretRow[]): OutgoingEndpoint => ({
  name: row.name, url: row.url, enabled: row.enabled, ...(row.disabled_reason === null ? {} : { disabled_reason: row.disabled_reason }), ...(row.disabled_at === null ? {} : { disabled_at: row.disabled_at.toISOString() }),
  secrets: secrets.map(({ fingerprint, created_at, expires_at }) => ({ fingerprint, created_at: created_at.toISOString(), ...(expires_at === null ? {} : { expires_at: expires_at.toISOString() }) })),
  created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString(),
});
