/**
 * Envelope encryption. A key-encryption key (KEK) from the operator wraps the data keys (DEK) of each tenant; data keys seal
 * secrets and raw records. The tenant, what the value is and whose it is are authenticated with it: a ciphertext that is moved
 * to another row, field or tenant does not open.
 *
 * Both are rotated while everything runs (rotation.ts). Of two KEKs the first wraps and both unwrap. Of a tenant's data keys
 * the newest seals and all that are not destroyed open; who works with one holds a lock on its version until its transaction
 * ends, so that a rotation knows when nobody writes with the old one any more.
 *
 * What this does not stop: someone who can write the database can put an older ciphertext of the same row, field and version
 * back.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Database, TenantTransaction, Transaction } from "./database.ts";
import { inGlobal, withTenant } from "./database.ts";
import { type KeyEncryptionKey, type KeySource, readKeyEncryptionKey, unusable } from "./key-encryption-key.ts";
import { KEY_BYTES, sealed, unsealed, versionOf } from "./sealing.ts";
import { addCanary, readCanaries } from "./sql/key-canaries.ts";
import { addTenantKey, holdTenantKey, liveTenantKeys, rewrapTenantKey, type TenantKeyRow } from "./sql/tenant-keys.ts";

export { generateKey, type KeySource, type RemoteKey } from "./key-encryption-key.ts";

const CACHE_MILLISECONDS = 5 * 60_000;
const CACHED_TENANTS = 1000;

/** What a value is and whose: all of it is authenticated. */
export type Purpose = readonly [purpose: string, ...parts: string[]];

/** Seals and opens for one tenant inside one transaction; about 10 µs for 1 KB. */
export interface Sealer {
  /** Of the key that seals. */
  readonly dekVersion: number;
  seal(purpose: Purpose, plain: string | Uint8Array): Buffer;
  /** What was read before this sealer was made. @throws PlugboardError STORE_DECRYPT */
  open(purpose: Purpose, sealed: Uint8Array): Buffer;
  /** What was read after: asks the database for a key that is newer than this sealer. Prefer it. @throws PlugboardError STORE_DECRYPT */
  openFresh(purpose: Purpose, sealed: Uint8Array): Promise<Buffer>;
  /** Tells whether a value changed; not comparable across tenants; the same after a rotation. */
  fingerprint(value: string): string;
}

export interface Keyring {
  /** Tells keys apart without telling the key. */
  readonly kekId: string;
  /** The key that is being rotated out: it still unwraps. */
  readonly oldKekId: string | undefined;
  /**
   * The tenant's sealer; makes its first data key. Good for this transaction only. Call it before reading what is to be
   * opened: a key that is destroyed in between is known then. Keys are cached for at most five minutes.
   */
  of(tx: TenantTransaction): Promise<Sealer>;
  /** For one value: looks the tenant up. Prefer `of` inside a transaction. */
  seal(db: Database, tenant: string, purpose: Purpose, plain: string | Uint8Array): Promise<Buffer>;
  open(db: Database, tenant: string, purpose: Purpose, sealed: Uint8Array): Promise<Buffer>;
  /** At start: makes sure that these keys open what the database holds. @throws PlugboardError STORE_KEY */
  check(db: Database): Promise<void>;
  /** Makes the tenant's next data key, unless a rotation is under way. Other transactions use it from its commit on. */
  renew(tx: TenantTransaction): Promise<void>;
  /** Wraps the tenant's data keys with the key `kekId`. @returns how many were wrapped with another one. */
  rewrap(tx: TenantTransaction): Promise<number>;
  /** Forgets and overwrites every key in memory. */
  close(): void;
}

/** One tenant's data keys, unwrapped. */
interface DataKeys { readonly newest: number; readonly byVersion: ReadonlyMap<number, Buffer>; readonly fingerprintKey: Buffer; readonly until: number }

/**
 * @param old the key before, until its rotation is done.
 * @throws PlugboardError STORE_KEY for a key that is missing, short, guessable or an example.
 */
