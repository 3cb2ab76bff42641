/**
 * GitHub's REST API: one request, its pages, and what its refusals mean. Nothing is tried again by itself, except once with a
 * fresh token: who proposes is there to try again, and a poll comes round.
 * Sources: docs.github.com/en/rest/using-the-rest-api/ (getting-started, troubleshooting-the-rest-api, rate-limits-for-the-rest-api,
 * best-practices-for-using-the-rest-api, using-pagination-in-the-rest-api), read 2026-11.
 */
import type { RawAnswer, Transport } from "../../../engine/components/kinds.ts";
import { parseLinkHeader } from "../../../engine/components/shared/link-header.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { limited, plain, unanswered } from "./refusals.ts";

export interface ApiAnswer { readonly status: number; readonly body: unknown; readonly headers: Readonly<Record<string, string>> }

export interface Asked {
  readonly body?: object;
  /** Statuses besides 2xx that the caller reads itself. */
  readonly takes?: readonly number[];
  /** What a 404 misses: `repository`. */
  readonly what?: string;
  /** Instead of the sign-in. */
  readonly bearer?: string;
}

export interface GitHubApi {
  /** @throws PlugboardError CHANGE_FORGE_*, RUN_EGRESS */
  ask(method: "GET" | "POST" | "PUT" | "PATCH", path: string, asked?: Asked): Promise<ApiAnswer>;
  /** Every item of every page. */
  all(path: string, what: string): Promise<readonly unknown[]>;
}

/** Supported until March 2028 at least (github.blog/changelog/2026-03-12-rest-api-version-2026-03-10-is-now-available). */
const VERSION = "2022-11-28";
const TIMEOUTS = { connect: 5, headers: 10, idle: 10, total: 15 };
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_PAGES = 20;
/** Items of a page, the most there can be. */
const PAGE = 100;
/** Answers kept for `If-None-Match`: a 304 costs nothing of the rate limit. */
const MOST_KEPT = 200;
/** Where a limit does not say how long: "at least one minute". */
const LIMIT_SECONDS = 60;

export interface Signed { token(): Promise<string>; forget(): boolean; readonly cure: string }

export function gitHubApi({ api, name, transport, signIn, now }: { readonly api: string; readonly name: string; readonly transport: Transport; readonly signIn: () => Signed; readonly now: () => number }): GitHubApi {
  const kept = new Map<string, { readonly etag: string; readonly answer: ApiAnswer }>();
  /** Asking on while limited can get an integration banned. */
  let limitedUntil = 0;

  const send = async (method: string, url: URL, bearer: string, body: object | undefined, request: string): Promise<RawAnswer> => {
    const etag = method === "GET" ? kept.get(url.href)?.etag : undefined;
    const headers = new Headers({
      accept: "application/vnd.github+json", authorization: `Bearer ${bearer}`, "x-github-api-version": VERSION, "user-agent": "plugboard",
      ...(etag === undefined ? {} : { "if-none-match": etag }), ...(body === undefined ? {} : { "content-type": "application/json" }),
    });
    try {
      return await transport.send({ method, url, headers, body: body === undefined ? undefined : JSON.stringify(body), label: request }, { signal: new AbortController().signal, timeouts: TIMEOUTS, maxBodyBytes: MAX_BODY_BYTES });
    } catch (thrown) {
      throw unanswered(thrown, name, request);
    }
  };

  const ask: GitHubApi["ask"] = async (method, path, { body, takes = [], what = "repository", bearer } = {}) => {
    const url = new URL(path.startsWith("http") ? path : `${api}${path}`);
    // A page's address comes from outside: the token goes to the API alone.
    if (url.origin !== new URL(api).origin) throw new PlugboardError("CHANGE_FORGE_REFUSED", { forge: name, request: path.slice(0, 100), detail: "the next page is at another host" });
    const request = `${method} ${url.pathname}`;
    const wait = Math.ceil((limitedUntil - now()) / 1000);
    if (wait > 0) throw limited(name, request, "it said so a moment ago", wait);
    for (let tries = 1; ; tries++) {
      const answer = await send(method, url, bearer ?? await signIn().token(), body, request);
      const known = kept.get(url.href);
      if (answer.status === 304 && known !== undefined) return known.answer;
      if (answer.status === 401 && bearer === undefined && tries === 1 && signIn().forget()) continue;
      const read: ApiAnswer = { status: answer.status, headers: answer.headers, body: parsed(answer.bytes) };
      if (answer.status < 300 || takes.includes(answer.status)) {
        const etag = answer.headers["etag"];
        if (method === "GET" && etag !== undefined && answer.status === 200 && !isLastAndFull(read)) {
          kept.delete(url.href);
          kept.set(url.href, { etag, answer: read });
          if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
        }
        return read;
      }
      const refused = refusal(read, { name, request, what, cure: signIn().cure, now: now() });
      if (refused.code === "CHANGE_FORGE_LIMITED") limitedUntil = now() + refused.retryAfterSeconds! * 1000;
      throw refused;
    }
  };

  return {
    ask,
    async all(path, what) {
      const items: unknown[] = [];
      let next: string | undefined = `${path}${path.includes("?") ? "&" : "?"}per_page=${PAGE}`;
      for (let page = 1; next !== undefined; page++) {
        // Half of them would be taken for all of them.
        if (page > MAX_PAGES) throw new PlugboardError("CHANGE_FORGE_REFUSED", { forge: name, request: `GET ${path}`, detail: `there are more than ${MAX_PAGES * PAGE} of them` });
        const answer: ApiAnswer = await ask("GET", next, { what });
        items.push(...(Array.isArray(answer.body) ? answer.body as unknown[] : []));
        next = answer.headers["link"] === undefined ? undefined : parseLinkHeader(answer.headers["link"])["next"];
      }
      return items;
    },
  };
}

