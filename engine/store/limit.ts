/** What the contract covers: a record that would make one live row too many is held, and nothing is deleted. Runs in the entity's turn. */
import { messageOf } from "../errors/plugboard-error.ts";
import type { EntityPlan } from "../plan/types.ts";
import type { QuarantinedRecord } from "../run/ports.ts";
import type { TenantTransaction } from "./database.ts";
import type { Placed } from "./rows.ts";
import type { StreamIds } from "./sql/contributions.ts";
import { countLiveRows, selectLiveRows } from "./sql/entity-rows.ts";
import { deleteMatchValues } from "./sql/match-values.ts";

export interface Held { readonly placed: ReadonlySet<Placed>; readonly records: QuarantinedRecord[] }

const NONE: Held = { placed: new Set(), records: [] };

/**
 * Of records whose rows are decided: those that would make a row beyond the limit. A record of a row that is there, its own or
 * another connection's, is never held. In the order of the page, so that the same page fills up the same way.
 */
export async function beyondLimit(tx: TenantTransaction, stream: StreamIds, { limit, match }: EntityPlan, changed: readonly Placed[]): Promise<Held> {
  if (limit === undefined || changed.length === 0) return NONE;
  const rows = [...new Set(changed.map(({ rowId }) => rowId!))];
  const live = new Set((await tx.run<{ id: string }>(selectLiveRows(stream.tenantId, stream.entity, rows))).map(({ id }) => id));
  const fresh = rows.filter((id) => !live.has(id));
  if (fresh.length === 0) return NONE;
  const [counted] = await tx.run<{ count: number }>(countLiveRows(stream.tenantId, stream.entity, limit.most));
  const over = new Set(fresh.slice(Math.max(0, limit.most - counted!.count)));
  if (over.size === 0) return NONE;
  const held = changed.filter(({ rowId }) => over.has(rowId!));
  // What is held attracts no others.
  if (match.length > 0) await tx.run(deleteMatchValues(stream, held.map(({ record }) => record.key)));
  const params = { limit: limit.most, name: limit.name };
  const reason = messageOf("LIMIT_REACHED", params);
  return {
    placed: new Set(held),
    records: held.map(({ record: { key, raw, entry } }) => ({ key, code: "LIMIT_REACHED", params, reason, raw, ...(entry === undefined ? {} : { entry }) })),
  };
}

/** Whether a held record may be tried again. */
export async function hasRoom(tx: TenantTransaction, entity: string, { limit }: EntityPlan): Promise<boolean> {
  if (limit === undefined) return false;               // no limit any more is another revision: everything is tried again anyway
  const [counted] = await tx.run<{ count: number }>(countLiveRows(tx.tenantId, entity, limit.most));
  return counted!.count < limit.most;
}
