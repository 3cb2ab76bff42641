/** Where every provider sends browsers back to: one address for all connectors and tenants. */
import type { FastifyInstance } from "fastify";
import { live } from "../../../engine/run/redact.ts";
import { browserOf } from "../../connecting/browser.ts";
import { completeSignIn, type SignInEnded } from "../../connecting/sign-in.ts";
import { saidPage } from "../../connecting/said-page.ts";
import type { Services } from "../services.ts";

/** The same for a state that is used, over, another browser's, or made up. */
const UNKNOWN = "This sign-in is over or was not begun in this browser. Begin it again.";
const STUDIO = { href: "/org", label: "To the integrations" } as const;

export function registerOAuth(server: FastifyInstance, services: Services): void {
  server.get<{ Querystring: Record<string, unknown> }>("/oauth/callback", {
    config: { permission: "public" },
    schema: {
      tags: ["connections"], summary: "Where providers send a browser back to", description: "Register this address at providers. It answers with a page, or leads to where the sign-in was begun.",
      querystring: { type: "object", additionalProperties: true }, response: { 200: { type: "string" }, 400: { type: "string" } },
    },
  }, async (request, reply) => {
    for (const name of ["code", "state"]) { const value = request.query[name]; if (typeof value === "string") live.learn(value); }
    // The address holds the code: it is neither kept nor told to the next page.
    reply.header("cache-control", "no-store").header("referrer-policy", "no-referrer");
    const ended = await completeSignIn(services, request.query, browserOf(request), { ip: request.ip, request: request.id });
    if (ended === undefined) return saidPage(reply.code(400), "Nothing to sign in to", UNKNOWN, STUDIO);
    const { signIn, outcome } = ended;
    // A connect link's page knows its token by itself, and where to go then.
    if (signIn.link !== undefined) return reply.redirect(`/connect?outcome=${outcome}`, 303);
    if (signIn.returnTo !== undefined) {
      const url = new URL(signIn.returnTo, "https://plugboard.invalid");
      url.searchParams.set("connection", signIn.connection);
      url.searchParams.set("outcome", outcome);
      return reply.redirect(`${url.pathname}${url.search}${url.hash}`, 303);
    }
    return saidPage(reply, ...inWords(ended));
  });
}

function inWords({ outcome, title, message, signIn }: SignInEnded): [title: string, text: string] {
  switch (outcome) {
    case "connected": return [`${title} is connected`, "You can close this window."];
    case "choose": return [`${title}: one more step`, "The sign-in reaches several accounts. Go back to where you began it and pick one."];
    case "account_changed": return ["This is another account", `The connection belongs to another account of ${title}. Nothing was changed. Go back to where you began: sign in to the same account, or start over there.`];
    default: return [`${title} is not connected`, live.text(message ?? "Begin the sign-in again.", signIn.tenant)];
  }
}
