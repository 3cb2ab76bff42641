/**
 * Who may do what, before any route's code runs: who calls (401), which tenant it is about (400, 404), and whether they have
 * the route's one permission there (403). No tenant is ever a default.
 *
 * A caller is a bearer (API key, service token, connect link: see `Bearer`) or a person with a session cookie. What a person
 * may do depends on the tenant, so theirs is resolved first; another tenant's id answers like one that does not exist.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { PLATFORM, type Actor } from "../../engine/store/index.ts";
import { refuseForgery } from "../people/same-origin.ts";
import { hashSession, sessionToken } from "../people/session-cookie.ts";
import { grantOf, grants, isPermission, isStaff, permissions, type Permission, type PolicyOf, type Role } from "./permissions.ts";

/** Who calls. */
export interface Caller {
  readonly kind: "user" | "key" | "service_token" | "connect_link";
  /** Of the user, key, token's subject or link. */
  readonly id: string;
  /** For people who read logs: a person's e-mail address, a key's name. */
  readonly name: string;
  /** The one tenant they are bound to, of a person the one the request is about; absent for the operator's keys and people. */
  readonly tenant: string | undefined;
  /** Of a key or link. */
  readonly scopes: readonly string[];
  /** Of a person or a service token: their role in the tenant the request is about (or among the operator's staff). */
  readonly role?: Role;
  /** Of a key that a person made: that person's role then. The key never does more than it. */
  readonly within?: Role;
  /** Of an integration engineer: the tenants they work for. Absent: no such limit. */
  readonly assigned?: readonly string[];
  /** Set while a super admin acts as this person: who it really is. */
  readonly impersonator?: string;
}

/** Somebody with a session, before it is known which tenant the request is about. */
export interface Person {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly session: { readonly id: string; readonly created_at: string; readonly expires_at: string };
  /** Of the operator's own people. They have no other memberships. */
  readonly staff?: Role;
  readonly assigned: readonly string[];
  readonly memberships: readonly { readonly tenant: string; readonly title: string; readonly role: Role }[];
  /** While they act in a tenant. */
  readonly acting?: { readonly tenant: string; readonly role: Role; readonly user?: { readonly id: string; readonly email: string }; readonly reason: string; readonly until: string };
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
    /** Set when the caller came with a session. */
    person: Person | undefined;
    /** `narrow`: the route shows or does less, as the permission's `narrow` says. */
    grant: "full" | "narrow";
    /** Slug of the tenant the request is about; empty where the permission is not about one. */
    tenant: string;
  }
}

/**
 * One kind of `Authorization: Bearer …`. Undefined at once: not this kind's shape, the next one is asked. A promise of
 * undefined: this kind's, and not valid.
 */
export type Bearer = (token: string, request: FastifyRequest) => Promise<Caller | undefined> | undefined;

export interface Access {
  readonly bearers: readonly Bearer[];
  /** The person whose session has this SHA-256, if it is still good. */
  findSession?(hash: Buffer): Promise<Person | undefined>;
  /** Undefined: there is no such tenant. */
  tenantState(tenant: string): Promise<"active" | "suspended" | undefined>;
  /** What the tenant's configuration opens to its own roles. @default nothing */
  policyOf?(tenant: string): Promise<PolicyOf>;
  /** The tenant whose host name the request was sent to. */
  tenantOfHost?(host: string): Promise<string | undefined>;
}

export function installAccess(server: FastifyInstance, access: Access): void {
  server.decorateRequest("caller", undefined);
  server.decorateRequest("person", undefined);
  server.decorateRequest("tenant", "");
  server.decorateRequest("grant", "full");

  server.addHook("onRoute", (route) => {
    // The pages of @fastify/swagger-ui are registered by that package; they show the shape of the API and no data.
    if (route.url === "/docs" || route.url.startsWith("/docs/")) route.config = { permission: "public", ...route.config };
    if (!isPermission(route.config?.permission)) throw new Error(`route ${String(route.method)} ${route.url} declares no permission of server/api/permissions.ts`);
  });

  server.addHook("onRequest", async (request, reply) => {
    const permission = request.routeOptions.config?.permission;
    if (request.is404 || permission === "public") return;
    if (permission === undefined) throw new PlugboardError("SERVER_FORBIDDEN", { scope: "none" });      // unreachable: such a route does not register
    await (request.headers.authorization === undefined ? admitPerson : admitBearer)(request, reply, permission, access);
  });
}

