/**
 * The grammar that layers are merged by: which positions have a shorthand, which keys exclude each other, where a `type`
 * replaces a whole component, and where a later layer's entries come first. Everything not named here merges plainly: maps
 * by key, lists and scalars replaced.
 */
import { isRemoval, list, map, scalar, withMembers, type Sourced, type SourcedMap } from "./sourced.ts";

export interface Shape {
  /** Rewrites a shorthand to its full form. Runs before anything else. */
  readonly expand?: (node: Sourced) => Sourced;
  /** Groups of keys of which a layer that sets one removes the others. */
  readonly choices?: readonly (readonly string[])[];
  /** A `type` (or `by`) that differs from the one below replaces everything below. */
  readonly component?: boolean;
  /** Entries of a later layer stand before those of an earlier one. */
  readonly laterFirst?: boolean;
  /** Free JSON (a body, a schema): a `null` that removes nothing is a value. */
  readonly free?: boolean;
  readonly keys?: Readonly<Record<string, Shape>>;
  /** Shape of every member that `keys` does not name. */
  readonly each?: Shape;
}

const METHODS = ["get", "post", "put", "patch", "delete"];
const BODIES = ["json", "form", "multipart", "xml", "soap", "graphql", "text"];
const EFFECTS = ["creates", "updates", "deletes", "upserts"];
const TARGETS = ["entity", "save", "action", "subject", "webhook", "file"];
const REQUEST_KEYS = [...METHODS, ...BODIES, "method", "path", "base_url", "query", "headers", "auth", "as", "empty", "records", "pagination"];

const FREE: Shape = { free: true, get each() { return FREE; } };
const FREE_MAP: Shape = { each: FREE };
const PLAIN: Shape = {};

/** `key: id` is `key: [id]`. */
const LIST: Shape = { expand: (node) => (node.kind === "scalar" && node.value !== null ? list([node], node.source) : node) };

/** `map: x` is `map: { use: x }`. */
const shorthand = (key: string) => (node: Sourced): Sourced =>
  node.kind === "scalar" && node.value !== null ? map(node.source, [[key, node]]) : node;

const NAMED_RULES: Shape = { laterFirst: true };
const COMPONENT: Shape = { component: true, expand: shorthand("type") };

const REQUEST: Shape = {
  expand: methodAsKey,
  choices: [METHODS, BODIES],
  keys: { query: FREE_MAP, headers: FREE_MAP, as: COMPONENT, errors: NAMED_RULES, pagination: { component: true }, ...Object.fromEntries(BODIES.map((body) => [body, FREE_MAP])) },
};

const CURSOR: Shape = { component: true, keys: { window: { expand: shorthand("size") } } };
const POLLS: Shape = { each: REQUEST };

export const STREAM: Shape = {
  expand: requestAsList,
  keys: { key: LIST, list: REQUEST, changes: REQUEST, one: REQUEST, cursor: CURSOR, errors: NAMED_RULES },
};

const AUTH: Shape = { component: true, keys: { login: REQUEST }, each: { component: true, keys: { login: REQUEST } } };

export const ACTION: Shape = {
  ...REQUEST,
  choices: [METHODS, BODIES, EFFECTS],
  keys: {
    ...REQUEST.keys, input: FREE_MAP, say: FREE, before: POLLS, after: POLLS,
    returns: { keys: { key: LIST } },
    once: { keys: { find: { ...REQUEST, keys: { ...REQUEST.keys, key: LIST } } } },
  },
};

const FEED = { id: LIST, events: { each: { keys: { key: LIST } } } } as const satisfies Shape["keys"];
const REPLY: Shape = { choices: [["text", "json"]], keys: { headers: FREE_MAP, text: FREE, json: FREE } };

export const WEBHOOK: Shape = {
  keys: { ...FEED, verify: { component: true, each: { component: true } }, reply: { expand: replyByName, laterFirst: true, each: REPLY }, subscribe: POLLS },
};

export const QUEUE: Shape = { ...REQUEST, keys: { ...REQUEST.keys, ...FEED, cursor: CURSOR, after: POLLS } };

