/** Addresses that providers send to: a token each, of which only the hash is stored, so it is shown once. */
import { createHash, randomBytes } from "node:crypto";
import type { ConnectorPlan } from "../plan/types.ts";
import { asScheduler, type Database, inGlobal, inTenant, type TenantTransaction } from "./database.ts";
import { newRowId } from "./row-id.ts";
import * as sql from "./sql/webhook-endpoints.ts";

/** 256 bits. */
const TOKEN_BYTES = 32;

export interface EndpointName { readonly connector: string; /** Absent: for all customers; only in the operator's tenant. */ readonly connection?: string; readonly feed: string }

export interface Endpoint extends EndpointName {
  readonly id: string; readonly tenant: string; readonly created_at: string; readonly created_by: string;
  /** Set once another address replaces it. */
  readonly expires_at?: string;
}

/** One that a request came to. */
export interface OpenEndpoint extends EndpointName { readonly id: string; readonly tenant: string; readonly tenantId: string }

/** @returns the token, which nobody can read again. */
export const makeEndpoint = (at: Database | TenantTransaction, tenant: string, name: EndpointName, by: string): Promise<{ readonly id: string; readonly token: string }> => inTenant(at, tenant, async (tx) => {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const id = newRowId();
  await tx.run(sql.insertEndpoint(id, hashOf(token), tx.tenantId, name.connector, name.connection ?? null, name.feed, by));
  return { id, token };
});

/** A new address; the ones before go on for so many seconds. */
export const rotateEndpoint = (at: Database | TenantTransaction, tenant: string, name: EndpointName, by: string, overlapSeconds: number): Promise<{ readonly id: string; readonly token: string; readonly replaced: readonly { readonly id: string; readonly expires_at: string }[] }> => inTenant(at, tenant, async (tx) => {
  const made = await makeEndpoint(tx, tenant, name, by);
  const replaced = await tx.run<{ id: string; expires_at: Date }>(sql.expireEndpoints(tx.tenantId, name.connector, name.connection ?? null, name.feed, made.id, overlapSeconds));
  return { ...made, replaced: replaced.map(({ id, expires_at }) => ({ id, expires_at: expires_at.toISOString() })) };
});

/** Those that still open. */
export const listEndpoints = (at: Database | TenantTransaction, tenant: string, connector: string, connection?: string): Promise<Endpoint[]> => inTenant(at, tenant, async (tx) =>
  (await tx.run<sql.EndpointRow>(sql.selectEndpoints(tx.tenantId, connector, connection ?? null))).map((row) => ({
    id: row.id, tenant: row.tenant, connector: row.connector, feed: row.feed, created_at: row.created_at.toISOString(), created_by: row.created_by,
    ...(row.connection === null ? {} : { connection: row.connection }), ...(row.expires_at === null ? {} : { expires_at: row.expires_at.toISOString() }),
  })));

/** Undefined: there is none, or it was revoked before. */
export const revokeEndpoint = (at: Database | TenantTransaction, tenant: string, id: string): Promise<EndpointName | undefined> => inTenant(at, tenant, async (tx) => {
  const [row] = await tx.run<{ connector: string; connection: string | null; feed: string }>(sql.revokeEndpoint(tx.tenantId, id));
  return row && { connector: row.connector, feed: row.feed, ...(row.connection === null ? {} : { connection: row.connection }) };
});

/** Whose address this is. Hashed first, so how long the look-up takes says nothing about a token that is nearly right. */
export const findEndpoint = (db: Database, token: string): Promise<OpenEndpoint | undefined> => inGlobal(db, async (tx) => {
  const [row] = await tx.run<sql.EndpointRow>(sql.findEndpoint(hashOf(token)));
  return row && { id: row.id, tenant: row.tenant, tenantId: row.tenant_id, connector: row.connector, feed: row.feed, ...(row.connection === null ? {} : { connection: row.connection }) };
});

export interface Alias { readonly path: string; readonly connector: string; readonly feed: string }

/** Puts the aliases of a workspace in force as a whole. */
export const saveAliases = (db: Database, aliases: readonly Alias[]): Promise<void> => inGlobal(db, async (tx) => { await tx.run(sql.replaceAliases(JSON.stringify(aliases))); });

export const findAlias = (db: Database, path: string): Promise<Omit<Alias, "path"> | undefined> => inGlobal(db, async (tx) => (await tx.run<Omit<Alias, "path">>(sql.findAlias(path)))[0]);

/** The tenant of `acme.<domain>`. */
export const tenantOfSubdomain = (db: Database, subdomain: string): Promise<string | undefined> => inGlobal(db, async (tx) => (await tx.run<{ slug: string }>(sql.findSubdomain(subdomain)))[0]?.slug);

export interface AccountOwner { readonly tenant: string; readonly tenantId: string; readonly connection: string }

/** Every connection that reaches an account of a provider, whoever's it is. */
export const ownersOfAccount = (db: Database, connector: string, account: string): Promise<AccountOwner[]> => asScheduler(db, async (tx) =>
  (await tx.run<{ tenant: string; tenant_id: string; connection: string }>(sql.selectAccount(connector, account))).map(({ tenant, tenant_id, connection }) => ({ tenant, tenantId: tenant_id, connection })));

/** What an address for all customers needs of its connector, without any customer's plan. */
export type ConnectorFeeds = Pick<ConnectorPlan, "id" | "title" | "config" | "streams" | "webhooks">;

/** After `saveConnectors`: the connectors it saved. */
export const saveFeeds = (db: Database, connectors: readonly ConnectorFeeds[]): Promise<void> => inGlobal(db, async (tx) => {
  for (const { id, title, config, webhooks } of connectors.toSorted((a, b) => (a.id < b.id ? -1 : 1))) await tx.run(sql.saveFeeds(id, JSON.stringify({ id, title, config, streams: {}, webhooks: webhooks ?? {} })));
});

export const readFeeds = (db: Database, connector: string): Promise<ConnectorFeeds | undefined> => inGlobal(db, async (tx) => (await tx.run<{ feeds: ConnectorFeeds | null }>(sql.selectFeeds(connector)))[0]?.feeds ?? undefined);

const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();
