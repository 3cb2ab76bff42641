/**
 * Rotation while everything runs.
 *
 * Of a tenant's data key: the next version is made and seals from its commit on; once nobody writes with the old one any more
 * (see `hold_tenant_key`), what it sealed is opened and sealed again in batches; when nothing of it remains it is destroyed.
 * Every step says by itself what is done and what is not, so a rotation that was killed goes on from there.
 * What a backup holds stays openable with the keys of that backup.
 *
 * Of the key-encryption key: each tenant's data keys are wrapped again, nothing else is touched.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { PlugboardError } from "../errors/plugboard-error.ts";
import { type Database, inGlobal, type TenantTransaction, withTenant, withTenants } from "./database.ts";
import type { Keyring, Sealer } from "./keyring.ts";
import { SEALED_COLUMNS, type SealedColumn, type SealedRow } from "./sealed-columns.ts";
import { dropCanariesBut } from "./sql/key-canaries.ts";
import { countSealed, nextStale, type Resealed, swapSealed, takeStale } from "./sql/sealed-values.ts";
import { destroyTenantKeys, isTenantKeyIdle, liveTenantKeys, type TenantKeyRow } from "./sql/tenant-keys.ts";
import { listTenants } from "./tenants.ts";

const BATCH = 500;
/** Raw records may be large: a batch holds no more of them than this, and at least one. */
const BATCH_BYTES = 8 << 20;
/** How soon a transaction that holds an old key, or a row that someone is writing, is looked at again. */
const PAUSE_MILLISECONDS = 25;

export interface KeyStatus {
  readonly tenant: string;
  /** Of the data key that seals; absent: the tenant has none yet. */
  readonly version?: number;
  /** ISO instant. */
  readonly created_at?: string;
  /** Which key-encryption key wraps the tenant's data keys. */
  readonly wrapped_by: "current" | "old" | "unknown" | "none";
  /** More than one data key is live: a rotation is under way, or was killed. */
  readonly rotating: boolean;
  /** Sealed values, and how many of them with another data key than the newest; by table. */
  readonly values: number;
  readonly remaining: number;
  readonly tables: Readonly<Record<string, { readonly values: number; readonly remaining: number }>>;
}

export interface RotationProgress { readonly tenant: string; readonly version: number; readonly done: number; readonly total: number }

export interface RotationOptions {
  /** Ends after the batch under way; the rotation goes on when it is called again. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RotationProgress) => void;
}

export interface Rotated {
  readonly tenant: string;
  readonly version: number;
  /** Versions that were destroyed. */
  readonly destroyed: readonly number[];
  readonly reencrypted: number;
  /** Counted after the last batch, in the transaction that destroyed the old key. */
  readonly remaining: 0;
}

export const keyStatus = (db: Database, keyring: Keyring, tenant: string): Promise<KeyStatus> => withTenant(db, tenant, async (tx) => {
  const keys = await tx.run<TenantKeyRow>(liveTenantKeys(tx.tenantId));
  const newest = keys.at(-1);
  const tables = await countAll(tx, newest?.dek_version ?? 0);
  return {
    tenant, ...headOf(keyring, keys),
    values: sum(tables, "values"), remaining: sum(tables, "remaining"), tables,
  };
});

/** Of several tenants, without counting what is sealed: quick, however much there is. */
export const keyHeads = (db: Database, keyring: Keyring, tenants: readonly string[]): Promise<Pick<KeyStatus, "tenant" | "version" | "created_at" | "wrapped_by" | "rotating">[]> => withTenants(db, async (enter) => {
  const heads = [];
  for (const tenant of tenants) {
    const tx = await enter(tenant);
    heads.push({ tenant, ...headOf(keyring, await tx.run<TenantKeyRow>(liveTenantKeys(tx.tenantId))) });
  }
  return heads;
});

