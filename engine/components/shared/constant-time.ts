import { hash, timingSafeEqual } from "node:crypto";

const digest = (value: string | Uint8Array): Uint8Array => hash("sha256", value, "buffer");

/** Compares digests, so that neither the place of a difference nor a length shows in the time it takes. */
export const equalSecretly = (a: string | Uint8Array, b: string | Uint8Array): boolean => timingSafeEqual(digest(a), digest(b));
