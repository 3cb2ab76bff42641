/**
 * What a connection has of a row: the key it gave it, what it says of it, and what it was last given. That is all that tells an
 * echo from a change: what a connection has already is not sent to it, and what it says back changes nothing.
 */
import { createHash } from "node:crypto";
import type { JsonObject } from "../manifest/types.ts";
import type { EntityPlan } from "../plan/types.ts";
import type { TenantTransaction } from "./database.ts";
import { matchValues } from "./merge.ts";
import { endByKeys, settleRows } from "./rows.ts";
import { moveContributions, type StreamIds } from "./sql/contributions.ts";
import { tickEntity } from "./sql/checkpoints.ts";
import { aliasRows } from "./sql/entity-rows.ts";
import { type ContributionRow, deleteLinks, type LinkIds, type LinkRow, resetSent, selectContribution, selectCurrentRow, selectLink, selectLinkedKeys, selectReferenced, selectRow, storeAcknowledged, upsertLink } from "./sql/links.ts";
import { deleteMatchValues, insertMatchValues } from "./sql/match-values.ts";
import { compareVersions, isVersion } from "./versions.ts";

export interface LinkOf { readonly connection: string; readonly stream: string; readonly entity: string; readonly row: string }

export interface Link {
  /** The row's key there. Absent: the connection has no record of it, as far as we know. */
  readonly key?: string;
  /** Of the input that was acknowledged last. */
  readonly inputHash?: string;
  /** The entity's fields as that connection has them. */
  readonly data?: JsonObject;
}

const idsOf = (tx: TenantTransaction, { connection, stream, entity, row }: LinkOf): LinkIds => ({ tenantId: tx.tenantId, connection, stream, entity, row });

export async function readLink(tx: TenantTransaction, of: LinkOf): Promise<Link> {
  const [found] = await tx.run<LinkRow>(selectLink(idsOf(tx, of)));
  const key = found?.contribution?.key ?? found?.key ?? undefined;
  return {
    ...(key === undefined ? {} : { key }), ...(found?.input_hash == null ? {} : { inputHash: found.input_hash }),
    ...(found?.contribution == null ? {} : { data: found.contribution.data as JsonObject }),
  };
}

/** Row → connection → the row's key there, of connections that only we have written to. */
export async function linkedKeys(tx: TenantTransaction, rows: readonly string[]): Promise<Map<string, Record<string, string>>> {
  const keys = new Map<string, Record<string, string>>();
  for (const { row, connection, key } of await tx.run<{ row: string; connection: string; key: string }>(selectLinkedKeys(tx.tenantId, rows))) {
    const known = keys.get(row) ?? {};
    known[connection] = key;
    keys.set(row, known);
  }
  return keys;
}

/** The same for the same input, in whatever order its members come. */
export const inputHash = (input: JsonObject): string => createHash("sha256").update(JSON.stringify(sorted(input))).digest("base64url").slice(0, 22);

const sorted = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(sorted) : typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)])) : value;

export interface Acknowledged extends LinkOf {
  readonly delivery: string;
  /** Absent: the action does not say. Then the key known before counts. */
  readonly key?: string;
  readonly version?: string;
  /** Absent: the record was deleted there. */
  readonly input?: JsonObject;
  /**
   * Where a flow brings the stream back into the entity: the fields that the connection was given and says itself. They become its
   * contribution, so that what comes back changes nothing.
   */
  readonly back?: { readonly data: JsonObject; readonly labels: Readonly<Record<string, string>>; readonly plan: EntityPlan };
}

/** Remembers what a connection was given. In the transaction that marks the delivery. */
export async function acknowledge(tx: TenantTransaction, given: Acknowledged): Promise<void> {
  const { entity, back, input } = given;
  const [turn] = back === undefined ? [] : await tx.run<{ at: string; joined: boolean }>(tickEntity(tx.tenantId, entity));
  const [current] = await tx.run<{ id: string }>(selectCurrentRow(tx.tenantId, entity, given.row));
  const link = idsOf(tx, { ...given, row: current!.id });
  const known = await readLink(tx, { ...given, row: link.row });
  const key = given.key ?? known.key;
  const version = given.version !== undefined && isVersion(given.version) ? given.version : undefined;
  await tx.run(upsertLink(link, { key: input === undefined ? null : key ?? null, version: version ?? null, inputHash: input === undefined ? null : inputHash(input), delivery: given.delivery }));
  if (back === undefined || key === undefined) return;
  const stream: StreamIds = { tenantId: tx.tenantId, connection: given.connection, stream: given.stream, entity };
  if (input === undefined) await endByKeys(tx, stream, back.plan, turn!.joined, [key], "deleted", turn!.at);
  else await contribute(tx, link, key, version, given.delivery, back, turn!.at);
}

async function contribute(tx: TenantTransaction, link: LinkIds, key: string, version: string | undefined, delivery: string, back: NonNullable<Acknowledged["back"]>, at: string): Promise<void> {
  const [existing] = await tx.run<ContributionRow>(selectContribution(link, key));
  // What the connection said since is newer than what we gave it.
  if (existing?.live === true && existing.version !== null && version !== undefined && compareVersions(existing.version, version) > 0) return;
  if (existing !== undefined && existing.row_id !== link.row) {
    // It came in by itself before the answer did, and made a row of its own: the same thing, by the key it was given.
    const moves = [{ from: existing.row_id, to: link.row }];
    await tx.run(moveContributions(tx.tenantId, link.entity, moves));
    await tx.run(aliasRows(tx.tenantId, link.entity, moves));
  }
  const data = { ...(existing?.live === true ? existing.data as JsonObject : {}), ...back.data };
  const hash = `sent:${inputHash(data)}`.slice(0, 22);
  await tx.run(storeAcknowledged(link, key, { data: JSON.stringify(data), labels: JSON.stringify(back.labels), version: version ?? null, hash, delivery, at }));
  if (back.plan.match.length > 0) {
    const stream = { tenantId: tx.tenantId, connection: link.connection, stream: link.stream, entity: link.entity };
    await tx.run(deleteMatchValues(stream, [key]));
    const entries = matchValues(data, back.plan.match).map((value) => ({ key, value }));
    if (entries.length > 0) await tx.run(insertMatchValues(stream, entries));
  }
  await settleRows(tx, link.entity, back.plan, [link.row], at);
}

/** When a connection is erased, or starts over with another account: no key of it means anything any more. */
export async function forgetLinks(tx: TenantTransaction, connection: string): Promise<void> {
  await tx.run(deleteLinks(tx.tenantId, connection));
  await tx.run(resetSent(tx.tenantId, connection));
}

export interface FoundRow { readonly id: string; readonly data: JsonObject; readonly links: Readonly<Record<string, string>> }

/** The row a reference means, by its key at one of these connections, the first first. */
export async function findReferenced(tx: TenantTransaction, entity: string, key: string, connections: readonly string[]): Promise<FoundRow | undefined> {
  const [row] = await tx.run<FoundRow>(selectReferenced(tx.tenantId, entity, key, connections));
  return row;
}

/** A row as it is now, by any id it had. */
export async function readRow(tx: TenantTransaction, entity: string, row: string): Promise<(FoundRow & { readonly live: boolean; readonly updatedAt: number }) | undefined> {
  const [found] = await tx.run<FoundRow & { live: boolean; updated_at: Date }>(selectRow(tx.tenantId, entity, row));
  return found && { id: found.id, data: found.data, links: found.links, live: found.live, updatedAt: found.updated_at.getTime() };
}