function headOf(keyring: Keyring, keys: readonly TenantKeyRow[]): Pick<KeyStatus, "version" | "created_at" | "wrapped_by" | "rotating"> {
  const newest = keys.at(-1);
  const wrappings = keys.map(({ kek_id }) => kek_id === keyring.kekId ? "current" : kek_id === keyring.oldKekId ? "old" : "unknown");
  return {
    ...(newest === undefined ? {} : { version: newest.dek_version, created_at: newest.created_at.toISOString() }),
    wrapped_by: (["unknown", "old", "current"] as const).find((one) => wrappings.includes(one)) ?? "none", rotating: keys.length > 1,
  };
}

/**
 * Replaces the tenant's data key, or goes on with a replacement that was begun. Reads and writes of others go on.
 * @throws PlugboardError STORE_ROTATION when values do not open: the old key stays until they are mended.
 */
export async function rotateDataKey(db: Database, keyring: Keyring, tenant: string, options: RotationOptions = {}): Promise<Rotated> {
  await withTenant(db, tenant, (tx) => keyring.renew(tx));
  return finish(db, keyring, tenant, options);
}

async function finish(db: Database, keyring: Keyring, tenant: string, options: RotationOptions): Promise<Rotated> {
  const { signal, onProgress } = options;
  const live = await withTenant(db, tenant, liveVersions);
  const newest = live.at(-1)!;
  const older = live.slice(0, -1);
  for (const version of older) await untilIdle(db, tenant, version, signal);

  let done = 0;
  const total = sum(await withTenant(db, tenant, (tx) => countAll(tx, newest)), "remaining");
  for (;;) {
    const pass = { resealed: 0, broken: new Map<string, number>() };
    for (const column of SEALED_COLUMNS) {
      await resealColumn({ db, keyring, tenant, column, newest, signal }, pass, () => onProgress?.({ tenant, version: newest, done: done + pass.resealed, total }));
    }
    done += pass.resealed;
    const end = await withTenant(db, tenant, async (tx) => {
      if ((await liveVersions(tx)).at(-1) !== newest) return undefined;
      const remaining = sum(await countAll(tx, newest), "remaining");
      return { remaining, destroyed: remaining > 0 ? [] : (await tx.run<{ dek_version: number }>(destroyTenantKeys(tx.tenantId, newest))).map(({ dek_version }) => dek_version) };
    });
    if (end === undefined) return finish(db, keyring, tenant, options);      // another rotation overtook this one
    if (end.remaining === 0) return { tenant, version: newest, destroyed: end.destroyed, reencrypted: done, remaining: 0 };
    const broken = [...pass.broken.values()].reduce((all, one) => all + one, 0);
    if (broken >= end.remaining) throw new PlugboardError("STORE_ROTATION", { tenant, count: broken, where: [...pass.broken].map(([table, count]) => `${table} (${count})`).join(", ") });
    await pause(signal);                                     // what is left was being written at that moment
  }
}

/** One pass over a column, batch by batch; each is a transaction of its own. */
async function resealColumn(at: { db: Database; keyring: Keyring; tenant: string; column: SealedColumn; newest: number; signal: AbortSignal | undefined }, pass: { resealed: number; broken: Map<string, number> }, tell: () => void): Promise<void> {
  let after: Readonly<Record<string, unknown>> | undefined;
  do {
    at.signal?.throwIfAborted();
    after = await withTenant(at.db, at.tenant, async (tx) => {
      const sealer = await at.keyring.of(tx);
      if (sealer.dekVersion !== at.newest) return undefined;
      const found = await tx.run<Record<string, unknown> & { bytes: number }>(nextStale(at.column, tx.tenantId, at.newest, after, BATCH));
      if (found.length === 0) return undefined;
      let bytes = 0;
      const keys = found.filter((row, index) => (bytes += row.bytes) <= BATCH_BYTES || index === 0);
      const { rows, broken } = await reseal(sealer, at.column, await tx.run(takeStale(at.column, tx.tenantId, at.newest, keys)));
      if (broken > 0) pass.broken.set(at.column.table, (pass.broken.get(at.column.table) ?? 0) + broken);
      if (rows.length > 0) pass.resealed += (await tx.run(swapSealed(at.column, tx.tenantId, at.newest, rows))).length;
      return keys.at(-1);
    });
    tell();
  } while (after !== undefined);
}

