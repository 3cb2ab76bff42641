/** Invitations and resets: 32 random bytes, shown once to whoever made the link; the SHA-256 is stored. They travel in the fragment of an address or in a body, never in a query that logs keep. */
import { createHash, randomBytes } from "node:crypto";

export const makeLinkToken = (): string => randomBytes(32).toString("base64url");

export const hashLinkToken = (token: string): Buffer => createHash("sha256").update(token).digest();
