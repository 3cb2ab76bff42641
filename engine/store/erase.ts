/**
 * Erasing a tenant, in two steps: what there is, with a token that confirms; then everything goes, table by table as the
 * catalogue lists them. Its data keys go first, so from the first moment nothing that was sealed opens again. A process that
 * is killed leaves a tenant that is `erasing`; the same token, or `unfinishedErasures`, goes on from there.
 */
import { createHash, randomBytes } from "node:crypto";
import { PlugboardError } from "../errors/plugboard-error.ts";
import { PLATFORM } from "./audit.ts";
import { type Database, inGlobal, type TenantTransaction, withTenant } from "./database.ts";
import { newRowId } from "./row-id.ts";
import { addRemoved, confirmErasure, countRowsOf, eraseChanges, erasePeople, eraseRows, type ErasureRow, finishErasure, insertErasure, selectConfirmedErasure, selectErasure, selectTenantTables, selectUnfinishedErasures, type TenantTableRow } from "./sql/erase.ts";
import { cancelRuns } from "./sql/organisations.ts";
import { endTenant, lockTenant, selectTenant, setTenantStatus, type TenantRow } from "./sql/tenants.ts";

/** How long a person has to confirm. */
const VALID_SECONDS = 3600;
/** Rows of one transaction. */
const BATCH = 10_000;
/** What opens everything else. */
const KEYS = "tenant_keys";
/** What every page of a run must find: without it, whoever still runs stores nothing. */
const CHECKPOINTS = "checkpoints";

type Counts = Readonly<Record<string, number>>;

export interface ErasureAsked { readonly id: string; readonly token: string; readonly expires_at: string; /** Table → rows; those without any are left out. */ readonly counts: Counts }

export interface Erased {
  readonly id: string; readonly tenant: string; readonly title: string; readonly requested_by: string; readonly requested_at: string; readonly finished_at: string;
  /** Table → rows that went. */
  readonly removed: Counts;
}

/** The tables that hold rows of tenants, those first whose rows others do not refer to. */
export async function tenantTables(tx: TenantTransaction): Promise<TenantTableRow[]> {
  const waiting = new Map((await tx.run<TenantTableRow>(selectTenantTables())).map((table) => [table.name, table]));
  const ordered: TenantTableRow[] = [];
  while (waiting.size > 0) {
    const free = [...waiting.values()].filter(({ name }) => ![...waiting.values()].some((other) => other.name !== name && other.references_to.includes(name)));
    if (free.length === 0) throw new Error(`tables refer to each other in a circle: ${[...waiting.keys()].join(", ")}`);
    for (const table of free.toSorted((a, b) => Number(b.name === KEYS) - Number(a.name === KEYS))) { ordered.push(table); waiting.delete(table.name); }
  }
  return ordered;
}

/** Changes nothing. @throws PlugboardError TENANT_CONFIRMATION for a token that is not, or no longer, right; PLAN_UNKNOWN_TENANT */
export const assertErasureToken = (db: Database, tenant: string, token: string): Promise<void> => withTenant(db, tenant, async (tx) => { await askedFor(tx, token); });

async function askedFor(tx: TenantTransaction, token: string): Promise<ErasureRow> {
  const [asked] = await tx.run<ErasureRow & { expired: boolean }>(selectErasure(tx.tenantId, hashOf(token)));
  if (!asked || asked.expired) throw new PlugboardError("TENANT_CONFIRMATION", { tenant: tx.tenant });
  return asked;
}

/** Changes nothing yet. @throws PlugboardError PLAN_UNKNOWN_TENANT */
export async function requestErasure(db: Database, tenant: string, by: string): Promise<ErasureAsked> {
  const token = randomBytes(24).toString("base64url");
  return withTenant(db, tenant, async (tx) => {
    const counts = await countAll(tx);
    const [head] = await tx.run<TenantRow>(selectTenant(tenant));
    const [row] = await tx.run<ErasureRow>(insertErasure(newRowId(), tx.tenantId, tenant, head!.title, hashOf(token), by, VALID_SECONDS, counts));
    return { id: row!.id, token, expires_at: row!.expires_at.toISOString(), counts };
  });
}

