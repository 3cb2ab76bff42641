/** Config and secrets of connections, for deliveries that go there one after the other: read once for all of a moment. */
import type { TenantPlan } from "../plan/types.ts";
import type { ConnectionValues } from "../run/ports.ts";

export interface ValuesCache {
  read(plan: TenantPlan, connection: string, read: () => Promise<ConnectionValues>): Promise<ConnectionValues>;
}

/** So long after it was paused, disconnected or entered anew, a connection may still be used as it was; milliseconds. */
const TRUSTED_MILLISECONDS = 200;

export function createValuesCache(): ValuesCache {
  const known = new WeakMap<TenantPlan, Map<string, { readonly at: number; readonly values: Promise<ConnectionValues> }>>();
  return {
    read(plan, connection, read) {
      const ofPlan = known.get(plan) ?? new Map<string, { at: number; values: Promise<ConnectionValues> }>();
      known.set(plan, ofPlan);
      const found = ofPlan.get(connection);
      if (found !== undefined && performance.now() - found.at < TRUSTED_MILLISECONDS) return found.values;
      const values = read();
      ofPlan.set(connection, { at: performance.now(), values });
      values.then(
        // Secrets stay in memory no longer than they are trusted.
        () => void setTimeout(() => { if (ofPlan.get(connection)?.values === values) ofPlan.delete(connection); }, TRUSTED_MILLISECONDS).unref(),
        () => { if (ofPlan.get(connection)?.values === values) ofPlan.delete(connection); },
      );
      return values;
    },
  };
}
