/**
 * Everything of one page, or nothing of it. The first statement is the fence; then hashes decide what is to be written, and
 * a few statements write all of it: their number does not depend on the number of records.
 */
import type { PageCommit, PageOutcome, QuarantinedRecord } from "../run/ports.ts";
import type { EntityPlan } from "../plan/types.ts";
import type { TenantTransaction } from "./database.ts";
import { beyondLimit } from "./limit.ts";
import type { Sealer } from "./keyring.ts";
import type { ReadyPage, ReadyRecord } from "./page.ts";
import { quarantinePurpose, rawPurpose } from "./purposes.ts";
import { newRowId } from "./row-id.ts";
import { type ChangeCause, noteChanges, settleChanges } from "./row-changes.ts";
import { endByKeys, type Placed, placeByMatch, settleRows, sharedRows } from "./rows.ts";
import { type ExistingRow, selectExisting, storeContributions, type StreamIds } from "./sql/contributions.ts";
import { keepQuarantined, resolveEntries, resolveQuarantined, storeQuarantined } from "./sql/quarantine.ts";
import { countPage } from "./sql/runs.ts";
import { compareVersions } from "./versions.ts";

export { quarantinePurpose } from "./purposes.ts";

export interface PageTarget {
  readonly stream: StreamIds;
  readonly flow: string;
  readonly plan: EntityPlan;
  /** JSON text. */
  readonly labels: string;
  readonly run: string;
  readonly revision: string;
  readonly leaseSeconds: number;
  /** Why the records come: it decides whether change flows fire by themselves. */
  readonly cause: ChangeCause;
}

/** What the fence found out. */
export interface Turn {
  /** The page's time, as PostgreSQL prints it. */
  readonly at: string;
  /** Whether rows of the entity may have several contributions. */
  readonly joined: boolean;
  readonly hasQuarantine: boolean;
  /** Whether some enabled change flow names the entity; absent: looked up. */
  readonly watched?: boolean;
}

/** Decided for one record by its hashes and version. `refresh`: only raw record and version are newer, the row stays. */
type Fate = "created" | "updated" | "refresh" | "unchanged" | "superseded";

/** Inside the tenant's transaction, after the fence. */
export async function writePage(tx: TenantTransaction, target: PageTarget, sealer: Sealer, page: PageCommit, ready: ReadyPage, turn: Turn): Promise<PageOutcome> {
  const { stream, plan } = target;
  const keys = [...ready.records.map(({ key }) => key), ...ready.dropped, ...ready.gone];
  const existing = new Map(keys.length === 0 ? [] : (await tx.run<ExistingRow>(selectExisting(stream, keys))).map((row) => [row.key, row]));

  const received = receivedAt(page);
  const counts = { created: 0, updated: 0, unchanged: ready.unchanged, superseded: ready.superseded };
  const writes: { record: ReadyRecord; rowId: string | undefined; changed: boolean }[] = [];
  for (const record of ready.records) {
    const row = existing.get(record.key);
    const fate = fateOf(record, row, received(record.key));
    counts[fate === "refresh" ? "unchanged" : fate]++;
    if (fate !== "unchanged" && fate !== "superseded") writes.push({ record, rowId: row?.row_id, changed: fate !== "refresh" });
  }
  const updates = writes.flatMap(({ record, rowId, changed }) => (changed && rowId !== undefined && existing.get(record.key)?.live === true ? [{ key: record.key, rowId, rawText: record.rawText }] : []));
  const noted = await noteChanges(tx, stream, turn.watched, target.cause, sealer, updates);
  const held = await storeRecords(tx, target, sealer, writes, turn);
  counts.created -= held.length;                       // only a record that would make a row is held
  const quarantined = held.length === 0 ? ready.quarantined : [...ready.quarantined, ...held];

  const ends = (key: string): boolean => {
    const row = existing.get(key);
    if (row?.live !== true || changedSince(row, received(key))) return false;
    const version = page.versions?.[key];
    return version === undefined || row.version === null || compareVersions(version, row.version) >= 0;
  };
  const left = await endByKeys(tx, stream, plan, turn.joined, ready.dropped.filter(ends), "left", turn.at);
  const deleted = await endByKeys(tx, stream, plan, turn.joined, ready.gone.filter(ends), "deleted", turn.at);
  await settleChanges(tx, stream.entity, target.cause, noted, counts.created + counts.updated + left + deleted);

  if (page.replayed !== undefined) await settleReplayed(tx, target, page.replayed, quarantined);
  else if (turn.hasQuarantine && keys.length > 0) await tx.run(resolveQuarantined({ ...stream, flow: target.flow }, withoutHeld(keys, held)));
  await storeQuarantine(tx, target, sealer, quarantined.filter(({ entry }) => entry === undefined));

  const outcome: Omit<PageOutcome, "read"> = {
    ...counts,
    unchanged: counts.unchanged + ready.gone.length - deleted,      // gone already
    deleted: left + deleted,
    filtered: ready.filtered + ready.dropped.length - left,
    quarantined: quarantined.length,
  };
  const read = Object.values(outcome).reduce((sum, count) => sum + count, 0);
  await tx.run(countPage(stream.tenantId, target.run, { read, ...outcome, pages: page.replayed === undefined ? 1 : 0, requests: page.requests, retries: page.retries, bytes: page.bytes }, target.leaseSeconds,
    page.sweep && { connection: stream.connection, flow: target.flow, sweep: page.sweep.number, keys: page.sweep.seen.map((key) => key.replaceAll("\0", "\u{FFFD}").toWellFormed()) }));
  return { read, ...outcome, ...(held.length === 0 ? {} : { held: held.length }) };
}

