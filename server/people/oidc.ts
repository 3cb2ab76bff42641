/**
 * Signing in at a provider: OpenID Connect, authorization code with PKCE, state and nonce, all three derived from one secret
 * that only the browser holds; the database knows its hash, once. Everything the provider says comes through the egress guard.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import * as client from "openid-client";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { Transport } from "../../engine/components/kinds.ts";
import { guardedFetch } from "./guarded-fetch.ts";

/** Providers that are known by name. Source: https://accounts.google.com/.well-known/openid-configuration (2026-11). */
export const NAMED_PROVIDERS: Readonly<Record<string, { readonly issuer: string; readonly title: string }>> = { google: { issuer: "https://accounts.google.com", title: "Google" } };

export interface ProviderAccess { readonly id: string; readonly title: string; readonly issuer: string; readonly client_id: string; readonly secret: string; readonly scopes: readonly string[]; readonly updated_at: string }

/** What a provider said about somebody, verified: signature, `iss`, `aud`, `azp`, `nonce`, times. */
export interface Identity { readonly issuer: string; readonly subject: string; readonly claims: Readonly<Record<string, unknown>> }

export interface Oidc {
  /** Where the browser is sent. */
  begin(provider: ProviderAccess, secret: string, redirectUri: string): Promise<string>;
  /** @param address where the browser came back, with all that it brought. @throws PlugboardError SERVER_SIGN_IN_ELSEWHERE */
  finish(provider: ProviderAccess, secret: string, address: URL): Promise<Identity>;
}

const KEPT_MILLISECONDS = 10 * 60_000;
const KEPT = 50;

export const makeSignInSecret = (): string => randomBytes(32).toString("base64url");
export const hashSignInSecret = (secret: string): Buffer => createHash("sha256").update(secret).digest();
const derived = (secret: string, name: "state" | "nonce" | "verifier"): string => createHmac("sha256", secret).update(`plugboard/oidc/${name}/v1`).digest("base64url");

export function createOidc(transport: Transport): Oidc {
  const fetch = guardedFetch(transport);
  const known = new Map<string, { readonly until: number; readonly configuration: client.Configuration }>();

  async function configurationOf({ id, title, issuer, client_id, secret, updated_at }: ProviderAccess): Promise<client.Configuration> {
    const key = `${id} ${updated_at}`;
    const kept = known.get(key);
    if (kept !== undefined && kept.until > Date.now()) return kept.configuration;
    const configuration = await client.discovery(new URL(issuer), client_id, secret, undefined, {
      [client.customFetch]: fetch as client.CustomFetch,
      // The guard decides where plain http may go; without the signature check everything would rest on the connection.
      execute: [client.enableNonRepudiationChecks, ...issuer.startsWith("http:") ? [client.allowInsecureRequests] : []],
    }).catch((thrown: unknown) => { throw failure(title, thrown, "Its discovery document cannot be read: ask the operator."); });
    if (known.size >= KEPT) known.delete(known.keys().next().value!);
    known.set(key, { until: Date.now() + KEPT_MILLISECONDS, configuration });
    return configuration;
  }

  return {
    async begin(provider, secret, redirectUri) {
      const challenge = await client.calculatePKCECodeChallenge(derived(secret, "verifier"));
      return client.buildAuthorizationUrl(await configurationOf(provider), {
        redirect_uri: redirectUri, scope: provider.scopes.join(" "), state: derived(secret, "state"), nonce: derived(secret, "nonce"), code_challenge: challenge, code_challenge_method: "S256",
      }).href;
    },
    async finish(provider, secret, address) {
      const configuration = await configurationOf(provider);
      try {
        const tokens = await client.authorizationCodeGrant(configuration, address, { expectedState: derived(secret, "state"), expectedNonce: derived(secret, "nonce"), pkceCodeVerifier: derived(secret, "verifier"), idTokenExpected: true });
        const claims = tokens.claims()!;
        const more = configuration.serverMetadata().userinfo_endpoint === undefined ? {} : await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
        return { issuer: claims.iss, subject: claims.sub, claims: { ...more, ...claims } };
      } catch (thrown) {
        throw failure(provider.title, thrown, "Try again; if it goes on, ask the operator.");
      }
    },
  };
}

/** The library's own words of what did not fit; never a token. */
function failure(provider: string, thrown: unknown, suggestion: string): PlugboardError {
  const { error, code } = thrown as { error?: unknown; code?: unknown };
  const detail = typeof error === "string" ? `it answered ${error.slice(0, 60)}` : thrown instanceof PlugboardError ? thrown.code : typeof code === "string" ? code : "its answer is not valid";
  return new PlugboardError("SERVER_SIGN_IN_ELSEWHERE", { provider, detail, suggestion }, { cause: thrown });
}
