/**
 * HubSpot's OAuth as its guide describes it (working with OAuth, token endpoint v1; read 2026-11): a person is sent to
 * /oauth/authorize, a code is good for one use, the access token for 30 minutes, and the refresh token stays. A browser is shown
 * a page on which somebody agrees; what is no browser agrees at once.
 * Its errors are not RFC 6749's alone: `status` says BAD_REFRESH_TOKEN and the like beside `message`.
 */
import { randomUUID } from "node:crypto";
import type { Asked, Reply } from "./kernel.ts";

const ACCESS_SECONDS = 1_800;

/** `scopes`: what the app may be given; absent: those of the portal's private app. */
export interface HubSpotApp { readonly clientId: string; readonly clientSecret: string; readonly redirectUris: readonly string[]; readonly scopes?: readonly string[] }

export interface HubSpotOAuth {
  /** Undefined for a path of another kind. */
  answer(asked: Asked): Reply | undefined;
  /** Whether a bearer token is good now. */
  accepts(token: string): boolean;
  /** Somebody removed the app from the account. */
  uninstall(): void;
}

export function createOAuth(app: HubSpotApp | undefined, scopes: readonly string[], now: () => number): HubSpotOAuth {
  const codes = new Map<string, string>();
  const refreshes = new Set<string>();
  const accesses = new Map<string, number>();

  const tokens = (refresh: string): Reply => {
    const access = `access-${randomUUID()}`;
    accesses.set(access, now() + ACCESS_SECONDS * 1000);
    return { status: 200, body: { token_type: "bearer", refresh_token: refresh, access_token: access, expires_in: ACCESS_SECONDS } };
  };
  const authorize = ({ query, headers, target }: Asked): Reply => {
    const redirect = query.get("redirect_uri") ?? "";
    if (query.get("client_id") !== app?.clientId || !app?.redirectUris.includes(redirect)) return failure("BAD_REDIRECT_URI", "redirect_uri does not match the app");
    const asked = (query.get("scope") ?? "").split(" ").filter((one) => one !== "" && one !== "oauth");
    const missing = asked.filter((one) => !(app.scopes ?? scopes).includes(one));
    if (headers.accept?.includes("text/html") === true && !query.has("agreed")) return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body: consentPage(target, asked) };
    const back = new URL(redirect);
    if (query.has("state")) back.searchParams.set("state", query.get("state")!);
    if (query.get("agreed") === "no") back.searchParams.set("error", "access_denied");
    else if (missing.length > 0) back.searchParams.set("error", "insufficient_scope");
    else {
      const code = randomUUID();
      codes.set(code, redirect);
      back.searchParams.set("code", code);
    }
    return { status: 302, headers: { location: back.href } };
  };
  const token = ({ body }: Asked): Reply => {
    const form = new URLSearchParams(body);
    if (form.get("client_id") !== app?.clientId || form.get("client_secret") !== app?.clientSecret) return failure("BAD_CLIENT_ID", "missing or unknown client id", "invalid_client");
    if (form.get("grant_type") === "authorization_code") {
      const redirect = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      if (redirect === undefined || redirect !== form.get("redirect_uri")) return failure("BAD_AUTH_CODE", "missing or unknown auth code", "invalid_grant");
      const refresh = randomUUID();
      refreshes.add(refresh);
      return tokens(refresh);
    }
    if (form.get("grant_type") !== "refresh_token") return failure("BAD_GRANT_TYPE", "missing or unknown grant type", "unsupported_grant_type");
    const refresh = form.get("refresh_token") ?? "";
    return refreshes.has(refresh) ? tokens(refresh) : failure("BAD_REFRESH_TOKEN", "missing or invalid refresh token", "invalid_grant");
  };

  return {
    answer: (asked) => asked.path === "/oauth/authorize" && asked.method === "GET" ? authorize(asked) : asked.path === "/oauth/v1/token" && asked.method === "POST" ? token(asked) : undefined,
    accepts: (one) => (accesses.get(one) ?? 0) > now(),
    uninstall() {
      refreshes.clear();
      accesses.clear();
    },
  };
}

const failure = (status: string, message: string, error = "invalid_request"): Reply => ({ status: 400, body: { status, message, error, error_description: message, correlationId: randomUUID() } });

/** Where somebody agrees, or not. */
const consentPage = (target: string, scopes: readonly string[]): string => {
  const link = (agreed: "yes" | "no", label: string): string => `<a href="${escaped(`${target}&agreed=${agreed}`)}">${label}</a>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Connect Plugboard to HubSpot (stand-in)</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#213343}a{display:inline-block;margin-right:1rem;padding:.5rem 1rem;border:1px solid #213343;border-radius:4px;color:inherit;text-decoration:none}</style>
<h1>Plugboard wants to connect</h1><p>This is the demo's stand-in for HubSpot, on this computer. The app would be given:</p><ul>${scopes.map((scope) => `<li>${escaped(scope)}</li>`).join("")}</ul><p>${link("yes", "Connect app")}${link("no", "Cancel")}</p></html>`;
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
