/** The operator's first key: made when there is none, and never shown again by us. */
import { addApiKey, listApiKeys, type Database } from "../../engine/store/index.ts";
import { hashApiKey, makeApiKey } from "./keys.ts";

/** The new key, with every scope and no tenant; undefined when there is a key in use already. */
export async function ensureFirstKey(db: Database): Promise<string | undefined> {
  const now = new Date().toISOString();
  const inUse = (await listApiKeys(db)).some(({ tenant, revoked_at, expires_at }) => tenant === undefined && revoked_at === undefined && (expires_at === undefined || expires_at > now));
  return inUse ? undefined : issueKey(db, { name: "operator", scopes: ["*"] });
}

/** A new key; what is returned is stored nowhere. @throws PlugboardError PLAN_UNKNOWN_TENANT */
export async function issueKey(db: Database, key: { readonly name: string; readonly scopes: readonly string[]; readonly tenant?: string }): Promise<string> {
  const secret = makeApiKey();
  await addApiKey(db, { hash: hashApiKey(secret), ...key });
  return secret;
}
