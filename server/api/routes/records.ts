/** What the flows stored. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { entityCounts, getRecord, listRecords } from "../../../engine/store/index.ts";
import { refuseHiddenRows } from "../record-access.ts";
import { closed, id, instant, nullable, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

const record = {
  type: "object", additionalProperties: true, title: "Record",
  description: "The entity's fields, and beside them:",
  properties: {
    id: { type: "string" }, labels: { type: "object", additionalProperties: { type: "string" } }, links: { type: "object", additionalProperties: { type: "string" }, description: "Connection → the row's key there." },
    created_at: instant("First stored."), updated_at: instant("Last changed."), deleted_at: instant("Ended; only with include_deleted."),
  },
} as const;

const tags = ["records"];
const entity = id("An entity.", "learner");

export function registerRecords(server: FastifyInstance, { db, planOf }: Services): void {
  /** An entity that the tenant's configuration names, or that still has rows from an earlier one. */
  const known = async (request: FastifyRequest, name: string): Promise<void> => {
    const { tenant } = request;
    const plan = await planOf(tenant);
    const entities = Object.keys(plan.entities);
    if (entities.includes(name)) return refuseHiddenRows(request, name, plan.entities[name]);
    const stored = Object.keys(await entityCounts(db, tenant));
    if (!stored.includes(name)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Entity", name, suggestion: suggest(name, new Set([...entities, ...stored])) });
    refuseHiddenRows(request, name, undefined);
  };

  server.get<{ Params: { entity: string }; Querystring: { limit: number; cursor?: string; updated_since?: string; connection?: string; include_deleted: boolean } }>("/api/records/:entity", {
    config: { permission: "records:read" },
    schema: {
      tags, summary: "Records, oldest change first",
      description: "Follow `next_cursor` to the end. A row that changes while you page comes again with its new value; to go on later, pass the greatest `updated_at` you have seen as `updated_since`.",
      params: closed({ entity }, ["entity"]),
      querystring: query({
        updated_since: instant("Only rows changed then or later."), connection: id("Only rows that this connection knows.", "hubspot"),
        include_deleted: { type: "boolean", default: false, description: "Ended rows too, with `deleted_at`." }, ...pagingQuery,
      }),
      response: { 200: closed({ data: { type: "array", items: record }, next_cursor: nullable({ type: "string" }) }) },
    },
  }, async (request) => {
    const { tenant, params, query: { limit, cursor, updated_since, connection, include_deleted } } = request;
    await known(request, params.entity);
    const list = ["records", tenant, params.entity, updated_since, connection, include_deleted];
    const found = await listRecords(db, tenant, params.entity, { limit, include_deleted, ...(updated_since ? { updated_since } : {}), ...(connection ? { connection } : {}), ...afterOf(list, cursor, 2) });
    return pageView(list, found, (item) => item);
  });

  server.get<{ Params: { entity: string; id: string } }>("/api/records/:entity/:id", {
    config: { permission: "records:read" },
    schema: { tags, summary: "One record", description: "By its id; an id it had before it was joined with another row finds it too.", params: closed({ entity, id: id("The record.", "0199f6a2-…") }, ["entity", "id"]), querystring: query(), response: { 200: record } },
  }, async (request) => {
    const { tenant, params } = request;
    await known(request, params.entity);
    const found = await getRecord(db, tenant, params.entity, params.id);
    if (found === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Record", name: params.id });
    return found;
  });
}