/**
 * The point of no return: from here on nothing runs for the tenant, nobody of it gets in, and nothing sealed opens.
 * @throws PlugboardError TENANT_CONFIRMATION for a token that is not, or no longer, right; PLAN_UNKNOWN_TENANT
 */
export const confirmErasureOf = (db: Database, tenant: string, token: string, by: string): Promise<void> => withTenant(db, tenant, async (tx) => {
  const asked = await askedFor(tx, token);
  await tx.run(confirmErasure(asked.id));
  await tx.run(setTenantStatus(tx.tenantId, ["active", "suspended", "creating"], "erasing", by, undefined));
  await tx.run(cancelRuns(tx.tenantId, by));
  await removed(tx, asked.id, KEYS, BATCH);
  await removed(tx, asked.id, CHECKPOINTS, BATCH);
});

/** Deletes what is left of a tenant that is `erasing`, and ends it. Killed and called again, it goes on. */
export async function eraseTenant(db: Database, tenant: string): Promise<Erased> {
  const { id: erasure, erased } = await withTenant(db, tenant, confirmed);
  await inGlobal(db, async (tx) => {
    const people = await tx.run(erasePeople(erased));
    if (people.length > 0) await tx.run(addRemoved(erasure, "users", people.length));
  });
  await withTenant(db, PLATFORM, async (tx) => {
    const changes = await tx.run(eraseChanges(tx.tenantId, tenant));
    if (changes.length > 0) await tx.run(addRemoved(erasure, "changes", changes.length));
  });
  for (;;) {
    for (const { name } of await withTenant(db, tenant, tenantTables)) while (await withTenant(db, tenant, async (tx) => (await removed(tx, (await confirmed(tx)).id, name, BATCH)) === BATCH));
    const erased = await withTenant(db, tenant, async (tx): Promise<Erased | undefined> => {
      // Nobody adds a row that refers to the tenant while it is looked at for the last time.
      await tx.run(lockTenant(tx.tenantId));
      if (Object.keys(await countAll(tx)).length > 0) return undefined;
      const { id } = await confirmed(tx);
      await tx.run(endTenant(tx.tenantId));
      return erasedOf((await tx.run<ErasureRow>(finishErasure(id)))[0]!);
    });
    if (erased) return erased;
  }
}

/** Tenants whose erasure was confirmed and did not come to its end. */
export const unfinishedErasures = (db: Database): Promise<string[]> => inGlobal(db, async (tx) => (await tx.run<{ slug: string }>(selectUnfinishedErasures())).map(({ slug }) => slug));

async function confirmed(tx: TenantTransaction): Promise<ErasureRow> {
  const [row] = await tx.run<ErasureRow>(selectConfirmedErasure(tx.tenantId));
  if (!row) throw new PlugboardError("TENANT_CONFIRMATION", { tenant: tx.tenant });
  return row;
}

async function removed(tx: TenantTransaction, erasure: string, table: string, most: number): Promise<number> {
  const [row] = await tx.run<{ gone: number }>(eraseRows(table, most));
  if (row!.gone > 0) await tx.run(addRemoved(erasure, table, row!.gone));
  return row!.gone;
}

async function countAll(tx: TenantTransaction): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of await tx.run<TenantTableRow>(selectTenantTables())) {
    const [row] = await tx.run<{ count: number }>(countRowsOf(table, tx.tenantId));
    if (row!.count > 0) counts[table.name] = row!.count;
  }
  return counts;
}

const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

const erasedOf = (row: ErasureRow): Erased => ({
  id: row.id, tenant: row.slug, title: row.title, requested_by: row.requested_by, requested_at: row.requested_at.toISOString(), finished_at: row.finished_at!.toISOString(), removed: row.removed,
});
