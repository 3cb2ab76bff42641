/**
 * A stand-in for HubSpot's CRM API (v3 paths). Sources: the vendor's API guide and change log (rate limits, search), read
 * 2026-11; the shape of answers and errors as in the OpenAPI description of the CRM objects.
 * What bites, and is therefore here: properties come only when asked for and empty ones as null; search never shows archived
 * objects, lags behind writes, stops at 10,000 results and at 5 requests a second; only other answers carry limit headers; two
 * contacts never have the same address (409).
 */
import { randomUUID } from "node:crypto";
import { jsonObject, rollingWindow, startStandIn, type Asked, type Reply, type StandIn, type StandInOptions } from "./kernel.ts";
import { createOAuth, type HubSpotApp } from "./hubspot-oauth.ts";
import type { HubSpotWebhooks } from "./hubspot-app.ts";
import { hubSpotChanges, writeObject, type HubSpotChanges } from "./hubspot-write.ts";
import { compileSearch, SearchError, type Properties, type PropertyType } from "./hubspot-search.ts";

const MAX_LIST_LIMIT = 100;
const MAX_BATCH = 100;
const LIST_PARAMETERS = ["limit", "after", "properties", "propertiesWithHistory", "associations", "archived"];
const ONE_PARAMETERS = ["properties", "propertiesWithHistory", "associations", "archived", "idProperty"];

export interface HubSpotObject {
  readonly id: string;
  /** Everything that is set; what is absent is empty. */
  readonly properties: Properties;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly archived: boolean;
  /** The version that search shows until it has indexed this one; absent for a new object. */
  readonly before?: HubSpotObject;
}

export interface HubSpotType {
  readonly types: Readonly<Record<string, PropertyType>>;
  /** Given when a request names no properties. */
  readonly defaults: readonly string[];
  /** The property with the time of the last change: `lastmodifieddate` of contacts, `hs_lastmodifieddate` of the others. */
  readonly modified: string;
  /** Without it: 403. */
  readonly scope: string;
  objects: HubSpotObject[];
}

export interface HubSpotData {
  readonly portalId: number;
  readonly token: string;
  readonly scopes: readonly string[];
  /** Of a public app, for OAuth; absent: only the private app's token. */
  readonly app?: HubSpotApp;
  readonly types: Readonly<Record<string, HubSpotType>>;
  /** `companies/contacts` → company id → contact ids. */
  readonly associations: Record<string, Record<string, string[]>>;
}

export interface HubSpotOptions extends StandInOptions {
  readonly data: HubSpotData;
  /** How far search lags behind writes. Milliseconds; default 0. */
  readonly searchLagMilliseconds?: number;
  /** Requests per 10 s, and searches per second. Default 190 and 5, a private app on Professional. */
  readonly limits?: { readonly tenSeconds?: number; readonly search?: number };
  /** The webhooks of the app that this portal installed; several portals may have the same. */
  readonly webhooks?: HubSpotWebhooks;
}

export interface HubSpotStandIn extends StandIn {
  /** Somebody removed the app. */
  uninstall(): void;
  /** What people do in the portal. */
  readonly people: HubSpotChanges;
}

export async function startProvider(options: HubSpotOptions): Promise<HubSpotStandIn> {
  const { data } = options;
  const now = options.now ?? Date.now;
  const oauth = createOAuth(data.app, data.scopes, now);
  const requests = rollingWindow(options.limits?.tenSeconds ?? 190, 10_000, now);
  const searches = rollingWindow(options.limits?.search ?? 5, 1_000, now);
  const people = hubSpotChanges(data, now, (event) => options.webhooks?.tell(event));

  const standIn = await startStandIn(options, (asked) => {
    const signIn = oauth.answer(asked);
    if (signIn !== undefined) return signIn;
    const bearer = /^Bearer (.+)$/.exec(asked.headers.authorization ?? "")?.[1] ?? "";
    if (bearer !== data.token && !oauth.accepts(bearer)) {
      return failure(401, "INVALID_AUTHENTICATION", "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details in the developer documentation.");
    }
    // Search has a limit of its own and is exempt from the ten-second one.
    const search = asked.path.endsWith("/search");
    if ((search ? searches : requests).take() > 0) return limited(search ? "SECONDLY" : "TEN_SECONDLY_ROLLING");
    const reply = route(data, people, asked, now() - (options.searchLagMilliseconds ?? 0));
    if (search) return reply;
    return { ...reply, headers: { ...reply.headers, "x-hubspot-ratelimit-max": String(requests.max), "x-hubspot-ratelimit-remaining": String(requests.remaining()), "x-hubspot-ratelimit-interval-milliseconds": "10000" } };
  });
  return { ...standIn, people, uninstall: () => { oauth.uninstall(); } };
}

