/** People, their memberships, and how they come and go. */
import { type Database, inGlobal } from "./database.ts";
import { selectTenantState } from "./sql/people.ts";

/** Whether a tenant's own people and programs are let in. Undefined: there is no such tenant. */
export const tenantState = (db: Database, slug: string): Promise<"active" | "suspended" | undefined> => inGlobal(db, async (tx) => {
  const [row] = await tx.run<{ status: string }>(selectTenantState(slug));
  return row && (row.status === "suspended" || row.status === "erasing" ? "suspended" : "active");
});
