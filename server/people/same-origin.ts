/**
 * Requests that another site makes a browser send. A browser says where a request comes from (Sec-Fetch-Site, older ones
 * Origin) and no page can change that; the token is the second lock, for when a page of our own origin is not ours.
 */
import type { FastifyRequest } from "fastify";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { isCsrfTokenOf } from "./session-cookie.ts";

const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/** A change that came with a cookie. @throws PlugboardError SERVER_FORGED, SERVER_MEDIA_TYPE */
export function refuseForgery(request: FastifyRequest, session: string): void {
  if (READS.has(request.method)) return;
  if (originOf(request) !== "same") throw new PlugboardError("SERVER_FORGED", { detail: "it does not come from a page of this server" });
  if (!isCsrfTokenOf(session, request.headers["x-csrf-token"])) throw new PlugboardError("SERVER_FORGED", { detail: "its header x-csrf-token is not the session's" });
  refuseForms(request);
}

/**
 * A change that carries no cookie yet (signing in, accepting an invitation): another site must not do it in somebody's
 * browser, or they would work in the attacker's account. Programs that are no browser say nothing of an origin and may.
 * @throws PlugboardError SERVER_FORGED, SERVER_MEDIA_TYPE
 */
export function refuseForeign(request: FastifyRequest): void {
  if (originOf(request) === "other") throw new PlugboardError("SERVER_FORGED", { detail: "it does not come from a page of this server" });
  refuseForms(request);
}

function originOf({ headers, protocol, host }: FastifyRequest): "same" | "other" | "unsaid" {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin" ? "same" : "other";
  if (headers.origin !== undefined) return headers.origin === `${protocol}://${host}` ? "same" : "other";
  return "unsaid";
}

/** HTML forms can send three media types to any site; JSON is none of them. */
function refuseForms({ headers }: FastifyRequest): void {
  const type = headers["content-type"];
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if (hasBody && !/^application\/json *(;|$)/i.test(type ?? "")) throw new PlugboardError("SERVER_MEDIA_TYPE", { actual: type ?? "none" });
}
