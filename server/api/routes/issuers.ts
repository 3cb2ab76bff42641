/** Whom the operator trusts: providers where people sign in, and signers of service tokens. */
import { importJWK } from "jose";
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { listSignInProviders, listTokenIssuers, PLATFORM, recordAudit, removeSignInProvider, removeTokenIssuer, saveSignInProvider, saveTokenIssuer, withTenant, type TokenIssuer } from "../../../engine/store/index.ts";
import type { JsonObject } from "../../../engine/manifest/types.ts";
import { ALGORITHMS } from "../../people/service-tokens.ts";
import { NAMED_PROVIDERS } from "../../people/oidc.ts";
import { actorOf } from "../access.ts";
import { isStaff, roles } from "../permissions.ts";
import { closed, instant, operatorQuery } from "../schemas.ts";
import type { Services } from "../services.ts";

const tags = ["people"];
const name = { type: "string", pattern: "^[a-z][a-z0-9_-]{0,40}$", description: "Its name here.", examples: ["google"] } as const;
const params = closed({ id: name }, ["id"]);
const url = { type: "string", maxLength: 500, pattern: "^https?://[^\\s]+$" } as const;
const claim = { type: "string", minLength: 1, maxLength: 200 } as const;
const ofTenants = roles.filter((role) => !isStaff(role));

const provider = {
  title: { type: "string", minLength: 1, maxLength: 100, examples: ["Google"] }, issuer: { ...url, description: "Where its `.well-known/openid-configuration` is. `google` has it already." }, client_id: { type: "string", minLength: 1, maxLength: 500 },
  scopes: { type: "array", items: { type: "string", maxLength: 100 }, maxItems: 20, default: ["openid", "email", "profile"] },
  claim: { ...claim, description: "The claim that names groups.", examples: ["groups"] },
  roles: {
    type: "object", default: {}, maxProperties: 1000, description: "Group → role: of staff without a tenant, or of people in one. Nobody has a role by default; an invitation gives one too.", examples: [{ "plugboard-admins": { role: "super_admin" }, "acme-hr": { role: "employer_admin", tenant: "acme" } }],
    additionalProperties: closed({ role: { type: "string", enum: [...roles] }, tenant: { type: "string", minLength: 1, maxLength: 200 } }, ["role"]),
  },
  enabled: { type: "boolean", default: true },
} as const;
const signer = {
  issuer: { type: "string", minLength: 1, maxLength: 500, description: "Claim `iss`.", examples: ["https://app.example.com"] }, audience: { type: "string", minLength: 1, maxLength: 500, description: "What claim `aud` must name.", examples: ["plugboard"] },
  algorithms: { type: "array", minItems: 1, uniqueItems: true, items: { type: "string", enum: [...ALGORITHMS] }, description: "Signatures that are accepted; none with a shared secret.", examples: [["RS256"]] },
  jwks_url: { ...url, description: "Where it publishes its keys." }, public_keys: { type: "array", minItems: 1, maxItems: 10, items: { type: "object", additionalProperties: true }, description: "Or its public keys, as JWKs." },
  tenant_claim: { ...claim, default: "tenant" }, role_claim: { ...claim, default: "role" },
  tenants: { type: "object", maxProperties: 100_000, additionalProperties: { type: "string", minLength: 1 }, description: "Claim's value → tenant. Left out: the claim is the tenant." },
  roles: { type: "object", maxProperties: 100, additionalProperties: { type: "string", enum: ofTenants }, description: "Claim's value → role. Left out: the claim is the role.", examples: [{ EMPLOYER_ADMIN: "employer_admin" }] },
  enabled: { type: "boolean", default: true },
} as const;

interface ProviderBody { title?: string; issuer?: string; client_id: string; client_secret?: string; scopes: string[]; claim?: string; roles: Record<string, { role: string; tenant?: string }>; enabled: boolean }