export const CONNECTOR: Shape = {
  keys: {
    http: { keys: { headers: FREE_MAP, query: FREE_MAP, auth: AUTH, limits: NAMED_RULES, errors: NAMED_RULES, hosts: LIST } },
    check: { ...REQUEST, each: REQUEST },
    streams: { each: STREAM },
    actions: { each: ACTION },
    webhooks: { each: WEBHOOK },
    queues: { each: QUEUE },
  },
};

const CONNECTION: Shape = { keys: { locks: LIST, streams: { each: STREAM }, limits: NAMED_RULES, errors: NAMED_RULES } };

export const MAPPING: Shape = { expand: shorthand("use") };

const FLOW: Shape = {
  keys: {
    from: { expand: readsFrom, choices: [["stream", "change", "entity", "subject"], ["every", "cron", "due"]] },
    map: MAPPING,
    to: { expand: shorthand("entity"), choices: [TARGETS] },
  },
};

/** A preset and a tenant have the same shape: the second is laid over the first. */
export const CONFIGURATION: Shape = {
  keys: {
    connections: { each: CONNECTION },
    entities: { each: { keys: { match: LIST } } },
    flows: { each: FLOW },
    reports: { each: LIST },
  },
};

export const ENTITY_SCHEMA: Shape = { each: FREE, keys: { rules: NAMED_RULES } };

/** Shape of an effective tree: everything resolved. */
export const EFFECTIVE: Shape = {
  keys: { ...CONFIGURATION.keys, connectors: { each: CONNECTOR }, entities: { each: { keys: { schema: ENTITY_SCHEMA } } } },
};

export const shapeOf = (shape: Shape, key: string): Shape => shape.keys?.[key] ?? shape.each ?? PLAIN;

/** `{ method: GET, path: /x }` is `get: /x`. */
function methodAsKey(node: Sourced): Sourced {
  if (node.kind !== "map") return node;
  const method = node.entries.get("method");
  const path = node.entries.get("path");
  if (method?.kind !== "scalar" || !path || !METHODS.includes(String(method.value).toLowerCase())) return node;
  return withMembers(node, { method: undefined, path: undefined, [String(method.value).toLowerCase()]: path });
}

/** Request keys directly on a stream are its `list`. */
function requestAsList(node: Sourced): Sourced {
  if (node.kind !== "map") return node;
  const moved = [...node.entries].filter(([key]) => REQUEST_KEYS.includes(key));
  if (moved.length === 0) return node;
  const rest = [...node.entries].filter(([key]) => !REQUEST_KEYS.includes(key) && key !== "list");
  const written = node.entries.get("list");
  const door = map(node.source, [...moved, ...(written?.kind === "map" ? written.entries : [])]);
  return { ...node, entries: new Map([...rest, ["list", door]]) };
}

/** The name of a reply, where a webhook has one. */
export const ONLY_REPLY = "default";
const REPLY_KEYS = ["when", "status", "headers", "text", "json", "handshake", "unsigned"];

/** One reply written in place is a map of one; no named reply is called as a part of a reply is. */
function replyByName(node: Sourced): Sourced {
  return node.kind === "map" && [...node.entries.keys()].some((key) => REPLY_KEYS.includes(key)) ? map(node.source, [[ONLY_REPLY, node]]) : node;
}

/** `from: a.b` is `from: { stream: a.b }`; naming a stream with its connection forgets the connection of an earlier layer. */
function readsFrom(node: Sourced): Sourced {
  const full = shorthand("stream")(node);
  if (full.kind !== "map") return full;
  const stream = full.entries.get("stream");
  if (stream?.kind !== "scalar" || !String(stream.value).includes(".") || full.entries.has("connection")) return full;
  return withMembers(full, { connection: scalar(null, stream.source) });
}

/** Sets the other keys of each choice to `null`, so that merging by key is all that a choice needs. */
export function removeAlternatives(node: SourcedMap, choices: readonly (readonly string[])[]): SourcedMap {
  const removals: Record<string, Sourced> = {};
  for (const choice of choices) {
    const chosen = choice.map((key) => node.entries.get(key)).find((member) => member && !isRemoval(member));
    if (!chosen) continue;
    for (const key of choice) if (!node.entries.has(key)) removals[key] = scalar(null, chosen.source);
  }
  return withMembers(node, removals);
}
