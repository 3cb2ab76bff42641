/** What a plan is called by, here and in the id of a revision. Apart from the rest of the room: `plan` needs it without a database. */
import { createHash } from "node:crypto";
import type { TenantPlan } from "../plan/types.ts";

const hashes = new WeakMap<TenantPlan, string>();

/** Of its words. Worked out once: of thousands of plans, a change makes few anew. */
export function hashOfPlan(plan: TenantPlan): string {
  const hash = hashes.get(plan) ?? createHash("sha256").update(JSON.stringify(plan)).digest("hex");
  hashes.set(plan, hash);
  return hash;
}
