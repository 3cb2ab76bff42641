/** Links with which somebody without an account connects one connection: short-lived, revocable, over once it is connected. */
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { newRowId } from "./row-id.ts";
import { type ConnectLinkRow, insertConnectLink, revokeLink, selectConnectLinks, selectLiveLink, selectLiveLinkById, useLink } from "./sql/connect-links.ts";
import { hashToken, newTenantToken, withTenantOf } from "./tenant-token.ts";

/** How a link's token begins: secret scanners find it. */
export const CONNECT_TOKEN_PREFIX = "pbl_";

export interface ConnectLink {
  readonly id: string;
  readonly connection: string;
  readonly status: "open" | "connected" | "revoked" | "expired";
  readonly return_url?: string;
  readonly created_by: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly connected_at?: string;
}

/** @returns the link and its token, which is not kept. */
export const addConnectLink = (at: Database | TenantTransaction, tenant: string, { connection, returnUrl, by, seconds }: { readonly connection: string; readonly returnUrl?: string | undefined; readonly by: string; readonly seconds: number }): Promise<{ link: ConnectLink; token: string }> =>
  inTenant(at, tenant, async (tx) => {
    const token = newTenantToken(tx, CONNECT_TOKEN_PREFIX);
    const [row] = await tx.run<ConnectLinkRow>(insertConnectLink(tx.tenantId, newRowId(), hashToken(token), connection, returnUrl, by, seconds));
    return { link: linkOf(row!), token };
  });

/** The link that may still be used; undefined: used, revoked, over, or never was. */
export const findConnectLink = (db: Database, token: string): Promise<(ConnectLink & { readonly tenant: string }) | undefined> =>
  withTenantOf(db, token, CONNECT_TOKEN_PREFIX, async (tx) => {
    const [row] = await tx.run<ConnectLinkRow>(selectLiveLink(tx.tenantId, hashToken(token)));
    return row && { ...linkOf(row), tenant: tx.tenant };
  });

/** By id; undefined: there is none, or it may no longer be used. */
export const liveConnectLink = (at: Database | TenantTransaction, tenant: string, id: string): Promise<ConnectLink | undefined> =>
  inTenant(at, tenant, async (tx) => (await tx.run<ConnectLinkRow>(selectLiveLinkById(tx.tenantId, id))).map(linkOf)[0]);

/** Newest first. */
export const listConnectLinks = (at: Database | TenantTransaction, tenant: string, { limit, after }: { readonly limit: number; readonly after?: readonly [at: string, id: string] | undefined }): Promise<{ items: ConnectLink[]; next?: readonly string[] }> =>
  inTenant(at, tenant, async (tx) => {
    const rows = await tx.run<ConnectLinkRow>(selectConnectLinks(tx.tenantId, after, limit + 1));
    const items = rows.slice(0, limit).map(linkOf);
    const last = items.at(-1);
    return { items, ...(rows.length > limit && last !== undefined ? { next: [last.created_at, last.id] } : {}) };
  });

/** Undefined: there is no such link. */
export const revokeConnectLink = (at: Database | TenantTransaction, tenant: string, id: string): Promise<ConnectLink | undefined> =>
  inTenant(at, tenant, async (tx) => (await tx.run<ConnectLinkRow>(revokeLink(tx.tenantId, id))).map(linkOf)[0]);

/** It did what it is for. */
export const endConnectLink = async (tx: TenantTransaction, id: string): Promise<void> => { await tx.run(useLink(tx.tenantId, id)); };

function linkOf(row: ConnectLinkRow): ConnectLink {
  const status = row.connected_at !== null ? "connected" : row.revoked_at !== null ? "revoked" : row.expires_at.getTime() <= Date.now() ? "expired" : "open";
  return {
    id: row.id, connection: row.connection, status, created_by: row.created_by, created_at: row.created_at.toISOString(), expires_at: row.expires_at.toISOString(),
    ...(row.return_url === null ? {} : { return_url: row.return_url }), ...(row.connected_at === null ? {} : { connected_at: row.connected_at.toISOString() }),
  };
}
