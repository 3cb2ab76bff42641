/** A tenant's connections: what was entered (never a secret), entering it, checking it, ending it. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { describeConnection, disconnect, listConnections } from "../../../engine/store/index.ts";
import { connectionView, enterValues, plannedConnection, runCheck, type Checked, type Planned } from "../connections.ts";
import type { Entered } from "../connection-values.ts";
import { connectionOf } from "../provider.ts";
import { closed, id, nullable, query } from "../schemas.ts";
import type { Services } from "../services.ts";

const tags = ["connections"];
const params = closed({ connection: id("A connection of the tenant.", "hubspot") }, ["connection"]);
const values = {
  ...closed({
    config: { type: "object", description: "Replaces what was entered before; left out, that stays.", examples: [{ tenant_host: "acme" }] },
    secrets: { type: "object", description: "New values; a secret that is not named stays, `null` forgets it.", examples: [{ api_token: "…" }] },
  }),
} as const;
const checked = closed({
  ok: { type: "boolean", description: "Nothing speaks against it." }, checked: { type: "boolean", description: "False where the connector has no check: nothing was proved." },
  accounts: { type: "array", items: closed({ id: { type: "string" }, label: { type: "string" } }), description: "Accounts that the credential reaches." },
  error: { anyOf: [{ type: "null" }, closed({ code: { type: "string" }, message: { type: "string" }, hint: { type: "string" } })], description: "What the provider, or the way to it, said." },
  connection: { $ref: "Connection#" },
});
const entered = closed({ connection: { $ref: "Connection#" }, cleared: { type: "array", items: { type: "string" }, description: "Secrets that were forgotten, because the address they would go to changed: enter them again." } });

interface Named { Params: { connection: string } }

export function registerConnections(server: FastifyInstance, services: Services): void {
  const { db, planOf } = services;
  const view = async (tenant: string, planned: Planned): Promise<object> => connectionView(planned, await describeConnection(db, tenant, planned.name));
  const planned = async ({ tenant, params: { connection } }: FastifyRequest<Named>): Promise<Planned> => plannedConnection(await planOf(tenant), connection);
  const check = async (request: FastifyRequest, one: Planned): Promise<Checked> => runCheck(services, request.tenant, one, ({ event, message }) => { request.log.debug({ event, tenant: request.tenant, connection: one.name }, message); });

  server.get("/api/connections", {
    config: { permission: "connections:read" },
    schema: { tags, summary: "A tenant's connections", querystring: query(), response: { 200: closed({ data: { type: "array", items: { $ref: "Connection#" } }, next_cursor: nullable({ type: "string" }) }) } },
  }, async ({ tenant }) => {
    const [plan, states] = [await planOf(tenant), await listConnections(db, tenant)];
    const names = Object.keys(plan.connections).filter((name) => plan.connectors[plan.connections[name]!.connector] !== undefined).toSorted();
    return { data: await Promise.all(names.map((name) => connectionView(plannedConnection(plan, name), states.find(({ connection }) => connection === name)))), next_cursor: null };
  });

  server.get<Named>("/api/connections/:connection", {
    config: { permission: "connections:read" },
    schema: { tags, summary: "One connection", params, querystring: query(), response: { 200: { $ref: "Connection#" } } },
  }, async (request) => view(request.tenant, await planned(request)));

  server.put<Named & { Body: Entered }>("/api/connections/:connection", {
    config: { permission: "connections:write" },
    schema: { tags, summary: "Enter config and secrets", description: "All problems are told together (`error.problems`), and then nothing is stored. Secrets are encrypted, and no route shows them again.", params, querystring: query(), body: values, response: { 200: entered } },
  }, async (request) => {
    const one = await planned(request as FastifyRequest<Named>);
    const cleared = await enterValues(services, request.tenant, one, request.body, request.caller!.name);
    return { connection: await view(request.tenant, one), cleared };
  });

  server.post<Named>("/api/connections/:connection/check", {
    config: { permission: "connections:write" },
    schema: { tags, summary: "Ask the provider whether the credential works", params, querystring: query(), response: { 200: checked } },
  }, async (request) => {
    const one = await planned(request);
    return { ...(await check(request, one)), connection: await view(request.tenant, one) };
  });

  server.delete<Named>("/api/connections/:connection", {
    config: { permission: "connections:write" },
    schema: { tags, summary: "Disconnect", description: "Forgets the credential; nothing runs until one is entered again. What was read, and the account, stay.", params, querystring: query(), response: { 204: { type: "null", description: "Disconnected." } } },
  }, async (request, reply) => {
    const { tenant, params: { connection } } = request;
    // Also one that the configuration no longer names: its credential would stay for ever.
    if (!(await disconnect(db, tenant, connection))) plannedConnection(await planOf(tenant), connection);
    return reply.code(204).send();
  });

  server.post<{ Params: { provider: string }; Querystring: { connection?: string }; Body: Entered }>("/api/integrations/:provider/connect", {
    config: { permission: "connections:write" },
    schema: {
      tags: ["integrations"], summary: "Connect", description: "Stores what was entered and asks the provider: PUT and check of a connection in one. What the provider refuses is stored, and told as `error`.",
      params: closed({ provider: id("A connection's name, or the connector of exactly one connection.", "hubspot") }, ["provider"]), querystring: query({ connection: id("Picks one, where the provider fits several connections.", "hubspot_us") }),
      body: values, response: { 200: closed({ ...checked.properties, cleared: entered.properties.cleared }) },
    },
  }, async (request) => {
    const { tenant } = request;
    const plan = await planOf(tenant);
    const one = plannedConnection(plan, connectionOf(plan, request.params.provider, request.query.connection));
    const cleared = await enterValues(services, tenant, one, request.body, request.caller!.name);
    const result = await check(request as FastifyRequest, one).catch((thrown: unknown): Checked => {
      // Only what was just forgotten is missing: that is part of the answer.
      if (!(thrown instanceof PlugboardError) || thrown.code !== "AUTH_MISSING_CREDENTIAL") throw thrown;
      return { ok: false, checked: false, accounts: [], error: { code: thrown.code, message: thrown.message, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) } };
    });
    return { ...result, connection: await view(tenant, one), cleared };
  });
}
