/** What changes for every tenant, with what it can cost: the part of a review that needs no data. */
import { diffPlans, type PlanChange } from "./diff.ts";
import { highestRisk, riskOf, type Rated, type Risk } from "./diff-risk.ts";
import type { Json } from "../manifest/types.ts";
import type { TenantPlan } from "./types.ts";

export type RatedChange = PlanChange & Rated;

export interface TenantChange {
  readonly tenant: string;
  readonly title: string;
  readonly change: "added" | "removed" | "changed";
  readonly risk: Risk;
  readonly changes: readonly RatedChange[];
}

type Plans = ReadonlyMap<string, TenantPlan>;

/** Those that change, by id. */
export function diffTenants(before: Plans, after: Plans): TenantChange[] {
  const found: TenantChange[] = [];
  for (const tenant of [...new Set([...before.keys(), ...after.keys()])].toSorted()) {
    const [old, now] = [before.get(tenant), after.get(tenant)];
    if (old === now) continue;                              // planned once, for both
    const changes = diffPlans(old ?? nothing(now!), now ?? nothing(old!)).map((change) => ({ ...change, ...riskOf(change) }));
    if (old && now && changes.length === 0) continue;
    const change = !old ? "added" : !now ? "removed" : "changed";
    found.push({ tenant, title: (now ?? old)!.tenant.title, change, risk: change === "added" ? "safe" : change === "removed" ? "destructive" : highestRisk(changes.map(({ risk }) => risk)), changes });
  }
  return found;
}

/** A tenant that has nothing yet, or nothing any more. */
const nothing = ({ tenant }: TenantPlan): TenantPlan =>
  ({ tenant: { id: tenant.id, title: "" }, inputs: {}, labels: {}, connections: {}, connectors: {}, entities: {}, flows: {}, reports: {}, policy: {}, limits: {}, origins: {} });

/** The same text for the same effect, wherever in the files it is written: what an approval is of. */
export const textOfChanges = (tenants: readonly TenantChange[]): string =>
  JSON.stringify(tenants.map(({ tenant, change, changes }) => [tenant, change, changes.map(({ kind, change: how, path, before, after }) => [kind, how, path, sorted(before), sorted(after)])]));

function sorted(value: Json | undefined): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member as Json)]));
}
