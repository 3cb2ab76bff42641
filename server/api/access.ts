/**
 * Who may do what, before any route's code runs: a valid key (401), the route's one permission (403), and, where the route
 * is about one tenant, which one (400, 404). No tenant is ever a default.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { bearerKey, hashApiKey } from "./keys.ts";
import type { Actor } from "../../engine/store/index.ts";
import { grants, isPermission, permissions, type Permission, type Role } from "./permissions.ts";

/** Who calls. */
export interface Caller {
  readonly kind: "user" | "key" | "service_token" | "connect_link";
  /** Of the user, key, token's subject or link. */
  readonly id: string;
  /** For people who read logs: a person's e-mail address, a key's name. */
  readonly name: string;
  /** The one tenant they are bound to; absent for the operator's keys and people. */
  readonly tenant: string | undefined;
  /** Of a key. */
  readonly scopes: readonly string[];
  /** Of a person or a service token: their role in the tenant the request is about (or among the operator's staff). */
  readonly role?: Role;
  /** Set while a super admin acts as this person: who it really is. */
  readonly impersonator?: string;
}

/** The caller, for the audit log. */
export const actorOf = (request: FastifyRequest): Actor => {
  const { kind, id, name, impersonator } = request.caller!;
  return { kind, id, name, ip: request.ip, request: request.id, ...(impersonator === undefined ? {} : { impersonator }) };
};

declare module "fastify" {
  interface FastifyContextConfig { permission?: Permission }
  interface FastifyRequest {
    /** Set unless the route is public. */
    caller: Caller | undefined;
    /** `narrow`: the route shows or does less, as the permission's `narrow` says. */
    grant: "full" | "narrow";
    /** Slug of the tenant the request is about; empty where the permission is not about one. */
    tenant: string;
  }
}

export interface Access {
  /** The key with this SHA-256, if it was not revoked. */
  findKey(hash: Buffer): Promise<Caller | undefined>;
  tenantExists(tenant: string): Promise<boolean>;
}

export function installAccess(server: FastifyInstance, access: Access): void {
  server.decorateRequest("caller", undefined);
  server.decorateRequest("tenant", "");
  server.decorateRequest("grant", "full");

  server.addHook("onRoute", (route) => {
    // The pages of @fastify/swagger-ui are registered by that package; they show the shape of the API and no data.
    if (route.url === "/docs" || route.url.startsWith("/docs/")) route.config = { permission: "public", ...route.config };
    if (!isPermission(route.config?.permission)) throw new Error(`route ${String(route.method)} ${route.url} declares no permission of server/api/permissions.ts`);
  });

  server.addHook("onRequest", async (request) => {
    const permission = request.routeOptions.config?.permission;
    if (request.is404 || permission === "public") return;
    if (permission === undefined) throw new PlugboardError("SERVER_FORBIDDEN", { scope: "none" });      // unreachable: such a route does not register
    const key = bearerKey(request.headers.authorization);
    const caller = key === undefined ? undefined : await access.findKey(hashApiKey(key));
    if (!caller) throw new PlugboardError("SERVER_UNAUTHORIZED");
    if (!grants(caller, permission)) throw new PlugboardError("SERVER_FORBIDDEN", { scope: permission });
    request.caller = caller;
    const about = permissions[permission].tenant;
    if (about === true || (about === "optional" && (caller.tenant !== undefined || (request.query as { tenant?: unknown }).tenant !== undefined))) request.tenant = await tenantOf(request, caller, access);
  });
}

async function tenantOf(request: FastifyRequest, caller: Caller, access: Access): Promise<string> {
  const asked = (request.query as { tenant?: unknown }).tenant;
  if (asked !== undefined && (typeof asked !== "string" || asked === "")) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'query.tenant' must be one tenant's id.", field: "query.tenant" });
  const tenant = asked ?? caller.tenant;
  if (tenant === undefined) throw new PlugboardError("SERVER_TENANT_REQUIRED");
  // Another tenant's id answers like one that does not exist: a key learns nothing about who else is here.
  if ((caller.tenant !== undefined && tenant !== caller.tenant) || !(await access.tenantExists(tenant))) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: tenant });
  return tenant;
}