function route(data: HubSpotData, changes: HubSpotChanges, asked: Asked, indexedUntil: number): Reply {
  if (asked.path === "/account-info/v3/details") return asked.method === "GET" ? details(data) : notAllowed();

  const associations = /^\/crm\/v4\/associations\/(\w+)\/(\w+)\/batch\/read$/.exec(asked.path);
  if (associations) return asked.method === "POST" ? readAssociations(data, `${associations[1]}/${associations[2]}`, asked) : notAllowed();

  const listed = /^\/crm\/v3\/properties\/(\w+)$/.exec(asked.path);
  const objects = /^\/crm\/v3\/objects\/(\w+)(?:\/(.+))?$/.exec(asked.path);
  const type = data.types[listed?.[1] ?? objects?.[1] ?? ""];
  if (type === undefined) return failure(404, "OBJECT_NOT_FOUND", "Unable to infer object type from the path.");
  if (!data.scopes.includes(type.scope)) return failure(403, "MISSING_SCOPES", `This app hasn't been granted all required scopes to make this call: ${type.scope}.`);
  if (listed) return { status: 200, body: { results: Object.entries(type.types).map(([name, of]) => ({ name, label: name, type: of })) } };

  const rest = objects![2];
  const write = (id?: string): Reply => data.scopes.includes(type.scope.replace(/\.read$/, ".write"))
    ? writeObject(changes, objects![1]!, { method: asked.method, ...(id === undefined ? {} : { id }), properties: jsonObject(asked)?.properties }, (object, wanted) => shape(type, object, wanted), failure)
    : failure(403, "MISSING_SCOPES", `This app hasn't been granted all required scopes to make this call: ${type.scope.replace(/\.read$/, ".write")}.`);
  if (rest === undefined) return asked.method === "GET" ? listObjects(type, asked) : asked.method === "POST" ? write() : notAllowed();
  if (rest === "search") return asked.method === "POST" ? searchObjects(type, asked, indexedUntil) : notAllowed();
  if (rest === "batch/read") return asked.method === "POST" ? readObjects(type, asked) : notAllowed();
  return asked.method === "GET" ? readObject(type, rest, asked) : asked.method === "PATCH" || asked.method === "DELETE" ? write(rest) : notAllowed();
}

function details(data: HubSpotData): Reply {
  return { status: 200, body: { portalId: data.portalId, accountType: "STANDARD", timeZone: "Europe/London", companyCurrency: "GBP", additionalCurrencies: [], utcOffset: "+00:00", utcOffsetMilliseconds: 0, uiDomain: "app.hubspot.com", dataHostingLocation: "eu1" } };
}

function listObjects(type: HubSpotType, asked: Asked): Reply {
  const unknown = [...asked.query.keys()].find((name) => !LIST_PARAMETERS.includes(name));
  if (unknown !== undefined) return invalid(`Unknown query parameter "${unknown}".`);
  const limit = Number(asked.query.get("limit") ?? 10);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIST_LIMIT) return invalid(`limit must be between 1 and ${MAX_LIST_LIMIT}.`);
  const after = Number(asked.query.get("after") ?? 0);
  if (!Number.isInteger(after)) return invalid("Invalid paging token.");

  const archived = asked.query.get("archived") === "true";
  const rest = type.objects.filter((object) => object.archived === archived && Number(object.id) > after).sort((a, b) => Number(a.id) - Number(b.id));
  const page = rest.slice(0, limit);
  const wanted = asked.query.get("properties")?.split(",");
  return { status: 200, body: { results: page.map((object) => shape(type, object, wanted)), ...paging(rest.length > limit ? page.at(-1)!.id : undefined) } };
}

function searchObjects(type: HubSpotType, asked: Asked, indexedUntil: number): Reply {
  try {
    const search = compileSearch(jsonObject(asked), type.types);
    const found = type.objects.flatMap((object) => indexed(object, indexedUntil) ?? []).filter((object) => !object.archived)
      .map((object) => ({ object, properties: allProperties(type, object) }))
      .filter(({ properties }) => search.matches(properties))
      .sort((a, b) => search.order(a.properties, b.properties) || Number(a.object.id) - Number(b.object.id));
    const page = found.slice(search.after, search.after + search.limit);
    const next = search.after + page.length < found.length ? String(search.after + page.length) : undefined;
    return { status: 200, body: { total: found.length, results: page.map(({ object }) => shape(type, object, search.properties)), ...paging(next) } };
  } catch (thrown) {
    if (thrown instanceof SearchError) return invalid(thrown.message);
    throw thrown;
  }
}

