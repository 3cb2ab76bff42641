/** API keys as access sees them. */
import { findApiKey, type Database } from "../../engine/store/index.ts";
import type { Bearer } from "../api/access.ts";
import { hashApiKey, isApiKey } from "../api/keys.ts";
import { isRole } from "../api/permissions.ts";

export const apiKeys = (db: Database): Bearer => (token, request) => isApiKey(token) ? findApiKey(db, hashApiKey(token), request.ip).then((key) => {
  // A role that is no longer in the table grants nothing.
  if (key === undefined || (key.within !== undefined && !isRole(key.within))) return undefined;
  return { kind: "key", id: key.id, name: key.name, tenant: key.tenant, scopes: key.scopes, ...(key.within !== undefined && isRole(key.within) ? { within: key.within } : {}) };
}) : undefined;
