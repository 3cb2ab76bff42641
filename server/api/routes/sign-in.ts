/** Signing in at one of the operator's providers. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { beginSignIn, listSignInProviders, openSignInProvider, takeSignInUnderWay } from "../../../engine/store/index.ts";
import { ownPath } from "../../connecting/return-to.ts";
import { saidPage } from "../../connecting/said-page.ts";
import { admit } from "../../people/admit.ts";
import { hashLinkToken } from "../../people/links.ts";
import { createOidc, hashSignInSecret, makeSignInSecret } from "../../people/oidc.ts";
import { refuseForeign } from "../../people/same-origin.ts";
import { beginSession } from "../../people/sign-in.ts";
import { closed, id } from "../schemas.ts";
import type { Services } from "../services.ts";

const tags = ["people"];
/** What only the browser that began holds. */
const COOKIE = "__Host-sign-in";
const COOKIE_SECONDS = 600;
const OPTIONS = { path: "/", httpOnly: true, secure: true, sameSite: "lax" } as const;
const params = closed({ id: id("The provider.", "google") }, ["id"]);
const returnTo = { type: "string", maxLength: 500, description: "Path to go on at. @default /" } as const;

export function registerSignIn(server: FastifyInstance, { db, keyring, transport, publicUrl }: Services): void {
  const oidc = createOidc(transport);
  const callback = (request: FastifyRequest, provider: string): string => `${publicUrl ?? `${request.protocol}://${request.host}`}/api/sign-in/oidc/${provider}/callback`;

  const begin = async (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply, back: string | undefined, invitation?: string): Promise<string> => {
    const provider = await openSignInProvider(db, keyring, request.params.id);
    if (!provider) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Sign-in provider", name: request.params.id });
    const secret = makeSignInSecret();
    const address = await oidc.begin(provider, secret, callback(request, provider.id));
    await beginSignIn(db, { hash: hashSignInSecret(secret), provider: provider.id, returnTo: ownPath(back ?? "/") ?? "/", ...(invitation === undefined ? {} : { invitation: hashLinkToken(invitation) }) });
    reply.setCookie(COOKIE, secret, { ...OPTIONS, maxAge: COOKIE_SECONDS }).header("cache-control", "no-store");
    return address;
  };

  /** A browser is shown a page: what went wrong here is for a person to read. */
  const forPeople = async (request: FastifyRequest, reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> => {
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof PlugboardError) || request.headers.accept?.includes("text/html") !== true) throw thrown;
      request.log.info({ code: thrown.code }, thrown.message);
      return saidPage(reply.code(thrown.entry.http), "You are not signed in", [thrown.message, thrown.hint].filter((part) => part !== undefined && part !== "").join(" "), { href: "/sign-in", label: "Back to signing in" });
    }
  };

  server.get("/api/sign-in/providers", {
    config: { permission: "public" }, schema: { tags, summary: "Where people may sign in", response: { 200: closed({ data: { type: "array", items: closed({ id: { type: "string" }, title: { type: "string" } }) } }) } },
  }, async () => ({ data: (await listSignInProviders(db)).filter(({ enabled }) => enabled).map(({ id: name, title }) => ({ id: name, title })) }));

  server.get<{ Params: { id: string }; Querystring: { return_to?: string } }>("/api/sign-in/oidc/:id", {
    config: { permission: "public" }, schema: { tags, summary: "Go to a provider to sign in", params, querystring: closed({ return_to: returnTo }), response: { 302: { type: "null" } } },
  }, (request, reply) => forPeople(request as FastifyRequest, reply, async () => reply.redirect(await begin(request, reply, request.query.return_to), 302)));

  server.post<{ Params: { id: string }; Body: { invitation: string; return_to?: string } }>("/api/sign-in/oidc/:id", {
    config: { permission: "public" }, preValidation: async (request) => refuseForeign(request),
    schema: { tags, summary: "Accept an invitation by signing in at a provider", params, body: closed({ invitation: { type: "string", minLength: 20, maxLength: 200 }, return_to: returnTo }, ["invitation"]), response: { 200: closed({ location: { type: "string", description: "Go there." } }) } },
  }, async (request, reply) => {
    return { location: await begin(request, reply, request.body.return_to, request.body.invitation) };
  });

  server.get<{ Params: { id: string } }>("/api/sign-in/oidc/:id/callback", {
    config: { permission: "public" }, logLevel: "error", schema: { tags, summary: "Where a provider sends people back", params, querystring: { type: "object", additionalProperties: { type: "string", maxLength: 4000 } }, response: { 302: { type: "null" } } },
  }, (request, reply) => forPeople(request as FastifyRequest, reply, async () => {
    const secret = request.cookies[COOKIE];
    reply.clearCookie(COOKIE, OPTIONS).header("cache-control", "no-store").header("referrer-policy", "no-referrer");
    const underWay = secret === undefined ? undefined : await takeSignInUnderWay(db, hashSignInSecret(secret), request.params.id);
    const provider = underWay === undefined ? undefined : await openSignInProvider(db, keyring, request.params.id);
    if (secret === undefined || underWay === undefined || provider === undefined) throw new PlugboardError("SERVER_SIGN_IN_ELSEWHERE", { provider: request.params.id, detail: "this browser began no sign-in, or too long ago", suggestion: "Begin again at the page to sign in." });
    const search = request.url.includes("?") ? request.url.slice(request.url.indexOf("?")) : "";
    const identity = await oidc.finish(provider, secret, new URL(callback(request, provider.id) + search));
    const user = await admit(db, provider, identity, underWay.invitation, { ip: request.ip, request: request.id });
    await beginSession(db, request as FastifyRequest, reply, user, provider.id);
    return reply.redirect(underWay.returnTo, 302);
  }));
}
