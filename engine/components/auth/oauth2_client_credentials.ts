/** A short-lived token for the client's own id and secret. Source: RFC 6749 §4.4; errors §5.2; client sign-in §2.3.1. */
import type { Value } from "../../plan/types.ts";
import { defineAuth, type AuthContext, type OutgoingRequest, type Token, type Variables } from "../kinds.ts";
import { compileClient, type ClientSpec } from "../shared/client-request.ts";
import { tokenAnswer } from "../shared/token-answer.ts";

export interface ClientCredentialsSpec extends ClientSpec {
  readonly token_url: string;
  /** A list, or text with blanks between. */
  readonly scopes?: readonly string[] | string;
  /** More members of the form. */
  readonly token_params?: Value;
  /** `unauthorized`: a 401 means that the token ended early. @default both */
  readonly refresh_on?: readonly ("expired" | "unauthorized")[];
}

/** A token is renewed this long before it ends, so that it does not end on its way. */
const SKEW_MILLISECONDS = 60_000;

export default defineAuth<ClientCredentialsSpec>("oauth2_client_credentials", (spec, build) => {
  const { template, value } = build;
  const tokenUrl = template(spec.token_url, "url", "token_url");
  const client = compileClient(spec, build);
  const scopes = template(typeof spec.scopes === "string" ? spec.scopes : (spec.scopes ?? []).join(" "), "text", "scopes");
  const parameters = value(spec.token_params ?? {}, "text", "token_params");
  /** One request for a token at a time: two pages that start together share it. */
  let asking: Promise<Token> | undefined;

  async function tokenRequest(context: AuthContext): Promise<OutgoingRequest> {
    const { variables, missing } = context;
    const url = tokenUrl.render(variables);
    if (url === undefined || !URL.canParse(url)) throw missing(tokenUrl.reads);
    const members = { grant_type: "client_credentials", scope: scopes.render(variables) || undefined, ...((await parameters(variables)) as Variables | undefined) };
    return client.request(new URL(url), members, context);
  }

  async function ask(context: AuthContext): Promise<Token> {
    const request = await tokenRequest(context);
    const { access, expires_at } = tokenAnswer(await context.send(request), request.url.host, context.now(), "Check client ID and client secret, and that the app may use client credentials.");
    const token: Token = { value: access, ...(expires_at === undefined ? {} : { expires_at }) };
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
