/**
 * Where providers send: `/webhooks/:connector/:token`, `/api/integrations/:provider/webhook`, and the paths of a product in use
 * that the workspace names (`aliases`). Bodies are read here and not by the framework: what a body is, the feed says and not the
 * request, and a wrong content type changes nothing.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { findAlias, PLATFORM, tenantOfSubdomain, withTenant } from "../../engine/store/index.ts";
import { connectionOf, connectorOf } from "../api/provider.ts";
import { closed, id } from "../api/schemas.ts";
import type { Services } from "../api/services.ts";
import { apiKeys } from "../people/api-keys.ts";
import { createFlood, type FloodLimit } from "./flood.ts";
import { createCommits } from "./group-commit.ts";
import { createIntake, type Address, type IntakeOptions } from "./intake.ts";
import { readBody } from "./read-body.ts";
import { createRefusals } from "./refusals.ts";
import { keeping } from "./keeping.ts";
import { createTargets, type Target } from "./targets.ts";

export interface IntakeRoutesOptions {
  /** Of each address, in this process. */
  readonly flood?: FloodLimit;
  /** The tenant whose host name a request was sent to. @default the subdomain is the host's first label */
  tenantOfHost?(host: string): Promise<string | undefined>;
  /** What became of every request, for metrics. */
  readonly seen?: IntakeOptions["seen"];
  /** Seconds a body may take. @default 10 */
  readonly bodySeconds?: number;
}

const description = "Answered with 200 and an empty body once what was sent is on disk, unless the connector says otherwise. 401: not accepted, whatever the reason.";
const tags = ["events"];

