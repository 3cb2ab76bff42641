/** Connect links: made by whoever may, used by somebody without an account, on a page of its own. */
import { readFileSync } from "node:fs";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { JsonObject } from "../../../engine/manifest/types.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { addConnectLink, describeConnection, endConnectLink, latestConnecting, listConnectLinks, liveConnectLink, openChoice, recordAudit, revokeConnectLink, withTenant, type ConnectLink } from "../../../engine/store/index.ts";
import { markBrowser } from "../../connecting/browser.ts";
import { allowedUrl } from "../../connecting/return-to.ts";
import { beginSignInAt, pickAccounts } from "../../connecting/sign-in.ts";
import { actorOf } from "../access.ts";
import { connectorForm } from "../connector-form.ts";
import { connectionView, enterValues, lately, plannedConnection, runCheck, type Planned } from "../connections.ts";
import { askedFields, signsInWith, type Entered } from "../connection-values.ts";
import { closed, id, instant, nullable, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

const MOST_SECONDS = 86_400;
const tags = ["connections"];
const link = closed({
  id: id("The link.", "0199f6a2-…"), connection: id("What it connects.", "hubspot"), status: { type: "string", enum: ["open", "connected", "revoked", "expired"] }, return_url: nullable({ type: "string" }),
  created_by: { type: "string" }, created_at: instant("When it was made."), expires_at: instant("Until when it may be used."), connected_at: nullable(instant("When it did what it is for.")),
});
const view = (one: ConnectLink): object => ({ return_url: null, connected_at: null, ...one });
const said = { anyOf: [{ type: "null" }, closed({ code: { type: "string" }, message: { type: "string" }, hint: { type: "string" } })] } as const;

/** Files of the page, by path: scripts and styles are ours, and nothing is inline. */
const PAGE = { "/connect": ["connect.html", "text/html; charset=utf-8"], "/connect/connect.css": ["connect.css", "text/css; charset=utf-8"], "/connect/connect.js": ["connect.js", "text/javascript; charset=utf-8"] } as const;
const PAGE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

export function registerConnectLinks(server: FastifyInstance, services: Services): void {
  const { db, planOf } = services;

  server.post<{ Body: { connection: string; expires_in_seconds: number; return_url?: string } }>("/api/connect-links", {
    config: { permission: "connect:link" },
    schema: {
      tags, summary: "Make a connect link", description: "Whoever opens `url` can connect this one connection, without an account, until it is connected, revoked, or over. The token in it is shown this once.", querystring: query(),
      body: closed({
        connection: id("A connection of the tenant.", "hubspot"), expires_in_seconds: { type: "integer", minimum: 60, maximum: MOST_SECONDS, default: 3600, description: "At most a day." },
        return_url: { type: "string", maxLength: 2000, description: "Where the person may go afterwards; its origin must stand in `connect.return_to` of workspace.yaml.", examples: ["https://app.example.com/integrations"] },
      }, ["connection"]),
      response: { 201: closed({ link, url: { type: "string", examples: ["https://plugboard.example.com/connect#pbl_…"] } }) },
    },
  }, async (request, reply) => {
    const { tenant, body: { connection, expires_in_seconds, return_url } } = request;
    const { name } = plannedConnection(await planOf(tenant), connection);
    const returnUrl = return_url === undefined ? undefined : allowedUrl(return_url, services.returnOrigins ?? []);
    if (return_url !== undefined && returnUrl === undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'return_url' leads to an origin that the operator does not list.", field: "body.return_url", suggestion: `workspace.yaml allows: connect: { return_to: [${(services.returnOrigins ?? []).join(", ")}] }` });
    const { link: made, token } = await withTenant(db, tenant, async (tx) => {
      const one = await addConnectLink(tx, tenant, { connection: name, returnUrl, by: request.caller!.name, seconds: expires_in_seconds });
      await recordAudit(tx, tenant, { actor: actorOf(request), action: "connect_link.made", subject: { kind: "connect_link", id: one.link.id }, after: { connection: name, expires_at: one.link.expires_at } });
      return one;
    });
    return reply.code(201).header("cache-control", "no-store").send({ link: view(made), url: `${addressOf(services, request)}/connect#${token}` });
  });

  server.get<{ Querystring: { limit: number; cursor?: string } }>("/api/connect-links", {
    config: { permission: "connect:link" },
    schema: { tags, summary: "Connect links, newest first", querystring: query(pagingQuery), response: { 200: closed({ data: { type: "array", items: link }, next_cursor: nullable({ type: "string" }) }) } },
  }, async ({ tenant, query: { limit, cursor } }) => {
    const list = ["connect-links", tenant];
    return pageView(list, await listConnectLinks(db, tenant, { limit, after: afterOf(list, cursor, 2).after as [string, string] | undefined }), view);
  });

  server.delete<{ Params: { link: string } }>("/api/connect-links/:link", {
    config: { permission: "connect:link" },
    schema: { tags, summary: "Revoke a connect link", params: closed({ link: { ...id("The link.", "0199f6a2-…"), format: "uuid" } }, ["link"]), querystring: query(), response: { 200: link } },
  }, async (request) => withTenant(db, request.tenant, async (tx) => {
    const revoked = await revokeConnectLink(tx, request.tenant, request.params.link);
    if (revoked === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Connect link", name: request.params.link });
    await recordAudit(tx, request.tenant, { actor: actorOf(request), action: "connect_link.revoked", subject: { kind: "connect_link", id: revoked.id } });
    return view(revoked);
  }));

  // ── what the page asks, with the link's token as its bearer ─────────────────────────────────────────────────────────

  const ofLink = async (request: FastifyRequest): Promise<{ link: ConnectLink; one: Planned }> => {
    const found = request.caller!.kind === "connect_link" ? await liveConnectLink(db, request.tenant, request.caller!.id) : undefined;
    if (found === undefined) throw new PlugboardError("SERVER_FORBIDDEN", { scope: "connect:self" });
    return { link: found, one: plannedConnection(await planOf(request.tenant), found.connection) };
  };
  const described = closed({
    title: { type: "string" }, organisation: { type: "string" }, expires_at: instant("Until when."), return_url: nullable({ type: "string" }),
    form: { type: "object", additionalProperties: true, description: "As GET /api/connectors/:id/schema, without what the operator sets and what the configuration locks." },
    entered: { type: "object", additionalProperties: true }, secrets: { type: "array", items: { type: "string" }, description: "Secret fields that have a value." },
    asked: { type: "array", items: { type: "string" }, description: "Fields of the form that are asked for." }, signs_in: { type: "boolean", description: "A person signs in at the provider." },
    sign_in: closed({ outcome: nullable({ type: "string" }), said }),
    accounts: { type: "array", items: closed({ id: { type: "string" }, label: { type: "string" } }) }, state: { type: "object", additionalProperties: true },
  });

  server.get("/api/connect-link", {
    config: { permission: "connect:self" },
    schema: { tags, summary: "What a connect link connects", querystring: closed({}), response: { 200: described } },
  }, async (request) => {
    const { link: found, one } = await ofLink(request);
    const state = await describeConnection(db, request.tenant, one.name);
    const shown = await connectionView(one, state, await lately(db, request.tenant)) as { state: object; config: Record<string, unknown> };
    const [latest, choice] = [await latestConnecting(db, request.tenant, one.name), await openChoice(db, request.tenant, one.name)];
    const own = latest?.link === found.id ? latest : undefined;
    return {
      title: one.connector.title, organisation: one.plan.tenant.title, expires_at: found.expires_at, return_url: found.return_url ?? null,
      form: formOf(one), entered: { ...one.connection.config, ...shown.config }, ...(await askedNow(one, shown.config as JsonObject)), secrets: Object.keys(state?.secrets ?? {}), state: shown.state,
      sign_in: { outcome: own?.outcome ?? null, said: own?.detail?.["code"] === undefined ? null : own.detail },
      accounts: choice?.link === found.id ? choice.accounts : [],
    };
  });

  server.post<{ Body: { config: JsonObject } }>("/api/connect-link/form", {
    config: { permission: "connect:self" },
    schema: {
      tags, summary: "What the form asks for, with these choices", description: "Stores nothing.", querystring: closed({}), body: closed({ config: { type: "object" } }, ["config"]),
      response: { 200: closed({ asked: { type: "array", items: { type: "string" } }, signs_in: { type: "boolean" } }) },
    },
  }, async (request) => askedNow((await ofLink(request as FastifyRequest)).one, request.body.config));

  server.post<{ Body: Entered }>("/api/connect-link/connect", {
    config: { permission: "connect:self" },
    schema: {
      tags, summary: "Connect with a connect link", querystring: closed({}), body: closed({ config: { type: "object" }, secrets: { type: "object" } }),
      response: { 200: closed({ ok: { type: "boolean" }, checked: { type: "boolean" }, error: said, accounts: { type: "array", items: closed({ id: { type: "string" }, label: { type: "string" } }) }, authorize_url: { type: "string" }, expires_at: instant("Until when.") }) },
    },
  }, async (request, reply: FastifyReply) => {
    const { link: found, one } = await ofLink(request as FastifyRequest);
    const { tenant } = request;
    const actor = actorOf(request as FastifyRequest);
    await enterValues(services, tenant, one, request.body, actor);
    const begun = await beginSignInAt(services, tenant, one, { redirectUri: `${addressOf(services, request as FastifyRequest)}/oauth/callback`, startOver: false, actor, browser: markBrowser(request as FastifyRequest, reply), link: found.id });
    if (begun !== undefined) return { ok: false, checked: false, error: null, accounts: [], ...begun };
    const { ok, checked, error, accounts } = await runCheck(services, tenant, one, () => undefined);
    if (ok) await withTenant(db, tenant, (tx) => endConnectLink(tx, found.id));
    return { ok, checked, error, accounts };
  });

  server.post<{ Body: { account: string } }>("/api/connect-link/account", {
    config: { permission: "connect:self" },
    schema: { tags, summary: "Pick an account with a connect link", querystring: closed({}), body: closed({ account: id("One of the accounts that were shown.", "62515") }, ["account"]), response: { 200: closed({ ok: { type: "boolean" } }) } },
  }, async (request) => {
    const { link: found, one } = await ofLink(request as FastifyRequest);
    const choice = await openChoice(db, request.tenant, one.name);
    if (choice?.link !== found.id) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Choice of accounts", name: one.name });
    await pickAccounts(services, request.tenant, choice, [one], { [one.name]: request.body.account }, false, actorOf(request as FastifyRequest));
    return { ok: true };
  });

  for (const [path, [file, type]] of Object.entries(PAGE)) {
    const text = readFileSync(new URL(`../../connecting/page/${file}`, import.meta.url), "utf8");
    server.get(path, { config: { permission: "public" }, schema: { hide: true } }, async (_, reply) =>
      reply.type(type).header("content-security-policy", PAGE_POLICY).header("referrer-policy", "no-referrer").header("cache-control", "no-cache").send(text));
  }
}

async function askedNow({ connector, connection: plan }: Planned, config: JsonObject): Promise<{ asked: string[]; signs_in: boolean }> {
  return { asked: await askedFields({ connector, plan }, config), signs_in: await signsInWith({ connector, plan }, config) };
}

/** What the customer's administrator fills in: neither the operator's fields nor the locked ones. */
function formOf({ connector, connection }: Planned): object {
  const config = Object.fromEntries(Object.entries(connector.config).filter(([field, { scope }]) => scope !== "app" && !connection.locks.includes(field)));
  return connectorForm({ id: connector.id, title: connector.title, config });
}

const addressOf = ({ publicUrl }: Services, request: FastifyRequest): string => publicUrl ?? `${request.protocol}://${request.host}`;