// ── bearers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

async function admitBearer(request: FastifyRequest, _reply: FastifyReply, permission: Permission, access: Access): Promise<void> {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization!)?.[1];
  const caller = token === undefined ? undefined : await firstOf(access.bearers, token, request);
  if (!caller) throw new PlugboardError("SERVER_UNAUTHORIZED");
  request.caller = caller;
  if (caller.role === undefined && !grants(caller, permission)) throw forbidden(permission, caller);
  const about = permissions[permission].tenant;
  if (about === true || (about === "optional" && (caller.tenant !== undefined || named(request) !== undefined))) {
    // Another tenant's id answers like one that does not exist: a key learns nothing about who else is here.
    const tenant = named(request) ?? caller.tenant ?? await access.tenantOfHost?.(request.hostname);
    if (tenant === undefined) throw new PlugboardError("SERVER_TENANT_REQUIRED");
    if (caller.tenant !== undefined && tenant !== caller.tenant) throw unknownTenant(tenant);
    request.tenant = await existing(tenant, access, caller.tenant !== undefined);
  }
  const role = caller.role ?? caller.within;
  if (role !== undefined) request.grant = await granted(role, permission, request, access);
}

async function firstOf(bearers: readonly Bearer[], token: string, request: FastifyRequest): Promise<Caller | undefined> {
  for (const bearer of bearers) {
    const found = bearer(token, request);
    if (found !== undefined) return found;
  }
  return undefined;
}

// ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────

async function admitPerson(request: FastifyRequest, reply: FastifyReply, permission: Permission, access: Access): Promise<void> {
  const token = sessionToken(request);
  const person = token === undefined ? undefined : await access.findSession?.(hashSession(token));
  if (token === undefined || person === undefined) throw new PlugboardError("SERVER_UNAUTHORIZED");
  refuseForgery(request, token);
  request.person = person;
  // What one person sees is kept by no cache, not even by the browser's: somebody else may sit there next.
  reply.header("cache-control", "no-store");
  request.caller = callerOf(person, undefined, undefined);
  // Everybody who is signed in has their own session, also without any membership, or with one that is suspended.
  if (permission === "self") return;
  const about = permissions[permission].tenant;
  const tenant = about === false ? undefined : await tenantOf(person, request, access, about === true);
  const role = roleIn(person, tenant);
  request.caller = callerOf(person, tenant, role);
  if (tenant !== undefined) request.tenant = await existing(tenant, access, isBound(person));
  if (role === undefined) throw forbidden(permission, request.caller);
  request.grant = await granted(role, permission, request, access);
}

/** The tenant that is meant: named in query or path, of the host name, or the only one there is. */
async function tenantOf(person: Person, request: FastifyRequest, access: Access, required: boolean): Promise<string | undefined> {
  const reach = reachOf(person);
  const asked = named(request) ?? await access.tenantOfHost?.(request.hostname);
  if (asked !== undefined) {
    if (reach !== "all" && !reach.includes(asked)) throw unknownTenant(asked);
    return asked;
  }
  if (reach !== "all" && reach.length === 1 && (person.staff === undefined || person.acting !== undefined)) return reach[0];
  if (required || person.staff === undefined) throw new PlugboardError("SERVER_TENANT_REQUIRED");
  return undefined;
}

/** Whether they are refused while the tenant is suspended. */
const isBound = ({ acting, staff }: Person): boolean => acting !== undefined || staff === undefined;

