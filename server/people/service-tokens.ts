/**
 * Service tokens: short-lived JWTs that the host product signs for its own users. Who may sign, with which algorithms and which
 * claims, the operator registers; nothing of the token is believed before its signature is. The bearer has exactly one role in
 * exactly one tenant, never one of the operator's.
 */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { findTokenIssuer, PLATFORM, type Database, type TokenIssuer } from "../../engine/store/index.ts";
import type { Transport } from "../../engine/components/kinds.ts";
import type { Bearer, Caller } from "../api/access.ts";
import { isRole, isStaff } from "../api/permissions.ts";
import { guardedFetch } from "./guarded-fetch.ts";

/** Signatures with a key of their own for reading: with a shared secret, who can check could also sign. */
export const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const;
const LONGEST_SECONDS = 3600;
/** Clocks differ. */
const TOLERANCE_SECONDS = 30;
const CACHED_SETS = 100;
const MAX_BYTES = 8192;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export function serviceTokens(db: Database, transport: Transport): Bearer {
  const fetch = guardedFetch(transport);
  /** By address: what a signer published lately. */
  const sets = new Map<string, JWTVerifyGetKey>();

  const keysOf = ({ jwks_url, public_keys }: TokenIssuer): JWTVerifyGetKey => {
    if (jwks_url === undefined) return createLocalJWKSet({ keys: (public_keys ?? []) as never });
    let set = sets.get(jwks_url);
    if (set === undefined) {
      if (sets.size >= CACHED_SETS) sets.delete(sets.keys().next().value!);
      set = createRemoteJWKSet(new URL(jwks_url), { [customFetch]: fetch });
      sets.set(jwks_url, set);
    }
    return set;
  };

  return (token) => JWT.test(token) && token.length <= MAX_BYTES ? verified(token).catch((thrown: unknown) => {
    // A signature that is wrong, a claim that is missing, keys that cannot be had: whoever sends the token learns nothing of it.
    if (thrown instanceof errors.JOSEError || thrown instanceof TypeError || (thrown instanceof PlugboardError && thrown.code.startsWith("RUN_"))) return undefined;
    throw thrown;
  }) : undefined;

  async function verified(token: string): Promise<Caller | undefined> {
    const { iss } = decodeJwt(token);
    const issuer = typeof iss === "string" && !iss.includes("\0") ? await findTokenIssuer(db, iss) : undefined;
    if (issuer === undefined) return undefined;
    const { payload } = await jwtVerify(token, keysOf(issuer), {
      issuer: issuer.issuer, audience: issuer.audience, algorithms: issuer.algorithms.filter((each) => (ALGORITHMS as readonly string[]).includes(each)), clockTolerance: TOLERANCE_SECONDS, requiredClaims: ["sub", "exp", "iat"],
    });
    if (payload.exp! - payload.iat! > LONGEST_SECONDS || payload.exp! - Date.now() / 1000 > LONGEST_SECONDS + TOLERANCE_SECONDS) return undefined;
    return callerOf(payload, issuer);
  }
}

/** It stands in logs. */
const SUBJECT = /^[^\p{C}]{1,255}$/u;

function callerOf(payload: JWTPayload, { id, tenants, roles, tenant_claim, role_claim }: TokenIssuer): Caller | undefined {
  if (typeof payload.sub !== "string" || !SUBJECT.test(payload.sub)) return undefined;
  const [tenant, role] = [mapped(payload[tenant_claim], tenants), mapped(payload[role_claim], roles)];
  if (tenant === undefined || tenant === PLATFORM || !isRole(role) || isStaff(role)) return undefined;
  return { kind: "service_token", id: `${id}:${payload.sub}`, name: `${payload.sub} (${id})`, tenant, scopes: [], role };
}

/** One text. A list is none: a token is about one tenant and one role. */
function mapped(value: unknown, names: Readonly<Record<string, string>> | undefined): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return names === undefined ? value : Object.hasOwn(names, value) ? names[value] : undefined;
}
