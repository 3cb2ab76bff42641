/**
 * A person consents in the browser; what that gives is renewed for as long as the provider lets it. Sources: RFC 6749 §4.1
 * (code), §6 (refresh); PKCE RFC 7636; revocation RFC 7009; one refresh token, one use: RFC 9700 §4.14.
 */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import type { Value } from "../../plan/types.ts";
import { defineAuth, type AuthContext, type Consent, type ConsentPort, type Renewed, type Variables } from "../kinds.ts";
import { compileClient, type ClientSpec } from "../shared/client-request.ts";
import { isRefused, tokenAnswer } from "../shared/token-answer.ts";

export interface AuthorizationCodeSpec extends ClientSpec {
  readonly authorize_url: string;
  readonly token_url: string;
  /** Where a consent is ended. */
  readonly revoke_url?: string;
  /** A list, or text with blanks between. */
  readonly scopes?: readonly string[] | string;
  /** More parameters of the address a person is sent to. */
  readonly authorize_params?: Value;
  /** More members of the token request. */
  readonly token_params?: Value;
  /** @default true */
  readonly pkce?: boolean;
  /** Each refresh token is good for one use: a request for a new one is then not repeated as others are. @default false */
  readonly rotates?: boolean;
  /** @default both */
  readonly refresh_on?: readonly ("expired" | "unauthorized")[];
}

/** A token is renewed this long before it ends, so that it does not end on its way. */
const SKEW_MILLISECONDS = 60_000;
/** A lost answer may hold the only refresh token that is good: the old one is tried once more, no more often. */
const TRIES = 2;
/** For both tries. */
const SECONDS = 40;

export default defineAuth<AuthorizationCodeSpec>("oauth2_authorization_code", (spec, build) => {
  const { template, value } = build;
  const urls = {
    authorize_url: template(spec.authorize_url, "url", "authorize_url"),
    token_url: template(spec.token_url, "url", "token_url"),
    revoke_url: spec.revoke_url === undefined ? undefined : template(spec.revoke_url, "url", "revoke_url"),
  };
  const client = compileClient(spec, build);
  const scopes = template(typeof spec.scopes === "string" ? spec.scopes : (spec.scopes ?? []).join(" "), "text", "scopes");
  const parameters = { authorize: value(spec.authorize_params ?? {}, "text", "authorize_params"), token: value(spec.token_params ?? {}, "text", "token_params") };
  const renews = (when: "expired" | "unauthorized"): boolean => (spec.refresh_on ?? ["expired", "unauthorized"]).includes(when);
  /** Of the consent that was put on a request last: what a 401 is about. */
  let applied: Consent | undefined;

  const addressOf = (name: "authorize_url" | "token_url" | "revoke_url", { variables, missing }: AuthContext): URL => {
    const text = urls[name]!.render(variables);
    if (text === undefined || !URL.canParse(text)) throw missing(urls[name]!.reads);
    return new URL(text);
  };
  const tokenRequest = async (members: Variables, context: AuthContext) =>
    client.request(addressOf("token_url", context), { ...members, ...((await parameters.token(context.variables)) as Variables | undefined) }, context);
  const learn = ({ access, refresh }: Renewed, { secret }: AuthContext): void => {
    secret(access);
    if (refresh !== undefined) secret(refresh);
  };

  async function renew(consent: Consent, context: AuthContext): Promise<Consent> {
    const renewed = await portOf(context).renew(consent.version, async (stored) => {
      learn(stored, context);
      if (stored.refresh === undefined) return "refused";
      const request = await tokenRequest({ grant_type: "refresh_token", refresh_token: stored.refresh }, context);
      const answer = await context.send(request, { tries: TRIES, seconds: SECONDS });
      if (isRefused(answer)) return "refused";
      const given = tokenAnswer(answer, request.url.host, context.now(), "Check the app's client ID and client secret.");
      learn(given, context);
      // Without a new one the old one stays good.
      return { refresh: stored.refresh, ...given };
    });
    learn(renewed, context);
    return renewed;
  }

  return {
    async apply(request, context) {
      let consent = await portOf(context).read();
      if (consent === undefined) throw notSignedIn();
      learn(consent, context);
      const ends = consent.expires_at !== undefined && consent.expires_at - SKEW_MILLISECONDS <= context.now();
      if (ends && renews("expired") && consent.refresh !== undefined) consent = await renew(consent, context);
      applied = consent;
      request.headers.set("authorization", `Bearer ${consent.access}`);
    },
    async refresh(context) {
      if (applied?.refresh === undefined || !renews("unauthorized")) return false;
      await renew(applied, context);
      return true;
    },
    signIn: {
      async authorizeUrl(context, { state, redirectUri, challenge }) {
        const url = addressOf("authorize_url", context);
        const asked: Record<string, unknown> = {
          response_type: "code", client_id: client.id(context), redirect_uri: redirectUri, scope: scopes.render(context.variables) || undefined, state,
          ...(spec.pkce === false ? {} : { code_challenge: challenge, code_challenge_method: "S256" }), ...((await parameters.authorize(context.variables)) as Variables | undefined),
        };
        for (const [name, member] of Object.entries(asked)) if (member !== undefined && member !== null) url.searchParams.set(name, String(member));
        return url;
      },
      async exchange(context, { code, redirectUri, verifier }) {
        context.secret(code);
        context.secret(verifier);
        const request = await tokenRequest({ grant_type: "authorization_code", code, redirect_uri: redirectUri, ...(spec.pkce === false ? {} : { code_verifier: verifier }) }, context);
        // A code is good for one use, so a lost answer is not asked for again.
        const given = tokenAnswer(await context.send(request, { tries: 1, seconds: SECONDS }), request.url.host, context.now(), "Begin the sign-in again; if it fails again, check the app's client ID, client secret and redirect address.");
        learn(given, context);
        return given;
      },
      async revoke(context, { access, refresh }) {
        if (spec.revoke_url === undefined) return false;
        const token = refresh ?? access;
        const request = client.request(addressOf("revoke_url", context), { token, token_type_hint: refresh === undefined ? "access_token" : "refresh_token" }, context);
        const answer = await context.send(request, { tries: 1, seconds: SECONDS });
        if (answer.status >= 400) throw new PlugboardError("AUTH_TOKEN_REQUEST", { host: request.url.host, detail: `status ${answer.status} to the revocation`, suggestion: "End the consent at the provider by hand." });
        return true;
      },
    },
  };

  function portOf({ token: { consent } }: AuthContext): ConsentPort {
    if (consent === undefined) throw notSignedIn();
    return consent;
  }
});

const notSignedIn = (): PlugboardError => new PlugboardError("AUTH_NOT_SIGNED_IN", {});