export function registerIntake(server: FastifyInstance, services: Services, options: IntakeRoutesOptions = {}): void {
  const { db, keyring, planOf, publicUrl } = services;
  /** Behind a proxy that ends TLS, the sender's scheme is the public one. */
  const scheme = publicUrl === undefined ? undefined : new URL(publicUrl).protocol.slice(0, -1);
  const targets = createTargets(services);
  const commits = createCommits(db, keyring);
  const refusals = createRefusals(db, (cause) => server.log.error({ err: cause }, "refused requests could not be noted"));
  const intake = createIntake({ db, commits, refusals, flood: createFlood(options.flood), owners: targets.owners, ...(options.seen === undefined ? {} : { seen: options.seen }) });
  server.addHook("onClose", async () => { await Promise.all([commits.close(), refusals.close()]); });
  const bearer = apiKeys(db);
  const tenantOfHost = options.tenantOfHost ?? ((host: string) => tenantOfSubdomain(db, host.split(".", 1)[0]!));
  const aliases = keeping<{ readonly connector: string; readonly feed: string } | undefined>();

  const receive = async (request: FastifyRequest, reply: FastifyReply, address: Address): Promise<FastifyReply> => {
    // The one header that matters where no browser looks; the others cost every request.
    reply.header("x-content-type-options", "nosniff");
    try {
      const { status, headers, body } = await intake.receive(address, {
        method: request.method, url: `${scheme ?? request.protocol}://${request.host}${request.url}`, headers: request.headers as Record<string, string>,
        body: (limit) => readBody(request.raw, limit, options.bodySeconds),
      });
      return reply.code(status).headers(headers).send(body);
    } catch (thrown) {
      // What is left of a body that was not read is not read for the next request either.
      if (!request.raw.readableEnded) reply.header("connection", "close");
      throw thrown;
    }
  };

  // ── /webhooks/:connector/:token ───────────────────────────────────────────────────────────────────────────────────

  server.route<{ Params: { connector: string; token: string } }>({
    method: ["POST", "GET", "PUT"], url: "/webhooks/:connector/:token", config: { permission: "public" }, helmet: false,
    schema: { tags, summary: "What a provider sends", description: `The address is a secret: staff make and replace it. ${description}`, params: closed({ connector: id("The connector.", "hubspot"), token: { type: "string", maxLength: 500, description: "Of the address." } }, ["connector", "token"]) },
    onRequest: (request, reply) => {
      const { connector, token } = request.params;
      return receive(request, reply, { name: token, find: async (fresh) => ofConnector(await targets.byToken(token, fresh), connector) });
    },
    handler: unreachable,
  });

  // ── /api/integrations/:provider/webhook ───────────────────────────────────────────────────────────────────────────

  server.route<{ Params: { provider: string }; Querystring: { connection?: string; feed?: string } }>({
    method: ["POST", "GET", "PUT"], url: "/api/integrations/:provider/webhook", config: { permission: "public" },
    schema: {
      tags, summary: "What a provider sends, without a token in the address", description: `The tenant is that of the key or of the host name; without one, each item finds its connection by its account. The signature proves the sender. ${description}`,
      params: closed({ provider: id("A connection's name, or the connector of exactly one connection.", "hubspot") }, ["provider"]),
      querystring: { type: "object", properties: { connection: id("Picks one, where the provider fits several connections.", "hubspot_us"), feed: id("Picks one, where the connector has several feeds.", "app") } },
    },
    onRequest: async (request, reply) => {
      const { params: { provider }, query } = request;
      const { tenant, proven } = await tenantOf(request);
      return receive(request, reply, { name: JSON.stringify([tenant, provider, query.connection, query.feed]), find: async (fresh) => provable(await named(tenant, provider, query, fresh), proven) });
    },
    handler: unreachable,
  });

  /** `proven`: by a key of the tenant; a host name proves nothing. */
  const tenantOf = async (request: FastifyRequest): Promise<{ readonly tenant: string | undefined; readonly proven: boolean }> => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const ofKey = token === undefined ? undefined : (await bearer(token, request))?.tenant;
    return ofKey === undefined ? { tenant: await tenantOfHost(request.hostname), proven: false } : { tenant: ofKey, proven: true };
  };

  async function named(tenant: string | undefined, provider: string, query: { connection?: string; feed?: string }, fresh: boolean): Promise<Target | undefined> {
    if (tenant === undefined) return ofApp(provider, query.feed, fresh);
    try {
      const plan = await planOf(tenant);
      const connection = connectionOf(plan, provider, query.connection);
      const feed = query.feed ?? onlyOne(plan.connectors[plan.connections[connection]!.connector]?.webhooks);
      return feed === undefined ? undefined : await targets.byName({ tenant, tenantId: await tenantIdOf(tenant), connector: connectorOf(plan, connection), connection, feed }, fresh);
    } catch (thrown) {
      if (thrown instanceof PlugboardError && /^(SERVER_NOT_FOUND|SERVER_AMBIGUOUS|PLAN_)/.test(thrown.code)) return undefined;
      throw thrown;
    }
  }

  const ofApp = async (connector: string, feed: string | undefined, fresh: boolean): Promise<Target | undefined> =>
    targets.byName({ tenant: PLATFORM, tenantId: await tenantIdOf(PLATFORM), connector, feed: feed ?? (await targets.onlyAppFeed(connector)) ?? "" }, fresh);

  const ids = keeping<string>();
  const tenantIdOf = (tenant: string): Promise<string> => ids.get(tenant, false, () => withTenant(db, tenant, async ({ tenantId }) => tenantId));

  // ── aliases ───────────────────────────────────────────────────────────────────────────────────────────────────────

  server.route({
    method: ["POST", "PUT"], url: "/*", config: { permission: "public" }, schema: { hide: true },
    onRequest: async (request, reply) => {
      const path = request.url.split("?", 1)[0]!;
      const alias = await aliases.get(path, false, () => findAlias(db, path));
      if (alias === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Path", name: `${request.method} ${path}`, suggestion: "The paths are listed at /docs." });
      const { tenant, proven } = await tenantOf(request);
      // A feed of all customers is the operator's, whatever the host is called.
      const isApp = await targets.isAppFeed(alias.connector, alias.feed);
      return receive(request, reply, {
        name: JSON.stringify([path, tenant]),
        find: async (fresh) => provable(isApp ? await ofApp(alias.connector, alias.feed, fresh) : tenant === undefined ? undefined : await named(tenant, alias.connector, { feed: alias.feed }, fresh), proven && !isApp),
      });
    },
    handler: unreachable,
  });
}

/** An address of another connector's is no address. */
const ofConnector = (target: Target | undefined, connector: string): Target | undefined => (target?.connector === connector || target?.endpoint.connector === connector ? target : undefined);

/** Where the address is the only proof, one that everybody knows proves nothing. */
const provable = (target: Target | undefined, proven: boolean): Target | undefined =>
  proven || target === undefined || !Object.values(target.plan.verify.named).some(({ type }) => type === "secret_url") ? target : undefined;

const onlyOne = (feeds: object | undefined): string | undefined => {
  const names = Object.keys(feeds ?? {});
  return names.length === 1 ? names[0] : undefined;
};

/** Everything was answered before. */
const unreachable = async (): Promise<never> => { throw new PlugboardError("SERVER_WEBHOOK_REFUSED", {}); };
