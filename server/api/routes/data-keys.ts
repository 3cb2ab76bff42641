/** With which keys everything is sealed, and whether a rotation is under way. Replacing them is for the command line. */
import type { FastifyInstance } from "fastify";
import { keyHeads, listTenants } from "../../../engine/store/index.ts";
import { closed, count, instant, nullable, operatorQuery } from "../schemas.ts";
import type { Services } from "../services.ts";

const MOST_TENANTS = 500;

export function registerDataKeys(server: FastifyInstance, { db, keyring }: Services): void {
  server.get("/api/data-keys", {
    config: { permission: "installation:read" },
    schema: {
      tags: ["operations"], summary: "Keys of this installation", description: "Their names and ages, never the keys: `plugboard secrets` replaces them while everything runs.", querystring: operatorQuery,
      response: { 200: closed({
        kek: { type: "string", description: "Name of the key-encryption key." }, old_kek: nullable({ type: "string", description: "The one before it, while it is accepted." }), all: count("Organisations there are."),
        data: { type: "array", items: closed({ tenant: { type: "string" }, title: { type: "string" }, version: nullable({ type: "integer", description: "Of the data key that seals; null: none yet." }), created_at: nullable(instant("When it was made.")), wrapped_by: { type: "string", enum: ["current", "old", "unknown", "none"] }, rotating: { type: "boolean" } }) },
      }) },
    },
  }, async () => {
    const all = (await listTenants(db)).filter(({ status }) => status !== "erasing");
    const titles = new Map(all.map(({ slug, title }) => [slug, title]));
    const heads = await keyHeads(db, keyring, all.slice(0, MOST_TENANTS).map(({ slug }) => slug));
    return { kek: keyring.kekId, old_kek: keyring.oldKekId ?? null, all: all.length, data: heads.map(({ version, created_at, ...head }) => ({ ...head, title: titles.get(head.tenant)!, version: version ?? null, created_at: created_at ?? null })) };
  });
}