async function reseal(sealer: Sealer, column: SealedColumn, taken: readonly (Record<string, unknown> & { sealed_value: Buffer })[]): Promise<{ rows: Resealed[]; broken: number }> {
  const rows: Resealed[] = [];
  let broken = 0;
  for (const row of taken) {
    const purpose = column.purpose(row as unknown as SealedRow);
    try {
      rows.push({ ...row, from: row.sealed_value, to: sealer.seal(purpose, await sealer.openFresh(purpose, row.sealed_value)) });
    } catch (error) {
      if (!(error instanceof PlugboardError) || error.code !== "STORE_DECRYPT") throw error;
      broken += 1;                                           // the others need not wait for it
    }
  }
  return { rows, broken };
}

const liveVersions = async (tx: TenantTransaction): Promise<number[]> => (await tx.run<TenantKeyRow>(liveTenantKeys(tx.tenantId))).map(({ dek_version }) => dek_version);

/** Whoever begins now uses the newest key; waits for those who began before. */
async function untilIdle(db: Database, tenant: string, version: number, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    const [found] = await withTenant(db, tenant, (tx) => tx.run<{ idle: boolean }>(isTenantKeyIdle(tx.tenantId, version)));
    if (found!.idle) return;
    await pause(signal);
  }
}

/** @returns how many data keys were wrapped again. Every tenant's, also of those that appear meanwhile. */
export async function rotateKeyEncryptionKey(db: Database, keyring: Keyring, { signal, onProgress }: { readonly signal?: AbortSignal; readonly onProgress?: (progress: { readonly tenant: string; readonly done: number; readonly total: number }) => void } = {}): Promise<{ readonly tenants: number; readonly rewrapped: number }> {
  const rewrapAll = async (): Promise<{ tenants: number; rewrapped: number }> => {
    const tenants = await listTenants(db);
    let rewrapped = 0;
    for (const [index, { slug }] of tenants.entries()) {
      signal?.throwIfAborted();
      rewrapped += await withTenant(db, slug, (tx) => keyring.rewrap(tx));
      onProgress?.({ tenant: slug, done: index + 1, total: tenants.length });
    }
    return { tenants: tenants.length, rewrapped };
  };
  // Its canary first: with the others dropped and none of its own, any key would be taken at the next start.
  await keyring.check(db);
  const first = await rewrapAll();
  await inGlobal(db, (tx) => tx.run(dropCanariesBut(keyring.kekId)));
  // A process that had not been restarted may have wrapped a new tenant's key with the old one in the meantime.
  const second = await rewrapAll();
  return { tenants: second.tenants, rewrapped: first.rewrapped + second.rewrapped };
}

type Counts = Readonly<Record<string, { readonly values: number; readonly remaining: number }>>;

async function countAll(tx: TenantTransaction, newest: number): Promise<Counts> {
  const counts: Record<string, { values: number; remaining: number }> = {};
  for (const column of SEALED_COLUMNS) {
    const [found] = await tx.run<{ values: number; remaining: number }>(countSealed(column, tx.tenantId, newest));
    const ofTable = (counts[column.table] ??= { values: 0, remaining: 0 });      // a table may have several sealed columns
    ofTable.values += found!.values;
    ofTable.remaining += found!.remaining;
  }
  return counts;
}

const sum = (counts: Counts, what: "values" | "remaining"): number => Object.values(counts).reduce((all, one) => all + one[what], 0);

async function pause(signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await sleep(PAUSE_MILLISECONDS);
}