export async function createKeyring(source: KeySource, old?: KeySource): Promise<Keyring> {
  const kek = await readKeyEncryptionKey(source);
  const before = old && await readKeyEncryptionKey(old);
  if (before?.id === kek.id) throw unusable("the old key is the same as the new one", "Make a new one: openssl rand -base64 32");
  const keks = new Map([kek, ...before ? [before] : []].map((each) => [each.id, each]));
  const cache = new Map<string, DataKeys>();

  const forget = (tenantId: string): void => {
    const known = cache.get(tenantId);
    known?.fingerprintKey.fill(0);
    for (const key of known?.byVersion.values() ?? []) key.fill(0);
    cache.delete(tenantId);
  };

  const unwrap = (tx: TenantTransaction, row: TenantKeyRow): Promise<Buffer> => {
    const wrapping = keks.get(row.kek_id);
    if (!wrapping) throw unusable("this tenant's data key was wrapped with another key", "Start with the key that was used before, or give it as PLUGBOARD_KEK_OLD while keys are rotated.");
    return wrapping.unwrap(row.wrapped, wrapPurpose(tx.tenantId, row.dek_version, wrapping), tx.tenant);
  };

  const addKey = async (tx: TenantTransaction, version: number, fingerprintKey?: Buffer): Promise<void> => {
    const key = randomBytes(KEY_BYTES);
    await noteKek(tx, kek);
    await tx.run(addTenantKey(tx.tenantId, version, await kek.wrap(key, wrapPurpose(tx.tenantId, version, kek), version), kek.id,
      fingerprintKey && sealed(key, fingerprintPurpose(tx.tenantId, version), fingerprintKey, version)));
    key.fill(0);
  };

  const load = async (tx: TenantTransaction): Promise<DataKeys> => {
    let rows = await tx.run<TenantKeyRow>(liveTenantKeys(tx.tenantId));
    if (rows.length === 0) {
      await addKey(tx, 1);
      rows = await tx.run(liveTenantKeys(tx.tenantId));            // another transaction may have been first
    }
    const newest = rows.at(-1);
    if (!newest) throw new Error("a tenant without a data key");
    const byVersion = new Map(await Promise.all(rows.map(async (row) => [row.dek_version, await unwrap(tx, row)] as const)));
    const key = byVersion.get(newest.dek_version)!;
    const fingerprintKey = newest.fingerprint_key === null ? Buffer.from(hkdfSync("sha256", key, "", "plugboard/fingerprint/v1", KEY_BYTES))
      : unsealed(key, fingerprintPurpose(tx.tenantId, newest.dek_version), newest.fingerprint_key, tx.tenant);
    const known: DataKeys = { newest: newest.dek_version, byVersion, fingerprintKey, until: Date.now() + CACHE_MILLISECONDS };
    if (rows.some(({ fresh }) => fresh)) return known;             // kept once it is committed: or values were sealed with a key that never was
    forget(tx.tenantId);
    if (cache.size >= CACHED_TENANTS) forget(cache.keys().next().value!);
    cache.set(tx.tenantId, known);
    return copyOf(known);
  };

  const of = async (tx: TenantTransaction): Promise<Sealer> => {
    const cached = cache.get(tx.tenantId);
    let known = cached && cached.until > Date.now() ? copyOf(cached) : await load(tx);
    // A transaction that will write with a version says so before it looks whether that is still the newest.
    for (;;) {
      const [held] = await tx.run<{ newest: number | null }>(holdTenantKey(tx.tenantId, known.newest));
      if (held?.newest === known.newest) return sealerOf(tx, known);
      known = await load(tx);
    }
  };

  const sealerOf = (tx: TenantTransaction, known: DataKeys): Sealer => {
    const { tenant, tenantId } = tx;
    // As long as the sealer, which is as long as its transaction; Node overwrites it when it is collected.
    const objects = new Map<number, KeyObject>();
    const keyOf = ({ byVersion }: DataKeys, version: number): KeyObject => {
      let object = objects.get(version);
      if (object !== undefined) return object;
      const bytes = byVersion.get(version);
      if (bytes === undefined) throw new PlugboardError("STORE_DECRYPT", { tenant });
      objects.set(version, object = createSecretKey(bytes));
      return object;
    };
    const opened = (keys: DataKeys, purpose: Purpose, value: Uint8Array): Buffer => {
      const version = versionOf(value);
      return unsealed(keyOf(keys, version), bound(purpose, tenantId, version), value, tenant);
    };
    return {
      dekVersion: known.newest,
      seal: (purpose, plain) => sealed(keyOf(known, known.newest), bound(purpose, tenantId, known.newest), plain, known.newest),
      open: (purpose, value) => opened(known, purpose, value),
      openFresh: async (purpose, value) => opened(versionOf(value) > known.newest ? await load(tx) : known, purpose, value),
      fingerprint: (value) => createHmac("sha256", known.fingerprintKey).update(value).digest("hex").slice(0, 8),
    };
  };

  return {
    kekId: kek.id, oldKekId: before?.id, of,
    seal: (db, tenant, purpose, plain) => withTenant(db, tenant, async (tx) => (await of(tx)).seal(purpose, plain)),
    open: (db, tenant, purpose, value) => withTenant(db, tenant, async (tx) => (await of(tx)).open(purpose, value)),
    check: (db) => inGlobal(db, async (tx) => {
      for (const canary of await tx.run<{ kek_id: string; sealed: Buffer }>(readCanaries())) {
        const wrapping = keks.get(canary.kek_id);
        if (!wrapping) throw unusable("it is not the key this database was encrypted with", "Start with the key that was used before, or give it as PLUGBOARD_KEK_OLD until `plugboard secrets rotate-kek` has ended; without it, stored credentials cannot be opened.");
        await wrapping.unwrap(canary.sealed, canaryPurpose(wrapping), "(none)");
      }
      await noteKek(tx, kek);
    }),
    async renew(tx) {
      const rows = await tx.run<TenantKeyRow>(liveTenantKeys(tx.tenantId));
      if (rows.length > 1) return;
      const { newest, fingerprintKey } = await load(tx);
      await addKey(tx, newest + 1, fingerprintKey);
    },
    async rewrap(tx) {
      let wrapped = 0;
      for (const row of await tx.run<TenantKeyRow>(liveTenantKeys(tx.tenantId))) {
        if (row.kek_id === kek.id) continue;
        const again = await kek.wrap(await unwrap(tx, row), wrapPurpose(tx.tenantId, row.dek_version, kek), row.dek_version);
        wrapped += (await tx.run(rewrapTenantKey(tx.tenantId, row.dek_version, row.kek_id, again, kek.id))).length;
      }
      return wrapped;
    },
    close() {
      for (const tenantId of cache.keys()) forget(tenantId);
      for (const each of keks.values()) each.close();
    },
  };
}

/** What a key opens is known by its canary: as long as it is there, starting without the key is refused. */
const noteKek = async (tx: Transaction, kek: KeyEncryptionKey): Promise<unknown> => tx.run(addCanary(kek.id, await kek.wrap(Buffer.from("plugboard"), canaryPurpose(kek), 0)));

/** When the cached keys are overwritten, whoever seals at that moment must not go on with zeros. */
const copyOf = (known: DataKeys): DataKeys => ({ ...known, fingerprintKey: Buffer.from(known.fingerprintKey), byVersion: new Map([...known.byVersion].map(([version, key]) => [version, Buffer.from(key)])) });

const bound = ([purpose, ...parts]: Purpose, tenantId: string, version: number): string[] => [purpose, tenantId, ...parts, String(version)];
const wrapPurpose = (tenantId: string, version: number, { id }: KeyEncryptionKey): string[] => ["plugboard/dek/v1", tenantId, String(version), id];
const fingerprintPurpose = (tenantId: string, version: number): string[] => ["plugboard/fingerprint-key/v1", tenantId, String(version)];
const canaryPurpose = ({ id }: KeyEncryptionKey): string[] => ["plugboard/canary/v1", id];
