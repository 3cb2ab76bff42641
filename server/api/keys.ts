/** API keys: 32 random bytes, shown once. Only their SHA-256 is stored, so a copy of the database opens no door. */
import { createHash, randomBytes } from "node:crypto";

const PREFIX = "pbk_";
const SHAPE = /^pbk_[A-Za-z0-9_-]{43}$/;

export function makeApiKey(): string {
  return PREFIX + randomBytes(32).toString("base64url");
}

/** What is stored of a key, and looked up. A fast hash is right here: 256 random bits cannot be guessed. */
export function hashApiKey(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** Whether a bearer's token is a key of ours. */
export const isApiKey = (token: string): boolean => SHAPE.test(token);
