/** Where outgoing webhooks go. Secrets are shown once, when they are made. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { checkUrl } from "../../../engine/components/shared/egress.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { TEST_TYPE, testEndpoint } from "../../../engine/jobs/index.ts";
import { listOutgoingEndpoints, OVERLAP_SECONDS, putOutgoingEndpoint, recall, recordAudit, removeOutgoingEndpoint, rotateEndpointSecret, switchOutgoingEndpoint, withTenant, type OutgoingEndpoint, type TenantTransaction } from "../../../engine/store/index.ts";
import { actorOf } from "../access.ts";
import { closed, count, id, instant, nullable, query } from "../schemas.ts";
import type { Services } from "../services.ts";

const tags = ["deliveries"];
/** A person waits for it. */
const TEST_SECONDS = 20;
const params = closed({ name: { ...id("Its name: what flows write as `to: { webhook: … }`.", "product"), pattern: "^[a-z][a-z0-9_-]{0,62}$" } }, ["name"]);
const endpoint = {
  name: id("Its name.", "product"), url: { type: "string" }, enabled: { type: "boolean" }, disabled_reason: nullable({ type: "string" }), disabled_at: nullable(instant("When it was disabled.")),
  secrets: { type: "array", description: "Those that sign now, the newest first.", items: closed({ fingerprint: { type: "string" }, created_at: instant("When it was made."), expires_at: nullable(instant("Until when it signs, because another one replaces it.")) }) },
  created_at: instant("When it was made."), updated_at: instant("When it was last changed."),
} as const;
const secret = { type: "string", description: "`whsec_…`, for a library of Standard Webhooks. Shown this once.", examples: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] } as const;

type Named<Body = unknown> = FastifyRequest<{ Params: { name: string }; Body: Body }>;