function withoutHeld(keys: readonly string[], held: readonly QuarantinedRecord[]): readonly string[] {
  const out = new Set(held.map(({ key }) => key));
  return out.size === 0 ? keys : keys.filter((key) => !out.has(key));
}

function fateOf(record: ReadyRecord, row: ExistingRow | undefined, received: string | undefined): Fate {
  if (!row) return "created";
  if (row.record_hash === record.recordHash && row.live) return "unchanged";
  const order = record.version !== undefined && row.version !== null ? compareVersions(record.version, row.version) : undefined;
  if (order !== undefined && order < 0) return "superseded";
  // The echo of what we delivered ourselves: not newer than the version it was acknowledged with.
  if (row.acknowledged && order === 0) return "unchanged";
  // Out of the quarantine comes what was sent long ago: where versions do not say more, the later of both counts.
  if (changedSince(row, received) && !(row.live && order !== undefined && order > 0)) return "superseded";
  if (!row.live) return "created";
  return row.data_hash === record.dataHash ? "refresh" : "updated";
}

/** When the provider sent the newest of the page's records of a key; undefined for a page of the provider, which comes now. */
function receivedAt({ replayed = [], as_of }: PageCommit): (key: string) => string | undefined {
  if (as_of !== undefined) return () => as_of;
  const received = new Map<string, string>();
  for (const { key, received_at } of replayed) {
    const other = key === undefined ? undefined : received.get(key);
    if (key !== undefined && (other === undefined || compareVersions(other, received_at) < 0)) received.set(key, received_at);
  }
  return (key) => received.get(key);
}

const changedSince = (row: ExistingRow, received: string | undefined): boolean => received !== undefined && compareVersions(row.changed_at, received) >= 0;

/** By their ids, not by keys: of two entries of one record, the newer may still be refused when the older is not. */
async function settleReplayed(tx: TenantTransaction, target: PageTarget, replayed: NonNullable<PageCommit["replayed"]>, quarantined: readonly QuarantinedRecord[]): Promise<void> {
  const kept = quarantined.flatMap(({ entry, code, params, reason }) => (entry === undefined ? [] : [{ id: entry, code, params: storableParams(params), reason: storable(reason) }]));
  const ids = new Set(kept.map(({ id }) => id));
  const resolved = replayed.filter(({ id }) => !ids.has(id)).map(({ id }) => id);
  if (resolved.length > 0) await tx.run(resolveEntries(target.stream.tenantId, resolved));
  if (kept.length > 0) await tx.run(keepQuarantined(target.stream.tenantId, JSON.stringify(kept), target.run, target.revision));
}

