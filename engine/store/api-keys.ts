/** API keys by their hash. A key without a tenant is the operator's; in a tenant's transaction only the tenant's exist. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import { type AuditEntry, PLATFORM, recordAudit } from "./audit.ts";
import { type Database, inGlobal, type Transaction } from "./database.ts";
import { type ApiKeyRow, enterTenant, insertApiKey, revokeApiKey as revokeStatement, selectApiKeys, useApiKey } from "./sql/api-keys.ts";

/** `within`: the role of the person who made it, when a person did; it never does more than that role. */
export interface ApiKeyGrant { readonly id: string; readonly tenant?: string; readonly name: string; readonly scopes: readonly string[]; readonly within?: string }
export interface ApiKeyState extends ApiKeyGrant {
  readonly made_by?: string;
  /** Where it may be used from, as networks (`192.0.2.0/24`). Absent: anywhere. */
  readonly networks?: readonly string[];
  readonly created_at: string;
  readonly expires_at?: string;
  readonly revoked_at?: string;
  readonly last_used_at?: string;
}
export interface NewApiKey {
  readonly hash: Buffer;
  readonly tenant?: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expires_at?: string;
  readonly within?: string;
  readonly made_by?: string;
  readonly networks?: readonly string[];
}

/** @throws PlugboardError PLAN_UNKNOWN_TENANT */
export const addApiKey = (at: Database | Transaction, key: NewApiKey): Promise<string> => globally(at, async (tx) => {
  const [row] = await tx.run<{ id: string }>(insertApiKey({
    hash: key.hash, tenant: key.tenant ?? null, name: key.name, scopes: key.scopes, expiresAt: key.expires_at === undefined ? null : new Date(key.expires_at),
    within: key.within ?? null, madeBy: key.made_by ?? null, networks: key.networks ?? null,
  }));
  if (!row) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant: key.tenant });
  return row.id;
});

/** What the key may do; undefined for one that is unknown, expired, revoked, or used from where it may not be. Notes that it was used. */
export const findApiKey = (db: Database, hash: Buffer, ip?: string): Promise<ApiKeyGrant | undefined> => inGlobal(db, async (tx) => {
  const [row] = await tx.run<{ id: string; tenant: string | null; name: string; scopes: string[]; within: string | null }>(useApiKey(hash, ip ?? null));
  return row && { id: row.id, name: row.name, scopes: row.scopes, ...(row.tenant === null ? {} : { tenant: row.tenant }), ...(row.within === null ? {} : { within: row.within }) };
});

export const listApiKeys = (at: Database | Transaction): Promise<ApiKeyState[]> => globally(at, async (tx) => (await tx.run<ApiKeyRow>(selectApiKeys())).map(stateOf));

/** False: there is no such key in use. */
export const revokeApiKey = (at: Database | Transaction, id: string): Promise<boolean> => globally(at, async (tx) => (await tx.run(revokeStatement(id))).length === 1);

/** Works on the keys of no tenant; what it did is written into the operator's log with `log`, as the last thing. */
export const withOperatorKeys = <Result>(db: Database, work: (tx: Transaction, log: (entry: AuditEntry) => Promise<void>) => Promise<Result>): Promise<Result> => inGlobal(db, (tx) => work(tx, async (entry) => {
  const [row] = await tx.run<{ id: string }>(enterTenant(PLATFORM));
  await recordAudit({ ...tx, tenant: PLATFORM, tenantId: row!.id }, PLATFORM, entry);
}));

const globally = <Result>(at: Database | Transaction, work: (tx: Transaction) => Promise<Result>): Promise<Result> => "pool" in at ? inGlobal(at, work) : work(at);

const stateOf = ({ id, tenant, name, scopes, within, made_by, networks, created_at, ...times }: ApiKeyRow): ApiKeyState => ({
  id, name, scopes, created_at: created_at.toISOString(),
  ...(tenant === null ? {} : { tenant }), ...(within === null ? {} : { within }), ...(made_by === null ? {} : { made_by }), ...(networks === null ? {} : { networks }),
  ...Object.fromEntries(Object.entries(times).flatMap(([field, time]) => time === null ? [] : [[field, (time as Date).toISOString()]])),
});
