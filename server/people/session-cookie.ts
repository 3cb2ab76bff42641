/**
 * The cookie of a session. Its value is 32 random bytes, of which the database holds the SHA-256; the token against forged
 * requests is derived from it, so it is bound to the session without being stored.
 *
 * `__Host-` makes the browser refuse it from any other host, without TLS, or with a Domain: a neighbouring host cannot plant
 * one. Browsers count http://localhost as safe; what they do with http://127.0.0.1 is tested in test/server/people.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

export const SESSION_COOKIE = "__Host-sid";
const SHAPE = /^[A-Za-z0-9_-]{43}$/;
const OPTIONS = { path: "/", httpOnly: true, secure: true, sameSite: "lax" } as const;

export const makeSessionToken = (): string => randomBytes(32).toString("base64url");

/** What is stored of a session. A fast hash is right here: 256 random bits cannot be guessed. */
export const hashSession = (token: string): Buffer => createHash("sha256").update(token).digest();

/** The session's cookie; undefined for none, for one of another shape, and for two: one of them was planted. */
export function sessionToken(request: FastifyRequest): string | undefined {
  const sent = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim()).filter((pair) => pair.startsWith(`${SESSION_COOKIE}=`));
  const value = sent.length === 1 ? sent[0]!.slice(SESSION_COOKIE.length + 1) : undefined;
  return value !== undefined && SHAPE.test(value) ? value : undefined;
}

export const giveSession = (reply: FastifyReply, token: string): FastifyReply => reply.setCookie(SESSION_COOKIE, token, OPTIONS);

/** Takes the cookie, and all that pages of ours kept in the browser. */
export const takeSession = (reply: FastifyReply): FastifyReply => reply.clearCookie(SESSION_COOKIE, OPTIONS).header("clear-site-data", '"cache", "storage"');

/** What a page sends as x-csrf-token with every change. Another site cannot read it, nor make it. */
export const csrfTokenOf = (token: string): string => createHmac("sha256", token).update("plugboard/csrf/v1").digest("base64url");

export function isCsrfTokenOf(token: string, given: unknown): boolean {
  const [expected, actual] = [Buffer.from(csrfTokenOf(token)), Buffer.from(typeof given === "string" ? given : "")];
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
