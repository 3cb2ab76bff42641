/** The operator's key: where it comes from, whether it is one, and the id that tells keys apart without telling them. */
import { createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PlugboardError } from "../errors/plugboard-error.ts";
import { KEY_BYTES } from "./sealing.ts";

/** 32 random bytes have fewer different ones once in 10^16. */
const LEAST_DIFFERENT_BYTES = 16;

/** Text of the key, or the file that holds it: 32 bytes as base64 or hexadecimal. */
export type KeySource = { readonly value: string; readonly name?: string } | { readonly file: string };

export interface KeyEncryptionKey { readonly id: string; readonly key: Buffer }

/** A new key-encryption key, as `createKeyring` reads it. */
export const generateKey = (): string => randomBytes(KEY_BYTES).toString("base64");

/** @throws PlugboardError STORE_KEY for a key that is missing, short, guessable or an example. */
export async function readKeyEncryptionKey(source: KeySource): Promise<KeyEncryptionKey> {
  const key = readKey(source, "file" in source ? await readFile(source.file, "utf8").catch((cause: unknown) => {
    throw unusable(`the file ${source.file} cannot be read`, "Restore it from your backup: without it, stored credentials cannot be opened.", cause);
  }) : source.value);
  return { key, id: createHmac("sha256", key).update("plugboard/kek-id/v1").digest("hex").slice(0, 16) };
}

function readKey(source: KeySource, text: string): Buffer {
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
