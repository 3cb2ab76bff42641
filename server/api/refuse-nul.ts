/** PostgreSQL keeps no NUL in text; nothing that people or programs mean has one. Refused here, once, it is nobody's error 500. */
import type { FastifyRequest } from "fastify";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

/** Before validation. Bodies that are taken as bytes are not looked into. @throws PlugboardError SERVER_BAD_REQUEST */
export function refuseNul({ params, query, body }: Pick<FastifyRequest, "params" | "query" | "body">): void {
  for (const [part, value] of Object.entries({ params, query, body })) {
    if (hasNul(value)) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `'${part}' holds the character NUL.`, field: part, suggestion: "Leave it out." });
  }
}

/** Without recursion: how deep a body nests is its sender's choice. */
function hasNul(value: unknown): boolean {
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === "string" && next.includes("\0")) return true;
    if (typeof next !== "object" || next === null || ArrayBuffer.isView(next) || "pipe" in next) continue;
    for (const [key, inner] of Object.entries(next)) {
      if (key.includes("\0")) return true;
      waiting.push(inner);
    }
  }
  return false;
}
