/**
 * The reports that a role sees, with what narrows them to the tenant: filters in the form that Power BI's client takes.
 * Source: https://learn.microsoft.com/javascript/api/overview/powerbi/control-report-filters (IBasicFilter, filterType 1 is Basic)
 */
import type { TenantPlan } from "../../engine/plan/index.ts";

export interface BasicFilter {
  readonly $schema: "http://powerbi.com/product/schema#basic";
  readonly target: { readonly table: string; readonly column: string };
  readonly operator: "In";
  readonly values: readonly string[];
  readonly filterType: 1;
  readonly displaySettings: { readonly isLockedInViewMode: true; readonly isHiddenInViewMode: true };
}

export interface Report { readonly report: string; readonly roles: readonly string[]; readonly labels: Readonly<Record<string, readonly string[]>>; readonly filters: readonly BasicFilter[] }

/** The column that names the tenant, in a dataset that holds several. */
const TENANT_COLUMN = "Tenant";

/** @param role whose reports; absent: all of the tenant's. */
export function reportsOf(plan: TenantPlan, role: string | undefined): Report[] {
  const filters = filtersOf(plan);
  const labels: Record<string, string[]> = {};
  for (const { target, values } of filters) if (target.column !== TENANT_COLUMN) labels[target.column] = [...new Set([...labels[target.column] ?? [], ...values])].toSorted();
  return Object.entries(plan.reports).filter(([, roles]) => role === undefined || roles.includes(role)).map(([report, roles]) => ({ report, roles, labels, filters })).toSorted((a, b) => (a.report < b.report ? -1 : 1));
}

/** One table per entity, as the SQL views are called; a label's column says which of its values are this tenant's. */
function filtersOf(plan: TenantPlan): BasicFilter[] {
  const tables = new Map<string, Map<string, Set<string>>>();
  for (const { enabled, connection, labels, to } of Object.values(plan.flows)) {
    if (!enabled || plan.connections[connection]?.enabled === false) continue;
    const columns = tables.get(to.entity) ?? new Map<string, Set<string>>([[TENANT_COLUMN, new Set([plan.tenant.id])]]);
    for (const [label, value] of Object.entries(labels)) columns.set(label, (columns.get(label) ?? new Set<string>()).add(value));
    tables.set(to.entity, columns);
  }
  return [...tables].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([table, columns]) => [...columns].map(([column, values]): BasicFilter => ({
    $schema: "http://powerbi.com/product/schema#basic", target: { table, column }, operator: "In", values: [...values].toSorted(), filterType: 1,
    displaySettings: { isLockedInViewMode: true, isHiddenInViewMode: true },
  })));
}
