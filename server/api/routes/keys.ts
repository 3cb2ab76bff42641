/** API keys: shown once, and never doing more than the role of whoever made them. */
import { isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { addApiKey, listApiKeys, recordAudit, revokeApiKey, withOperatorKeys, withTenant, type ApiKeyState, type AuditEntry, type Database, type Transaction } from "../../../engine/store/index.ts";
import { actorOf } from "../access.ts";
import { hashApiKey, makeApiKey } from "../keys.ts";
import { grantOf, grants, permissions, scopes, type Permission, type PolicyOf, type Role } from "../permissions.ts";
import { policyReader } from "../policy.ts";
import { closed, id, instant, nullable, query } from "../schemas.ts";
import type { Services } from "../services.ts";

const tags = ["people"];
const shape = {
  id: id("The key.", "6f0d…"), name: { type: "string" }, tenant: nullable({ type: "string", description: "Null: of the operator, for all tenants." }), scopes: { type: "array", items: { type: "string" } },
  within: nullable({ type: "string", description: "The role of the person who made it: it never does more. Null: made on the command line." }), made_by: nullable({ type: "string" }), networks: nullable({ type: "array", items: { type: "string" }, description: "Where it may be used from. Null: anywhere." } as { type: string }),
  created_at: instant("Made."), expires_at: nullable(instant("Good until.")), revoked_at: nullable(instant("Revoked.")), last_used_at: nullable(instant("Last used.")),
} as const;

export function registerKeys(server: FastifyInstance, { db, planOf }: Services): void {
  server.get("/api/keys", {
    config: { permission: "keys:write" },
    schema: { tags, summary: "API keys", description: "Of the tenant, or, without one, the operator's own. Never the keys themselves.", querystring: query(), response: { 200: closed({ data: { type: "array", items: closed(shape) } }) } },
  }, async ({ tenant }) => {
    const found = await inPlace(db, tenant, (tx) => listApiKeys(tx));
    return { data: found.filter((key) => (key.tenant ?? "") === tenant).map(view) };
  });

  server.post<{ Body: { name: string; scopes: string[]; expires_at?: string; networks?: string[] } }>("/api/keys", {
    config: { permission: "keys:write" },
    schema: {
      tags, summary: "Make an API key", description: "The answer shows it, this once. Each scope must be within what you may do yourself; a key of a tenant reaches that tenant only.", querystring: query(),
      body: closed({
        name: { type: "string", minLength: 1, maxLength: 100, examples: ["nightly export"] }, scopes: { type: "array", minItems: 1, maxItems: 100, uniqueItems: true, items: { type: "string", maxLength: 100 }, examples: [["sync:run", "status:read"]] },
        expires_at: instant("Good until; without it, until it is revoked."), networks: { type: "array", minItems: 1, maxItems: 50, items: { type: "string", maxLength: 50 }, description: "Addresses or networks that it may be used from.", examples: [["192.0.2.0/24"]] },
      }, ["name", "scopes"]),
      response: { 201: closed({ ...shape, key: { type: "string", description: "Shown this once: keep it." } }) },
    },
  }, async (request, reply) => {
    const { tenant, body: { name, scopes: wanted, expires_at, networks } } = request;
    const role = request.caller!.role!;
    refuseBeyond(wanted, role, tenant, tenant === "" ? () => false : await policyReader(planOf)(tenant));
    if (expires_at !== undefined && Date.parse(expires_at) <= Date.now()) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'body.expires_at' is over already.", field: "body.expires_at" });
    const badNetwork = networks?.find((network) => !isNetwork(network));
    if (badNetwork !== undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `'${badNetwork}' is no IP address or network.`, field: "body.networks", suggestion: "Write 192.0.2.7 or 192.0.2.0/24, without bits behind the network's part." });
    const key = makeApiKey();
    const made = await inPlace(db, tenant, async (tx, log) => {
      const made = await addApiKey(tx, { hash: hashApiKey(key), name, scopes: wanted, within: role, made_by: request.caller!.name, ...(tenant === "" ? {} : { tenant }), ...(expires_at === undefined ? {} : { expires_at }), ...(networks === undefined ? {} : { networks }) });
      const found = (await listApiKeys(tx)).find((each) => each.id === made)!;
      await log({ actor: actorOf(request), action: "key.made", subject: { kind: "key", id: made }, after: { name, scopes: wanted, expires_at: expires_at ?? null, networks: networks ?? null } });
      return found;
    });
    return reply.code(201).send({ ...view(made), key });
  });

  server.delete<{ Params: { id: string } }>("/api/keys/:id", {
    config: { permission: "keys:write" }, schema: { tags, summary: "Revoke an API key", description: "At once.", params: closed({ id: { type: "string", format: "uuid" } }, ["id"]), querystring: query(), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    const { tenant, params } = request;
    await inPlace(db, tenant, async (tx, log) => {
      const found = (await listApiKeys(tx)).find((key) => key.id === params.id && (key.tenant ?? "") === tenant);
      if (!found || !(await revokeApiKey(tx, params.id))) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Key", name: params.id });
      await log({ actor: actorOf(request), action: "key.revoked", subject: { kind: "key", id: params.id }, before: { name: found.name, scopes: [...found.scopes] } });
    });
    return reply.code(204).send();
  });
}

/** In the tenant's transaction, or, without one, on the operator's own keys. */
const inPlace = <Result>(db: Database, tenant: string, work: (tx: Transaction, log: (entry: AuditEntry) => Promise<void>) => Promise<Result>): Promise<Result> =>
  tenant === "" ? withOperatorKeys(db, work) : withTenant(db, tenant, (tx) => work(tx, (entry) => recordAudit(tx, tenant, entry)));

/** @throws PlugboardError SERVER_BAD_REQUEST for a scope that there is not, SERVER_ABOVE_ROLE for one that the maker has not. */
function refuseBeyond(wanted: readonly string[], role: Role, tenant: string, policy: PolicyOf): void {
  const bound = tenant === "" ? undefined : tenant;
  const names = Object.keys(permissions) as Permission[];
  for (const scope of wanted) {
    if (!scopes.includes(scope)) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `There is no scope '${scope}'.`, field: "body.scopes", suggestion: suggest(scope, scopes) });
    if (!names.some((name) => grants({ scopes: [scope], tenant: bound }, name) && name !== "public" && grantOf(role, name, policy) !== undefined)) {
      throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: `the scope '${scope}' is beyond what a ${role} may do${bound === undefined ? "" : " in one tenant"}` });
    }
  }
}

/** An address, or a network written with its first one: PostgreSQL refuses 192.0.2.7/24. */
function isNetwork(text: string): boolean {
  const [address, bits, ...more] = text.split("/");
  const version = isIP(address!);
  if (version === 0 || more.length > 0 || address!.includes("%")) return false;
  const size = version === 4 ? 32 : 128;
  if (bits === undefined) return true;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > size) return false;
  return (numberOf(address!, version) & ((1n << BigInt(size - Number(bits))) - 1n)) === 0n;
}

function numberOf(address: string, version: number): bigint {
  if (version === 4) return address.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  // The URL parser writes every form of an address in one, with `::` for the longest row of zeros.
  const [head, tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string | undefined): string[] => text ? text.split(":") : [];
  const [before, after] = [groups(head), groups(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

const view = ({ tenant, within, made_by, networks, expires_at, revoked_at, last_used_at, ...key }: ApiKeyState): object => ({
  ...key, tenant: tenant ?? null, within: within ?? null, made_by: made_by ?? null, networks: networks ?? null, expires_at: expires_at ?? null, revoked_at: revoked_at ?? null, last_used_at: last_used_at ?? null,
});
