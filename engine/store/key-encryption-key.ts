/**
 * The operator's key: where it comes from, whether it is one, and the id that tells keys apart without telling them. It wraps
 * and unwraps data keys; where it is kept by a service, the key itself never comes here.
 */
import { createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PlugboardError } from "../errors/plugboard-error.ts";
import { associatedBytes, KEY_BYTES, sealed, unsealed } from "./sealing.ts";

/** 32 random bytes have fewer different ones once in 10^16. */
const LEAST_DIFFERENT_BYTES = 16;

/** Text of the key, or the file that holds it: 32 bytes as base64 or hexadecimal. */
export type KeySource = { readonly value: string; readonly name?: string } | { readonly file: string } | { readonly remote: RemoteKey };

/** A key that a service keeps. `associated`: what the value is bound to; with another one it does not open. */
export interface RemoteKey {
  readonly id: string;
  /** @throws PlugboardError STORE_KEY_SERVICE, STORE_KEY */
  wrap(plain: Uint8Array, associated: Uint8Array): Promise<Buffer>;
  /** Undefined: it does not open. @throws PlugboardError STORE_KEY_SERVICE, STORE_KEY */
  unwrap(wrapped: Uint8Array, associated: Uint8Array): Promise<Buffer | undefined>;
}

export interface KeyEncryptionKey {
  readonly id: string;
  wrap(plain: Uint8Array, associated: readonly string[], version: number): Promise<Buffer>;
  /** @throws PlugboardError STORE_DECRYPT */
  unwrap(wrapped: Uint8Array, associated: readonly string[], tenant: string): Promise<Buffer>;
  /** Overwrites the key in memory. */
  close(): void;
}

/** A new key-encryption key, as `createKeyring` reads it. */
export const generateKey = (): string => randomBytes(KEY_BYTES).toString("base64");

/** @throws PlugboardError STORE_KEY for a key that is missing, short, guessable or an example. */
export async function readKeyEncryptionKey(source: KeySource): Promise<KeyEncryptionKey> {
  if ("remote" in source) return ofService(source.remote);
  const key = readKey(source, "file" in source ? await readFile(source.file, "utf8").catch((cause: unknown) => {
    throw unusable(`the file ${source.file} cannot be read`, "Restore it from your backup: without it, stored credentials cannot be opened.", cause);
  }) : source.value);
  return {
    id: createHmac("sha256", key).update("plugboard/kek-id/v1").digest("hex").slice(0, 16),
    wrap: async (plain, associated, version) => sealed(key, associated, plain, version),
    unwrap: async (wrapped, associated, tenant) => unsealed(key, associated, wrapped, tenant),
    close: () => { key.fill(0); },
  };
}

const ofService = (remote: RemoteKey): KeyEncryptionKey => ({
  id: remote.id,
  wrap: (plain, associated) => remote.wrap(plain, associatedBytes(associated)),
  async unwrap(wrapped, associated, tenant) {
    const plain = await remote.unwrap(wrapped, associatedBytes(associated));
    if (plain === undefined) throw new PlugboardError("STORE_DECRYPT", { tenant });
    return plain;
  },
  close: () => undefined,
});

function readKey(source: Exclude<KeySource, { remote: RemoteKey }>, text: string): Buffer {
  const where = "file" in source ? `the file ${source.file}` : source.name ?? "the given value";
  const cure = "Make one: openssl rand -base64 32";
  const trimmed = text.trim();
  if (trimmed === "") throw unusable(`${where} is empty`, cure);
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, "hex")
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) ? Buffer.from(trimmed, "base64") : undefined;
  if (key?.length !== KEY_BYTES) throw unusable(`${where} is not ${KEY_BYTES} bytes as base64 or hexadecimal`, cure);
  if (new Set(key).size < LEAST_DIFFERENT_BYTES) throw unusable(`${where} repeats itself: it is not random`, cure);
  const steps = new Set(key.map((byte, index) => index === 0 ? 0 : byte - key[index - 1]!).subarray(1));
  if (steps.size <= 2) throw unusable(`${where} counts up: it is an example, not a key`, cure);
  if (key.every((byte) => byte >= 0x20 && byte < 0x7f)) throw unusable(`${where} is readable text, and a passphrase is not a key`, cure);
  return key;
}

export const unusable = (detail: string, suggestion: string, cause?: unknown): PlugboardError => new PlugboardError("STORE_KEY", { detail, suggestion }, { cause });
