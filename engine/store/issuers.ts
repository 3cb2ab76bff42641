/** Whom the operator trusts to say who somebody is: sign-in providers of people, and signers of service tokens. Both are the operator's (tenant `platform`). */
import type { JsonObject } from "../manifest/types.ts";
import { PLATFORM } from "./audit.ts";
import { type Database, type TenantTransaction, withTenant } from "./database.ts";
import { sqlStateOf } from "./failures.ts";
import type { Keyring } from "./keyring.ts";
import { signInProviderPurpose } from "./purposes.ts";
import { deleteIssuer, deleteProvider, type IssuerRow, type ProviderRow, selectIssuer, selectIssuers, selectProviders, upsertIssuer, upsertProvider } from "./sql/issuers.ts";

export interface SignInProvider {
  readonly id: string;
  readonly title: string;
  readonly issuer: string;
  readonly client_id: string;
  readonly scopes: readonly string[];
  /** The claim that names groups, and what each gives. */
  readonly claim?: string;
  readonly roles: Readonly<Record<string, { readonly role: string; readonly tenant?: string }>>;
  readonly enabled: boolean;
}
export interface SignInProviderState extends SignInProvider { readonly fingerprint: string; readonly updated_at: string }

export interface TokenIssuer {
  readonly id: string;
  /** Claim `iss`, and which `aud` must be named. */
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** One of the two. Keys are public ones, as JWKs. */
  readonly jwks_url?: string;
  readonly public_keys?: readonly JsonObject[];
  readonly tenant_claim: string;
  readonly role_claim: string;
  /** Claim's value → what we call it; absent: as it stands. */
  readonly tenants?: Readonly<Record<string, string>>;
  readonly roles?: Readonly<Record<string, string>>;
  readonly enabled: boolean;
}
export interface TokenIssuerState extends TokenIssuer { readonly updated_at: string }

/**
 * @param secret absent: the one before stays, as long as issuer and client do.
 * @returns false when there is none to keep.
 */
export async function saveSignInProvider(tx: TenantTransaction, keyring: Keyring, provider: SignInProvider, secret: string | undefined): Promise<boolean> {
  const sealer = await keyring.of(tx);
  const purpose = signInProviderPurpose(provider.id, provider.issuer, provider.client_id);
  const kept = secret === undefined ? (await tx.run<ProviderRow>(selectProviders(tx.tenantId))).find(({ id, issuer, client_id }) => id === provider.id && issuer === provider.issuer && client_id === provider.client_id) : undefined;
  if (secret === undefined && !kept) return false;
  await tx.run(upsertProvider(tx.tenantId, {
    ...provider, scopes: [...provider.scopes], claim: provider.claim ?? null, roles: { ...provider.roles },
    sealed: secret === undefined ? kept!.sealed : sealer.seal(purpose, secret), fingerprint: secret === undefined ? kept!.fingerprint : sealer.fingerprint(secret),
  }));
  return true;
}

export const listSignInProviders = (db: Database): Promise<SignInProviderState[]> => withTenant(db, PLATFORM, async (tx) => (await tx.run<ProviderRow>(selectProviders(tx.tenantId))).map(providerOf));

/** With the secret we share with it. */
export const openSignInProvider = (db: Database, keyring: Keyring, id: string): Promise<(SignInProviderState & { readonly secret: string }) | undefined> => withTenant(db, PLATFORM, async (tx) => {
  const sealer = await keyring.of(tx);
  const row = (await tx.run<ProviderRow>(selectProviders(tx.tenantId))).find((each) => each.id === id && each.enabled);
  return row && { ...providerOf(row), secret: (await sealer.openFresh(signInProviderPurpose(row.id, row.issuer, row.client_id), row.sealed)).toString() };
});

export const removeSignInProvider = async (tx: TenantTransaction, id: string): Promise<boolean> => (await tx.run(deleteProvider(tx.tenantId, id))).length === 1;

/** False: another one signs as this issuer already. */
export async function saveTokenIssuer(tx: TenantTransaction, { public_keys, jwks_url, tenants, roles, algorithms, ...rest }: TokenIssuer): Promise<boolean> {
  await tx.query("savepoint issuer");
  try {
    await tx.run(upsertIssuer(tx.tenantId, { ...rest, algorithms: [...algorithms], jwks_url: jwks_url ?? null, public_keys: public_keys === undefined ? null : [...public_keys], tenants: tenants ?? null, roles: roles ?? null }));
    return true;
  } catch (error) {
    if (sqlStateOf(error) !== "23505") throw error;
    await tx.query("rollback to savepoint issuer");
    return false;
  }
}

export const listTokenIssuers = (db: Database): Promise<TokenIssuerState[]> => withTenant(db, PLATFORM, async (tx) => (await tx.run<IssuerRow>(selectIssuers(tx.tenantId))).map(issuerOf));

/** By claim `iss`; those that are switched off are not there. Read for every token: what the operator takes away is gone at once. */
export const findTokenIssuer = (db: Database, issuer: string): Promise<TokenIssuerState | undefined> => withTenant(db, PLATFORM, async (tx) => {
  const [row] = await tx.run<IssuerRow>(selectIssuer(tx.tenantId, issuer));
  return row && issuerOf(row);
});

export const removeTokenIssuer = async (tx: TenantTransaction, id: string): Promise<boolean> => (await tx.run(deleteIssuer(tx.tenantId, id))).length === 1;

const providerOf = ({ id, title, issuer, client_id, fingerprint, scopes, claim, roles, enabled, updated_at }: ProviderRow): SignInProviderState =>
  ({ id, title, issuer, client_id, fingerprint, scopes, roles, enabled, updated_at: updated_at.toISOString(), ...(claim === null ? {} : { claim }) });
const issuerOf = ({ id, issuer, audience, algorithms, jwks_url, public_keys, tenant_claim, role_claim, tenants, roles, enabled, updated_at }: IssuerRow): TokenIssuerState => ({
  id, issuer, audience, algorithms, tenant_claim, role_claim, enabled, updated_at: updated_at.toISOString(),
  ...(jwks_url === null ? {} : { jwks_url }), ...(public_keys === null ? {} : { public_keys: public_keys as JsonObject[] }), ...(tenants === null ? {} : { tenants }), ...(roles === null ? {} : { roles }),
});
