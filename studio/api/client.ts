/** Calls to the HTTP door of the same origin. Answers are JSON; what goes wrong is an ApiError with the server's own words. */

export interface Problem { readonly code: string; readonly message: string; readonly pointer?: string; readonly hint?: string; readonly at?: { readonly file: string; readonly line: number; readonly col: number } }

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** The server's code; `NETWORK` where there was no answer. */
  readonly code: string;
  readonly hint: string | undefined;
  readonly problems: readonly Problem[];
  readonly requestId: string | undefined;
  /** The whole answer, of what says more than an error. */
  readonly answer: unknown;

  constructor(status: number, error: { code?: string; message?: string; hint?: string; problems?: readonly Problem[] }, requestId?: string, answer?: unknown) {
    super(error.message ?? `The server answered ${status}.`);
    this.status = status;
    this.code = error.code ?? (status === 0 ? "NETWORK" : `HTTP_${status}`);
    this.hint = error.hint;
    this.problems = error.problems ?? [];
    this.requestId = requestId;
    this.answer = answer;
  }
}

/** Called when a request found no server. */
let onUnreachable: () => void = () => {};
export const whenUnreachable = (call: () => void): (() => void) => {
  onUnreachable = call;
  return () => { onUnreachable = () => {}; };
};

/** For what is fetched past this file: a page's code. */
export const tellUnreachable = (): void => onUnreachable();

export type Query = Readonly<Record<string, string | number | boolean | undefined | null>>;

/** Bound to the session; the server refuses changes without it. */
let csrf: string | undefined;
export const rememberCsrf = (token: string | undefined): void => { csrf = token; };

/** Called when the session is over, so that whoever shows pages can ask to sign in again. */
let onSignedOut: () => void = () => {};
export const whenSignedOut = (call: () => void): void => { onSignedOut = call; };

export const urlOf = (path: string, query: Query = {}): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length === 0 ? path : `${path}${path.includes("?") ? "&" : "?"}${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
};

async function send<Answer>(method: string, path: string, options: { readonly query?: Query; readonly body?: unknown; readonly signal?: AbortSignal; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<Answer> {
  const headers: Record<string, string> = { accept: "application/json", ...options.headers };
  if (method !== "GET" && csrf !== undefined) headers["x-csrf-token"] = csrf;
  if (options.body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(urlOf(path, options.query), {
    method, headers, credentials: "same-origin", ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  }).catch((cause: unknown) => {
    if (options.signal?.aborted) throw cause;
    onUnreachable();
    throw new ApiError(0, { message: "Plugboard cannot be reached.", hint: "Check that it runs, and your connection." });
  });
  const text = await answer.text();
  const body: unknown = text === "" ? undefined : parsed(text);
  if (answer.ok) return body as Answer;
  if (answer.status === 401 && path !== "/api/session") onSignedOut();
  throw new ApiError(answer.status, (body as { error?: object } | undefined)?.error ?? {}, answer.headers.get("x-request-id") ?? undefined, body);
}

const parsed = (text: string): unknown => {
  try { return JSON.parse(text); } catch { return undefined; }
};

export const api = {
  get: <Answer>(path: string, query?: Query, signal?: AbortSignal) => send<Answer>("GET", path, { query, signal }),
  /** With `headers`: an `Idempotency-Key`, where a second try must not do it twice. */
  post: <Answer>(path: string, body: unknown = {}, query?: Query, headers?: Readonly<Record<string, string>>) => send<Answer>("POST", path, { body, query, headers }),
  put: <Answer>(path: string, body: unknown, query?: Query) => send<Answer>("PUT", path, { body, query }),
  patch: <Answer>(path: string, body: unknown, query?: Query) => send<Answer>("PATCH", path, { body, query }),
  delete: <Answer>(path: string, query?: Query, body?: unknown) => send<Answer>("DELETE", path, { query, body }),
};

/** A page of a list; `next_cursor` asks for the next one. */
export interface Page<Item> { readonly data: readonly Item[]; readonly next_cursor: string | null }
