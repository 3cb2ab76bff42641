/**
 * What is asked for one by one at the same time is done in one transaction of its tenant: one statement, and one wait for the disk,
 * for all of it. What comes while one is under way goes with the next; nothing waits for company. When one fails, each is done again
 * by itself, so that it costs only itself: what is asked for must do the same when it is asked for twice.
 */
import { type Database, type TenantTransaction, withTenant } from "../store/index.ts";

export interface Together<Item, Result> {
  /** Resolves once it is committed. */
  add(tenant: string, item: Item): Promise<Result>;
}

/** Of one transaction. */
const MOST = 64;
/** Transactions of one tenant at once: while one waits for the disk, the next is written. */
const AT_ONCE = 2;

interface Waiting<Item, Result> { readonly item: Item; resolve(result: Result): void; reject(thrown: unknown): void }

/** @param work gives a result for each item, in their order. */
export function createTogether<Item, Result>(db: Database, work: (tx: TenantTransaction, items: readonly Item[]) => Promise<readonly Result[]>): Together<Item, Result> {
  const lines = new Map<string, { readonly waiting: Waiting<Item, Result>[]; busy: number }>();

  const one = (tenant: string, item: Item): Promise<Result> => withTenant(db, tenant, (tx) => work(tx, [item])).then(([result]) => result!);

  const flush = async (tenant: string, taken: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await withTenant(db, tenant, (tx) => work(tx, taken.map(({ item }) => item)));
      for (const [index, each] of taken.entries()) each.resolve(results[index]!);
    } catch (thrown) {
      if (taken.length === 1) taken[0]!.reject(thrown);
      else for (const each of taken) await one(tenant, each.item).then(each.resolve, each.reject);
    }
  };

  return {
    add: (tenant, item) => new Promise((resolve, reject) => {
      const line = lines.get(tenant) ?? { waiting: [], busy: 0 };
      lines.set(tenant, line);
      line.waiting.push({ item, resolve, reject });
      if (line.busy >= AT_ONCE) return;
      line.busy++;
      // After this turn of the event loop: what ends in the same turn goes together.
      setImmediate(() => void (async () => {
        while (line.waiting.length > 0) await flush(tenant, line.waiting.splice(0, MOST));
        if (--line.busy === 0) lines.delete(tenant);
      })());
    }),
  };
}
