/** A hash of the body that stands elsewhere in what is signed: in the address, a header, a token. */
import { createHash } from "node:crypto";
import { equalSecretly } from "./constant-time.ts";
import { decodeStrictly, type BinaryEncoding } from "./strict-encoding.ts";

export const HASHES = ["sha1", "sha256", "sha384", "sha512"] as const;
export type Hash = (typeof HASHES)[number];

export interface DigestSpec { readonly algorithm?: Hash; readonly encoding?: BinaryEncoding; readonly prefix?: string }

export function isDigestOf(body: Uint8Array, claimed: string, spec: DigestSpec): boolean {
  const { prefix = "", algorithm = "sha256", encoding = "hex" } = spec;
  const bytes = claimed.startsWith(prefix) ? decodeStrictly(claimed.slice(prefix.length), encoding) : undefined;
  return bytes !== undefined && equalSecretly(createHash(algorithm).update(body).digest(), bytes);
}
