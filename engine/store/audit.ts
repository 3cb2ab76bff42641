/** The audit log: a line is written in the transaction that does what it says, so there is neither without the other. */
import type { Json } from "../manifest/types.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { newRowId } from "./row-id.ts";
import { type AuditRow, insertAudit, selectAudit } from "./sql/audit.ts";

/** The tenant that holds the operator's own connections, and the audit of what concerns no customer. Always there. */
export const PLATFORM = "platform";

export interface Actor {
  readonly kind: "user" | "key" | "service_token" | "connect_link" | "system" | "command";
  readonly id: string;
  readonly name: string;
  /** Of a person who acts as another one: who it really is. */
  readonly impersonator?: string;
  readonly ip?: string;
  /** Id of the HTTP request. */
  readonly request?: string;
}

export interface AuditEntry {
  readonly actor: Actor;
  /** A stable word: `connection.entered`, `tenant.suspended`. */
  readonly action: string;
  readonly subject: { readonly kind: string; readonly id: string };
  /** What changed; of secrets their fingerprints. */
  readonly before?: Json;
  readonly after?: Json;
  readonly reason?: string;
}

export interface AuditLine extends AuditEntry { readonly id: string; readonly at: string }

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  /** ISO instants: from the first, before the second. */
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly after?: readonly [at: string, id: string];
}

/** @throws PlugboardError PLAN_UNKNOWN_TENANT */
export const recordAudit = (at: Database | TenantTransaction, tenant: string, entry: AuditEntry): Promise<void> =>
  inTenant(at, tenant, async (tx) => { await tx.run(insertAudit(tx.tenantId, { id: newRowId(), ...entry })); });

/** Newest first. @throws PlugboardError PLAN_UNKNOWN_TENANT */
export const listAudit = (at: Database | TenantTransaction, tenant: string, filter: AuditFilter): Promise<AuditLine[]> =>
  inTenant(at, tenant, async (tx) => (await tx.run<AuditRow>(selectAudit(tx.tenantId, filter))).map(lineOf));

const lineOf = (row: AuditRow): AuditLine => ({
  id: row.id, at: row.at.toISOString(),
  actor: {
    kind: row.actor_kind as Actor["kind"], id: row.actor_id, name: row.actor_name,
    ...(row.impersonator === null ? {} : { impersonator: row.impersonator }), ...(row.ip === null ? {} : { ip: row.ip }), ...(row.request_id === null ? {} : { request: row.request_id }),
  },
  action: row.action, subject: { kind: row.subject_kind, id: row.subject_id },
  ...(row.before === null ? {} : { before: row.before }), ...(row.after === null ? {} : { after: row.after }), ...(row.reason === null ? {} : { reason: row.reason }),
});
