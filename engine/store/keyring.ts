/**
 * Envelope encryption. A key-encryption key (KEK) from the operator wraps one data key (DEK) per tenant; data keys seal
 * secrets and raw records with AES-256-GCM. The tenant, what the value is and whose it is are authenticated with it: a
 * ciphertext that is moved to another row, field or tenant does not open.
 *
 *   sealed   1 byte format · 4 bytes DEK version · 12 bytes nonce · 16 bytes tag · ciphertext
 *
 * What this does not stop: someone who can write the database can put an older ciphertext of the same row, field and version
 * back.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Database, TenantTransaction } from "./database.ts";
import { inGlobal, withTenant } from "./database.ts";
import { addCanary, readCanary } from "./sql/key-canaries.ts";
import { addTenantKey, newestTenantKey } from "./sql/tenant-keys.ts";

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** Without it Node accepts a tag of 4 bytes. */
const TAG_BYTES = 16;
const FORMAT = 1;
const HEADER_BYTES = 1 + 4 + NONCE_BYTES + TAG_BYTES;
const CACHE_MILLISECONDS = 5 * 60_000;
const CACHED_TENANTS = 1000;
/** 32 random bytes have fewer different ones once in 10^16. */
const LEAST_DIFFERENT_BYTES = 16;

/** Text of the key, or the file that holds it: 32 bytes as base64 or hexadecimal. */
export type KeySource = { readonly value: string; readonly name?: string } | { readonly file: string };

/** What a value is and whose: all of it is authenticated. */
export type Purpose = readonly [purpose: string, ...parts: string[]];

/** Seals and opens for one tenant; synchronous, about 10 µs for 1 KB. */
export interface Sealer {
  readonly dekVersion: number;
  seal(purpose: Purpose, plain: string | Uint8Array): Buffer;
  /** @throws PlugboardError STORE_DECRYPT */
  open(purpose: Purpose, sealed: Uint8Array): Buffer;
  /** Tells whether a value changed; not comparable across tenants. */
  fingerprint(value: string): string;
}

export interface Keyring {
  /** Tells keys apart without telling the key. */
  readonly kekId: string;
  /** The tenant's sealer; makes its first data key. Cached for at most five minutes. */
  of(tx: TenantTransaction): Promise<Sealer>;
  /** For one value: looks the tenant up. Prefer `of` inside a transaction. */
  seal(db: Database, tenant: string, purpose: Purpose, plain: string | Uint8Array): Promise<Buffer>;
  open(db: Database, tenant: string, purpose: Purpose, sealed: Uint8Array): Promise<Buffer>;
  /** At start: makes sure that this key opens what the database holds. @throws PlugboardError STORE_KEY */
  check(db: Database): Promise<void>;
  /** Forgets and overwrites every key in memory. */
  close(): void;
}

/** A new key-encryption key, as `createKeyring` reads it. */
export const generateKey = (): string => randomBytes(KEY_BYTES).toString("base64");

