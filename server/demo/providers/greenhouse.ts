/**
 * A stand-in for Greenhouse: its token server and Harvest v3, on one address. Sources: harvestdocs.greenhouse.io,
 * "Authentication", "Pagination", "List endpoints", "Rate limiting" (read 2026-11), and the vendor's v1 documentation for the shape of errors.
 * What bites: a `cursor` must be the only parameter of its request; filters are `gte|<time>`; lists are bare arrays, newest
 * id first, and the next page is only in the `Link` header; there is no reading by id in the path, only `?ids=`. Of writes,
 * notes: the acting user must be one, and a note has no key of the sender's.
 */
import { randomUUID } from "node:crypto";
import { greenhousePeople, type GreenhousePeople, type GreenhouseWebhooks } from "./greenhouse-hooks.ts";
import { jsonObject, rollingWindow, startStandIn, type Asked, type Reply, type StandIn, type StandInOptions } from "./kernel.ts";

const MAX_PER_PAGE = 500;
const DEFAULT_PER_PAGE = 100;
const WINDOW_SECONDS = 30;
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  gte: (a, b) => a >= b, lte: (a, b) => a <= b, gt: (a, b) => a > b, lt: (a, b) => a < b,
};

export type GreenhouseRecord = { readonly id: number } & Readonly<Record<string, unknown>>;

export interface GreenhouseResource {
  /** Fields that may be filtered by time: `updated_at=gte|…`. */
  readonly times: readonly string[];
  /** Filters by id of a parent and by value: parameter → field (`candidate_ids` → `candidate_id`). */
  readonly filters: Readonly<Record<string, string>>;
  records: GreenhouseRecord[];
}

export interface GreenhouseData {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Users that `sub` may name: id → whether they are site admins, who alone may list. */
  readonly users: Readonly<Record<string, { readonly siteAdmin: boolean }>>;
  /** Resources that this client's scopes allow to list. */
  readonly scopes: readonly string[];
  readonly resources: Readonly<Record<string, GreenhouseResource>>;
}

export interface GreenhouseOptions extends StandInOptions {
  readonly data: GreenhouseData;
  /** Default 3600. */
  readonly tokenSeconds?: number;
  /** Requests per 30 s. Default 150. */
  readonly limit?: number;
  readonly webhooks?: GreenhouseWebhooks;
}

export interface GreenhouseStandIn extends StandIn {
  /** What people do there. */
  readonly people: GreenhousePeople;
  /** Notes that were added, oldest first. */
  readonly notes: readonly GreenhouseRecord[];
}

/** `url` is the origin: the token is had at `<url>/token`, the data at `<url>/v3/…`. */
export async function startProvider(options: GreenhouseOptions): Promise<GreenhouseStandIn> {
  const { data } = options;
  const now = options.now ?? Date.now;
  const window = rollingWindow(options.limit ?? 150, WINDOW_SECONDS * 1_000, now);
  const tokens = new Map<string, { readonly expiresAt: number; readonly siteAdmin: boolean }>();

  const notes: GreenhouseRecord[] = [];

  const standIn = await startStandIn(options, (asked) => {
    if (asked.path === "/token") return asked.method === "POST" ? issueToken(data, asked, tokens, now(), options.tokenSeconds ?? 3_600) : { status: 405 };

    const [, version, name = "", ...rest] = asked.path.split("/");
    if (version !== "v3") return { status: 404, body: { message: "Resource not found" } };
    const token = tokens.get(/^Bearer (.+)$/.exec(asked.headers.authorization ?? "")?.[1] ?? "");
    if (token === undefined || token.expiresAt <= now()) return { status: 401, body: { message: "Invalid or expired access token" } };

    const wait = window.take();
    const limits = { "x-ratelimit-limit": String(window.max), "x-ratelimit-remaining": String(window.remaining()), "x-ratelimit-reset": String(Math.ceil((now() + (wait || WINDOW_SECONDS * 1_000)) / 1_000)) };
    if (wait > 0) return { status: 429, headers: { ...limits, "retry-after": String(Math.ceil(wait / 1_000)) }, body: { message: "Rate limit exceeded. Please slow down." } };

    const resource = data.resources[name];
    const reply = name === "notes" && rest.length === 0 && asked.method === "POST" ? addNote(data, notes, asked, now())
      : resource === undefined || rest.length > 0 ? { status: 404, body: { message: "Resource not found" } }
      : asked.method !== "GET" ? { status: 405, body: { message: "Method not allowed" } }
      // The vendor's front end refuses a GET that carries a body.
      : asked.body !== "" ? { status: 403, body: "Request forbidden" }
      : !token.siteAdmin || !data.scopes.includes(name) ? { status: 403, body: { message: `This token lacks the scope harvest:${name}:list` } }
      : list(resource, asked);
    return { ...reply, headers: { ...limits, ...reply.headers } };
  });
  return { ...standIn, notes, people: greenhousePeople(data, now, (action, payload) => options.webhooks?.tell(action, payload)) };
}

