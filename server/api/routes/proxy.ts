/**
 * Calls of a provider with a connection's credential put on here: whoever calls never sees it. Caller and provider share
 * neither authorization nor cookies; every call is written to the log.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { proxyRequest } from "../../../engine/run/proxy-request.ts";
import { readConnectionValues } from "../../../engine/store/index.ts";
import { plannedConnection, portsOf } from "../connections.ts";
import { id, tenantQuery } from "../schemas.ts";
import type { Services } from "../services.ts";

/** Bytes of what is sent on. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const DEADLINE_SECONDS = 100;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
/** Sent on as they are. */
const FORWARDED = ["accept", "accept-language", "content-type", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "idempotency-key", "prefer", "range"];
/** Any other header of the provider: `plugboard-forward-notion-version` → `notion-version`. */
const PREFIX = "plugboard-forward-";
const NEVER = /^(authorization|proxy-.*|cookie2?|host|connection|keep-alive|transfer-encoding|content-length|content-encoding|accept-encoding|te|trailer|upgrade|expect|forwarded|x-forwarded-.*|x-http-method(-override)?|x-method-override)$/;
/** What came from elsewhere is shown by no browser as if it were ours. */
const SANDBOX = "default-src 'none'; sandbox";

export function registerProxy(server: FastifyInstance, services: Services): void {
  void server.register(async (scope) => {
    // Whatever the body is, it is the provider's to understand.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => { done(null, body); });

    for (const method of METHODS) {
      scope.route<{ Params: { connection: string; "*": string } }>({
        method, url: "/api/connections/:connection/proxy/*", bodyLimit: MAX_BODY_BYTES, exposeHeadRoute: false,
        config: { permission: "proxy:call" },
        schema: {
          tags: ["connections"], summary: `${method} at the provider, with the connection's credential`,
          description: "The path below the connector's base address, and the query except `tenant`, go to the provider as they are; so do the body and a few headers, others as `plugboard-forward-<name>`. The provider's status and body come back, with `plugboard-proxied: true`. One try.",
          params: { type: "object", properties: { connection: id("A connection of the tenant.", "hubspot"), "*": { type: "string", description: "Path below the base address.", examples: ["crm/v3/objects/contacts"] } } },
          querystring: { type: "object", additionalProperties: true, properties: tenantQuery },
          response: { 200: { type: "object", additionalProperties: true, description: "Whatever the provider answered." } },
        },
        handler: async (request, reply) => {
          const { tenant } = request;
          const plan = await services.planOf(tenant);
          const { name, connection, connector } = plannedConnection(plan, request.params.connection);
          if (!connection.enabled) throw new PlugboardError("AUTH_NOT_CONNECTED", { connection: name, state: "disabled", suggestion: "The tenant's configuration disables it." });
          const { path, query } = addressed(request.raw.url ?? "");
          const headers = forwarded(request.headers);
          const audit = { event: "proxy", tenant, connection: name, caller: request.caller!.name, key: request.caller!.id, method, from: request.ip };
          const begun = performance.now();
          // A call is told at every level but silence: it is what a person did, not how the server is.
          const log = request.log.level === "silent" ? request.log : request.log.child({}, { level: "info" });
          try {
            const values = await readConnectionValues(services.db, services.keyring, tenant, name, connector, connection, services.references);
            const answer = await proxyRequest({
              tenant: plan.tenant, connection: name, connector, plan: connection, values, method, path, query, headers,
              body: Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : undefined, signal: AbortSignal.timeout(DEADLINE_SECONDS * 1000),
            }, portsOf(services, tenant, name, () => undefined));
            log.info({ ...audit, request: answer.label, status: answer.status, bytes: answer.bytes.length, milliseconds: Math.round(performance.now() - begun) }, "proxied call");
            for (const [header, value] of Object.entries(answer.headers)) reply.header(header, value);
            if (answer.headers["content-type"] === undefined) reply.type("application/octet-stream");
            return await reply.code(answer.status).header("plugboard-proxied", "true").header("content-security-policy", SANDBOX).header("cache-control", "no-store").send(Buffer.from(answer.bytes));
          } catch (thrown) {
            const error = (thrown as Error).name === "TimeoutError" ? new PlugboardError("RUN_TIMEOUT", { request: `${method} of the proxied call`, limit: "total", seconds: DEADLINE_SECONDS }) : thrown;
            log.info({ ...audit, code: error instanceof PlugboardError ? error.code : "SERVER_INTERNAL", milliseconds: Math.round(performance.now() - begun) }, "proxied call failed");
            throw error;
          }
        },
      });
    }
  });
}

/** From the address as it was sent: what was percent-encoded stays so. `tenant` is ours. */
function addressed(address: string): { path: string; query: string } {
  const [before, ...rest] = address.split("?");
  const path = /^\/api\/connections\/[^/]+\/proxy\/(.*)$/s.exec(before!)?.[1];
  if (path === undefined) throw new PlugboardError("SERVER_PROXY_PATH", { path: before!.slice(0, 200) });
  const query = rest.join("?").split("&").filter((pair) => pair !== "" && !new URLSearchParams(pair).has("tenant"));
  return { path, query: query.join("&") };
}

function forwarded(given: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const sent = FORWARDED.includes(name) ? name : name.startsWith(PREFIX) ? name.slice(PREFIX.length) : "";
    if (sent !== "" && typeof value === "string" && !NEVER.test(sent)) headers[sent] = value;
  }
  return headers;
}
