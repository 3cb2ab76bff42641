/** A connect link's token as access sees it: bound to one tenant, good for connecting one connection. */
import { CONNECT_TOKEN_PREFIX, findConnectLink, type Database } from "../../engine/store/index.ts";
import type { Bearer } from "../api/access.ts";

export const connectLinks = (db: Database): Bearer => (token) => token.startsWith(CONNECT_TOKEN_PREFIX) ? findConnectLink(db, token).then((link) =>
  link && { kind: "connect_link", id: link.id, name: `connect link of ${link.created_by}`, tenant: link.tenant, scopes: ["connect:self"] }) : undefined;