function addNote(data: GreenhouseData, notes: GreenhouseRecord[], asked: Asked, now: number): Reply {
  if (!data.scopes.includes("notes")) return { status: 403, body: { message: "This token lacks the scope harvest:notes:create" } };
  const note = jsonObject(asked) ?? {};
  if (!data.resources.candidates?.records.some(({ id }) => id === note.candidate_id)) return invalid("candidate_id", "Must be the id of a candidate.");
  if (data.users[String(note.user_id)] === undefined) return invalid("user_id", "Must be the id of a user.");
  if (typeof note.body !== "string" || note.body === "") return invalid("body", "Must not be empty.");
  if (!["admin_only", "private", "public"].includes(String(note.visibility))) return invalid("visibility", "Must be admin_only, private or public.");
  const made = { ...note, id: 5_000 + notes.length, created_at: new Date(now).toISOString() };
  notes.push(made);
  return { status: 201, body: made };
}

/** OAuth 2.0 client credentials (RFC 6749 §4.4) with HTTP Basic, and the vendor's own `sub`. */
function issueToken(data: GreenhouseData, asked: Asked, tokens: Map<string, { expiresAt: number; siteAdmin: boolean }>, now: number, seconds: number): Reply {
  const basic = Buffer.from(/^Basic (.+)$/.exec(asked.headers.authorization ?? "")?.[1] ?? "", "base64").toString("utf8");
  if (basic !== `${encodeURIComponent(data.clientId)}:${encodeURIComponent(data.clientSecret)}`) {
    return { status: 401, headers: { "www-authenticate": "Basic" }, body: { error: "invalid_client", error_description: "Client authentication failed." } };
  }
  if (!/^application\/x-www-form-urlencoded\b/.test(asked.headers["content-type"] ?? "")) return { status: 400, body: { error: "invalid_request", error_description: "The body must be a form." } };
  const form = new URLSearchParams(asked.body);
  if (form.get("grant_type") !== "client_credentials") return { status: 400, body: { error: "unsupported_grant_type" } };
  const user = data.users[form.get("sub") ?? ""];
  if (user === undefined) return { status: 400, body: { error: "invalid_request", error_description: "sub must be the id of a user." } };
  const token = randomUUID();
  tokens.set(token, { expiresAt: now + seconds * 1_000, siteAdmin: user.siteAdmin });
  return { status: 200, headers: { "cache-control": "no-store" }, body: { access_token: token, token_type: "Bearer", expires_in: seconds } };
}

function list(resource: GreenhouseResource, asked: Asked): Reply {
  const names = [...asked.query.keys()];
  const cursor = asked.query.get("cursor");
  if (cursor !== null && names.length > 1) return invalid("cursor", "When cursor is given, it must be the only query parameter.");
  const page = cursor === null ? { first: asked.query, before: Infinity } : readCursor(cursor);
  if (page === undefined) return invalid("cursor", "Invalid cursor.");

  const perPage = Number(page.first.get("per_page") ?? DEFAULT_PER_PAGE);
  if (!Number.isInteger(perPage) || perPage < 1 || perPage > MAX_PER_PAGE) return invalid("per_page", `Must be between 1 and ${MAX_PER_PAGE}.`);
  const tests: ((record: GreenhouseRecord) => boolean)[] = [];
  for (const [name, value] of page.first) {
    if (name === "per_page") continue;
    const test = name === "ids" ? oneOf("id", value)
      : resource.times.includes(name) ? timeFilter(name, value)
      : resource.filters[name] !== undefined ? oneOf(resource.filters[name], value) : undefined;
    if (test === undefined) return invalid(name, resource.times.includes(name) ? "Must be operator|time, for example gte|2024-01-01T00:00:00Z." : "Unknown parameter.");
    tests.push(test);
  }

  const rest = resource.records.filter((record) => record.id < page.before && tests.every((test) => test(record))).sort((a, b) => b.id - a.id);
  const records = rest.slice(0, perPage);
  const link = rest.length > perPage ? { link: `<http://${asked.headers.host}${asked.path}?cursor=${writeCursor(page.first, records.at(-1)!.id)}>; rel="next"` } : undefined;
  return { status: 200, ...(link ? { headers: link } : {}), body: records };
}

function oneOf(field: string, value: string): (record: GreenhouseRecord) => boolean {
  const wanted = new Set(value.split(","));
  return (record) => wanted.has(String(record[field]));
}

/** `gte|<time>|lte|<time>`: pairs of operator and time. Undefined when it is anything else. */
function timeFilter(field: string, value: string): ((record: GreenhouseRecord) => boolean) | undefined {
  const parts = value.split("|");
  const tests: ((at: number) => boolean)[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const [compare, time] = [COMPARISONS[parts[at]!], Date.parse(parts[at + 1] ?? "")];
    if (compare === undefined || Number.isNaN(time)) return undefined;
    tests.push((of) => compare(of, time));
  }
  return (record) => typeof record[field] === "string" && tests.every((test) => test(Date.parse(record[field] as string)));
}

/** Opaque to clients: the first request's parameters and the last id given. */
function writeCursor(first: URLSearchParams, before: number): string {
  return Buffer.from(JSON.stringify({ first: first.toString(), before })).toString("base64url");
}

function readCursor(cursor: string): { first: URLSearchParams; before: number } | undefined {
  try {
    const { first, before } = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as { first: unknown; before: unknown };
    return typeof first === "string" && typeof before === "number" ? { first: new URLSearchParams(first), before } : undefined;
  } catch {
    return undefined;
  }
}

function invalid(field: string, message: string): Reply {
  return { status: 422, body: { message: "Validation error", errors: [{ message, field }] } };
}