/** @throws PlugboardError STORE_KEY for a key that is missing, short, guessable or an example. */
export async function createKeyring(source: KeySource): Promise<Keyring> {
  const kek = readKey(source, "file" in source ? await readFile(source.file, "utf8").catch((cause: unknown) => {
    throw unusable(`the file ${source.file} cannot be read`, "Restore it from your backup: without it, stored credentials cannot be opened.", cause);
  }) : source.value);
  const kekId = createHmac("sha256", kek).update("plugboard/kek-id/v1").digest("hex").slice(0, 16);
  const cache = new Map<string, { readonly key: Buffer; readonly version: number; readonly until: number }>();

  const forget = (tenantId: string): void => {
    cache.get(tenantId)?.key.fill(0);
    cache.delete(tenantId);
  };
  const wrapPurpose = (tenantId: string, version: number): Purpose => ["plugboard/dek/v1", tenantId, String(version), kekId];

  const load = async (tx: TenantTransaction) => {
    let [row] = await tx.run<{ dek_version: number; wrapped: Buffer; kek_id: string }>(newestTenantKey(tx.tenantId));
    if (!row) {
      await tx.run(addTenantKey(tx.tenantId, 1, sealed(kek, wrapPurpose(tx.tenantId, 1), randomBytes(KEY_BYTES), 1), kekId));
      [row] = await tx.run(newestTenantKey(tx.tenantId));          // another transaction may have been first
    }
    if (!row) throw new Error("a tenant without a data key");
    if (row.kek_id !== kekId) throw unusable("this tenant's data key was wrapped with another key", "Start with the key that was used before.");
    const key = unsealed(kek, wrapPurpose(tx.tenantId, row.dek_version), row.wrapped, tx.tenant);
    return { key, version: row.dek_version, until: Date.now() + CACHE_MILLISECONDS };
  };

  const of = async (tx: TenantTransaction): Promise<Sealer> => {
    let known = cache.get(tx.tenantId);
    if (!known || known.until <= Date.now()) {
      forget(tx.tenantId);
      known = await load(tx);
      if (cache.size >= CACHED_TENANTS) forget(cache.keys().next().value!);
      cache.set(tx.tenantId, known);
    }
    // A copy: when the cached one is overwritten, whoever seals at that moment must not go on with zeros.
    return sealerOf(tx, Buffer.from(known.key), known.version);
  };

  const sealerOf = ({ tenant, tenantId }: TenantTransaction, key: Buffer, newest: number): Sealer => ({
    dekVersion: newest,
    seal: ([purpose, ...parts], plain) => sealed(key, [purpose, tenantId, ...parts, String(newest)], plain, newest),
    open([purpose, ...parts], value) {
      const version = value.length < HEADER_BYTES ? -1 : Buffer.from(value.buffer, value.byteOffset, value.length).readUInt32BE(1);
      if (version !== newest) throw new PlugboardError("STORE_DECRYPT", { tenant });
      return unsealed(key, [purpose, tenantId, ...parts, String(version)], value, tenant);
    },
    fingerprint(value) {
      const fingerprintKey = Buffer.from(hkdfSync("sha256", key, "", "plugboard/fingerprint/v1", KEY_BYTES));
      return createHmac("sha256", fingerprintKey).update(value).digest("hex").slice(0, 8);
    },
  });

  return {
    kekId, of,
    seal: (db, tenant, purpose, plain) => withTenant(db, tenant, async (tx) => (await of(tx)).seal(purpose, plain)),
    open: (db, tenant, purpose, value) => withTenant(db, tenant, async (tx) => (await of(tx)).open(purpose, value)),
    check: (db) => inGlobal(db, async (tx) => {
      const [canary] = await tx.run<{ kek_id: string; sealed: Buffer }>(readCanary());
      if (!canary) {
        await tx.run(addCanary(kekId, sealed(kek, ["plugboard/canary/v1", kekId], "plugboard", 0)));
        return;
      }
      if (canary.kek_id !== kekId) throw unusable("it is not the key this database was encrypted with", "Start with the key that was used before; without it, stored credentials cannot be opened.");
      unsealed(kek, ["plugboard/canary/v1", kekId], canary.sealed, "(none)");
    }),
    close() {
      for (const tenantId of cache.keys()) forget(tenantId);
      kek.fill(0);
    },
  };
}

// ── sealing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

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

function sealed(key: Buffer, associated: readonly string[], plain: string | Uint8Array, version: number): Buffer {
  const iv = nonce();
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(lengthPrefixed(associated));
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

function unsealed(key: Buffer, associated: readonly string[], value: Uint8Array, tenant: string): Buffer {
  try {
    if (value[0] !== FORMAT || value.length < HEADER_BYTES) throw new Error("unknown format");
    const decipher = createDecipheriv(ALGORITHM, key, value.subarray(5, 5 + NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(lengthPrefixed(associated));
    decipher.setAuthTag(value.subarray(5 + NONCE_BYTES, HEADER_BYTES));
    return Buffer.concat([decipher.update(value.subarray(HEADER_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new PlugboardError("STORE_DECRYPT", { tenant }, { cause });
  }
}

/** `4:acme7:contact`: two lists of parts never give the same bytes. */
const lengthPrefixed = (parts: readonly string[]): Buffer => {
  let text = "";
  for (const part of parts) text += `${part.length}:${part}`;
  return Buffer.from(text, "utf8");
};

// ── the key ─────────────────────────────────────────────────────────────────────────────────────────────────────────

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

const unusable = (detail: string, suggestion: string, cause?: unknown) => new PlugboardError("STORE_KEY", { detail, suggestion }, { cause });

