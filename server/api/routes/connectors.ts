/** The registry: what can be connected, and the form that a tenant fills in. */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import type { CatalogueConnector } from "../../../engine/plan/index.ts";
import { connectorIds, findConnector, listConnectors } from "../../../engine/store/index.ts";
import { connectorForm, isRequired } from "../connector-form.ts";
import { operatorFields } from "../connections.ts";
import { closed, id, nullable, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

const tags = ["connectors"];
const params = closed({ id: id("A connector.", "hubspot") }, ["id"]);
const names = (of: string) => ({ type: "array", items: { type: "string" }, description: of }) as const;

const connector = closed({
  id: id("The connector.", "hubspot"), title: { type: "string" }, category: nullable({ type: "string" }), docs: nullable({ type: "string", description: "Where the provider describes its API." }),
  auth: { type: "array", items: closed({ name: { type: "string", description: "Tells several apart." }, type: { type: "string", examples: ["bearer"] } }), description: "How requests are signed; empty: not at all." },
  streams: {
    type: "array", description: "The kinds of record it has.",
    items: closed({ name: { type: "string" }, doors: { type: "array", items: { type: "string", enum: ["list", "changes", "one"] }, description: "How its records arrive." }, incremental: { type: "boolean", description: "Can be asked for what changed." } }),
  },
  required: names("Fields that a tenant must enter."), missing: names("Fields that the operator must set first (`scope: app`)."),
  hosts: names("Where a credential may be sent."), check: { type: "boolean", description: "Whether a connection can be checked." },
  limits: {
    type: "object", description: "How often the provider is asked.",
    additionalProperties: { type: "object", additionalProperties: true },
  },
});

export function registerConnectors(server: FastifyInstance, { db }: Services): void {
  const found = async (name: string): Promise<CatalogueConnector> => {
    const one = await findConnector(db, name);
    if (one === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Connector", name, suggestion: suggest(name, await connectorIds(db)) });
    return one;
  };

  server.get<{ Querystring: { limit: number; cursor?: string } }>("/api/connectors", {
    config: { permission: "connectors:read" },
    schema: { tags, summary: "Connectors", querystring: query(pagingQuery), response: { 200: closed({ data: { type: "array", items: connector }, next_cursor: nullable({ type: "string" }) }) } },
  }, async ({ query: { limit, cursor } }) => {
    const list = ["connectors"];
    const ofOperator = await operatorFields(db);
    return pageView(list, await listConnectors(db, { limit, after: afterOf(list, cursor, 1).after?.[0] }), (one) => connectorView(one, ofOperator));
  });

  server.get<{ Params: { id: string } }>("/api/connectors/:id", {
    config: { permission: "connectors:read" },
    schema: { tags, summary: "One connector", params, querystring: query(), response: { 200: connector } },
  }, async (request) => connectorView(await found(request.params.id), await operatorFields(db)));

  server.get<{ Params: { id: string } }>("/api/connectors/:id/schema", {
    config: { permission: "connectors:read" },
    schema: {
      tags, summary: "What a tenant enters, as a form", params, querystring: query(),
      description: "A JSON Schema (2020-12). Beside its own words: `x-secret` (goes to `secrets`), `x-required`, `x-when` (an expression over the other fields: asked for only when true), `x-help`, `x-format`, `x-order`, `x-scope`.",
      response: { 200: { type: "object", additionalProperties: true } },
    },
  }, async (request) => connectorForm(await found(request.params.id)));
}

function connectorView({ id: name, title, category, docs, auth, streams, config, hosts, check, limits }: CatalogueConnector, ofOperator: ReadonlyMap<string, readonly string[]>): object {
  const fields = Object.entries(config);
  return {
    id: name, title, category: category ?? null, docs: docs ?? null, auth, streams, hosts, check, limits,
    required: fields.filter(([, field]) => isRequired(field) && field.when === undefined).map(([field]) => field),
    missing: fields.filter(([field, { scope, optional, default: preset }]) => scope === "app" && optional !== true && preset === undefined && ofOperator.get(name)?.includes(field) !== true).map(([field]) => field),
  };
}
