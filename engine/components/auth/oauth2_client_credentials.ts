/** A short-lived token for the client's own id and secret. Source: RFC 6749 §4.4; errors §5.2; client sign-in §2.3.1. */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import type { Value } from "../../plan/types.ts";
import { defineAuth, type Answer, type AuthContext, type OutgoingRequest, type Token, type Variables } from "../kinds.ts";
import { encodeBase64 } from "../shared/base64.ts";
import { encodePairs } from "../shared/percent.ts";

export interface ClientCredentialsSpec {
  readonly token_url: string;
  readonly client_id?: string;
  readonly client_secret?: string;
  /** Where id and secret stand: the Authorization header, the form, or a JSON body. @default "form" */
  readonly client_auth?: "basic" | "form" | "json";
  /** A list, or text with blanks between. */
  readonly scopes?: readonly string[] | string;
  /** More members of the form. */
  readonly token_params?: Value;
  /** `unauthorized`: a 401 means that the token ended early. @default both */
  readonly refresh_on?: readonly ("expired" | "unauthorized")[];
}

/** A token is renewed this long before it ends, so that it does not end on its way. */
const SKEW_MILLISECONDS = 60_000;

export default defineAuth<ClientCredentialsSpec>("oauth2_client_credentials", (spec, { template, value }) => {
  const tokenUrl = template(spec.token_url, "url", "token_url");
  const clientId = template(spec.client_id ?? "{{config.client_id}}", "text", "client_id");
  const clientSecret = template(spec.client_secret ?? "{{config.client_secret}}", "text", "client_secret");
  const scopes = template(typeof spec.scopes === "string" ? spec.scopes : (spec.scopes ?? []).join(" "), "text", "scopes");
  const parameters = value(spec.token_params ?? {}, "text", "token_params");
  /** One request for a token at a time: two pages that start together share it. */
  let asking: Promise<Token> | undefined;

  async function tokenRequest(context: AuthContext): Promise<OutgoingRequest> {
    const { variables, missing, secret } = context;
    const id = clientId.render(variables);
    const word = clientSecret.render(variables);
    const url = tokenUrl.render(variables);
    if (id === undefined || id === "") throw missing(clientId.reads);
    if (word === undefined || word === "") throw missing(clientSecret.reads);
    if (url === undefined || !URL.canParse(url)) throw missing(tokenUrl.reads);
    const members: Record<string, unknown> = { grant_type: "client_credentials", scope: scopes.render(variables) || undefined, ...((await parameters(variables)) as Variables | undefined) };
    const headers = new Headers({ accept: "application/json" });
    if (spec.client_auth === "basic") {
      // RFC 6749 §2.3.1: both are form-encoded before they are joined.
      const credential = encodeBase64(`${encodeURIComponent(id)}:${encodeURIComponent(word)}`);
      secret(credential);
      headers.set("authorization", `Basic ${credential}`);
    } else {
      members["client_id"] = id;
      members["client_secret"] = word;
    }
    const json = spec.client_auth === "json";
    headers.set("content-type", json ? "application/json" : "application/x-www-form-urlencoded");
    const parsed = new URL(url);
    return { method: "POST", url: parsed, headers, body: json ? JSON.stringify(members) : encodePairs(members), label: `POST ${parsed.pathname}` };
  }

  async function ask(context: AuthContext): Promise<Token> {
    const request = await tokenRequest(context);
    const token = tokenFrom(await context.send(request), request, context.now());
    context.secret(token.value);
    await context.token.write(token);
    return token;
  }

  const current = async (context: AuthContext): Promise<Token> => {
    const kept = await context.token.read();
    if (kept !== undefined && (kept.expires_at === undefined || kept.expires_at - SKEW_MILLISECONDS > context.now())) return kept;
    asking ??= ask(context).finally(() => { asking = undefined; });
    return asking;
  };

  return {
    async apply(request, context) {
      const token = await current(context);
      context.secret(token.value);
      request.headers.set("authorization", `Bearer ${token.value}`);
    },
    async refresh(context) {
      if (!(spec.refresh_on ?? ["unauthorized"]).includes("unauthorized")) return false;
      await context.token.clear();
      return true;
    },
  };
});

function tokenFrom(answer: Answer, request: OutgoingRequest, now: number): Token {
  const body = (typeof answer.body === "object" && answer.body !== null ? answer.body : {}) as Record<string, unknown>;
  const host = request.url.host;
  if (answer.status >= 400) {
    const reason = [body["error"], body["error_description"]].filter((part) => typeof part === "string").join(": ") || `status ${answer.status}`;
    throw new PlugboardError("AUTH_TOKEN_REQUEST", { host, detail: reason, suggestion: "Check client ID and client secret, and that the app may use client credentials." });
  }
  const value = body["access_token"];
  if (typeof value !== "string" || value === "") {
    throw new PlugboardError("AUTH_TOKEN_REQUEST", { host, detail: `status ${answer.status}, but no 'access_token' in the answer`, suggestion: "Check token_url." });
  }
  const seconds = Number(body["expires_in"]);
  return { value, ...(Number.isFinite(seconds) && seconds > 0 ? { expires_at: now + seconds * 1000 } : {}) };
}
