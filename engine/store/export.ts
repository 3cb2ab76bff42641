/**
 * Everything of a tenant, row by row, never more in memory than a few hundred rows. Every table of tenants is on one of the two
 * lists below, or nothing is exported: a new table is neither forgotten nor given away by accident. Bytes never leave as they
 * are: sealed records are opened, secrets and hashes stay.
 */
import type { Json, JsonObject } from "../manifest/types.ts";
import { type Database, type TenantTransaction, withTenant } from "./database.ts";
import type { Keyring } from "./keyring.ts";
import { SEALED_COLUMNS, type SealedRow } from "./sealed-columns.ts";
import { selectTenantTables, type TenantTableRow } from "./sql/erase.ts";
import { selectExported, selectShape, type TableShape } from "./sql/export.ts";

const BATCH = 200;

/** Table → columns that stay. */
export const EXPORTED: Readonly<Record<string, readonly string[]>> = {
  tenant_profiles: [], memberships: [], invitations: [], api_keys: [], integration_requests: [],
  connections: [], secrets: [], tenant_revisions: [], schedules: [], change_flows: [],
  runs: [], run_log: [], sweep_holds: [], contributions: [], entity_rows: [], entity_aliases: [], links: [], quarantine: [],
  events: [], inbound_requests: [], refused_requests: [], deliveries: [], delivery_attempts: [], outgoing_endpoints: [], connect_links: [],
  audit_log: [],
};

/** Table → why its rows are not part of what a customer takes along. */
export const KEPT_BACK: Readonly<Record<string, string>> = {
  tenant_keys: "keys", tokens: "tokens", consents: "tokens", sign_ins: "sign-ins under way", endpoint_secrets: "secrets", minted_tokens: "secrets", sessions: "sessions of the operator's staff",
  sign_in_providers: "of the operator", token_issuers: "of the operator", assignments: "of the operator's staff", changes: "of the operator", configuration: "of the operator", applications: "of the operator",
  plans: "made from the configuration", checkpoints: "internal: where reading goes on", sweep_seen: "internal: keys of a sweep under way", match_values: "internal: made from contributions", entity_clocks: "internal: clocks",
  row_changes: "internal: changes on their way", unfired_changes: "internal: changes on their way", fired_rows: "internal: what was sent and is no longer kept", pending_reads: "internal: reads under way", event_reads: "internal: reads under way", queue_polls: "internal: polls", breakers: "internal: pauses",
  webhook_endpoints: "addresses that are secrets", webhook_aliases: "addresses that are secrets",
};

export interface ExportLine { readonly table: string; readonly row: JsonObject }

interface Table extends TenantTableRow { readonly shape: TableShape; readonly sealed: (typeof SEALED_COLUMNS)[number] | undefined }

/** @throws PlugboardError PLAN_UNKNOWN_TENANT; an Error when a table is on neither list. */
export async function* exportTenant(db: Database, keyring: Keyring, tenant: string): AsyncGenerator<ExportLine> {
  const tables = await withTenant(db, tenant, async (tx) => {
    const all = await tx.run<TenantTableRow>(selectTenantTables());
    const unlisted = all.filter(({ name }) => !Object.hasOwn(EXPORTED, name) && !Object.hasOwn(KEPT_BACK, name));
    if (unlisted.length > 0) throw new Error(`engine/store/export.ts lists neither as exported nor as kept back: ${unlisted.map(({ name }) => name).join(", ")}`);
    const tables: Table[] = [];
    for (const name of Object.keys(EXPORTED)) {
      const found = all.find((table) => table.name === name);
      if (!found) continue;
      const [shape] = await tx.run<TableShape>(selectShape(name));
      // Of secrets it says that they are there, and their fingerprints.
      tables.push({ ...found, shape: shape!, sealed: name === "secrets" ? undefined : SEALED_COLUMNS.find((column) => column.table === name) });
    }
    return tables;
  });
  for (const table of tables) {
    let after: readonly string[] | undefined;
    for (;;) {
      const batch = await withTenant(db, tenant, (tx) => readBatch(tx, keyring, table, after));
      for (const row of batch.rows) yield { table: table.name, row };
      after = batch.next;
      if (after === undefined) break;
    }
  }
}

async function readBatch(tx: TenantTransaction, keyring: Keyring, table: Table, after: readonly string[] | undefined): Promise<{ rows: JsonObject[]; next: readonly string[] | undefined }> {
  const column = table.sealed;
  const found = await tx.run<{ row: JsonObject; sealed?: Buffer | null; key: string[] }>(selectExported({ ...table, without: EXPORTED[table.name]!, sealed: column?.column }, tx.tenantId, after, table.shape.keys.length === 0 ? 1_000_000 : BATCH));
  const sealer = column === undefined || found.length === 0 ? undefined : await keyring.of(tx);
  const rows: JsonObject[] = [];
  for (const { row, sealed } of found) {
    if (column === undefined || sealer === undefined || sealed === null || sealed === undefined) { rows.push(row); continue; }
    const text = (await sealer.openFresh(column.purpose(row as unknown as SealedRow), sealed)).toString("utf8");
    rows.push({ ...row, [column.column]: jsonOr(text) });
  }
  return { rows, next: found.length === BATCH ? found.at(-1)!.key : undefined };
}

function jsonOr(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