export function registerIssuers(server: FastifyInstance, { db, keyring }: Services): void {
  const config = { permission: "issuers:write" } as const;

  server.get("/api/sign-in-providers", {
    config, schema: { tags, summary: "Sign-in providers", querystring: operatorQuery, response: { 200: closed({ data: { type: "array", items: closed({ id: name, ...provider, fingerprint: { type: "string", description: "Of the client's secret, which is never shown." }, updated_at: instant("Last changed.") }) } }) } },
  }, async () => ({ data: await listSignInProviders(db) }));

  server.put<{ Params: { id: string }; Body: ProviderBody }>("/api/sign-in-providers/:id", {
    config,
    schema: { tags, summary: "Set up a sign-in provider", description: "Register `<this server>/api/sign-in/oidc/<id>/callback` there. The client's secret is encrypted, and kept when left out.", params, querystring: operatorQuery, body: closed({ ...provider, client_secret: { type: "string", minLength: 1, maxLength: 2000, description: "Never shown again." } }, ["client_id"]), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    const { id } = request.params;
    const { client_secret, ...body } = request.body;
    const named = NAMED_PROVIDERS[id];
    const [issuer, title] = [body.issuer ?? named?.issuer, body.title ?? named?.title ?? id];
    if (issuer === undefined) throw missing("issuer", "Only named providers have one already.");
    for (const [group, { role, tenant }] of Object.entries(body.roles)) if (isStaff(role as "super_admin") !== (tenant === undefined || tenant === PLATFORM)) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `Group '${group}' gives ${role}${tenant === undefined ? " without a tenant" : ` in ${tenant}`}.`, field: "body.roles", suggestion: "super_admin and integration_engineer stand without a tenant, every other role with one." });
    await withTenant(db, PLATFORM, async (tx) => {
      if (!(await saveSignInProvider(tx, keyring, { ...body, id, issuer, title }, client_secret))) throw missing("client_secret", "There is none to keep for this issuer and client.");
      await recordAudit(tx, PLATFORM, { actor: actorOf(request), action: "sign_in_provider.saved", subject: { kind: "sign_in_provider", id }, after: { issuer, client_id: body.client_id, roles: body.roles as unknown as JsonObject, enabled: body.enabled, secret: client_secret === undefined ? "kept" : "replaced" } });
    });
    return reply.code(204).send();
  });

  server.delete<{ Params: { id: string } }>("/api/sign-in-providers/:id", { config, schema: { tags, summary: "Take a sign-in provider away", params, querystring: operatorQuery, response: { 204: { type: "null" } } } }, async (request, reply) => {
    await withTenant(db, PLATFORM, async (tx) => {
      if (!(await removeSignInProvider(tx, request.params.id))) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Sign-in provider", name: request.params.id });
      await recordAudit(tx, PLATFORM, { actor: actorOf(request), action: "sign_in_provider.removed", subject: { kind: "sign_in_provider", id: request.params.id } });
    });
    return reply.code(204).send();
  });

  server.get("/api/token-issuers", {
    config, schema: { tags, summary: "Signers of service tokens", querystring: operatorQuery, response: { 200: closed({ data: { type: "array", items: closed({ id: name, ...signer, updated_at: instant("Last changed.") }) } }) } },
  }, async () => ({ data: await listTokenIssuers(db) }));

  server.put<{ Params: { id: string }; Body: Omit<TokenIssuer, "id"> }>("/api/token-issuers/:id", {
    config,
    schema: {
      tags, summary: "Trust a signer of service tokens", description: "The host product then calls this API for its users: `Authorization: Bearer <JWT>` with `iss`, `aud`, `sub`, `iat`, `exp` (an hour at most), a tenant and a role. Staff's roles are never taken from a token.",
      params, querystring: operatorQuery, body: closed(signer, ["issuer", "audience", "algorithms"]), response: { 204: { type: "null" } },
    },
  }, async (request, reply) => {
    const { id } = request.params;
    const { body } = request;
    if ((body.jwks_url === undefined) === (body.public_keys === undefined)) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "Give 'jwks_url' or 'public_keys', one of them.", field: "body.jwks_url" });
    await refuseSecretKeys(body.public_keys ?? [], body.algorithms);
    await withTenant(db, PLATFORM, async (tx) => {
      if (!(await saveTokenIssuer(tx, { ...body, id }))) throw new PlugboardError("SERVER_EXISTS", { kind: "Issuer", name: body.issuer, suggestion: "Change the one that is registered for it." });
      await recordAudit(tx, PLATFORM, { actor: actorOf(request), action: "token_issuer.saved", subject: { kind: "token_issuer", id }, after: body as unknown as JsonObject });
    });
    return reply.code(204).send();
  });

  server.delete<{ Params: { id: string } }>("/api/token-issuers/:id", { config, schema: { tags, summary: "Trust a signer no more", description: "Its tokens are refused at once.", params, querystring: operatorQuery, response: { 204: { type: "null" } } } }, async (request, reply) => {
    await withTenant(db, PLATFORM, async (tx) => {
      if (!(await removeTokenIssuer(tx, request.params.id))) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Issuer", name: request.params.id });
      await recordAudit(tx, PLATFORM, { actor: actorOf(request), action: "token_issuer.removed", subject: { kind: "token_issuer", id: request.params.id } });
    });
    return reply.code(204).send();
  });
}

const missing = (field: string, suggestion: string): PlugboardError => new PlugboardError("SERVER_BAD_REQUEST", { detail: `Missing field 'body.${field}'.`, field: `body.${field}`, suggestion });

/** Private or shared keys pasted by mistake are refused before they are stored. @throws PlugboardError SERVER_BAD_REQUEST */
async function refuseSecretKeys(keys: readonly JsonObject[], algorithms: readonly string[]): Promise<void> {
  for (const [index, key] of keys.entries()) {
    const field = `body.public_keys.${index}`;
    if (key["kty"] === "oct" || ["d", "p", "q", "dp", "dq", "qi", "k"].some((part) => part in key)) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `'${field}' holds a secret key.`, field, suggestion: "Paste the public part only, and replace the key: it has been shown." });
    const read = await importJWK(key as never, typeof key["alg"] === "string" ? key["alg"] : algorithms[0]!).catch(() => undefined);
    if (read === undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `'${field}' is no public key for ${algorithms.join(" or ")}.`, field });
  }
}