/** Gives the records that were not stored, because the contract covers no more rows. */
async function storeRecords(tx: TenantTransaction, target: PageTarget, sealer: Sealer, wanted: { record: ReadyRecord; rowId: string | undefined; changed: boolean }[], turn: Turn): Promise<QuarantinedRecord[]> {
  if (wanted.length === 0) return [];
  let writes = wanted;
  const { stream, plan } = target;
  let changed: Placed[] = writes.filter((write) => write.changed);   // the same objects: placing one decides its row
  if (plan.match.length > 0) await placeByMatch(tx, stream, plan.match, changed);
  else for (const write of changed) write.rowId ??= newRowId();
  const held = await beyondLimit(tx, stream, plan, changed);
  if (held.placed.size > 0) {
    writes = writes.filter((write) => !held.placed.has(write));
    changed = changed.filter((write) => !held.placed.has(write));
    if (writes.length === 0) return held.records;
  }
  const shared = turn.joined ? await sharedRows(tx, stream, changed) : new Set<string>();

  const raws: Buffer[] = [];
  let rawAt = 1;
  const rows = writes.map(({ record, rowId, changed }) => {
    const raw = sealer.seal(rawPurpose(stream.connection, stream.stream, stream.entity, record.key), record.rawText);
    raws.push(raw);
    // Put together by hand: the data is JSON text already, and is not printed twice.
    const row = `{"key":${JSON.stringify(record.key)},"row_id":"${rowId}"${record.version === undefined ? "" : `,"version":"${record.version}"`},"data_hash":"${record.dataHash}","record_hash":"${record.recordHash}","alone":${changed && !shared.has(rowId!)},"raw_at":${rawAt},"raw_length":${raw.length},"data":${record.dataText}}`;
    rawAt += raw.length;
    return row;
  });
  await tx.run(storeContributions(stream, `[${rows.join(",")}]`, Buffer.concat(raws), target.labels, target.run, turn.at));
  if (shared.size > 0) await settleRows(tx, stream.entity, plan, [...shared], turn.at);
  return held.records;
}

async function storeQuarantine(tx: TenantTransaction, target: PageTarget, sealer: Sealer, quarantined: readonly QuarantinedRecord[]): Promise<void> {
  if (quarantined.length === 0) return;
  const { stream, flow } = target;
  const distinct = new Map<string, QuarantinedRecord>();
  quarantined.forEach((record, index) => distinct.set(record.key === undefined ? `#${index}` : `=${record.key}`, record));
  const raws: Buffer[] = [];
  let rawAt = 1;
  const entries = [...distinct.values()].map(({ key, code, params, reason, raw }) => {
    const id = newRowId();
    const plainKey = key === undefined ? null : storable(key);
    const sealed = sealer.seal(quarantinePurpose(stream.connection, flow, plainKey, id), JSON.stringify(raw) ?? "null");
    raws.push(sealed);
    const entry = { id, key: plainKey, code, params: storableParams(params), reason: storable(reason), raw_at: rawAt, raw_length: sealed.length };
    rawAt += sealed.length;
    return entry;
  });
  await tx.run(storeQuarantined({ ...stream, flow }, JSON.stringify(entries), Buffer.concat(raws), target.run, target.revision));
}

/** Reasons and keys quote what a provider sent: shortened, and without what no text may hold. */
const storable = (text: string): string => text.slice(0, 1000).replaceAll("\0", "\u{FFFD}").toWellFormed();

const storableParams = (params: QuarantinedRecord["params"]): QuarantinedRecord["params"] =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, typeof value === "string" ? storable(value) : value]));
