/**
 * What a change flow did not fire upon by itself, and sending it because a person asks: first the count, then exactly that many.
 * A row counts when the flow's `becomes` and `when` hold of it as it is now, with nothing before, and the flow made nothing of it
 * since it last changed.
 */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { ChangeFlowPlan, TenantPlan } from "../plan/types.ts";
import { askForRows, type Database, rowsNotFired, type TenantTransaction, unfiredChanges, type Unfired, withTenant } from "../store/index.ts";
import { compiledFlow } from "./outbox.ts";

export interface PendingRows {
  /** Rows that would be delivered. */
  readonly count: number;
  /** The rest was not looked at. */
  readonly more: boolean;
  /** Why changes of the entity did not fire, since somebody watches it. */
  readonly unfired: readonly Unfired[];
}

/** Rows looked at, at most: more are asked for in parts, by `since`. */
const MOST_ROWS = 100_000;
const CHUNK = 1000;
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** @param since ISO instant: only rows that changed later. */
export const pendingRows = (db: Database, plan: TenantPlan, flow: ChangeFlowPlan, since?: string): Promise<PendingRows> => withTenant(db, plan.tenant.id, async (tx) => {
  const { ids, more } = await find(tx, plan, flow, since);
  return { count: ids.length, more, unfired: await unfiredChanges(tx, plan.tenant.id, flow.entity) };
});

/**
 * Makes deliveries of them. `inTransaction` takes part: what it throws undoes it.
 * @throws PlugboardError DELIVERY_COUNT when there are not as many as were confirmed.
 */
export const fireRows = (db: Database, plan: TenantPlan, flow: ChangeFlowPlan, asked: { readonly confirm: number; readonly by: string; readonly since?: string }, inTransaction: (tx: TenantTransaction, count: number) => Promise<void>): Promise<{ readonly fired: number }> =>
  withTenant(db, plan.tenant.id, async (tx) => {
    const { ids } = await find(tx, plan, flow, asked.since);
    if (ids.length !== asked.confirm) throw new PlugboardError("DELIVERY_COUNT", { count: ids.length, confirmed: asked.confirm });
    const fired = await askForRows(tx, flow.entity, flow.name, ids, asked.by);
    await inTransaction(tx, fired);
    return { fired };
  });

async function find(tx: TenantTransaction, plan: TenantPlan, flow: ChangeFlowPlan, since: string | undefined): Promise<{ ids: string[]; more: boolean }> {
  const compiled = compiledFlow(plan, flow);
  const ids: string[] = [];
  let after: readonly [string, string] | undefined = since === undefined ? undefined : [since, FIRST_ID];
  for (let seen = 0; seen < MOST_ROWS; ) {
    const rows = await rowsNotFired(tx, flow.entity, flow.name, after, CHUNK);
    // One on which an expression fails would be kept as failed: it counts, so that somebody sees it.
    for (const { id, data, links } of rows) if ((await compiled.fires({ id, after: data, links })) !== false) ids.push(id);
    seen += rows.length;
    after = rows.at(-1)?.position;
    if (rows.length < CHUNK) return { ids, more: false };
  }
  return { ids, more: true };
}
