/** Signing in and out, who I am and what I may do, and my other sessions. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { endImpersonation, endSession, endSessionsOf, findTenant, findUser, findUserByEmail, listSessions, PLATFORM, recordAudit, setPassword, tenantState, withTenant } from "../../../engine/store/index.ts";
import { normalEmail } from "../../people/email.ts";
import { hashPassword, isPassword, LONGEST, refuseWeakPassword } from "../../people/passwords.ts";
import { refuseForeign } from "../../people/same-origin.ts";
import { csrfTokenOf, sessionToken, takeSession } from "../../people/session-cookie.ts";
import { beginSession, renewSession, userActor } from "../../people/sign-in.ts";
import { forgive, refuseHaste } from "../../people/tries.ts";
import { actorOf, standingOf, type Person } from "../access.ts";
import { grantOf, permissions, policyAreas, roles, scopes, type Permission } from "../permissions.ts";
import { policyReader } from "../policy.ts";
import { closed, id, instant, nullable } from "../schemas.ts";
import type { Services } from "../services.ts";

const tags = ["people"];
export const password = { type: "string", minLength: 1, maxLength: LONGEST * 4, description: "Never shown again." } as const;
export const email = { type: "string", minLength: 3, maxLength: 320, description: "An e-mail address.", examples: ["ann@acme.example"] } as const;
export const signedIn = closed({ csrf_token: { type: "string", description: "To be sent as `x-csrf-token` with every change. The session itself is a cookie." } });

export function registerSession(server: FastifyInstance, { db, planOf }: Services): void {
  const knows = { tenantState: (tenant: string) => tenantState(db, tenant), policyOf: policyReader(planOf) };

  server.post<{ Body: { email: string; password: string } }>("/api/session", {
    config: { permission: "public" }, preValidation: async (request) => refuseForeign(request),
    schema: {
      tags, summary: "Sign in", description: "With e-mail and password. After a few wrong tries each one more takes longer (429). The answer does not tell whether the person exists.",
      body: closed({ email, password }, ["email", "password"]), response: { 200: signedIn },
    },
  }, async (request, reply) => {
    const address = normalEmail(request.body.email);
    await refuseHaste(db, address ?? request.body.email, request.ip);
    const user = address === undefined ? undefined : await findUserByEmail(db, address);
    if (!(await isPassword(request.body.password, user?.password)) || user === undefined) {
      await withTenant(db, PLATFORM, (tx) => recordAudit(tx, PLATFORM, { actor: { kind: "user", id: user?.id ?? "unknown", name: "not signed in", ip: request.ip, request: request.id }, action: "session.refused", subject: { kind: "user", id: user?.id ?? "unknown" } }));
      throw new PlugboardError("SERVER_SIGN_IN");
    }
    await withTenant(db, PLATFORM, (tx) => forgive(tx, address!, request.ip));
    return beginSession(db, request, reply, user, "password");
  });

  server.get<{ Querystring: { tenant?: string } }>("/api/session", {
    config: { permission: "self" },
    schema: {
      tags, summary: "Who I am and what I may do", description: "In the tenant asked for, in the only one there is, or among the operator's staff.", querystring: closed({ tenant: id("Where.", "acme") }),
      response: {
        200: closed({
          user: closed({ id: { type: "string" }, email: { type: "string" }, name: { type: "string" } }),
          role: nullable({ type: "string", enum: [...roles, null] as unknown as string[], description: "Null: none here." }), tenant: nullable({ type: "string" }),
          memberships: { type: "array", items: closed({ tenant: { type: "string" }, title: { type: "string" }, role: { type: "string" } }) },
          assigned: nullable({ type: "array", items: { type: "string" }, description: "Of an engineer: the tenants they work for. Null: no such limit." } as { type: string }),
          grants: { type: "object", additionalProperties: { type: "string", enum: ["full", "narrow"] }, description: "Permission → how far. What is not here is not granted." },
          impersonation: { anyOf: [{ type: "null" }, closed({ by: { type: "string" }, tenant: { type: "string" }, role: { type: "string" }, user: nullable({ type: "string" }), reason: { type: "string" }, until: instant("When it ends by itself.") })], description: "While a super admin acts for somebody: show it." },
          csrf_token: nullable({ type: "string", description: "To be sent as `x-csrf-token` with every change. Null: not with a cookie." }), expires_at: nullable(instant("When to sign in again at the latest.")),
        }),
      },
    },
  }, async (request) => {
    const { person, caller } = request;
    if (person === undefined) return ofToken(request, await knows.policyOf(caller!.tenant!));
    const { tenant, role, grants } = await standingOf(person, request.query.tenant, knows);
    const { acting } = person;
    return {
      user: acting?.user === undefined ? { id: person.id, email: person.email, name: person.name } : { id: acting.user.id, email: acting.user.email, name: acting.user.email },
      role: role ?? null, tenant: tenant ?? null, grants,
      memberships: acting === undefined ? person.staff === undefined ? person.memberships : [{ tenant: PLATFORM, title: "Platform", role: person.staff }] : [{ tenant: acting.tenant, title: (await findTenant(db, acting.tenant))?.title ?? acting.tenant, role: acting.role }],
      assigned: acting === undefined && person.staff === "integration_engineer" ? person.assigned : null,
      impersonation: acting === undefined ? null : { by: person.email, tenant: acting.tenant, role: acting.role, user: acting.user?.email ?? null, reason: acting.reason, until: acting.until },
      csrf_token: csrfTokenOf(sessionToken(request)!), expires_at: person.session.expires_at,
    };
  });

  server.delete("/api/session", { config: { permission: "self" }, schema: { tags, summary: "Sign out", response: { 204: { type: "null" } } } }, async (request, reply) => {
    const person = signedInPerson(request);
    if (person.acting !== undefined) await withTenant(db, person.acting.tenant, (tx) => endImpersonation(tx, person.session.id, actorOf(request)));
    await withTenant(db, PLATFORM, (tx) => endSession(tx, person.id, person.session.id));
    return takeSession(reply).code(204).send();
  });

  server.get("/api/sessions", {
    config: { permission: "self" },
    schema: { tags, summary: "My sessions", response: { 200: closed({ data: { type: "array", items: closed({ id: { type: "string" }, current: { type: "boolean", description: "This one." }, created_at: instant("Signed in."), seen_at: instant("Last used, to the minute."), expires_at: instant("Ends at the latest."), ip: { type: "string" }, agent: { type: "string" } }) } }) } },
  }, async (request) => {
    const person = signedInPerson(request);
    return { data: (await listSessions(db, person.id)).map((session) => ({ ...session, current: session.id === person.session.id })) };
  });

  server.delete("/api/sessions", { config: { permission: "self" }, schema: { tags, summary: "End all my other sessions", response: { 200: closed({ ended: { type: "integer" } }) } } }, async (request) => {
    const person = signedInPerson(request);
    return withTenant(db, PLATFORM, async (tx) => {
      const ended = await endSessionsOf(tx, person.id, person.session.id);
      await recordAudit(tx, PLATFORM, { actor: actorOf(request), action: "sessions.ended", subject: { kind: "user", id: person.id }, after: { ended } });
      return { ended };
    });
  });

  server.delete<{ Params: { id: string } }>("/api/sessions/:id", {
    config: { permission: "self" }, schema: { tags, summary: "End one of my sessions", params: closed({ id: { type: "string", format: "uuid" } }, ["id"]), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    const person = signedInPerson(request);
    if (!(await withTenant(db, PLATFORM, (tx) => endSession(tx, person.id, request.params.id)))) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Session", name: request.params.id });
    return (request.params.id === person.session.id ? takeSession(reply) : reply).code(204).send();
  });

  server.put<{ Body: { current: string; password: string } }>("/api/session/password", {
    config: { permission: "self" },
    schema: { tags, summary: "Change my password", description: "All my other sessions end.", body: closed({ current: password, password }, ["current", "password"]), response: { 200: signedIn } },
  }, async (request, reply) => {
    const person = signedInPerson(request);
    if (person.acting !== undefined) throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: "nobody's password is changed while you act for them" });
    refuseWeakPassword(request.body.password, [person.email, person.name]);
    await refuseHaste(db, person.email, request.ip);
    const user = await findUser(db, person.id);
    if (!(await isPassword(request.body.current, user?.password))) throw new PlugboardError("SERVER_SIGN_IN");
    const hash = await hashPassword(request.body.password);
    return withTenant(db, PLATFORM, async (tx) => {
      await forgive(tx, person.email, request.ip);
      await setPassword(tx, person.id, hash);
      await endSessionsOf(tx, person.id, person.session.id);
      await recordAudit(tx, PLATFORM, { actor: userActor(request, person), action: "password.changed", subject: { kind: "user", id: person.id } });
      return renewSession(tx, reply, person.session.id);
    });
  });

  const grant = { type: "string", enum: ["full", "narrow", ...policyAreas] } as const;
  server.get("/api/permissions", {
    config: { permission: "self" },
    schema: {
      tags, summary: "The table of permissions", description: "Role → how far: `full`, `narrow` (as `narrow` says), or the policy area that opens it.",
      response: { 200: closed({ roles: { type: "array", items: { type: "string" } }, policy_areas: { type: "array", items: { type: "string" } }, scopes: { type: "array", items: { type: "string" } }, permissions: { type: "object", additionalProperties: closed({ title: { type: "string" }, narrow: { type: "string" }, scope: nullable({ type: "string" }), roles: { type: "object", additionalProperties: grant } }) } }) },
    },
  }, async () => ({
    roles, policy_areas: policyAreas, scopes,
    permissions: Object.fromEntries(Object.entries(permissions).map(([name, row]) => [name, { title: row.title, roles: row.roles, scope: "scope" in row ? row.scope === false ? null : row.scope : name, ...("narrow" in row ? { narrow: row.narrow } : {}) }])),
  }));
}

/** Of a service token: there is no session behind it. */
function ofToken({ caller }: FastifyRequest, open: ReturnType<ReturnType<typeof policyReader>> extends Promise<infer Policy> ? Policy : never): object {
  const { id, name, role, tenant } = caller!;
  const grants = Object.fromEntries((Object.keys(permissions) as Permission[]).flatMap((each) => { const grant = role && grantOf(role, each, open); return grant === undefined ? [] : [[each, grant]]; }));
  return { user: { id, email: "", name }, role: role ?? null, tenant: tenant ?? null, memberships: [], assigned: null, grants, impersonation: null, csrf_token: null, expires_at: null };
}

/** The person behind the request. @throws PlugboardError SERVER_ROLE_FORBIDDEN for a token, which has no sessions. */
export function signedInPerson({ person, caller }: FastifyRequest): Person {
  if (person === undefined) throw new PlugboardError("SERVER_ROLE_FORBIDDEN", { role: caller?.role ?? "caller", permission: "a session" });
  return person;
}