function readObject(type: HubSpotType, id: string, asked: Asked): Reply {
  const unknown = [...asked.query.keys()].find((name) => !ONE_PARAMETERS.includes(name));
  if (unknown !== undefined) return invalid(`Unknown query parameter "${unknown}".`);
  const archived = asked.query.get("archived") === "true";
  const by = asked.query.get("idProperty");
  const object = type.objects.find((one) => one.archived === archived && (by === null ? one.id : one.properties[by]) === id);
  if (object === undefined) return failure(404, "OBJECT_NOT_FOUND", "resource not found");
  return { status: 200, body: shape(type, object, asked.query.get("properties")?.split(",")) };
}

/** 207 when some of the ids are unknown. */
function readObjects(type: HubSpotType, asked: Asked): Reply {
  const ids = inputs(asked);
  if (ids === undefined) return invalid(`inputs must be a list of at most ${MAX_BATCH} objects with an id.`);
  const wanted = jsonObject(asked)?.properties;
  const found = type.objects.filter((object) => ids.includes(object.id) && !object.archived);
  const missing = ids.filter((id) => !found.some((object) => object.id === id));
  return {
    status: missing.length > 0 ? 207 : 200,
    body: {
      status: "COMPLETE", results: found.map((object) => shape(type, object, Array.isArray(wanted) ? wanted.map(String) : undefined)),
      ...(missing.length > 0 ? { numErrors: 1, errors: [{ status: "error", category: "OBJECT_NOT_FOUND", message: "Could not get some objects.", context: { ids: missing } }] } : {}),
    },
  };
}

function readAssociations(data: HubSpotData, kind: string, asked: Asked): Reply {
  const links = data.associations[kind];
  const ids = inputs(asked);
  if (links === undefined) return failure(404, "OBJECT_NOT_FOUND", "Unable to infer object type from the path.");
  if (ids === undefined) return invalid(`inputs must be a list of at most ${MAX_BATCH} objects with an id.`);
  const results = ids.filter((id) => links[id]?.length).map((id) => ({
    from: { id }, to: links[id]!.map((to) => ({ toObjectId: Number(to), associationTypes: [{ category: "HUBSPOT_DEFINED", typeId: 280, label: null }] })),
  }));
  return { status: 200, body: { status: "COMPLETE", results } };
}

function inputs(asked: Asked): string[] | undefined {
  const written = jsonObject(asked)?.inputs;
  if (!Array.isArray(written) || written.length > MAX_BATCH) return undefined;
  const ids = written.map((input: unknown) => (input as { id?: unknown } | null)?.id);
  return ids.every((id) => typeof id === "string" || typeof id === "number") ? ids.map(String) : undefined;
}

/** What search knows of an object: its newest version that is old enough to be in the index. */
function indexed(object: HubSpotObject, until: number): HubSpotObject | undefined {
  for (let version: HubSpotObject | undefined = object; version; version = version.before) if (Date.parse(version.updatedAt) <= until) return version;
  return undefined;
}

/** The object's own properties and those that the vendor keeps itself. */
function allProperties(type: HubSpotType, object: HubSpotObject): Properties {
  return { ...object.properties, hs_object_id: object.id, createdate: object.createdAt, [type.modified]: object.updatedAt };
}

/** Only what was asked for, null where empty; the vendor's own three always come along. Unknown names are ignored. */
function shape(type: HubSpotType, object: HubSpotObject, wanted: readonly string[] | undefined): object {
  const all = allProperties(type, object);
  const names = new Set([...(wanted ?? type.defaults), "hs_object_id", "createdate", type.modified].filter((name) => name in type.types));
  return {
    id: object.id, properties: Object.fromEntries([...names].sort().map((name) => [name, all[name] || null])),
    createdAt: object.createdAt, updatedAt: object.updatedAt, archived: object.archived, ...(object.archived ? { archivedAt: object.updatedAt } : {}),
  };
}

function paging(after: string | undefined): { paging?: { next: { after: string } } } {
  return after === undefined ? {} : { paging: { next: { after } } };
}

function invalid(message: string): Reply {
  return failure(400, "VALIDATION_ERROR", message);
}

function notAllowed(): Reply {
  return failure(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed");
}

function failure(status: number, category: string, message: string): Reply {
  return { status, body: { status: "error", message, correlationId: randomUUID(), category } };
}

/** The vendor does not promise a `Retry-After`, so there is none. */
function limited(policyName: string): Reply {
  const word = policyName === "SECONDLY" ? "secondly" : "ten_secondly_rolling";
  return { status: 429, body: { status: "error", message: `You have reached your ${word} limit.`, errorType: "RATE_LIMIT", correlationId: randomUUID(), policyName } };
}