/** What a person may do where; of `tenant` undefined: their only one, or the operator's. @throws PlugboardError SERVER_NOT_FOUND */
export async function standingOf(person: Person, tenant: string | undefined, access: Pick<Access, "tenantState" | "policyOf">): Promise<{ readonly tenant: string | undefined; readonly role: Role | undefined; readonly grants: Partial<Record<Permission, "full" | "narrow">> }> {
  const reach = reachOf(person);
  if (tenant !== undefined && reach !== "all" && !reach.includes(tenant)) throw unknownTenant(tenant);
  const meant = tenant ?? (isBound(person) && reach.length === 1 ? reach[0] : undefined);
  const state = meant === undefined ? undefined : await access.tenantState(meant);
  if (meant !== undefined && state === undefined) throw unknownTenant(meant);
  const role = state === "suspended" && isBound(person) ? undefined : roleIn(person, meant);
  const open = role === undefined || isStaff(role) || meant === undefined ? undefined : await access.policyOf?.(meant);
  const names = Object.keys(permissions) as Permission[];
  return { tenant: meant, role, grants: role === undefined ? { self: "full" } : Object.fromEntries(names.flatMap((name) => { const grant = grantOf(role, name, open); return grant === undefined ? [] : [[name, grant]]; })) };
}

/** The tenants that somebody may name. The operator's own is invisible to customers. */
function reachOf({ acting, staff, assigned, memberships }: Person): readonly string[] | "all" {
  if (acting !== undefined) return [acting.tenant];
  if (staff === "super_admin") return "all";
  if (staff !== undefined) return [...assigned, PLATFORM];
  return memberships.map(({ tenant }) => tenant);
}

function roleIn({ acting, staff, memberships }: Person, tenant: string | undefined): Role | undefined {
  if (acting !== undefined) return acting.role;
  return staff ?? memberships.find((each) => each.tenant === tenant)?.role;
}

function callerOf({ id, email, acting, staff, assigned }: Person, tenant: string | undefined, role: Role | undefined): Caller {
  const known = { kind: "user", scopes: [], ...(role === undefined ? {} : { role }) } as const;
  // Who acts for somebody stands in every line of the log, beside whom they act for; their own rights are gone meanwhile.
  if (acting !== undefined) return { ...known, id: acting.user?.id ?? id, name: acting.user?.email ?? `a ${acting.role}`, tenant: acting.tenant, impersonator: email };
  return { ...known, id, name: email, tenant: staff === undefined ? tenant : undefined, ...(staff === "integration_engineer" ? { assigned } : {}) };
}

// ── both ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The tenant that a request names itself: `?tenant=`, or `:tenant` of its path. */
function named(request: FastifyRequest): string | undefined {
  const [inQuery, inPath] = [(request.query as { tenant?: unknown }).tenant, (request.params as { tenant?: unknown } | null)?.tenant];
  if (inQuery !== undefined && (typeof inQuery !== "string" || inQuery === "")) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'query.tenant' must be one tenant's id.", field: "query.tenant" });
  if (typeof inPath === "string" && inQuery !== undefined && inQuery !== inPath) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'query.tenant' is another tenant than the path's.", field: "query.tenant" });
  return inQuery ?? (typeof inPath === "string" ? inPath : undefined);
}

/** @param bound whether the caller is the tenant's: they are refused while it is suspended, the operator is not. */
async function existing(tenant: string, access: Access, bound: boolean): Promise<string> {
  const state = TENANT.test(tenant) ? await access.tenantState(tenant) : undefined;
  if (state === undefined) throw unknownTenant(tenant);
  if (state === "suspended" && bound) throw new PlugboardError("TENANT_SUSPENDED", { tenant });
  return tenant;
}

/** Nothing else was ever a tenant; what PostgreSQL would stumble over is not asked for. */
const TENANT = /^[\w.-]{1,200}$/;

async function granted(role: Role, permission: Permission, request: FastifyRequest, access: Access): Promise<"full" | "narrow"> {
  const open: PolicyOf = isStaff(role) || request.tenant === "" || access.policyOf === undefined ? () => false : await access.policyOf(request.tenant);
  const grant = grantOf(role, permission, open);
  if (grant === undefined) throw forbidden(permission, request.caller!);
  return grant;
}

const forbidden = (permission: Permission, { role, kind, within }: Caller): PlugboardError => {
  if (kind === "key" && within !== undefined) return new PlugboardError("SERVER_KEY_WITHIN", { scope: permission, role: within });
  return kind === "key" || kind === "connect_link" ? new PlugboardError("SERVER_FORBIDDEN", { scope: permission })
    : new PlugboardError("SERVER_ROLE_FORBIDDEN", { role: role ?? "person without a role here", permission });
};

const unknownTenant = (tenant: string): PlugboardError => new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: tenant });
