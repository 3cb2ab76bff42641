/**
 * How requests prove who sends them: a token, or an app's installation token, which is fetched with a signed statement and
 * kept until a minute before it ends. Sources: docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/
 * generating-a-json-web-token-jwt-for-a-github-app and docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app (read 2026-11).
 */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { live } from "../../../engine/run/redact.ts";
import { PLATFORM, type ReferenceResolver } from "../../../engine/store/index.ts";
import type { ForgeSettings } from "./settings.ts";

export interface SignIn {
  token(): Promise<string>;
  /** After a 401. @returns whether a fresher one can be had. */
  forget(): boolean;
  /** What to do when it is refused. */
  readonly cure: string;
}

/** Asks for an installation's token with a statement as bearer. */
export type AskForToken = (path: string, bearer: string) => Promise<{ readonly token: string; readonly expires_at: string }>;

/** A statement may be valid for ten minutes at most, and clocks differ. */
const STATEMENT_SECONDS = 540;
const CLOCK_SECONDS = 60;
const EARLY_MILLISECONDS = 60_000;

export function signInOf({ token, app }: ForgeSettings, references: ReferenceResolver, ask: AskForToken, now: () => number): SignIn {
  const read = async (reference: string, field: string): Promise<string> => {
    const value = await references.resolve(reference, { tenant: PLATFORM, connection: "forge", field });
    live.learn(value);
    return value;
  };
  if (app === undefined) return { token: async () => (await read(token!, "token")).trim(), forget: () => false, cure: "Make a new token, and put it where forge.token of workspace.yaml points." };

  let kept: { readonly token: Promise<string>; until: number } | undefined;
  const fetchToken = async (): Promise<string> => {
    const answer = await ask(`/app/installations/${app.installation}/access_tokens`, await statement(await read(app.private_key, "app.private_key"), String(app.id), now()));
    live.learn(answer.token);
    if (kept !== undefined) kept.until = Date.parse(answer.expires_at) - EARLY_MILLISECONDS;
    return answer.token;
  };
  return {
    token() {
      if (kept !== undefined && kept.until > now()) return kept.token;
      const mine = kept = { token: Promise.resolve("").then(fetchToken), until: Number.POSITIVE_INFINITY };
      mine.token.catch(() => { if (kept === mine) kept = undefined; });
      return mine.token;
    },
    forget() {
      kept = undefined;
      return true;
    },
    cure: "Check forge.app in workspace.yaml: the app's id, its installation, its private key; and the clock of this machine.",
  };
}

async function statement(pem: string, issuer: string, nowMilliseconds: number): Promise<string> {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);                            // of either form: PKCS #1, as it is downloaded, and PKCS #8
    if (key.asymmetricKeyType !== "rsa") throw new Error("no RSA key");
  } catch {
    // Without the cause: it may quote the file.
    throw new PlugboardError("CHANGE_FORGE_SETTINGS", { detail: "forge.app.private_key leads to no RSA private key in PEM", suggestion: "Use the .pem file as the forge gave it." });
  }
  const seconds = Math.floor(nowMilliseconds / 1000);
  const signed = await new SignJWT({}).setProtectedHeader({ alg: "RS256", typ: "JWT" }).setIssuer(issuer).setIssuedAt(seconds - CLOCK_SECONDS).setExpirationTime(seconds + STATEMENT_SECONDS).sign(key);
  live.learn(signed);
  return signed;
}
