/** What providers sent: look at it, have it processed again; and the addresses that they send to. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import type { Json } from "../../../engine/manifest/types.ts";
import {
  countReplayableEvents, getEvent, listEndpoints, listEvents, listRefusals, makeEndpoint, PLATFORM, readEventRaw, readFeeds, recordAudit, replayEvents, revokeEndpoint, rotateEndpoint, withTenant,
  type Endpoint, type EndpointName, type EventFilter, type EventState, type EventStatus,
} from "../../../engine/store/index.ts";
import { actorOf } from "../access.ts";
import { connectorOf } from "../provider.ts";
import { closed, count, dryRun, id, instant, nullable, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

const STATUSES: readonly EventStatus[] = ["pending", "reading", "held", "processed", "ignored", "echo", "unrouted", "failed"];
const DEFAULT_OVERLAP_HOURS = 24;
const SECRET_HEADER = /authorization|cookie|token|secret|signature|api-key|apikey/i;

const tags = ["events"];
const eventId = { type: "string", format: "uuid", description: "The event." } as const;
const event = {
  id: id("The event, the same on every attempt.", "0199f6a2-…"), connector: { type: "string" }, connection: nullable({ type: "string", description: "Null: its account belongs to no connection." }), feed: { type: "string" },
  event_id: nullable({ type: "string", description: "The provider's id of it; null: it has none, and is never taken for a duplicate." }), account: nullable({ type: "string" }), at: nullable(instant("When it happened, as the provider says.")),
  received_at: instant("When it was stored."), status: { type: "string", enum: STATUSES, description: "`pending reading` are under way, `held` waits for its connection, the others are final." },
  code: nullable({ type: "string" }), reason: nullable({ type: "string", description: "Why it ended or waits." }), events: { type: "array", items: { type: "string" }, description: "Names of the feed's events that it was." },
  effects: { type: "array", items: { type: "object", additionalProperties: true }, description: "What became of each." }, attempts: count("Attempts."), replayed: { type: "boolean", description: "A person asked for it again: it fires no change flow." },
  copies: count("How often it came again."), copied_at: nullable(instant("When last.")), finished_at: nullable(instant("When it ended.")),
} as const;
const filters = {
  status: { type: "string", enum: STATUSES, description: "Only with this status." }, connection: id("Only of this connection.", "hubspot"), feed: id("Only of this feed.", "app"),
  event: id("Only with this name of the feed's events, or this id of the provider's.", "company"), since: instant("Only received then or later."), until: instant("Only received before."),
} as const;
const named = { connection: id("A connection.", "hubspot") } as const;
const endpoint = {
  id: id("The address.", "0199f6a2-…"), connector: { type: "string" }, connection: nullable({ type: "string" }), feed: { type: "string" }, created_at: instant("When it was made."), created_by: { type: "string" },
  expires_at: nullable(instant("When it ends, because another one replaces it.")),
} as const;
const made = { id: id("The address.", "0199f6a2-…"), feed: { type: "string" }, url: { type: "string", description: "To be entered at the provider. Shown this once." } } as const;

interface Feeds { readonly connector: string; readonly connection?: string; readonly feeds: readonly string[] }

export function registerEvents(server: FastifyInstance, { db, keyring, planOf, publicUrl }: Services): void {
  const filterOf = ({ status, connection, feed, event: name, since, until }: EventFilter & { readonly [other: string]: unknown }): EventFilter => ({
    ...(status === undefined ? {} : { status }), ...(connection === undefined ? {} : { connection }), ...(feed === undefined ? {} : { feed }), ...(name === undefined ? {} : { event: name }),
    ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }),
  });
  const known = async (tenant: string, event: string): Promise<EventState> => {
    const found = await getEvent(db, tenant, event);
    if (found === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Event", name: event });
    return found;
  };

  server.get<{ Querystring: EventFilter & { limit: number; cursor?: string } }>("/api/events", {
    config: { permission: "events:read" },
    schema: { tags, summary: "Events that providers sent, newest first", querystring: query({ ...filters, ...pagingQuery }), response: { 200: closed({ data: { type: "array", items: closed(event) }, next_cursor: nullable({ type: "string" }) }) } },
  }, async ({ tenant, query: { limit, cursor, ...filter } }) => {
    const { status, connection, feed, event: name, since, until } = filter;
    const list = ["events", tenant, status, connection, feed, name, since, until];
    return pageView(list, await listEvents(db, tenant, { ...filterOf(filter), limit, ...afterOf(list, cursor, 1) }), view);
  });

  server.get<{ Params: { id: string } }>("/api/events/:id", {
    config: { permission: "events:read" },
    schema: {
      tags, summary: "One event", params: closed({ id: eventId }, ["id"]), querystring: query(),
      response: { 200: closed({ ...event, request: { anyOf: [{ type: "null" }, closed({ method: { type: "string" }, path: { type: "string" }, headers: { type: "object", additionalProperties: { type: "string" }, description: "Secrets and signatures are masked." }, bytes: count("Of its body.") })] } }) },
    },
  }, async ({ tenant, grant, params }) => {
    const found = await known(tenant, params.id);
    const raw = grant === "narrow" ? undefined : await readEventRaw(db, keyring, tenant, params.id);
    return { ...view(found), request: raw === undefined ? null : { method: raw.request.method, path: pathOf(raw.request.url), headers: masked(raw.request.headers), bytes: raw.request.body?.length ?? 0 } };
  });

  server.get<{ Params: { id: string } }>("/api/events/:id/raw", {
    config: { permission: "raw:read" },
    schema: {
      tags, summary: "An event as it was sent", description: "The item, and the request's body where it was this tenant's alone. That somebody looked stands in the audit log.", params: closed({ id: eventId }, ["id"]), querystring: query(),
      response: { 200: closed({ headers: { type: "object", additionalProperties: { type: "string" } }, body: nullable({ type: "string", description: "As text." }), item: {} }) },
    },
  }, async (request) => {
    const { tenant, params } = request;
    await known(tenant, params.id);
    const raw = await withTenant(db, tenant, async (tx) => {
      await recordAudit(tx, tenant, { actor: actorOf(request), action: "event.read", subject: { kind: "event", id: params.id } });
      return readEventRaw(tx, keyring, tenant, params.id);
    });
    return { headers: masked(raw!.request.headers), body: raw!.request.body === undefined ? null : Buffer.from(raw!.request.body).toString("utf8"), item: raw!.item ?? null };
  });

  server.post<{ Params: { id: string } }>("/api/events/:id/replay", {
    config: { permission: "events:replay" },
    schema: { tags, summary: "Process an event again", description: "The same event, another attempt, with the configuration in force. It fires no change flow, and an older record never overwrites a newer one.", params: closed({ id: eventId }, ["id"]), querystring: query(), response: { 202: closed({ replayed: count("1, or 0 while it is under way.") }) } },
  }, async (request, reply) => {
    const { tenant, params } = request;
    await known(tenant, params.id);
    return reply.code(202).send({ replayed: await replay(request, { ids: [params.id] }) });
  });

  server.post<{ Body: (EventFilter & { limit?: number }) | null; Querystring: { dry_run?: boolean } }>("/api/events/replay", {
    config: { permission: "events:replay" },
    schema: {
      tags, summary: "Process events again", description: "All that fit the filter, oldest first, 100 a second, at most 10,000 at a time; those under way are left alone. `dry_run=true` says how many, and changes nothing.", querystring: query({ dry_run: dryRun }),
      body: { ...closed({ ...filters, ids: { type: "array", items: { type: "string", format: "uuid" }, minItems: 1, maxItems: 1000, description: "Only these." }, limit: { type: "integer", minimum: 1, maximum: 10_000, description: "No more than so many." } }), type: ["object", "null"] },
      response: { 200: closed({ would_replay: count("How many, if it were not a dry run.") }), 202: closed({ replayed: count("How many.") }) },
    },
  }, async (request, reply) => {
    const { ids, limit, ...filter } = request.body ?? {};
    if (ids === undefined && Object.keys(filter).length === 0) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "Say which events: by ids, or by a filter such as `status`.", field: "body" });
    const wanted = { ...filterOf(filter), ...(ids === undefined ? {} : { ids }) };
    if (request.query.dry_run === true) return { would_replay: await countReplayableEvents(db, request.tenant, wanted, limit) };
    return reply.code(202).send({ replayed: await replay(request as FastifyRequest, wanted, limit) });
  });

  const replay = (request: FastifyRequest, filter: EventFilter, limit?: number): Promise<number> => withTenant(db, request.tenant, async (tx) => {
    const replayed = await replayEvents(tx, request.tenant, filter, limit);
    await recordAudit(tx, request.tenant, { actor: actorOf(request), action: "events.replayed", subject: { kind: "events", id: filter.ids?.length === 1 ? filter.ids[0]! : "filter" }, after: { ...filter, ids: filter.ids?.slice(0, 20) ?? null, count: replayed } as Json });
    return replayed;
  });

  server.get<{ Querystring: { connection?: string } }>("/api/events/refused", {
    config: { permission: "events:read" },
    schema: {
      tags, summary: "Requests that were refused, by reason and hour", querystring: query({ connection: filters.connection }),
      response: { 200: closed({ data: { type: "array", items: closed({ connector: { type: "string" }, connection: nullable({ type: "string" }), feed: { type: "string" }, reason: { type: "string", description: "The sender was told 401 only." }, hour: instant("Of these."), count: count("How many."), last_at: instant("The last one.") }) } }) },
    },
  }, async ({ tenant, query: { connection } }) => ({ data: (await listRefusals(db, tenant, connection === undefined ? {} : { connection })).map((each) => ({ ...each, connection: each.connection === "" ? null : each.connection })) }));

  // ── addresses ─────────────────────────────────────────────────────────────────────────────────────────────────────

  const urlOf = (request: FastifyRequest, connector: string, token: string): string => `${publicUrl?.replace(/\/$/, "") ?? `${request.protocol}://${request.host}`}/webhooks/${encodeURIComponent(connector)}/${token}`;
  const ofConnection = async (tenant: string, connection: string): Promise<Feeds> => {
    const plan = await planOf(tenant);
    const planned = plan.connections[connection];
    if (planned === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Connection", name: connection, suggestion: suggest(connection, Object.keys(plan.connections)) });
    return { connector: connectorOf(plan, connection), connection, feeds: Object.keys(plan.connectors[planned.connector]?.webhooks ?? {}) };
  };
  const ofOperator = async (tenant: string, connector: string): Promise<Feeds> => {
    if (tenant !== PLATFORM) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "An address for all customers is the operator's.", field: "query.tenant", suggestion: `Ask with ?tenant=${PLATFORM}, or for the address of one connection.` });
    const found = await readFeeds(db, connector);
    if (found === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Connector", name: connector });
    return { connector, feeds: Object.entries(found.webhooks ?? {}).flatMap(([name, { scope }]) => (scope === "app" ? [name] : [])) };
  };
  /** The feed that is meant; named where there are several. */
  const pick = ({ connector, connection, feeds }: Feeds, feed: string | undefined): EndpointName => {
    const name = feed ?? (feeds.length === 1 ? feeds[0] : undefined);
    if (name === undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: feeds.length === 0 ? `Connector '${connector}' receives no webhooks here.` : `Connector '${connector}' has several feeds: ${feeds.join(", ")}.`, field: "body.feed", suggestion: feeds.length === 0 ? "" : "Name one." });
    if (!feeds.includes(name)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Feed", name, suggestion: suggest(name, feeds) });
    return { connector, feed: name, ...(connection === undefined ? {} : { connection }) };
  };
  const change = async (request: FastifyRequest, name: EndpointName, overlapHours: number | undefined): Promise<object> => withTenant(db, request.tenant, async (tx) => {
    const by = request.caller!.name;
    const rotated = overlapHours === undefined ? { ...(await makeEndpoint(tx, request.tenant, name, by)), replaced: [] } : await rotateEndpoint(tx, request.tenant, name, by, Math.round(overlapHours * 3600));
    await recordAudit(tx, request.tenant, { actor: actorOf(request), action: overlapHours === undefined ? "webhook.made" : "webhook.rotated", subject: { kind: "webhook", id: rotated.id }, after: { ...name, replaced: rotated.replaced.map(({ id: old, expires_at }) => ({ id: old, expires_at })) } });
    return { id: rotated.id, feed: name.feed, url: urlOf(request, name.connector, rotated.token), replaced: rotated.replaced };
  });

  for (const { path, params, find } of [
    { path: "/api/connections/:connection/webhooks", params: closed(named, ["connection"]), find: (request: FastifyRequest) => ofConnection(request.tenant, (request.params as { connection: string }).connection) },
    { path: "/api/connectors/:connector/webhooks", params: closed({ connector: id("A connector with a feed for all customers.", "hubspot") }, ["connector"]), find: (request: FastifyRequest) => ofOperator(request.tenant, (request.params as { connector: string }).connector) },
  ]) {
    server.get(path, {
      config: { permission: "webhooks:write" },
      schema: { tags, summary: "Addresses that providers send to", description: "Without their tokens, of which only hashes are stored.", params, querystring: query(), response: { 200: closed({ feeds: { type: "array", items: { type: "string" } }, data: { type: "array", items: closed(endpoint) } }) } },
    }, async (request) => {
      const feeds = await find(request);
      return { feeds: feeds.feeds, data: (await listEndpoints(db, request.tenant, feeds.connector, feeds.connection)).map(endpointView) };
    });
    server.post<{ Body: { feed?: string } | null }>(path, {
      config: { permission: "webhooks:write" },
      schema: { tags, summary: "Make an address", description: "Others of the feed go on.", params, querystring: query(), body: { ...closed({ feed: filters.feed }), type: ["object", "null"] }, response: { 201: closed({ ...made, replaced: { type: "array", items: {} } }) } },
    }, async (request, reply) => reply.code(201).send(await change(request, pick(await find(request), request.body?.feed), undefined)));
    server.post<{ Body: { feed?: string; overlap_hours?: number } | null }>(`${path}/rotate`, {
      config: { permission: "webhooks:write" },
      schema: {
        tags, summary: "Replace an address", description: "The ones before go on for `overlap_hours`, so that nothing is lost while the provider's settings are changed.", params, querystring: query(),
        body: { ...closed({ feed: filters.feed, overlap_hours: { type: "number", minimum: 0, maximum: 720, default: DEFAULT_OVERLAP_HOURS, description: "0 ends them now." } }), type: ["object", "null"] },
        response: { 201: closed({ ...made, replaced: { type: "array", items: closed({ id: { type: "string" }, expires_at: instant("When it ends.") }) } }) },
      },
    }, async (request, reply) => reply.code(201).send(await change(request, pick(await find(request), request.body?.feed), request.body?.overlap_hours ?? DEFAULT_OVERLAP_HOURS)));
  }

  server.delete<{ Params: { id: string } }>("/api/webhooks/:id", {
    config: { permission: "webhooks:write" },
    schema: { tags, summary: "End an address now", params: closed({ id: { type: "string", format: "uuid", description: "The address." } }, ["id"]), querystring: query(), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    await withTenant(db, request.tenant, async (tx) => {
      const ended = await revokeEndpoint(tx, request.tenant, request.params.id);
      if (ended === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Address", name: request.params.id });
      await recordAudit(tx, request.tenant, { actor: actorOf(request), action: "webhook.ended", subject: { kind: "webhook", id: request.params.id }, before: { ...ended } });
    });
    return reply.code(204).send();
  });
}

const view = (found: EventState): object => ({
  ...found, connection: found.connection === "" ? null : found.connection, event_id: found.event_id ?? null, account: found.account ?? null, at: found.at ?? null, code: found.code ?? null, reason: found.reason ?? null,
  copied_at: found.copied_at ?? null, finished_at: found.finished_at ?? null,
});

const endpointView = ({ tenant: _, ...found }: Endpoint): object => ({ ...found, connection: found.connection ?? null, expires_at: found.expires_at ?? null });

const masked = (headers: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, SECRET_HEADER.test(name) ? "•••" : value]));

/** The token in it is a secret. */
const pathOf = (url: string): string => url.replace(/^[a-z]+:\/\/[^/]*/i, "").replace(/^(\/webhooks\/[^/]+\/)[^/?]+/, "$1…");
