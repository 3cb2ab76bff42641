/**
 * Tokens that say which tenant they belong to: they come in before a tenant is known, and what they open stands in a tenant's
 * table. `<prefix><tenant's id>.<32 random bytes>`; only the hash of the whole is stored.
 */
import { hash, randomBytes } from "node:crypto";
import { type Database, inGlobal, type TenantTransaction, withTenantId } from "./database.ts";
import { selectTenantSlug } from "./sql/sign-ins.ts";

export const newTenantToken = ({ tenantId }: TenantTransaction, prefix = ""): string =>
  `${prefix}${Buffer.from(tenantId.replaceAll("-", ""), "hex").toString("base64url")}.${randomBytes(32).toString("base64url")}`;

export const hashToken = (token: string): Buffer => hash("sha256", token, "buffer");

/** Work in the tenant that the token names; undefined for what is no such token, or no tenant's. */
export async function withTenantOf<T>(db: Database, token: string, prefix: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T | undefined> {
  const [, name] = /^([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}$/.exec(token.startsWith(prefix) ? token.slice(prefix.length) : "") ?? [];
  if (name === undefined) return undefined;
  const hex = Buffer.from(name, "base64url").toString("hex");
  const tenantId = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  const [found] = await inGlobal(db, (tx) => tx.run<{ slug: string }>(selectTenantSlug(tenantId)));
  return found && withTenantId(db, found.slug, tenantId, work);
}