/** A 304 of such a page would not say that another one has come after it. */
const isLastAndFull = ({ body, headers }: ApiAnswer): boolean => Array.isArray(body) && body.length >= PAGE && !/rel="next"/.test(headers["link"] ?? "");

/** What a refusal says, and what its reader can do. */
function refusal({ status, body, headers }: ApiAnswer, { name, request, what, cure, now }: { readonly name: string; readonly request: string; readonly what: string; readonly cure: string; readonly now: number }): PlugboardError {
  const detail = reasonOf(body) || `status ${status}`;
  const common = { forge: name, request, detail };
  const isLimit = status === 429 || (status === 403 && (headers["retry-after"] !== undefined || headers["x-ratelimit-remaining"] === "0" || /rate limit/i.test(detail)));
  if (isLimit) return limited(name, request, detail, waitOf(headers, now));
  if (status === 401) return new PlugboardError("CHANGE_FORGE_SIGN_IN", { ...common, suggestion: cure });
  if (status === 403) {
    const needed = headers["x-accepted-github-permissions"];
    return new PlugboardError("CHANGE_FORGE_DENIED", { ...common, suggestion: needed === undefined ? "Let the token or app write contents, pull requests and commit statuses of the repository, and read its metadata." : `The token or app needs: ${plain(needed)}.` });
  }
  if (status === 404) return new PlugboardError("CHANGE_FORGE_NOT_FOUND", { forge: name, request, what });
  if (status >= 500) return new PlugboardError("CHANGE_FORGE_UNREACHABLE", common);
  return new PlugboardError("CHANGE_FORGE_REFUSED", { ...common, suggestion: status === 422 ? "Correct what it names, and try again." : undefined });
}

/** Seconds: `retry-after`, else when the window of the primary limit ends. */
function waitOf(headers: Readonly<Record<string, string>>, now: number): number {
  const after = Number(headers["retry-after"]);
  if (Number.isFinite(after) && after > 0) return Math.ceil(after);
  const reset = Number(headers["x-ratelimit-reset"]);
  if (headers["x-ratelimit-remaining"] === "0" && Number.isFinite(reset)) return Math.max(1, Math.ceil(reset - now / 1000));
  return LIMIT_SECONDS;
}

/** `Validation Failed: A pull request already exists for acme:x` */
export function reasonOf(body: unknown): string {
  const { message, errors } = (typeof body === "object" && body !== null ? body : {}) as { message?: unknown; errors?: unknown };
  const each = Array.isArray(errors) ? errors.map((error: unknown) => typeof error === "string" ? error : textOf(error as Record<string, unknown> | null)) : [];
  return plain([typeof message === "string" ? message : "", each.filter(Boolean).join("; ")].filter(Boolean).join(": ")).replace(/\.$/, "");
}

const textOf = (error: Record<string, unknown> | null): string =>
  typeof error?.["message"] === "string" ? error["message"] : [error?.["resource"], error?.["field"], error?.["code"]].filter((part) => typeof part === "string").join(" ");

function parsed(bytes: Uint8Array): unknown {
  try {
    return bytes.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
