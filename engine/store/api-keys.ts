/** API keys by their hash. A key without a tenant is the operator's. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import { type Database, inGlobal } from "./database.ts";
import { insertApiKey, revokeApiKey as revokeStatement, selectApiKeys, useApiKey } from "./sql/api-keys.ts";

export interface ApiKeyGrant { readonly id: string; readonly tenant?: string; readonly name: string; readonly scopes: readonly string[] }
export interface ApiKeyState extends ApiKeyGrant { readonly created_at: string; readonly expires_at?: string; readonly revoked_at?: string; readonly last_used_at?: string }

/** @throws PlugboardError PLAN_UNKNOWN_TENANT */
export const addApiKey = (db: Database, key: { readonly hash: Buffer; readonly tenant?: string; readonly name: string; readonly scopes: readonly string[]; readonly expires_at?: string }): Promise<string> =>
  inGlobal(db, async (tx) => {
    const [row] = await tx.run<{ id: string }>(insertApiKey({ hash: key.hash, tenant: key.tenant ?? null, name: key.name, scopes: key.scopes, expiresAt: key.expires_at === undefined ? null : new Date(key.expires_at) }));
    if (!row) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant: key.tenant });
    return row.id;
  });

/** What the key may do; undefined for one that is unknown, expired or revoked. Notes that it was used. */
export const findApiKey = (db: Database, hash: Buffer): Promise<ApiKeyGrant | undefined> => inGlobal(db, async (tx) => {
  const [row] = await tx.run<{ id: string; tenant: string | null; name: string; scopes: string[] }>(useApiKey(hash));
  return row && { id: row.id, name: row.name, scopes: row.scopes, ...(row.tenant === null ? {} : { tenant: row.tenant }) };
});

export const listApiKeys = (db: Database): Promise<ApiKeyState[]> => inGlobal(db, async (tx) => {
  const rows = await tx.run<{ id: string; tenant: string | null; name: string; scopes: string[]; created_at: Date; expires_at: Date | null; revoked_at: Date | null; last_used_at: Date | null }>(selectApiKeys());
  return rows.map(({ id, tenant, name, scopes, created_at, ...times }) => ({
    id, name, scopes, created_at: created_at.toISOString(), ...(tenant === null ? {} : { tenant }),
    ...Object.fromEntries(Object.entries(times).flatMap(([field, time]) => time === null ? [] : [[field, time.toISOString()]])),
  }));
});

/** False: there is no such key in use. */
export const revokeApiKey = (db: Database, id: string): Promise<boolean> => inGlobal(db, async (tx) => (await tx.run(revokeStatement(id))).length === 1);
