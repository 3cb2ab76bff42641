/** A stream's last records as the provider sent them, for looking at what another mapping would make of them. */
import type { Json } from "../manifest/types.ts";
import { type Database, withTenant } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import { rawPurpose } from "./purposes.ts";
import { selectNewestRaw } from "./sql/raw-samples.ts";

/** Newest first; those that are no longer kept are not among them. @throws PlugboardError STORE_DECRYPT */
export const newestRaw = (db: Database, keyring: Keyring, tenant: string, of: { readonly connection: string; readonly stream: string; readonly entity: string }, limit: number): Promise<Json[]> =>
  withTenant(db, tenant, async (tx) => {
    const rows = await tx.run<{ key: string; raw: Buffer }>(selectNewestRaw({ tenantId: tx.tenantId, ...of }, limit));
    if (rows.length === 0) return [];
    const sealer = await keyring.of(tx);
    const records: Json[] = [];
    for (const { key, raw } of rows) records.push(JSON.parse((await sealer.openFresh(rawPurpose(of.connection, of.stream, of.entity, key), raw)).toString("utf8")) as Json);
    return records;
  });
