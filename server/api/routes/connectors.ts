/** The registry: what can be connected, and the form that a tenant fills in. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import type { CatalogueConnector } from "../../../engine/plan/index.ts";
import { connectorHealth, connectorIds, findConnector, listConnectors, type ConnectorHealth } from "../../../engine/store/index.ts";
import { missingOfOperator } from "../connection-values.ts";
import { connectorForm, isRequired } from "../connector-form.ts";
import { operatorFields } from "../connections.ts";
import { closed, id, instant, nullable, pagingQuery, query } from "../schemas.ts";
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
  actions: {
    type: "array", description: "What can be done to the provider's records.",
    items: closed({ name: { type: "string" }, does: { type: "string", enum: ["creates", "updates", "deletes", "upserts"] }, stream: { type: "string", description: "To whose records." }, once: { type: "string", enum: ["repeatable", "guarded", "never"], description: "Whether a second try is harmless." } }),
  },
  webhooks: { type: "array", description: "What the provider pushes.", items: closed({ name: { type: "string" }, scope: { type: "string", enum: ["app"], description: "One address for all customers." } }) },
  signs_in: { type: "boolean", description: "A person can sign in at the provider (OAuth)." }, callback: nullable({ type: "string", description: "The redirect address to register at the provider for that." }),
  health: closed({
    connections: { type: "integer", description: "Connected, of the tenant or of all." }, working: { type: "integer", description: "Of these, how many are not known to be broken." }, share: nullable({ type: "number", description: "working / connections; null when there is none." }),
    errors: { type: "array", items: closed({ code: { type: "string" }, connections: { type: "integer" }, last_at: instant("When it was last found.") }), description: "Why the others are broken, newest first." },
  }),
  required: names("Fields that a tenant must enter."), missing: names("Fields that the operator must set first (`scope: app`)."),
  hosts: names("Where a credential may be sent."), check: { type: "boolean", description: "Whether a connection can be checked." },
  limits: {
    type: "object", description: "How often the provider is asked.",
    additionalProperties: { type: "object", additionalProperties: true },
  },
});

export function registerConnectors(server: FastifyInstance, services: Services): void {
  const { db } = services;
  /** Of the caller's tenant where the request is about one, else of all. */
  const seenBy = async (request: FastifyRequest): Promise<Seen> => ({
    ofOperator: await operatorFields(db), health: await connectorHealth(db, request.tenant === "" ? undefined : request.tenant), callback: `${services.publicUrl ?? `${request.protocol}://${request.host}`}/oauth/callback`,
  });
  const found = async (name: string): Promise<CatalogueConnector> => {
    const one = await findConnector(db, name);
    if (one === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Connector", name, suggestion: suggest(name, await connectorIds(db)) });
    return one;
  };

  server.get<{ Querystring: { limit: number; cursor?: string } }>("/api/connectors", {
    config: { permission: "connectors:read" },
    schema: { tags, summary: "Connectors", querystring: query(pagingQuery), response: { 200: closed({ data: { type: "array", items: connector }, next_cursor: nullable({ type: "string" }) }) } },
  }, async (request) => {
    const { query: { limit, cursor } } = request;
    const list = ["connectors"];
    const seen = await seenBy(request as FastifyRequest);
    return pageView(list, await listConnectors(db, { limit, after: afterOf(list, cursor, 1).after?.[0] }), (one) => connectorView(one, seen));
  });

  server.get<{ Params: { id: string } }>("/api/connectors/:id", {
    config: { permission: "connectors:read" },
    schema: { tags, summary: "One connector", params, querystring: query(), response: { 200: connector } },
  }, async (request) => connectorView(await found(request.params.id), await seenBy(request as FastifyRequest)));

  server.get<{ Params: { id: string } }>("/api/connectors/:id/schema", {
    config: { permission: "connectors:read" },
    schema: {
      tags, summary: "What a tenant enters, as a form", params, querystring: query(),
      description: "A JSON Schema (2020-12). Beside its own words: `x-secret` (goes to `secrets`), `x-required`, `x-when` (an expression over the other fields: asked for only when true), `x-help`, `x-format`, `x-order`, `x-scope`. Where a person signs in at the provider, `x-sign-in` says `when` (an expression over the fields; null: always) and with which `button`.",
      response: { 200: { type: "object", additionalProperties: true } },
    },
  }, async (request) => connectorForm(await found(request.params.id)));
}

interface Seen { readonly ofOperator: ReadonlyMap<string, readonly string[]>; readonly health: ReadonlyMap<string, ConnectorHealth>; readonly callback: string }

function connectorView({ id: name, title, category, docs, auth, streams, actions = [], webhooks = [], config, hosts, check, limits }: CatalogueConnector, { ofOperator, health, callback }: Seen): object {
  const fields = Object.entries(config);
  const signsIn = auth.some(({ type }) => type === "oauth2_authorization_code");
  const { connections, working, errors } = health.get(name) ?? { connections: 0, working: 0, errors: [] };
  return {
    id: name, title, category: category ?? null, docs: docs ?? null, auth, streams, actions, webhooks, hosts, check, limits, signs_in: signsIn, callback: signsIn ? callback : null,
    health: { connections, working, share: connections === 0 ? null : working / connections, errors },
    required: fields.filter(([, field]) => isRequired(field) && field.when === undefined).map(([field]) => field),
    missing: missingOfOperator(config, ofOperator.get(name) ?? []),
  };
}