export function registerOutgoingEndpoints(server: FastifyInstance, { db, keyring, transport, allowPrivate }: Services): void {
  const notFound = (name: string): PlugboardError => new PlugboardError("SERVER_NOT_FOUND", { kind: "Endpoint", name });
  const audited = (tx: TenantTransaction, request: Named, action: string, after?: { readonly [name: string]: string | boolean }): Promise<void> =>
    recordAudit(tx, request.tenant, { actor: actorOf(request), action, subject: { kind: "endpoint", id: request.params.name }, ...(after === undefined ? {} : { after }) });
  const shown = async (tx: TenantTransaction, name: string): Promise<object> => {
    const [found] = await listOutgoingEndpoints(tx, tx.tenant, name);
    if (found === undefined) throw notFound(name);
    return view(found);
  };

  server.get("/api/webhook-endpoints", {
    config: { permission: "webhooks:write" },
    schema: { tags, summary: "Where outgoing webhooks go", description: "A tenant without an endpoint of a flow's name uses the one of tenant `platform`.", querystring: query(), response: { 200: closed({ data: { type: "array", items: closed(endpoint) } }) } },
  }, async ({ tenant }) => ({ data: (await listOutgoingEndpoints(db, tenant)).map(view) }));

  server.put<{ Params: { name: string }; Body: { url: string } }>("/api/webhook-endpoints/:name", {
    config: { permission: "webhooks:write" },
    schema: {
      tags, summary: "Make an endpoint, or give it another address", description: "The answer to the first call holds its secret. An endpoint that a 410 had disabled is tried again at another address.", params, querystring: query(),
      body: closed({ url: { type: "string", format: "uri", maxLength: 2000, description: "An https address.", examples: ["https://product.example.com/webhooks"] } }, ["url"]), response: { 200: closed({ ...endpoint, secret: nullable(secret) }) },
    },
  }, async (request) => {
    const { url } = request.body;
    if (!URL.canParse(url)) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'body.url' is no URL.", field: "body.url", suggestion: "Write it with its scheme: https://…" });
    checkUrl(new URL(url), allowPrivate ?? false);
    return withTenant(db, request.tenant, async (tx) => {
      const made = await putOutgoingEndpoint(tx, keyring, request.tenant, request.params.name, url);
      await audited(tx, request, made.secret === undefined ? "endpoint.changed" : "endpoint.made", { url });
      return { ...await shown(tx, request.params.name), secret: made.secret ?? null };
    });
  });

  server.post<{ Params: { name: string }; Body: { overlap_seconds: number } }>("/api/webhook-endpoints/:name/rotate", {
    config: { permission: "webhooks:write" },
    schema: {
      tags, summary: "Make a new secret", description: "It signs at once. The one before signs too until the overlap is over: enter the new one at the receiver meanwhile.", params, querystring: query(),
      body: closed({ overlap_seconds: { type: "integer", minimum: 0, maximum: 30 * 86_400, default: OVERLAP_SECONDS, description: "How long the one before it signs too; 0 ends it now." } }), response: { 200: closed({ secret }) },
    },
  }, (request) => withTenant(db, request.tenant, async (tx) => {
    const rotated = await rotateEndpointSecret(tx, keyring, request.tenant, request.params.name, request.body.overlap_seconds);
    if (rotated === undefined) throw notFound(request.params.name);
    await audited(tx, request, "endpoint.rotated");
    return rotated;
  }));

  server.post<{ Params: { name: string } }>("/api/webhook-endpoints/:name/test", {
    config: { permission: "webhooks:write" },
    schema: {
      tags, summary: "Send a test message", description: `One message of type \`${TEST_TYPE}\`, signed like all others, sent now and once. It changes nothing here: a 410 does not disable the endpoint.`, params, querystring: query(),
      response: { 200: closed({ ok: { type: "boolean", description: "It answered 2xx." }, status: { type: ["integer", "null"], description: "What it answered; null: nothing." }, milliseconds: count("From sending to the answer."), reason: nullable({ type: "string", description: "Why it is not ok." }), id: { type: "string", description: "The `webhook-id` that was sent." } }) },
    },
  }, async (request) => {
    const { tenant, params: { name } } = request;
    const tested = await testEndpoint({ db, keyring, transport }, tenant, name, Date.now(), AbortSignal.timeout(TEST_SECONDS * 1000));
    if (tested === undefined) throw notFound(name);
    await withTenant(db, tenant, (tx) => audited(tx, request, "endpoint.tested", { ok: tested.ok, ...(tested.reason === undefined ? {} : { reason: tested.reason }) }));
    return { ...tested, status: tested.status ?? null, reason: tested.reason ?? null };
  });

  for (const enabled of [true, false]) {
    server.post<{ Params: { name: string } }>(`/api/webhook-endpoints/:name/${enabled ? "enable" : "disable"}`, {
      config: { permission: "webhooks:write" },
      schema: { tags, summary: enabled ? "Send to it again" : "Send nothing to it", description: "Deliveries to a disabled endpoint wait.", params, querystring: query(), response: { 200: closed(endpoint) } },
    }, (request) => withTenant(db, request.tenant, async (tx) => {
      if (!await switchOutgoingEndpoint(tx, request.tenant, request.params.name, enabled, `Disabled by ${request.caller!.name}.`)) throw notFound(request.params.name);
      if (enabled) await recall(tx, "webhook", request.params.name);
      await audited(tx, request, "endpoint.changed", { enabled });
      return shown(tx, request.params.name);
    }));
  }

  server.delete<{ Params: { name: string } }>("/api/webhook-endpoints/:name", {
    config: { permission: "webhooks:write" },
    schema: { tags, summary: "Remove an endpoint and its secrets", params, querystring: query(), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    await withTenant(db, request.tenant, async (tx) => {
      if (!await removeOutgoingEndpoint(tx, request.tenant, request.params.name)) throw notFound(request.params.name);
      await audited(tx, request, "endpoint.removed");
    });
    return reply.code(204).send();
  });
}

const view = ({ disabled_reason, disabled_at, secrets, ...rest }: OutgoingEndpoint): object =>
  ({ ...rest, disabled_reason: disabled_reason ?? null, disabled_at: disabled_at ?? null, secrets: secrets.map(({ expires_at, ...each }) => ({ ...each, expires_at: expires_at ?? null })) });
