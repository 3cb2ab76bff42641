/** Providers that tenants would like to have, and what they were told. */
import { asScheduler, type Database, inTenant, type TenantTransaction } from "./database.ts";
import { newRowId } from "./row-id.ts";
import type { Page } from "./runs.ts";
import { answerRequest, insertRequest, type RequestRow, selectRequest, selectRequestIds, selectRequests } from "./sql/requests.ts";

export type RequestStatus = RequestRow["status"];

export interface IntegrationRequest {
  readonly id: string; readonly tenant: string; readonly provider: string; readonly note: string; readonly status: RequestStatus;
  readonly requested_by: string; readonly requested_at: string;
  readonly answer?: string; readonly answered_by?: string; readonly answered_at?: string;
}

export interface RequestFilter { readonly status?: RequestStatus; readonly limit?: number; readonly after?: readonly string[] }

export const addRequest = (at: Database | TenantTransaction, tenant: string, asked: { readonly provider: string; readonly note?: string; readonly by: string }): Promise<IntegrationRequest> =>
  inTenant(at, tenant, async (tx) => requestOf(tenant, (await tx.run<RequestRow>(insertRequest(tx.tenantId, newRowId(), asked.provider, asked.note ?? "", asked.by)))[0]!));

/** Newest first. */
export const listRequests = (at: Database | TenantTransaction, tenant: string, { status, limit = 100, after }: RequestFilter = {}): Promise<Page<IntegrationRequest>> =>
  inTenant(at, tenant, async (tx) => {
    const rows = await tx.run<RequestRow>(selectRequests(tx.tenantId, status, after, limit + 1));
    return pageOf(rows, limit, (row) => requestOf(tenant, row));
  });

/** Of all tenants, or of some; newest first. Each is read as its own tenant. */
export async function listAllRequests(db: Database, { status, limit = 100, after, tenants }: RequestFilter & { readonly tenants?: readonly string[] } = {}): Promise<Page<IntegrationRequest>> {
  const found = await asScheduler(db, (tx) => tx.run<{ tenant: string; id: string; requested_at_text: string }>(selectRequestIds(status, tenants, after, limit + 1)));
  const { items, next } = pageOf(found, limit, (row) => row);
  const known = new Map<string, IntegrationRequest>();
  for (const [tenant, rows] of Map.groupBy(items, (row) => row.tenant)) {
    await inTenant(db, tenant, async (tx) => {
      for (const { id } of rows) for (const row of await tx.run<RequestRow>(selectRequest(tx.tenantId, id))) known.set(id, requestOf(tenant, row));
    });
  }
  return { items: items.flatMap(({ id }) => known.get(id) ?? []), ...(next === undefined ? {} : { next }) };
}

/** Undefined: there is no such request. */
export const setRequestAnswer = (at: Database | TenantTransaction, tenant: string, id: string, { status, answer, by }: { readonly status: Exclude<RequestStatus, "open">; readonly answer: string; readonly by: string }): Promise<{ before: IntegrationRequest; after: IntegrationRequest } | undefined> =>
  inTenant(at, tenant, async (tx) => {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return undefined;
    const [before] = await tx.run<RequestRow>(selectRequest(tx.tenantId, id));
    const [after] = await tx.run<RequestRow>(answerRequest(tx.tenantId, id, status, answer, by));
    return before && after && { before: requestOf(tenant, before), after: requestOf(tenant, after) };
  });

function pageOf<Row extends { requested_at_text: string; id: string }, Item>(rows: readonly Row[], limit: number, item: (row: Row) => Item): Page<Item> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return { items: kept.map(item), ...(rows.length > limit && last ? { next: [last.requested_at_text, last.id] } : {}) };
}

const requestOf = (tenant: string, row: RequestRow): IntegrationRequest => ({
  id: row.id, tenant, provider: row.provider, note: row.note, status: row.status, requested_by: row.requested_by, requested_at: row.requested_at.toISOString(),
  ...(row.answer === null ? {} : { answer: row.answer }), ...(row.answered_by === null ? {} : { answered_by: row.answered_by }), ...(row.answered_at === null ? {} : { answered_at: row.answered_at.toISOString() }),
});
