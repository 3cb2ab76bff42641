/** What a token endpoint answers. Source: RFC 6749 §5.1 (success) and §5.2 (errors). */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import type { Answer, Renewed } from "../kinds.ts";

/** @throws PlugboardError AUTH_TOKEN_REQUEST with what the provider said. */
export function tokenAnswer(answer: Answer, host: string, now: number, suggestion: string): Renewed {
  const body = bodyOf(answer);
  const value = body["access_token"];
  // Some providers answer 200 with `error` in it.
  if (answer.status >= 400 || (typeof value !== "string" && typeof body["error"] === "string")) {
    const reason = [body["error"], body["error_description"] ?? body["message"]].filter((part) => typeof part === "string").join(": ") || `status ${answer.status}`;
    throw new PlugboardError("AUTH_TOKEN_REQUEST", { host, detail: reason, suggestion });
  }
  if (typeof value !== "string" || value === "") {
    throw new PlugboardError("AUTH_TOKEN_REQUEST", { host, detail: `status ${answer.status}, but no 'access_token' in the answer`, suggestion: "Check token_url." });
  }
  const seconds = Number(body["expires_in"]);
  const refresh = body["refresh_token"];
  return {
    access: value, ...(Number.isFinite(seconds) && seconds > 0 ? { expires_at: now + seconds * 1000 } : {}),
    ...(typeof refresh === "string" && refresh !== "" ? { refresh } : {}),
  };
}

/** `invalid_grant`: the code or refresh token is expired, used, or taken back. Everything else may be ours or pass. */
export const isRefused = (answer: Answer): boolean => answer.status < 500 && bodyOf(answer)["error"] === "invalid_grant";

const bodyOf = ({ body }: Answer): Readonly<Record<string, unknown>> => (typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {});
