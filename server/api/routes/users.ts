/** People of a tenant, or of the operator: invite them, change what they may do, let them go. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import {
  addInvitation, addMembership, addReset, addUser, changeRole, endMembership, endSessionsOf, findInvitation, findMember, findUser, findUserByEmail, listInvitations, listMembers, PLATFORM, recordAudit, setAssignments, setPassword,
  takeInvitation, takeReset, withdrawInvitation, withTenant, type Member, type TenantTransaction,
} from "../../../engine/store/index.ts";
import { normalEmail } from "../../people/email.ts";
import { hashLinkToken, makeLinkToken } from "../../people/links.ts";
import { refuseAbove, rolesGivenBy } from "../../people/may-give.ts";
import { hashPassword, isPassword, refuseWeakPassword } from "../../people/passwords.ts";
import { refuseForeign } from "../../people/same-origin.ts";
import { beginSession, userActor } from "../../people/sign-in.ts";
import { forgive, refuseHaste } from "../../people/tries.ts";
import { actorOf } from "../access.ts";
import { roles, type Role } from "../permissions.ts";
import { closed, id, instant, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { email, password, signedIn } from "./session.ts";

const tags = ["people"];
const role = { type: "string", enum: [...roles], description: "What they may do." } as const;
const member = closed({ id: { type: "string" }, email: { type: "string" }, name: { type: "string" }, role, source: { type: "string", description: "The sign-in provider whose groups gave the role." }, since: instant("Member since."), assigned: { type: "array", items: { type: "string" }, description: "Of an engineer: the tenants they work for." } });
const invitation = closed({ id: { type: "string" }, email: { type: "string" }, role, invited_by: { type: "string" }, created_at: instant("Made."), expires_at: instant("Good until.") });
const token = { type: "string", minLength: 20, maxLength: 200, description: "Of the link; good once." } as const;
const link = { token: { type: "string", description: "Shown this once." }, path: { type: "string", description: "Where the link leads; the token stands behind #, so no server's log keeps it." } } as const;

/** Without a tenant, staff mean their own people. */
const placeOf = ({ tenant }: FastifyRequest): string => tenant === "" ? PLATFORM : tenant;

