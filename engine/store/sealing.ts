/**
 * AES-256-GCM with everything a value is bound to as associated data.
 *
 *   sealed   1 byte format · 4 bytes version of the key · 12 bytes nonce · 16 bytes tag · ciphertext
 */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";
import { PlugboardError } from "../errors/plugboard-error.ts";

const ALGORITHM = "aes-256-gcm";
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** Without it Node accepts a tag of 4 bytes. */
const TAG_BYTES = 16;
const FORMAT = 1;
/** What tells one ciphertext from every other one: its key's version, its nonce, its tag. */
export const HEADER_BYTES = 1 + 4 + NONCE_BYTES + TAG_BYTES;

let nonces = Buffer.alloc(0);
let nextNonce = 0;

/** Random nonces, fetched 512 at a time: asking for twelve bytes costs as much as sealing. */
function nonce(): Buffer {
  if (nextNonce + NONCE_BYTES > nonces.length) {
    nonces = randomBytes(NONCE_BYTES * 512);
    nextNonce = 0;
  }
  return nonces.subarray(nextNonce, nextNonce += NONCE_BYTES);
}

/** Node makes a key object of bytes for every cipher, which costs twice as much as sealing 2 KB: who seals many gives one. */
export function sealed(key: Buffer | KeyObject, associated: readonly string[], plain: string | Uint8Array, version: number): Buffer {
  const iv = nonce();
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedBytes(associated));
  const body = typeof plain === "string" ? cipher.update(plain, "utf8") : cipher.update(plain);
  cipher.final();                                                   // GCM has nothing left to give
  const out = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  out[0] = FORMAT;
  out.writeUInt32BE(version, 1);
  iv.copy(out, 5);
  cipher.getAuthTag().copy(out, 5 + NONCE_BYTES);
  body.copy(out, HEADER_BYTES);
  return out;
}

/** @throws PlugboardError STORE_DECRYPT */
export function unsealed(key: Buffer | KeyObject, associated: readonly string[], value: Uint8Array, tenant: string): Buffer {
  try {
    if (value[0] !== FORMAT || value.length < HEADER_BYTES) throw new Error("unknown format");
    const decipher = createDecipheriv(ALGORITHM, key, value.subarray(5, 5 + NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedBytes(associated));
    decipher.setAuthTag(value.subarray(5 + NONCE_BYTES, HEADER_BYTES));
    return Buffer.concat([decipher.update(value.subarray(HEADER_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new PlugboardError("STORE_DECRYPT", { tenant }, { cause });
  }
}

/** The version of the key that a value was sealed with; -1 for what is no sealed value. */
export const versionOf = (value: Uint8Array): number =>
  value.length < HEADER_BYTES ? -1 : Buffer.from(value.buffer, value.byteOffset, value.length).readUInt32BE(1);

/** `4:acme7:contact`: two lists of parts never give the same bytes. */
export const associatedBytes = (parts: readonly string[]): Buffer => {
  let text = "";
  for (const part of parts) text += `${part.length}:${part}`;
  return Buffer.from(text, "utf8");
};
