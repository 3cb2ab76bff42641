/** Every column that holds sealed values of a tenant: what a rotation of its data key has to rewrite. */
import type { Purpose } from "./keyring.ts";
import { attemptPurpose, consentPurpose, deliveryPurpose, endpointSecretPurpose, itemPurpose, quarantinePurpose, rawPurpose, requestPurpose, secretPurpose, signInProviderPurpose, tokenPurpose, verifierPurpose } from "./purposes.ts";

export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** The primary key after tenant_id, with the types of its columns. */
  readonly key: Readonly<Record<string, "text" | "uuid">>;
  /** What else the purpose is made of. */
  readonly beside: readonly string[];
  /** A column that repeats the version of the data key. */
  readonly versionColumn?: string;
  purpose(row: SealedRow): Purpose;
}

/** The columns that purposes are made of; a row has those of its table. */
export interface SealedRow {
  readonly connection: string; readonly field: string; readonly version: number; readonly previous_version: number; readonly authenticator: string; readonly stream: string; readonly entity: string;
  /** Null for a quarantined record that has none. */
  readonly key: string;
  readonly id: string; readonly flow: string; readonly issuer: string; readonly client_id: string;
}

export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: "secrets", column: "sealed", key: { connection: "text", field: "text" }, beside: ["version"], versionColumn: "dek_version",
    purpose: ({ connection, field, version }) => secretPurpose(connection, field, version) },
  { table: "secrets", column: "previous_sealed", key: { connection: "text", field: "text" }, beside: ["previous_version"],
    purpose: ({ connection, field, previous_version }) => secretPurpose(connection, field, previous_version) },
  { table: "tokens", column: "sealed", key: { connection: "text", authenticator: "text" }, beside: [],
    purpose: ({ connection, authenticator }) => tokenPurpose(connection, authenticator) },
  { table: "consents", column: "sealed", key: { id: "uuid" }, beside: ["version"],
    purpose: ({ id, version }) => consentPurpose(id, version) },
  { table: "sign_ins", column: "sealed", key: { id: "uuid" }, beside: [],
    purpose: ({ id }) => verifierPurpose(id) },
  { table: "sign_in_providers", column: "sealed", key: { id: "text" }, beside: ["issuer", "client_id"],
    purpose: ({ id, issuer, client_id }) => signInProviderPurpose(id, issuer, client_id) },
  { table: "contributions", column: "raw", key: { connection: "text", stream: "text", entity: "text", key: "text" }, beside: [],
    purpose: ({ connection, stream, entity, key }) => rawPurpose(connection, stream, entity, key) },
  { table: "quarantine", column: "raw", key: { id: "uuid" }, beside: ["connection", "flow", "key"],
    purpose: ({ connection, flow, key, id }) => quarantinePurpose(connection, flow, key, id) },
  { table: "deliveries", column: "payload", key: { id: "uuid" }, beside: [], purpose: ({ id }) => deliveryPurpose(id) },
  { table: "delivery_attempts", column: "exchange", key: { id: "uuid" }, beside: [], purpose: ({ id }) => attemptPurpose(id) },
  { table: "endpoint_secrets", column: "sealed", key: { id: "uuid" }, beside: [], purpose: ({ id }) => endpointSecretPurpose(id) },
  { table: "inbound_requests", column: "request", key: { id: "uuid" }, beside: [], purpose: ({ id }) => requestPurpose(id) },
  { table: "events", column: "item", key: { id: "uuid" }, beside: [], purpose: ({ id }) => itemPurpose(id) },
];
