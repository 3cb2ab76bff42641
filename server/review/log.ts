/** What a change's steps leave behind: a line in the log, or why a step cannot be taken. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { Json } from "../../engine/manifest/types.ts";
import { PLATFORM, recordAudit, type Actor, type StoredChange, type TenantTransaction } from "../../engine/store/index.ts";

export const wrongStatus = (id: string, change: StoredChange | undefined, verb: string): PlugboardError =>
  change === undefined ? new PlugboardError("SERVER_NOT_FOUND", { kind: "Change", name: id })
  : new PlugboardError("CHANGE_STATUS", { id, status: change.status.replace("_", " "), verb });

/** A line in the operator's own log; a customer's says when what is in force for them changes. */
export async function audit(tx: TenantTransaction, actor: Actor, action: string, change: Pick<StoredChange, "id" | "title" | "tenant">, more: { readonly before?: Json; readonly after?: Json; readonly reason?: string } = {}): Promise<void> {
  await recordAudit(tx, PLATFORM, { actor, action, subject: { kind: "change", id: change.id }, ...more, after: { title: change.title, ...(change.tenant === undefined ? {} : { tenant: change.tenant }), ...(more.after as object | undefined) } });
}
