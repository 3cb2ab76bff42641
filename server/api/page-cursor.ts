/**
 * `next_cursor` of a list: where the next page begins, bound to the list it came from, so that the cursor of one tenant,
 * entity or filter is refused by another. It holds no secret and grants nothing: every page is read under the caller's tenant.
 */
import { createHash } from "node:crypto";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

/** Everything that decides what a list contains and in which order. */
export type ListIdentity = readonly (string | boolean | undefined)[];

export function printCursor(list: ListIdentity, position: readonly string[]): string {
  return Buffer.from(JSON.stringify([identity(list), ...position])).toString("base64url");
}

/** @throws PlugboardError SERVER_BAD_REQUEST for anything that `printCursor` did not make for this list. */
export function readCursor(list: ListIdentity, cursor: string, parts: number): readonly string[] {
  try {
    const [of, ...position] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as readonly unknown[];
    if (of === identity(list) && position.length === parts && position.every((part) => typeof part === "string" && !part.includes("\0"))) return position as string[];
  } catch { /* not ours */ }
  throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'query.cursor' is not a cursor of this list.", field: "query.cursor", suggestion: "Pass next_cursor unchanged, with the same parameters; leave it out to begin." });
}

const identity = (list: ListIdentity): string => createHash("sha256").update(JSON.stringify(list.map((part) => part ?? null))).digest("base64url").slice(0, 16);
