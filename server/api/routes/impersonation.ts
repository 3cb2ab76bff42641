/** A super admin acts in a tenant as one of its roles: for a reason, for an hour at most, and in the tenant's own log. */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { endImpersonation, findMember, PLATFORM, startImpersonation, withTenant } from "../../../engine/store/index.ts";
import { renewSession } from "../../people/sign-in.ts";
import { actorOf } from "../access.ts";
import { isRole, isStaff, roles, type Role } from "../permissions.ts";
import { closed, id, instant, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { signedIn, signedInPerson } from "./session.ts";

const tags = ["people"];
const LONGEST_MINUTES = 60;

export function registerImpersonation(server: FastifyInstance, { db }: Services): void {
  server.post<{ Params: { tenant: string }; Body: { user?: string; role?: Role; reason: string; minutes: number } }>("/api/tenants/:tenant/impersonations", {
    config: { permission: "impersonate" },
    schema: {
      tags, summary: "Act as a person or role of a tenant", description: "This session then has that role in that tenant and nothing else, until it ends by itself or `DELETE /api/session/impersonation` ends it. Start and end stand in the tenant's own audit log, and so does your name beside everything you do.",
      params: closed({ tenant: id("The tenant.", "acme") }, ["tenant"]), querystring: query(),
      body: closed({
        user: id("One of the tenant's people; their role is taken.", "0199f6a2-…"), role: { type: "string", enum: roles.filter((role) => !isStaff(role)), description: "A role, when nobody in particular is meant." },
        reason: { type: "string", minLength: 5, maxLength: 500, pattern: "\\S", description: "For the tenant to read.", examples: ["Ticket 4711: learners are missing"] }, minutes: { type: "integer", minimum: 1, maximum: LONGEST_MINUTES, default: 30 },
      }, ["reason"]),
      response: { 201: closed({ ...signedIn.properties, until: instant("Ends by itself.") }) },
    },
  }, async (request, reply) => {
    const { tenant, body } = request;
    const person = signedInPerson(request);
    if (tenant === PLATFORM) throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: "nobody acts as one of the operator's own people" });
    if ((body.user === undefined) === (body.role === undefined)) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "Name a user or a role, one of them.", field: "body.user" });
    const made = await withTenant(db, tenant, async (tx) => {
      const member = body.user === undefined ? undefined : await findMember(tx, body.user);
      if (body.user !== undefined && !member) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Person", name: body.user });
      const role = member?.role ?? body.role;
      if (!isRole(role) || isStaff(role)) throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: "that person has no role that can be taken" });
      const until = await startImpersonation(tx, person.session.id, { role, reason: body.reason, minutes: body.minutes, ...(member === undefined ? {} : { user: member }) }, actorOf(request));
      if (until === undefined) throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: "you act for somebody already" });
      return { ...await renewSession(tx, reply, person.session.id), until };
    });
    return reply.code(201).send(made);
  });

  server.delete("/api/session/impersonation", {
    config: { permission: "self" }, schema: { tags, summary: "Be yourself again", response: { 200: signedIn } },
  }, async (request, reply) => {
    const person = signedInPerson(request);
    if (person.acting === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Impersonation", name: "of this session" });
    return withTenant(db, person.acting.tenant, async (tx) => {
      await endImpersonation(tx, person.session.id, actorOf(request));
      return renewSession(tx, reply, person.session.id);
    });
  });
}
