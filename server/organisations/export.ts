/** Everything of an organisation as lines of JSON, streamed. The last line counts what came before: without it, the copy is cut short. */
import { exportTenant, findTenant, listMembers, withTenant, type Database, type Keyring } from "../../engine/store/index.ts";
import type { Review } from "../review/index.ts";
import { headOfMain, tenantFile, textAt } from "./configuration.ts";

/** @param at an ISO instant. @throws PlugboardError PLAN_UNKNOWN_TENANT */
export async function* exportOrganisation(db: Database, keyring: Keyring, review: Review | undefined, tenant: string, at: string): AsyncGenerator<string> {
  const counts: Record<string, number> = {};
  const line = (value: object): string => `${JSON.stringify(value)}\n`;
  yield line({ export: 1, tenant: await findTenant(db, tenant), at });
  const file = tenantFile(tenant);
  const text = review && textAt((await headOfMain(review)).trees, file);
  if (text !== undefined) yield line({ file, text });
  for (const person of await withTenant(db, tenant, listMembers)) yield line({ person });
  for await (const { table, row } of exportTenant(db, keyring, tenant)) {
    counts[table] = (counts[table] ?? 0) + 1;
    yield line({ table, row });
  }
  yield line({ end: true, counts });
}
