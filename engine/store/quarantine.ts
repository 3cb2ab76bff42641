/** Records that could not be stored: why, and on demand what they were. */
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import { quarantinePurpose } from "./purposes.ts";
import type { Page } from "./runs.ts";
import { decideQuarantined, groupQuarantine, type QuarantineGroupRow, type QuarantineRow, selectQuarantine, selectQuarantined } from "./sql/quarantine.ts";

export type QuarantineStatus = "open" | "resolved" | "replayed" | "discarded";

export interface Quarantined {
  readonly id: string; readonly run: string; readonly connection: string; readonly flow: string; readonly stream: string; readonly entity: string;
  readonly key?: string; readonly code: string; readonly params: Readonly<Record<string, string>>; readonly reason: string; readonly revision: string;
  readonly status: QuarantineStatus;
  /** How often the record came back with the same fate. */
  readonly seen: number;
  /** `updated_at`: when the provider sent it last. */
  readonly created_at: string; readonly updated_at: string; readonly decided_by?: string;
}

export interface QuarantineFilter { readonly status?: QuarantineStatus; readonly flow?: string; readonly run?: string; readonly code?: string; readonly limit?: number; readonly after?: readonly string[] }

/** Newest first, without the raw records. */
export const listQuarantine = (at: Database | TenantTransaction, tenant: string, filter: QuarantineFilter = {}): Promise<Page<Quarantined>> => inTenant(at, tenant, async (tx) => {
  const limit = filter.limit ?? 50;
  const rows = await tx.run<QuarantineRow>(selectQuarantine(tx.tenantId, { status: filter.status ?? null, flow: filter.flow ?? null, run: filter.run ?? null, code: filter.code ?? null }, filter.after as [string, string] | undefined, limit + 1));
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(quarantinedOf), ...(rows.length > limit && last ? { next: [last.created_at_text, last.id] } : {}) };
});

export interface QuarantineGroup {
  readonly connection: string; readonly flow: string; readonly code: string; readonly count: number;
  /** The newest few; null where the record has none. */
  readonly keys: readonly (string | null)[];
}

/** How many keys a group shows. */
const SHOWN_KEYS = 5;

/** Open entries by flow and reason's code, the largest group first. */
export const quarantineGroups = (at: Database | TenantTransaction, tenant: string, filter: { readonly flow?: string; readonly connection?: string; readonly code?: string } = {}): Promise<QuarantineGroup[]> =>
  inTenant(at, tenant, (tx) => tx.run<QuarantineGroupRow>(groupQuarantine(tx.tenantId, { flow: filter.flow ?? null, connection: filter.connection ?? null, code: filter.code ?? null }, SHOWN_KEYS)));

export const getQuarantined = (at: Database | TenantTransaction, tenant: string, id: string): Promise<Quarantined | undefined> => inTenant(at, tenant, async (tx) => {
  const [row] = await tx.run<QuarantineRow>(selectQuarantined(tx.tenantId, id));
  return row && quarantinedOf(row);
});

/** The raw record, decrypted: for someone who may see it, and is recorded as having done so. */
export const readQuarantinedRaw = (at: Database | TenantTransaction, keyring: Keyring, tenant: string, id: string): Promise<unknown> => inTenant(at, tenant, async (tx) => {
  const sealer = await keyring.of(tx);
  const [row] = await tx.run<QuarantineRow & { raw: Buffer }>(selectQuarantined(tx.tenantId, id));
  if (!row) return undefined;
  return JSON.parse((await sealer.openFresh(quarantinePurpose(row.connection, row.flow, row.key, row.id), row.raw)).toString("utf8")) as unknown;
});

/** Only open ones change. Gives the ids that did. */
export const markQuarantined = (at: Database | TenantTransaction, tenant: string, ids: readonly string[], status: "replayed" | "discarded", by: string): Promise<string[]> =>
  inTenant(at, tenant, async (tx) => (await tx.run<{ id: string }>(decideQuarantined(tx.tenantId, ids, status, by))).map(({ id }) => id));

const quarantinedOf = (row: QuarantineRow): Quarantined => ({
  id: row.id, run: row.run_id, connection: row.connection, flow: row.flow, stream: row.stream, entity: row.entity, ...(row.key === null ? {} : { key: row.key }),
  code: row.code, params: row.params, reason: row.reason, revision: row.revision, status: row.status as QuarantineStatus, seen: row.seen,
  created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString(), ...(row.decided_by === null ? {} : { decided_by: row.decided_by }),
});
