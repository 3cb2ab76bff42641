/** From who somebody is to a session, and back to nothing. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { addSession, PLATFORM, recordAudit, rotateSession, withTenant, type Actor, type Database, type Transaction } from "../../engine/store/index.ts";
import { csrfTokenOf, giveSession, hashSession, makeSessionToken } from "./session-cookie.ts";

export interface SignedIn { readonly csrf_token: string }

/** A new session with a new cookie: one that was planted before is worth nothing. */
export async function beginSession(db: Database, request: FastifyRequest, reply: FastifyReply, user: { readonly id: string; readonly email: string; readonly memberships: readonly { readonly tenant: string }[] }, by: string): Promise<SignedIn> {
  const token = makeSessionToken();
  const agent = request.headers["user-agent"];
  // In the log of the one tenant that it concerns; of somebody with several, or none, in the operator's.
  const tenant = user.memberships.length === 1 ? user.memberships[0]!.tenant : PLATFORM;
  await withTenant(db, tenant, async (tx) => {
    await addSession(tx, { hash: hashSession(token), user: user.id, ip: request.ip, ...(agent === undefined ? {} : { agent }) });
    await recordAudit(tx, tenant, { actor: userActor(request, user), action: "session.started", subject: { kind: "user", id: user.id }, after: { by } });
  });
  giveSession(reply, token);
  reply.header("cache-control", "no-store");
  return { csrf_token: csrfTokenOf(token) };
}

/** The session goes on under another cookie: what it may do has changed. */
export async function renewSession(tx: Transaction, reply: FastifyReply, session: string): Promise<SignedIn> {
  const token = makeSessionToken();
  await rotateSession(tx, session, hashSession(token));
  giveSession(reply, token);
  return { csrf_token: csrfTokenOf(token) };
}

/** Of a request that has no caller yet. */
export const userActor = (request: FastifyRequest, { id, email }: { readonly id: string; readonly email: string }): Actor => ({ kind: "user", id, name: email, ip: request.ip, request: request.id });
