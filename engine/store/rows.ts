/** Entity rows: which contributions are one row, and what the row then says. Everything here runs in the entity's turn. */
import type { EntityPlan } from "../plan/types.ts";
import type { TenantTransaction } from "./database.ts";
import { type Contribution, Groups, joinContributions, matchValues } from "./merge.ts";
import { newRowId } from "./row-id.ts";
import type { ReadyRecord } from "./page.ts";
import { endContributions, moveContributions, type RowContribution, selectOfRows, selectShared, type StreamIds } from "./sql/contributions.ts";
import { aliasRows, endRows, storeRows } from "./sql/entity-rows.ts";
import { deleteMatchValues, insertMatchValues, selectMatches } from "./sql/match-values.ts";

/** Rows settled per statement. */
const CHUNK = 500;

export interface Placed {
  readonly record: ReadyRecord;
  rowId: string | undefined;
}

/** Rows of changed records that have, or are about to have, more than one live contribution. */
export async function sharedRows(tx: TenantTransaction, stream: StreamIds, changed: readonly Placed[]): Promise<Set<string>> {
  const byRow = Map.groupBy(changed, ({ rowId }) => rowId!);
  const shared = await tx.run<{ row_id: string }>(selectShared(stream, [...byRow.keys()], changed.map(({ record }) => record.key)));
  return new Set([...shared.map(({ row_id }) => row_id), ...[...byRow].filter(([, records]) => records.length > 1).map(([row]) => row)]);
}

/**
 * Decides which row each changed record belongs to: the one it has; one that a live contribution of equal value has; a new
 * one. Rows that turn out to be the same are joined into the oldest. Once joined, rows are not split again.
 */
export async function placeByMatch(tx: TenantTransaction, stream: StreamIds, match: readonly string[], placed: readonly Placed[]): Promise<void> {
  if (placed.length === 0) return;
  const { tenantId, entity } = stream;
  // What the page's records said before must not attract others any more.
  await tx.run(deleteMatchValues(stream, placed.filter(({ rowId }) => rowId !== undefined).map(({ record }) => record.key)));
  const entries = placed.flatMap(({ record }) => matchValues(record.data, match).map((value) => ({ key: record.key, value })));
  const found = entries.length === 0 ? [] : await tx.run<{ value: string; row_id: string }>(selectMatches(tenantId, entity, [...new Set(entries.map(({ value }) => value))]));

  const groups = new Groups();
  const rows = new Set<string>();
  for (const { key, value } of entries) groups.join(`record ${key}`, `value ${value}`);
  for (const { value, row_id } of found) { groups.join(`value ${value}`, `row ${row_id}`); rows.add(row_id); }
  for (const { record, rowId } of placed) if (rowId !== undefined) { groups.join(`record ${record.key}`, `row ${rowId}`); rows.add(rowId); }

  const rowOfGroup = new Map<string, string>();
  const moves: { from: string; to: string }[] = [];
  for (const row of [...rows].sort()) {                             // ids grow with time: the first of a group is its oldest row
    const group = groups.of(`row ${row}`);
    const kept = rowOfGroup.get(group);
    if (kept === undefined) rowOfGroup.set(group, row);
    else moves.push({ from: row, to: kept });
  }
  if (moves.length > 0) {
    await tx.run(moveContributions(tenantId, entity, moves));
    await tx.run(aliasRows(tenantId, entity, moves));
  }
  for (const one of placed) {
    const group = groups.of(`record ${one.record.key}`);
    let row = rowOfGroup.get(group);
    if (row === undefined) rowOfGroup.set(group, row = newRowId());
    one.rowId = row;
  }
  if (entries.length > 0) await tx.run(insertMatchValues(stream, entries));
}

/** Makes rows say what their live contributions say; a row without any is ended. */
export async function settleRows(tx: TenantTransaction, entity: string, plan: EntityPlan, rows: readonly string[], at: string): Promise<void> {
  const distinct = [...new Set(rows)];
  for (let start = 0; start < distinct.length; start += CHUNK) {
    const chunk = distinct.slice(start, start + CHUNK);
    const byRow = Map.groupBy(await tx.run<RowContribution>(selectOfRows(tx.tenantId, entity, chunk)), ({ row_id }) => row_id);
    const joined = [...byRow].map(([id, contributions]) => ({ id, ...joinContributions(contributions.map(asContribution), plan.prefer) }));
    if (joined.length > 0) await tx.run(storeRows(tx.tenantId, entity, JSON.stringify(joined), at));
    const empty = chunk.filter((id) => !byRow.has(id));
    if (empty.length > 0) await tx.run(endRows(tx.tenantId, entity, empty, at));
  }
}

/** Ends live contributions and settles their rows. Gives how many there were. */
export async function endByKeys(tx: TenantTransaction, stream: StreamIds, plan: EntityPlan, joined: boolean, keys: readonly string[], reason: "left" | "deleted" | "swept", at: string): Promise<number> {
  if (keys.length === 0) return 0;
  const ended = (await tx.run<{ row_id: string }>(endContributions(stream, keys, reason, at))).map(({ row_id }) => row_id);
  if (ended.length === 0) return 0;
  if (joined) {
    await tx.run(deleteMatchValues(stream, keys));
    await settleRows(tx, stream.entity, plan, ended, at);
  } else {
    await tx.run(endRows(tx.tenantId, stream.entity, ended, at));
  }
  return ended.length;
}

const asContribution = ({ connection, stream, key, data, labels, version, created_at }: RowContribution): Contribution => ({
  connection, stream, key, data: data as Contribution["data"], labels, version: version ?? undefined, createdAt: created_at.getTime(),
});