export function registerUsers(server: FastifyInstance, { db }: Services): void {
  server.get("/api/users", {
    config: { permission: "users:read" },
    schema: { tags, summary: "People and their roles", querystring: query(), response: { 200: closed({ data: { type: "array", items: member }, roles: { type: "array", items: role, description: "Those that you may give." } }) } },
  }, async (request) => {
    const place = placeOf(request);
    const giver = request.caller!.role;
    return { data: await withTenant(db, place, listMembers), roles: giver === undefined ? [] : rolesGivenBy(giver, place) };
  });

  const params = closed({ id: id("The person.", "0199f6a2-…") }, ["id"]);

  server.patch<{ Params: { id: string }; Body: { role: Role } }>("/api/users/:id", {
    config: { permission: "users:write" },
    schema: { tags, summary: "Change somebody's role", description: "Their sessions end at once.", params, querystring: query(), body: closed({ role }, ["role"]), response: { 200: member } },
  }, (request) => onMember(request, async (tx, found) => {
    refuseAbove(request.caller!.role!, tx.tenant, request.body.role);
    if (found.role !== request.body.role) {
      await changeRole(tx, found.id, request.body.role);
      await recordAudit(tx, tx.tenant, { actor: actorOf(request), action: "membership.changed", subject: { kind: "user", id: found.id }, before: { role: found.role }, after: { role: request.body.role } });
    }
    return (await findMember(tx, found.id))!;
  }));

  server.delete<{ Params: { id: string } }>("/api/users/:id", {
    config: { permission: "users:write" }, schema: { tags, summary: "End somebody's membership", description: "Their sessions end at once.", params, querystring: query(), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    await onMember(request, async (tx, found) => {
      await endMembership(tx, found.id);
      await recordAudit(tx, tx.tenant, { actor: actorOf(request), action: "membership.ended", subject: { kind: "user", id: found.id }, before: { role: found.role, email: found.email } });
    });
    return reply.code(204).send();
  });

  server.put<{ Params: { id: string }; Body: { tenants: string[] } }>("/api/users/:id/assignments", {
    config: { permission: "users:write" },
    schema: { tags, summary: "The tenants an engineer works for", params, querystring: query(), body: closed({ tenants: { type: "array", maxItems: 10_000, uniqueItems: true, items: id("A tenant.", "acme") } }, ["tenants"]), response: { 200: member } },
  }, (request) => onMember(request, async (tx, found) => {
    if (tx.tenant !== PLATFORM || found.role !== "integration_engineer") throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "Tenants are assigned to integration engineers only.", suggestion: "A super admin reaches all of them, other people those of their memberships." });
    const assigned = await setAssignments(tx, found.id, request.body.tenants);
    const unknown = request.body.tenants.find((each) => !assigned.includes(each));
    if (unknown !== undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: unknown });
    await recordAudit(tx, PLATFORM, { actor: actorOf(request), action: "assignments.changed", subject: { kind: "user", id: found.id }, before: { tenants: [...found.assigned] }, after: { tenants: assigned } });
    return (await findMember(tx, found.id))!;
  }));

  server.delete<{ Params: { id: string } }>("/api/users/:id/sessions", {
    config: { permission: "users:write" }, schema: { tags, summary: "Sign somebody out everywhere", description: "All their sessions end at once; their role stays, and they may sign in again.", params, querystring: query(), response: { 200: closed({ ended: { type: "integer", description: "Sessions that ended." } }) } },
  }, (request) => onMember(request, async (tx, found) => {
    const ended = await endSessionsOf(tx, found.id);
    await recordAudit(tx, tx.tenant, { actor: actorOf(request), action: "sessions.ended", subject: { kind: "user", id: found.id }, after: { ended } });
    return { ended };
  }));

  server.post<{ Params: { id: string } }>("/api/users/:id/password-reset", {
    config: { permission: "users:write" },
    schema: { tags, summary: "Make a link with which somebody chooses a new password", description: "Super admins only: a person may belong to several tenants. Good once, for a day.", params, querystring: query(), response: { 201: closed({ ...link, expires_at: instant("Good until.") }) } },
  }, async (request, reply) => {
    if (request.grant !== "full") throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: "a person may belong to other tenants too, so the operator makes this link" });
    const made = await onMember(request, async (tx, found) => {
      const secret = makeLinkToken();
      const expires_at = await addReset(tx, found.id, hashLinkToken(secret));
      await recordAudit(tx, tx.tenant, { actor: actorOf(request), action: "password.reset_offered", subject: { kind: "user", id: found.id }, after: { expires_at } });
      return { token: secret, path: `/password-reset#${secret}`, expires_at };
    });
    return reply.code(201).send(made);
  });

  /** Somebody of this tenant whom the caller may change: not themselves, and nobody above them. */
  const onMember = <Result>(request: FastifyRequest<{ Params: { id: string } }>, work: (tx: TenantTransaction, found: Member) => Promise<Result>): Promise<Result> => withTenant(db, placeOf(request), async (tx) => {
    const found = await findMember(tx, request.params.id);
    if (!found) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Person", name: request.params.id });
    if (found.id === request.caller!.id || found.id === request.person?.id) throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: "somebody else changes your own role and membership" });
    refuseAbove(request.caller!.role!, tx.tenant, found.role);
    return work(tx, found);
  });

  // ── invitations ───────────────────────────────────────────────────────────────────────────────────────────────────

  server.get("/api/invitations", {
    config: { permission: "users:read" }, schema: { tags, summary: "Open invitations", querystring: query(), response: { 200: closed({ data: { type: "array", items: invitation } }) } },
  }, async (request) => ({ data: await withTenant(db, placeOf(request), listInvitations) }));

  server.post<{ Body: { email: string; role: Role } }>("/api/invitations", {
    config: { permission: "users:write" },
    schema: {
      tags, summary: "Invite somebody", description: "Makes a link, good once and for a week; it is for you to hand over. The answer does not tell whether the person is known already. Inviting again withdraws the link before.",
      querystring: query(), body: closed({ email, role }, ["email", "role"]), response: { 201: closed({ ...invitation.properties, ...link }) },
    },
  }, async (request, reply) => {
    const place = placeOf(request);
    const address = normalEmail(request.body.email);
    if (address === undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'body.email' is no e-mail address.", field: "body.email" });
    refuseAbove(request.caller!.role!, place, request.body.role);
    const secret = makeLinkToken();
    const made = await withTenant(db, place, async (tx) => {
      const one = await addInvitation(tx, { email: address, role: request.body.role, hash: hashLinkToken(secret), by: request.caller!.name });
      await recordAudit(tx, place, { actor: actorOf(request), action: "invitation.made", subject: { kind: "invitation", id: one.id }, after: { email: address, role: request.body.role, expires_at: one.expires_at } });
      return one;
    });
    return reply.code(201).send({ ...made, token: secret, path: `/invitation#${secret}` });
  });

  server.delete<{ Params: { id: string } }>("/api/invitations/:id", {
    config: { permission: "users:write" }, schema: { tags, summary: "Withdraw an invitation", params: closed({ id: id("The invitation.", "0199f6a2-…") }, ["id"]), querystring: query(), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    await withTenant(db, placeOf(request), async (tx) => {
      const found = await withdrawInvitation(tx, request.params.id);
      if (!found) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Invitation", name: request.params.id });
      refuseAbove(request.caller!.role!, tx.tenant, found.role);
      await recordAudit(tx, tx.tenant, { actor: actorOf(request), action: "invitation.withdrawn", subject: { kind: "invitation", id: request.params.id }, before: found });
    });
    return reply.code(204).send();
  });

  server.post<{ Body: { token: string } }>("/api/invitations/look", {
    config: { permission: "public" }, preValidation: async (request) => refuseForeign(request),
    schema: { tags, summary: "What an invitation is to", body: closed({ token }, ["token"]), response: { 200: closed({ title: { type: "string" }, email: { type: "string" }, role }) } },
  }, async (request) => {
    await refuseHaste(db, undefined, request.ip);
    const found = await findInvitation(db, hashLinkToken(request.body.token));
    if (!found) throw new PlugboardError("SERVER_DEAD_LINK");
    return { title: found.title, email: found.email, role: found.role };
  });

  server.post<{ Body: { token: string; password: string; name?: string } }>("/api/invitations/accept", {
    config: { permission: "public" }, preValidation: async (request) => refuseForeign(request),
    schema: {
      tags, summary: "Accept an invitation", description: "Who is here already gives their password; who is new chooses one. Signs in.",
      body: closed({ token, password, name: { type: "string", minLength: 1, maxLength: 200 } }, ["token", "password"]), response: { 200: signedIn },
    },
  }, async (request, reply) => {
    const { name, password: given } = request.body;
    const hash = hashLinkToken(request.body.token);
    const found = await findInvitation(db, hash);
    await refuseHaste(db, found?.email, request.ip);
    if (!found) throw new PlugboardError("SERVER_DEAD_LINK");
    const known = await findUserByEmail(db, found.email);
    if (known !== undefined) {
      if (!(await isPassword(given, known.password))) throw new PlugboardError("SERVER_SIGN_IN");
      refuseBothSides(known.memberships, found.tenant);
    } else {
      refuseWeakPassword(given, [found.email, name ?? ""]);
    }
    const newPassword = known === undefined ? await hashPassword(given) : undefined;
    const user = await withTenant(db, found.tenant, async (tx) => {
      const taken = await takeInvitation(tx, hash);
      const person = known?.id ?? (newPassword === undefined ? undefined : await addUser(tx, { email: found.email, name: name ?? found.email, password: newPassword }));
      if (!taken || person === undefined) throw new PlugboardError("SERVER_DEAD_LINK");
      await addMembership(tx, person, taken.role);
      await forgive(tx, found.email, request.ip);
      await recordAudit(tx, tx.tenant, { actor: userActor(request, { id: person, email: found.email }), action: "invitation.accepted", subject: { kind: "invitation", id: taken.id }, after: { role: taken.role, by: "password" } });
      return person;
    });
    return beginSession(db, request, reply, { id: user, email: found.email, memberships: [...known?.memberships ?? [], found] }, "invitation");
  });

  server.post<{ Body: { token: string; password: string } }>("/api/password-resets/accept", {
    config: { permission: "public" }, preValidation: async (request) => refuseForeign(request),
    schema: { tags, summary: "Choose a new password", description: "All sessions of the person end.", body: closed({ token, password }, ["token", "password"]), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    await refuseHaste(db, undefined, request.ip);
    refuseWeakPassword(request.body.password, []);
    const stored = await hashPassword(request.body.password);
    await withTenant(db, PLATFORM, async (tx) => {
      const user = await takeReset(tx, hashLinkToken(request.body.token));
      const person = user === undefined ? undefined : await findUser(tx, user);
      if (!person) throw new PlugboardError("SERVER_DEAD_LINK");
      refuseWeakPassword(request.body.password, [person.email, person.name]);
      await setPassword(tx, person.id, stored);
      await endSessionsOf(tx, person.id);
      await recordAudit(tx, PLATFORM, { actor: userActor(request, person), action: "password.reset", subject: { kind: "user", id: person.id } });
    });
    return reply.code(204).send();
  });
}

/**
 * The operator's people reach customers' data by acting as one of them, in their log; a membership would be a way around.
 * @throws PlugboardError SERVER_ABOVE_ROLE
 */
export function refuseBothSides(memberships: readonly { readonly tenant: string }[], tenant: string): void {
  if (memberships.some((each) => (each.tenant === PLATFORM) !== (tenant === PLATFORM))) throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: "nobody is the operator's and a customer's at once: use another address" });
}
