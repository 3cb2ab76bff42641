/**
 * The browser that begins a sign-in is the one that must come back: otherwise somebody could have another person's account
 * attached to their own connection by sending them the address. Programs have no browser, and vouch for theirs themselves.
 */
import { randomBytes } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

const COOKIE = "plugboard_browser";
const SECONDS = 900;

export const browserOf = (request: FastifyRequest): string | undefined => /^[A-Za-z0-9_-]{43}$/.exec(request.cookies[COOKIE] ?? "")?.[0];

/** The browser's mark; a new one is set. Undefined: it is a program that calls. */
export function markBrowser(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const { kind } = request.caller!;
  if (kind !== "user" && kind !== "connect_link") return undefined;
  const mark = browserOf(request) ?? randomBytes(32).toString("base64url");
  // Lax: the provider sends the browser back by a link of its own.
  reply.setCookie(COOKIE, mark, { path: "/", maxAge: SECONDS, httpOnly: true, sameSite: "lax", secure: request.protocol === "https" });
  return mark;
}
