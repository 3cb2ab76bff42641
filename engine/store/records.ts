/** Reading entity rows, and where their values came from. */
import type { JsonObject } from "../manifest/types.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import { rawPurpose } from "./purposes.ts";
import type { Page } from "./runs.ts";
import { selectRaw } from "./sql/contributions.ts";
import { countEntities, countRecords as countStatement, type RecordFilter, type RecordRow, selectContributionsOf, selectRecord, selectRecords } from "./sql/records.ts";

/** The entity's fields beside what is ours: a field of one of these names stands under `custom` or is hidden by ours. */
export interface EntityRecord extends JsonObject {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** connection → key there */
  readonly links: Readonly<Record<string, string>>;
  /** ISO instants. */
  readonly created_at: string;
  readonly updated_at: string;
}

export interface RecordQuery {
  /** @default 100 */
  readonly limit?: number;
  readonly after?: readonly string[];
  /** ISO instant; rows changed then or later. */
  readonly updated_since?: string;
  /** Only rows that have a link there. */
  readonly connection?: string;
  readonly include_deleted?: boolean;
}

/** Oldest change first: paging on with the last `next` later gives exactly what changed since. */
export const listRecords = (at: Database | TenantTransaction, tenant: string, entity: string, query: RecordQuery = {}): Promise<Page<EntityRecord> & { readonly position?: readonly string[] }> =>
  inTenant(at, tenant, async (tx) => {
    const limit = query.limit ?? 100;
    const rows = await tx.run<RecordRow>(selectRecords(tx.tenantId, entity, filterOf(query), query.after as [string, string] | undefined, limit + 1));
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const position = last && [last.updated_at_text, last.id];
    return { items: items.map(recordOf), ...(rows.length > limit && position ? { next: position } : {}), ...(position ? { position } : {}) };
  });

/** By its id, or an id it had before it was joined with another row. */
export const getRecord = (at: Database | TenantTransaction, tenant: string, entity: string, id: string): Promise<EntityRecord | undefined> => inTenant(at, tenant, async (tx) => {
  if (!/^[0-9a-f-]{36}$/i.test(id)) return undefined;
  const [row] = await tx.run<RecordRow>(selectRecord(tx.tenantId, entity, id));
  return row && recordOf(row);
});

export const countRecords = (at: Database | TenantTransaction, tenant: string, entity: string, query: Omit<RecordQuery, "limit" | "after"> = {}): Promise<number> =>
  inTenant(at, tenant, async (tx) => (await tx.run<{ count: number }>(countStatement(tx.tenantId, entity, filterOf(query))))[0]!.count);

/** Entity → live rows. */
export const entityCounts = (at: Database | TenantTransaction, tenant: string): Promise<Record<string, number>> => inTenant(at, tenant, async (tx) =>
  Object.fromEntries((await tx.run<{ entity: string; count: number }>(countEntities(tx.tenantId))).map(({ entity, count }) => [entity, count])));

export interface ContributionState {
  readonly connection: string; readonly stream: string; readonly key: string; readonly data: JsonObject; readonly labels: Readonly<Record<string, string>>;
  readonly version: string | null; readonly run_id: string; readonly created_at: Date; readonly updated_at: Date;
  readonly deleted_at: Date | null; readonly deleted_reason: "left" | "deleted" | "swept" | null;
}

/** Each connection's view of a row, ended ones too. */
export const listContributions = (at: Database | TenantTransaction, tenant: string, entity: string, row: string): Promise<ContributionState[]> =>
  inTenant(at, tenant, (tx) => tx.run<ContributionState>(selectContributionsOf(tx.tenantId, entity, row)));

/** The record as the provider last sent it, decrypted. Undefined: there is none, or it is no longer kept. */
export const readRaw = (at: Database | TenantTransaction, keyring: Keyring, tenant: string, of: { readonly connection: string; readonly stream: string; readonly entity: string; readonly key: string }): Promise<unknown> =>
  inTenant(at, tenant, async (tx) => {
    const sealer = await keyring.of(tx);
    const [row] = await tx.run<{ raw: Buffer | null }>(selectRaw({ tenantId: tx.tenantId, ...of }, of.key));
    if (row?.raw == null) return undefined;
    return JSON.parse((await sealer.openFresh(rawPurpose(of.connection, of.stream, of.entity, of.key), row.raw)).toString("utf8")) as unknown;
  });

const filterOf = (query: RecordQuery): RecordFilter => ({
  updatedSince: query.updated_since === undefined ? null : new Date(query.updated_since), connection: query.connection ?? null, includeDeleted: query.include_deleted ?? false,
});

const recordOf = ({ id, data, labels, links, created_at, updated_at, deleted_at }: RecordRow): EntityRecord => ({
  ...data, id, labels, links, created_at: created_at.toISOString(), updated_at: updated_at.toISOString(), ...(deleted_at === null ? {} : { deleted_at: deleted_at.toISOString() }),
});
